"""
What the allocator's rules are worth: the same generated seasons through the real actors, one arm a policy.

    python benchmarks/allocation.py [--seeds 1..10] [--days 180] [--jobs 1] [--arms none,copies]

A seed fixes the season, the first agents and every later draw, so arms differ by their policy alone until
they meet other capital. Prints per season growth and the deepest fall of the whole book, at its day closes,
and for every arm the paired difference to the first with its 95% interval, resampled by seed. What was
measured is kept in --out, one line a season; what stands there is not played again.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from treasury_actors.agents.model.fitness import certainty_equivalent
from treasury_actors.agents.model.metrics.drawdown import max_drawdown_of_nav
from treasury_actors.agents.model.metrics.series import mean
from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.model.allocation import PPB, AllocationPolicy
from treasury_actors.clock import WallClock
from treasury_actors.ledger.model import is_contra
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.settings.file import load_settings
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evidence.history import returns_of
from treasury_actors.simulation.evidence.worlds import bootstrap
from treasury_actors.simulation.following import find_season
from treasury_actors.simulation.plan import prepare
from treasury_actors.simulation.run import in_simulated_time, open_journal, play_season
from treasury_actors.trading.model.valuation import nav_micro_usd
from treasury_actors.wiring.house import House

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "simulation.toml"

ARMS: dict[str, dict[str, int]] = {
    "none": {"copy_correlation_ppb": PPB},
    "copies": {"copy_correlation_ppb": PPB * 9 // 10},
}
"""What each arm sets in the policy: nobody is a copy, or agents whose correlation is above 0.9 are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """
    One season.

    Attributes:
        growth: of the book over the season, a fraction.
        utility: its certainty equivalent, growth a year less risk.
        max_drawdown: at day closes.
    """

    arm: str
    seed: int
    days: int
    growth: float
    utility: float
    max_drawdown: float


def play(arm: str, seed: int, days: int) -> Played:
    """Play one season; return what became of its capital."""
    job = prepare(load_settings(CONFIG, {"season": {"seed": seed, "days": days}}), clock=WallClock())
    navs: list[float] = []

    def rules(of_seed: int) -> HouseRules:
        made = job.plan.rules(of_seed)
        policy: AllocationPolicy = replace(made.arena.allocation, **ARMS[arm])
        return replace(made, arena=replace(made.arena, allocation=policy))

    async def after_turn(house: House, season: Season, frame: MarketFrame) -> bool:
        if frame.index % DAY_FRAMES == 0:
            book = house.fold.records.book
            owned = [
                holding
                for account in book.accounts()
                if not is_contra(account)
                for holding in book.balances(account).items()
            ]
            navs.append(float(nav_micro_usd(season.universe, owned, frame)))
        return True

    async def run() -> None:
        plan = in_simulated_time(replace(job.plan, rules=rules))
        with tempfile.TemporaryDirectory() as folder:
            async with open_journal(Path(folder), clock=WallClock(), durable=False, epoch=1) as journal:
                state = find_season(plan, journal, job.season)
                await play_season(
                    plan, state, journal, host_clock=WallClock(), after_turn=after_turn, last_event_ns=0
                )

    anyio.run(run)
    deepest = max_drawdown_of_nav(navs)
    assert deepest is not None, "a season begins with capital"
    return Played(
        arm=arm,
        seed=seed,
        days=days,
        growth=navs[-1] / navs[0] - 1.0,
        utility=certainty_equivalent(returns_of([nav / navs[0] for nav in navs])),
        max_drawdown=deepest,
    )


def known(out: Path) -> list[Played]:
    """Return the seasons that were played before."""
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    return [Played(**json.loads(line)) for line in lines]


def tell(played: Sequence[Played], arms: Sequence[str]) -> None:
    """Print every arm, and its paired differences to the first."""
    by_key = {(each.arm, each.seed): each for each in played}
    base = arms[0]
    for arm in arms:
        seeds = sorted(seed for name, seed in by_key if name == arm and (base, seed) in by_key)
        if not seeds:
            continue
        mine, its = [by_key[arm, seed] for seed in seeds], [by_key[base, seed] for seed in seeds]
        told = [f"{arm:8} {len(seeds)} seeds"]
        for name in ("growth", "utility", "max_drawdown"):
            values = [getattr(each, name) for each in mine]
            gaps = [value - getattr(other, name) for value, other in zip(values, its, strict=True)]
            found = f"{name} {mean(values):+.2%}"
            if arm != base:
                around = bootstrap(gaps, path=f"{arm}/{name}")
                low, high = around["low"] or 0.0, around["high"] or 0.0
                found += f" ({mean(gaps):+.2%} [{low:+.2%}, {high:+.2%}])"
            told.append(found)
        print(", ".join(told))


def main() -> None:
    """Play what is missing, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="1..10")
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--out", type=Path, default=Path("allocation.jsonl"))
    args = parser.parse_args()
    first, _, last = args.seeds.partition("..")
    arms = args.arms.split(",")
    played = [each for each in known(args.out) if each.days == args.days]
    done = {(each.arm, each.seed) for each in played}
    missing = [
        (arm, seed)
        for seed in range(int(first), int(last or first) + 1)
        for arm in arms
        if (arm, seed) not in done
    ]
    with ProcessPoolExecutor(args.jobs) as pool, args.out.open("a", encoding="utf-8") as out:
        for each in pool.map(play, *zip(*((*key, args.days) for key in missing), strict=True)):
            out.write(json.dumps(asdict(each)) + "\n")
            out.flush()
            played.append(each)
            print(
                f"{each.arm:8} seed {each.seed:3}: growth {each.growth:+.2%}, fell {each.max_drawdown:.2%}",
                flush=True,
            )
    tell(played, arms)


if __name__ == "__main__":
    main()
