"""Whatever comes in whatever order, a withdrawal ends once, and one at a time is open."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.arena.model.withdrawal import (
    WithdrawalCancelled,
    WithdrawalEvent,
    WithdrawalExecuted,
    WithdrawalExtended,
    WithdrawalHome,
    WithdrawalLate,
    WithdrawalPlanned,
    Withdrawals,
)
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AssetId, EntryId

ENDS = (WithdrawalExecuted, WithdrawalCancelled)


def planned(name: str) -> WithdrawalPlanned:
    return WithdrawalPlanned(
        withdrawal=name, turn=0, asset=AssetId("USDC"), units=1, by_ns=1, reason="", idle=(), cuts=()
    )


def executed(name: str) -> WithdrawalExecuted:
    return WithdrawalExecuted(withdrawal=name, turn=1, entry_id=EntryId(f"withdrawal/{name}"))


names = st.sampled_from(["a", "b", "c"])
events: st.SearchStrategy[WithdrawalEvent] = st.one_of(
    names.map(planned),
    names.map(executed),
    names.map(lambda name: WithdrawalHome(withdrawal=name, turn=1)),
    names.map(lambda name: WithdrawalLate(withdrawal=name, turn=1, home_units=0)),
    names.map(lambda name: WithdrawalExtended(withdrawal=name, turn=1, cuts=())),
    names.map(lambda name: WithdrawalCancelled(withdrawal=name, turn=1, reason="")),
)


@given(st.lists(events, max_size=30))
def test_i33_a_withdrawal_ends_once_and_never_are_two_open(told: list[WithdrawalEvent]) -> None:
    folded, again = Withdrawals(), Withdrawals()
    taken: list[WithdrawalEvent] = []
    for event in told:
        with suppress(InvariantViolated):
            folded.apply(event)
            taken.append(event)
        assert len([each for each in folded.known.values() if each.is_open]) <= 1
    for event in taken:
        again.apply(event)

    assert again.canonical() == folded.canonical(), "what was refused left nothing behind"
    for name in folded.known:
        of_it = [event for event in taken if event.withdrawal == name]
        assert isinstance(of_it[0], WithdrawalPlanned)
        assert [type(event) for event in of_it].count(WithdrawalPlanned) == 1
        ends = [event for event in of_it if isinstance(event, ENDS)]
        assert ends in ([], [of_it[-1]]), "an end is the last that is told of it"
        assert bool(ends) == (not folded.known[name].is_open)
