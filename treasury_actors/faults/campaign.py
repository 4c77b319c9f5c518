"""Many seeds, one after the other: what broke, what was reached, what struck, and one hash of it all."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from treasury_actors.faults.jobs import deal
from treasury_actors.faults.kinds import KINDS
from treasury_actors.faults.machine import Setting
from treasury_actors.faults.plan import Narrowing, Plan, draw_plan
from treasury_actors.faults.seed import SeedResult, play
from treasury_actors.faults.shrink import Shrunk, shrink
from treasury_actors.faults.sometimes import REQUIRED_FROM_SEEDS, Sometimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A seed that broke a promise, and the smallest part of it that still does."""

    seed: int
    invariant: str
    detail: str
    command: str
    shrunk: Shrunk | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """
    What seeds were played and what came of it.

    Attributes:
        only: kinds of faults that were asked for; empty: all.
    """

    seeds: int
    broken: tuple[Broken, ...]
    sometimes: dict[str, int]
    faults: dict[str, int]
    never_reached: tuple[str, ...]
    with_faults: int
    events: int
    lives: int
    trace_hash: str
    only: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no promise was broken, and a long campaign left no state out."""
        complete = self.seeds < REQUIRED_FROM_SEEDS or bool(self.only) or not self.never_reached
        return not self.broken and complete


def run_campaign(
    seeds: Sequence[int],
    setting: Setting,
    *,
    narrowing: Narrowing = Narrowing(),  # noqa: B008 - an immutable value
    agents: int | None = None,
    jobs: int = 1,
    shrinks: bool = True,
    shrinks_max: int = 3,
    heard: Callable[[SeedResult], bool] = lambda _: True,
    command_tail: str = "",
) -> Campaign:
    """
    Play seeds in order.

    Args:
        narrowing: what of each plan is kept.
        agents: size of the population; None: drawn.
        jobs: how many processes share the work.
        shrinks: make failing seeds smaller; only the first `shrinks_max` of them.
        heard: called with every result, as it comes; false ends the campaign.
        command_tail: options that a command to play a seed again must repeat.
    """
    sometimes = Sometimes()
    faults: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    trace = blake2b(digest_size=16)
    broken: list[Broken] = []
    count = with_faults = events = lives = 0

    def play_one(seed: int) -> SeedResult:
        return play(narrowing.of(draw_plan(seed, only=narrowing.only, agents=agents)), setting)

    for result in deal(seeds, jobs, play_one):
        goes_on = heard(result)
        count += 1
        events += result.events
        lives += result.lives
        with_faults += bool(result.injected)
        sometimes.add(result.sometimes)
        faults.update(result.injected)
        trace.update(result.trace_hash.encode())
        if result.violation is not None:
            small = shrink(result, setting) if shrinks and len(broken) < shrinks_max else None
            broken.append(_broken(result, small, narrowing, command_tail))
        if not goes_on:
            break
    return Campaign(
        seeds=count,
        broken=tuple(broken),
        sometimes=sometimes.counts(),
        faults=dict(faults),
        never_reached=sometimes.never_reached(),
        with_faults=with_faults,
        events=events,
        lives=lives,
        trace_hash=trace.hexdigest(),
        only=tuple(sorted(narrowing.only or ())),
    )


def _broken(result: SeedResult, small: Shrunk | None, narrowing: Narrowing, tail: str) -> Broken:
    assert result.violation is not None, "only a broken seed is reported"
    seed = result.plan.seed
    if small is None:
        options = _options(narrowing)
    else:
        options = _options(
            Narrowing(
                only=frozenset(small.plan.kinds),
                schedule=small.plan.schedule,
                turns=small.plan.turns,
            ),
            small.plan,
        )
    return Broken(
        seed=seed,
        invariant=result.violation.invariant,
        detail=result.violation.detail,
        command=f"python run.py faults --seeds {seed}..{seed}{options}{tail}",
        shrunk=small,
    )


def _options(narrowing: Narrowing, plan: Plan | None = None) -> str:
    """Return what a command line needs to play the same again."""
    parts = []
    if narrowing.only is not None:
        parts += [f" --only {','.join(sorted(narrowing.only)) or 'none'}"]
    if narrowing.schedule is not None:
        parts += [f" --mode {narrowing.schedule}"]
    if narrowing.turns is not None and (plan is None or plan.turns == narrowing.turns):
        parts += [f" --turns {narrowing.turns}"]
    return "".join(parts)
