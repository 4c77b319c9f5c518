"""What a campaign showed, with all that names it: a file to keep, and to compare the next one with."""

import json
import platform
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from treasury_actors.errors import ConfigError
from treasury_actors.faults.harness import ROOT
from treasury_actors.faults.mutants import MUTANTS

CAUGHT: Final = ROOT / "tests" / "simulation" / "caught.json"
"""The seed that caught each known-bad change in the last full hunt; a checkout has it."""


def write_record(file: Path, campaign: Mapping[str, object], *, code_hash: str) -> None:
    """
    Write a record of what `faults --json` printed; a file of that name is replaced.

    Raises:
        ConfigError: it can't be written.
    """
    record = {
        "commit": _commit(),
        "code_hash": code_hash,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **campaign,
        "mutants": _mutants(),
    }
    draft = file.with_name(file.name + ".partial")
    try:
        draft.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise ConfigError(f"--report {file}: {error.strerror}") from None


def _mutants() -> dict[str, object]:
    """Return how many known-bad changes there are by harness, and which seed caught whom where seeds do."""
    by_harness = Counter(mutant.harness for mutant in MUTANTS.values())
    known = json.loads(CAUGHT.read_text(encoding="utf-8")) if CAUGHT.is_file() else {}
    return {"planted": dict(sorted(by_harness.items())), "caught_by_seed": known}


def _commit() -> str | None:
    """Return the commit of this checkout, marked if a tracked file differs; None outside of one."""
    found = []
    for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]):
        try:
            done = subprocess.run(  # noqa: S603 - fixed words
                ["git", "-C", str(ROOT), *command],  # noqa: S607 - the user's own git
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            return None
        if done.returncode:
            return None
        found.append(done.stdout.strip())
    return found[0] + ("-changed" if found[1] else "")
