"""What was acknowledged is there after any death, and what is there is what was written."""

import os
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pytest

from tests.unit.market.readings import WETH, reading_of, scaled, season
from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.market.adapters.frame_log import FILE_NAME, FrameLog
from treasury_actors.market.model.frame_checks import FrameLimits, LiveFrame, judge
from treasury_actors.market.model.growing import frame_text
from treasury_actors.market.model.shipped import MAINNET

BEGINNING = "ab" * 32


def live(index: int) -> LiveFrame:
    """Return a frame with everything a line can hold: unknowns, infinities, findings, a suspect."""
    reading = reading_of(season().frame(index))
    reading = scaled(reading, WETH, pool=1.5) if index % 2 else reading
    found = judge(
        reading,
        MAINNET,
        FrameLimits(),
        index=index,
        time_ns=season().frame(index).time_ns,
        now_s=reading.block.time_s,
        before=None,
        known=None,
    )
    suspects = (0.0, 1.5, *found.suspects[2:])
    return replace(found, suspects=suspects, block=None if index == 3 else found.block)


def open_log(folder: Path) -> FrameLog:
    return FrameLog.open(folder, beginning_hash=BEGINNING)


async def written(folder: Path, frames: int) -> str:
    """Write so many frames, and return the head."""
    log = open_log(folder)
    for index in range(frames):
        await log.append([live(index)])
    log.close()
    return log.head


def assert_same(found: LiveFrame, wanted: LiveFrame) -> None:
    assert frame_text(found.frame) == frame_text(wanted.frame)
    assert (found.block, found.findings, found.suspects) == (wanted.block, wanted.findings, wanted.suspects)


async def test_every_number_of_a_frame_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    head = await written(tmp_path, 4)

    log = open_log(tmp_path)

    assert (log.cut, log.head) == ("", head)
    assert len(log.records) == 4
    for index, record in enumerate(log.records):
        assert_same(record, live(index))
    log.close()
    log.close()


async def test_a_number_json_has_no_word_for_is_read_back(tmp_path: Path) -> None:
    odd = live(0)
    frame = replace(
        odd.frame,
        rates=(nan,) * 13,
        depth_usd=(inf,) * len(MAINNET.conversions),
        capacity_usd=(0.0,) * len(MAINNET.conversions),
        tbill_rate=nan,
    )
    log = open_log(tmp_path)

    await log.append([replace(odd, frame=frame)])
    log.close()

    [record] = open_log(tmp_path).records
    assert frame_text(record.frame) == frame_text(frame)


async def test_frames_of_one_append_are_a_chain_too(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    await log.append([live(0), live(1), live(2)])
    log.close()
    other = tmp_path / "other"
    other.mkdir()

    assert log.head == await written(other, 3)
    assert (tmp_path / FILE_NAME).read_bytes() == (other / FILE_NAME).read_bytes()


async def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    await written(tmp_path, 2)
    log = open_log(tmp_path)

    await log.append([live(2)])
    log.close()

    assert [record.frame.index for record in open_log(tmp_path).records] == [0, 1, 2]


async def test_a_line_torn_at_any_byte_is_cut_off_and_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    await written(tmp_path, 3)
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    first, second = whole.index(b"\n") + 1, whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for end in (second + 1, second + 70, second + 500, len(whole) - 1):
        path.write_bytes(whole[:end])

        log = open_log(tmp_path)

        assert len(log.records) == 2
        assert f"line 3 of {end - second} bytes was cut off" in log.cut
        assert path.read_bytes() == whole[:second]
        await log.append([live(2)])
        log.close()
        assert path.read_bytes() == whole
    path.write_bytes(whole[: first - 1])
    assert len(open_log(tmp_path).records) == 0


async def test_a_changed_byte_anywhere_is_an_error_that_names_its_line(tmp_path: Path) -> None:
    await written(tmp_path, 3)
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    for at in range(0, len(whole), 97):
        if at in ends:
            continue
        changed = bytearray(whole)
        changed[at] ^= 1
        path.write_bytes(changed)
        line = sum(end < at for end in ends) + 1

        with pytest.raises(JournalCorrupt, match=f"line {line} is not what was written") as raised:
            open_log(tmp_path)
        assert raised.value.seq == line


async def test_a_line_left_out_doubled_or_moved_is_an_error(tmp_path: Path) -> None:
    await written(tmp_path, 3)
    path = tmp_path / FILE_NAME
    one, two, three = path.read_bytes().splitlines(keepends=True)
    for lines, number in (
        ([one, three], 2),
        ([two, three], 1),
        ([one, one, two, three], 2),
        ([one, three, two], 2),
    ):
        path.write_bytes(b"".join(lines))

        with pytest.raises(JournalCorrupt, match=f"line {number} "):
            open_log(tmp_path)


async def test_the_log_of_another_season_is_no_log_of_this_one(tmp_path: Path) -> None:
    await written(tmp_path, 1)

    with pytest.raises(JournalCorrupt, match="line 1 is not what was written"):
        FrameLog.open(tmp_path, beginning_hash="cd" * 32)


async def test_a_write_that_failed_is_a_fault_and_nothing_is_written_after_it(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    await log.append([live(0)])
    os.close(log._handle)

    with pytest.raises(JournalFault, match="cannot be written"):
        await log.append([live(1)])
    with pytest.raises(JournalFault, match="has failed before"):
        await log.append([live(1)])

    assert len(log.records) == 1
    assert len(open_log(tmp_path).records) == 1


async def test_a_frame_that_was_written_and_not_made_durable_is_not_acknowledged(tmp_path: Path) -> None:
    """A pipe takes what is written and can't sync it."""
    log = open_log(tmp_path)
    read_end, log._handle = os.pipe()

    with pytest.raises(JournalFault, match="cannot be written"):
        await log.append([live(0)])

    assert os.read(read_end, 9) == b'{"hash":"'
    assert log.records == ()
    log.close()
    os.close(read_end)


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(JournalFault, match="cannot be opened"):
        open_log(tmp_path / "absent")
