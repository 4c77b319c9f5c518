"""
Record a journal of each kind of run, for versions to come to replay.

Run `python benchmarks/record_journals.py` in an environment with the test requirements, on the commit that
is released. It writes `tests/data/journals/VERSION/`: a season with rounds, a crash and a quarantine; a climb
of the ladder with its promotions; a day of a rehearsal with its transactions; what each must replay to; and
how every event of this version is written. What a released version recorded is never recorded again.
"""

import json
import lzma
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.acceptance.test_ladder_climb import climb_in  # noqa: E402 - found by the line above
from tests.integration.event_forms import VERSION, forms_of  # noqa: E402
from treasury_actors.cli.main import main as run  # noqa: E402
from treasury_actors.daemon.vocabulary import VOCABULARY  # noqa: E402
from treasury_actors.journal.reader import open_readonly  # noqa: E402
from treasury_actors.journal.verify import verify  # noqa: E402
from treasury_actors.market.model.shipped import MAINNET  # noqa: E402
from treasury_actors.simulation.run import JOURNAL_NAME  # noqa: E402
from treasury_actors.wiring.fold import Records  # noqa: E402

FOLDER = ROOT / "tests" / "data" / "journals" / VERSION
SEASON = ("--days", "28", "--agents", "8", "--seed", "7", "--crash-agent", "trend-0008")
SHORT_ROUNDS = "[arena]\nround_h = 72\n"


def main() -> int:
    """Play, pack, write down."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    told = {}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for kind, journal in _journals(home).items():
            packed = FOLDER / f"{kind}.db.xz"
            packed.write_bytes(lzma.compress(journal.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
            told[kind] = _told(journal)
            print(f"{kind:<10} {told[kind]['events']:>6} events, {packed.stat().st_size:>7} bytes")
    _write("recorded.json", told)
    _write("events.json", forms_of(VOCABULARY))
    return 0


def _journals(home: Path) -> dict[str, Path]:
    """Play one run of each kind; return its journal."""
    config = home / "season.toml"
    config.write_text(SHORT_ROUNDS, encoding="utf-8")
    season, rehearsal = home / "season", home / "rehearsal"
    grounds = ROOT / "configs" / "proving_grounds.toml"
    assert run(["backtest", str(config), *SEASON, "--out", str(season)]) == 0
    assert run(["rehearse", str(grounds), "--days", "1", "--out", str(rehearsal)]) == 0
    (home / "climb").mkdir()
    climbed = climb_in(home / "climb")
    return {
        "season": season / JOURNAL_NAME,
        "rehearsal": rehearsal / JOURNAL_NAME,
        "climb": Path(str(climbed["folder"])) / JOURNAL_NAME,
    }


def _told(journal: Path) -> dict[str, object]:
    """Return what a journal must replay to."""
    records, verified = Records.empty(MAINNET), verify(journal)
    with open_readonly(journal) as reader:
        for recorded in reader.read():
            records.apply(recorded.event)
    return {
        "events": verified.events,
        "head_hash": verified.head_hash,
        "state_hash": records.state_hash,
    }


def _write(name: str, found: object) -> None:
    (FOLDER / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
