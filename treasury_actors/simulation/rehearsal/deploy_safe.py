"""Safe 1.4.1 as it was published, and Safes on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from treasury_actors.simulation.rehearsal.contracts import ADDRESS_ZERO, call_data
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter

_SETUP = "setup(address[],uint256,address,bytes,address,address,uint256,address)"
_CREATE = "createProxyWithNonce(address,bytes,uint256)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeContracts:
    """Addresses of one deployment."""

    singleton: str
    factory: str
    fallback_handler: str
    multi_send: str


async def deploy_safe(writer: BlockWriter) -> SafeContracts:
    """Deploy what every Safe shares."""
    return SafeContracts(
        singleton=await writer.deploy("Safe"),
        factory=await writer.deploy("SafeProxyFactory"),
        fallback_handler=await writer.deploy("CompatibilityFallbackHandler"),
        multi_send=await writer.deploy("MultiSend"),
    )


async def create_safe(
    writer: BlockWriter, safe: SafeContracts, *, owners: Sequence[str], threshold: int, salt: int = 0
) -> str:
    """Create a Safe of `owners` of whom `threshold` must sign, and return its address."""
    setup = call_data(
        _SETUP,
        *(list(owners), threshold, ADDRESS_ZERO, b"", safe.fallback_handler, ADDRESS_ZERO, 0, ADDRESS_ZERO),
    )
    request = (safe.singleton, bytes.fromhex(setup.removeprefix("0x")), salt)
    address = await writer.address(safe.factory, _CREATE, *request)
    await writer.send(safe.factory, _CREATE, *request)
    return address
