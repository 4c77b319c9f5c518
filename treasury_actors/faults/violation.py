"""What a campaign looks for: a promise that was broken."""

from typing import NoReturn


class Violation(Exception):
    """
    A promise was broken, or the system stood still.

    Attributes:
        invariant: its number in `docs/invariants.md`, or a word: `liveness`, `deadlock`, `exit`, `twin`.
    """

    def __init__(self, invariant: str, detail: str) -> None:
        super().__init__(f"{invariant}: {detail}")
        self.invariant = invariant
        self.detail = detail

    def __reduce__(self) -> tuple[type["Violation"], tuple[str, str]]:
        """Say how to make it again in another process."""
        return Violation, (self.invariant, self.detail)


def violated(invariant: str, detail: str) -> NoReturn:
    """Raise the violation of an invariant."""
    raise Violation(invariant, detail)
