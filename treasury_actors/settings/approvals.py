"""The `[approvals]` section: who may let real money rise, and how many of them it takes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from treasury_actors.arena.model.promotion import Person
from treasury_actors.arena.model.promotion_checks import check_people

_KEY = r"^[0-9a-f]{64}$"
KeyHex = Annotated[str, Field(pattern=_KEY)]


class ApprovalsSection(BaseModel):
    """
    People, by name, each with the public key that `approval-key` printed for them.

    A proposal keeps the list as it was when it was made; who is added later can't approve it.

    Attributes:
        people: name to key, 64 hexadecimal digits; empty where no money is real.
        needed: how many different ones must approve.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    people: dict[str, KeyHex] = Field(default_factory=dict, max_length=32)
    needed: Annotated[int, Field(ge=2, le=32)] = 2

    @model_validator(mode="after")
    def _people_are_different(self) -> "ApprovalsSection":
        problem = check_people(self.listed, self.needed) if self.people else None
        if problem is not None:
            raise ValueError(f"{problem[0]}: {problem[1]}")
        return self

    @property
    def listed(self) -> tuple[Person, ...]:
        """The people as a proposal lists them, in name order."""
        return tuple(Person(name=name, key=key) for name, key in sorted(self.people.items()))
