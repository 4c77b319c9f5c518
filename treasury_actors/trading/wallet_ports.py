"""What a wallet needs from outside: somebody who signs, and a chain to look at and to send to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from treasury_actors.trading.model.send_reply import SendReply
from treasury_actors.trading.model.slot_acts import Head, ReceiptAnswers, Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Signed bytes, 0x-hex, and their own hash."""

    raw: str
    tx_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """What one node said to signed bytes."""

    node: str
    reply: SendReply


class Signer(Protocol):
    """Holds a key. It signs exactly what it is given, for the chain it is pinned to, and nothing else."""

    @property
    def address(self) -> str:
        """The checksummed address of the key."""
        ...

    def sign(self, sign: Sign) -> Signed:
        """Return the signed transaction; sender, chain id and fields are checked again on the bytes."""
        ...


class WalletNode(Protocol):
    """One chain as a wallet sees it. Raises a transient Fault where there is no answer to believe."""

    async def head(self, sender: str) -> Head:
        """Return the newest block, what its successor asks for gas, and the nonces of `sender`."""
        ...

    async def canonical(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Return the hash of the canonical block of each number; one that isn't known is left out."""
        ...

    async def receipts(self, tx_hashes: tuple[str, ...]) -> ReceiptAnswers:
        """Return the receipts there are, and the hashes that have none."""
        ...

    async def send(self, raw: str, tx_hash: str) -> Replied:
        """Hand signed bytes to one node, once. Never raises for trouble on the way: that is no answer."""
        ...
