"""Known-bad changes of the actor runtime, the agents, the arena and the start; and of determinism itself."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from treasury_actors.actors import ref
from treasury_actors.actors.cell import Cell
from treasury_actors.actors.dead_letters import DeadLetters
from treasury_actors.actors.events import ChildQuarantined, SupervisionEvent
from treasury_actors.actors.guard import is_cancellation
from treasury_actors.actors.mailbox import Mailbox
from treasury_actors.actors.patrol import RunningTime
from treasury_actors.actors.policy import CrashBook, Judgement, PastCrash
from treasury_actors.agents.agent import Agent
from treasury_actors.arena.arena import Arena
from treasury_actors.arena.capital import Capital
from treasury_actors.arena.gate import TurnGate
from treasury_actors.arena.model.events import AgentBorn, AgentFrozen, AgentRetired, FitnessRecorded
from treasury_actors.arena.rounds import Rounds
from treasury_actors.clock import WallClock
from treasury_actors.evolution.model.chance import Chance, SeedPath
from treasury_actors.faults.planting import Change, known_bad
from treasury_actors.ids import AccountId, AgentId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.model.mandate import MandateStatus
from treasury_actors.trading.model.open_orders import OpenOrders
from treasury_actors.wiring import courses
from treasury_actors.wiring.courses import Courses
from treasury_actors.wiring.fold import Fold, Records

_FROZEN = "tests/acceptance/test_frozen_mandates.py"


@known_bad("mailbox-unbounded", "A mailbox takes in whatever comes")
def _mailbox_unbounded() -> Iterator[Change]:
    init = Mailbox.__init__

    def roomy(
        self: Mailbox, name: str, *, accepts: tuple[type, ...], size: int, dead_letters: DeadLetters
    ) -> None:
        init(self, name, accepts=accepts, size=size, dead_letters=dead_letters)
        self.room = 10**9

    yield Mailbox, "__init__", roomy


@known_bad("restart-without-limit", "An agent that crashes at every turn is started again at every turn")
def _restart_without_limit() -> Iterator[Change]:
    note = CrashBook.note

    def patient(self: CrashBook, name: str, *, turn: int, at_s: float, living: int) -> Judgement:
        judged = note(self, name, turn=turn, at_s=at_s, living=living)
        return Judgement(attempt=judged.attempt, over_budget=False, common_cause=judged.common_cause)

    yield CrashBook, "note", patient


@known_bad("crashes-forgotten-at-start", "A restart budget begins anew with every process")
def _crashes_forgotten_at_start() -> Iterator[Change]:
    def forgetful(_: CrashBook, __: str, ___: tuple[PastCrash, ...]) -> bool:
        return False

    yield CrashBook, "recall", forgetful


@known_bad("freeze-forgotten-at-start", "A start wakes an agent that was put away with money in its hands")
def _freeze_forgotten_at_start() -> Iterator[Change]:
    apply = Records.apply

    def forgetful(self: Records, event: object) -> None:
        if not isinstance(event, AgentFrozen):
            apply(self, event)

    yield Records, "apply", forgetful


@known_bad("standby-counts-a-turn-too-early", "Who stands by takes the turn that is under way for over")
def _standby_counts_a_turn_too_early() -> Iterator[Change]:
    def hasty(self: Fold) -> None:
        if self.turn >= 0:
            self.mark_up_to(self.turn)

    yield Fold, "settle", hasty


@known_bad(
    "reverts-cost-nothing-in-a-fold", "Frames before a revert are valued as if its gas were spent by then"
)
def _reverts_cost_nothing_in_a_fold() -> Iterator[Change]:
    yield courses, "_KEEP_WHAT_IS_OWNED", frozenset({"hold", "release"})


@known_bad(
    "newborn-has-a-day-in-a-fold", "Who is born at the close of a day has lived through it, after a start"
)
def _newborn_has_a_day_in_a_fold() -> Iterator[Change]:
    after = Courses.after

    def generous(self: Courses, event: object, turn: int) -> None:
        after(self, event, turn)
        if isinstance(event, AgentBorn):
            self._unmarked[event.agent] = self.due + 1

    yield Courses, "after", generous


@known_bad(
    "quarantine-sells-with-real-money",
    "An agent that crashes too often is sold, though its money is real and nobody asked",
    harness="tests",
    tests=(f"{_FROZEN}::test_with_real_money_quarantine_freezes_a_mandate_and_sells_nothing",),
)
def _quarantine_sells_with_real_money() -> Iterator[Change]:
    silence = vars(Arena)["_silence"]

    async def eager(
        self: Arena, event: AgentRetired | AgentFrozen, status: MandateStatus, *, why: str
    ) -> None:
        if isinstance(event, AgentFrozen):
            event, status = AgentRetired(agent=event.agent, turn=event.turn, reason=event.reason), "closing"
        await silence(self, event, status, why=why)

    yield Arena, "_silence", eager


@known_bad(
    "base-exception-swallowed", "The guard around an actor catches `Exception` and thinks that is everything"
)
def _base_exception_swallowed() -> Iterator[Change]:
    async def thin(self: Cell[Any], on_up: Callable[[], None]) -> BaseException | None:
        try:
            await self._serve(on_up)
        except Exception as error:  # noqa: BLE001 - likewise
            return error
        except BaseException as error:
            if is_cancellation(error):
                return None
            raise
        return None

    yield Cell, "live", thin


@known_bad("pause-counts-as-waiting", "An ask that waited while the host stood still has timed out")
def _pause_counts_as_waiting() -> Iterator[Change]:
    yield ref, "SLICE_S", 1e9
    yield ref, "LATE_S", 1e9


@known_bad("pause-counts-as-work", "A message that was in hand while the host stood still is overdue")
def _pause_counts_as_work() -> Iterator[Change]:
    def unforgiving(self: RunningTime, now_s: float, *, slept_s: float) -> float:
        late_s = max(0.0, now_s - self._last_s - slept_s)
        self._last_s = now_s
        return late_s

    yield RunningTime, "woke", unforgiving


@known_bad("crash-is-no-answer", "A turn waits for an agent that has crashed")
def _crash_is_no_answer() -> Iterator[Change]:
    def deaf(_: TurnGate, __: AgentId) -> None:
        pass

    yield TurnGate, "down", deaf


@known_bad("crash-spreads", "A crash ends the turn for all who have not answered yet")
def _crash_spreads() -> Iterator[Change]:
    def infectious(self: TurnGate, agent: AgentId) -> None:
        del agent
        self._waiting.clear()
        self._opened.set()

    yield TurnGate, "down", infectious


@known_bad("state-forgotten-at-restart", "An agent that is started again has forgotten what it knew")
def _state_forgotten_at_restart() -> Iterator[Change]:
    init = Agent.__init__

    def newborn(self: Agent, **given: Any) -> None:  # noqa: ANN401 - handed on
        init(self, **{**given, "last_record": None})

    yield Agent, "__init__", newborn


@known_bad("quarantined-keeps-its-capital", "An agent that stays down keeps what it has")
def _quarantined_keeps_its_capital() -> Iterator[Change]:
    heard = Arena.heard

    def heartless(self: Arena, event: SupervisionEvent) -> None:
        heard(self, event)
        if isinstance(event, ChildQuarantined):
            self._down.clear()

    yield Arena, "heard", heartless


@known_bad("capital-left-behind", "An agent is closed, and its capital stays in its accounts")
def _capital_left_behind() -> Iterator[Change]:
    async def idle(_: Capital, __: AgentId, ___: MarketFrame) -> int:
        return 0

    yield Capital, "bring_home", idle


@known_bad("fitness-not-recorded", "A round allots by figures that no journal has")
def _fitness_not_recorded() -> Iterator[Change]:
    record = Arena.record

    def silent(self: Arena, event: object, *, why: str = "") -> None:
        if not isinstance(event, FitnessRecorded):
            record(self, event, why=why)

    yield Arena, "record", silent


@known_bad("pool-overspent", "A round pays what it wants, not what the pool has")
def _pool_overspent() -> Iterator[Change]:
    units = Capital.pool_units
    pay: Callable[..., Awaitable[int]] = vars(Rounds)["_pay"]

    async def dreaming(self: Capital, account: AccountId | None = None) -> int:
        return 1_000 * await units(self, account)

    async def spend(self: Rounds, *given: Any) -> int:  # noqa: ANN401 - handed on
        Capital.pool_units = dreaming  # type: ignore[method-assign]
        try:
            return await pay(self, *given)
        finally:
            Capital.pool_units = units  # type: ignore[method-assign]

    yield Rounds, "_pay", spend


@known_bad(
    "marks-forgotten-at-start",
    "A start does not know how far each mandate has fallen, nor any agent's record",
)
def _marks_forgotten_at_start() -> Iterator[Change]:
    def blind(self: Courses, agent: AgentId) -> None:
        del self, agent

    yield Courses, "catch_up", blind


@known_bad("order-of-a-set", "Orders are released in the order a set has them", harness="replay")
def _order_of_a_set() -> Iterator[Change]:
    def hashed(self: OpenOrders) -> list[AgentId]:
        return [*frozenset(self._queues)]

    yield OpenOrders, "waiting_agents", hashed


@known_bad(
    "seed-from-hash",
    "Chance is seeded with `hash()`, which differs from process to process",
    harness="replay",
)
def _seed_from_hash() -> Iterator[Change]:
    init = Chance.__init__

    def fickle(self: Chance, path: SeedPath) -> None:
        init(self, (*path, hash("seed")))

    yield Chance, "__init__", fickle


@known_bad("seed-from-time", "Chance is seeded with the time of day", harness="replay")
def _seed_from_time() -> Iterator[Change]:
    init = Chance.__init__
    clock = WallClock()

    def fickle(self: Chance, path: SeedPath) -> None:
        init(self, (*path, clock.now_ns()))

    yield Chance, "__init__", fickle
