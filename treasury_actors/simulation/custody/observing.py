"""`observe`, its reads: an address, its prices, the Safe it may be, and what the arena would do today."""

from dataclasses import dataclass
from pathlib import Path

from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.clock import Clock
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.model.frame_checks import judge
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.custody.observation import OBSERVE_LIMITS, Observation, observe
from treasury_actors.simulation.custody.reading import WalletReading, read_wallet
from treasury_actors.simulation.custody.session import ChosenChain, open_chain
from treasury_actors.simulation.custody.today import Today, history_of, present_alone, wishes_today
from treasury_actors.trading.adapters.evm.safe import read_safe
from treasury_actors.trading.model.safe import SafeRefused, SafeState

_NS_A_SECOND = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    All that `observe` found.

    Attributes:
        kind: what the address is, in words.
        safe: if it is a Safe this house deals with.
    """

    reading: WalletReading
    observation: Observation
    kind: str
    safe: SafeState | None
    today: Today


async def observe_address(
    chosen: ChosenChain, universe: Universe, address: str, data: Path | None, clock: Clock
) -> Seen:
    """
    Read an address, what it is worth, and what the arena would do today.

    Raises ConfigError if the chain isn't the one that is pinned or doesn't price the reserve asset, DataError
    for a wrong data folder, RpcFault where no endpoint answers.
    """
    registry = chosen.registry
    async with open_chain(chosen, clock) as rpc:
        refuse(await check_registry(rpc, registry))
        reader = await ChainReader.open(rpc, universe=universe, registry=registry)
        market = await reader.read()
        reading = await read_wallet(rpc, registry, universe, address, market.block)
        safe = await read_safe(rpc, address, registry.chain_id) if reading.code else None
    time_s = market.block.time_s
    live = judge(
        market,
        universe,
        OBSERVE_LIMITS,
        index=0,
        time_ns=time_s * _NS_A_SECOND,
        now_s=time_s if chosen.is_local else clock.now_ns() // _NS_A_SECOND,
        before=None,
        known=None,
    )
    knowledge = present_alone(live, universe) if data is None else history_of(data, universe, time_s)
    return Seen(
        reading=reading,
        observation=observe(reading, live, reader.absent, registry, universe),
        kind=_kind(safe),
        safe=safe if isinstance(safe, SafeState) else None,
        today=wishes_today(knowledge, universe),
    )


def _kind(safe: SafeState | SafeRefused | None) -> str:
    """Say what an address is; None stands for one without code."""
    match safe:
        case None:
            return "a plain wallet"
        case SafeState():
            return f"a {safe.kind} {safe.version}, {safe.threshold} of {len(safe.owners)} must sign"
        case SafeRefused():
            return f"a contract, no Safe that is known here: {safe.detail}"
