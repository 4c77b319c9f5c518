"""
Defect 8 of the earlier attempt: fills that never happened.

In real mode its adapters returned mock success with a made-up transaction hash; its config had an unlimited
allowance.
"""

import ast
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from tests.acceptance.houses import CORE, Bench, check_on_bench, market, order_of
from treasury_actors.ids import AgentId, AssetId, ConversionId, OrderId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.adapters.simulated import SimulatedVenue
from treasury_actors.trading.model.costs import CHAINS
from treasury_actors.trading.model.order import OrderFilled, TradingReason
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Ticket

PACKAGE = Path(__file__).parents[2] / "treasury_actors"
ANN = AgentId("ann-0001")
SWAP = ConversionId("USDC>WETH@uniswap-v3")
SUPPLY = ConversionId("USDC>aUSDC@aave-v3")
WITHDRAW = ConversionId("aUSDC>USDC@aave-v3")
UNLIMITED = 2**128


def at(values: tuple[object, ...], column: int, value: object) -> tuple[object, ...]:
    return (*values[:column], value, *values[column + 1 :])


def frame_with(**cells: tuple[int, object]) -> MarketFrame:
    """Return a frame in which one column of some fields has another value."""
    frame = market(10).frame(5)
    changes = {name: at(getattr(frame, name), column, value) for name, (column, value) in cells.items()}
    return replace(frame, **changes)  # type: ignore[arg-type]


async def outcome(step: ConversionId, frame: MarketFrame, *, gas_wei_max: int = 10**18) -> Receipt:
    venue = SimulatedVenue(universe=MAINNET, chain=CHAINS["base"])
    ticket = Ticket(
        order_id=OrderId("ann-0001/4/0"),
        agent=ANN,
        hop=0,
        conversion=MAINNET.conversion_by_id[step],
        units=1_000 * 10**6,
        gas_wei_max=gas_wei_max,
    )
    await venue.send(ticket)
    (receipt,) = await venue.collect(frame)
    assert await venue.collect(frame) == [], "a ticket has one receipt"
    return receipt


USDC, WETH, AUSDC = (CORE[AssetId(name)] for name in ("USDC", "WETH", "aUSDC"))
POOL, EXIT = (MAINNET.conversion_column[step] for step in (SWAP, WITHDRAW))

UNFILLABLE: dict[str, tuple[ConversionId, dict[str, tuple[int, object]], TradingReason]] = {
    "the target has a stale price": (SWAP, {"fresh": (WETH, False)}, TradingReason.STALE_PRICE),
    "the source has a stale price": (SWAP, {"fresh": (USDC, False)}, TradingReason.STALE_PRICE),
    "the target has no price": (SWAP, {"ticks": (WETH, 0)}, TradingReason.NO_LIQUIDITY),
    "the source has no price": (SWAP, {"ticks": (USDC, 0)}, TradingReason.NO_LIQUIDITY),
    "the pool is empty": (SWAP, {"depth_usd": (POOL, 0.0)}, TradingReason.NO_LIQUIDITY),
    "nothing can be withdrawn": (WITHDRAW, {"capacity_usd": (EXIT, 0.0)}, TradingReason.NO_LIQUIDITY),
}


@pytest.mark.parametrize("case", UNFILLABLE)
async def test_defect_8_fills_that_never_happened(case: str) -> None:
    step, cells, reason = UNFILLABLE[case]
    receipt = await outcome(step, frame_with(**cells))

    assert isinstance(receipt, NotExecuted)
    assert receipt.reason is reason
    assert receipt.gas_wei == 0


@pytest.mark.parametrize("step", [SWAP, SUPPLY])
async def test_with_price_and_liquidity_the_same_ticket_fills(step: ConversionId) -> None:
    """So the table above can fail."""
    receipt = await outcome(step, frame_with())

    assert isinstance(receipt, Executed)
    assert receipt.quote.value_micro_usd - receipt.quote.fee_micro_usd > 0


async def test_gas_above_the_cap_is_not_sent() -> None:
    receipt = await outcome(SWAP, frame_with(), gas_wei_max=1)

    assert isinstance(receipt, NotExecuted)
    assert receipt.reason is TradingReason.NO_GAS


async def test_a_thin_pool_fills_badly_and_a_short_one_in_part() -> None:
    thin = await outcome(SWAP, frame_with(depth_usd=(POOL, 1_000.0)))
    short = await outcome(SWAP, frame_with(capacity_usd=(POOL, 10.0)))

    assert isinstance(thin, Executed)
    assert isinstance(short, Executed)
    assert thin.quote.impact_micro_usd > thin.quote.value_micro_usd // 3
    assert short.quote.partial
    assert short.quote.value_micro_usd <= 10 * 10**6


@pytest.mark.parametrize("step", [SWAP, SUPPLY])
@pytest.mark.parametrize("depth_usd", [1.0, 1e6, inf])
async def test_no_fill_gives_more_than_its_value(step: ConversionId, depth_usd: float) -> None:
    frame = frame_with(depth_usd=(MAINNET.conversion_column[step], depth_usd))
    receipt = await outcome(step, frame)

    assert isinstance(receipt, Executed)
    quote, target = receipt.quote, MAINNET.by_id[receipt.ticket.conversion.target]
    taken = target.value_micro_usd(quote.taken_units, frame.ticks[MAINNET.column[target.id]])
    assert taken + quote.fee_micro_usd + quote.impact_micro_usd == quote.value_micro_usd
    assert quote.impact_micro_usd >= 0


def test_a_failed_execution_gives_everything_back_and_says_why() -> None:
    async def scene(bench: Bench) -> None:
        await bench.fund(ANN, 1_000)
        before = await bench.owned(ANN)
        assert await bench.turn(0, order_of(ANN, 0, SUPPLY, 10**9)) == (1, 0)
        assert (await bench.turn(1)) == (0, 0)
        (ended,) = bench.rows("trading.order_ended")
        assert ended.body["reason"] == "no_gas"
        assert await bench.owned(ANN) == before
        assert not bench.rows("trading.order_filled")

    check_on_bench(scene, gas_usd=0)


def test_no_event_has_room_for_a_transaction_hash() -> None:
    """A simulated fill says nothing that could pass for a receipt of a chain."""
    assert not [name for name in OrderFilled.__slots__ if "hash" in name or "tx" in name]


def constants(tree: ast.Module) -> list[object]:
    """Return every literal, and the value of powers, shifts and repetitions of literals."""
    found: list[object] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            found.append(node.value)
        elif isinstance(node, ast.BinOp):
            match node:
                case ast.BinOp(ast.Constant(int(a)), ast.Pow(), ast.Constant(int(b))):
                    found.append(a**b)
                case ast.BinOp(ast.Constant(int(a)), ast.LShift(), ast.Constant(int(b))):
                    found.append(a << b)
                case ast.BinOp(ast.Constant(str(text)), ast.Mult(), ast.Constant(int(times))):
                    found.append(text * times)
                case _:
                    pass
    return found


def is_fake(value: object) -> bool:
    """Say whether a literal looks like a transaction hash or an unlimited allowance."""
    if isinstance(value, str):
        text = value.lower().removeprefix("0x")
        return len(text) == 64 and not text.strip("0123456789abcdef") and text != "0" * 64
    return type(value) is int and value >= UNLIMITED


SPEAKS_WITH_CHAINS = (
    "trading/adapters/evm/",
    "market/adapters/evm/",
    "simulation/custody/",
    "faults/chain_desk.py",
)
"""There event topics are hashes and bounds are wide; an allowance of every unit there is, is none of ours."""

LOCAL_WORLD = "simulation/rehearsal/"
"""It allows itself everything, on a node of its own, with the published keys of nobody."""

PLANTED = "faults/mutants_edges.py"
"""It plants one unlimited allowance, to see that it is caught, and nothing else."""


def test_no_made_up_hash_and_no_unlimited_allowance_is_in_the_code() -> None:
    for file in sorted(PACKAGE.rglob("*.py")):
        place = file.relative_to(PACKAGE).as_posix()
        found = constants(ast.parse(file.read_text(encoding="utf-8")))
        if place.startswith(SPEAKS_WITH_CHAINS):
            assert not any(type(value) is int and value >= 2**256 - 1 for value in found), place
        elif not place.startswith(LOCAL_WORLD):
            assert sum(map(is_fake, found)) == (place == PLANTED), place


def test_the_scan_would_find_both() -> None:
    code = "a = 2**256 - 1\nb = '0x' + 'f' * 64\nc = '0xabc'\nd = 1 << 256\ne = '" + "ab" * 32 + "'"
    tree = ast.parse(code)

    assert sum(map(is_fake, constants(tree))) == 4
