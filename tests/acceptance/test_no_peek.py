"""
Nobody knows what is later: other valid data after a frame change nothing up to it, and what follows.

Through the real actors, with rounds, births and deaths: the two journals share every event up to that frame,
hash by hash (the other season keeps the first one's `data_hash`, which fitness keys and the opening quote).
"""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.unit.simulation.houses import SHIPPED, Played, house_rules, play, world
from treasury_actors.agents.model.view import View
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.journal.event import Recorded
from treasury_actors.market.adapters.csv_folder import load_season
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rewrite import with_other_future

DATA = Path(__file__).parents[2] / "../shared/data"
AFTER_FRAMES = 200
RULES = house_rules(population=32, capital_usd=320_000, still=False)
EVERY_FAMILY = pytest.mark.parametrize("family", list(SHIPPED))

Lives = tuple[ColumnSeason, Played, list[tuple[int, Played]]]


async def live(season: ColumnSeason, cuts: tuple[int, ...], after_frames: int) -> Lives:
    """Play a season to its end, and with another future after each of `cuts`."""
    changed = []
    for cut in cuts:
        other = with_other_future(season, after=cut, seed=cut)
        changed.append((cut, await play(other, RULES, frames=cut + after_frames)))
    return season, await play(season, RULES, frames=max(cuts) + after_frames), changed


@pytest.fixture(scope="module")
def generated() -> Lives:
    return anyio.run(live, world(days=45), (250, 860), AFTER_FRAMES)


@pytest.fixture(scope="module")
def real() -> Lives:
    if not DATA.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    start = datetime(2024, 5, 12, tzinfo=UTC)
    season = load_season(DATA, universe=MAINNET, start=start, days=40, warmup_h=2_880)
    return anyio.run(live, season, (400,), AFTER_FRAMES)


def split(played: Played, season: ColumnSeason, cut: int) -> tuple[list[Recorded], list[Recorded]]:
    """Return the events up to the end of frame `cut`, and those of the frames behind it that both lived."""
    cut_ns, end_ns = (season.start_ns + frame * HOUR_NS for frame in (cut, cut + AFTER_FRAMES - 1))
    before = [recorded for recorded in played.events if recorded.time_ns <= cut_ns]
    after = [recorded for recorded in played.events if cut_ns < recorded.time_ns <= end_ns]
    return before, after


def of_family(events: list[Recorded], family: FamilyId) -> list[tuple[str, str]]:
    """Return type and content of the events that tell of agents of a family."""
    return [(event.type, event.payload) for event in events if f"{family}-0" in event.payload]


def check(lives: Lives, family: FamilyId) -> None:
    season, first, changed = lives
    for cut, other in changed:
        before, after = split(first, season, cut)
        other_before, other_after = split(other, season, cut)

        assert of_family(before, family)
        assert of_family(other_before, family) == of_family(before, family)
        assert [event.hash for event in other_before] == [event.hash for event in before]
        assert of_family(other_after, family) != of_family(after, family)


@EVERY_FAMILY
def test_another_future_changes_nothing_before_it_and_what_follows(
    generated: Lives, family: FamilyId
) -> None:
    check(generated, family)


@EVERY_FAMILY
def test_another_future_of_real_data_changes_nothing_before_it_and_what_follows(
    real: Lives, family: FamilyId
) -> None:
    check(real, family)


def test_what_was_compared_is_worth_comparing(generated: Lives) -> None:
    """Every family but idle cash trades before the last cut; agents have been born and have died."""
    season, first, changed = generated
    before, _ = split(first, season, changed[-1][0])
    types = {event.type for event in before}

    assert {"arena.agent_retired.v1", "arena.round_held.v1", "agents.state_recorded.v1"} <= types
    births = [event for event in before if event.type == "arena.agent_born.v1"]
    assert len(births) > RULES.arena.population
    traders = {
        family
        for family in SHIPPED
        if any(kind == "trading.order_filled.v1" for kind, _ in of_family(before, family))
    }
    assert traders == set(SHIPPED) - {"idle_cash"}


def test_a_family_that_peeks_is_caught() -> None:
    """The positive control: this strategy is handed the season itself."""
    leak: list[ColumnSeason] = []
    column = MAINNET.column[AssetId("WETH")]

    def peek(state: tuple[float, ...], view: View, _: tuple[int, ...]) -> tuple[object, list[float]]:
        now, later = leak[-1].frame(view.frame), leak[-1].frame(view.frame + 24)
        rises = later.ticks[column] > now.ticks[column]
        return state, [0.9 if rises else 0.0] + [0.0] * (view.count - 1)

    known = {**SHIPPED, FamilyId("dollar_cost"): replace(SHIPPED[FamilyId("dollar_cost")], decide=peek)}
    rules, season, played = house_rules(population=8, capital_usd=80_000), world(days=8), []
    for lived in (season, with_other_future(season, after=100, seed=1)):
        leak.append(lived)
        played.append(anyio.run(partial(play, lived, rules, known, frames=150)))

    one, other = (split(each, season, 100)[0] for each in played)
    assert any("dollar_cost-0" in event.payload for event in one)
    assert [event.hash for event in one] != [event.hash for event in other]


def test_the_other_future_shares_every_number_up_to_its_frame_and_none_of_the_prices_behind() -> None:
    season = world(days=10, warmup_h=48)
    other = with_other_future(season, after=100, seed=1)

    assert [repr(season.frame(index)) for index in range(-48, 101)] == [
        repr(other.frame(index)) for index in range(-48, 101)
    ]
    pairs = [
        (mine, theirs)
        for index in range(110, season.frame_count)
        for mine, theirs in zip(season.frame(index).ticks, other.frame(index).ticks, strict=True)
    ]
    assert sum(mine == theirs for mine, theirs in pairs) < len(pairs) // 100
