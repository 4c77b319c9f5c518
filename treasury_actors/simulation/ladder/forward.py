"""The days agents lived forward on rungs they have left: out of sample for whoever runs their genome next."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from treasury_actors.evolution.model.genome import Genome
from treasury_actors.ids import AgentId

FILE: Final = "forward.json"


class Forward:
    """Keeps them beside the proofs: a run that is killed goes by what it knew. Kept twice counts once."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._days: dict[str, tuple[str, list[float]]] = {}
        if self._file.is_file():
            content = json.loads(self._file.read_text(encoding="utf-8"))
            self._days = {agent: (genome, days) for agent, (genome, days) in content.items()}

    def __repr__(self) -> str:
        return f"<Forward {len(self._days)} agents>"

    def keep(self, agent: AgentId, genome: Genome, days: Sequence[float]) -> None:
        """Keep the days over lending of an agent that leaves its rung."""
        self._days[agent] = genome.canonical, list(days)
        self._file.parent.mkdir(exist_ok=True)
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(self._days) + "\n", encoding="utf-8")
        partial.replace(self._file)

    def of(self, genome: Genome, *, but: AgentId) -> list[float]:
        """Return the days of every agent with a genome, but one, who counts its own."""
        kept = [days for agent, (of, days) in self._days.items() if of == genome.canonical and agent != but]
        return [day for days in kept for day in days]
