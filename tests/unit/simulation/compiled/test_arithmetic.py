"""Whole numbers of 128 bits in machine code, against Python's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulation.houses import house_rules
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.compiled.layout import Record, halves, make_table, whole

pytest.importorskip("numba", reason="numba is not installed: nothing is compiled")

from treasury_actors.simulation.compiled import arithmetic, wide
from treasury_actors.simulation.compiled.jit import outer

pytestmark = pytest.mark.timeout(600)
"""Whoever is first makes the machine code, which takes a while on a busy machine."""
AMOUNTS = st.integers(0, 10**28)
TABLES = np.array([make_table(MAINNET, house_rules())])


@outer
def divided(number: tuple[int, int], divisor: tuple[int, int]) -> tuple[int, int]:
    found = wide.floor_div(wide.joined(number[0], number[1]), wide.joined(divisor[0], divisor[1]))
    return wide.high(found), wide.low(found)


@outer
def true_quotient(number: tuple[int, int], divisor: tuple[int, int]) -> float:
    return arithmetic.true_quotient(wide.joined(number[0], number[1]), wide.joined(divisor[0], divisor[1]))


@outer
def priced(tables: Record, column: int, units: tuple[int, int], ticks: int) -> tuple[int, int]:
    amount, table = wide.joined(units[0], units[1]), tables[0]
    return (
        arithmetic.value_micro_usd(table, column, amount, ticks),
        arithmetic.value_micro_usd_up(table, column, amount, ticks),
    )


@outer
def bought(
    tables: Record, column: int, micro_usd: int, ticks: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    down = arithmetic.units_for_micro_usd(tables[0], column, micro_usd, ticks)
    up = arithmetic.units_for_micro_usd_up(tables[0], column, micro_usd, ticks)
    return (wide.high(down), wide.low(down)), (wide.high(up), wide.low(up))


@settings(max_examples=300)
@given(number=st.integers(0, 2**125), divisor=st.integers(1, 2**100))
def test_a_division_rounds_down_to_the_unit(number: int, divisor: int) -> None:
    assert whole(divided(halves(number), halves(divisor))) == number // divisor


@settings(max_examples=300)
@given(number=st.integers(0, 2**113), exponent=st.integers(9, 28))
def test_a_true_quotient_has_the_bits_of_pythons(number: int, exponent: int) -> None:
    if number / 10**exponent < arithmetic.EXACT_MAX and (number == 0 or number / 10**exponent > 2.0**-59):
        assert true_quotient(halves(number), halves(10**exponent)) == number / 10**exponent


@settings(max_examples=300)
@given(digits=st.integers(2**53, 2**54 - 1), exponent=st.integers(9, 28), fall=st.integers(0, 60))
def test_a_quotient_halfway_between_two_floats_goes_to_the_even_one(
    digits: int, exponent: int, fall: int
) -> None:
    number = (digits | 1) * 10**exponent // 2**fall
    if number < 2**120 and number / 10**exponent < arithmetic.EXACT_MAX:
        assert true_quotient(halves(number), halves(10**exponent)) == number / 10**exponent


@settings(max_examples=300)
@given(column=st.integers(0, len(MAINNET.assets) - 1), units=AMOUNTS, ticks=st.integers(1, 10**12))
def test_a_value_is_that_of_money_to_the_micro_dollar(column: int, units: int, ticks: int) -> None:
    asset = MAINNET.assets[column]
    down, up = asset.value_micro_usd(units, ticks), -asset.value_micro_usd(-units, ticks)
    if up >= arithmetic.EXACT_MAX * 0.999:
        return

    assert priced(TABLES, column, halves(units), ticks) == (down, up)


@settings(max_examples=300)
@given(
    column=st.integers(0, len(MAINNET.assets) - 1),
    micro_usd=st.integers(0, 8 * 10**15),
    ticks=st.integers(1, 10**12),
)
def test_units_for_a_value_are_those_of_money_to_the_unit(column: int, micro_usd: int, ticks: int) -> None:
    asset = MAINNET.assets[column]

    down, up = bought(TABLES, column, micro_usd, ticks)

    assert whole(down) == asset.units_for_micro_usd(micro_usd, ticks)
    assert whole(up) == asset.units_for_micro_usd_up(micro_usd, ticks)


def test_a_value_that_floats_cannot_hold_is_refused() -> None:
    with pytest.raises(OverflowError):
        priced(TABLES, 0, halves(10**17), 10**10)
