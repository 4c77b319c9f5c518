"""
The keys people approve with: BIP-340 Schnorr signatures over secp256k1.

Such a key is for approvals alone. Its signatures have a form that no Ethereum transaction or message has, so
nothing signed here moves money anywhere else, even if somebody used one key for both (decision 0014).
"""

import os
import stat
from pathlib import Path
from typing import Any

from treasury_actors.errors import ConfigError

_SECRET_BYTES = 32
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64


def verify_signature(*, key: str, digest: bytes, signature: str) -> bool:
    """Return whether `signature` (hex) over `digest` is by the x-only public key (hex)."""
    coincurve = _coincurve()
    try:
        point, proof = bytes.fromhex(key), bytes.fromhex(signature)
        if len(point) != _KEY_BYTES or len(proof) != _SIGNATURE_BYTES:
            return False
        return bool(coincurve.PublicKeyXOnly(point).verify(proof, digest))
    except ValueError:
        return False


def new_key(path: Path) -> str:
    """
    Write a new secret into a file that only its owner may read; return the public key.

    Raises:
        ConfigError: the file exists, or can't be written.
    """
    secret: bytes = _coincurve().PrivateKey().secret
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; a key is written into a new file") from None
    with os.fdopen(file, "w", encoding="ascii") as opened:
        opened.write(secret.hex() + "\n")
    return public_key(secret)


def read_key(path: Path) -> bytes:
    """
    Return the secret of a file.

    Raises:
        ConfigError: others may read it, or it holds no key.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a readable key file: {error}") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigError(f"{path}: others may read it (mode {stat.S_IMODE(mode):o}); allowed is 600")
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != _SECRET_BYTES or not any(secret):
        raise ConfigError(f"{path}: no approval key; make one with `approval-key`")
    return secret


def public_key(secret: bytes) -> str:
    """Return the x-only public key of a secret, hex."""
    found: str = _coincurve().PublicKeyXOnly.from_secret(secret).format().hex()
    return found


def sign_digest(secret: bytes, digest: bytes) -> str:
    """Return the signature over 32 bytes, hex; the same every time, as its auxiliary randomness is zero."""
    found: str = _coincurve().PrivateKey(secret).sign_schnorr(digest, bytes(_SECRET_BYTES)).hex()
    return found


def _coincurve() -> Any:  # noqa: ANN401 (a module of an extra)
    """Return the library of the curve, imported when first needed: it comes with the chain extra."""
    try:
        import coincurve  # noqa: PLC0415
    except ImportError:
        raise ConfigError('approvals need the chain extra: pip install "treasury-arena[chain]"') from None
    return coincurve
