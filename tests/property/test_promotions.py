"""Whatever people, programs and time do to a proposal: money moves at most once, never without enough."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.arena.test_promotion import PEOPLE, Office, proposal
from treasury_actors.arena.model.promotion import EXPIRES_AFTER_H
from treasury_actors.clock import HOUR_NS

WHO = ("alice", "bob", "carol", "auto", "mallory")
ACTS = st.one_of(
    st.tuples(st.just("approve"), st.sampled_from(WHO), st.integers(0, 2)),
    st.tuples(st.just("reject"), st.sampled_from(WHO), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 100)),
    st.tuples(st.just("execute"), st.just(""), st.just(0)),
    st.tuples(st.just("expire"), st.just(""), st.just(0)),
    st.tuples(st.just("restart"), st.just(""), st.just(0)),
)


@given(st.lists(ACTS, max_size=25))
def test_money_moves_once_and_only_when_two_different_people_approved_in_time(
    acts: list[tuple[str, str, int]],
) -> None:
    """I32, by an oracle that counts names in a dict."""
    office, proposed = Office(), proposal()
    office.propose(proposed)
    agreed: dict[str, None] = {}
    hour, state = 0, "waiting"
    for act, who, number in acts:
        in_time = hour < EXPIRES_AFTER_H
        if act == "approve":
            signer = PEOPLE[number]
            refusal = office.approvals.approve(proposed.promotion, who, signer.sign(proposed))
            counts = state == "waiting" and in_time and who == signer.name and who not in agreed
            assert (refusal is None) == counts
            if counts:
                agreed[who] = None
                state = "approved" if len(agreed) == proposed.needed else state
        elif act == "reject":
            refusal = office.approvals.reject(proposed.promotion, who, "no")
            counts = state in {"waiting", "approved"} and who in {"alice", "bob", "carol"}
            assert (refusal is None) == counts
            state = "rejected" if counts else state
        elif act == "wait":
            hour += number
            office.clock.advance_to(hour * HOUR_NS)
        elif act == "execute":
            refusal = office.execute(proposed)
            counts = state == "approved" and in_time
            assert (refusal is None) == counts
            state = "executed" if counts else state
        elif act == "expire":
            counts = state in {"waiting", "approved"} and not in_time
            assert bool(office.approvals.expire()) == counts
            state = "expired" if counts else state
        else:
            office.restart()
        assert office.promotions.by_id[proposed.promotion].status == state
        assert office.moved() == (proposed.units if state == "executed" else 0)
