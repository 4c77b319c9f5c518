"""Numbers as a treasurer reads them: dollars with separators, ratios in percent, a dash for the unknown."""

from treasury_actors.money import MICRO_USD

UNKNOWN = "—"
_CENT = MICRO_USD // 100


def dollars(micro_usd: int | None, *, signed: bool = False, cents: bool = False) -> str:
    """Return dollars, rounded half away from zero to whole ones or to cents; the sign stands first."""
    if micro_usd is None:
        return UNKNOWN
    unit = _CENT if cents else MICRO_USD
    whole = (abs(micro_usd) + unit // 2) // unit
    figure = f"{whole // 100:,}.{whole % 100:02d}" if cents else f"{whole:,}"
    return f"{_sign(micro_usd if whole else 0, signed=signed)}${figure}"


def exact_dollars(micro_usd: int, *, signed: bool = False) -> str:
    """Return dollars to the micro-dollar."""
    whole, rest = divmod(abs(micro_usd), MICRO_USD)
    return f"{_sign(micro_usd, signed=signed)}${whole:,}.{rest:06d}"


def percent(ratio: float | None, *, signed: bool = False, places: int = 2) -> str:
    """Return a ratio in percent."""
    if ratio is None:
        return UNKNOWN
    figure = f"{abs(ratio):.{places}%}"
    is_zero = not figure.strip("0.%")
    return f"{_sign(0.0 if is_zero else ratio, signed=signed)}{figure}"


def decimal(value: float | None, places: int = 2) -> str:
    """Return a plain number; never "-0.00"."""
    if value is None:
        return UNKNOWN
    figure = f"{value:.{places}f}"
    return figure if figure.strip("-0.") else figure.lstrip("-")


def typeset(figure: str) -> str:
    """Return a printed figure with the minus sign of print, as wide as a plus."""
    return f"\N{MINUS SIGN}{figure[1:]}" if figure[:1] == "-" and figure[1:] else figure


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 round`, `25 rounds`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _sign(value: float, *, signed: bool) -> str:
    if value < 0:
        return "-"
    return "+" if signed and value > 0 else ""
