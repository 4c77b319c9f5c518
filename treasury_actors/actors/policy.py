"""When to restart, when to give up, when so many crash that none is to blame. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionPolicy:
    """
    The numbers a supervisor goes by. The defaults are for backtests, where no host clock decides anything.

    Attributes:
        crashes_max: the restart budget: so many crashes within `period_turns` turns, and the child is over
            it.
        period_s: if not None, as many crashes within so many seconds count too.
        backoff_first_s: how long the first restart waits; each further one twice as long, up to
            `backoff_max_s`.
        common_cause_min: so many children must crash in one turn before their cause can be common,
        common_cause_ratio: and more than this part of those living.
        common_cause_period_s: if not None, "in one turn" means within so many seconds.
        patrol_s: how often deadlines are looked at; sooner where a child's deadline is short.
        pause_s: a patrol so many seconds late is reported as `HostPaused`.
        stop_s: how long an orderly stop may take, of one child or of all, before what is left is cancelled.
    """

    crashes_max: int = 5
    period_turns: int = 24
    period_s: float | None = None
    backoff_first_s: float = 0.0
    backoff_max_s: float = 10.0
    common_cause_min: int = 3
    common_cause_ratio: float = 0.2
    common_cause_period_s: float | None = None
    patrol_s: float = 1.0
    pause_s: float = 2.0
    stop_s: float = 8.0

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        assert self.crashes_max >= 1, "crashes_max must be at least 1"
        assert self.period_turns >= 1, "period_turns must be at least 1"
        assert self.common_cause_min >= 1, "common_cause_min must be at least 1"
        assert self.patrol_s > 0, "patrol_s must be positive"

    @classmethod
    def live(cls) -> "SupervisionPolicy":
        """Return the numbers for a live process, where crashes of one minute belong together."""
        return cls(period_s=60.0, backoff_first_s=0.1, common_cause_period_s=60.0)

    def backoff_s(self, name: str, attempt: int) -> float:
        """
        Return how many seconds to wait before restart number `attempt` (1, 2, …) of one child.

        Doubles from `backoff_first_s` to `backoff_max_s`, then takes off up to half, so that children who
        crashed together don't come back together. The part taken off hangs on name and attempt alone.
        """
        assert attempt >= 1, "attempts are counted from 1"
        longest_s = min(self.backoff_first_s * 2.0 ** min(attempt - 1, 60), self.backoff_max_s)
        digest = blake2b(f"{name}/{attempt}".encode(), digest_size=4).digest()
        return longest_s * (1.0 - int.from_bytes(digest, "big") / 2**33)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCrash:
    """A crash in an earlier life of the process; `excused` if it was one of many with a common cause."""

    turn: int
    excused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """
    What one crash means.

    Attributes:
        attempt: how many crashes this child has had within its budget's period, this one included.
        over_budget: it must stay down until `CrashBook.verdict` can be given.
        common_cause: the names to report, in order of their crash; empty unless just found.
    """

    attempt: int
    over_budget: bool
    common_cause: tuple[str, ...]


RECENT_MAX: Final = 10_000
"""So many crashes of one turn are remembered, lest a turn that never ends fill the memory."""


@dataclass(slots=True)
class _Crash:
    name: str
    turn: int
    at_s: float
    excused: bool = False


class CrashBook:
    """
    The crashes that still count, and what follows from them.

    Whether a crash is one of many is known only when its turn (or period) is over. So judging has two steps:
    `note` says whether the child may be restarted now; `verdict`, later, whether one over budget is
    quarantined.
    """

    def __init__(self, policy: SupervisionPolicy) -> None:
        self._policy = policy
        self._of_child: dict[str, deque[_Crash]] = {}
        self._recent: deque[_Crash] = deque(maxlen=RECENT_MAX)

    def note(self, name: str, *, turn: int, at_s: float, living: int) -> Judgement:
        """
        Take in one crash, in order of time.

        It fell in `turn`, at `at_s` seconds on a clock that never goes back; `living` children, the crashed
        one included, are running or restarting.
        """
        crash = _Crash(name, turn, at_s)
        own = self._of_child.setdefault(name, deque())
        own.append(crash)
        while not self._counts(own[0], crash):
            own.popleft()
        self._recent.append(crash)
        while not self._together(self._recent[0], crash):
            self._recent.popleft()
        return Judgement(
            attempt=len(own),
            over_budget=self._exceeds(tuple(own), crash),
            common_cause=self._excuse(living),
        )

    def recall(self, name: str, past: Sequence[PastCrash]) -> bool:
        """
        Take in what a child crashed of before this process began, in order; say whether it is over budget.

        When that was in seconds nobody knows any more: a period in seconds begins anew.
        """
        own = deque(_Crash(name, crash.turn, -inf, crash.excused) for crash in past)
        self._of_child[name] = own
        return bool(own) and self._exceeds(tuple(own), own[-1])

    def verdict(self, name: str) -> Literal["restart", "quarantine"]:
        """Return what becomes of a child over budget, now that the crashes around its last are known."""
        own = self._of_child[name]
        last = own[-1]
        unexcused = tuple(crash for crash in own if not crash.excused)
        if last.excused or not self._exceeds(unexcused, last):
            return "restart"
        return "quarantine"

    def forget(self, name: str) -> None:
        """Drop the crashes of a child that is gone."""
        self._of_child.pop(name, None)

    def _excuse(self, living: int) -> tuple[str, ...]:
        """Excuse the recent crashes if their cause is common; return their names if that is news."""
        names = tuple(dict.fromkeys(crash.name for crash in self._recent))
        policy = self._policy
        if len(names) < policy.common_cause_min or len(names) <= policy.common_cause_ratio * living:
            return ()
        known = any(crash.excused for crash in self._recent)
        for crash in self._recent:
            crash.excused = True
        return () if known else names

    def _exceeds(self, crashes: tuple[_Crash, ...], last: _Crash) -> bool:
        in_turns = sum(self._within_turns(crash, last) for crash in crashes)
        in_seconds = sum(self._within_seconds(crash, last) for crash in crashes)
        return max(in_turns, in_seconds) >= self._policy.crashes_max

    def _counts(self, crash: _Crash, last: _Crash) -> bool:
        return self._within_turns(crash, last) or self._within_seconds(crash, last)

    def _within_turns(self, crash: _Crash, last: _Crash) -> bool:
        return last.turn - crash.turn < self._policy.period_turns

    def _within_seconds(self, crash: _Crash, last: _Crash) -> bool:
        return self._policy.period_s is not None and last.at_s - crash.at_s < self._policy.period_s

    def _together(self, crash: _Crash, last: _Crash) -> bool:
        if self._policy.common_cause_period_s is None:
            return crash.turn == last.turn
        return last.at_s - crash.at_s < self._policy.common_cause_period_s
