"""What is pinned is unambiguous, and each difference from the chain has its name."""

import pytest

from treasury_actors.chain.adapters.http_rpc import Endpoint
from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry import (
    PinnedContract,
    PinnedToken,
    Registry,
    RegistryProblem,
    SeenItem,
    compare,
)
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId

P = RegistryProblem
ONE, TWO = "0x" + "1" * 40, "0x" + "2" * 40
CODE, OTHER = "0x" + "c" * 64, "0x" + "d" * 64
USDC = PinnedToken(asset=AssetId("USDC"), address=ONE, decimals=6, code_hash=CODE)
POOL = PinnedContract(name="aave-v3:pool", address=TWO)


def registry(*items: PinnedToken | PinnedContract) -> Registry:
    return Registry(
        chain_id=1,
        chain_name="one",
        tokens=tuple(item for item in items if isinstance(item, PinnedToken)),
        contracts=tuple(item for item in items if isinstance(item, PinnedContract)),
    )


def problems(seen: SeenItem, *, pinned: PinnedToken | PinnedContract = USDC) -> list[RegistryProblem]:
    return [finding.problem for finding in compare(registry(pinned), 1, (seen,)).refused]


def test_each_difference_has_its_name() -> None:
    assert problems(SeenItem(checksummed=ONE, code_hash=CODE, decimals=6)) == []
    assert problems(SeenItem(checksummed=TWO, code_hash=CODE, decimals=6)) == [P.BAD_CHECKSUM]
    assert problems(SeenItem(checksummed=ONE, code_hash=None, decimals=6)) == [P.NO_CODE]
    assert problems(SeenItem(checksummed=ONE, code_hash=OTHER, decimals=6)) == [P.OTHER_CODE]
    assert problems(SeenItem(checksummed=ONE, code_hash=CODE)) == [P.NO_DECIMALS]
    assert problems(SeenItem(checksummed=ONE, code_hash=CODE, decimals=18)) == [P.OTHER_DECIMALS]
    assert problems(SeenItem(checksummed=TWO, code_hash=OTHER), pinned=POOL) == []


def test_on_another_chain_nothing_else_is_compared() -> None:
    check = compare(registry(USDC), 5, (SeenItem(checksummed=TWO, code_hash=OTHER, decimals=1),))

    assert [finding.problem for finding in check.refused] == [P.WRONG_CHAIN]


def test_code_that_is_not_pinned_is_told_with_its_hash() -> None:
    seen = (
        SeenItem(checksummed=ONE, code_hash=CODE, decimals=6),
        SeenItem(checksummed=TWO, code_hash=OTHER),
    )
    check = compare(registry(USDC, POOL), 1, seen)

    assert check.unpinned == ("aave-v3:pool",)
    assert check.code_hashes == (("USDC", CODE), ("aave-v3:pool", OTHER))


def test_a_stranger_has_no_token_and_no_contract() -> None:
    pinned = registry(USDC, POOL)

    assert pinned.token_at(ONE.upper().replace("X", "x")) == USDC
    assert pinned.token_at(TWO) is None
    assert pinned.contract("aave-v3:pool") == POOL
    with pytest.raises(ConfigError, match="no token WETH"):
        pinned.token(AssetId("WETH"))
    with pytest.raises(ConfigError, match="no contract aave"):
        pinned.contract("aave")


def test_a_name_or_an_address_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="name USDC twice"):
        registry(USDC, PinnedContract(name="USDC", address=TWO))
    with pytest.raises(ConfigError, match=r"address 0x1+ twice"):
        registry(USDC, PinnedContract(name="other", address=ONE))


@pytest.mark.parametrize(
    "wrong",
    [{"address": "0x12"}, {"address": ONE + "\n"}, {"decimals": -1}, {"decimals": 37}, {"code_hash": "0xC"}],
    ids=str,
)
def test_what_can_t_be_pinned_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="registry: USDC"):
        PinnedToken(**{"asset": AssetId("USDC"), "address": ONE, "decimals": 6, **wrong})  # type: ignore[arg-type]


def test_base_is_pinned_with_its_chain_id_and_decimals() -> None:
    assert BASE.chain_id == 8453
    assert {token.asset: token.decimals for token in BASE.tokens} == {"USDC": 6, "WETH": 18, "aUSDC": 6}


@pytest.mark.parametrize("url", ["https://node.example/v2/key", "http://127.0.0.1:8545", "http://[::1]:8545"])
def test_an_endpoint_shows_its_host_and_never_its_key(url: str) -> None:
    endpoint = Endpoint(url=url)

    assert "key" not in f"{endpoint!r} {endpoint.name}"


@pytest.mark.parametrize(
    "url",
    [
        "http://node.example/key",
        "ws://127.0.0.1",
        "https://",
        "127.0.0.1:8545",
        "file:///etc/key",
        "",
        "http://\x00",
        "http://127.0.0.1.node.example/key",
        "http://localhost.node.example/key",
        "http://0x7f000001/key",
    ],
)
def test_an_endpoint_is_https_or_on_loopback_and_a_refusal_keeps_the_key(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoint(url=url)

    assert "key" not in str(caught.value)


@pytest.mark.parametrize("deadline_s", [0.0, -1.0, 121.0, float("nan"), float("inf")])
def test_an_endpoint_s_deadline_is_bounded(deadline_s: float) -> None:
    with pytest.raises(ConfigError, match="deadline"):
        Endpoint(url="https://node.example", deadline_s=deadline_s)
