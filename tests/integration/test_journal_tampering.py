"""What is changed in a journal, verify names; what only an anchor can show, the anchor shows."""

from pathlib import Path

import pytest

from tests.integration.journal_tampering import (
    KINDS_OF_CHANGE,
    Tampering,
    missed,
    original_of,
    what_verify_missed,
)
from tests.unit.daemon.driver import play, small_run
from treasury_actors.journal.anchor import verify_against_anchor
from treasury_actors.journal.verify import verify

CHANGES = 300


@pytest.mark.slow
async def test_every_change_inside_an_event_and_every_cut_below_the_anchor_is_named(tmp_path: Path) -> None:
    await play(small_run(days=1), tmp_path / "run")
    original = original_of(tmp_path / "run", tmp_path / "original")
    untouched = verify_against_anchor(original.folder / "journal.db", original.anchor_file)
    assert untouched.anchored_seq == untouched.head_seq == verify(original.folder / "journal.db").head_seq
    kinds = set()

    for number in range(CHANGES):
        kind, words = what_verify_missed(original, tmp_path / "tampered", number)
        kinds.add(kind)
        assert words == "", f"change {number}"

    assert len(kinds) > KINDS_OF_CHANGE
    nothing = Tampering(kind="nothing", names=(1,), shows_without_anchor=False)
    assert "not seen against the anchors" in missed(original, original.folder / "journal.db", nothing)
