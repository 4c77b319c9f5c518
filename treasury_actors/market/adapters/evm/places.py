"""
Where a frame is read: which pinned contracts tell of which column of a universe.

Names of the registry: `chainlink:<symbol>/USD`, `uniswap-v3:pool:<asset>` (against the reserve; a pool that
is not pinned by name is found by the pinned `uniswap-v3:factory`), `aave-v3:pool`, `chainlink:sequencer` (on
an L2), `optimism:gas-price-oracle` (what an L2 knows of L1's base fee). A vault is the token of its shares.
What is not pinned is not on this chain: such an asset has no price here, such a conversion no depth.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.ports import Rpc
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.evm.views import View, ask, word
from treasury_actors.market.model.universe import Conversion, Universe

_PIPS_A_BPS = 100
_DECIMALS_MAX = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPlace:
    """A Chainlink proxy and the decimals of its answers."""

    address: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlace:
    """A Uniswap V3 pool and its assets in the order of their addresses."""

    address: str
    asset0: AssetId
    asset1: AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """
    The contracts of a chain by what they tell.

    Attributes:
        tokens: every pinned token of the universe.
        feeds: per asset that is no share; wrapped and native ether have one.
        pools: per pair of assets, both ways.
        aave_pool: None where there is none.
        lent: per aToken, its underlying. `vaults`: per share, its underlying.
        left_out: conversions that can't be made on this chain.
    """

    tokens: dict[AssetId, str]
    feeds: dict[AssetId, FeedPlace]
    pools: dict[tuple[AssetId, AssetId], PoolPlace]
    aave_pool: str | None
    lent: dict[AssetId, AssetId]
    vaults: dict[AssetId, AssetId]
    sequencer: str | None
    l1_gas: str | None
    left_out: tuple[Conversion, ...]


async def find_places(rpc: Rpc, registry: Registry, universe: Universe) -> Places:
    """
    Return where the universe's frames can be read; one batch at the newest block.

    Raises:
        ConfigError: the reserve asset has no token or no feed here, so nothing can be priced.
        RpcFault: the node has no answer.
    """
    pinned = {contract.name: contract.address.lower() for contract in registry.contracts}
    tokens = {
        token.asset: token.address.lower() for token in registry.tokens if token.asset in universe.by_id
    }
    proxies = _proxies(universe, pinned)
    if universe.reserve not in tokens or universe.reserve not in proxies:
        raise ConfigError(
            f"registry of {registry.chain_name}: no token or no feed of {universe.reserve};"
            f" allowed: both, since every price is counted in it"
        )
    decimals = {asset: View(to=proxy, signature="decimals()") for asset, proxy in proxies.items()}
    wanted = _pool_views(universe, tokens, pinned)
    found, _ = await ask(rpc, (*decimals.values(), *wanted.values()), "latest")
    feeds = {
        asset: FeedPlace(address=proxies[asset], decimals=found[view][0])
        for asset, view in decimals.items()
        if view in found and found[view][0] <= _DECIMALS_MAX
    }
    pools = _pinned_pools(universe, tokens, pinned)
    for pair, view in wanted.items():
        if view in found and found[view][0]:
            pools[pair] = _pool(tokens, *pair, address=f"0x{found[view][0]:040x}")
    aave_pool = pinned.get("aave-v3:pool")
    lent = _shares(universe, tokens, ("supply",)) if aave_pool else {}
    vaults = _shares(universe, tokens, ("deposit",))
    return Places(
        tokens=tokens,
        feeds=feeds,
        pools=pools,
        aave_pool=aave_pool,
        lent=lent,
        vaults=vaults,
        sequencer=pinned.get("chainlink:sequencer"),
        l1_gas=pinned.get("optimism:gas-price-oracle"),
        left_out=tuple(step for step in universe.conversions if not _stands(step, pools, lent | vaults)),
    )


def _proxies(universe: Universe, pinned: dict[str, str]) -> dict[AssetId, str]:
    """Return the USD feed of each asset that is no share; what wraps the gas asset has the gas asset's."""
    wrapped = AssetId(f"W{universe.gas}")
    found = {}
    for asset in universe.assets:
        symbol = universe.gas if asset.id == wrapped else asset.id
        proxy = pinned.get(f"chainlink:{symbol}/USD")
        if asset.underlying is None and proxy is not None:
            found[asset.id] = proxy
    return found


def _swapped_pairs(universe: Universe, tokens: dict[AssetId, str]) -> Iterable[Conversion]:
    """Yield one swap of each pair of pinned tokens, the first the universe names."""
    seen: list[tuple[AssetId, AssetId]] = []
    for step in universe.conversions:
        if step.action == "swap" and step.source in tokens and step.target in tokens:
            if _pair(step, tokens) not in seen:
                yield step
            seen.append(_pair(step, tokens))


def _pair(step: Conversion, tokens: dict[AssetId, str]) -> tuple[AssetId, AssetId]:
    """Return the two assets in the order of their addresses, as their pool has them."""
    first, second = sorted((step.source, step.target), key=lambda asset: word(tokens[asset]))
    return first, second


def _pinned_name(step: Conversion, universe: Universe) -> str:
    """Return what the registry calls the pool of a swap against the reserve; no name for another's."""
    if universe.reserve not in (step.source, step.target):
        return ""
    asset = step.source if step.target == universe.reserve else step.target
    return f"uniswap-v3:pool:{asset}"


def _pinned_pools(
    universe: Universe, tokens: dict[AssetId, str], pinned: dict[str, str]
) -> dict[tuple[AssetId, AssetId], PoolPlace]:
    return {
        _pair(step, tokens): _pool(tokens, *_pair(step, tokens), address=address)
        for step in _swapped_pairs(universe, tokens)
        if (address := pinned.get(_pinned_name(step, universe))) is not None
    }


def _pool_views(
    universe: Universe, tokens: dict[AssetId, str], pinned: dict[str, str]
) -> dict[tuple[AssetId, AssetId], View]:
    """Return the questions to the factory after the pools that are not pinned by name."""
    factory = pinned.get("uniswap-v3:factory")
    if factory is None:
        return {}
    return {
        _pair(step, tokens): View(
            to=factory,
            signature="getPool(address,address,uint24)",
            values=(word(tokens[step.source]), word(tokens[step.target]), round(step.fee_bps * _PIPS_A_BPS)),
        )
        for step in _swapped_pairs(universe, tokens)
        if _pinned_name(step, universe) not in pinned
    }


def _pool(tokens: dict[AssetId, str], asset0: AssetId, asset1: AssetId, *, address: str) -> PoolPlace:
    assert word(tokens[asset0]) < word(tokens[asset1]), "a pool has its tokens in the order of addresses"
    return PoolPlace(address=address, asset0=asset0, asset1=asset1)


def _shares(
    universe: Universe, tokens: dict[AssetId, str], actions: tuple[str, ...]
) -> dict[AssetId, AssetId]:
    """Return (share, underlying) of the conversions of a kind whose tokens are both pinned."""
    return {
        step.target: step.source
        for step in universe.conversions
        if step.action in actions and step.source in tokens and step.target in tokens
    }


def _stands(
    step: Conversion,
    pools: dict[tuple[AssetId, AssetId], PoolPlace],
    shares: dict[AssetId, AssetId],
) -> bool:
    """Say whether a conversion has its contracts here."""
    if step.action == "swap":
        return (step.source, step.target) in pools or (step.target, step.source) in pools
    return shares.get(step.target) == step.source or shares.get(step.source) == step.target
