"""What a check of a strategy found, as values and as lines for a person."""

from dataclasses import dataclass
from typing import Literal

from treasury_actors.ids import FamilyId

NOTE = "This checks the code, not the idea: a strategy may pass and lose money."

Verdict = Literal["passed", "failed", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    One thing that was looked at.

    Attributes:
        verdict: `failed` must be mended; `warning` should be understood; `info` is not judged.
        figure: the number it rests on, with its unit; may be empty.
        words: what was found, in plain words.
    """

    name: str
    verdict: Verdict
    figure: str
    words: str

    @property
    def passed(self) -> bool:
        """Whether nothing has to be mended."""
        return self.verdict != "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Every check of one strategy, in order."""

    family: FamilyId
    checks: tuple[Check, ...]
    note: str = NOTE

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.passed for check in self.checks)

    def check(self, name: str) -> Check:
        """Return the check of that name."""
        return next(check for check in self.checks if check.name == name)

    def lines(self) -> list[str]:
        """Return the report as lines of text, the note last."""
        width = max(len(check.name) for check in self.checks)
        return [
            *(
                f"{check.verdict.upper():8}{check.name:{width}}  {check.words}"
                + (f" ({check.figure})" if check.figure else "")
                for check in self.checks
            ),
            self.note,
        ]
