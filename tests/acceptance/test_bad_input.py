"""
Bad input is one line that names the file, the key or row, and what is allowed; exit 78, nothing written.

What each kind of wrong cell in each kind of file leads to is the business of `tests/unit/market`; here one of
each goes all the way through the command line.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.market.folder import files, write_folder
from treasury_actors.cli.main import main
from treasury_actors.errors import ConfigError
from treasury_actors.settings.file import Settings, load_settings

EXIT_CONFIG = 78
OPENING_WORDS = "; no real money"
"""How the line ends that says what is about to happen, before the data are read."""
CANDLES = "cex_spot_ohlcv_1h/binance_ETHUSDT_1h"

BAD_CONFIGS: tuple[tuple[str, str, str], ...] = (
    # (content, what must be named, what must be said of what is allowed)
    ("[arena]\nagent = 3", "arena.agent", "known are agent_share_max, agents"),
    ("[seasons]\ndays = 1", "seasons", "known are approvals, arena, chain"),
    ("stop = 1", "stop", "known are approvals, arena, chain"),
    ("[journal]\ndir = ''", "journal.dir", "known are anchor_dir"),
    ("[chain]\nprivate_key = '0x1'", "chain.private_key", "known are confirm_blocks, deadline_s"),
    ("[arena]\nagents = '50'", "arena.agents = '50'", "integer"),
    ("[arena]\nagents = 50.0", "arena.agents = 50.0", "integer"),
    ("[arena]\nagents = true", "arena.agents = True", "integer"),
    ("[arena]\nagents = 0", "arena.agents = 0", "1"),
    ("[arena]\nagents = -1", "arena.agents = -1", "1"),
    ("[arena]\nagents = 1001", "arena.agents = 1001", "1000"),
    ("[arena]\nagents = 99999999999999999999999", "arena.agents = 9999", "1000"),
    ("[arena]\nagents = [50]", "arena.agents = [50]", "integer"),
    ("[arena]\nagents = {}", "arena.agents = {}", "integer"),
    ("[arena]\ncapital_usd = -1", "arena.capital_usd = -1", "0"),
    ("[arena]\ncapital_usd = -0.01", "arena.capital_usd = -0.01", "0"),
    ("[arena]\ncapital_usd = 0.001", "arena.capital_usd = 0.001", "whole cents"),
    ("[arena]\ncapital_usd = 500000.005", "arena.capital_usd = 500000.005", "whole cents"),
    ("[arena]\ncapital_usd = inf", "arena.capital_usd = Infinity", "finite"),
    ("[arena]\ncapital_usd = -inf", "arena.capital_usd = -Infinity", "finite"),
    ("[arena]\ncapital_usd = nan", "arena.capital_usd = NaN", "finite"),
    ("[arena]\ncapital_usd = 1e30", "arena.capital_usd = 1E+30", "1000000000000"),
    ("[arena]\ncapital_usd = true", "arena.capital_usd = True", ""),
    ("[arena]\ncapital_usd = '500000'", "arena.capital_usd = '500000'", ""),
    ("[arena]\ngas_usd = 5000.005", "arena.gas_usd = 5000.005", "whole cents"),
    ("[arena]\nround_h = 23", "arena.round_h = 23", "24"),
    ("[arena]\nround_h = 8761", "arena.round_h = 8761", "8760"),
    ("[arena]\nreserve_ratio = 1.01", "arena.reserve_ratio = 1.01", "1"),
    ("[arena]\nreserve_ratio = 10", "arena.reserve_ratio = 10", "1"),
    ("[arena]\nreserve_ratio = nan", "arena.reserve_ratio = NaN", "finite"),
    ("[arena]\nagent_share_max = -0.1", "arena.agent_share_max = -0.1", "0"),
    ("[arena]\nagent_share_max = 1.0000001", "arena.agent_share_max = 1.0000001", "1"),
    ("[arena]\ncopy_correlation_max = 0", "arena.copy_correlation_max = 0", "0"),
    ("[arena]\nfitness = 'sharpe'", "arena.fitness = 'sharpe'", "'certainty_equivalent' or 'brief_repaired'"),
    ("[arena]\nfitness = 1", "arena.fitness = 1", "'certainty_equivalent' or 'brief_repaired'"),
    ('[arena]\nfitness = "a\\nb"', "arena.fitness = 'a\\nb'", "'certainty_equivalent'"),
    ("[season]\nsource = 'csv'", "season.source = 'csv'", "'generated', 'folder' or 'chain'"),
    ("[season]\nsource = 'folder'", "season", "`folder` and `start`"),
    ("[season]\nsource = 'folder'\nfolder = 'x'", "season", "`folder` and `start`"),
    ("[season]\nfolder = ['a']", "season.folder", "string"),
    ("[season]\nstart = '2024-05-12'", "season.start = '2024-05-12'", "date"),
    ("[season]\nstart = 2024", "season.start = 2024", "date"),
    ("[season]\nstart = 2024-05-12T00:00:00Z", "season.start", "date"),
    ("[season]\ndays = 0", "season.days = 0", "1"),
    ("[season]\ndays = -180", "season.days = -180", "1"),
    ("[season]\ndays = 3651", "season.days = 3651", "3650"),
    ("[season]\ndays = 1.5", "season.days = 1.5", "integer"),
    ("[season]\nseed = -1", "season.seed = -1", "0"),
    ("[season]\nseed = 2147483648", "season.seed = 2147483648", "2147483648"),
    ("[season]\nwarmup_h = 8761", "season.warmup_h = 8761", "8760"),
    ("season = 3", "season = 3", ""),
    ("season = 'generated'", "season = 'generated'", ""),
    ("[[arena]]\nagents = 3", "arena = [", ""),
    ("[risk]\nagent_stop_loss_ratio = 0", "risk.agent_stop_loss_ratio = 0", "greater than 0"),
    ("[risk]\nagent_stop_loss_ratio = 1.5", "risk.agent_stop_loss_ratio = 1.5", "1"),
    ("[risk]\nagent_drawdown_ratio = 30", "risk.agent_drawdown_ratio = 30", "1"),
    ("[risk]\nvenue_ratio_max = -0.0001", "risk.venue_ratio_max = -0.0001", "0"),
    ("[risk]\nimpact_bps_max = 0", "risk.impact_bps_max = 0", "0"),
    ("[risk]\nimpact_bps_max = inf", "risk.impact_bps_max = Infinity", "finite"),
    ("[risk]\ntrade_usd_max = 10.505", "risk.trade_usd_max = 10.505", "whole cents"),
    ("[risk]\nagent_turnover_ratio_max = 101", "risk.agent_turnover_ratio_max = 101", "100"),
    ("[planner]\nband_bps = 10001", "planner.band_bps = 10001", "10000"),
    ("[planner]\ncash_bps = 5001", "planner.cash_bps = 5001", "5000"),
    ("[planner]\ncost_bps_max = 0", "planner.cost_bps_max = 0", "0"),
    ("[planner]\ntrade_usd_min = '25'", "planner.trade_usd_min = '25'", ""),
    ("[chain]\nprofile = 'solana'", "chain.profile = 'solana'", "'base' or 'ethereum'"),
    ("[chain]\ngas_gwei_max = 0", "chain.gas_gwei_max = 0", "1"),
    ("[chain]\ngas_gwei_max = 1.5", "chain.gas_gwei_max = 1.5", "integer"),
    ("[journal]\nanchor_dir = 1", "journal.anchor_dir = 1", "string"),
    ("[arena]\nagents = 1\nagents = 2", "", "not TOML"),
    ("[season]\nstart = 2024-13-01", "", "not TOML"),
    ("[arena", "", "not TOML"),
    ("garbage", "", "not TOML"),
    ('{"arena": {"agents": 3}}', "", "not TOML"),
    ("[arena]\nagents = ", "", "not TOML"),
)


def config(place: Path, content: str | bytes) -> Path:
    path = place / "bad.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path) -> str:
    """Return what is said of a config that must be refused, less its name in front."""
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    text = str(caught.value)
    assert text.isprintable(), "one line, and nothing that moves a terminal"
    assert text.startswith(f"{path}: ")
    assert len(text) < len(str(path)) + 300
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "named", "allowed"), BAD_CONFIGS, ids=lambda text: text.replace("\n", " ")
)
def test_a_bad_config_is_one_line_that_names_file_key_and_range(
    tmp_path: Path, content: str, named: str, allowed: str
) -> None:
    text = refusal(config(tmp_path, content))

    assert text.startswith(named)
    assert allowed in text


@pytest.mark.parametrize(
    "content",
    [b"\0\0\0", b"\x7fELF", b"[arena]\ragents = 3\r", b"%PDF-1.4\n"],
    ids=["zeros", "a binary", "old Mac line ends", "a PDF"],
)
def test_what_is_no_toml_is_called_so(tmp_path: Path, content: bytes) -> None:
    assert refusal(config(tmp_path, content)).startswith("not TOML: ")


@pytest.mark.parametrize(
    "content",
    [b"# caf\xe9\n", "[arena]\nagents = 3\n".encode("utf-16"), b"\xff\xfe"],
    ids=["latin-1", "utf-16", "a mark"],
)
def test_what_is_no_utf_8_is_called_so(tmp_path: Path, content: bytes) -> None:
    assert refusal(config(tmp_path, content)) == "not UTF-8 text"


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = config(tmp_path, b"\xef\xbb\xbf[arena]\nagents = 3\n")

    assert load_settings(path).arena.agents == 3


def test_a_long_value_is_cut_short_and_a_file_of_ten_megabytes_is_no_config(tmp_path: Path) -> None:
    start, end = b'[arena]\nfitness = "', b'"\n'

    assert refusal(config(tmp_path, start + b"a" * 100_000 + end)).startswith("arena.fitness = 'aaaa")
    assert (
        refusal(config(tmp_path, start + b"a" * 10_000_000 + end)) == "larger than 1,000,000 bytes: no config"
    )


def test_a_missing_file_a_folder_and_a_file_below_a_file_are_named(tmp_path: Path) -> None:
    there = config(tmp_path, "")

    assert refusal(tmp_path / "none.toml") == "No such file or directory"
    assert refusal(tmp_path) == "Is a directory"
    assert refusal(there / "x.toml") == "Not a directory"


@pytest.mark.parametrize(
    "content",
    ["", "# nothing\n", "[arena]\n", "[arena]\r\nagents = 50\r\n", "\n" * 1_000_000],
    ids=["empty", "a comment", "an empty table", "CRLF", "a million lines"],
)
def test_what_is_merely_unusual_gives_the_defaults(tmp_path: Path, content: str) -> None:
    assert load_settings(config(tmp_path, content)) == Settings()


@pytest.mark.parametrize(
    ("section", "key", "value"), [("season", "days", 0), ("arena", "agents", 0), ("season", "seed", 2**31)]
)
def test_what_the_command_line_says_is_checked_like_the_file(
    tmp_path: Path, section: str, key: str, value: int
) -> None:
    with pytest.raises(ConfigError, match=rf"{section}\.{key} = {value}: "):
        load_settings(config(tmp_path, ""), {section: {key: value}})


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, where a run without --out would write."""
    place = tmp_path / "room"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def error_of(argv: list[str], room: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must end with 78 and leave nothing; return the one line it says."""
    assert main(argv) == EXIT_CONFIG
    printed = capsys.readouterr()
    assert printed.out == ""
    assert list(room.iterdir()) == [], "nothing written"
    said = [line for line in printed.err.splitlines() if not line.endswith(OPENING_WORDS)]
    assert len(said) == 1, said
    return said[0]


def edited(place: Path, edit: Callable[[list[str]], None]) -> Path:
    content = files()
    edit(content[CANDLES])
    return write_folder(place / "data", content)


def without_column(lines: list[str]) -> None:
    lines[:] = [",".join(line.split(",")[:-2]) for line in lines]


def close_of(text: str) -> Callable[[list[str]], None]:
    def edit(lines: list[str]) -> None:
        cells = lines[99].split(",")
        cells[5] = text
        lines[99] = ",".join(cells)

    return edit


def twice(lines: list[str]) -> None:
    lines.insert(100, lines[99])


def swapped(lines: list[str]) -> None:
    lines[99], lines[100] = lines[100], lines[99]


BAD_DATA: dict[str, tuple[Callable[[list[str]], None], str]] = {
    "a missing column": (without_column, "close"),
    "a price that is NaN": (close_of("nan"), "100"),
    "an infinite price": (close_of("inf"), "100"),
    "a price of zero": (close_of("0"), "100"),
    "a negative price": (close_of("-1"), "100"),
    "a price that is no number": (close_of("n/a"), "100"),
    "a duplicate key": (twice, "101"),
    "rows out of order": (swapped, "101"),
}


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_one_line_exit_78_and_nothing_written(
    case: str, tmp_path: Path, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, place = BAD_DATA[case]
    folder = edited(tmp_path, edit)
    argv = ["backtest", "--data", str(folder), "--start", "2024-01-16", "--days", "10", "--agents", "4"]
    line = error_of(argv, room, capsys)

    assert CANDLES in line
    assert place in line
    assert "allowed" in line


@pytest.mark.parametrize("command", ["backtest", "run"])
def test_a_bad_config_is_one_line_exit_78_and_nothing_written(
    command: str, tmp_path: Path, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, "[arena]\ncapital_usd = 0.001\n")
    line = error_of([command, str(path), "--out", "here"], room, capsys)

    assert line == f"{path}: arena.capital_usd = 0.001: allowed are whole cents"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["backtest", "--days", "0"], "season.days = 0"),
        (["backtest", "--agents", "0"], "arena.agents = 0"),
        (["backtest", "--seed", "9999999999"], "season.seed = 9999999999"),
        (["backtest", "--data", "nowhere"], "--start"),
        (["backtest", "--data", "nowhere", "--start", "2024-01-16"], "nowhere"),
        (["backtest", "--start", "12 May 2024"], "YYYY-MM-DD"),
        (["backtest", "--start", "2024-02-30"], "YYYY-MM-DD"),
        (["backtest", "--kill-agent", "trend-0001"], "AGENT@FRAME"),
        (["backtest", "--kill-agent", "nobody-0001@3"], "nobody-0001"),
        (["backtest", "--crash-agent", "nobody"], "nobody"),
        (["backtest", "--strategy", "nowhere.py"], "nowhere.py"),
        (["backtest", "nowhere.toml"], "nowhere.toml"),
        (["run", "--speed", "0"], "--speed"),
        (["run", "--speed", "-1"], "--speed"),
        (["run", "--speed", "nan"], "--speed"),
        (["run", "--speed", "inf"], "--speed"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_option_is_one_line_exit_78_and_nothing_written(
    argv: list[str], words: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in error_of(argv, room, capsys)


def test_a_backtest_never_writes_into_a_folder_that_has_something(
    tmp_path: Path, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine", encoding="utf-8")

    assert str(taken) in error_of(["backtest", "--out", str(taken)], room, capsys)
    assert [file.name for file in taken.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("option", ["--days=-1", "--days=1.5", "--agents=many", "--seed=-1", "--live"])
def test_a_word_the_command_line_does_not_know_is_a_usage_error(
    option: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["backtest", option])

    assert caught.value.code == 2
    assert option.split("=", maxsplit=1)[0].lstrip("-") in capsys.readouterr().err
    assert list(room.iterdir()) == []


BREAKS_THE_READER: dict[str, bytes] = {
    "a number of 5000 digits": b"[arena]\nagents = " + b"9" * 5_000,
    "a hundred thousand brackets": b"a = " + b"[" * 100_000,
}


@pytest.mark.parametrize("case", BREAKS_THE_READER)
def test_what_breaks_the_reader_of_toml_is_one_line_too(case: str, tmp_path: Path) -> None:
    assert refusal(config(tmp_path, BREAKS_THE_READER[case]))


@pytest.mark.parametrize(
    "content", ['["a\\nb"]\nx = 1', '[arena]\n"agents\\n" = 1', '["a\\u001b[2Jb"]\nx = 1']
)
def test_a_key_with_a_line_end_or_an_escape_code_is_shown_on_one_line(content: str, tmp_path: Path) -> None:
    assert refusal(config(tmp_path, content))


def test_a_path_no_system_can_open_is_refused() -> None:
    with pytest.raises(ConfigError):
        load_settings(Path("a\0b"))


@pytest.mark.parametrize("key", ["capital_usd", "gas_usd"])
def test_no_money_at_all_is_refused_before_anything_is_written(
    key: str, tmp_path: Path, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, f"[arena]\nagents = 2\n{key} = 0\n[season]\ndays = 1\n")

    assert key in error_of(["backtest", str(path), "--out", "here"], room, capsys)


@pytest.mark.parametrize("start", ["0001-01-01", "1969-12-31", "9999-12-31"])
def test_a_date_no_journal_can_hold_is_refused_before_anything_is_written(
    start: str, tmp_path: Path, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, f"[arena]\nagents = 2\n[season]\ndays = 1\nstart = {start}\n")

    assert "season.start" in error_of(["backtest", str(path), "--out", "here"], room, capsys)


def test_a_warm_up_too_short_for_any_genome_is_refused_before_anything_is_written(
    tmp_path: Path, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, "[season]\ndays = 1\nwarmup_h = 0\n")

    assert "warm" in error_of(["backtest", str(path), "--out", "here"], room, capsys)


def test_the_cents_of_a_limit_count(tmp_path: Path) -> None:
    content = "[risk]\ntrade_usd_min = 0.50\ntrade_usd_max = 10.50\n"
    arena = load_settings(config(tmp_path, content)).house_rules(1).arena
    risk = arena.limits_for(10**12, 10**12, gas_wei=0, gas_round=0)

    assert (risk.trade_micro_usd_min, risk.trade_micro_usd_max) == (500_000, 10_500_000)


def test_a_smallest_order_above_the_largest_is_refused(tmp_path: Path) -> None:
    assert refusal(config(tmp_path, "[risk]\ntrade_usd_min = 100\ntrade_usd_max = 10\n"))


def test_half_an_option_is_a_usage_error(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["backtest", "--day=0"])

    assert caught.value.code == 2
