"""Births, deaths, rounds and restart budgets, followed a second time."""

from collections.abc import Callable
from typing import Final

from treasury_actors.faults.audit_books import BooksAudit, Payload
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.violation import violated

_BUDGET: Final = 5
_BUDGET_TURNS: Final = 24
_INITIAL: Final = ("initial", "carried")


class PeopleAudit:
    """
    Who lives, who crashed when, and what rounds did.

    Args:
        is_planned: says whether a crash of an agent in a turn was planned; None: every one may be.

    Attributes:
        life: `living`, `frozen`, `closing` or `closed`, by agent, in the order of births.
        rounds: how many were held.
    """

    def __init__(
        self,
        books: BooksAudit,
        sometimes: Sometimes | None,
        *,
        round_turns: int,
        is_planned: Callable[[str, int, str], bool],
    ) -> None:
        self.life: dict[str, str] = {}
        self.rounds: list[int] = []
        self.quarantined: dict[str, int] = {}
        self.retired_at: dict[str, int] = {}
        self.last_state: dict[str, int] = {}
        self._books = books
        self.sometimes = sometimes
        self._round_turns = round_turns
        self._is_planned = is_planned
        self._crashes: dict[str, list[int]] = {}
        self._common: dict[int, None] = {}
        self._born: dict[str, int] = {}
        self._judged: dict[str, int] = {}

    def living(self) -> list[str]:
        """Return who lives, in the order of births."""
        return [agent for agent, life in self.life.items() if life == "living"]

    def born(self, event: Payload) -> None:
        """Take in a birth."""
        agent = event["agent"]
        if agent in self.life or event["number"] != len(self.life) + 1:
            violated("lineage", f"birth {event['number']} of {agent} after {len(self.life)} births")
        self.life[agent] = "living"
        self._born[agent] = event["turn"]
        if event["operator"] not in _INITIAL:
            self._count("agent-born-later")

    def frozen(self, event: Payload) -> None:
        """Take in that an agent is down for good and keeps what it has: only one in quarantine."""
        agent = event["agent"]
        if agent not in self.quarantined:
            violated("budget", f"{agent} was frozen and is not quarantined")
        self._step(agent, "living", "frozen")
        self._count("agent-frozen")

    def retired(self, event: Payload) -> None:
        """Take in that an agent decides no more."""
        before = "frozen" if self.life.get(event["agent"]) == "frozen" else "living"
        self._step(event["agent"], before, "closing")
        self.retired_at[event["agent"]] = event["turn"]
        self._count("agent-retired")

    def closed(self, event: Payload) -> None:
        """Take in that an agent's capital is home: it has nothing left."""
        agent = event["agent"]
        self._step(agent, "closing", "closed")
        left = {**self._books.of(f"agent:{agent}:available"), **self._books.of(f"agent:{agent}:held")}
        if left:
            violated("I2", f"{agent} was closed with {left}")
        self._count("agent-closed")

    def state_recorded(self, event: Payload, turn: int) -> None:
        """Take in what an agent remembers: only the living decide, and each turn once."""
        agent = event["agent"]
        if self.life.get(agent) != "living":
            violated("I14", f"{agent} decided on turn {turn}, but is {self.life.get(agent)}")
        if event["turn"] != turn or self.last_state.get(agent, -1) >= turn:
            violated("I12", f"{agent} decided on turn {event['turn']} in turn {turn}, or twice")
        self.last_state[agent] = turn

    def crashed(self, event: Payload, turn: int) -> None:
        """Take in a crash; one that nobody planned is a bug, or a fault that spread (I12)."""
        agent, cause = event["agent"], event["cause"]
        if event["turn"] != turn or not self._is_planned(agent, turn, cause):
            violated(
                "I12", f"{agent} crashed in turn {turn} ({event['turn']}), which was not planned: {cause}"
            )
        self._crashes.setdefault(agent, []).append(turn)
        self._count("agent-crashed")
        if "DeadlinePassed" in cause:
            self._count("agent-hung")

    def common_cause(self, event: Payload) -> None:
        """Take in that the crashes of a turn are nobody's fault."""
        self._common[event["turn"]] = None
        self._count("common-cause-found")

    def put_away(self, event: Payload) -> None:
        """Take in a quarantine: only of one over its budget."""
        agent = event["agent"]
        if len(self._crashes.get(agent, ())) < _BUDGET:
            violated("budget", f"{agent} was quarantined after {self._crashes.get(agent)}")
        self.quarantined[agent] = event["turn"]
        self._count("agent-quarantined")

    def fitness(self, event: Payload) -> None:
        """Take in a fitness."""
        self._judged[event["agent"]] = event["turn"]

    def round_held(self, event: Payload, turn: int) -> None:
        """Take in a round: everybody was judged before it, from the record as it is now (I16)."""
        if event["turn"] != turn or turn % self._round_turns or event["number"] != len(self.rounds) + 1:
            violated("rounds", f"round {event['number']} in turn {turn} after {self.rounds}")
        for agent in self.living():
            if self._born[agent] < turn and self._judged.get(agent) != turn:
                violated("I16", f"{agent} went through round {event['number']} without a fitness of it")
        self.rounds.append(turn)
        self._count("round-held")
        if int(event["due_units"]):
            self._count("capital-asked-back")

    def withdrawal(self, kind: str) -> None:
        """Count what became of a withdrawal that mandates were cut for."""
        if kind == "arena.withdrawal_executed":
            self._count("recall-home")
        if kind == "arena.withdrawal_extended":
            self._count("recall-extended")

    def refused(self) -> None:
        """Count an allotment that the pool couldn't pay."""
        self._count("capital-refused")

    def turn_ended(self, turn: int) -> None:
        """Hold everyone to the restart budget, and the quarantined to their fate."""
        for agent, turns in self._crashes.items():
            own = [then for then in turns if then not in self._common and turn - then < _BUDGET_TURNS]
            if len(own) > _BUDGET:
                violated("budget", f"{agent} crashed {len(own)} times in {_BUDGET_TURNS} turns: {own}")
        for agent, since in self.quarantined.items():
            if self.life[agent] == "living" and turn > since + 1:
                violated("budget", f"{agent} is quarantined since turn {since} and was not put away")

    def _step(self, agent: str, before: str, after: str) -> None:
        if self.life.get(agent) != before:
            violated("lineage", f"{agent} goes from {self.life.get(agent)} to {after}")
        self.life[agent] = after

    def _count(self, state: str) -> None:
        if self.sometimes is not None:
            self.sometimes.reached(state)
