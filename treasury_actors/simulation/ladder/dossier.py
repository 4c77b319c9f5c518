"""What is known of each candidate at a gate: from journal, books and the days it lived; and the proof."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from math import sqrt

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.metrics.overfitting import deflated_sharpe, probabilistic_sharpe
from treasury_actors.agents.model.metrics.returns import excess_over
from treasury_actors.agents.model.metrics.series import DAYS_A_YEAR, deviation, mean
from treasury_actors.agents.model.metrics.tracking import tracking_error, tracking_gap
from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.arena.model.graduation import Candidate, Lived
from treasury_actors.arena.model.ladder import posterior_above
from treasury_actors.arena.model.roster import Member
from treasury_actors.evolution.model.windows import DAY_FRAMES, Window
from treasury_actors.ids import AgentId, FamilyId
from treasury_actors.journal.event import Recorded
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evidence.history import History, returns_of
from treasury_actors.simulation.evidence.plain import PlainEvaluator
from treasury_actors.simulation.ladder.examine import EvidenceRecord
from treasury_actors.trading.model.order import OrderFilled
from treasury_actors.trading.model.transaction import TxReverted

BASELINES = frozenset({FamilyId("idle_cash")})
_PRIOR_VARIANCE_MIN = 1e-4
_RISK_AVERSION = 4.0
_BREACH_DAYS_MAX = 4
_SETTLING_DAYS = 1
"""Left out of tracking: live it first decides an hour after it was paid, resimulated at once."""


def trades_by_agent(records: Iterable[Recorded]) -> dict[AgentId, int]:
    """Return how many hops of each agent were filled."""
    found: dict[AgentId, int] = {}
    for recorded in records:
        if recorded.type == "trading.order_filled.v1" and isinstance(event := recorded.event, OrderFilled):
            found[event.agent] = found.get(event.agent, 0) + 1
    return found


def reverted_by_agent(records: Iterable[Recorded]) -> dict[AgentId, int]:
    """Return how many transactions of each agent were mined and reverted."""
    found: dict[AgentId, int] = {}
    for recorded in records:
        if recorded.type.startswith("trading.tx_reverted") and isinstance(
            event := recorded.event, TxReverted
        ):
            agent = AgentId(event.intent.split("/", 1)[0])
            found[agent] = found.get(agent, 0) + 1
    return found


class Resimulation:
    """An agent's days again, by plain calls on the same frames with the same capital."""

    def __init__(self, history: History, families: Mapping[FamilyId, Family], rules: HouseRules) -> None:
        self._history = history
        self._families = families
        self._rules = rules

    def daily_returns(self, member: Member, *, days: int, capital_usd: int) -> tuple[float, ...]:
        """Return what each whole day since its birth should have brought."""
        window = Window(
            history=self._history.name, label=self._history.label, first_frame=member.born.turn, days=days
        )
        evaluator = PlainEvaluator(self._history, self._families, self._rules, capital_usd=capital_usd)
        course = evaluator([member.genome], window)[0]
        navs = course.daily_nav_micro_usd
        return returns_of([nav / navs[0] for nav in navs])


def excess_days(track: TrackRecord) -> tuple[float, ...]:
    """Return an agent's days over lending."""
    return excess_over(track.daily_returns, track.lending_returns)


def gain_and_error(excess: Sequence[float]) -> tuple[float, float] | None:
    """
    Return the certainty equivalent over lending, annual, and its standard error; None under 3 days.

    mean x 365 less (lambda - 1)/2 of the annual variance; se = sd sqrt(365) sqrt(365 / n).
    """
    if len(excess) < 3:  # noqa: PLR2004  a deviation of two says nothing
        return None
    spread = deviation(excess)
    variance = spread * spread * DAYS_A_YEAR
    gain = mean(excess) * DAYS_A_YEAR - 0.5 * (_RISK_AVERSION - 1.0) * variance
    return gain, spread * DAYS_A_YEAR / sqrt(len(excess))


def prior_variance(gains: Sequence[tuple[float, float]]) -> float:
    """Return how far true gains differ: max(var(gain) - mean(se^2), 1e-4), of all candidates together."""
    if len(gains) < 2:  # noqa: PLR2004  one has no spread
        return _PRIOR_VARIANCE_MIN
    spread = deviation([gain for gain, _ in gains]) ** 2
    return max(_PRIOR_VARIANCE_MIN, spread - mean([error * error for _, error in gains]))


def lived(
    live: Sequence[float],
    resimulated: Sequence[float],
    excess: Sequence[float],
    *,
    out_of_sample: Sequence[float],
    variance: float,
    trial_sharpes: Sequence[float],
    trials: int,
) -> Lived:
    """
    Return what an agent's days say.

    Args:
        live, resimulated: returns of the same days with this mandate.
        excess: of those days over lending; `out_of_sample`: of all its days forward, on every rung.
        variance: of the prior its gain is shrunk by.
    """
    count = min(len(live), len(resimulated))
    mine, again = live[_SETTLING_DAYS:count], resimulated[_SETTLING_DAYS:count]
    gap = tracking_gap(mine, again)
    found = gain_and_error(excess)
    return Lived(
        tracking_error_ratio=tracking_error(mine, again),
        tracking_sum_ratio=gap.sum_ratio if gap else None,
        tracking_t=gap.t if gap else None,
        posterior=posterior_above(*found, variance) if found else None,
        psr=probabilistic_sharpe(out_of_sample) if out_of_sample else None,
        dsr=deflated_sharpe(out_of_sample, trial_sharpes, trials=float(max(1, trials)))
        if out_of_sample and trial_sharpes
        else None,
    )


def breach_days(live: Sequence[float], resimulated: Sequence[float]) -> int:
    """Return how many days in a row, up to the last, live was not what its resimulation says; 4 at most."""
    found = 0
    for back in range(_BREACH_DAYS_MAX):
        count = min(len(live), len(resimulated)) - back
        mine, again = live[_SETTLING_DAYS:count], resimulated[_SETTLING_DAYS:count]
        gap = tracking_gap(mine, again)
        at = Lived(
            tracking_error_ratio=tracking_error(mine, again),
            tracking_sum_ratio=gap.sum_ratio if gap else None,
            tracking_t=gap.t if gap else None,
        )
        if at.tracks is not False:
            break
        found += 1
    return found


def days_of(member: Member, frame: int) -> float:
    """Return the days since an agent was born."""
    return (frame - member.born.turn) / DAY_FRAMES


def proof_of(candidates: Sequence[Candidate], records: Sequence[EvidenceRecord]) -> tuple[str, str]:
    """Return everything a gate looked at, as JSON, and its SHA-256."""
    content = {
        "candidates": [asdict(candidate) for candidate in candidates],
        "genomes": [{**asdict(record), "hash": record.hash} for record in records],
    }
    text = json.dumps(content, sort_keys=True, indent=1)
    return text, sha256(text.encode()).hexdigest()
