"""
Stablecoins of a generated season: small noise around a dollar, a wandering USDC/USDT ratio, rare depegs.

A depeg falls over hours and comes back over days. One in eight of those that strike USDT does not come
back, as UST did not: else buying every fall would be a sure win. USDC always returns, because capital is
counted in it; the notes of a season say so.
"""

from dataclasses import dataclass

from treasury_actors.ids import AssetId
from treasury_actors.market.model.generated_chance import Reverting, decay, hourly_draws
from treasury_actors.market.model.generated_prices import Moods

DEPEG_A_HOUR = 9.4e-5
"""Hazard of a depeg while none runs: 1 - (1 - hazard)**4320 is a third of all seasons of 180 days."""

DEPTH_LEAST, DEPTH_SPAN = 0.03, 0.09
FALL_LEAST_H, FALL_SPAN_H = 6.0, 42.0
BACK_LEAST_H, BACK_SPAN_H = 12.0, 60.0
LASTING_SHARE = 0.125
LASTING_FACTOR = 5.0

_STREAM = 2
_BPS = 1e-4
_OVER = 0.001
_NOISE_SD, _NOISE_HALF_LIFE_H = 0.05, 8.0
_USDC, _USDT = AssetId("USDC"), AssetId("USDT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pegs:
    """USD prices of the stablecoins, and how far each is off by a depeg (0 = none), one number an hour."""

    usd: dict[AssetId, list[float]]
    depeg: dict[AssetId, list[float]]


class _Depeg:
    """The depeg that runs, if any; `gap` is how far its coin lies below a dollar, as a fraction."""

    __slots__ = ("back", "coin", "fall", "falling_h", "gap", "goal", "lasting")

    def __init__(self) -> None:
        self.coin = _USDT
        self.gap = self.goal = self.fall = self.back = self.falling_h = 0.0
        self.lasting = False

    def step(self, draws: list[float]) -> None:
        """Move one hour by six uniform draws: strike, which coin, depth, fall, recovery, lasting."""
        strike, coin, depth, fall, back, lasting = draws
        if self.falling_h > 0.0:
            self.falling_h -= 1.0
            self.gap += (self.goal - self.gap) * self.fall
        elif not self.lasting:
            self.gap -= self.gap * self.back
        if self.lasting or self.gap > _OVER or strike >= DEPEG_A_HOUR:
            return
        self.coin = _USDC if coin < 0.5 else _USDT  # noqa: PLR2004 (a fair coin)
        self.goal = DEPTH_LEAST + DEPTH_SPAN * depth * depth
        self.falling_h = FALL_LEAST_H + FALL_SPAN_H * fall
        self.fall = decay(self.falling_h / 5.0)
        self.back = decay(BACK_LEAST_H + BACK_SPAN_H * back)
        self.lasting = self.coin == _USDT and lasting < LASTING_SHARE
        if self.lasting:
            self.goal *= LASTING_FACTOR


def generate_pegs(seed: int, moods: Moods, *, warmup_h: int) -> Pegs:
    """
    Return the stablecoins of a season whose market has `moods`; noise doubles and more under stress.

    No depeg strikes in the `warmup_h` hours before the season: none begins with a coin already broken.
    """
    hours = len(moods.stress)
    normals, uniforms = hourly_draws(seed, _STREAM, hours, normals=4, uniforms=6)
    dollar = Reverting(2.5 * _BPS, 8.0)
    slow, fast = Reverting(5.0 * _BPS, 12.0 * 24), Reverting(2.3 * _BPS, 10.0)
    depeg, shiver = _Depeg(), Reverting(_NOISE_SD, _NOISE_HALF_LIFE_H)
    found = Pegs(usd={_USDC: [], _USDT: []}, depeg={_USDC: [], _USDT: []})
    for hour, (normal, uniform, stress) in enumerate(zip(normals, uniforms, moods.stress, strict=True)):
        noise = 1.0 + 2.0 * stress
        gap = depeg.gap * (1.0 + shiver.step(normal[3]))
        gaps = {coin: gap if coin == depeg.coin else 0.0 for coin in found.usd}
        usdc = 1.0 + dollar.step(normal[0])
        usdc_in_usdt = 1.0 + slow.step(normal[1]) + noise * fast.step(normal[2])
        found.usd[_USDC].append(usdc * (1.0 - gaps[_USDC]))
        found.usd[_USDT].append(usdc / usdc_in_usdt * (1.0 - gaps[_USDT]))
        for coin, off in gaps.items():
            found.depeg[coin].append(off)
        if hour >= warmup_h:
            depeg.step(uniform)
    return found
