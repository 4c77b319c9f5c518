"""What an L2 asks beside gas comes off what a transaction's gas may cost."""

import pytest

from tests.integration.evm.venues.place import Place
from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.trading.adapters.evm.data_fee import ENVELOPE_BYTES, DataFee
from treasury_actors.trading.adapters.evm.erc20 import UnreadableContract
from treasury_actors.trading.adapters.evm.placing import Placer

ORACLE = BASE.contract("optimism:gas-price-oracle").address
TIMES_SEVEN = "0x600435600702" + "600052" + "60206000f3"
"""An oracle that asks seven wei a byte: first argument times seven."""


async def test_an_oracle_is_asked_for_the_calldata_and_its_envelope(place: Place) -> None:
    await place.ask("anvil_setCode", ORACLE, TIMES_SEVEN)

    assert await DataFee(reads=place.reads, oracle=ORACLE).wei_at_most(260) == 7 * (260 + ENVELOPE_BYTES)


async def test_a_chain_that_has_no_such_oracle_is_a_fault_and_no_free_ride(place: Place) -> None:
    with pytest.raises(UnreadableContract):
        await DataFee(reads=place.reads, oracle=ORACLE).wei_at_most(260)


def test_base_has_its_oracle_pinned_and_the_placer_asks_it() -> None:
    assert ORACLE == "0x420000000000000000000000000000000000000F"
    assert "_data_fee_wei" in vars(Placer)
