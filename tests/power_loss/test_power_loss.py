"""The power is cut at any moment: what was acknowledged is there, and nothing that was never appended."""

from pathlib import Path

import numpy as np
import pytest

from tests.power_loss.disk import (
    Acknowledged,
    Deleted,
    Disk,
    FolderSynced,
    Opened,
    Operation,
    Synced,
    Truncated,
    Written,
)

pytest.importorskip("apsw", reason="the recording file layer needs the test extra's apsw")

from tests.power_loss.campaign import Safety, campaign, quick_folder

STATES = 2_000
STATES_OF_A_WRONG_SETTING = 120


@pytest.mark.slow
def test_no_power_cut_takes_away_what_was_acknowledged(tmp_path: Path) -> None:
    found = campaign(quick_folder(tmp_path / "states"), seed=1, states=STATES)

    assert found.bad == 0, found.first
    assert found.states == STATES
    assert found.pending > STATES // 2, "most cuts came when there was something to lose"


def test_a_hundred_power_cuts_take_away_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    found = campaign(quick_folder(tmp_path / "states"), seed=1, states=STATES_OF_A_WRONG_SETTING)

    assert found.bad == 0, found.first


@pytest.mark.parametrize("safety", ["NORMAL", "OFF"])
def test_the_harness_sees_what_a_weaker_setting_loses(tmp_path: Path, safety: Safety) -> None:
    found = campaign(
        quick_folder(tmp_path / "states"), seed=1, states=STATES_OF_A_WRONG_SETTING, safety=safety
    )

    assert found.lost > 0
    assert "acknowledged" in found.first


@pytest.mark.slow
def test_without_any_sync_the_harness_sees_a_damaged_file(tmp_path: Path) -> None:
    found = campaign(
        quick_folder(tmp_path / "states"), seed=1, states=5 * STATES_OF_A_WRONG_SETTING, safety="OFF"
    )

    assert found.corrupt > 0


def test_a_campaign_is_named_by_its_seed(tmp_path: Path) -> None:
    one, again, other = (
        campaign(quick_folder(tmp_path / "states"), seed=seed, states=60, safety="NORMAL")
        for seed in (3, 3, 4)
    )

    assert (one.lives, one.cuts, one.lost, one.first) == (again.lives, again.cuts, again.lost, again.first)
    assert one.first != other.first


def _left(*operations: Operation, cuts: int = 300) -> set[tuple[tuple[str, bytes], ...]]:
    disk = Disk({"old": b"kept"})
    for operation in operations:
        disk.do(operation)
    draw = np.random.default_rng(7)
    return {tuple(sorted(disk.left_by_cut(draw).items())) for _ in range(cuts)}


def test_what_was_synced_survives_and_what_was_not_may_not() -> None:
    write = Written(name="old", offset=0, data=b"new!")

    assert _left(write, Synced(name="old")) == {(("old", b"new!"),)}
    assert _left(write) >= {(("old", b"kept"),), (("old", b"new!"),), (("old", b"nept"),)}


def test_sectors_survive_in_any_order() -> None:
    found = _left(Written(name="old", offset=0, data=b"a" * 512 + b"b" * 512))

    assert (("old", b"a" * 512),) in found
    assert (("old", b"kept" + bytes(508) + b"b" * 512),) in found


def test_a_name_lasts_once_its_folder_was_synced() -> None:
    made: list[Operation] = [Opened(name="new"), Written(name="new", offset=0, data=b"x")]

    assert (("old", b"kept"),) in _left(*made)
    assert _left(*made, Synced(name="new")) == {(("new", b"x"), ("old", b"kept"))}
    unmade = Deleted(name="new", folder_synced=False)
    assert {len(files) for files in _left(*made, Synced(name="new"), unmade)} == {1, 2}
    assert _left(*made, FolderSynced(), Deleted(name="new", folder_synced=True)) == {(("old", b"kept"),)}


def test_an_end_that_moved_may_move_back() -> None:
    assert _left(Truncated(name="old", size=1)) == {(("old", b"kept"),), (("old", b"k"),)}


def test_the_last_acknowledgement_counts() -> None:
    disk = Disk({})
    disk.do(Acknowledged(seq=1))
    disk.do(Acknowledged(seq=5))

    assert disk.acknowledged_seq == 5
    assert not disk.has_pending
