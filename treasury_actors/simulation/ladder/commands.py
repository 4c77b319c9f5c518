"""What `ladder` does, without a word about the screen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from treasury_actors.arena.model.ladder import gate_text
from treasury_actors.arena.model.stages import LADDER
from treasury_actors.clock import Clock
from treasury_actors.evolution.model.windows import TooShort
from treasury_actors.simulation.evidence.config import EvidenceConfig, WorldName
from treasury_actors.simulation.evidence.history import MakeEvaluator
from treasury_actors.simulation.ladder import told
from treasury_actors.simulation.ladder.plan import ClimbPlan, folder_plan, world_plan
from treasury_actors.simulation.ladder.run import Progress, climb

REPORT, DOLLARS, LINEAGE = "ladder.json", "dollars.csv", "lineage.csv"

MakePlan = Callable[[], ClimbPlan | TooShort]


def world_ladder(
    name: WorldName,
    config: EvidenceConfig,
    make: MakeEvaluator,
    *,
    seed: int,
    days: int,
    agents: int,
    folder: Path,
    clock: Clock,
    progress: Progress,
) -> dict[str, Any]:
    """Climb in a labelled world; write the reports into `folder`, return the JSON contract."""
    plan = world_plan(name, config, make, seed=seed, days=days, paper_agents=agents)
    return play(plan, folder, clock=clock, progress=progress)


def data_ladder(
    data: Path,
    config: EvidenceConfig,
    make: MakeEvaluator,
    *,
    seed: int,
    days: int,
    agents: int,
    folder: Path,
    clock: Clock,
    progress: Progress,
) -> dict[str, Any]:
    """Climb through the last days of a data folder; if its history is too short, say so and go nowhere."""
    plan = folder_plan(data, config, make, seed=seed, days=days, paper_agents=agents)
    if isinstance(plan, TooShort):
        return insufficient(data.name, plan, seed)
    return play(plan, folder, clock=clock, progress=progress)


def play(plan: ClimbPlan, folder: Path, *, clock: Clock, progress: Progress) -> dict[str, Any]:
    """Climb, then write what came of it beside the journals."""

    async def whole() -> dict[str, Any]:
        climbed = await climb(plan, folder, clock=clock, progress=progress)
        found = told.to_object(climbed)
        (folder / REPORT).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (folder / DOLLARS).write_text(told.dollars_csv(climbed), encoding="utf-8")
        (folder / LINEAGE).write_text(told.lineage_csv(climbed), encoding="utf-8")
        return found

    return anyio.run(whole)


def insufficient(world: str, short: TooShort, seed: int) -> dict[str, Any]:
    """Return the result of a climb that could not begin: no number is made of too little history."""
    stages = [
        {
            "stage": rung.stage,
            "pool_usd": str(rung.pool_usd),
            "mandate_usd": str(rung.mandate_usd),
            "places": rung.places,
            "reached": rung.stage == "sim",
            "opened_day": None,
            "admitted": 0,
            "active_max": 0,
            "invested_max_usd": "0.00",
            "gates_held": [],
            "notes": [],
            "gate": list(gate_text(rung, tried=0).lines()) if rung.gate else None,
        }
        for rung in LADDER
    ]
    return {
        "label": "HYPOTHETICAL",
        "world": world,
        "seed": seed,
        "days": 0,
        "reached": "sim",
        "stopped_because": f"INSUFFICIENT: {short.reason}",
        "conservation": {"ok": True, "entries": 0, "problems": []},
        "stages": stages,
        "proposals": [],
        "genomes_tried": 0,
        "champion": None,
        "approvals": [],
        "deaths": 0,
        "demotions": 0,
        "crashes": {"paper": 0, "money": 0, "restarted": 0},
    }
