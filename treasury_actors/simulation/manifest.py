"""What a run is: written once into its folder, compared at every later start."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from treasury_actors.errors import ConfigError

FILE_NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """
    Everything that decides the course of a run, and what it was called.

    Attributes:
        label: GENERATED, HYPOTHETICAL, …: what its results may be called.
        config: the resolved config, section by section.
        data_hash: of the first season; later ones are named in the journal.
        strategy: path of the user's strategy file, or empty.
        created: wall time, UTC; outside everything that is hashed.
    """

    run_id: str
    label: str
    seed: int
    config_hash: str
    data_hash: str
    code_hash: str
    config: dict[str, object]
    strategy: str
    created: str

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        text = json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"
        partial = folder / f".{FILE_NAME}.partial"
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / FILE_NAME)

    def check_same(self, other: "Manifest", folder: Path) -> None:
        """Raise ConfigError if a run of `other` would not go on as this one began."""
        for name, mine, theirs in (
            ("config", self.config_hash, other.config_hash),
            ("data", self.data_hash, other.data_hash),
            ("code", self.code_hash, other.code_hash),
        ):
            if mine != theirs:
                raise ConfigError(
                    f"{folder}: begun with another {name} (hash {mine[:12]}, now {theirs[:12]});"
                    " start in a new folder, or accept the change with --accept-upgrade"
                )


def run_id_of(folder: Path) -> str:
    """Return the name of the run a folder holds: it keeps the one it began with."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise ConfigError(f"{folder}: no run there")
    return manifest.run_id


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a run folder, or None where none has been written."""
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: not a manifest of a run: {error}") from None
