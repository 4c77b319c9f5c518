"""The summary and its JSON: the keys scripts rely on."""

import json

from tests.unit.reports.diary import AUSDC, ETH, USDC, Diary, context, generated, lived, relabelled
from treasury_actors.arena.model.book import BookRecorded
from treasury_actors.arena.model.demotion import AgentDemoted, Cause
from treasury_actors.arena.model.events import AgentBorn, AgentRetired
from treasury_actors.ids import AgentId
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import GAS
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.lines import BenchmarkResult
from treasury_actors.reports.summarise import summarise
from treasury_actors.reports.summary import RunContext, Summary
from treasury_actors.reports.summary_json import Json, to_json
from treasury_actors.reports.text import screen

CONTRACT = {
    "data": {"source", "hash", "start", "end", "frames"},
    "agents": {"spawned", "alive", "crashed", "restarted", "quarantined"},
    "capital": {"deposited_usd", "nav_usd", "exit_nav_usd", "costs_usd"},
    "conservation": {"ok", "imbalances"},
    "journal": {"path", "events", "head_hash", "state_hash"},
    "benchmarks": {"lending_usd", "tbill_usd", "equal_weight_usd", "equal_agents_usd", "random_agents_usd"},
    "verdict": {"label", "reasons"},
}
SCALARS = {
    "run_id",
    "label",
    "seed",
    "generations",
    "births",
    "deaths",
    "trades",
    "rejections",
    "wall_s",
    "speed_x",
}
STANDING = {"agent", "family", "born", "fitness", "nav_usd", "return", "apy", "max_drawdown", "trades"}


def _summary(changes: RunContext | None = None) -> tuple[ColumnSeason, tuple[Recorded, ...], Summary]:
    season, records, state_hash = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)
    run = changes or context(state_hash=state_hash, replay_hash=state_hash, notes=season.notes)
    return season, records, summarise(history, season, run)


def _parsed(summary: Summary) -> dict[str, Json]:
    parsed: dict[str, Json] = json.loads(to_json(summary))
    return parsed


def test_the_json_has_every_key_of_the_contract() -> None:
    _, _, summary = _summary()
    parsed = json.loads(to_json(summary))

    assert parsed.keys() >= SCALARS
    for key, inner in CONTRACT.items():
        assert inner <= parsed[key].keys()
    assert all(row.keys() >= STANDING for row in parsed["leaderboard"])
    assert all({"agents", "trades"} <= family.keys() for family in parsed["families"].values())
    assert parsed["rounds"] == [168, 336, 504, 672]


def test_counts_are_those_of_the_journal() -> None:
    _, records, summary = _summary()
    born = [r.event for r in records if isinstance(r.event, AgentBorn)]
    retired = sum(isinstance(r.event, AgentRetired) for r in records)

    assert summary.agents.spawned == len(born)
    assert summary.births == sum(b.operator != "initial" for b in born)
    assert summary.deaths == summary.graveyard.count == retired
    assert summary.agents.alive == len(born) - retired == len(summary.leaderboard)
    assert sum(family.agents for family in summary.families) == summary.agents.alive
    assert sum(family.trades for family in summary.families) == summary.trades
    assert summary.rejections == sum(count for _, count in summary.rejections_by_reason)


def test_money_is_exact_decimal_strings_and_nothing_short_is_annualised() -> None:
    _, _, summary = _summary()
    parsed = json.loads(to_json(summary))

    capital = parsed["capital"]
    assert capital["deposited_usd"].startswith("125000.0000")
    assert _micro(capital["deposited_usd"]) == summary.capital.deposited_micro_usd
    assert capital["apy"] is None
    assert all(row["apy"] is None for row in parsed["leaderboard"])
    parts = [value for key, value in parsed["attribution"].items() if key not in {"gain_usd", "factors"}]
    assert sum(_micro(text) for text in parts) == _micro(parsed["attribution"]["gain_usd"])


def _micro(text: str) -> int:
    whole, _, part = text.lstrip("-").partition(".")
    return (-1 if text.startswith("-") else 1) * (int(whole) * 10**6 + int(part))


def test_deposits_are_the_capital_and_the_gas_money() -> None:
    _, _, summary = _summary()

    assert 125_000_000_000 <= summary.capital.deposited_micro_usd <= 125_000_000_010


def test_benchmarks_that_nobody_computed_are_null_and_given_ones_are_taken() -> None:
    given = BenchmarkResult(
        nav_micro_usd=1_500_000, return_ratio=0.1, max_drawdown_ratio=0.0, liquid_24h_ratio=1.0
    )
    _, _, without = _summary()
    _, _, summary = _summary(context(equal_agents=given))

    assert json.loads(to_json(without))["benchmarks"]["equal_agents_usd"] is None
    assert json.loads(to_json(summary))["benchmarks"]["equal_agents_usd"] == "1.500000"


def test_the_same_journal_gives_the_same_bytes() -> None:
    assert to_json(_summary()[2]) == to_json(_summary()[2])


def test_fitness_is_null_while_insufficient_and_ranks_last() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, 3_000_000_000)
    diary.deposit(ETH, 10**18, GAS)
    for name in ("trend-0001", "trend-0002", "trend-0003"):
        diary.bear(name, 1_000_000_000)
    diary.go(5)
    diary.judge("trend-0001", None)
    diary.judge("trend-0002", -500_000_000)
    diary.judge("trend-0003", 250_000_000)
    diary.close()

    rows = json.loads(to_json(summarise(diary.history(), diary.season, context())))["leaderboard"]

    assert [row["agent"] for row in rows] == ["trend-0003", "trend-0002", "trend-0001"]
    assert [row["fitness"] for row in rows] == [0.25, -0.5, None]


def test_a_replay_that_differs_makes_it_no_evidence() -> None:
    season, records, state_hash = lived(30, 12)
    recorded = relabelled(season, "HYPOTHETICAL")
    history = history_of(records, recorded, lending_asset=AUSDC)

    right = summarise(history, recorded, context(state_hash=state_hash, replay_hash=state_hash))
    wrong = summarise(history, recorded, context(state_hash=state_hash, replay_hash="other"))

    assert right.verdict.label == "NOT PROVEN"
    assert wrong.verdict.label == "NOT EVIDENCE"


def test_a_season_without_agents_or_money_can_be_summed_up() -> None:
    diary = Diary(generated(1))
    diary.close()

    parsed = _parsed(summarise(diary.history(), diary.season, context(wall_s=0.0)))

    assert parsed["speed_x"] is None
    assert parsed["leaderboard"] == []


def test_beside_its_fitness_an_agent_shows_what_it_adds_to_the_book() -> None:
    season, records, state_hash = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)
    books = [recorded.event for recorded in records if isinstance(recorded.event, BookRecorded)]

    summary = summarise(history, season, context(state_hash=state_hash))

    assert [book.turn for book in books] == [28 * 24]
    told = {line.agent: line.adds_ppb for line in books[-1].lines}
    shown = {standing.agent: standing.adds_ppb for standing in summary.leaderboard}
    assert {agent: value for agent, value in shown.items() if value is not None}
    assert all(value == told.get(agent) for agent, value in shown.items())
    rows = json.loads(to_json(summary))["leaderboard"]
    assert {row["agent"]: row["adds_to_book"] for row in rows} == {
        agent: None if value is None else value / 10**9 for agent, value in shown.items()
    }


def test_a_champion_is_judged_by_every_agent_that_lived_and_what_can_not_be_said_has_a_reason() -> None:
    season, records, state_hash = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)

    summary = summarise(history, season, context(state_hash=state_hash))

    champion = summary.champion
    assert champion.agent == summary.leaderboard[0].agent
    assert champion.trials == len(history.agents)
    assert champion.dsr is not None
    assert champion.psr is not None
    assert 0.0 <= champion.dsr <= champion.psr <= 1.0
    assert champion.pbo is None
    assert any("PBO" in reason for reason in champion.undefined)
    told = json.loads(to_json(summary))["champion"]
    assert told["trials"] == {"here": len(history.agents), "ever": None}
    assert f"champion: {champion.agent}, DSR" in screen(summary)


def test_where_nobody_has_a_fitness_there_is_no_champion_and_no_number() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, 10**10)
    diary.bear("trend-0001", 10**9)
    diary.close()

    champion = summarise(diary.history(), diary.season, context()).champion

    assert (champion.agent, champion.psr, champion.dsr, champion.pbo) == (None, None, None, None)
    assert len(champion.undefined) == 2


def test_who_strayed_from_its_resimulation_is_named_with_the_cause_of_its_demotion() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, 10**10)
    diary.bear("trend-0001", 10**9)
    diary.go(48)
    diary.write(
        AgentDemoted(
            agent=AgentId("trend-0001"),
            turn=48,
            stage="proving",
            to_stage="sim",
            causes=(Cause.TRACKING,),
            by="machine",
            detail="",
        )
    )
    diary.close()

    summary = summarise(diary.history(), diary.season, context())

    assert "demotions      trend-0001 from proving at frame 48: tracking" in screen(summary)
    told = json.loads(to_json(summary))["demotions"]
    assert [(each["agent"], each["causes"], each["by"]) for each in told] == [
        ("trend-0001", ["tracking"], "machine")
    ]
