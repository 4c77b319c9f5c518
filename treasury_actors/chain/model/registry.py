"""
Which token and which contract is meant by a name, pinned per chain. Pure.

Nothing that isn't in the registry is called, approved or valued: a token sent to us is only dust. An address
is pinned with its checksum, a token with its decimals, and both with the hash of their code where it is
known. The code hash of a proxy (USDC and Aave's pool are proxies) shows that it is the proxy pinned, not what
its owner lets it do today.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH = re.compile(r"0x[0-9a-f]{64}")
_DECIMALS_MAX = 36
LOCAL_CHAIN_ID = 31337
BASE_CHAIN_ID = 8453


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedContract:
    """
    A contract of a chain.

    Attributes:
        name: protocol and role, e.g. `uniswap-v3:router`.
        address: with its checksum.
        code_hash: keccak-256 of the code at the address, 0x and lower case; `None` where it isn't known.
    """

    name: str
    address: str
    code_hash: str | None = None

    def __post_init__(self) -> None:
        _refuse_malformed(self.name, self.address, self.code_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedToken:
    """A token of a chain; `decimals` is compared with what the token says. `code_hash` as for a contract."""

    asset: AssetId
    address: str
    decimals: int
    code_hash: str | None = None

    def __post_init__(self) -> None:
        _refuse_malformed(self.asset, self.address, self.code_hash)
        if not 0 <= self.decimals <= _DECIMALS_MAX:
            raise ConfigError(
                f"registry: {self.asset}: {self.decimals} decimals; allowed: 0..{_DECIMALS_MAX}"
            )

    @property
    def name(self) -> str:
        """Return what the token is called in messages."""
        return self.asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All that is pinned on one chain. Names and addresses are unique."""

    chain_id: int
    chain_name: str
    tokens: tuple[PinnedToken, ...]
    contracts: tuple[PinnedContract, ...]

    def __post_init__(self) -> None:
        names = [item.name for item in self.items]
        addresses = [item.address.lower() for item in self.items]
        for what, seen in (("name", names), ("address", addresses)):
            twice = sorted({item for item in seen if seen.count(item) > 1})
            if twice:
                raise ConfigError(f"registry of {self.chain_name}: {what} {twice[0]} twice; allowed: once")

    @property
    def items(self) -> tuple[PinnedToken | PinnedContract, ...]:
        """Return everything pinned, tokens first."""
        return (*self.tokens, *self.contracts)

    def token(self, asset: AssetId) -> PinnedToken:
        """Return the token of an asset; raise ConfigError if none is pinned."""
        for token in self.tokens:
            if token.asset == asset:
                return token
        raise ConfigError(f"registry of {self.chain_name}: no token {asset}; allowed: what is pinned")

    def token_at(self, address: str) -> PinnedToken | None:
        """Return the token at an address, in any case of letters; None for a stranger."""
        wanted = address.lower()
        return next((token for token in self.tokens if token.address.lower() == wanted), None)

    def contract(self, name: str) -> PinnedContract:
        """Return the contract of that name; raise ConfigError if none is pinned."""
        for contract in self.contracts:
            if contract.name == name:
                return contract
        raise ConfigError(f"registry of {self.chain_name}: no contract {name}; allowed: what is pinned")


class RegistryProblem(Enum):
    """Why a chain isn't the one that was pinned. Each refuses the start, before anything is signed."""

    WRONG_CHAIN = auto()
    BAD_CHECKSUM = auto()
    NO_CODE = auto()
    OTHER_CODE = auto()
    NO_DECIMALS = auto()
    OTHER_DECIMALS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFinding:
    """One difference between what is pinned and what the chain says."""

    name: str
    problem: RegistryProblem
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryCheck:
    """
    What a comparison found.

    Attributes:
        refused: differences, each enough to refuse; in the registry's order.
        unpinned: names whose code hash is not pinned: their code was seen but not compared.
        code_hashes: (name, hash) of the code at every address, to be pinned by whoever trusts it.
    """

    refused: tuple[RegistryFinding, ...]
    unpinned: tuple[str, ...]
    code_hashes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenItem:
    """What the chain says of one pinned address. `code_hash` is None without code, `decimals` without any."""

    checksummed: str
    code_hash: str | None
    decimals: int | None = None


def compare(registry: Registry, chain_id: int, seen: tuple[SeenItem, ...]) -> RegistryCheck:
    """Return what differs; `seen` stands in the order of `registry.items`."""
    assert len(seen) == len(registry.items), "everything pinned was looked at"
    if chain_id != registry.chain_id:
        detail = f"the node is on chain {chain_id}; allowed: {registry.chain_id}"
        wrong = RegistryFinding(name=registry.chain_name, problem=RegistryProblem.WRONG_CHAIN, detail=detail)
        return RegistryCheck(refused=(wrong,), unpinned=(), code_hashes=())
    pairs = tuple(zip(registry.items, seen, strict=True))
    return RegistryCheck(
        refused=tuple(finding for item, there in pairs for finding in _differences(item, there)),
        unpinned=tuple(item.name for item in registry.items if item.code_hash is None),
        code_hashes=tuple((item.name, there.code_hash) for item, there in pairs if there.code_hash),
    )


def _differences(item: PinnedToken | PinnedContract, there: SeenItem) -> list[RegistryFinding]:
    """Return what is wrong with one address; without code nothing more is asked of it."""
    found: list[tuple[RegistryProblem, str]] = []
    if item.address != there.checksummed:
        found.append((RegistryProblem.BAD_CHECKSUM, f"{item.address}; allowed: {there.checksummed}"))
    if there.code_hash is None:
        found.append((RegistryProblem.NO_CODE, f"{item.address} has no code"))
    else:
        if item.code_hash not in {None, there.code_hash}:
            found.append((RegistryProblem.OTHER_CODE, f"code {there.code_hash}; allowed: {item.code_hash}"))
        if isinstance(item, PinnedToken):
            found += _decimals(item, there)
    return [RegistryFinding(name=item.name, problem=problem, detail=detail) for problem, detail in found]


def _decimals(token: PinnedToken, there: SeenItem) -> list[tuple[RegistryProblem, str]]:
    if there.decimals is None:
        return [(RegistryProblem.NO_DECIMALS, f"{token.address} doesn't say its decimals")]
    if there.decimals != token.decimals:
        detail = f"the token says {there.decimals} decimals; allowed: {token.decimals}"
        return [(RegistryProblem.OTHER_DECIMALS, detail)]
    return []


def _refuse_malformed(name: str, address: str, code_hash: str | None) -> None:
    if not _ADDRESS.fullmatch(address):
        raise ConfigError(f"registry: {name}: address {address!r}; allowed: 0x and 40 hex digits")
    if code_hash is not None and not _HASH.fullmatch(code_hash):
        raise ConfigError(f"registry: {name}: code hash {code_hash!r}; allowed: 0x and 64 hex digits")
