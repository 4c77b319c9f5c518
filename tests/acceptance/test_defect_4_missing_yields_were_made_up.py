"""Defect 4 of the earlier attempt: when a source failed, an APY of 7% +- 15% was made up and kept as data."""

from functools import cache
from math import isnan, nan

import pytest

from tests.acceptance.houses import (
    CORE,
    ROUND_FRAMES,
    Lived,
    Sums,
    changed,
    live,
    market,
    nav_micro_usd,
    rules_for,
)
from treasury_actors.agents.model.view import View
from treasury_actors.ids import AssetId
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.season import ColumnSeason, SeasonColumns
from treasury_actors.market.model.shipped import MAINNET

DAYS = 16
GAP = range(ROUND_FRAMES - 30, ROUND_FRAMES + 30)
"""The frames in which lending and ETH are not known; the first round is held in the middle."""
UNKNOWN = ("aUSDC", "WETH", "wstETH", "weETH", "aWETH")
COLUMNS = [CORE[AssetId(asset)] for asset in UNKNOWN]


def gapped(season: ColumnSeason, *, fall: float = 1.0, fresh: bool = False) -> ColumnSeason:
    """Return the season with the gap: prices as last known (or fallen, to tempt), rates unknown."""

    def edit(columns: SeasonColumns, first: int) -> None:
        for column in COLUMNS:
            ticks, rates = list(columns.ticks[column]), list(columns.rates[column])
            known = list(columns.fresh[column])
            for frame in GAP:
                ticks[first + frame] = int(ticks[first + GAP.start - 1] * fall)
                rates[first + frame] = nan
                known[first + frame] = fresh
            columns.ticks[column] = ticks  # type: ignore[index]  # `columns` makes lists of copies
            columns.rates[column] = rates  # type: ignore[index]
            columns.fresh[column] = known  # type: ignore[index]

    return changed(season, edit)


@cache
def lived_with(fall: float, *, fresh: bool) -> Lived:
    return live(gapped(market(DAYS), fall=fall, fresh=fresh), rules_for(arena={"agents": 16}))


def touches_unknown(conversion: str) -> bool:
    step = MAINNET.conversion_by_id[conversion]  # type: ignore[index]  # an id is a str in JSON
    return step.source in UNKNOWN or step.target in UNKNOWN


def test_defect_4_missing_yields_were_made_up_and_kept_as_data() -> None:
    season = gapped(market(DAYS))
    features = Features(MAINNET)
    for index in range(-48, GAP.stop + 24):
        features.append(season.frame(index))
    ends = {"in": 48 + GAP.start + 10, "just after": 48 + GAP.stop + 1, "after": features.length}
    views = {when: View(features, (CORE[AssetId("aUSDC")],), end, 0, (0.0,)) for when, end in ends.items()}

    assert isnan(views["in"].rate(0)), "unknown, not 7%"
    assert isnan(views["in"].mean_rate(0, 24))
    assert not views["in"].tradable(0)
    assert views["just after"].rate(0) > 0.0
    assert isnan(views["just after"].mean_rate(0, 24)), "a mean over a gap is not known either"
    assert views["after"].mean_rate(0, 20) > 0.0


def test_what_is_unknown_is_valued_at_its_last_price_and_not_traded() -> None:
    tape = lived_with(1.0, fresh=False).tape
    traded = [row for row in tape.rows("trading.order_filled") if row.turn in GAP]
    ordered = [
        row.body["order"]["path"]
        for row in tape.rows("trading.order_accepted")
        if row.turn in GAP and row.turn + 1 in GAP
    ]

    assert not [row for row in traded if touches_unknown(row.body["conversion"])]
    assert not [path for path in ordered if any(map(touches_unknown, path))]


def test_before_and_after_the_gap_it_is_traded() -> None:
    """So the test above can fail."""
    tape = lived_with(1.0, fresh=False).tape
    turns = [row.turn for row in tape.rows("trading.order_filled") if touches_unknown(row.body["conversion"])]

    assert any(turn < GAP.start for turn in turns)
    assert any(turn >= GAP.stop for turn in turns)


@pytest.mark.parametrize(("fresh", "retired"), [(False, False), (True, True)])
def test_a_stale_price_triggers_no_exit_and_the_same_price_fresh_does(*, fresh: bool, retired: bool) -> None:
    deaths = [
        row
        for row in lived_with(0.4, fresh=fresh).tape.rows("arena.agent_retired")
        if row.turn in GAP and row.body["reason"].startswith(("stop-loss", "drawdown"))
    ]

    assert bool(deaths) is retired


def test_a_round_leaves_a_holder_of_what_is_unknown_as_it_is() -> None:
    lived = lived_with(1.0, fresh=False)
    sums, holders, changed_capital = Sums(), set[str](), set[str]()
    for row in lived.tape.rows("ledger.entry_posted", "arena.fitness_recorded"):
        if row.turn == ROUND_FRAMES and row.type == "arena.fitness_recorded":
            owned, frame = sums.of(row.agent), lived.season.frame(ROUND_FRAMES)
            stale = {asset: units for asset, units in owned.items() if asset in UNKNOWN}
            if nav_micro_usd(stale, frame) > 0.05 * nav_micro_usd(owned, frame):
                holders.add(row.agent)
        elif row.type == "ledger.entry_posted":
            if row.turn in GAP and row.body["kind"] in {"allot", "return"}:
                changed_capital.add(row.agent)
            sums.add(row.body)

    assert holders
    assert changed_capital, "others were paid or asked"
    assert not holders & changed_capital


def test_no_agent_dies_of_not_knowing() -> None:
    tape = lived_with(1.0, fresh=False).tape

    assert not tape.of("arena.agent_crashed")
