"""
Signers: who holds a key. An encrypted keystore anywhere; a raw key on the local chain alone.

What was signed is decoded again from its bytes and compared with what was asked for, sender included.
"""

import json
import resource
import stat
import sys
from pathlib import Path
from typing import Any

from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.trading.model.safe import CALL, SafeTransaction
from treasury_actors.trading.model.slot_acts import Sign
from treasury_actors.trading.wallet_ports import Signed

LOCAL_CHAIN_ID = 31_337
SCRYPT_N_MIN = 2**18
"""A keystore that is cheaper to guess than this is no protection."""


class _KeySigner:
    """Signs with a key in memory, for one chain."""

    def __init__(self, account: Any, chain_id: int) -> None:  # noqa: ANN401 (eth_account has no public type)
        self._account = account
        self._chain_id = chain_id

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address} on {self._chain_id}>"

    @property
    def address(self) -> str:
        """The checksummed address of the key."""
        return str(self._account.address)

    def sign(self, sign: Sign) -> Signed:
        """
        Return the signed EIP-1559 transaction.

        Raises:
            InvariantViolated: it is for another key or chain, or the bytes don't say what was asked for.
        """
        eth_account = _eth_account()
        from eth_account.typed_transactions.typed_transaction import TypedTransaction  # noqa: PLC0415
        from eth_utils.address import to_checksum_address  # noqa: PLC0415
        from hexbytes import HexBytes  # noqa: PLC0415

        if sign.slot.chain_id != self._chain_id or sign.slot.sender != self.address:
            raise InvariantViolated(f"I22: asked to sign for {sign.slot}, the key is {self!r}")
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": sign.slot.nonce,
            "to": to_checksum_address(sign.call.to),
            "value": sign.call.value_wei,
            "data": sign.call.data,
            "gas": sign.call.gas_limit,
            "maxFeePerGas": sign.fees.max_fee_wei,
            "maxPriorityFeePerGas": sign.fees.tip_wei,
        }
        signed = self._account.sign_transaction(fields)
        raw = HexBytes(signed.raw_transaction)
        seen: dict[str, Any] = TypedTransaction.from_bytes(raw).as_dict()
        same = all(_plain(seen[name]) == _plain(wanted) for name, wanted in fields.items())
        if not same or eth_account.Account.recover_transaction(raw) != self.address:
            raise InvariantViolated(f"I22: the bytes for {sign.slot} don't say what was asked for")
        return Signed(raw=raw.to_0x_hex(), tx_hash=HexBytes(signed.hash).to_0x_hex())

    def sign_safe(self, transaction: SafeTransaction) -> bytes:
        """
        Return this owner's signature (r, s, v) of a Safe transaction. It sends nothing and costs no gas.

        The hash is computed by our own code and by eth_account from the typed data, and the signature is
        recovered again.

        Raises:
            InvariantViolated: it is for another chain, no plain call, or the two hashes differ.
        """
        eth_account = _eth_account()
        from eth_account.messages import encode_typed_data  # noqa: PLC0415

        from treasury_actors.trading.adapters.evm.safe import transaction_hash  # noqa: PLC0415

        if transaction.chain_id != self._chain_id or transaction.operation != CALL:
            raise InvariantViolated(f"asked to sign {transaction} of a Safe, the key is {self!r}")
        message = encode_typed_data(full_message=_typed_data(transaction))
        signed = self._account.sign_message(message)
        recovered = eth_account.Account.recover_message(message, signature=signed.signature)
        if bytes(signed.message_hash) != transaction_hash(transaction) or recovered != self.address:
            raise InvariantViolated(f"the signature of {transaction} says something else")
        return bytes(signed.signature)


class LocalSigner(_KeySigner):
    """Signs with a raw key, on the local chain alone: anywhere else it refuses to exist."""

    def __init__(self, private_key: str, *, chain_id: int) -> None:
        if chain_id != LOCAL_CHAIN_ID:
            raise ConfigError(f"a raw key signs on the local chain {LOCAL_CHAIN_ID} alone, not on {chain_id}")
        super().__init__(_eth_account().Account.from_key(private_key), chain_id)


class KeystoreSigner(_KeySigner):
    """Signs with the key of an encrypted keystore file (Web3 secret storage, version 3)."""

    def __init__(self, keystore: Path, password: Path, *, chain_id: int) -> None:
        """
        Decrypt `keystore` with the first line of `password`.

        Raises:
            ConfigError: a file is missing, others may read it, it is no keystore, its scrypt is too cheap, or
                the password is wrong. No message holds anything of what the files say.
        """
        _leave_no_core()
        super().__init__(_account_of(keystore, password), chain_id)


def _leave_no_core() -> None:
    """Let a process that holds a key die without writing its memory to a disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def new_keystore(password: str) -> str:
    """Return a new key, encrypted, as the text of a keystore file; the key itself is never shown."""
    account_type = _eth_account().Account
    secret = account_type.create().key
    return json.dumps(account_type.encrypt(secret, password, kdf="scrypt", iterations=SCRYPT_N_MIN))


def password_in(path: Path) -> str:
    """Return the first line of a file that nobody but its owner may read; raise ConfigError otherwise."""
    return _private_text(path).partition("\n")[0]


def keystore_address(keystore: Path, password: Path | None = None) -> str:
    """
    Return the checksummed address of a keystore.

    Without a password it is what the file says of itself, which nothing protects; with one, the key's own.
    Raises ConfigError as `KeystoreSigner` does, and if the file says another address than its key's.
    """
    content = _keystore_content(keystore)
    from eth_utils.address import to_checksum_address  # noqa: PLC0415

    try:
        said = str(to_checksum_address("0x" + str(content["address"]).removeprefix("0x")))
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{keystore}: not a keystore with an address (version 3)") from None
    if password is not None and (own := str(_account_of(keystore, password).address)) != said:
        raise ConfigError(f"{keystore}: says {said}, but its key is that of {own}; make a new keystore")
    return said


def _account_of(keystore: Path, password: Path) -> Any:  # noqa: ANN401 (eth_account has no public type)
    """Return the account of a keystore that is dear enough to guess."""
    content = _keystore_content(keystore)
    try:
        cost = content["crypto"]["kdfparams"]["n"] if content["crypto"]["kdf"] == "scrypt" else 0
    except (KeyError, TypeError):
        raise ConfigError(f"{keystore}: not a keystore (version 3)") from None
    if not isinstance(cost, int) or cost < SCRYPT_N_MIN:
        raise ConfigError(f"{keystore}: allowed is scrypt with n from {SCRYPT_N_MIN}; make a new keystore")
    secret = password_in(password)
    try:
        key = _eth_account().Account.decrypt(content, secret)
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{keystore}: the password in {password} does not open it") from None
    return _eth_account().Account.from_key(key)


def _keystore_content(keystore: Path) -> dict[str, Any]:
    """Return the JSON object a keystore file holds."""
    try:
        content = json.loads(_private_text(keystore))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ConfigError(f"{keystore}: not a keystore (version 3)")
    return content


def _typed_data(transaction: SafeTransaction) -> dict[str, Any]:
    """Return a Safe transaction as EIP-712 typed data, without any refund of gas."""
    fields = "to:address value:uint256 data:bytes operation:uint8 safeTxGas:uint256 baseGas:uint256"
    fields += " gasPrice:uint256 gasToken:address refundReceiver:address nonce:uint256"
    parts = [field.split(":") for field in fields.split()]
    nobody = "0x" + "00" * 20
    return {
        "types": {
            "EIP712Domain": [
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "SafeTx": [{"name": name, "type": kind} for name, kind in parts],
        },
        "primaryType": "SafeTx",
        "domain": {"chainId": transaction.chain_id, "verifyingContract": transaction.safe},
        "message": {
            "to": transaction.to,
            "value": transaction.value_wei,
            "data": transaction.data,
            "operation": transaction.operation,
            "safeTxGas": 0,
            "baseGas": 0,
            "gasPrice": 0,
            "gasToken": nobody,
            "refundReceiver": nobody,
            "nonce": transaction.nonce,
        },
    }


def _eth_account() -> Any:  # noqa: ANN401 (a module of an extra)
    """
    Return the library that signs, imported when first needed.

    It lifts the recursion limit of the whole process; with that limit, nested input of others ends the
    process where it would have raised. So the limit is put back.
    """
    limit = sys.getrecursionlimit()
    try:
        import eth_account  # noqa: PLC0415
    finally:
        sys.setrecursionlimit(limit)
    return eth_account


def _private_text(path: Path) -> str:
    """Return the text of a file that nobody but its owner may read."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"{path}: allowed is a file that its owner alone may read (chmod 600)")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None


def _plain(value: object) -> object:
    """Return a field as a value that can be compared: bytes and hex text the same, addresses lower case."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value.lower()
    return value
