"""The chain can be checked by anybody with json and sha256."""

import hashlib
import json
from dataclasses import dataclass

import pytest

from treasury_actors.errors import InvariantViolated
from treasury_actors.journal.codec import event
from treasury_actors.journal.event import DOMAIN, GENESIS_HASH, Head, after, chain, what_is_wrong
from treasury_actors.message import Provenance


@event("test_event.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    text: str


def test_the_hash_is_the_documented_one() -> None:
    first = chain(Head(), Noted(text="ä"), stream="a", time_ns=1, provenance=Provenance())
    second = chain(
        after(first),
        Noted(text='"'),
        stream="b",
        time_ns=2,
        provenance=Provenance(correlation_id="round:1", causation_id="x"),
    )

    fields = [first.hash, 2, "b", "test_event.noted.v1", 2, '{"text":"\\""}', "x", "round:1"]
    content = DOMAIN + json.dumps(fields, separators=(",", ":"))
    assert first.prev_hash == GENESIS_HASH
    assert second.hash == hashlib.sha256(content.encode()).hexdigest()
    assert second.event == Noted(text='"')


def test_time_never_goes_back() -> None:
    with pytest.raises(InvariantViolated, match=r"time went back: test_event\.noted\.v1 at 4 ns"):
        chain(Head(seq=1, time_ns=5), Noted(text=""), stream="a", time_ns=4, provenance=Provenance())


@pytest.mark.parametrize("stream", ["é", "\x1b[2J", "a\nb"])
def test_a_stream_that_would_disturb_a_terminal_is_refused(stream: str) -> None:
    with pytest.raises(InvariantViolated, match="not printable ASCII"):
        chain(Head(), Noted(text=""), stream=stream, time_ns=0, provenance=Provenance())


def test_an_event_earlier_than_the_one_before_is_wrong_even_with_a_good_hash() -> None:
    early = chain(Head(), Noted(text=""), stream="a", time_ns=3, provenance=Provenance())

    assert what_is_wrong(early, Head()) is None
    assert what_is_wrong(early, Head(time_ns=4)) == "event 1 is earlier than event 0"
