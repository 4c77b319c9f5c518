"""How each headline figure of a report is computed, and which entries of the journal it is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """
    One figure.

    Attributes:
        key: the anchor of its formula in the page; never changed, because links hold on to it.
        entries: the events it rests on, and the file of the run folder that lists them.
    """

    key: str
    name: str
    formula: str
    entries: str


_BOOKS = "`ledger.entry_posted` of every kind, at the prices of the frame"

FORMULAS: tuple[Formula, ...] = (
    Formula(
        key="gain",
        name="Gain",
        formula="NAV at the last frame + withdrawals - deposits, these at the prices of their own frames."
        " NAV = sum over assets of floor(units x price).",
        entries=f"{_BOOKS}; flows are those of kind `deposit` and `withdraw`; hour by hour in `nav.csv`",
    ),
    Formula(
        key="return",
        name="Return",
        formula="Time-weighted: the product of NAV after / NAV before between two flows of capital, - 1.",
        entries=f"{_BOOKS}; `nav.csv`",
    ),
    Formula(
        key="ahead",
        name="Against lending",
        formula="NAV at the last frame - what the same flows, lent at Aave USDC, had become then.",
        entries="flows as in Gain, at the share prices of the lending token; `nav.csv`, `lending_usd`",
    ),
    Formula(
        key="drawdown",
        name="Worst drawdown",
        formula="max over frames t of 1 - I(t) / max(I(0) .. I(t)); I is the time-weighted index.",
        entries=f"{_BOOKS}; `nav.csv`, `drawdown`",
    ),
    Formula(
        key="costs",
        name="Costs of trading",
        formula="Sum over fills of pool fee + price impact and haircut + gas, in micro-dollars of the fill's"
        " own frame.",
        entries="`trading.order_filled`; one row each in `trades.csv`",
    ),
    Formula(
        key="exit",
        name="Exit NAV",
        formula="What selling every holding into the reserve at the last frame would bring: each on its"
        " route, after fees and impact, before gas.",
        entries=f"{_BOOKS}; `nav.csv`, `exit_nav_usd`",
    ),
    Formula(
        key="alpha",
        name="Alpha a day",
        formula="Intercept of daily returns over lending regressed on those of ETH and BTC; its t with"
        " Newey-West errors.",
        entries="returns of `nav.csv` at day closes, flows taken out",
    ),
    Formula(
        key="sharpe",
        name="Sharpe over lending",
        formula="mean / deviation (n - 1) of daily returns over lending x sqrt(365); its error is"
        " sqrt(365 / days).",
        entries="returns of `nav.csv` at day closes, flows taken out",
    ),
    Formula(
        key="liquid",
        name="Liquid in 24 h",
        formula="Share of NAV, gas money aside, that 24 hours of the last frame's capacities turn into the"
        " reserve at no more than 1% of impact an hour.",
        entries=f"{_BOOKS}",
    ),
    Formula(
        key="runway",
        name="Runway",
        formula="Exit value within 24 h / burn a month. Exit value within n hours: every holding on its"
        " route, each hour at most the last frame's capacities and 1% of impact, after fees; cash is liquid"
        " now; the rest at its NAV is locked. After running costs: the gain - cost a month x days / 30.44.",
        entries=f"{_BOOKS}; `[treasury]` of the config",
    ),
    Formula(
        key="dead",
        name="The dead",
        formula="Sum over retired agents of capital returned + NAV left - capital allotted.",
        entries="`arena.agent_retired`, `arena.agent_closed`, entries of kind `allot` and `return`;"
        " one row each in `graveyard.csv`",
    ),
    Formula(
        key="sources",
        name="Who made what",
        formula="price = units x change of price, less yield; yield = units x price x (1 - share price"
        " before / now), frame by frame; fees and impact as each fill says; slippage = what a fill brought -"
        " what was given + fee + impact; gas = burnt, or charged to an agent. Summed exactly, each line"
        " rounded once, the roundings are a line: all lines together are the gain.",
        entries="`ledger.entry_posted`, `trading.order_filled`; every line in `sources.csv`",
    ),
    Formula(
        key="beta",
        name="Parts of the gain",
        formula="beta = mean dollar exposure before each frame's fills x the asset's return from the first"
        " frame to the last; price = gain - beta - yield + costs.",
        entries=f"{_BOOKS}; `trading.order_filled`",
    ),
    Formula(
        key="fitness",
        name="Fitness",
        formula="Mean over 4 to 26 blocks of days of g - 1.5 sigma^2 - max(0, MDD - 15%), a year, less one"
        " standard error of that mean.",
        entries="`arena.fitness_recorded`, with the key of the record it was computed from",
    ),
    Formula(
        key="contribution",
        name="Adds to the book",
        formula="U(book with the agent) - U(book without it), the others in its place: shares of capital as"
        " at the round, the last 90 days on which it and somebody else have a return, 28 at least;"
        " U = g - 1.5 sigma^2 - max(0, MDD - 15%), a year.",
        entries="`arena.book_recorded`, at every round",
    ),
    Formula(
        key="champion",
        name="DSR and PBO of the champion",
        formula="DSR = PSR over the Sharpe ratio that the best of all trials shows by luck; here trials are"
        " all agents of the season, each over its own days. PBO = share of halves of time whose best trial is"
        " in the lower half outside; it needs trials on the same days, as a search logs them.",
        entries="`arena.agent_born`, and the entries of every agent; of a search the log of trials"
        " (`evolve`, `walk-forward`, `evidence`)",
    ),
)
