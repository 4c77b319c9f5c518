"""The `[live]` section: where a live market is read, who signs, and what must be shown before real money."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

RPCS_MAX = 9


class LiveSection(BaseModel):
    """
    What a run on a chain's frames needs beside the chain's limits.

    While the chain can be read, none of it decides the course of a run.

    URLs often hold keys: they are never printed and never written to a run folder.

    Attributes:
        enabled: the first of the two switches before real money; the other is `--live`.
        rpcs: endpoints, the preferred one first; from three on, what most of them say counts.
        registry: file with the addresses of a local chain's contracts; `base` is pinned in the code.
        keystore, password_file: who signs; a local chain needs neither.
        webhook: where crash, stop, alarm and feed-down are posted as JSON.
        evidence: the folder of a rehearsal by the same rules and the same code.
        evidence_days: so long it must have been.
        poll_s: how often the chain is asked for a new hour.
        outage_h_max: so long the feed may be down before trading is reduced until a person resumes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    enabled: bool = False
    rpcs: Annotated[tuple[SecretStr, ...], Field(max_length=RPCS_MAX)] = ()
    registry: str = ""
    keystore: str = ""
    password_file: str = ""
    webhook: SecretStr = SecretStr("")
    evidence: str = ""
    evidence_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    poll_s: Annotated[Decimal, Field(ge=Decimal("0.05"), le=600)] = Decimal(5)
    outage_h_max: Annotated[int, Field(ge=1, le=168)] = 3

    @field_validator("rpcs", mode="before")
    @classmethod
    def _list_as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @property
    def urls(self) -> tuple[str, ...]:
        """The endpoints' URLs in the clear: for the session that asks them, for nothing else."""
        return tuple(url.get_secret_value() for url in self.rpcs)
