"""What counts by day counts by the UTC day of the chain, over leap days and year ends too."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.small_chain import CHAIN_ID, OWN
from tests.unit.trading.test_nonce_slots import LIVE, confirmed, mined, settled
from treasury_actors.trading.model.nonce_slots import Slots
from treasury_actors.trading.model.transaction import TxSettled

FROM_S, UNTIL_S = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2041))
LEAP_S = int(datetime(2024, 2, 29, tzinfo=UTC).timestamp())
seconds = st.integers(FROM_S, UNTIL_S - 1)
near = st.one_of(
    seconds,
    st.builds(lambda day, off: FROM_S + day * 86_400 + off, st.integers(1, 7_669), st.integers(-2, 2)),
    st.integers(LEAP_S - 2, LEAP_S + 86_402),
)


@given(mined_s=near, asked_s=near)
def test_i25_a_fee_belongs_to_the_utc_day_it_was_burnt_on(mined_s: int, asked_s: int) -> None:
    slots = Slots(chain_id=CHAIN_ID, sender=OWN)
    told = settled()
    for event in (*LIVE, replace(mined(), time_s=mined_s), confirmed()):
        slots.apply(event)
    slots.apply(
        TxSettled(slot=told.slot, intent=told.intent, attempt=0, tx_hash=told.tx_hash, fee_wei=told.fee_wei)
    )

    days = [datetime.fromtimestamp(each, tz=UTC).date() for each in (mined_s, asked_s)]
    assert slots.fees_wei_of_day(asked_s) == (told.fee_wei if days[0] == days[1] else 0)
