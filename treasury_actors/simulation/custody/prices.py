"""
What assets are worth by their oracles, at one block: Chainlink rounds, Aave indices, vaults' share prices.

No pool is asked, and nothing is assumed: an asset whose feed isn't pinned, doesn't answer, or is too old has
no price here, and the reason is kept. A share is its underlying's price times what the protocol says of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from treasury_actors.chain.model import values
from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.model.rpc import Answer, RpcCall, RpcError
from treasury_actors.chain.ports import Rpc
from treasury_actors.errors import Fault
from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.custody.reading import Block, lent_shares, view
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.aave_v3 import INDEX
from treasury_actors.trading.model.ray import RAY

FEED_AGE_MOST_S = 90_000
"""25 h: the slowest of the pinned feeds (stablecoins) reports at least once a day."""

LATEST_ROUND = abi.Function(
    signature="latestRoundData()",
    selector=bytes.fromhex("feaf968c"),
    returns="(uint80,uint256,uint256,uint256,uint80)",
)
FEED_DECIMALS = abi.Function(signature="decimals()", selector=bytes.fromhex("313ce567"), returns="(uint8)")
CONVERT_TO_ASSETS = abi.Function(
    signature="convertToAssets(uint256)", selector=bytes.fromhex("07a2d13a"), returns="(uint256)"
)
RESERVE_DATA = abi.Function(
    signature="getReserveData(address)",
    selector=bytes.fromhex("35ea6a75"),
    returns="(uint256,uint128,uint128)",
)
SEQUENCER = "chainlink:sequencer"
_WRAPPED = {AssetId("WETH"): "ETH"}
_SIGN_BIT = 1 << 255
_DECIMALS_MAX = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """
    What one unit of an asset is worth, or why that isn't known.

    Attributes:
        micro_usd_per_unit: exact; None if unknown. An aToken's unit is a scaled one.
        why_not: one line, empty if known.
        share_price: for a share, its price in its underlying; 1 otherwise.
        rate: the yearly supply rate of an aToken as a fraction; None where none is read.
    """

    micro_usd_per_unit: Fraction | None
    why_not: str = ""
    share_price: Fraction = Fraction(1)
    rate: float | None = None


async def read_prices(rpc: Rpc, registry: Registry, universe: Universe, block: Block) -> dict[AssetId, Price]:
    """Return the price of every pinned token and of the native asset, or why there is none."""
    feeds = await _read_feeds(rpc, registry, universe, block)
    plain = {
        asset: feeds.get(_symbol(asset), _unknown(f"no feed {_feed_name(asset)} is pinned"))
        for asset in [token.asset for token in registry.tokens] + [universe.gas]
    }
    prices = {asset: _per_unit(price, _decimals(asset, registry, universe)) for asset, price in plain.items()}
    lent = {share: asset for share, asset in lent_shares(registry, universe).items() if asset in plain}
    deposited = {
        step.target: step.source
        for step in universe.conversions
        if step.action == "deposit" and step.target in plain and step.source in plain
    }
    prices |= await _lent(rpc, registry, lent, prices, block)
    prices |= await _deposited(rpc, registry, deposited, prices, block)
    return prices


async def _read_feeds(rpc: Rpc, registry: Registry, universe: Universe, block: Block) -> dict[str, Price]:
    """Return the price of a whole token in micro-dollars by feed symbol; unknown for all if an L2 is down."""
    names = [contract.name for contract in registry.contracts]
    symbols = list(dict.fromkeys(_symbol(asset.id) for asset in universe.assets))
    pinned = [symbol for symbol in symbols if f"chainlink:{symbol}/USD" in names]
    at = values.to_quantity(block.number)
    questions: list[RpcCall] = []
    for symbol in pinned:
        feed = registry.contract(f"chainlink:{symbol}/USD").address
        questions += [view(feed, LATEST_ROUND.encode(), at), view(feed, FEED_DECIMALS.encode(), at)]
    if SEQUENCER in names:
        questions.append(view(registry.contract(SEQUENCER).address, LATEST_ROUND.encode(), at))
    answers = await rpc.batch(questions)
    if SEQUENCER in names and (down := _sequencer_down(answers.pop())):
        return dict.fromkeys(pinned, _unknown(down))
    rounds = zip(pinned, answers[::2], answers[1::2], strict=True)
    return {symbol: _round_price(said, decimals, block) for symbol, said, decimals in rounds}


def _round_price(said: Answer, decimals: Answer, block: Block) -> Price:
    """Return what a feed's newest round says of a whole token, in micro-dollars."""
    try:
        _, answer, _, updated_s, _ = LATEST_ROUND.returned(_bytes(said))
        places = FEED_DECIMALS.returned_units(_bytes(decimals))
    except (Fault, ValueError) as problem:
        return _unknown(f"its feed doesn't answer: {problem}")
    assert isinstance(answer, int), "an answer is decoded as a number"
    assert isinstance(updated_s, int), "a time is decoded as a number"
    if not 0 < answer < _SIGN_BIT or places > _DECIMALS_MAX:
        return _unknown("its feed says no price above zero")
    age_s = block.time_s - updated_s
    if not 0 <= age_s <= FEED_AGE_MOST_S:
        return _unknown(f"its feed is {age_s} s old; allowed: {FEED_AGE_MOST_S} s")
    return Price(micro_usd_per_unit=Fraction(answer * 10**6, 10**places))


def _sequencer_down(said: Answer) -> str:
    """Return why no price of an L2 may be believed now; empty while its sequencer is up."""
    try:
        _, answer, _, _, _ = LATEST_ROUND.returned(_bytes(said))
    except (Fault, ValueError) as problem:
        return f"the sequencer's feed doesn't answer: {problem}"
    return "" if answer == 0 else "the sequencer is down"


async def _lent(
    rpc: Rpc,
    registry: Registry,
    lent: Mapping[AssetId, AssetId],
    prices: Mapping[AssetId, Price],
    block: Block,
) -> dict[AssetId, Price]:
    """Return the price of a scaled unit of each aToken, and the rate it earns."""
    if not lent:
        return {}
    pool, at = registry.contract("aave-v3:pool").address, values.to_quantity(block.number)
    tokens = [registry.token(asset).address for asset in lent.values()]
    answers = await rpc.batch(
        [view(pool, function.encode(token), at) for token in tokens for function in (INDEX, RESERVE_DATA)]
    )
    found = {}
    for (share, asset), index, reserve in zip(lent.items(), answers[::2], answers[1::2], strict=True):
        try:
            factor = Fraction(INDEX.returned_units(_bytes(index)), RAY)
            rate_ray = RESERVE_DATA.returned(_bytes(reserve))[2]
        except (Fault, ValueError) as problem:
            found[share] = _unknown(f"the pool doesn't answer: {problem}")
            continue
        assert isinstance(rate_ray, int), "a rate is decoded as a number"
        found[share] = replace(_times(prices[asset], factor), rate=rate_ray / RAY)
    return found


async def _deposited(
    rpc: Rpc,
    registry: Registry,
    deposited: Mapping[AssetId, AssetId],
    prices: Mapping[AssetId, Price],
    block: Block,
) -> dict[AssetId, Price]:
    """Return the price of a unit of each vault's shares, by the vault's own word."""
    at = values.to_quantity(block.number)
    whole = {share: 10 ** registry.token(share).decimals for share in deposited}
    answers: Sequence[Answer] = await rpc.batch(
        [
            view(registry.token(share).address, CONVERT_TO_ASSETS.encode(units), at)
            for share, units in whole.items()
        ]
    )
    found = {}
    for (share, asset), answer in zip(deposited.items(), answers, strict=True):
        try:
            factor = Fraction(CONVERT_TO_ASSETS.returned_units(_bytes(answer)), whole[share])
        except (Fault, ValueError) as problem:
            found[share] = _unknown(f"the vault doesn't answer: {problem}")
            continue
        price = _times(prices[asset], factor)
        scale = Fraction(whole[share], 10 ** registry.token(asset).decimals)
        found[share] = replace(price, share_price=factor * scale)
    return found


def _times(price: Price, factor: Fraction) -> Price:
    """Return the price of a share that is so many units of its underlying."""
    if price.micro_usd_per_unit is None:
        return replace(price, why_not=f"its underlying: {price.why_not}", share_price=factor)
    return Price(micro_usd_per_unit=price.micro_usd_per_unit * factor, share_price=factor)


def _per_unit(price: Price, decimals: int) -> Price:
    """Return the price of a unit from that of a whole token."""
    if price.micro_usd_per_unit is None:
        return price
    return Price(micro_usd_per_unit=price.micro_usd_per_unit / 10**decimals)


def _decimals(asset: AssetId, registry: Registry, universe: Universe) -> int:
    return universe.by_id[asset].decimals if asset == universe.gas else registry.token(asset).decimals


def _symbol(asset: AssetId) -> str:
    """Return what a feed calls an asset."""
    return _WRAPPED.get(asset, asset)


def _feed_name(asset: AssetId) -> str:
    return f"chainlink:{_symbol(asset)}/USD"


def _unknown(why: str) -> Price:
    return Price(micro_usd_per_unit=None, why_not=why)


def _bytes(answer: Answer) -> bytes:
    """Return what a view answered; raise ValueError where it said no."""
    if isinstance(answer, RpcError):
        raise ValueError(answer.message[:80])  # noqa: TRY004 (our one error)
    return values.data(answer, "an answer")
