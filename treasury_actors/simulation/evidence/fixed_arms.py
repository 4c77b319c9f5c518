"""What needs no search: plain lending, equal weights, ETH bought and held, and exponentiated gradient."""

from collections.abc import Callable
from math import exp, nan
from typing import NamedTuple

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import KEEP, View
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.windows import DAY_FRAMES, Window
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.market.model.features import HOURS_A_YEAR
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import MICRO_USD
from treasury_actors.simulation.evidence.history import History

WETH, WBTC, LENT = AssetId("WETH"), AssetId("WBTC"), AssetId("aUSDC")
_LEARNING_RATE = 0.05
_WEEK_H = 168


class _NoGenes(NamedTuple):
    """An arm has nothing to breed."""


class _Bought(NamedTuple):
    """Whether it has asked for what it holds."""

    asked: float = 0.0


class _Gradient(NamedTuple):
    """When to look next, what it holds, and at which prices it looked last."""

    next_frame: float = 0.0
    lent: float = 1 / 3
    ether: float = 1 / 3
    bitcoin: float = 1 / 3
    lent_usd: float = 0.0
    ether_usd: float = 0.0
    bitcoin_usd: float = 0.0


def fixed_arms() -> tuple[Family, ...]:
    """Return the arms that trade, each as a family with a single genome; equal weights keep half in cash."""
    return (
        _held("lending", (LENT,), (1.0,)),
        _held("equal_weight", (WETH, WBTC), (0.25, 0.25)),
        _held("buy_hold_eth", (WETH,), (1.0,)),
        _family("eg", (LENT, WETH, WBTC), _Gradient, _follow_gradient),
    )


def tbill_course(history: History, window: Window, *, capital_usd: int) -> WindowCourse | None:
    """Return capital in 6-month treasury bills, free of cost; None while their yield is unknown."""
    value, navs, rate = float(capital_usd), [capital_usd * MICRO_USD], nan
    for index in range(window.days * DAY_FRAMES):
        shown = history.season.frame(window.first_frame + index).tbill_rate
        rate = shown if shown == shown else rate  # noqa: PLR0124 (NaN differs from itself)
        if rate != rate:  # noqa: PLR0124
            return None
        value *= 1.0 + rate / HOURS_A_YEAR
        if (index + 1) % DAY_FRAMES == 0:
            navs.append(round(value * MICRO_USD))
    return WindowCourse(
        window=window,
        daily_nav_micro_usd=tuple(navs),
        max_drawdown_ratio=0.0,
        traded_micro_usd=0,
        trades=0,
        venue_shares=(),
        liquid_ratio_min=1.0,
        stable_ratio_min=1.0,
    )


def _held(name: str, names: tuple[AssetId, ...], weights: tuple[float, ...]) -> Family:
    """Return an arm that asks for fixed weights once and then leaves them alone."""

    def decide(state: _Bought, view: View, _: object) -> tuple[_Bought, list[float]]:
        if state.asked > 0.0 or not all(view.tradable(slot) for slot in range(view.count)):
            return state, KEEP
        return _Bought(1.0), list(weights)

    return _family(name, names, _Bought, decide)


def _follow_gradient(state: _Gradient, view: View, _: object) -> tuple[_Gradient, list[float]]:
    """Move weights towards what did best last week: w' ~ w exp(eta x / (w x)), Helmbold et al. (1998)."""
    if view.frame < state.next_frame or not all(view.tradable(slot) for slot in range(view.count)):
        return state, KEEP
    prices = [view.price_usd(slot) for slot in range(view.count)]
    weights = list(state[1:4])
    if state.lent_usd > 0.0:
        relatives = [now / then for now, then in zip(prices, state[4:], strict=True)]
        whole = sum(weight * x for weight, x in zip(weights, relatives, strict=True))
        grown = [
            weight * exp(_LEARNING_RATE * x / whole) for weight, x in zip(weights, relatives, strict=True)
        ]
        weights = [weight / sum(grown) for weight in grown]
    return _Gradient(float(view.frame + _WEEK_H), *weights, *prices), weights


def _family(
    name: str,
    names: tuple[AssetId, ...],
    state: Callable[..., tuple[float, ...]],
    decide: Callable[..., tuple[tuple[float, ...], list[float]]],
) -> Family:
    """Return an arm as a family."""

    def assets(_: Universe) -> tuple[AssetId, ...]:
        return names

    return Family(
        id=FamilyId(name),
        story="",
        genes=(),
        genome=_NoGenes,
        state=state,
        assets=assets,
        slowest_span_h=lambda _: 0,
        decide=decide,
    )
