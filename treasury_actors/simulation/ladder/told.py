"""What a climb says when it is over: the JSON contract, the way of every dollar, and every lineage."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from treasury_actors.arena.model.ladder import gate_text
from treasury_actors.arena.model.promotion import Standing
from treasury_actors.arena.model.roster import Member, Roster
from treasury_actors.arena.model.stages import Rung
from treasury_actors.clock import DAY_NS
from treasury_actors.evolution.model.windows import DAY_FRAMES
from treasury_actors.ledger.model import RESERVE, pool
from treasury_actors.money import MICRO_USD
from treasury_actors.simulation.ladder.climb import StageLog
from treasury_actors.simulation.ladder.examine import Examiner
from treasury_actors.simulation.ladder.run import Climbed
from treasury_actors.trading.model.mandate import Stage

_NO_DEATH = ("graduated", "left behind", "not let up", "demoted", "the season is over")


def to_object(climbed: Climbed) -> dict[str, Any]:
    """Return everything for scripts; money as decimal strings, days counted from the season's first."""
    plan, money = climbed.plan, climbed.money
    promotions = list(money.promotions.by_id.values())
    reached = _reached(climbed)
    return {
        "label": plan.season.label,
        "world": plan.world,
        "seed": plan.seed,
        "days": climbed.last_frame // DAY_FRAMES,
        "reached": reached,
        "stopped_because": _why_stopped(climbed, reached),
        "conservation": _conservation(climbed),
        "stages": [_stage(climbed, rung) for rung in plan.ladder],
        "proposals": [_proposal(climbed, standing) for standing in promotions],
        "approvals": [
            {
                "promotion": each.promotion,
                "by": each.by,
                "what": each.what,
                "day": each.day,
                "counted": not each.refused,
                "refused": each.refused or None,
            }
            for each in climbed.director.script.attempts
        ],
        "births": {"paper": climbed.paper.roster.births, "money": money.roster.births},
        "deaths": _deaths(climbed.paper.roster) + _deaths(money.roster),
        "deaths_by_house": {"paper": _deaths(climbed.paper.roster), "money": _deaths(money.roster)},
        "demotions": len(_demoted(money.roster)),
        "crashes": {
            "paper": climbed.paper.roster.crashes,
            "money": money.roster.crashes,
            "restarted": climbed.paper.roster.restarts + money.roster.restarts,
        },
        "genomes_tried": plan.examiner.tried,
        "champion": _champion(plan.examiner),
        "treasury": _treasury(climbed),
        "state_hash": money.state_hash,
        "config_hash": plan.config_hash,
        "gates_hash": money.promotions.gates_hash,
        "folder": str(climbed.folder),
    }


def dollars_csv(climbed: Climbed) -> str:
    """Return every move of capital in the house with money, in order: the way of every dollar."""
    return _csv(
        ("event", "day", "entry", "kind", "from", "to", "asset", "units", "reason"),
        [
            (
                str(move.seq),
                str(_day(climbed, move.time_ns)),
                move.entry_id,
                move.kind,
                move.source,
                move.target,
                move.asset,
                str(move.units),
                move.reason,
            )
            for move in climbed.money_audit.moves
        ],
    )


def lineage_csv(climbed: Climbed) -> str:
    """Return every agent of both houses with its parents, genome, stage, and how it ended."""
    rows = []
    for house, roster in (("paper", climbed.paper.roster), ("money", climbed.money.roster)):
        for agent, member in sorted(roster.members.items()):
            born = member.born
            rows.append(
                (
                    house,
                    agent,
                    member.mandate.stage if member.mandate else "",
                    str(born.turn // DAY_FRAMES),
                    str(born.generation),
                    born.operator,
                    " ".join(born.parents),
                    f"{born.family}:{','.join(map(str, born.genes))}",
                    member.life,
                    member.retired.reason if member.retired else "",
                )
            )
    return _csv(
        ("house", "agent", "stage", "born_day", "generation", "by", "parents", "genome", "life", "ended"),
        rows,
    )


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the same for people."""
    kept = "intact" if found["conservation"]["ok"] else "BROKEN"
    told = [
        f"{found['label']}: {found['world']}, seed {found['seed']}, {found['days']} days: {found['reached']}",
        f"  {found['stopped_because']}",
        f"  conservation {kept} at each of {found['conservation']['entries']:,} entries",
    ]
    for stage in found["stages"]:
        opened = "never" if stage["opened_day"] is None else f"day {stage['opened_day']}"
        told.append(
            f"  {stage['stage']:<8} opened {opened}, {stage['admitted']} admitted, at most"
            f" {stage['active_max']} at once with ${stage['invested_max_usd']}"
        )
        told += [f"             {note}" for note in stage["notes"]]
    for each in found["proposals"]:
        told.append(
            f"  {each['id']}: ${each['amount_usd']} from {each['source']} for {len(each['agents'])} agents:"
            f" {each['status']}; at most ${each['worst_loss']['venue_failed_usd']} is lost if a venue fails"
        )
    told.append(
        f"  {found['deaths']} deaths, {found['demotions']} demotions, {found['crashes']['money']} crashes"
        f" with money, {found['crashes']['paper']} on paper"
    )
    told.append(_luck(found["champion"], found["genomes_tried"]))
    return told


def _champion(examiner: object) -> dict[str, Any] | None:
    """Return how much of the fittest genome may be luck; None of an examiner that keeps no days."""
    return examiner.champion() if isinstance(examiner, Examiner) else None


def _luck(champion: Mapping[str, Any] | None, tried: int) -> str:
    """Say how much of the champion's record may be luck."""
    if champion is None:
        return f"  no champion: none of {tried} genomes tried has a fitness without a veto"
    dsr, pbo = ("undefined" if champion[name] is None else f"{champion[name]:.2f}" for name in ("dsr", "pbo"))
    why = "".join(f"; {reason}" for reason in champion.get("undefined", ()))
    return f"  champion of {tried} tried: {champion['genome']}, DSR {dsr}, PBO {pbo}{why}"


def _conservation(climbed: Climbed) -> dict[str, Any]:
    """Return what two audits found, entry by entry, and what the ledger itself says."""
    audits = (climbed.money_audit, climbed.paper_audit)
    problems = [problem for audit in audits for problem in audit.problems]
    problems += [*climbed.money.book.imbalances(), *climbed.paper.book.imbalances()]
    mine = {place: units for place, units in climbed.money_audit.balances.items() if units}
    theirs = {(a, b): int(units) for a, b, units in climbed.money.book.canonical()}
    if mine != theirs:
        problems.append("the audit's balances are not the ledger's")
    return {
        "ok": not problems,
        "entries": sum(audit.entries for audit in audits),
        "entries_money": climbed.money_audit.entries,
        "problems": problems,
    }


def _stage(climbed: Climbed, rung: Rung) -> dict[str, Any]:
    """Return what became of a stage, and what its gate says of itself."""
    log: StageLog = climbed.director.logs[rung.stage]
    living = [m for m in _home(climbed, rung).living() if m.mandate and m.mandate.stage == rung.stage]
    gates = [gate for gate in climbed.money.promotions.gates if gate.stage == rung.stage]
    tried = climbed.plan.examiner.tried
    held = [
        {
            "day": gate.turn // DAY_FRAMES,
            "graduates": list(gate.graduates),
            "left_behind": [each.agent for each in gate.held_back if not each.vetoes],
            "vetoed": [
                {"agent": each.agent, "vetoes": [veto.value for veto in each.vetoes]}
                for each in gate.held_back
                if each.vetoes
            ],
            "evidence": gate.evidence_hash,
        }
        for gate in gates
    ]
    return {
        "stage": rung.stage,
        "pool_usd": str(rung.pool_usd),
        "mandate_usd": str(rung.mandate_usd),
        "places": rung.places,
        "account": pool(rung.stage),
        "opened_day": log.opened_day,
        "reached": log.opened_day is not None,
        "admitted": log.admitted or (climbed.paper.roster.births if rung.stage == "sim" else 0),
        "active_max": log.active_max,
        "active_min": log.active_min,
        "active_end": len(living),
        "invested_max_usd": _dollars(log.invested_max_micro_usd),
        "full_day": log.full_day,
        "gate": list(gate_text(rung, tried=tried).lines()) if rung.gate else None,
        "gates_held": held,
        "notes": log.notes,
    }


def _proposal(climbed: Climbed, standing: Standing) -> dict[str, Any]:
    """Return one proposal and what became of it."""
    proposed = standing.proposed
    return {
        "id": proposed.promotion,
        "from": proposed.stage,
        "to": proposed.to_stage,
        "day": proposed.turn // DAY_FRAMES,
        "agents": list(proposed.agents),
        "amount_usd": _dollars(proposed.micro_usd),
        "source": proposed.source,
        "target": proposed.target,
        "evidence": proposed.evidence_hash,
        "hash": proposed.hash,
        "worst_loss": {
            "key_stolen_usd": _dollars(proposed.key_stolen_micro_usd),
            "venue_failed_usd": _dollars(proposed.venue_failed_micro_usd),
        },
        "people": [person.name for person in proposed.people],
        "needed": proposed.needed,
        "approved_by": [each.by for each in standing.approvals],
        "expires_day": _day(climbed, proposed.expires_ns),
        "status": standing.status,
        "rejected_because": standing.rejected.reason if standing.rejected else None,
        "gate": proposed.gate,
    }


def _treasury(climbed: Climbed) -> dict[str, Any]:
    """Return where the money is at the end, in units of the reserve asset and what is invested besides."""
    audit, universe = climbed.money_audit, climbed.plan.season.universe
    reserve = universe.by_id[universe.reserve]
    deposited = -audit.total("external:deposits", universe.reserve)
    return {
        "asset": universe.reserve,
        "deposited": reserve.format(deposited),
        "in_reserve": reserve.format(audit.total(RESERVE, universe.reserve)),
        "in_pools": reserve.format(audit.total("pool:", universe.reserve)),
        "with_agents": reserve.format(audit.total("agent:", universe.reserve)),
        "at_venues_net": reserve.format(audit.total("venue:", universe.reserve)),
    }


def _reached(climbed: Climbed) -> Stage:
    """Return the highest stage that had an agent."""
    opened = [
        rung.stage for rung in climbed.plan.ladder if climbed.director.logs[rung.stage].opened_day is not None
    ]
    return opened[-1]


def _why_stopped(climbed: Climbed, reached: Stage) -> str:
    """Return why it went no further, in words."""
    last = climbed.plan.ladder[-1]
    log = climbed.director.logs[last.stage]
    if log.full_day is not None:
        return (
            f"the last rung was full on day {log.full_day}: ${last.pool_usd:,} with {log.active_max} agents"
        )
    if reached == last.stage:
        return (
            f"the season ended with {log.active_max} agents on the last rung at most, not {last.places_full}"
        )
    stages = [rung.stage for rung in climbed.plan.ladder]
    notes = climbed.director.logs[climbed.plan.ladder[stages.index(reached) + 1].stage].notes
    return notes[-1] if notes else f"the season ended before anybody's days on {reached} were over"


def _home(climbed: Climbed, rung: Rung) -> Roster:
    return climbed.paper.roster if rung.stage == "sim" else climbed.money.roster


def _deaths(roster: Roster) -> int:
    """Return how many died of something: who left a rung by its rules did not."""
    return sum(_died(member) for member in roster.members.values())


def _died(member: Member) -> bool:
    return member.retired is not None and not member.retired.reason.startswith(_NO_DEATH)


def _demoted(roster: Roster) -> list[Member]:
    return [m for m in roster.members.values() if m.retired and m.retired.reason.startswith("demoted")]


def _day(climbed: Climbed, time_ns: int) -> int:
    return (time_ns - climbed.plan.season.frame(0).time_ns) // DAY_NS


def _dollars(micro_usd: int) -> str:
    return f"{micro_usd / MICRO_USD:.2f}"


def _csv(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
