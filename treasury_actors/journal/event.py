"""
One event as it stands in the journal, and the chain that ties it to the one before. Pure.

The hash of an event is `sha256(DOMAIN + json)`, where `json` is what
`json.dumps([prev_hash, seq, stream, type, time_ns, payload, causation_id, correlation_id],
separators=(",", ":"))` gives. Wall time, process and epoch are not part of it: two runs of the same inputs
have the same hashes.
"""

from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from treasury_actors.errors import InvariantViolated
from treasury_actors.journal import codec
from treasury_actors.message import Provenance

GENESIS_HASH = "0" * 64
_TIME_NS_LIMIT = 2**63  # an SQLite integer; the year 2262
DOMAIN = "treasury-actors/journal/event/1\n"


class Recorded(NamedTuple):
    """
    An event with its place in the chain. A start makes one of each row, so it is a tuple: five times as fast.

    Attributes:
        seq: 1, 2, 3 … without a gap.
        stream: whose life it belongs to, e.g. `agent:trend-0007`.
        type: the tag its payload is written under, e.g. `ledger.entry_posted.v1`.
        time_ns: logical time; never decreases with `seq`.
        payload: canonical JSON of the event.
        prev_hash: hash of the event before, 64 zeros for the first.
        hash: see the module.
    """

    seq: int
    stream: str
    type: str
    time_ns: int
    payload: str
    causation_id: str
    correlation_id: str
    prev_hash: str
    hash: str

    @property
    def event(self) -> object:
        """Decode the payload, in its newest version; raise ValueError if it is not what `codec` wrote."""
        return codec.decode(self.type, self.payload)


class Head(NamedTuple):
    """Where a chain ends; the defaults are an empty one."""

    seq: int = 0
    hash: str = GENESIS_HASH
    time_ns: int = 0


def hash_of(
    *,
    prev_hash: str,
    seq: int,
    stream: str,
    type_: str,
    time_ns: int,
    payload: str,
    causation_id: str,
    correlation_id: str,
) -> str:
    """Return the hash of an event as hex."""
    quote = encode_basestring_ascii
    content = (
        f"{DOMAIN}[{quote(prev_hash)},{seq},{quote(stream)},{quote(type_)},{time_ns},{quote(payload)},"
        f"{quote(causation_id)},{quote(correlation_id)}]"
    )
    return sha256(content.encode("ascii")).hexdigest()


def chain(head: Head, event: object, *, stream: str, time_ns: int, provenance: Provenance) -> Recorded:
    """Return `event` as the one after `head`; raise InvariantViolated if it cannot be written there."""
    if not head.time_ns <= time_ns < _TIME_NS_LIMIT:
        raise InvariantViolated(
            f"journal time went back: {codec.tag_of(event)} at {time_ns} ns, the one before at {head.time_ns}"
        )
    type_, payload, seq = codec.tag_of(event), codec.encode(event), head.seq + 1
    causation_id, correlation_id = provenance.causation_id, provenance.correlation_id
    for text in (stream, causation_id, correlation_id):
        if not (text.isascii() and text.isprintable()):  # it goes to terminals as it is
            raise InvariantViolated(f"a stream or id is not printable ASCII: {text!r}")
    return Recorded(
        seq=seq,
        stream=stream,
        type=type_,
        time_ns=time_ns,
        payload=payload,
        causation_id=causation_id,
        correlation_id=correlation_id,
        prev_hash=head.hash,
        hash=hash_of(
            prev_hash=head.hash,
            seq=seq,
            stream=stream,
            type_=type_,
            time_ns=time_ns,
            payload=payload,
            causation_id=causation_id,
            correlation_id=correlation_id,
        ),
    )


def after(recorded: Recorded) -> Head:
    """Return the head of a chain that ends with `recorded`."""
    return Head(seq=recorded.seq, hash=recorded.hash, time_ns=recorded.time_ns)


def what_is_wrong(recorded: Recorded, head: Head | Recorded) -> str | None:
    """Say why `recorded` cannot be the event after another, or None if it can: place, link, time, hash."""
    if recorded.seq != head.seq + 1:
        return f"event {head.seq + 1} is missing: {recorded.seq} follows {head.seq}"
    if recorded.prev_hash != head.hash:
        return f"event {recorded.seq} does not follow event {head.seq}: its previous hash is another"
    if recorded.time_ns < head.time_ns:
        return f"event {recorded.seq} is earlier than event {head.seq}"
    expected = hash_of(
        prev_hash=recorded.prev_hash,
        seq=recorded.seq,
        stream=recorded.stream,
        type_=recorded.type,
        time_ns=recorded.time_ns,
        payload=recorded.payload,
        causation_id=recorded.causation_id,
        correlation_id=recorded.correlation_id,
    )
    if recorded.hash != expected:
        return f"event {recorded.seq} was changed: its content does not have its hash"
    return None
