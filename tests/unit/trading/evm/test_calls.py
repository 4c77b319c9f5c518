"""What is built is read back as what was meant, names its owner alone, and never asks for everything."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.desk import now
from tests.unit.trading.evm.venues import (
    A_TOKEN,
    BUY,
    DEPOSIT,
    DOLLAR_TOKEN,
    LINK_TOKEN,
    OWNER,
    POOL,
    QUOTER,
    REDEEM,
    ROUTER,
    STRANGER,
    SUPPLY,
    TWO_HOPS,
    UNWRAP,
    VAULT,
    WETH_TOKEN,
    WITHDRAW,
    WRAP,
    Written,
    aave,
    uniswap,
    vault,
    weth,
)
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm import aave_v3, abi, erc20, erc4626, uniswap_routers, uniswap_v3
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason
from treasury_actors.trading.adapters.evm.protocol import (
    Approval,
    Call,
    Decoded,
    DefiProtocol,
    Reverted,
    Undecodable,
)
from treasury_actors.trading.adapters.evm.uniswap_routers import (
    Router,
    Swap,
    SwapRouter,
    SwapRouter02,
    pack_path,
)
from treasury_actors.trading.model.ray import RAY, scaled_by_supply, withdrawable

INDEX_RAY = 11 * RAY // 10
NODE_ANSWERS: dict[tuple[str, bytes], int | bytes | Reverted] = {
    (POOL, aave_v3.INDEX.selector): INDEX_RAY,
    (DOLLAR_TOKEN, erc20.BALANCE_OF.selector): 10**40,
    (VAULT, erc4626.MAX_DEPOSIT.selector): 2**256 - 1,
    (VAULT, erc4626.MAX_REDEEM.selector): 10**40,
}
STEPS = [BUY, TWO_HOPS, SUPPLY, WITHDRAW, DEPOSIT, REDEEM, WRAP, UNWRAP]
FORMS = [SwapRouter(), SwapRouter02()]
SWAP = Swap(
    tokens=(DOLLAR_TOKEN, WETH_TOKEN),
    fees_ppm=(500,),
    recipient=OWNER,
    deadline_s=9,
    units_in=1_000,
    units_out_min=1,
)
units = st.integers(2, 10**30)
deadlines = st.integers(0, 2**40)


def protocol_of(step: Conversion, node: Written | None = None) -> DefiProtocol:
    """Return the protocol of a conversion."""
    node = node or Written(answers=NODE_ANSWERS)
    if step in (BUY, TWO_HOPS):
        return uniswap(node)
    if step in (SUPPLY, WITHDRAW):
        return aave(node)
    return vault(node) if step in (DEPOSIT, REDEEM) else weth(node)


def build(step: Conversion, amount: int, minimum: int = 1, deadline_s: int = 9) -> Call:
    """Return the call of a conversion, which must not be refused."""
    call = now(protocol_of(step).build(step, amount, minimum, deadline_s=deadline_s, owner=OWNER))
    assert isinstance(call, Call), call
    return call


def read(step: Conversion, call: Call) -> Decoded:
    """Return what the protocol reads in a call, which must be readable."""
    decoded = protocol_of(step).decode(call.data, call.value_wei)
    assert isinstance(decoded, Decoded), decoded
    return decoded


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
@given(amount=units, deadline_s=deadlines)
def test_what_is_built_is_read_back_as_meant(step: Conversion, amount: int, deadline_s: int) -> None:
    call = build(step, amount, deadline_s=deadline_s)

    decoded = read(step, call)

    assert (decoded.source, decoded.target) == (step.source, step.target)
    assert decoded.recipient in (OWNER, None)
    assert (decoded.recipient is None) == (step in (WRAP, UNWRAP))
    assert decoded.payer == (OWNER if step is REDEEM else None)
    if step is WITHDRAW:
        assert (decoded.units_in, decoded.units_out_min) == (None, withdrawable(amount, INDEX_RAY))
    else:
        assert decoded.units_in == amount
    assert decoded.deadline_s == (deadline_s if step in (BUY, TWO_HOPS) else None)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
@given(amount=units)
def test_no_call_approves_or_asks_for_more_than_its_units(step: Conversion, amount: int) -> None:
    call = build(step, amount)

    spenders = {BUY: ROUTER, TWO_HOPS: ROUTER, SUPPLY: POOL, DEPOSIT: VAULT}
    expected = (
        Approval(token=DOLLAR_TOKEN, spender=spenders[step], units=amount) if step in spenders else None
    )
    assert call.approval == expected
    words = [call.data[4 + at : 36 + at] for at in range(0, len(call.data) - 4, 32)]
    assert all(int.from_bytes(word, "big") != 2**256 - 1 for word in words)
    assert call.value_wei == (amount if step is WRAP else 0)
    assert 0 < call.gas_limit < 1_000_000


@pytest.mark.parametrize("step", [BUY, TWO_HOPS], ids=lambda step: step.id)
@given(amount=units, minimum=units)
def test_a_swap_carries_its_minimum_to_the_chain(step: Conversion, amount: int, minimum: int) -> None:
    call = build(step, amount, minimum)

    assert read(step, call).units_out_min == minimum == call.units_out_min


def test_a_swap_without_a_minimum_is_not_built() -> None:
    refusal = now(protocol_of(BUY).build(BUY, 5, 0, deadline_s=9, owner=OWNER))

    assert isinstance(refusal, Refused)
    assert refusal.reason is VenueReason.SLIPPAGE


@given(amount=units)
def test_a_lender_that_brings_less_than_the_minimum_is_not_asked(amount: int) -> None:
    for step, brings in (
        (SUPPLY, scaled_by_supply(amount, INDEX_RAY)),
        (WITHDRAW, withdrawable(amount, INDEX_RAY)),
        (WRAP, amount),
    ):
        assert build(step, amount, brings).units_out_min == brings

        refusal = now(protocol_of(step).build(step, amount, brings + 1, deadline_s=9, owner=OWNER))

        assert isinstance(refusal, Refused)
        assert refusal.reason is VenueReason.SLIPPAGE


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
@given(data=st.data())
def test_calldata_with_one_byte_changed_is_read_otherwise_or_not_at_all(
    step: Conversion, data: st.DataObject
) -> None:
    """No two calldata mean the same, so a reading that equals the intent is the intent."""
    call = build(step, 1_000)
    place = data.draw(st.integers(0, len(call.data) - 1))
    changed = bytearray(call.data)
    changed[place] ^= data.draw(st.integers(1, 255))

    decoded = protocol_of(step).decode(bytes(changed), call.value_wei)

    assert isinstance(decoded, Undecodable) or decoded != read(step, call)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_ether_sent_along_is_read_by_wrapping_alone(step: Conversion) -> None:
    call = build(step, 1_000)

    decoded = protocol_of(step).decode(call.data, 5 if step is not WRAP else 0)

    assert isinstance(decoded, Undecodable)


@given(st.binary(max_size=200), st.integers(0, 10))
def test_no_calldata_crashes_a_reader(data: bytes, value_wei: int) -> None:
    for step in STEPS:
        selector = build(step, 1_000).data[:4]
        for calldata in (data, selector + data):
            assert isinstance(protocol_of(step).decode(calldata, value_wei), Decoded | Undecodable)


def test_a_swap_to_a_stranger_says_so() -> None:
    call = build(BUY, 1_000)

    decoded = read(
        BUY, replace(call, data=call.data.replace(bytes.fromhex("77" * 20), bytes.fromhex("66" * 20)))
    )

    assert decoded.recipient == STRANGER


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
@pytest.mark.parametrize(
    ("tokens", "fees_ppm"),
    [
        ((DOLLAR_TOKEN, WETH_TOKEN), (3_000,)),
        ((WETH_TOKEN, DOLLAR_TOKEN), (500,)),
        ((DOLLAR_TOKEN, WETH_TOKEN, DOLLAR_TOKEN), (500, 500)),
        ((DOLLAR_TOKEN, WETH_TOKEN, LINK_TOKEN), (500, 500)),
        ((DOLLAR_TOKEN, A_TOKEN, LINK_TOKEN), (500, 3_000)),
        ((DOLLAR_TOKEN, WETH_TOKEN, LINK_TOKEN, A_TOKEN), (500, 3_000, 500)),
    ],
)
def test_a_swap_along_no_pinned_route_is_not_read(
    form: Router, tokens: tuple[str, ...], fees_ppm: tuple[int, ...]
) -> None:
    swap = replace(SWAP, tokens=tokens, fees_ppm=fees_ppm)

    assert form.decode(form.encode(swap))[0] == swap
    assert isinstance(uniswap(Written(), form).decode(form.encode(swap)), Undecodable)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
@pytest.mark.parametrize("step", [BUY, TWO_HOPS], ids=lambda step: step.id)
@given(amount=units, minimum=units, deadline_s=deadlines)
def test_both_routers_carry_the_same_swap(
    form: Router, step: Conversion, amount: int, minimum: int, deadline_s: int
) -> None:
    protocol = uniswap(Written(), form)
    call = now(protocol.build(step, amount, minimum, deadline_s=deadline_s, owner=OWNER))
    assert isinstance(call, Call)

    decoded = protocol.decode(call.data)

    assert isinstance(decoded, Decoded)
    assert (decoded.source, decoded.target, decoded.recipient) == (step.source, step.target, OWNER)
    assert (decoded.units_in, decoded.units_out_min) == (amount, minimum)
    assert decoded.deadline_s == deadline_s


def test_a_path_over_one_pool_is_read_in_one_form_alone() -> None:
    packed = pack_path((DOLLAR_TOKEN, WETH_TOKEN), (500,))
    data = uniswap_routers.EXACT_INPUT.encode((packed, OWNER, 9, 1_000, 1))

    assert isinstance(uniswap(Written()).decode(data), Undecodable)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: type(form).__name__)
def test_a_swap_with_a_price_limit_is_not_read(form: Router) -> None:
    """The limit is the last word of the swap: any other than zero converts a part alone."""
    data = form.encode(SWAP)
    end = len(data) if isinstance(form, SwapRouter) else len(data) - 28
    limited = data[: end - 1] + b"\x05" + data[end:]

    assert isinstance(uniswap(Written(), form).decode(limited), Undecodable)


@pytest.mark.parametrize("count", [0, 2])
def test_a_multicall_of_other_than_one_swap_is_not_read(count: int) -> None:
    form = SwapRouter02()
    inner = uniswap_routers.EXACT_INPUT_SINGLE_02.encode((DOLLAR_TOKEN, WETH_TOKEN, 500, OWNER, 1_000, 1, 0))
    one = uniswap_routers.MULTICALL.encode(9, (inner,))
    other = uniswap_routers.MULTICALL.encode(9, (inner,) * count)

    assert isinstance(uniswap(Written(), form).decode(one), Decoded)
    assert isinstance(uniswap(Written(), form).decode(other), Undecodable)


def test_withdrawing_everything_is_not_read() -> None:
    data = aave_v3.WITHDRAW.encode(DOLLAR_TOKEN, 2**256 - 1, OWNER)

    assert isinstance(aave(Written()).decode(data), Undecodable)


@pytest.mark.parametrize("answer", [b"", b"\x01" * 31])
async def test_a_quote_that_is_no_number_is_refused(answer: bytes) -> None:
    node = Written(answers={(QUOTER, uniswap_v3.QUOTE_SINGLE.selector): answer})

    refusal = await uniswap(node).quote(BUY, 1_000, "latest")

    assert isinstance(refusal, Refused)
    assert refusal.reason in (VenueReason.NO_CODE, VenueReason.RETURNED_GARBAGE)


async def test_a_contract_that_answers_no_number_to_a_plain_read_is_a_fault() -> None:
    for answer in (b"", Reverted(data=b"", message="")):
        node = Written(answers={(POOL, aave_v3.INDEX.selector): answer})

        with pytest.raises(erc20.UnreadableContract, match="getReserveNormalizedIncome"):
            await aave(node).index_ray(SUPPLY.source, "latest")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", None),
        (1, None),
        (0, VenueReason.RETURNED_FALSE),
        (Reverted(data=b"", message=""), VenueReason.EMPTY_REVERT),
    ],
)
async def test_an_approve_may_return_nothing_but_not_false(
    answer: int | bytes | Reverted, reason: VenueReason | None
) -> None:
    approval = Approval(token=DOLLAR_TOKEN, spender=ROUTER, units=7)
    node = Written(answers={(DOLLAR_TOKEN, erc20.APPROVE.selector): answer})

    refusal = await erc20.simulate_approve(node, approval, OWNER)

    assert (refusal.reason if refusal else None) is reason


@given(amount=units)
def test_an_approval_is_read_back_as_it_was_written(amount: int) -> None:
    approval = Approval(token=DOLLAR_TOKEN, spender=ROUTER, units=amount)

    call = erc20.approve(approval)

    assert erc20.decode_approve(call.to, call.data) == approval
    assert erc20.decode_approve(call.to, call.data + b"\0") is None


def test_two_assets_at_one_address_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="share an address"):
        erc20.Tokens({BUY.source: DOLLAR_TOKEN, BUY.target: DOLLAR_TOKEN.upper().replace("0X", "0x")})


def test_an_address_is_read_in_any_case_and_kept_in_one() -> None:
    assert abi.address("0x" + "aB" * 20) == "0x" + "ab" * 20
