"""A registry in a file: what comes back is what was written, and anything else is refused by its place."""

import json
from collections.abc import Callable

import pytest

from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID, PinnedContract, PinnedToken, Registry
from treasury_actors.chain.model.registry_json import registry_from_json, registry_to_json
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId

LOCAL = Registry(
    chain_id=LOCAL_CHAIN_ID,
    chain_name="rehearsal",
    tokens=(
        PinnedToken(asset=AssetId("USDC"), address="0x" + "1f" * 20, decimals=6, code_hash="0x" + "ab" * 32),
    ),
    contracts=(PinnedContract(name="safe:singleton", address="0x" + "2e" * 20),),
)


@pytest.mark.parametrize("registry", [LOCAL, BASE], ids=["local", "base"])
def test_what_was_written_comes_back(registry: Registry) -> None:
    text = registry_to_json(registry)

    assert registry_from_json(text, "a.json") == registry
    assert registry_to_json(registry_from_json(text, "a.json")) == text


def spoilt(change: Callable[[dict[str, object]], object]) -> str:
    """Return the local registry's file with one thing changed."""
    content: dict[str, object] = json.loads(registry_to_json(LOCAL))
    change(content)
    return json.dumps(content)


def token(content: dict[str, object]) -> dict[str, object]:
    tokens = content["tokens"]
    assert isinstance(tokens, list)
    first: dict[str, object] = tokens[0]
    return first


CASES: list[tuple[Callable[[dict[str, object]], object], str]] = [
    (lambda c: c.pop("contracts"), "no contracts"),
    (lambda c: c.update(extra=1), "unknown key extra"),
    (lambda c: c.update(chain_id="31337"), "chain_id"),
    (lambda c: c.update(chain_id=True), "chain_id"),
    (lambda c: c.update(chain_id=0), "chain_id"),
    (lambda c: c.update(chain_name=""), "chain_name"),
    (lambda c: c.update(chain_name="a\nb"), "chain_name"),
    (lambda c: c.update(tokens={}), "tokens: {}"),
    (lambda c: c.update(tokens=[7]), r"tokens\[0\]: 7"),
    (lambda c: token(c).pop("decimals"), r"tokens\[0\]: no decimals"),
    (lambda c: token(c).update(decimals=6.0), r"tokens\[0\]: decimals"),
    (lambda c: token(c).update(decimals=99), "99 decimals"),
    (lambda c: token(c).update(address="0x12"), "address"),
    (lambda c: token(c).update(code_hash="0xAB"), "code hash"),
    (lambda c: token(c).update(code_hash=7), r"tokens\[0\]: code_hash"),
    (lambda c: c.update(tokens=[token(c), token(c)]), "twice"),
]


@pytest.mark.parametrize(("change", "named"), CASES)
def test_a_spoilt_file_is_refused_in_one_line_that_names_the_place(
    change: Callable[[dict[str, object]], object], named: str
) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        registry_from_json(spoilt(change), "a.json")

    assert str(caught.value).startswith("a.json: ")
    assert "\n" not in str(caught.value)
    assert "allowed" in str(caught.value) or "twice" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "[]", "null", '{"chain_id": 1, "chain_id": 2}', '{"chain_id": NaN}', "[" * 200_000],
)
def test_what_is_no_registry_at_all_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^a\.json: "):
        registry_from_json(text, "a.json")
