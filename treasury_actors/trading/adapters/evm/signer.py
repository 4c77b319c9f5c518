"""Signers. One for the public test keys of a local chain; keys with money behind them need a keystore."""

from typing import Any

from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.trading.model.slot_acts import Sign
from treasury_actors.trading.wallet_ports import Signed

LOCAL_CHAIN_ID = 31_337


class LocalSigner:
    """
    Signs with a raw key, on the local chain alone: anywhere else it refuses to exist.

    What it signed is decoded again from the bytes and compared with what was asked for.
    """

    def __init__(self, private_key: str, *, chain_id: int) -> None:
        from eth_account import Account  # noqa: PLC0415 (an extra, imported where it is used)

        if chain_id != LOCAL_CHAIN_ID:
            raise ConfigError(f"a raw key signs on the local chain {LOCAL_CHAIN_ID} alone, not on {chain_id}")
        self._chain_id = chain_id
        self._account: Any = Account.from_key(private_key)

    def __repr__(self) -> str:
        return f"<LocalSigner {self.address} on {self._chain_id}>"

    @property
    def address(self) -> str:
        """The checksummed address of the key."""
        return str(self._account.address)

    def sign(self, sign: Sign) -> Signed:
        """Return the signed EIP-1559 transaction."""
        from eth_account import Account  # noqa: PLC0415
        from eth_account.typed_transactions.typed_transaction import TypedTransaction  # noqa: PLC0415
        from hexbytes import HexBytes  # noqa: PLC0415

        if sign.slot.chain_id != self._chain_id or sign.slot.sender != self.address:
            raise InvariantViolated(f"I22: asked to sign for {sign.slot}, the key is {self!r}")
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": sign.slot.nonce,
            "to": sign.call.to,
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
        if not same or Account.recover_transaction(raw) != self.address:
            raise InvariantViolated(f"I22: the bytes for {sign.slot} don't say what was asked for")
        return Signed(raw=raw.to_0x_hex(), tx_hash=HexBytes(signed.hash).to_0x_hex())


def _plain(value: object) -> object:
    """Return a field as a value that can be compared: bytes and hex text the same, addresses lower case."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value.lower()
    return value
