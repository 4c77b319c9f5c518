"""The ABI codec agrees with web3's own encoder, and reads no calldata in two ways."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.trading.adapters.evm import (
    aave_v3,
    abi,
    erc20,
    erc4626,
    errors,
    uniswap_routers,
    uniswap_v3,
    weth,
)

eth_abi = pytest.importorskip("eth_abi", reason="needs the chain extra")
eth_utils = pytest.importorskip("eth_utils", reason="needs the chain extra")

FUNCTIONS = [
    value
    for module in (aave_v3, erc20, erc4626, uniswap_routers, uniswap_v3, weth)
    for value in vars(module).values()
    if isinstance(value, abi.Function)
]
TOPICS = {
    erc20.TRANSFER_TOPIC: "Transfer(address,address,uint256)",
    weth.DEPOSIT_TOPIC: "Deposit(address,uint256)",
    weth.WITHDRAWAL_TOPIC: "Withdrawal(address,uint256)",
    aave_v3.SUPPLY_TOPIC: "Supply(address,address,address,uint256,uint16)",
    aave_v3.WITHDRAW_TOPIC: "Withdraw(address,address,address,uint256)",
    aave_v3.RESERVE_UPDATED_TOPIC: "ReserveDataUpdated(address,uint256,uint256,uint256,uint256,uint256)",
}
addresses = st.binary(min_size=20, max_size=20).map(lambda content: "0x" + content.hex())


def values_of(kind: abi.Kind) -> st.SearchStrategy[abi.Value]:
    """Return values a kind can hold."""
    if isinstance(kind, tuple):
        return st.tuples(*map(values_of, kind))
    if kind == "address":
        return addresses
    if kind == "bool":
        return st.booleans()
    if kind == "bytes":
        return st.binary(max_size=100)
    if kind == "bytes[]":
        return st.lists(st.binary(max_size=70), max_size=3).map(tuple)
    if kind == "string":
        return st.text(max_size=40)
    return st.integers(0, 2 ** int(kind.removeprefix("uint")) - 1)


scalars = st.sampled_from(["uint8", "uint24", "uint256", "address", "bool", "bytes", "bytes[]", "string"])
kinds: st.SearchStrategy[abi.Kind] = st.recursive(
    scalars, lambda inner: st.lists(inner, min_size=1, max_size=3).map(tuple), max_leaves=6
)
tuples = st.lists(kinds, max_size=4).flatmap(
    lambda chosen: st.tuples(st.just(tuple(chosen)), st.tuples(*map(values_of, chosen)))
)


def spelt(kind: abi.Kind) -> str:
    """Return a kind the way signatures spell it."""
    return kind if isinstance(kind, str) else f"({','.join(map(spelt, kind))})"


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.signature)
def test_a_selector_is_the_hash_of_its_signature(function: abi.Function) -> None:
    assert function.selector == eth_utils.keccak(text=function.signature)[:4]


@pytest.mark.parametrize(("topic", "signature"), TOPICS.items(), ids=TOPICS.values())
def test_a_topic_is_the_hash_of_its_event(topic: str, signature: str) -> None:
    assert topic == "0x" + eth_utils.keccak(text=signature).hex()


@pytest.mark.parametrize("signature", errors.CUSTOM)
def test_an_error_selector_is_the_hash_of_its_signature(signature: str) -> None:
    assert errors.CUSTOM[signature][0] == eth_utils.keccak(text=signature)[:4].hex()


@given(tuples)
def test_layout_equals_that_of_eth_abi(case: tuple[tuple[abi.Kind, ...], tuple[abi.Value, ...]]) -> None:
    chosen, values = case

    encoded = abi.encode(chosen, values)

    assert encoded == eth_abi.encode([spelt(kind) for kind in chosen], values)
    assert abi.decode(chosen, encoded) == values
    assert abi.parse_kinds(spelt(chosen)) == chosen


def test_calldata_equals_that_of_web3_for_each_function() -> None:
    web3 = pytest.importorskip("web3", reason="needs the chain extra").Web3()
    for function in FUNCTIONS:
        name = function.signature.split("(", 1)[0]
        inputs = [described(kind) for kind in function.inputs]
        entry = {"type": "function", "name": name, "inputs": inputs, "outputs": [], "stateMutability": "view"}
        values = tuple(sample(kind) for kind in function.inputs)

        expected = web3.eth.contract(abi=[entry]).encode_abi(name, args=checksummed(values))

        assert "0x" + function.encode(*values).hex() == expected
        assert function.arguments(function.encode(*values)) == values


def described(kind: abi.Kind) -> dict[str, object]:
    """Return a kind the way a JSON ABI has it."""
    if isinstance(kind, str):
        return {"name": "x", "type": kind}
    parts = [{**described(inner), "name": f"x{place}"} for place, inner in enumerate(kind)]
    return {"name": "x", "type": "tuple", "components": parts}


def sample(kind: abi.Kind) -> abi.Value:
    """Return one telling value of a kind."""
    if isinstance(kind, tuple):
        return tuple(sample(inner) for inner in kind)
    samples: dict[str, abi.Value] = {
        "address": "0x" + "5a" * 20,
        "bytes": bytes(range(43)),
        "bytes[]": (b"a", bytes(33)),
        "uint160": 0,
        "bool": True,
    }
    return samples.get(kind, 65_535)


def checksummed(values: tuple[abi.Value, ...]) -> list[object]:
    """Return values with the addresses web3 takes."""
    return [
        tuple(checksummed(value))
        if isinstance(value, tuple)
        else eth_utils.to_checksum_address(value)
        if isinstance(value, str)
        else value
        for value in values
    ]


@given(st.integers(0, 2**256 - 1), addresses, st.binary(min_size=1, max_size=64))
def test_calldata_with_anything_after_it_is_refused(units: int, spender: str, more: bytes) -> None:
    data = erc20.APPROVE.encode(spender, units)

    with pytest.raises(ValueError, match="canonical"):
        erc20.APPROVE.arguments(data + more)


def test_an_address_with_dirt_above_it_is_refused() -> None:
    data = bytearray(erc20.APPROVE.encode("0x" + "11" * 20, 5))
    data[4] = 1

    with pytest.raises(ValueError, match="is no address"):
        erc20.APPROVE.arguments(bytes(data))


@given(st.binary(max_size=300))
def test_garbage_is_a_value_error_never_another(data: bytes) -> None:
    for function in FUNCTIONS:
        with suppress(ValueError):
            assert function.encode(*function.arguments(function.selector + data)) == function.selector + data


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint24", 2**24),
        ("uint256", -1),
        ("address", "0x12"),
        ("address", "12" * 21),
        ("bytes", "text"),
        (("uint8",), 1),
    ],
)
def test_a_value_its_kind_cannot_hold_is_refused(kind: abi.Kind, value: abi.Value) -> None:
    with pytest.raises(ValueError, match=r"."):
        abi.encode((kind,), (value,))
