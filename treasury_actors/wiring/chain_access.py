"""What a house needs of one chain to trade on it: contracts, limits, a key, a node. Made from a registry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID, Registry
from treasury_actors.chain.ports import Rpc
from treasury_actors.ids import AssetId, VenueId
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.settings.rules import ChainRules
from treasury_actors.trading.adapters.evm import aave_v3, erc20, erc4626
from treasury_actors.trading.adapters.evm.aave_v3 import AaveV3
from treasury_actors.trading.adapters.evm.abi import Function
from treasury_actors.trading.adapters.evm.data_fee import DataFee
from treasury_actors.trading.adapters.evm.erc4626 import Erc4626, VaultAddresses
from treasury_actors.trading.adapters.evm.node import ChainNode
from treasury_actors.trading.adapters.evm.placing import ChainDesk
from treasury_actors.trading.adapters.evm.protocol import DefiProtocol
from treasury_actors.trading.adapters.evm.reads import RpcReads
from treasury_actors.trading.adapters.evm.uniswap_routers import Router, SwapRouter, SwapRouter02
from treasury_actors.trading.adapters.evm.uniswap_v3 import SwapRoute, UniswapV3
from treasury_actors.trading.adapters.evm.vetting import allowed_calls
from treasury_actors.trading.model.chain_limits import ChainLimits
from treasury_actors.trading.model.slot_acts import WalletPolicy
from treasury_actors.trading.wallet_ports import Signer, WalletNode

UNISWAP, AAVE = VenueId("uniswap-v3"), VenueId("aave-v3")
ROUTER, POOL = "uniswap-v3:router", "aave-v3:pool"
DATA_FEE_ORACLE = "optimism:gas-price-oracle"
_PPM_PER_BPS = 100
_FUNCTIONS: Mapping[str, tuple[Function, ...]] = {
    "supply": (aave_v3.SUPPLY,),
    "withdraw": (aave_v3.WITHDRAW,),
    "deposit": (erc4626.DEPOSIT,),
    "redeem": (erc4626.REDEEM,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainAccess:
    """One chain, ready to be traded on by one key."""

    desk: ChainDesk
    policy: WalletPolicy
    signer: Signer
    node: WalletNode


def chain_access(
    *, universe: Universe, registry: Registry, rpc: Rpc, signer: Signer, rules: ChainRules
) -> ChainAccess:
    """
    Return what it takes to trade the universe's conversions that have pinned contracts on a chain.

    The rest of the universe is refused by the venue, by name. Raises ConfigError for a registry that lacks a
    contract a pinned token needs.
    """
    reads = RpcReads(rpc)
    tokens = {token.asset: token.address for token in registry.tokens}
    steps = [step for step in universe.conversions if step.source in tokens and step.target in tokens]
    router: Router = SwapRouter() if registry.chain_id == LOCAL_CHAIN_ID else SwapRouter02()
    protocols: dict[VenueId, DefiProtocol] = {
        UNISWAP: _uniswap(registry, reads, steps, tokens, router),
        AAVE: _aave(registry, reads, steps, tokens),
    }
    for step in steps:
        if step.action == "deposit":
            vault = VaultAddresses(
                share=step.target, vault=tokens[step.target], asset=step.source, token=tokens[step.source]
            )
            protocols[step.venue] = Erc4626(reads=reads, addresses=vault)
    limits = ChainLimits(
        chain_id=registry.chain_id,
        account=signer.address.lower(),
        calls=allowed_calls(_calls(registry, steps, tokens, router)),
        spenders=tuple(dict.fromkeys(_spender(registry, step, tokens).lower() for step in steps)),
        mandate_micro_usd_min=rules.mandate_micro_usd_min,
        impact_bps_max=rules.impact_bps_max,
        depth_bps_max=rules.depth_bps_max,
        deadline_s_max=rules.deadline_s,
    )
    desk = ChainDesk(
        universe=universe,
        reads=reads,
        protocols=protocols,
        tokens=tokens,
        limits=limits,
        fees=rules.policy.fees,
        data_fee=_data_fee(registry, reads),
    )
    return ChainAccess(desk=desk, policy=rules.policy, signer=signer, node=ChainNode(rpc))


def _data_fee(registry: Registry, reads: RpcReads) -> DataFee | None:
    """Return what asks for an L2's data fee, where its oracle is pinned."""
    oracles = [pinned.address for pinned in registry.contracts if pinned.name == DATA_FEE_ORACLE]
    return DataFee(reads=reads, oracle=oracles[0]) if oracles else None


def _uniswap(
    registry: Registry,
    reads: RpcReads,
    steps: Sequence[Conversion],
    tokens: Mapping[AssetId, str],
    router: Router,
) -> UniswapV3:
    """Return the swaps of the universe, each through the one pool of its fee."""
    swaps = [step for step in steps if step.venue == UNISWAP]
    return UniswapV3(
        reads=reads,
        router=registry.contract(ROUTER).address,
        form=router,
        quoter=registry.contract("uniswap-v3:quoter").address,
        tokens={asset: tokens[asset] for step in swaps for asset in (step.source, step.target)},
        routes={
            step.id: SwapRoute(
                assets=(step.source, step.target), fees_ppm=(round(step.fee_bps * _PPM_PER_BPS),)
            )
            for step in swaps
        },
    )


def _aave(
    registry: Registry, reads: RpcReads, steps: Sequence[Conversion], tokens: Mapping[AssetId, str]
) -> AaveV3:
    """Return the reserves of the universe."""
    supplies = [step for step in steps if step.venue == AAVE and step.action == "supply"]
    return AaveV3(
        reads=reads,
        pool=registry.contract(POOL).address,
        underlyings={step.source: tokens[step.source] for step in supplies},
        shares={step.target: tokens[step.target] for step in supplies},
        share_of={step.source: step.target for step in supplies},
    )


def _spender(registry: Registry, step: Conversion, tokens: Mapping[AssetId, str]) -> str:
    """Return who takes the source of a conversion, or would: nobody else may ever be allowed to."""
    if step.venue in {UNISWAP, AAVE}:
        return registry.contract(ROUTER if step.venue == UNISWAP else POOL).address
    return tokens[step.target if step.action == "deposit" else step.source]


def _calls(
    registry: Registry, steps: Sequence[Conversion], tokens: Mapping[AssetId, str], router: Router
) -> list[tuple[str, bytes]]:
    """Return every (contract, selector) that may be signed for: what the conversions need, and no more."""
    calls: list[tuple[str, bytes]] = []
    for step in steps:
        spender = _spender(registry, step, tokens)
        functions = router.functions if step.venue == UNISWAP else _FUNCTIONS[step.action]
        calls += [(spender, function.selector) for function in functions]
        if step.action in {"swap", "supply", "deposit"}:
            calls.append((tokens[step.source], erc20.APPROVE.selector))
    return calls
