"""The summary as one JSON object: money as exact decimal strings, ratios as fractions, unknown as null."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from treasury_actors.money import usd
from treasury_actors.reports.history import Costs
from treasury_actors.reports.reach import reach_object
from treasury_actors.reports.sources import SOURCES, TREASURY, Source, by, by_agent, by_asset, by_stage, total
from treasury_actors.reports.summary import FamilyFigures, LineFigures, Standing, Summary

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None

_PPB = 10**9


def to_json(summary: Summary) -> str:
    """Return one object on indented lines, keys in a fixed order, newline at the end; never NaN."""
    return json.dumps(to_object(summary), indent=1, allow_nan=False) + "\n"


def to_object(summary: Summary) -> dict[str, Json]:
    """Return the keys that scripts rely on first, then those that only explain."""
    data, agents, journal = summary.data, summary.agents, summary.journal
    return {
        "run_id": summary.run_id,
        "label": summary.label,
        "seed": summary.seed,
        "data": {
            "source": data.source,
            "hash": data.hash,
            "start": data.start,
            "end": data.end,
            "frames": data.frames,
        },
        "agents": {
            "spawned": agents.spawned,
            "alive": agents.alive,
            "crashed": agents.crashed,
            "restarted": agents.restarted,
            "quarantined": agents.quarantined,
            "frozen": agents.frozen,
        },
        "generations": summary.generations,
        "births": summary.births,
        "deaths": summary.deaths,
        "rounds": list(summary.rounds),
        "trades": summary.trades,
        "rejections": summary.rejections,
        "families": {family.name: _family(family) for family in summary.families},
        "capital": _capital(summary),
        "conservation": {
            "ok": not summary.imbalances,
            "imbalances": len(summary.imbalances),
            "details": list(summary.imbalances),
        },
        "journal": {
            "path": journal.path,
            "events": journal.events,
            "head_hash": journal.head_hash,
            "state_hash": journal.state_hash,
            "entries": journal.entries,
            "replay_hash": journal.replay_hash,
        },
        "benchmarks": {f"{line.key}_usd": _line_usd(line) for line in summary.lines if line.key != "arena"},
        "leaderboard": [_standing(standing, summary) for standing in summary.leaderboard],
        "verdict": {
            "label": summary.verdict.label,
            "reasons": list(summary.verdict.reasons),
            "next_steps": list(summary.verdict.next_steps),
        },
        "wall_s": summary.wall_s,
        "speed_x": summary.speed_x,
        **_explained(summary),
    }


def _explained(summary: Summary) -> dict[str, Json]:
    """Return the keys beyond the contract."""
    fit, attribution, champion = summary.skill.regression, summary.attribution, summary.champion
    return {
        "treasury": reach_object(summary.reach),
        "rejections_by_reason": dict(summary.rejections_by_reason),
        "orders_ended_early": summary.ended_early,
        "genomes_refused": summary.genomes_refused,
        "attribution": {
            "gain_usd": usd(attribution.gain_micro_usd),
            **{f"{name.replace(' ', '_')}_usd": usd(micro) for name, micro in attribution.parts},
            "factors": [
                {
                    "factor": factor.name,
                    "mean_exposure_usd": usd(factor.mean_exposure_micro_usd),
                    "return": factor.return_ratio,
                    "beta_usd": usd(factor.beta_micro_usd),
                }
                for factor in attribution.factors
            ],
        },
        "champion": {
            "agent": champion.agent,
            "psr": champion.psr,
            "dsr": champion.dsr,
            "pbo": champion.pbo,
            "trials": {"here": champion.trials, "ever": None},
            "undefined": list(champion.undefined),
        },
        "sources": {
            "treasury": _by_source(by(summary.sources, lambda _: TREASURY)[TREASURY]),
            "stages": {stage: _by_source(sums) for stage, sums in by_stage(summary.sources).items()},
            "agents": {agent: _by_source(sums) for agent, sums in by_agent(summary.sources).items()},
            "assets": {asset: _by_source(sums) for asset, sums in by_asset(summary.sources).items()},
        },
        "aggregate_impact_usd": usd(summary.aggregate_impact_micro_usd),
        "lines": {line.key: _line(line) for line in summary.lines},
        "graveyard": {
            "count": summary.graveyard.count,
            "pnl_usd": usd(summary.graveyard.pnl_micro_usd),
            "costs_usd": usd(summary.graveyard.costs_micro_usd),
            "trades": summary.graveyard.trades,
        },
        "skill": {
            "sharpe_over_lending": summary.skill.sharpe,
            "sharpe_standard_error": summary.skill.sharpe_se,
            "alpha_a_day": fit.alpha_day_ratio if fit else None,
            "alpha_t": fit.alpha_t if fit else None,
            "betas": dict(zip(summary.skill.factors, fit.betas, strict=True)) if fit else None,
            "days": fit.days if fit else None,
        },
        "demotions": [
            {
                "agent": each.agent,
                "frame": each.turn,
                "from": each.stage,
                "to": each.to_stage,
                "causes": list(each.causes),
                "by": each.by,
            }
            for each in summary.demotions
        ],
        "trading_states": [{"frame": frame, "change": text} for frame, text in summary.states],
        "notes": list(summary.notes),
    }


def _capital(summary: Summary) -> dict[str, Json]:
    capital = summary.capital
    return {
        "deposited_usd": usd(capital.deposited_micro_usd),
        "nav_usd": usd(capital.nav_micro_usd),
        "exit_nav_usd": usd(capital.exit_nav_micro_usd),
        "costs_usd": usd(capital.costs.total_micro_usd),
        "withdrawn_usd": usd(capital.withdrawn_micro_usd),
        "idle_usd": usd(capital.idle_micro_usd),
        "own_pnl_usd": usd(capital.own_pnl_micro_usd),
        **_costs(capital.costs),
        "return": capital.return_ratio,
        "max_drawdown": capital.max_drawdown_ratio,
        "apy": capital.apy_ratio,
    }


def _by_source(sums: Mapping[Source, int]) -> dict[str, Json]:
    """Return every source, also where it made nothing, and their sum."""
    told: dict[str, Json] = {f"{name.replace(' ', '_')}_usd": usd(sums.get(name, 0)) for name in SOURCES}
    return {**told, "gain_usd": usd(total(sums))}


def _costs(costs: Costs) -> dict[str, Json]:
    return {
        "swap_fees_usd": usd(costs.fee_micro_usd),
        "impact_usd": usd(costs.impact_micro_usd),
        "gas_usd": usd(costs.gas_micro_usd),
    }


def _family(family: FamilyFigures) -> dict[str, Json]:
    return {
        "agents": family.agents,
        "trades": family.trades,
        "born": family.born,
        "nav_usd": usd(family.nav_micro_usd),
        "pnl_usd": usd(family.pnl_micro_usd),
    }


def _standing(standing: Standing, summary: Summary) -> dict[str, Json]:
    betas = standing.betas
    return {
        "agent": standing.agent,
        "family": standing.family,
        "born": standing.born_frame,
        "fitness": None if standing.fitness_ppb is None else standing.fitness_ppb / _PPB,
        "adds_to_book": None if standing.adds_ppb is None else standing.adds_ppb / _PPB,
        "nav_usd": usd(standing.nav_micro_usd),
        "return": standing.return_ratio,
        "apy": standing.apy_ratio,
        "max_drawdown": standing.max_drawdown_ratio,
        "trades": standing.trades,
        "days": standing.days,
        "generation": standing.generation,
        "against_lending": standing.against_lending_ratio,
        "pnl_usd": usd(standing.pnl_micro_usd),
        "costs_usd": usd(standing.costs.total_micro_usd),
        "betas": None if betas is None else dict(zip(summary.skill.factors, betas, strict=True)),
    }


def _line_usd(line: LineFigures) -> str | None:
    return None if line.result is None else usd(line.result.nav_micro_usd)


def _line(line: LineFigures) -> Json:
    if line.result is None:
        return None
    return {
        "nav_usd": usd(line.result.nav_micro_usd),
        "return": line.result.return_ratio,
        "max_drawdown": line.result.max_drawdown_ratio,
        "liquid_24h": line.result.liquid_24h_ratio,
    }
