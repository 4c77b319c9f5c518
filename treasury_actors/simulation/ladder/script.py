"""What the people of a scripted season do: they approve, refuse, forget, and try what must not work."""

from dataclasses import dataclass

from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.promotion import AUTO, Standing
from treasury_actors.arena.model.promotion_checks import PromotionRefused
from treasury_actors.clock import DAY_NS
from treasury_actors.simulation.ladder.people import ScriptedPerson

REJECTED, FORGOTTEN = 2, 3
"""Of all proposals, in order: the second is rejected, the third answered too late."""

_LATE_DAYS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Somebody tried to approve or reject; `refused` names why it did not count, empty if it did."""

    promotion: str
    by: str
    what: str
    day: int
    refused: str


class ScriptedDesk:
    """Plays the people in front of a desk, once a day; nobody, where people are people."""

    def __init__(self, desk: ApprovalDesk, people: tuple[ScriptedPerson, ...]) -> None:
        self._desk = desk
        self._people = people
        self.attempts: list[Attempt] = []

    def __repr__(self) -> str:
        return f"<ScriptedDesk {len(self.attempts)} attempts>"

    def day(self, standings: list[Standing], *, day: int, now_ns: int) -> None:
        """
        Let the people do what they do on this day.

        Args:
            standings: every proposal of the season, oldest first.
        """
        if not self._people:
            return
        for number, standing in enumerate(standings, start=1):
            proposed = standing.proposed
            waited = (now_ns - (proposed.expires_ns - 7 * DAY_NS)) // DAY_NS
            if number == FORGOTTEN and waited == _LATE_DAYS:
                self._approve(standing, self._people[0], day)
            elif standing.is_open and number == REJECTED and waited == 1:
                self._reject(standing, day)
            elif standing.is_open and number not in {REJECTED, FORGOTTEN} and waited in {1, 2}:
                self._sign(standing, first_time=number == 1, place=waited - 1, day=day)

    def _sign(self, standing: Standing, *, first_time: bool, place: int, day: int) -> None:
        """Let one more person approve; the first time, after trying what must not work."""
        if first_time and place == 0:
            self._try_what_must_not_work(standing, day)
        if first_time and place == 1:
            self._approve(standing, self._people[0], day)
        self._approve(standing, self._people[place], day)

    def _try_what_must_not_work(self, standing: Standing, day: int) -> None:
        """Approve by a program, by a stranger, and by one person with another's key."""
        alice, bob = self._people[0], self._people[1]
        proposed = standing.proposed
        self._try(standing, AUTO, alice.sign(proposed), day)
        self._try(standing, "mallory", alice.sign(proposed), day)
        self._try(standing, bob.name, alice.sign(proposed), day)

    def _approve(self, standing: Standing, person: ScriptedPerson, day: int) -> None:
        self._try(standing, person.name, person.sign(standing.proposed), day)

    def _try(self, standing: Standing, by: str, signature: str, day: int) -> None:
        refusal = self._desk.approve(standing.proposed.promotion, by, signature)
        self._note(standing, by, "approve", day, refusal)

    def _reject(self, standing: Standing, day: int) -> None:
        by = self._people[-1].name
        refusal = self._desk.reject(standing.proposed.promotion, by, "wants to see the books first")
        self._note(standing, by, "reject", day, refusal)

    def _note(
        self, standing: Standing, by: str, what: str, day: int, refusal: PromotionRefused | None
    ) -> None:
        self.attempts.append(
            Attempt(
                promotion=standing.proposed.promotion,
                by=by,
                what=what,
                day=day,
                refused="" if refusal is None else refusal.reason.value,
            )
        )
