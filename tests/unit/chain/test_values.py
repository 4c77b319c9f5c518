"""Numbers, bytes, addresses and hashes are read as the specification spells them, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.chain.model import values
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Json

WORD_MAX = 2**256 - 1


def refused(read: object) -> bool:
    assert callable(read)
    try:
        read()
    except RpcFault as fault:
        return fault.kind is RpcFaultKind.BAD_VALUE
    return False


@given(st.integers(min_value=0, max_value=WORD_MAX))
def test_a_number_written_is_the_number_read(number: int) -> None:
    assert values.quantity(values.to_quantity(number), "n") == number
    assert (
        values.quantity(values.to_quantity(number).replace("0x", "0x", 1).upper().replace("X", "x"), "n")
        == number
    )


@given(st.integers(min_value=0, max_value=WORD_MAX), st.integers(min_value=1, max_value=64))
def test_leading_zeros_are_refused(number: int, zeros: int) -> None:
    assert refused(lambda: values.quantity("0x" + "0" * zeros + f"{number:x}", "n"))


@given(st.integers(min_value=WORD_MAX + 1, max_value=2**2000))
def test_more_than_a_word_is_refused(number: int) -> None:
    assert refused(lambda: values.quantity(hex(number), "n"))


@given(st.integers(min_value=0, max_value=2**80))
def test_a_number_is_read_only_within_its_bits(number: int) -> None:
    assert refused(lambda: values.quantity(hex(number), "n", bits=64)) == (number >= 2**64)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5,
        5.0,
        "",
        "0x",
        "5",
        "0X5",
        "x5",
        "-0x5",
        "0x-5",
        "0x5 ",
        " 0x5",
        "0x5\n",
        "0x_5",
        "0x1_0",
        "0xg",
        "0x٣",
        "٣",
        [],
        {},
        ["0x5"],
        "0x" + "1" * 10**6,
    ],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_number_is_refused(value: Json) -> None:
    assert refused(lambda: values.quantity(value, "n"))


@given(st.text())
def test_no_text_is_read_as_a_number_that_is_not_written_as_it(text: str) -> None:
    try:
        number = values.quantity(text, "n")
    except RpcFault:
        return
    assert values.to_quantity(number) == text.lower()


@given(st.binary(max_size=100))
def test_bytes_written_are_the_bytes_read(content: bytes) -> None:
    assert values.data(values.to_data(content), "d") == content
    assert refused(lambda: values.data(values.to_data(content), "d", length=len(content) + 1))


@given(st.binary(min_size=1, max_size=40))
def test_half_a_byte_is_refused(content: bytes) -> None:
    assert refused(lambda: values.data(values.to_data(content)[:-1], "d"))


@pytest.mark.parametrize("value", [None, 0, "", "00", "0X00", "0xzz", "0x0 ", "0x00\n", "0x٣٣", []])
def test_what_is_no_bytes_is_refused(value: Json) -> None:
    assert refused(lambda: values.data(value, "d"))


def test_an_address_and_a_hash_have_their_length_and_come_in_lower_case() -> None:
    assert values.address("0x" + "Ab" * 20, "a") == "0x" + "ab" * 20
    assert values.hash32("0x" + "Ab" * 32, "h") == "0x" + "ab" * 32
    assert refused(lambda: values.address("0x" + "ab" * 32, "a"))
    assert refused(lambda: values.hash32("0x" + "ab" * 20, "h"))


def test_objects_arrays_and_fields_are_there_or_refused() -> None:
    assert values.field(values.mapping({"a": None}, "o"), "a", "o") is None
    assert values.sequence([1], "s") == [1]
    assert refused(lambda: values.field({}, "a", "o"))
    assert refused(lambda: values.mapping([], "o"))
    assert refused(lambda: values.sequence({}, "s"))


def test_a_refusal_says_what_is_wrong_and_what_is_allowed_on_a_short_line() -> None:
    with pytest.raises(RpcFault) as caught:
        values.quantity("0x0" + "1" * 10**6, "balance")

    assert str(caught.value).startswith("balance: 0x0111")
    assert "allowed: 0x and the fewest hex digits" in str(caught.value)
    assert len(str(caught.value)) < 300
