"""
A test trade: the smallest whole way of money through a chain and back, before a run begins.

Some dollars of the reserve asset are supplied to Aave and withdrawn again, by the real wallet, with every
check a hop of a run passes: approval, vetting, simulation, durable slots, confirmations. It has a journal of
its own, so it must be over before a run with the same wallet begins: a nonce that a run did not plan would
stop it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.clock import Clock, VirtualClock
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AgentId, ConversionId, OrderId
from treasury_actors.journal.folder import FolderLock
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.frame_checks import judge
from treasury_actors.market.model.universe import Universe
from treasury_actors.settings.rules import ChainRules
from treasury_actors.simulation.backtest import check_empty
from treasury_actors.simulation.custody.session import ChosenChain, open_chain
from treasury_actors.simulation.live.session import CHAIN_LIMITS, LOCAL_LIMITS
from treasury_actors.simulation.live.stage import LiveStage
from treasury_actors.simulation.run import open_journal
from treasury_actors.trading.model.order import order_id
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Ticket
from treasury_actors.trading.wallet_ports import Signer
from treasury_actors.wiring.chain_access import chain_access
from treasury_actors.wiring.fold import Records
from treasury_actors.wiring.house import start_chain

SUPPLY: Final = ConversionId("USDC>aUSDC@aave-v3")
WITHDRAW: Final = ConversionId("aUSDC>USDC@aave-v3")
TRADER: Final = AgentId("test-trade-0001")
LOOKS_MAX: Final = 30
"""So often the chain is looked at for one receipt; each look waits for the blocks that make it count."""

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What went out and what came back, in units of the reserve asset, and the gas of all transactions."""

    supplied_units: int
    withdrawn_units: int
    gas_wei: int


async def perform_test_trade(
    chosen: ChosenChain,
    folder: Path,
    *,
    universe: Universe,
    rules: ChainRules,
    signer: Signer,
    units: int,
    gas_wei_max: int,
    clock: Clock,
    told: Told,
) -> Trial:
    """
    Supply `units` and withdraw them; tell each step.

    Raises:
        ConfigError: what is pinned is not what is there, or a step was refused: its reason by name. What was
            supplied before stays supplied, and the line says so.
        RpcFault: no endpoint answers.
    """
    check_empty(folder)
    with FolderLock(folder) as lock:
        async with (
            open_chain(chosen, clock) as rpc,
            open_journal(lock.folder, clock=clock, durable=True, epoch=lock.epoch) as journal,
            Supervisor(policy=SupervisionPolicy.live(), clock=clock, on_event=lambda _: None) as core,
        ):
            refuse(await check_registry(rpc, chosen.registry))
            told(f"{len(chosen.registry.items)} pinned contracts are what is there")
            access = chain_access(
                universe=universe, registry=chosen.registry, rpc=rpc, signer=signer, rules=rules
            )
            stage = LiveStage(access=access, confirm_blocks=rules.policy.confirm_depth, clock=clock)
            reader = await ChainReader.open(
                rpc, universe=universe, registry=chosen.registry, holder=signer.address
            )
            reading = await reader.read()
            judged = judge(
                reading,
                universe,
                LOCAL_LIMITS if chosen.is_local else CHAIN_LIMITS,
                index=0,
                time_ns=reading.block.time_s * 10**9,
                now_s=reading.block.time_s if chosen.is_local else clock.now_ns() // 10**9,
                before=None,
                known=None,
            )
            frame = judged.frame
            venue = start_chain(
                core,
                stage.chain,
                records=Records.empty(universe),
                journal=journal,
                clock=VirtualClock(frame.time_ns),
            )
            await venue.collect(frame)
            desk = _Desk(universe, frame, gas_wei_max, told)
            await venue.send(desk.ticket(0, SUPPLY, units))
            supplied = desk.filled(await _receipt(venue.collect, frame), "nothing left the wallet")
            await venue.send(desk.ticket(1, WITHDRAW, supplied.quote.taken_units))
            still = f"{supplied.quote.given_units} units stay supplied"
            withdrawn = desk.filled(await _receipt(venue.collect, frame), still)
    return Trial(
        supplied_units=supplied.quote.given_units,
        withdrawn_units=withdrawn.quote.taken_units,
        gas_wei=supplied.gas_wei + withdrawn.gas_wei,
    )


class _Desk:
    """Writes tickets, reads receipts, tells both."""

    def __init__(self, universe: Universe, frame: MarketFrame, gas_wei_max: int, told: Told) -> None:
        self._universe = universe
        self._frame = frame
        self._gas_wei_max = gas_wei_max
        self._told = told

    def ticket(self, number: int, conversion: ConversionId, units: int) -> Ticket:
        """Return the ticket of one of the two hops."""
        step = self._universe.conversion_by_id[conversion]
        self._told(f"{conversion}: {units} units of {step.source}, approval and call")
        name: OrderId = order_id(TRADER, 0, number)
        return Ticket(
            order_id=name,
            agent=TRADER,
            hop=0,
            conversion=step,
            units=units,
            gas_wei_max=self._gas_wei_max,
            reduces=step.reduces,
        )

    def filled(self, receipt: Receipt | None, otherwise: str) -> Executed:
        """Return the fill; raise ConfigError if there was none."""
        if receipt is None:
            raise ConfigError(
                f"test trade: no receipt after {LOOKS_MAX} looks; {otherwise}, as far as is known"
            )
        if isinstance(receipt, NotExecuted):
            raise ConfigError(f"test trade: {receipt.reason}: {receipt.detail}; {otherwise}")
        assert isinstance(receipt, Executed), "nothing was undone that was not done"
        quote = receipt.quote
        self._told(
            f"  counted: gave {quote.given_units}, took {quote.taken_units}, gas {receipt.gas_wei} wei"
        )
        return receipt


async def _receipt(
    collect: Callable[[MarketFrame], Awaitable[list[Receipt]]], frame: MarketFrame
) -> Receipt | None:
    """Return the receipt of the one ticket that is out; None if it doesn't come."""
    for _ in range(LOOKS_MAX):
        for receipt in await collect(frame):
            return receipt
    return None
