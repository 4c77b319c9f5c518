"""
How contracts say no, and what each no is called here.

A revert carries `Error(string)`, `Panic(uint256)`, a custom error or nothing. Uniswap V3 says short texts,
Aave V3.0 numbers as text and since V3.4 custom errors, OpenZeppelin 4 texts and 5 custom errors. What isn't
known is named by what it is (`reverted`, `unknown_error`), never guessed; its text is kept in the detail.
"""

from dataclasses import dataclass
from enum import StrEnum

from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.model.order import TradingReason

_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
_DETAIL_CHARACTERS_MAX = 160


class VenueReason(StrEnum):
    """Why a contract refuses a conversion, or this house refuses to ask it."""

    UNKNOWN_CONVERSION = "unknown_conversion"
    ZERO_AMOUNT = "zero_amount"
    SLIPPAGE = "slippage"
    DEADLINE_PASSED = "deadline_passed"
    TRANSFER_FAILED = "transfer_failed"
    NO_ALLOWANCE = "no_allowance"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    RESERVE_INACTIVE = "reserve_inactive"
    RESERVE_FROZEN = "reserve_frozen"
    RESERVE_PAUSED = "reserve_paused"
    SUPPLY_CAP = "supply_cap"
    NO_COLLATERAL = "no_collateral"
    HEALTH_FACTOR = "health_factor"
    NO_LIQUIDITY = "no_liquidity"
    VAULT_LIMIT = "vault_limit"
    PAUSED = "paused"
    BLACKLISTED = "blacklisted"
    RETURNED_FALSE = "returned_false"
    RETURNED_GARBAGE = "returned_garbage"
    NO_CODE = "no_code"
    OUT_OF_GAS = "out_of_gas"
    PANIC = "panic"
    EMPTY_REVERT = "empty_revert"
    PROTOCOL_ERROR = "protocol_error"
    REVERTED = "reverted"
    UNKNOWN_ERROR = "unknown_error"

    @property
    def transient(self) -> bool:
        """Say whether the same conversion may be fine at a later block, with nothing done about it."""
        return self in _TRANSIENT

    @property
    def trading(self) -> TradingReason:
        """Return the engine's word for it; `no_liquidity` where the venue just won't."""
        return _TRADING.get(self, TradingReason.NO_LIQUIDITY)


_TRANSIENT = frozenset(
    {
        VenueReason.SLIPPAGE,
        VenueReason.DEADLINE_PASSED,
        VenueReason.RESERVE_FROZEN,
        VenueReason.RESERVE_PAUSED,
        VenueReason.SUPPLY_CAP,
        VenueReason.NO_LIQUIDITY,
        VenueReason.VAULT_LIMIT,
        VenueReason.PAUSED,
    }
)

_TRADING = {
    VenueReason.UNKNOWN_CONVERSION: TradingReason.UNKNOWN_CONVERSION,
    VenueReason.ZERO_AMOUNT: TradingReason.NOT_POSITIVE,
    VenueReason.SLIPPAGE: TradingReason.ABOVE_IMPACT_LIMIT,
    VenueReason.DEADLINE_PASSED: TradingReason.STALE_PRICE,
    VenueReason.TRANSFER_FAILED: TradingReason.INSUFFICIENT_UNITS,
    VenueReason.NO_ALLOWANCE: TradingReason.INSUFFICIENT_UNITS,
    VenueReason.INSUFFICIENT_BALANCE: TradingReason.INSUFFICIENT_UNITS,
    VenueReason.SUPPLY_CAP: TradingReason.ABOVE_VENUE_LIMIT,
    VenueReason.VAULT_LIMIT: TradingReason.ABOVE_VENUE_LIMIT,
    VenueReason.OUT_OF_GAS: TradingReason.NO_GAS,
}

_TEXTS = {
    "Too little received": VenueReason.SLIPPAGE,
    "Transaction too old": VenueReason.DEADLINE_PASSED,
    "STF": VenueReason.TRANSFER_FAILED,
    "ST": VenueReason.TRANSFER_FAILED,
    "TF": VenueReason.TRANSFER_FAILED,
    "AS": VenueReason.ZERO_AMOUNT,
    "ERC20: transfer amount exceeds allowance": VenueReason.NO_ALLOWANCE,
    "ERC20: insufficient allowance": VenueReason.NO_ALLOWANCE,
    "ERC20: transfer amount exceeds balance": VenueReason.INSUFFICIENT_BALANCE,
    "ERC20: burn amount exceeds balance": VenueReason.INSUFFICIENT_BALANCE,
    "Pausable: paused": VenueReason.PAUSED,
    "Blacklistable: account is blacklisted": VenueReason.BLACKLISTED,
    "account is blacklisted": VenueReason.BLACKLISTED,
    "ERC4626: deposit more than max": VenueReason.VAULT_LIMIT,
    "ERC4626: redeem more than max": VenueReason.VAULT_LIMIT,
}
"""Uniswap V3 (periphery, pool), OpenZeppelin 4, Circle's FiatToken: the whole text, exactly."""

_AAVE = {
    "24": ("INVALID_MINT_AMOUNT", VenueReason.ZERO_AMOUNT),
    "25": ("INVALID_BURN_AMOUNT", VenueReason.ZERO_AMOUNT),
    "26": ("INVALID_AMOUNT", VenueReason.ZERO_AMOUNT),
    "27": ("RESERVE_INACTIVE", VenueReason.RESERVE_INACTIVE),
    "28": ("RESERVE_FROZEN", VenueReason.RESERVE_FROZEN),
    "29": ("RESERVE_PAUSED", VenueReason.RESERVE_PAUSED),
    "32": ("NOT_ENOUGH_AVAILABLE_USER_BALANCE", VenueReason.INSUFFICIENT_BALANCE),
    "34": ("COLLATERAL_BALANCE_IS_ZERO", VenueReason.NO_COLLATERAL),
    "35": ("HEALTH_FACTOR_LOWER_THAN_LIQUIDATION_THRESHOLD", VenueReason.HEALTH_FACTOR),
    "43": ("UNDERLYING_BALANCE_ZERO", VenueReason.ZERO_AMOUNT),
    "51": ("SUPPLY_CAP_EXCEEDED", VenueReason.SUPPLY_CAP),
    "59": ("PRICE_ORACLE_SENTINEL_CHECK_FAILED", VenueReason.PROTOCOL_ERROR),
    "82": ("ASSET_NOT_LISTED", VenueReason.PROTOCOL_ERROR),
}
"""Aave V3.0's `Errors` library, as far as a supplier can meet it; its other numbers are protocol errors."""

CUSTOM = {
    "ERC20InsufficientAllowance(address,uint256,uint256)": ("fb8f41b2", VenueReason.NO_ALLOWANCE),
    "ERC20InsufficientBalance(address,uint256,uint256)": ("e450d38c", VenueReason.INSUFFICIENT_BALANCE),
    "SafeERC20FailedOperation(address)": ("5274afe7", VenueReason.RETURNED_FALSE),
    "ERC4626ExceededMaxDeposit(address,uint256,uint256)": ("79012fb2", VenueReason.VAULT_LIMIT),
    "ERC4626ExceededMaxRedeem(address,uint256,uint256)": ("b94abeec", VenueReason.VAULT_LIMIT),
    "EnforcedPause()": ("d93c0665", VenueReason.PAUSED),
    "InvalidAmount()": ("2c5211c6", VenueReason.ZERO_AMOUNT),
    "InvalidMintAmount()": ("ccfad018", VenueReason.ZERO_AMOUNT),
    "InvalidBurnAmount()": ("2075cc10", VenueReason.ZERO_AMOUNT),
    "ReserveInactive()": ("90cd6f24", VenueReason.RESERVE_INACTIVE),
    "ReserveFrozen()": ("6d305815", VenueReason.RESERVE_FROZEN),
    "ReservePaused()": ("d37f5f1c", VenueReason.RESERVE_PAUSED),
    "NotEnoughAvailableUserBalance()": ("47bc4b2c", VenueReason.INSUFFICIENT_BALANCE),
    "SupplyCapExceeded()": ("f58f733a", VenueReason.SUPPLY_CAP),
    "HealthFactorLowerThanLiquidationThreshold()": ("6679996d", VenueReason.HEALTH_FACTOR),
}
"""Custom errors of OpenZeppelin 5 and of Aave since V3.4, with their selectors (held by the tests)."""

_BY_SELECTOR = {bytes.fromhex(selector): (name, reason) for name, (selector, reason) in CUSTOM.items()}

_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "bad enum",
    0x31: "pop of an empty array",
    0x32: "index out of range",
    0x41: "too much memory",
    0x51: "call of an empty function",
}
"""Solidity's panic codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A contract refuses, or would. `detail` is its own word; safe to show: one line, cut short."""

    reason: VenueReason
    detail: str


def refused(reason: VenueReason, detail: str) -> Refused:
    """Return a refusal whose detail is one printable line, whatever a contract put into it."""
    line = "".join(character if character.isprintable() else "?" for character in detail)
    shortened = line if len(line) <= _DETAIL_CHARACTERS_MAX else line[:_DETAIL_CHARACTERS_MAX] + "…"
    return Refused(reason=reason, detail=shortened)


def explain(data: bytes, message: str = "") -> Refused:
    """Return what revert `data` means; `message` is what the node said beside it."""
    if not data:
        return _explain_silence(message)
    selector, body = data[: abi.SELECTOR], data[abi.SELECTOR :]
    try:
        if selector == _ERROR:
            [text] = abi.decode(("string",), body)
            return _explain_text(str(text))
        if selector == _PANIC:
            [code] = abi.decode(("uint256",), body)
            assert isinstance(code, int), "a panic code is decoded as a number"
            return refused(VenueReason.PANIC, f"panic 0x{code:02x}: {_PANICS.get(code, 'no known code')}")
    except ValueError as problem:
        return refused(VenueReason.UNKNOWN_ERROR, f"garbled revert 0x{data[:36].hex()}: {problem}")
    if selector in _BY_SELECTOR:
        name, reason = _BY_SELECTOR[selector]
        return refused(reason, name)
    return refused(VenueReason.UNKNOWN_ERROR, f"custom error 0x{selector.hex()}, {len(body)} bytes")


def _explain_text(text: str) -> Refused:
    """Name a text; Aave's are numbers."""
    if text in _AAVE:
        name, reason = _AAVE[text]
        return refused(reason, f"Aave {text}: {name}")
    if text.isascii() and text.isdecimal():
        return refused(VenueReason.PROTOCOL_ERROR, f"Aave {text}")
    return refused(_TEXTS.get(text, VenueReason.REVERTED), text)


def _explain_silence(message: str) -> Refused:
    """Name a revert without data: all gas burnt, a bare `revert()`, or a call of no contract."""
    if "insufficient funds" in message.lower():
        return refused(VenueReason.INSUFFICIENT_BALANCE, message)
    if "gas" in message.lower() and ("out" in message.lower() or "required exceeds" in message.lower()):
        return refused(VenueReason.OUT_OF_GAS, message)
    return refused(VenueReason.EMPTY_REVERT, message or "no data")
