"""One process: the house of `wiring` on a simulated loop, driven frame by frame until it ends or dies."""

from typing import Final, Literal, TypeAlias

import anyio

from treasury_actors.arena.messages import HoldRound, OpenSeason, PlayTurn
from treasury_actors.clock import VirtualClock
from treasury_actors.errors import ActorCrashed, InvariantViolated, JournalFault
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.feed import features_until
from treasury_actors.faults.journal import DiskJournal
from treasury_actors.faults.loop import LoopClock, PowerCut, SimulatedLoop
from treasury_actors.faults.machine import Machine
from treasury_actors.faults.operator import Operator
from treasury_actors.faults.saboteur import Saboteur
from treasury_actors.faults.strikes import Strikes
from treasury_actors.faults.venue import FaultyVenue
from treasury_actors.faults.violation import Violation
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.messages import CloseTurn, OpenTurn, Watch
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.wiring.fold import Fold
from treasury_actors.wiring.house import House, open_house

End: TypeAlias = Literal["finished", "killed", "exited", "restarted"]

ASK_TIMEOUT_S: Final = 3_600.0
TURN_MAX_S: Final = 120.0
"""Virtual seconds a turn may take, pauses of the host aside: four times an agent's deadline."""

_MAILBOX_SIZE: Final = 256
"""Small enough to be filled."""


class Life:
    """One process of a machine, from its start to its end."""

    def __init__(self, machine: Machine) -> None:
        plan, life = machine.plan, machine.lives + 1
        self._machine = machine
        self._loop = SimulatedLoop(
            schedule=plan.schedule, chance=Chance((plan.seed, "schedule", life)), start_s=machine.now_s
        )
        self._jitter = Chance((plan.seed, "jitter", life)) if plan.schedule == "jitter" else None
        self._journal: DiskJournal | None = None
        self._house: House | None = None
        self._strikes = Strikes(machine, self._loop, self._jitter)

    def run(self) -> End:
        """
        Live; return how it ended.

        Raises:
            Violation: a promise was broken, or the process ended in a way nobody planned.
        """
        try:
            return self._loop.run_until_complete(self._main())
        except PowerCut:
            return "killed"
        except Violation:
            raise
        except InvariantViolated as broken:
            if self._strikes.expects is InvariantViolated:
                self._machine.sometimes.reached("second-receipt-refused")
                return "exited"
            raise Violation(str(broken).partition(":")[0], f"the house stopped: {broken}") from broken
        except JournalFault as fault:
            if self._strikes.expects is JournalFault:
                if self._machine.disk.is_full:
                    self._machine.sometimes.reached("disk-was-full")
                return "exited"
            raise Violation("exit", f"a journal that nothing befell: {fault}") from fault
        except BaseException as error:
            raise Violation("exit", f"the process died of {type(error).__name__}: {error}") from error
        finally:
            self._leave()

    def _leave(self) -> None:
        """Cut what lasts off from what is gone, then drop the process."""
        self._strikes.is_gone = True
        if self._journal is not None:
            self._journal.cut()
        self._machine.now_s = self._loop.time()
        self._loop.forget()

    async def _main(self) -> End:
        """Start as every start does, and play to the end."""
        machine, plan = self._machine, self._machine.plan
        events, fold = machine.start()
        self._journal = journal = DiskJournal(machine.disk, events, self._strikes)
        if fold.records.open_orders.at_venue():
            machine.sometimes.reached("orders-sent-again")
        saboteur = Saboteur(
            plan, sometimes=machine.sometimes, jitter=self._jitter, engine=lambda: self._house_now.engine
        )
        try:
            async with open_house(
                rules=machine.rules,
                families=machine.setting.families,
                fold=fold,
                features=self._features(fold.turn),
                journal=journal,
                turn_clock=VirtualClock(events[-1].time_ns if events else 0),
                host_clock=LoopClock(self._loop),
                wrap_agent=saboteur.wrap,
                make_simulated=self._venue,
                mailbox_size=_MAILBOX_SIZE,
            ) as house:
                self._house = house
                ended = await self._play(house, fold, is_open=bool(events))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await journal.abandon()
            raise
        await journal.close()
        return ended

    def _features(self, turn: int) -> Features:
        machine = self._machine
        machine.features = features_until(machine.season, turn, machine.features)
        return machine.features

    async def _play(self, house: House, fold: Fold, *, is_open: bool) -> End:
        """Open the season if it isn't open; play frame after frame."""
        machine, season = self._machine, self._machine.season
        operator = Operator(house, machine)
        if not is_open:
            await self._open_season(house)
        for index in range(fold.turn + 1, season.frame_count):
            machine.whole_seqs[self._journal_now.head[0]] = None
            if index > 0:
                await operator.between(index)
                machine.whole_seqs[self._journal_now.head[0]] = None
            self._strikes.arm(index, operator)
            await self._play_turn(house, season.frame(index))
            machine.turn_ended(index, fold)
            if machine.fire("restart", index) is not None:
                machine.sometimes.reached("restarted-in-order")
                return "restarted"
        return "finished"

    async def _open_season(self, house: House) -> None:
        """Open the season at its first frame; a kill may come within that, too."""
        machine, season = self._machine, self._machine.season
        self._strikes.arm_opening()
        frame = season.frame(0)
        house.clock.advance_to(frame.time_ns)
        message = OpenSeason(
            season=1,
            seed=machine.plan.seed,
            frame=frame,
            label=season.label,
            source=season.source,
            data_hash=season.data_hash,
            config_hash="faults",
            frames=season.frame_count,
            warmup_frames=season.warmup_count,
        )
        await self._ask_arena(house, message)

    async def _play_turn(self, house: House, frame: MarketFrame) -> None:
        """Play one frame as the conductor does, and see that it ends in time."""
        machine = self._machine
        began_s = self._loop.time()
        house.clock.advance_to(frame.time_ns)
        house.features.append(frame)
        try:
            opened = await house.engine.ask(OpenTurn(frame=frame), timeout_s=ASK_TIMEOUT_S)
            watch = Watch(frame=frame, touched=opened.touched)
            watched = await house.guardian.ask(watch, timeout_s=ASK_TIMEOUT_S)
            play = PlayTurn(frame=frame, end=house.features.length, touched=opened.touched, watched=watched)
            await house.arena.ask(play, timeout_s=ASK_TIMEOUT_S)
            await house.engine.ask(CloseTurn(turn=frame.index), timeout_s=ASK_TIMEOUT_S)
        except ActorCrashed as crashed:
            raise house.core.escalation or crashed from crashed
        if frame.index > 0 and frame.index % house.rules.arena.round_turns == 0:
            await self._ask_arena(house, HoldRound(frame=frame))
        machine.whole_seqs[self._journal_now.head[0]] = None
        await house.journal.flush()
        took_s = self._loop.time() - began_s - self._strikes.paused_s
        if took_s > TURN_MAX_S:
            raise Violation("liveness", f"turn {frame.index} took {took_s:g} virtual seconds")

    async def _ask_arena(self, house: House, message: OpenSeason | HoldRound) -> None:
        try:
            await house.arena.ask(message, timeout_s=ASK_TIMEOUT_S)
        except ActorCrashed as crashed:
            raise house.core.escalation or crashed from crashed

    @property
    def _journal_now(self) -> DiskJournal:
        assert self._journal is not None, "a process has a journal once it has started"
        return self._journal

    @property
    def _house_now(self) -> House:
        assert self._house is not None, "agents are fed once the house is open"
        return self._house

    def _venue(self, *, universe: Universe, chain: ChainProfile) -> FaultyVenue:
        """Return this machine's venue, as forgetful as the process."""
        machine = self._machine
        return FaultyVenue(
            universe=universe,
            chain=chain,
            plan=machine.plan,
            sometimes=machine.sometimes,
            says_twice=self._strikes.says_twice,
        )
