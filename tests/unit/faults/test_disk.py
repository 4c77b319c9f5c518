"""The simulated disk keeps what was synced, and a start finds all damage that no torn end explains."""

import pytest

from treasury_actors.errors import JournalCorrupt
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.disk import Disk, group_of, recover
from treasury_actors.journal.event import Head, Recorded, after, chain
from treasury_actors.message import Provenance
from treasury_actors.trading.model.stop import TradingStateChanged


def events(count: int) -> list[Recorded]:
    head, found = Head(), []
    for number in range(count):
        change = TradingStateChanged(state="reducing", by="a test", reason="why not", epoch=number)
        recorded = chain(head, change, stream="test", time_ns=number, provenance=Provenance())
        head = after(recorded)
        found.append(recorded)
    return found


def disk_with(*groups: list[Recorded]) -> Disk:
    disk = Disk()
    for group in groups:
        disk.write(group_of(group))
        disk.sync()
    return disk


def test_what_was_synced_is_there_after_a_power_cut_and_a_torn_commit_is_cut_off() -> None:
    all_events = events(6)
    outcomes: list[int] = []
    for seed in range(200):
        disk = disk_with(all_events[:2], all_events[2:4])
        disk.write(group_of(all_events[4:]))
        torn = disk.power_cut(Chance((seed, "test")))
        found = recover(disk)
        outcomes.append(len(found))
        assert found == all_events[: len(found)]
        assert not torn or len(found) == 4
        assert recover(disk) == found

    assert sorted({*outcomes}) == [4, 6]


def test_a_start_on_an_empty_disk_finds_nothing() -> None:
    disk = Disk()

    assert recover(disk) == []
    assert disk.flip(Chance((1, "test"))) is None


@pytest.mark.parametrize("seed", range(100))
def test_a_changed_bit_is_found_or_takes_away_a_whole_commit_at_the_end(seed: int) -> None:
    all_events = events(6)
    disk = disk_with(all_events[:2], all_events[2:5], all_events[5:])
    before = bytes(disk.synced)
    disk.flip(Chance((seed, "test")))
    assert bytes(disk.synced) != before

    try:
        found = recover(disk)
    except JournalCorrupt as corrupt:
        seq = corrupt.seq
    else:
        seq = len(found) + 1
        assert found == all_events[:5]
    assert 1 <= seq <= 6
