"""
The scripted people of a season on the virtual clock. Their keys guard nothing.

Where money is real, people sign with keys of their own (`arena.adapters.approval_keys`). Here a script
plays them, anywhere, without a library of curves: a keyed hash whose secret the script knows. What is tried
is the way of a proposal: that it waits, for different people, for a week, and can be refused.
"""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as keyed_hash

from treasury_actors.arena.model.promotion import Person, PromotionProposed, approval_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedPerson:
    """A name, and a secret made of it and the season's seed."""

    name: str
    seed: int

    @property
    def _secret(self) -> bytes:
        return sha256(f"scripted person {self.name} of season {self.seed}".encode()).digest()

    @property
    def listed(self) -> Person:
        """What a proposal lists: the name, and a key that says it is scripted."""
        return Person(name=self.name, key=f"scripted:{sha256(self._secret).hexdigest()}")

    def sign(self, proposed: PromotionProposed) -> str:
        """Return the signature over a proposal, hex."""
        return self.mac(approval_digest(proposed.hash, self.name))

    def mac(self, digest: bytes) -> str:
        """Return the keyed hash of a digest, hex."""
        return keyed_hash(self._secret, digest, "sha256").hex()


class ScriptedKeys:
    """Verifies what scripted people sign; no other key is good here."""

    def __init__(self, people: tuple[ScriptedPerson, ...]) -> None:
        self._by_key = {person.listed.key: person for person in people}

    def __call__(self, *, key: str, digest: bytes, signature: str) -> bool:
        """Return whether a signature is by the scripted person of this key."""
        person = self._by_key.get(key)
        return person is not None and compare_digest(person.mac(digest), signature)
