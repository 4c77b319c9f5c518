"""
The one way in: `python3 run.py ...` works on a machine that has only Python >= 3.11 and pip.

What a command needs is pinned, with hashes, in `requirements/SET.txt`. If this interpreter holds exactly
those versions the command runs here; otherwise in an environment of our own, `.venv/SET-<hash>`, made at the
first start. Once ready, an environment is never changed: a new lock gets a new one, so a daemon that has
been up for months keeps what it started with.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one reads this line, not a traceback
    sys.exit("run.py: needs Python 3.11 or newer; this is %d.%d" % sys.version_info[:2])  # noqa: UP031

import fcntl
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
ON_CHAIN = (
    *("rehearse", "local-chain", "local-safe", "perform-test-trade", "keystore"),
    *("check-wallet", "check-accounts", "observe", "safe-propose"),
)
WITH_KEYS = ("approve", "approval-key")  # on the same curve as the chain's
EVALUATES = ("evolve", "walk-forward", "evidence", "ladder")
SETS = (
    {"test": "test", "data": "data"}
    | dict.fromkeys(ON_CHAIN + WITH_KEYS, "chain")
    | dict.fromkeys(EVALUATES, "speed")
)
"""All other commands need "run" alone."""
TEST_DEFAULTS = ["-q", "-n", "2"]
EX_CONFIG, EX_INTERRUPTED = 78, 130


def set_of(argv: list[str]) -> str:
    """Return which packages a command needs; a run needs those of a chain if its config says so."""
    files = [word for word in argv if word.endswith(".toml") and Path(word).is_file()]
    if argv and (argv[0] == "run" or argv[0] in files) and files:
        text = Path(files[0]).read_bytes()
        if re.search(rb"^\s*source\s*=\s*[\"']chain[\"']", text, re.MULTILINE):
            return "chain"
    return SETS.get(argv[0] if argv else "", "run")


def main(argv: list[str]) -> NoReturn:
    """Run the command where its packages are; leave with its exit code."""
    if sys.flags.optimize:
        stop("refuses -O and PYTHONOPTIMIZE: the assertions they drop keep the money safe", EX_CONFIG)
    name = set_of(argv)
    try:
        if not holds(pins(name)):
            enter(build(name), argv)
    except KeyboardInterrupt:
        stop("interrupted; the next start installs anew", EX_INTERRUPTED)
    if name == "test":
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *(argv[1:] or TEST_DEFAULTS)])  # noqa: S606
    from treasury_actors.cli import main as command  # noqa: PLC0415 - its packages are certain only now

    sys.exit(command(argv))


def lock_of(name: str) -> Path:
    """Return the lock file of a set."""
    return ROOT / "requirements" / f"{name}.txt"


def pins(name: str) -> dict[str, str]:
    """Return package -> version, of a set's pins that hold on every platform of ours."""
    lock = lock_of(name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+) \\$", lock, re.MULTILINE))


def holds(wanted: dict[str, str]) -> bool:
    """Return whether this interpreter has exactly these versions."""
    try:
        return all(importlib.metadata.version(name) == version for name, version in wanted.items())
    except importlib.metadata.PackageNotFoundError:
        return False


def place_of(name: str) -> Path:
    """Return where a set's environment lives: named by its lock, this Python and this platform."""
    made_of = f"{sys.implementation.cache_tag} {sysconfig.get_platform()} {lock_of(name).read_text()}"
    return ROOT / ".venv" / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"


def is_ready(place: Path) -> bool:
    """Return whether the environment was finished, and the Python it was made of is still there."""
    return (place / "ready").exists() and (place / "bin" / "python").exists()


def enter(place: Path, argv: list[str]) -> NoReturn:
    """Become the environment's interpreter. Packages on the caller's PYTHONPATH stay outside."""
    python = str(place / "bin" / "python")
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    os.execve(python, [python, str(ROOT / "run.py"), *argv], environ)  # noqa: S606


def build(name: str) -> Path:
    """Return a ready environment. Of two first starts at once the second waits and takes the first's."""
    place = place_of(name)
    if is_ready(place):
        return place
    place.parent.mkdir(exist_ok=True)
    with (place.parent / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is installing; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_ready(place):
            install(name, place, lock.fileno())
            (place / "ready").touch()  # last: whatever was interrupted before this begins anew
    return place


def install(name: str, place: Path, lock_fd: int) -> None:
    """Fill a fresh environment from the lock. Debian may lack ensurepip, so the outer pip does it."""
    base = getattr(sys, "_base_executable", sys.executable)  # in an environment: the Python it was made of
    pip = [base, "-m", "pip", "--python", str(place / "bin" / "python"), "--disable-pip-version-check"]
    count = len(pins(name))
    say(f"first start: installing {count} packages into .venv (about {10 + count // 2} s)")
    if not runs([base, "-m", "venv", "--clear", "--without-pip", str(place)], lock_fd):
        stop(f"could not make {place}; the reason stands above", EX_CONFIG)
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:  # noqa: S603
        stop(f"needs pip >= 22.3 for {base}; on Debian and Ubuntu: apt install python3-pip", EX_CONFIG)
    options = ["--quiet", "--no-input", "--require-hashes", "-r", str(lock_of(name))]
    if not runs([*pip, "install", *options], lock_fd):
        stop("the packages could not be installed; the reason stands above", 1)
    say("installed; from now on it starts at once")


def runs(command: list[str], lock_fd: int) -> bool:
    """Return whether the command ended well; say every 10 s that it is still at work."""
    environ = {**os.environ, "PIP_USER": "0"}
    # It inherits our file lock, so that nobody clears what it still writes should we be killed first.
    with subprocess.Popen(command, env=environ, stdout=sys.stderr, pass_fds=[lock_fd]) as child:  # noqa: S603
        while True:
            try:
                return child.wait(timeout=10) == 0
            except subprocess.TimeoutExpired:
                say("still installing")


def say(text: str) -> None:
    """Tell the person who waits, without touching what a script reads."""
    print(f"run.py: {text}", file=sys.stderr, flush=True)


def stop(text: str, code: int) -> NoReturn:
    """Leave with one line and an exit code."""
    say(text)
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
