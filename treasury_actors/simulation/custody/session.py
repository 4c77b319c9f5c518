"""Which chain a command means: a registry, and endpoints that prove they are on that chain."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from eth_utils.address import to_checksum_address

from treasury_actors.chain.adapters.failover import ChainPin, FailoverRpc
from treasury_actors.chain.adapters.http_rpc import Endpoint
from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID, Registry
from treasury_actors.chain.model.registry_json import registry_from_json
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError

REHEARSAL = "rehearsal"
CHAINS = (BASE.chain_name, REHEARSAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenChain:
    """A chain's registry and where it is asked, the preferred endpoint first."""

    registry: Registry
    endpoints: tuple[Endpoint, ...]

    @property
    def is_local(self) -> bool:
        """Return whether its clock is a season's and not the world's."""
        return self.registry.chain_id == LOCAL_CHAIN_ID


def choose_chain(name: str, urls: Sequence[str], registry_file: Path | None) -> ChosenChain:
    """Return the chain that a command line names; raise ConfigError of one line that says what is allowed."""
    if not urls:
        raise ConfigError("--rpc: none; allowed: at least one URL, https or http on loopback")
    if name not in CHAINS:
        raise ConfigError(f"--chain {name}: allowed: {', '.join(CHAINS)}")
    endpoints = tuple(Endpoint(url=url) for url in urls)
    if name == BASE.chain_name:
        if registry_file is not None:
            raise ConfigError("--registry: allowed with --chain rehearsal alone; base is pinned in the code")
        return ChosenChain(registry=BASE, endpoints=endpoints)
    if registry_file is None:
        raise ConfigError("--chain rehearsal needs --registry FILE, the addresses of what was deployed")
    try:
        text = registry_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{registry_file}: {reason}") from None
    registry = registry_from_json(text, str(registry_file))
    if registry.chain_id != LOCAL_CHAIN_ID:
        raise ConfigError(f"{registry_file}: chain_id {registry.chain_id}; allowed: {LOCAL_CHAIN_ID}")
    return ChosenChain(registry=registry, endpoints=endpoints)


@asynccontextmanager
async def open_chain(chosen: ChosenChain, clock: Clock) -> AsyncIterator[FailoverRpc]:
    """Open a session whose endpoints have proved their chain; raise RpcFault if one is on another."""
    async with FailoverRpc(
        chosen.endpoints, pin=ChainPin(chain_id=chosen.registry.chain_id), clock=clock
    ) as rpc:
        await rpc.connect()
        yield rpc


def checked_address(text: str, option: str) -> str:
    """
    Return an address with its checksum; raise ConfigError for anything else.

    Letters of both cases must be the checksum's (EIP-55): a typing error in an address is money gone.
    """
    digits = text.removeprefix("0x")
    try:
        whole = text.startswith("0x") and len(bytes.fromhex(digits)) == 20  # noqa: PLR2004 (bytes of an address)
    except ValueError:
        whole = False
    if not whole or len(text) != 42:  # noqa: PLR2004 (0x and two digits a byte; fromhex forgives spaces)
        raise ConfigError(f"{option} {text[:60]!r}: allowed: 0x and 40 hex digits")
    right = str(to_checksum_address(text.lower()))
    if digits not in (digits.lower(), digits.upper()) and text != right:
        raise ConfigError(
            f"{option} {text}: its checksum is wrong; allowed: {right}, if that is what you meant"
        )
    return right
