"""
Where the head of a journal was, told to a place outside the run folder.

A hash chain proves that nothing in it was changed, not that it is still all there, nor that it was not
written anew from the first event. An anchor file, one JSON line each time, on another disk or in other hands,
does. Each line is signed by the run's own key, over the line before it too: who holds the file without the
key can neither change an anchor, nor take one out of the middle, nor add one. A cut tail of the anchors
themselves shows in the time of the last one.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.journal.anchor_key import FILE_NAME, is_signature, read_key, signature
from treasury_actors.journal.codec import TimeNs
from treasury_actors.journal.event import GENESIS_HASH
from treasury_actors.journal.folder import sync_folder
from treasury_actors.journal.forms import form_of_class, parse_json
from treasury_actors.journal.ports import Journal
from treasury_actors.journal.reader import ReadonlyJournal
from treasury_actors.journal.verify import Verified, verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """
    The head of a journal at one moment.

    Attributes:
        reason: why it was told: `daily`, `stop`, `approval`, `report`.
        wall_ns: when, by the machine's clock.
    """

    seq: int
    hash: str
    reason: str
    wall_ns: TimeNs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line(Anchor):
    """An anchor as it stands in its file."""

    signature: str


DOMAIN = "treasury-actors/journal/anchor/1"
_NO_LINE = "0" * 64
_FORM = form_of_class(Anchor)
_LINE = form_of_class(_Line)


def export_anchor(anchor_dir: Path, run_id: str, anchor: Anchor, *, key: bytes) -> Path:
    """
    Append `anchor`, signed by `key`, to `anchor_dir/<run_id>.jsonl`, durably, and return that file.

    A line that a crash left unfinished is taken away first. Raises JournalFault if it cannot be written, or
    if the line before is not one of ours.
    """
    file = anchor_file_of(anchor_dir, run_id)
    try:
        anchor_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            whole = os.pread(handle, os.fstat(handle).st_size, 0)
            end = whole.rfind(b"\n") + 1
            lines = whole[:end].split(b"\n")[:-1]
            before = _line_of(file, len(lines), lines[-1]).signature if lines else _NO_LINE
            line = _signed_line(anchor, before, key)
            os.ftruncate(handle, end)
            if os.pwrite(handle, line, end) != len(line):
                raise JournalFault(f"{file}: the anchor was not written whole")
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(anchor_dir)
    except OSError as error:
        raise JournalFault(f"{file} cannot be written: {error.strerror}") from error
    return file


def anchor_file_of(anchor_dir: Path, run_id: str) -> Path:
    """Return where the anchors of a run are exported."""
    assert run_id not in ("", ".."), "a run id is a plain file name"
    assert Path(run_id).name == run_id, "a run id is a plain file name"
    return anchor_dir / f"{run_id}.jsonl"


def read_anchors(anchor_file: Path, key: bytes) -> tuple[Anchor, ...]:
    """
    Return the anchors of a file, oldest first; an unfinished last line is no anchor.

    Raises JournalFault naming the line if the file cannot be read, or `key` did not sign it.
    """
    try:
        lines = anchor_file.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise JournalFault(f"{anchor_file} cannot be read: {error.strerror}") from error
    anchors, before = [], _NO_LINE
    for number, text in enumerate(lines, start=1):
        line = _line_of(anchor_file, number, text)
        anchor = Anchor(seq=line.seq, hash=line.hash, reason=line.reason, wall_ns=line.wall_ns)
        if not is_signature(key, _message(anchor, before), line.signature):
            why = "was not signed by this run's key, or a line before it is missing"
            raise JournalFault(f"{anchor_file} line {number} {why}")
        before = line.signature
        anchors.append(anchor)
    return tuple(anchors)


def verify_against_anchor(
    path: Path, anchor_file: Path, *, key_file: Path | None = None, decode_payloads: bool = True
) -> Verified:
    """
    Verify a journal, and that it still holds every event an anchor vouches for, as it was then.

    Without `key_file` the key beside the journal is taken.

    Raises JournalFault if the anchors are not what this run signed, and JournalCorrupt: for a cut tail `seq`
    is the first missing event; for a rewrite it is the first one after the last anchor that still holds, for
    nothing later can be trusted.
    """
    verified = verify(path, decode_payloads=decode_payloads)
    signed = read_anchors(anchor_file, read_key(key_file or path.resolve().with_name(FILE_NAME)))
    anchors = sorted(signed, key=lambda anchor: anchor.seq)
    held_seq = 0
    with ReadonlyJournal(path) as reader:
        for anchor in anchors:
            if anchor.seq > verified.head_seq:
                raise JournalCorrupt(
                    f"{path} was cut: its last event is {verified.head_seq}, an anchor saw {anchor.seq}",
                    seq=verified.head_seq + 1,
                )
            if _hash_at(reader, anchor.seq) != anchor.hash:
                raise JournalCorrupt(
                    f"{path} was rewritten: event {anchor.seq} is not the one an anchor saw; "
                    f"the events up to {held_seq} are",
                    seq=held_seq + 1,
                )
            held_seq = anchor.seq
    return replace(verified, anchored_seq=held_seq) if anchors else verified


def check_anchored(journal: Journal, anchor_file: Path, key_file: Path) -> None:
    """
    Refuse to go on with a journal that lacks its last anchored event; the chain vouches for those before it.

    Nothing is checked where no anchor was exported yet. Raises as `verify_against_anchor`.
    """
    if not anchor_file.exists():
        return
    last = max(read_anchors(anchor_file, read_key(key_file)), key=lambda anchor: anchor.seq, default=None)
    if last is None or last.seq == 0:
        return
    head_seq, _ = journal.head
    if head_seq < last.seq:
        raise JournalCorrupt(
            f"the journal was cut: its last event is {head_seq}, {anchor_file} saw {last.seq}",
            seq=head_seq + 1,
        )
    if next(recorded.hash for recorded in journal.read(last.seq)) != last.hash:
        raise JournalCorrupt(
            f"the journal was rewritten: event {last.seq} is not the one {anchor_file} saw", seq=last.seq
        )


def _line_of(anchor_file: Path, number: int, text: bytes) -> _Line:
    try:
        line = _LINE.decode(parse_json(text.decode("ascii")))
    except ValueError as error:
        raise JournalFault(f"{anchor_file} line {number} is no anchor: {error}") from None
    assert isinstance(line, _Line)
    return line


def _signed_line(anchor: Anchor, before: str, key: bytes) -> bytes:
    line = _Line(
        seq=anchor.seq,
        hash=anchor.hash,
        reason=anchor.reason,
        wall_ns=anchor.wall_ns,
        signature=signature(key, _message(anchor, before)),
    )
    return (_LINE.encode(line) + "\n").encode("ascii")


def _message(anchor: Anchor, before: str) -> str:
    """Return what is signed: the anchor, and the signature of the line before it."""
    return f"{DOMAIN}\n{before}\n{_FORM.encode(anchor)}"


def _hash_at(reader: ReadonlyJournal, seq: int) -> str:
    if seq < 1:
        return GENESIS_HASH
    return next(recorded.hash for recorded in reader.read(seq, last_seq=seq))
