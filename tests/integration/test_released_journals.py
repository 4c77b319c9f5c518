"""
Journals of every version that was recorded are read by this one: each hash holds, each fold has its state.

`benchmarks/record_journals.py` records those of a version: tests/data/journals/VERSION/.
"""

import json
import lzma
from pathlib import Path

import pytest

from tests.integration.event_forms import VERSION, can_read, forms_of, unreadable, written
from treasury_actors.daemon.vocabulary import VOCABULARY
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.verify import verify
from treasury_actors.ledger.model import Entry
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.wiring.fold import Records

RECORDED = Path(__file__).parents[1] / "data" / "journals"
VERSIONS = sorted(folder for folder in RECORDED.iterdir() if folder.is_dir())
JOURNALS = sorted(RECORDED.glob("*/*.db.xz"))
BYTES_MAX = 300_000


def expected(packed: Path) -> dict[str, object]:
    """Return what was recorded of a journal when it was written."""
    found = json.loads(packed.with_name("recorded.json").read_text(encoding="utf-8"))
    told = found[packed.name.removesuffix(".db.xz")]
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize("packed", JOURNALS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_journal_verifies_and_replays_to_its_state(packed: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    records = Records.empty(MAINNET)

    verified = verify(path)
    with open_readonly(path) as reader:
        for recorded in reader.read():
            records.apply(recorded.event)

    assert expected(packed) == {
        "events": verified.events,
        "head_hash": verified.head_hash,
        "state_hash": records.state_hash,
    }
    records.verify()


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: str(folder.name))
def test_every_event_a_version_could_write_is_still_read(folder: Path) -> None:
    old = json.loads((folder / "events.json").read_text(encoding="utf-8"))

    assert unreadable(forms_of(VOCABULARY), old) == []


def test_this_version_has_recorded_journals_of_each_kind_of_run() -> None:
    assert VERSION in {folder.name for folder in VERSIONS}
    for folder in VERSIONS:
        packed = sorted(path.name for path in folder.glob("*.db.xz"))
        assert packed == ["climb.db.xz", "rehearsal.db.xz", "season.db.xz"]
        assert sum(path.stat().st_size for path in folder.iterdir()) < BYTES_MAX


def test_a_field_that_came_went_or_moved_is_seen_and_a_choice_may_grow() -> None:
    entry = written(Entry)
    assert isinstance(entry, dict)
    without = {name: form for name, form in entry.items() if name != "kind"}

    assert can_read(entry, entry)
    assert not can_read(entry, without)
    assert not can_read(without, entry)
    assert not can_read(dict(reversed(entry.items())), entry)
    assert can_read(["one of", "a", "b"], ["one of", "a"])
    assert not can_read(["one of", "a"], ["one of", "a", "b"])
    assert not can_read("int", "units")
    assert unreadable({}, {"ledger.entry_posted.v1": entry}) == ["ledger.entry_posted.v1"]
