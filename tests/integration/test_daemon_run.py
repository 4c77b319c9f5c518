"""A run in this process: played to its end, in parts, over seasons, never by two at once."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from tests.unit.daemon.driver import folded, play, small_run
from tests.unit.daemon.living import count, living
from treasury_actors.daemon import operate
from treasury_actors.daemon.live_run import Conclusion, RunEnd
from treasury_actors.daemon.stop_file import FILE_NAME as STOP_NAME
from treasury_actors.errors import ConfigError, FolderInUse
from treasury_actors.journal.anchor import verify_against_anchor
from treasury_actors.journal.tail import tail
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.manifest import read_manifest
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME


@pytest.fixture(scope="module")
def two_days() -> Prepared:
    return small_run()


async def test_a_season_is_played_to_its_end_and_a_second_start_changes_nothing(
    tmp_path: Path, two_days: Prepared
) -> None:
    concluded: list[Conclusion] = []

    async def conclude(conclusion: Conclusion) -> None:
        concluded.append(conclusion)

    first = await play(two_days, tmp_path, conclude=conclude)
    played = folded(tmp_path)
    second = await play(two_days, tmp_path, conclude=conclude)

    assert first == RunEnd(kind="finished", season=1, turns=48)
    assert second == RunEnd(kind="finished", season=1, turns=0)
    assert folded(tmp_path).head == played.head
    assert [c.state.is_closed for c in concluded] == [True, True]
    assert concluded[1].state.fold.records.state_hash == played.state_hash


async def test_an_interrupted_run_goes_on_and_ends_as_an_uninterrupted_one(
    tmp_path: Path, two_days: Prepared
) -> None:
    await play(two_days, tmp_path / "whole")

    for turn in (3, 7):
        async with living(two_days, tmp_path / "parts") as run:
            await run.reach(turn)
        assert run.end is not None
        assert run.end.kind == "interrupted"
    await play(two_days, tmp_path / "parts")

    whole, parts = folded(tmp_path / "whole"), folded(tmp_path / "parts")
    assert parts.state_hash == whole.state_hash
    assert parts.records.book.imbalances() == []
    assert count(parts, "daemon.resumed.v1") == 2
    assert verify(tmp_path / "parts" / JOURNAL_NAME).events == parts.head[0]


async def test_a_second_process_is_refused_and_the_first_unharmed(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path) as run:
        with pytest.raises(FolderInUse):
            await play(two_days, tmp_path)
        assert (await operate.status(tmp_path))["answering"] is True
        turn = run.turn
        await run.reach(turn + 2)

    assert run.end is not None


async def test_a_run_does_not_start_in_a_foreign_folder_or_over_another_run(
    tmp_path: Path, two_days: Prepared
) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.doc").touch()
    await play(two_days, tmp_path / "run")
    before = folded(tmp_path / "run").head

    with pytest.raises(ConfigError, match=r"thesis\.doc"):
        await play(two_days, foreign)
    with pytest.raises(ConfigError, match="another config"):
        await play(small_run(agents=4), tmp_path / "run")

    assert [file.name for file in foreign.iterdir()] == ["thesis.doc"]
    assert folded(tmp_path / "run").head == before


async def test_an_accepted_upgrade_is_an_event_and_the_run_keeps_its_name(
    tmp_path: Path, two_days: Prepared
) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(2)
    newer = replace(two_days, manifest=replace(two_days.manifest, run_id="other", code_hash="f" * 64))

    with pytest.raises(ConfigError, match="another code"):
        await play(newer, tmp_path)
    await play(newer, tmp_path, accept_upgrade=True)
    await play(newer, tmp_path)

    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert (manifest.run_id, manifest.code_hash) == (two_days.manifest.run_id, "f" * 64)
    assert count(folded(tmp_path), "daemon.upgrade_accepted.v1") == 1


async def test_a_season_is_not_continued_on_other_data_even_if_accepted(
    tmp_path: Path, two_days: Prepared
) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(2)

    with pytest.raises(ConfigError, match="begun on other data"):
        await play(small_run(seed=8), tmp_path, accept_upgrade=True)


async def test_seasons_follow_each_other_in_one_journal(tmp_path: Path, two_days: Prepared) -> None:
    turns = 0
    concluded: list[int] = []

    def leave_after(turns_max: int) -> Callable[[int, int, int], None]:
        def progress(frame: int, frames: int, living: int) -> None:
            nonlocal turns
            turns += 1
            if turns == turns_max:
                signal.raise_signal(signal.SIGINT)

        return progress

    async def conclude(conclusion: Conclusion) -> None:
        concluded.append(conclusion.state.number)

    first = await play(two_days, tmp_path, until_end=False, progress=leave_after(70), conclude=conclude)
    second = await play(two_days, tmp_path, until_end=False, progress=leave_after(150), conclude=conclude)

    found = folded(tmp_path)
    roster = found.records.roster
    newest = roster.living()
    assert (first.kind, first.season) == ("interrupted", 2)
    assert (second.kind, second.season) == ("interrupted", 4)
    assert concluded == [1, 2, 3]
    assert roster.season is not None
    assert (roster.season.season, roster.season.seed) == (4, two_days.manifest.seed + 3)
    assert found.records.book.imbalances() == []
    assert roster.births == 20
    assert len(newest) == 5
    for member in newest:  # who survived a season plays the next as a newborn with the same genome
        (parent,) = member.born.parents
        assert member.born.operator == "carried"
        assert roster.members[parent].genome == member.genome


async def test_the_head_is_exported_daily_and_at_a_stop_and_vouches_for_the_journal(
    tmp_path: Path, two_days: Prepared
) -> None:
    folder, anchors = tmp_path / "run", tmp_path / "anchors"
    folder.mkdir()
    (folder / STOP_NAME).touch()

    await play(two_days, folder, anchor_dir=anchors)

    (file,) = anchors.iterdir()
    reasons = [json.loads(line)["reason"] for line in file.read_text().splitlines()]
    verified = verify_against_anchor(folder / JOURNAL_NAME, file)
    assert reasons == ["stop", "daily", "daily", "report"]
    assert verified.anchored_seq == verified.head_seq


async def test_readers_of_a_journal_that_is_written_disturb_nobody(tmp_path: Path) -> None:
    run_of = small_run(days=35)
    await play(run_of, tmp_path / "alone")

    async with living(run_of, tmp_path / "read", speed_x=None, leave=False):
        for _ in range(5):
            verified = await anyio.to_thread.run_sync(verify, tmp_path / "read" / JOURNAL_NAME)
            assert verified.events > 0
            assert list(tail(tmp_path / "read" / JOURNAL_NAME, 5))

    assert folded(tmp_path / "read").head == folded(tmp_path / "alone").head
