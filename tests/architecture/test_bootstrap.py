"""What `run.py` decides, and that a bare machine's first start does what it says."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import run

LOCKS = sorted((run.ROOT / "requirements").glob("*.txt"))
BASE = getattr(sys, "_base_executable", sys.executable)  # the Python an environment was made of
STUB = """\
import json, sys
def main(argv):
    print(json.dumps([argv, sys.prefix]))
    return 7
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder like a fresh checkout, with one tiny set and a face that tells where it runs."""
    shutil.copy(run.ROOT / "run.py", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "run.txt").write_text("# nothing is needed\n")
    (tmp_path / "treasury_actors").mkdir()
    (tmp_path / "treasury_actors" / "cli.py").write_text(STUB)
    return tmp_path.resolve()


def start(folder: Path, *argv: str, python: str = BASE, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the copy's `run.py` to its end."""
    return subprocess.run(
        [python, *argv],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_line_of_a_lock_is_an_exact_version_or_a_hash(lock: Path) -> None:
    for line in lock.read_text().splitlines():
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


def test_all_locks_agree_on_every_version() -> None:
    """Or else a package would differ between what is tested and what is run."""
    seen = {(name, version) for lock in LOCKS for name, version in run.pins(lock.stem).items()}

    assert len(seen) == len(dict(seen))


def test_every_set_has_a_lock_that_holds_what_the_default_needs() -> None:
    default = run.pins("run").items()

    on_demand = {"oracles"}  # no command installs it: half a gigabyte that makes pinned numbers again

    assert {lock.stem for lock in LOCKS} == {"run", *on_demand, *run.SETS.values()}
    assert all(run.pins(lock.stem).items() >= default for lock in LOCKS)


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((run.ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needs = {
        "run": project["dependencies"],
        "data": extras["data"],
        "chain": extras["chain"],
        "test": extras["test"],
        "oracles": extras["oracles"],
    }

    for name, wanted in needs.items():
        assert run.pins(name).keys() >= {re.split("[<>=;]", need)[0] for need in wanted}


def test_an_interpreter_holds_a_set_only_at_the_exact_versions() -> None:
    installed = {"pytest": pytest.__version__}

    assert run.holds(installed)
    assert not run.holds({"pytest": "0.0.1"})
    assert not run.holds({**installed, "no-such-package-here": "1.0"})


def test_another_lock_means_another_environment(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROOT", copy)
    before = run.place_of("run")
    (copy / "requirements" / "run.txt").write_text("# something else\n")

    assert run.place_of("run") != before
    assert run.place_of("run").parent == copy / ".venv"


def test_an_unfinished_environment_or_one_whose_python_is_gone_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    assert not run.is_ready(tmp_path)

    (tmp_path / "ready").touch()
    assert run.is_ready(tmp_path)

    (tmp_path / "bin" / "python").unlink()
    (tmp_path / "bin" / "python").symlink_to(tmp_path / "gone")
    assert not run.is_ready(tmp_path)


def test_the_command_gets_its_arguments_and_its_exit_code_is_ours(copy: Path) -> None:
    done = start(copy, "run.py", "backtest", "--days", "3")

    assert done.returncode == 7
    assert '["backtest", "--days", "3"]' in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(("flags", "environ"), [(["-O"], {}), ([], {"PYTHONOPTIMIZE": "1"})])
def test_python_without_assertions_is_refused_in_one_line(
    copy: Path, flags: list[str], environ: dict[str, str]
) -> None:
    done = start(copy, *flags, "run.py", **environ)

    assert done.returncode == run.EX_CONFIG
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "assertions" in done.stderr


def test_a_python_without_pip_gets_one_line_that_says_what_to_install(copy: Path) -> None:
    (copy / "requirements" / "run.txt").write_text("treasury-arena-needs-this==1.0 \\\n")
    (copy / "pip.py").write_text("raise ModuleNotFoundError('No module named pip')\n")
    done = start(copy, "run.py", PYTHONPATH=str(copy))

    assert done.returncode == run.EX_CONFIG
    assert "apt install python3-pip" in done.stderr.splitlines()[-1]
    assert not list(copy.glob(".venv/*/ready"))


def test_a_failed_installation_leaves_nothing_that_looks_ready(copy: Path) -> None:
    (copy / "requirements" / "run.txt").write_text("treasury-arena-needs-this==1.0 \\\n")
    done = start(copy, "run.py", PIP_NO_INDEX="1", PIP_FIND_LINKS="")

    assert done.returncode == 1
    assert "could not be installed" in done.stderr.splitlines()[-1]
    assert not list(copy.glob(".venv/*/ready"))


@pytest.mark.slow
def test_two_first_starts_at_once_make_one_environment_and_the_next_start_is_silent(copy: Path) -> None:
    """A real start on a bare machine: it installs one small package, by hash, and enters."""
    pinned = next(re.finditer(r"^idna==.*\n(    --hash.*\n)+", run.lock_of("run").read_text(), re.MULTILINE))
    (copy / "requirements" / "run.txt").write_text(pinned.group())
    command = [BASE, "-S", "run.py", "status"]  # -S: whatever this machine has installed is not seen
    both = [
        subprocess.Popen(command, cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate() for process in both]
    if any("could not be installed" in err for _, err in said):
        pytest.skip("no package index can be reached from here")
    again = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)

    assert [process.returncode for process in both] == [7, 7]
    assert sum("first start: installing 1 packages" in err for _, err in said) == 1
    assert len({out for out, _ in said}) == 1
    assert str(copy / ".venv") in said[0][0]
    assert (again.returncode, again.stderr, again.stdout) == (7, "", said[0][0])
