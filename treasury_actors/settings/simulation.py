"""The `[simulation]` section: the house of simulated agents that lives beside the one with money."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class SimulationSection(BaseModel):
    """
    Agents on paper that trade the same frames, and breed at their own rounds.

    Attributes:
        agents: how many; 0 for no such house.
        history: a folder of market data before the season: where it climbs, who comes up is examined on it.
            Empty for the folder the season is from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    agents: Annotated[int, Field(ge=0, le=1_000)] = 0
    history: str = ""
