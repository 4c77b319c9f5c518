"""What `money` does, on whole numbers of 128 bits, to the unit. Imports numba: import it late."""

from treasury_actors.simulation.compiled.jit import inner
from treasury_actors.simulation.compiled.layout import Record
from treasury_actors.simulation.compiled.wide import (
    Wide,
    bits_of,
    float_of,
    floor_div,
    high,
    joined,
    low,
    shifted,
    to_float,
    wide,
)

EXACT_MAX = 9.0e15
"""Below this, and 2^53, a float holds every whole number; larger values are left to plain calls."""
PPB = 1_000_000_000


@inner
def at(pairs: Record, place: int) -> Wide:
    """Return the amount that a row of halves holds."""
    return joined(pairs[place, 0], pairs[place, 1])


@inner
def put(pairs: Record, place: int, amount: Wide) -> None:
    """Write an amount into a row of halves."""
    pairs[place, 0] = high(amount)
    pairs[place, 1] = low(amount)


@inner
def read(pair: Record) -> Wide:
    """Return the amount of one pair of halves."""
    return joined(pair[0], pair[1])


@inner
def write(pair: Record, amount: Wide) -> None:
    """Write one pair of halves."""
    pair[0] = high(amount)
    pair[1] = low(amount)


@inner
def whole_number(number: float) -> int:
    """Return a float without its fraction, as `int` does; refuse what is no longer exact."""
    if not -EXACT_MAX < number < EXACT_MAX:
        raise OverflowError("a figure that floats can't hold exactly")
    return int(number)


@inner
def value_and_rest(table: Record, column: int, units: Wide, ticks: int) -> tuple[int, bool]:
    """Return what units are worth in micro-dollars, rounded down, and whether that left something out."""
    scale = at(table.micro_scale, column)
    value = whole_number(to_float(units) * float(ticks) / table.micro_scale_float[column])
    rest = units * wide(ticks) - wide(value) * scale
    while rest < wide(0):
        value -= 1
        rest = rest + scale
    while rest >= scale:
        value += 1
        rest = rest - scale
    return value, rest > wide(0)


@inner
def value_micro_usd(table: Record, column: int, units: Wide, ticks: int) -> int:
    """Return what units are worth in micro-dollars, rounded down: `Asset.value_micro_usd`."""
    return value_and_rest(table, column, units, ticks)[0]


@inner
def value_micro_usd_up(table: Record, column: int, units: Wide, ticks: int) -> int:
    """Return the same, rounded up."""
    value, rest = value_and_rest(table, column, units, ticks)
    return value + 1 if rest else value


@inner
def units_for_micro_usd(table: Record, column: int, micro_usd: int, ticks: int) -> Wide:
    """Return how many units micro-dollars buy, rounded down: `Asset.units_for_micro_usd`."""
    if ticks <= 0:
        raise ZeroDivisionError("no price")
    return floor_div(wide(micro_usd) * at(table.micro_scale, column), wide(ticks))


@inner
def units_for_micro_usd_up(table: Record, column: int, micro_usd: int, ticks: int) -> Wide:
    """Return the fewest units worth at least so much: `Asset.units_for_micro_usd_up`."""
    if ticks <= 0:
        raise ZeroDivisionError("no price")
    product = wide(micro_usd) * at(table.micro_scale, column)
    return floor_div(product + wide(ticks) - wide(1), wide(ticks))


@inner
def true_quotient(number: Wide, divisor: Wide) -> float:
    """
    Return the float nearest to a quotient, ties to even: what Python's `/` makes of two whole numbers.

    54 digits are guessed in floats and put right by the exact remainder, which is small, so that it is right
    even though the products it is made of lose what passes 128 bits. The last digit, and whether anything is
    left, round the rest.
    """
    guess = to_float(number) / to_float(divisor)
    if not SMALLEST <= guess < EXACT_MAX:
        if number == wide(0):
            return 0.0
        raise OverflowError("a quotient that floats can't hold exactly")
    places = 53 - ((bits_of(guess) >> 52) - 1023)
    digits = ((bits_of(guess) & (_2_52 - 1)) | _2_52) << 1
    while True:
        rest = shifted(number, places) - wide(digits) * divisor
        while rest < wide(0):
            digits -= 1
            rest = rest + divisor
        while rest >= divisor:
            digits += 1
            rest = rest - divisor
        if digits < 2 * _2_52:
            places += 1
            digits <<= 1
        elif digits >= 4 * _2_52:
            places -= 1
            digits >>= 1
        else:
            break
    half = digits & 1
    digits >>= 1
    if half == 1 and (rest > wide(0) or digits & 1 == 1):
        digits += 1
    return float(digits) * float_of((1023 + 1 - places) << 52)


_2_52 = 2**52
SMALLEST = 2.0**-60
"""A value in USD below this is left to plain calls."""
