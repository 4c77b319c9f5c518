"""
A registry as a JSON file: how a chain whose contracts we deployed ourselves is named to a command.

Strict both ways: unknown, missing and double keys are refused, and nothing is guessed. Raises ConfigError of
one line that names the file, the place in it, and what is allowed.
"""

import json
from collections.abc import Mapping, Sequence

from treasury_actors.chain.model.registry import PinnedContract, PinnedToken, Registry
from treasury_actors.chain.model.rpc import Json, shown
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId

_TOP = ("chain_id", "chain_name", "tokens", "contracts")
_CHAIN_ID_MAX = 2**63 - 1
_NAME_CHARACTERS_MAX = 80
_BRACKETS_MAX = 2_000
"""More than any registry has, and few enough to nest: what nests deeper could end the process (`wire`)."""


def registry_to_json(registry: Registry) -> str:
    """Return a registry as the text of a file, the same bytes for the same registry."""
    content = {
        "chain_id": registry.chain_id,
        "chain_name": registry.chain_name,
        "tokens": [
            {"asset": t.asset, "address": t.address, "decimals": t.decimals, "code_hash": t.code_hash}
            for t in registry.tokens
        ],
        "contracts": [
            {"name": c.name, "address": c.address, "code_hash": c.code_hash} for c in registry.contracts
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def registry_from_json(text: str, where: str) -> Registry:
    """Return the registry that a text holds; `where` names it in errors, a file usually."""
    if text.count("[") + text.count("{") > _BRACKETS_MAX:
        raise ConfigError(f"{where}: too many brackets; allowed: {_BRACKETS_MAX}")
    try:
        parsed: Json = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_refused)
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{where}: not JSON: {shown(str(problem))}") from None
    top = _object(parsed, where, _TOP)
    chain_id = top["chain_id"]
    if not isinstance(chain_id, int) or isinstance(chain_id, bool) or not 1 <= chain_id <= _CHAIN_ID_MAX:
        raise _bad(chain_id, f"{where}: chain_id", "a whole number from 1")
    try:
        return Registry(
            chain_id=chain_id,
            chain_name=_text(top["chain_name"], f"{where}: chain_name"),
            tokens=tuple(_token(entry, place) for entry, place in _entries(top, "tokens", where)),
            contracts=tuple(_contract(entry, place) for entry, place in _entries(top, "contracts", where)),
        )
    except ConfigError as error:
        problem_text = str(error)
        raise ConfigError(
            problem_text if problem_text.startswith(where) else f"{where}: {problem_text}"
        ) from None


def _token(entry: Json, where: str) -> PinnedToken:
    found = _object(entry, where, ("asset", "address", "decimals", "code_hash"))
    decimals = found["decimals"]
    if not isinstance(decimals, int) or isinstance(decimals, bool):
        raise _bad(decimals, f"{where}: decimals", "a whole number")
    return PinnedToken(
        asset=AssetId(_text(found["asset"], f"{where}: asset")),
        address=_text(found["address"], f"{where}: address"),
        decimals=decimals,
        code_hash=_text_or_null(found["code_hash"], f"{where}: code_hash"),
    )


def _contract(entry: Json, where: str) -> PinnedContract:
    found = _object(entry, where, ("name", "address", "code_hash"))
    return PinnedContract(
        name=_text(found["name"], f"{where}: name"),
        address=_text(found["address"], f"{where}: address"),
        code_hash=_text_or_null(found["code_hash"], f"{where}: code_hash"),
    )


def _entries(top: Mapping[str, Json], name: str, where: str) -> list[tuple[Json, str]]:
    """Return the members of a list, each with its place."""
    found = top[name]
    if not isinstance(found, list):
        raise _bad(found, f"{where}: {name}", "a list")
    return [(entry, f"{where}: {name}[{place}]") for place, entry in enumerate(found)]


def _object(value: Json, where: str, keys: Sequence[str]) -> dict[str, Json]:
    """Return an object that has exactly these keys."""
    if not isinstance(value, dict):
        raise _bad(value, where, f"an object with {', '.join(keys)}")
    unknown = [key for key in value if key not in keys]
    if unknown:
        raise ConfigError(f"{where}: unknown key {shown(unknown[0])}; allowed: {', '.join(keys)}")
    missing = [key for key in keys if key not in value]
    if missing:
        raise ConfigError(f"{where}: no {missing[0]}; allowed: all of {', '.join(keys)}")
    return value


def _text(value: Json, where: str) -> str:
    if isinstance(value, str) and value and len(value) <= _NAME_CHARACTERS_MAX and value.isprintable():
        return value
    raise _bad(value, where, f"1 to {_NAME_CHARACTERS_MAX} printable characters")


def _text_or_null(value: Json, where: str) -> str | None:
    return None if value is None else _text(value, where)


def _bad(value: Json, where: str, allowed: str) -> ConfigError:
    return ConfigError(f"{where}: {shown(value)}; allowed: {allowed}")


def _no_twins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Return an object; raise ValueError for a key that is there twice, of which JSON keeps the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no number")
