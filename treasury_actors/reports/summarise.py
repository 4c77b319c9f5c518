"""From a history to its summary: counts, standings, lines and the verdict."""

from collections.abc import Mapping, Sequence
from math import sqrt

from treasury_actors.agents.model.metrics.overfitting import deflated_sharpe, probabilistic_sharpe
from treasury_actors.agents.model.metrics.regression import regress
from treasury_actors.agents.model.metrics.returns import apy
from treasury_actors.agents.model.metrics.series import DAYS_A_YEAR
from treasury_actors.agents.model.metrics.sharpe import (
    VOLATILITY_FLOOR_RATIO,
    sharpe,
    sharpe_error,
    sharpe_ranked,
)
from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.model.events import CapitalRefused, GenomeRefused
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.utc import utc_text
from treasury_actors.reports.attribution import aggregate_impact_micro_usd, attribute
from treasury_actors.reports.factors import aligned, daily_returns, factors_of
from treasury_actors.reports.history import AgentHistory, History, rejections
from treasury_actors.reports.lines import equal_weight_line, lending_line, lived, tbill_line
from treasury_actors.reports.reach import reach_of
from treasury_actors.reports.summary import (
    AgentFigures,
    CapitalFigures,
    Champion,
    DataFigures,
    FamilyFigures,
    Graveyard,
    JournalFigures,
    LineFigures,
    RunContext,
    Skill,
    Standing,
    Summary,
)
from treasury_actors.reports.verdict import Evidence, Rival, Verdict, judge
from treasury_actors.trading.model.order import OrderEnded
from treasury_actors.trading.model.valuation import nav_micro_usd

HOUR_S = HOUR_NS / 1e9
_STARTS = frozenset({"initial", "carried"})


def summarise(history: History, season: Season, context: RunContext) -> Summary:
    """Return every figure of a report on `season`, as `history` tells it."""
    days = (history.last_frame + 1) / DAY_FRAMES
    markets = _Markets(history, season, context)
    standings = [markets.standing(agent) for agent in history.living]
    dead = [markets.standing(agent) for agent in history.dead]
    capital, journal = _capital(history, season, days), _journal(history, context)
    attribution, skill = attribute(history, season), markets.skill()
    lines = _lines(history, season, context)
    graveyard = Graveyard(
        count=len(dead),
        pnl_micro_usd=sum(standing.pnl_micro_usd for standing in dead),
        costs_micro_usd=sum(standing.costs.total_micro_usd for standing in dead),
        trades=sum(standing.trades for standing in dead),
    )
    starts = sum(agent.born.operator in _STARTS for agent in history.agents.values())
    by_reason = _by_reason(history)
    return Summary(
        run_id=context.run_id,
        label=season.label,
        seed=context.seed,
        data=_data(history, season, days),
        agents=AgentFigures(
            spawned=len(history.agents),
            alive=len(history.living),
            crashed=history.supervision.crashes,
            restarted=history.supervision.restarts,
            quarantined=history.supervision.quarantines,
            frozen=sum(agent.is_frozen for agent in history.living),
        ),
        generations=history.rounds[-1].generation if history.rounds else 0,
        births=len(history.agents) - starts,
        deaths=len(history.dead),
        rounds=tuple(held.turn for held in history.rounds),
        trades=len(history.fills),
        rejections=sum(by_reason.values()),
        rejections_by_reason=tuple(sorted(by_reason.items(), key=lambda item: (-item[1], item[0]))),
        ended_early=sum(isinstance(r, OrderEnded) and r.hop > 0 for _, r in history.refusals),
        genomes_refused=sum(isinstance(r, GenomeRefused) for _, r in history.refusals),
        families=_families(history),
        capital=capital,
        reach=reach_of(history, season, context.spending, days=days),
        imbalances=history.imbalances,
        journal=journal,
        lines=lines,
        attribution=attribution,
        sources=history.sources,
        aggregate_impact_micro_usd=aggregate_impact_micro_usd(history, season),
        skill=skill,
        champion=markets.champion(min(standings, key=_rank, default=None)),
        leaderboard=tuple(sorted(standings, key=_rank)),
        graveyard=graveyard,
        graveyard_rows=tuple(dead),
        demotions=history.demotions,
        states=tuple((frame, f"{s.state} by {s.by}: {s.reason}") for frame, s in history.states),
        verdict=_verdict(
            history,
            season,
            journal=journal,
            lines=lines,
            beta_micro_usd=attribution.beta_micro_usd,
            skill=skill,
            graveyard=graveyard,
        ),
        notes=context.notes,
        wall_s=context.wall_s,
        speed_x=(history.last_frame + 1) * HOUR_S / context.wall_s if context.wall_s > 0.0 else None,
    )


def _rank(standing: Standing) -> tuple[bool, int, float, str]:
    """Order by fitness, those without one last, then by return."""
    fitness = standing.fitness_ppb
    return (fitness is None, -(fitness or 0), -standing.return_ratio, standing.agent)


class _Markets:
    """What every standing is measured against: lending and the factors, day by day."""

    def __init__(self, history: History, season: Season, context: RunContext) -> None:
        self._history = history
        self._factors = factors_of(season.universe)
        last = history.last_frame
        self._lending = daily_returns(season, context.lending_asset, last)
        self._returns = [daily_returns(season, factor.price_asset, last) for factor in self._factors]

    def skill(self) -> Skill:
        """Return what the arena's own daily returns show."""
        returns = self._history.course.daily_returns()
        excess, factors = aligned(returns, self._lending, self._returns)
        return Skill(
            factors=tuple(factor.name for factor in self._factors),
            regression=regress(excess, factors),
            sharpe=sharpe(excess),
            sharpe_se=sharpe_error(len(excess)),
        )

    def champion(self, first: Standing | None) -> Champion:
        """Return how much of the first one's record may be luck."""
        days = {name: self._excess(agent) for name, agent in self._history.agents.items()}
        floor = VOLATILITY_FLOOR_RATIO / sqrt(DAYS_A_YEAR)  # without one, lenders' ratios are all the spread
        ratios = [sharpe_ranked(each, periods_a_year=1, floor_ratio=floor) for each in days.values()]
        reasons = ["PBO: agents of one season live on different days, and it compares trials on the same"]
        own = days[first.agent] if first is not None and first.fitness_ppb is not None else ()
        dsr = deflated_sharpe(
            own, [ratio for ratio in ratios if ratio is not None], trials=float(len(days) or 1)
        )
        if dsr is None:
            reasons.append(
                "DSR: nobody has a fitness, or its days over lending are too few or do not deviate"
            )
        return Champion(
            agent=first.agent if first is not None and own else None,
            psr=probabilistic_sharpe(own),
            dsr=dsr,
            pbo=None,
            trials=len(days),
            undefined=tuple(reasons),
        )

    def _excess(self, agent: AgentHistory) -> Sequence[float]:
        """Return an agent's days over lending."""
        return aligned(agent.course.daily_returns(), self._lending, self._returns)[0]

    def standing(self, agent: AgentHistory) -> Standing:
        """Return how one agent stands."""
        excess, factors = aligned(agent.course.daily_returns(), self._lending, self._returns)
        fit = regress(excess, factors)
        end = self._history.last_frame + 1 if agent.retired is None else agent.retired.turn
        days = max(0, end - agent.born.turn) / DAY_FRAMES
        return Standing(
            agent=agent.born.agent,
            family=agent.born.family,
            born_frame=agent.born.turn,
            generation=agent.born.generation,
            parents=agent.born.parents,
            operator=agent.born.operator,
            days=days,
            fitness_ppb=agent.fitness.value_ppb if agent.fitness else None,
            adds_ppb=agent.adds_ppb,
            nav_micro_usd=agent.course.nav_micro_usd,
            pnl_micro_usd=agent.pnl_micro_usd,
            costs=agent.costs,
            return_ratio=agent.course.return_ratio,
            against_lending_ratio=agent.course.return_ratio - agent.lending_return_ratio,
            apy_ratio=apy(agent.course.return_ratio, days),
            max_drawdown_ratio=agent.course.max_drawdown_ratio,
            trades=agent.trades,
            betas=fit.betas if fit else None,
            died=agent.retired.reason if agent.retired else "",
            died_frame=agent.retired.turn if agent.retired else None,
        )


def _data(history: History, season: Season, days: float) -> DataFigures:
    return DataFigures(
        source=season.source,
        hash=season.data_hash,
        start=utc_text(season.frame(0).time_ns),
        end=utc_text(season.frame(history.last_frame).time_ns),
        frames=history.last_frame + 1,
        days=days,
    )


def _capital(history: History, season: Season, days: float) -> CapitalFigures:
    universe, frame = season.universe, season.frame(history.last_frame)
    idle = nav_micro_usd(universe, [(universe.reserve, history.idle_units)], frame)
    return CapitalFigures(
        deposited_micro_usd=history.invested_micro_usd,
        withdrawn_micro_usd=history.withdrawn_micro_usd,
        nav_micro_usd=history.nav_micro_usd[-1],
        exit_nav_micro_usd=history.exit_nav_micro_usd[-1],
        idle_micro_usd=idle,
        own_pnl_micro_usd=history.gain_micro_usd - sum(a.pnl_micro_usd for a in history.agents.values()),
        costs=history.costs,
        return_ratio=history.course.return_ratio,
        max_drawdown_ratio=history.course.max_drawdown_ratio,
        apy_ratio=apy(history.course.return_ratio, days),
    )


def _journal(history: History, context: RunContext) -> JournalFigures:
    return JournalFigures(
        path=context.journal_path,
        events=history.events,
        entries=history.entries,
        head_hash=history.head_hash,
        state_hash=context.state_hash,
        replay_hash=context.replay_hash,
    )


def _lines(history: History, season: Season, context: RunContext) -> tuple[LineFigures, ...]:
    """Return every line, the arena last."""
    flows, last = history.flows, history.last_frame
    lending = lending_line(season, flows, last_frame=last, asset=context.lending_asset, chain=context.chain)
    equal = equal_weight_line(season, flows, last_frame=last, chain=context.chain)
    told = (
        ("lending", "all lent at Aave USDC", lending),
        ("tbill", "6-month T-bills", tbill_line(season, flows, last_frame=last)),
        ("equal_weight", "equal assets, held", equal),
        ("equal_agents", "same first agents, equal capital, no allocator", context.equal_agents),
        ("random_agents", "random agents, no evolution", context.random_agents),
        ("arena", "this arena", lived(history, season)),
    )
    return tuple(LineFigures(key=key, title=title, result=result) for key, title, result in told)


def _families(history: History) -> tuple[FamilyFigures, ...]:
    """Return a line for every family that ever lived in the season, by name."""
    members: dict[FamilyId, list[AgentHistory]] = {}
    for agent in history.agents.values():
        members.setdefault(agent.born.family, []).append(agent)
    return tuple(
        FamilyFigures(
            name=name,
            agents=sum(agent.is_living for agent in family),
            born=len(family),
            trades=sum(agent.trades for agent in family),
            nav_micro_usd=sum(agent.course.nav_micro_usd for agent in family if agent.is_living),
            pnl_micro_usd=sum(agent.pnl_micro_usd for agent in family),
        )
        for name, family in sorted(members.items())
    )


def _by_reason(history: History) -> Mapping[str, int]:
    """Return how often each reason refused an order or capital."""
    counts: dict[str, int] = {}
    for _, refusal in rejections(history):
        kind = "capital_" if isinstance(refusal, CapitalRefused) else ""
        reason = f"{kind}{refusal.reason}"
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _verdict(
    history: History,
    season: Season,
    *,
    journal: JournalFigures,
    lines: Sequence[LineFigures],
    beta_micro_usd: int,
    skill: Skill,
    graveyard: Graveyard,
) -> Verdict:
    """Judge what was found."""
    rivals = tuple(
        Rival(title=line.title, nav_micro_usd=line.result.nav_micro_usd if line.result else None)
        for line in lines
        if line.key != "arena"
    )
    return judge(
        Evidence(
            label=season.label,
            days=(history.last_frame + 1) / DAY_FRAMES,
            seasons=len(history.data_hashes),
            books_hold=not history.imbalances and journal.replay_is_live is not False,
            nav_micro_usd=history.nav_micro_usd[-1],
            gain_micro_usd=history.gain_micro_usd,
            beta_micro_usd=beta_micro_usd,
            rivals=rivals,
            regression=skill.regression,
            dead_count=graveyard.count,
            dead_pnl_micro_usd=graveyard.pnl_micro_usd,
        )
    )
