"""The log of trials: nothing tried is forgotten, nothing in it can be changed."""

import json
from pathlib import Path

import pytest

from treasury_actors.errors import ConfigError, DataError, FolderInUse
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.trial import Purpose, Trial
from treasury_actors.evolution.model.window_fitness import Insufficient, Judged, Vetoed, WindowFitness
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import FamilyId
from treasury_actors.simulation.evidence.trials_log import FILE, TrialsLog

GOOD = WindowFitness(value_ppb=5, mean_ppb=7, se_ppb=1, window_ppb=(6, 8), sharpe_day=0.25)
BAD = Vetoed(reasons=("fell",), measured=GOOD)
SHORT = Insufficient(windows=3, needed=8)
TEST = Window(history="ab" * 32, label="HYPOTHETICAL", first_frame=0, days=60)


def trial(key: str, judged: Judged = GOOD, *, run: str = "one", purpose: Purpose = "fitness") -> Trial:
    genome = Genome(family=FamilyId("trend"), genes=(1, 2))
    return Trial(
        run=run, arm="ga", purpose=purpose, key=key, genome=genome, window_set="s", seed=1, judged=judged
    )


def test_every_verdict_comes_back_as_it_was(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        log.add([trial("a"), trial("b", BAD), trial("c", SHORT)])
        head = log.head
    with TrialsLog(tmp_path) as log:
        assert (log.judged("a"), log.judged("b"), log.judged("c")) == (GOOD, BAD, SHORT)
        assert log.judged("d") is None
        assert log.head == head
        assert log.tally.ever == log.tally.here("one") == 3
        assert log.tally.sharpes() == [0.25, 0.25]


def test_failed_and_vetoed_trials_count_and_other_runs_add_up(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        log.add([trial("a"), trial("b", BAD), trial("v", purpose="validation"), trial("x", purpose="stress")])
        log.add([trial("a", run="two"), trial("e", run="two"), trial("e", run="two")])
        assert (log.tally.here("one"), log.tally.here("two"), log.tally.ever) == (2, 2, 3)


def test_a_line_that_a_kill_cut_off_is_dropped_and_the_next_goes_on(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        log.add([trial("a")])
        log.add([trial("b")])
    path = tmp_path / FILE
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in (last + 1, (last + len(whole)) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with TrialsLog(tmp_path) as log:
            assert log.judged("a") == GOOD
            assert log.judged("b") is None
            log.add([trial("b")])
        assert path.read_bytes() == whole


@pytest.mark.parametrize("line", [0, 1])
def test_a_changed_figure_is_found_and_its_line_named(tmp_path: Path, line: int) -> None:
    with TrialsLog(tmp_path) as log:
        log.add([trial("a"), trial("b")])
    path = tmp_path / FILE
    lines = path.read_text().splitlines()
    lines[line] = lines[line].replace('"value_ppb":5', '"value_ppb":6')
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=f"line {line + 1}: not what was written"):
        TrialsLog(tmp_path).__enter__()


def test_a_line_taken_out_is_found(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        log.add([trial("a"), trial("b", BAD), trial("c")])
    path = tmp_path / FILE
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    with pytest.raises(DataError, match="line 2"):
        TrialsLog(tmp_path).__enter__()


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"seq": 1}\n')
    with pytest.raises(DataError, match="line 1: no line of a log of trials"):
        TrialsLog(tmp_path).__enter__()


def test_one_process_writes(tmp_path: Path) -> None:
    with TrialsLog(tmp_path), pytest.raises(FolderInUse):
        TrialsLog(tmp_path).__enter__()


def test_gates_are_written_down_before_a_run_and_once(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        with pytest.raises(ConfigError, match="was not preregistered"):
            log.begin("one", "c" * 64, {})
        assert log.preregister("c" * 64, {"gates": {"drawdown_ratio_max": 0.3}})
        assert not log.preregister("c" * 64, {"gates": {"drawdown_ratio_max": 0.3}})
        assert log.begin("one", "c" * 64, {})
        assert not log.begin("one", "c" * 64, {})
    kinds = [json.loads(line)["kind"] for line in (tmp_path / FILE).read_text().splitlines()]
    assert kinds == ["preregistered", "run"]


def test_gates_edited_after_a_run_started_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        log.preregister("c" * 64, {})
        log.preregister("d" * 64, {})
        log.begin("one", "c" * 64, {})
        before = (tmp_path / FILE).read_bytes()
        with pytest.raises(ConfigError, match="run one: gates edited after it started"):
            log.begin("one", "d" * 64, {})
        assert (tmp_path / FILE).read_bytes() == before


def test_how_often_a_test_window_was_looked_at_is_counted_by_run(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        for run in ("one", "one", "two"):
            log.look(run, [TEST])
        assert log.tally.looks(TEST) == 2
    with TrialsLog(tmp_path) as log:
        log.look("two", [TEST])
        assert log.tally.looks(TEST) == 2


def test_what_a_run_has_finished_is_remembered(tmp_path: Path) -> None:
    with TrialsLog(tmp_path) as log:
        log.finish("one", 3, {"fresh": 0.06})
    with TrialsLog(tmp_path) as log:
        assert log.tally.result("one", 3) == {"fresh": 0.06}
        assert log.tally.result("one", 4) is None
        assert log.tally.result("two", 3) is None
