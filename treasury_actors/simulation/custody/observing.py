"""`observe`, its reads: an address, its prices, the Safe it may be, and what the arena would do today."""

from dataclasses import dataclass
from pathlib import Path

from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.clock import Clock
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.custody.observation import Observation, observe
from treasury_actors.simulation.custody.prices import read_prices
from treasury_actors.simulation.custody.reading import WalletReading, read_wallet
from treasury_actors.simulation.custody.session import ChosenChain, open_chain
from treasury_actors.simulation.custody.today import Today, history_of, present_alone, wishes_today
from treasury_actors.trading.adapters.evm.safe import read_safe
from treasury_actors.trading.model.safe import SafeRefused, SafeState


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

    Raises ConfigError if the chain isn't the one that is pinned, DataError for a wrong data folder, RpcFault
    where no endpoint answers.
    """
    registry = chosen.registry
    async with open_chain(chosen, clock) as rpc:
        refuse(await check_registry(rpc, registry))
        reading = await read_wallet(rpc, registry, universe, address)
        prices = await read_prices(rpc, registry, universe, reading.block)
        safe = await read_safe(rpc, address, registry.chain_id) if reading.code else None
    if data is None:
        knowledge = present_alone(prices, universe, reading.block)
    else:
        knowledge = history_of(data, universe, reading.block)
    return Seen(
        reading=reading,
        observation=observe(reading, prices, registry, universe),
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
