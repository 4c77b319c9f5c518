"""The page: whole in itself, labelled everywhere, and nothing in it that came from outside unescaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.unit.reports.diary import AUSDC, ETH, USDC, Diary, context, generated, lived, relabelled
from treasury_actors.ledger.model import GAS
from treasury_actors.reports.charts import Frame, Line, bar_chart, line_chart, nice_ticks, thinned
from treasury_actors.reports.formulas import FORMULAS
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.history import History
from treasury_actors.reports.html import page
from treasury_actors.reports.summarise import summarise
from treasury_actors.reports.summary import Summary

_VOID = {"meta", "path", "line", "rect", "br"}


class _Outline(HTMLParser):
    """Collects tags, attributes and text; fails on a tag that is closed in the wrong place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _outline(text: str) -> _Outline:
    outline = _Outline()
    outline.feed(text)
    outline.close()
    return outline


def _lived() -> tuple[Summary, History]:
    season, records, state_hash = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)
    return summarise(history, season, context(state_hash=state_hash, notes=season.notes)), history


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    text = page(*_lived())
    outline = _outline(text)

    assert outline.open == []
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & {*outline.tags}
    assert not {"src", "xlink:href", "srcset", "onload"} & {name for name, _ in outline.attributes}
    assert all((value or "").startswith("#") for name, value in outline.attributes if name == "href")
    assert "url(" not in text
    assert "@import" not in text


def test_every_headline_figure_leads_to_its_formula_and_entries() -> None:
    text = page(*_lived())
    names = {value for name, value in _outline(text).attributes if name == "id"}
    links = [value for name, value in _outline(text).attributes if name == "href"]
    assert {(link or "")[1:] for link in links} <= names
    figures = text[text.index('<dl class="figures">') :].split("</dl>")[0]
    assert figures.count("<dt>") == figures.count('<dt><a href="#formula-') == 9
    assert all(f'id="formula-{each.key}"' in text and each.entries for each in FORMULAS)


def test_the_label_stands_in_title_headline_and_every_chart() -> None:
    text = page(*_lived())

    assert "<title>GENERATED · " in text
    assert re.search(r"<h1><span class=\"chip GENERATED\">GENERATED</span>", text)
    pictures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(pictures) == 5
    assert all(">GENERATED</text>" in picture for picture in pictures)


def test_a_generated_season_shows_day_numbers_and_a_recorded_one_dates() -> None:
    season, records, _ = lived(30, 12)
    recorded = relabelled(season, "HYPOTHETICAL")
    history = history_of(records, recorded, lending_asset=AUSDC)

    assert ">day 5</text>" in page(*_lived())
    assert ">6 Jan</text>" in page(summarise(history, recorded, context()), history)


@pytest.mark.parametrize("field", ["run_id", "notes", "source", "agent"])
def test_what_came_from_outside_is_escaped(field: str) -> None:
    summary, history = _lived()
    nasty = '"><script>alert(1)</script>&'
    match field:
        case "run_id":
            summary = replace(summary, run_id=nasty)
        case "notes":
            summary = replace(summary, notes=(nasty,))
        case "source":
            summary = replace(summary, data=replace(summary.data, source=nasty))
        case _:
            first = replace(summary.leaderboard[0], agent=nasty, family=nasty)  # type: ignore[arg-type]
            summary = replace(summary, leaderboard=(first, *summary.leaderboard[1:]))

    text = page(summary, history)

    assert "script" not in _outline(text).tags
    assert "&lt;script&gt;" in text


def test_the_same_journal_gives_the_same_page_whatever_the_clock_said() -> None:
    summary, history = _lived()

    assert page(summary, history) == page(replace(summary, wall_s=99.0, speed_x=1.0), history)


def test_every_headline_figure_has_its_definition() -> None:
    text = page(*_lived())
    figures = text[text.index('<dl class="figures">') : text.index("</dl>")]

    assert figures.count('class="n') == figures.count('class="d"') == 9
    assert all(len(meaning) > 20 for meaning in re.findall(r'class="d">(.*?)</dd>', figures))


def test_an_empty_season_has_a_page_too() -> None:
    diary = Diary(generated(1))
    diary.close()
    history = diary.history()

    assert _outline(page(summarise(diary.history(), diary.season, context()), history)).open == []


def test_the_parents_of_the_fittest_are_shown() -> None:
    diary = Diary(generated(2))
    diary.deposit(USDC, 1_000_000)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("trend-0001")
    diary.bear("trend-0002")
    diary.close()
    history = diary.history()
    summary = summarise(history, diary.season, context())
    first = replace(summary.leaderboard[0], parents=("trend-0002",))  # type: ignore[arg-type]

    text = page(replace(summary, leaderboard=(first, summary.leaderboard[1])), history)

    tree = text[text.index('class="tree"') :]
    assert tree.index("trend-0001") < tree.index("trend-0002")
    assert "<ul><li>trend-0002" in tree


def test_ticks_are_round_and_span_what_is_drawn() -> None:
    for low, high in (
        (0.0, 1.0),
        (-0.043, 0.0),
        (504_000.0, 541_000.0),
        (5.0, 5.0),
        (0.0, 0.0),
        (-3.0, -1.0),
    ):
        ticks = nice_ticks(low, high)
        assert ticks[0] <= low + 1e-9
        assert ticks[-1] >= high - 1e-9
        assert 2 <= len(ticks) <= 7


def test_a_chart_of_nothing_says_so() -> None:
    frame = Frame(title="t", label="PAPER", x_marks=(), y_format=str)

    assert "no data yet" in line_chart(frame, [])
    assert "no data yet" in line_chart(frame, [Line(name="a", points=[], colour="arena")])
    assert "PAPER" in bar_chart(frame, [("gain", 0.0, "$0")])


def test_points_that_are_thinned_out_keep_the_deepest_and_the_last() -> None:
    values = [0.0] * 1_000
    values[501] = 0.5

    points = thinned(values, 100)

    assert (501.0, 0.5) in points
    assert points[-1][0] == 999.0
    assert len(points) <= 101
    assert thinned([], 10) == []
