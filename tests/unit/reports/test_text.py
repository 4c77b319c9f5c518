"""The screen at the end of a run."""

from dataclasses import replace

from tests.unit.reports.diary import AUSDC, Diary, context, generated, lived
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.lines import BenchmarkResult
from treasury_actors.reports.numerals import decimal, dollars, exact_dollars, percent
from treasury_actors.reports.summarise import summarise
from treasury_actors.reports.summary import Summary
from treasury_actors.reports.text import WIDTH, screen


def _summary() -> Summary:
    season, records, state_hash = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)
    return summarise(history, season, context(state_hash=state_hash, replay_hash=state_hash))


def test_every_line_fits_a_hundred_columns() -> None:
    lines = screen(_summary()).splitlines()

    assert max(map(len, lines)) <= WIDTH
    assert not any(line != line.rstrip() for line in lines)


def test_the_label_stands_first_and_says_what_it_means() -> None:
    banner = screen(_summary()).splitlines()[:4]

    assert "GENERATED" in banner[1]
    assert "say nothing of money" in banner[2]


def test_the_blocks_a_treasurer_looks_for_are_there_in_order() -> None:
    text = screen(_summary())
    titles = [
        "LEADERBOARD",
        "the dead:",
        "WHAT THE TREASURY WOULD HAVE BECOME",
        "THIS ARENA",
        "WHERE THE ARENA'S GAIN CAME FROM",
        "WHO MADE WHAT",
        "BOOKS",
        "VERDICT: NOT EVIDENCE",
    ]

    places = [text.index(title) for title in titles]

    assert places == sorted(places)


def test_the_printed_parts_sum_to_the_printed_gain() -> None:
    text = screen(_summary())
    block = text[text.index("GAIN CAME FROM") : text.index("WHO MADE WHAT")]
    figures = {
        line[:11].strip(): line.split("$")[1].split()[0] for line in block.splitlines() if "$" in line[:29]
    }
    signs = {line[:11].strip(): -1 if "-$" in line else 1 for line in block.splitlines()}
    micro = {
        name: signs[name] * int(figure.replace(",", "").replace(".", "")) for name, figure in figures.items()
    }

    gain = micro.pop("gain")

    assert len(micro) == 6
    assert sum(micro.values()) == gain


def test_what_was_not_computed_is_said_and_what_was_is_shown() -> None:
    summary = _summary()
    given = BenchmarkResult(
        nav_micro_usd=123_456_000_000, return_ratio=0.0, max_drawdown_ratio=0.01, liquid_24h_ratio=None
    )
    lines = tuple(
        replace(line, result=given) if line.key == "random_agents" else line for line in summary.lines
    )

    text = screen(replace(summary, lines=tuple(lines)))

    assert "not computed" in text
    assert "$123,456" in text


def test_a_replay_that_differs_is_shouted() -> None:
    summary = _summary()
    journal = replace(summary.journal, replay_hash="other")

    assert "replay = live  NO" in screen(replace(summary, journal=journal))


def test_nothing_in_a_name_moves_the_cursor() -> None:
    summary = replace(_summary(), run_id="a\x1b[2Jb" + "x" * 200)

    text = screen(summary)

    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_an_empty_season_has_a_screen_too() -> None:
    diary = Diary(generated(1))
    diary.close()

    assert "0 living" in screen(summarise(diary.history(), diary.season, context()))


def test_numbers_are_rounded_and_signed_as_people_read_them() -> None:
    assert dollars(-1_500_000_000) == "-$1,500"
    assert dollars(499_999, signed=True) == "$0"
    assert dollars(1_005_000, cents=True) == "$1.01"
    assert dollars(None) == "—"
    assert exact_dollars(-1) == "-$0.000001"
    assert exact_dollars(1_234_567_890, signed=True) == "+$1,234.567890"
    assert percent(-0.000001, signed=True) == "0.00%"
    assert percent(0.1234, signed=True) == "+12.34%"
    assert decimal(-0.001) == "0.00"
    assert decimal(-1.25, 1) == "-1.2"
