"""
What an operator may ask of a living daemon: one line of JSON each way.

    {"command": "status"}
    {"command": "stop", "state": "stopped", "reason": "…"}      state: stopped | reducing
    {"command": "resume", "reason": "…"}
    {"command": "deposit", "asset": "USDC", "units": "1000000", "entry_id": "…", "reason": "…"}
    {"command": "withdraw", …}
    {"command": "close_all", "reason": "…"}                     reduce, and let every mandate close
    {"command": "close_mandate", "agent": "…", "reason": "…"}   let that of one agent close
    {"command": "accept_inflow", "entry_id": "…", "reason": "…"}
    {"command": "bring_home", "begins": "yes", "withdrawal": "w-1", "asset": "USDC", "units": "1000000",
     "by": "+24h", "plan": "", "reason": "…"}                   a planned withdrawal; begins: yes | no
    {"command": "end_withdrawal", "withdrawal": "w-1", "paid": "no", "reason": "…"}
    {"command": "backup", "target": "/…/journal-2025-01-01.db"}
    {"command": "approve", "promotion": "p001-proving", "by": "alice", "signature": "…"}    hexadecimal
    {"command": "reject", "promotion": "p001-proving", "by": "bob", "reason": "…"}

A reply has `ok`. If that is false, `error` says why in words and `kind` by name: `bad_request`, `refused`,
`leaving`. Pure.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from treasury_actors.daemon.stop_file import REASON_CHARACTERS_MAX, StopMode
from treasury_actors.ids import AssetId, EntryId
from treasury_actors.journal.forms import parse_json

LINE_BYTES_MAX = 8_192
_UNITS_DIGITS_MAX = 60

Reply: TypeAlias = Mapping[str, object]
Direction = Literal["deposit", "withdraw"]
ErrorKind = Literal["bad_request", "refused", "leaving"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStatus:
    """Ask how the run is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTrading:
    """Stop, or reduce; never loosens what holds."""

    state: StopMode
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeTrading:
    """Take the STOP file away and let trading go on."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAll:
    """Reduce, and let every mandate close: the guardian sells, what is sold goes home to its pool."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseMandate:
    """Let the mandate of one agent close, living or frozen; the others trade on."""

    agent: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInflow:
    """Take what a stranger sent into the treasury: all of one inflow entry, once."""

    entry_id: EntryId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTreasury:
    """Deposit or withdraw `units`; the same `entry_id` twice counts once."""

    direction: Direction
    asset: AssetId
    units: int
    entry_id: EntryId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BringHome:
    """
    Plan a withdrawal that mandates may be cut for, or begin it; under the same name it counts once.

    Attributes:
        by: when it is wanted, in the words of `withdrawing.deadline_ns`.
        plan: what was shown to the treasurer; empty: whatever it is by now.
    """

    begins: bool
    withdrawal: str
    asset: AssetId
    units: int
    by: str
    plan: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndWithdrawal:
    """Cancel a withdrawal, or say that the wallet's owner has paid it out."""

    withdrawal: str
    paid: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackUp:
    """Copy the journal to a file that is not there yet; an absolute path."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovePromotion:
    """Count one person's approval of a rise of real money; the signature was made where their key is."""

    promotion: str
    by: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectPromotion:
    """End a proposal, for a reason."""

    promotion: str
    by: str
    reason: str


Request: TypeAlias = (
    GetStatus
    | StopTrading
    | ResumeTrading
    | MoveTreasury
    | CloseAll
    | CloseMandate
    | AcceptInflow
    | BackUp
    | ApprovePromotion
    | RejectPromotion
    | BringHome
    | EndWithdrawal
)

_FIELDS: dict[str, tuple[str, ...]] = {
    "status": (),
    "stop": ("state", "reason"),
    "resume": ("reason",),
    "deposit": ("asset", "units", "entry_id", "reason"),
    "withdraw": ("asset", "units", "entry_id", "reason"),
    "close_all": ("reason",),
    "close_mandate": ("agent", "reason"),
    "accept_inflow": ("entry_id", "reason"),
    "backup": ("target",),
    "approve": ("promotion", "by", "signature"),
    "reject": ("promotion", "by", "reason"),
    "bring_home": ("begins", "withdrawal", "asset", "units", "by", "plan", "reason"),
    "end_withdrawal": ("withdrawal", "paid", "reason"),
}
_NEED_A_REASON = frozenset(
    {"stop", "resume", "close_all", "close_mandate", "accept_inflow", "bring_home", "end_withdrawal"}
)
_AS_THEY_ARE: dict[str, Callable[..., Request]] = {
    "status": GetStatus,
    "resume": ResumeTrading,
    "close_all": CloseAll,
    "close_mandate": CloseMandate,
    "approve": ApprovePromotion,
    "reject": RejectPromotion,
}
"""Whose fields are any text: there is nothing to check of them here."""


def parse_request(line: bytes) -> Request:
    """Return the request of a line; raise ValueError, in words for whoever sent it, if it is none."""
    try:
        found = parse_json(line.decode())
    except RecursionError:
        raise ValueError("not JSON: nested too deep") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("a request is an object")  # noqa: TRY004 - for the sender it is one kind of mistake
    command = found.pop("command", None)
    known = _FIELDS.get(command) if isinstance(command, str) else None
    if known is None:
        raise ValueError(f"unknown command {command!r:.60}; known are {', '.join(_FIELDS)}")
    if sorted(found) != sorted(known):
        raise ValueError(f"{command} takes exactly: {', '.join(known) or 'nothing'}")
    for name, value in found.items():
        if not (isinstance(value, str) and value.isprintable() and len(value) <= REASON_CHARACTERS_MAX):
            raise ValueError(f"{name} is one line of text, at most {REASON_CHARACTERS_MAX} characters")
    return _request(str(command), {name: str(value).strip() for name, value in found.items()})


def _request(command: str, fields: Mapping[str, str]) -> Request:
    """Return the request with these checked fields; raise ValueError for one that is out of range."""
    if command in _NEED_A_REASON and not fields["reason"]:
        raise ValueError(f"{command} needs a reason")
    as_it_is = _AS_THEY_ARE.get(command)
    if as_it_is is not None:
        return as_it_is(**fields)
    if command == "backup":
        return _backup(fields["target"])
    reason = fields["reason"]
    if command == "stop":
        state = fields["state"]
        if state not in {"stopped", "reducing"}:
            raise ValueError("state is stopped or reducing")
        return StopTrading(state="reducing" if state == "reducing" else "stopped", reason=reason)
    if command in {"bring_home", "end_withdrawal"}:
        return _withdrawal(command, fields)
    entry_id = fields["entry_id"]
    if not (entry_id.isascii() and entry_id):
        raise ValueError("entry_id is a name in ASCII")
    if command == "accept_inflow":
        return AcceptInflow(entry_id=EntryId(entry_id), reason=reason)
    return MoveTreasury(
        direction="deposit" if command == "deposit" else "withdraw",
        asset=AssetId(fields["asset"]),
        units=_units(fields["units"]),
        entry_id=EntryId(entry_id),
        reason=reason,
    )


def _units(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _UNITS_DIGITS_MAX and int(text) > 0):
        raise ValueError("units is a whole number above 0, as text")
    return int(text)


def _withdrawal(command: str, fields: Mapping[str, str]) -> BringHome | EndWithdrawal:
    name, reason = fields["withdrawal"], fields["reason"]
    if not (name.isascii() and name):
        raise ValueError("withdrawal is a name in ASCII")
    flag = "begins" if command == "bring_home" else "paid"
    if fields[flag] not in {"yes", "no"}:
        raise ValueError(f"{flag} is yes or no")
    yes = fields[flag] == "yes"
    if command == "end_withdrawal":
        return EndWithdrawal(withdrawal=name, paid=yes, reason=reason)
    return BringHome(
        begins=yes,
        withdrawal=name,
        asset=AssetId(fields["asset"]),
        units=_units(fields["units"]),
        by=fields["by"],
        plan=fields["plan"],
        reason=reason,
    )


def _backup(target: str) -> BackUp:
    if not target.startswith("/"):
        raise ValueError("target is an absolute path")
    return BackUp(target=target)


def refused(kind: ErrorKind, error: str) -> Reply:
    """Return the reply to what can't be done."""
    return {"ok": False, "kind": kind, "error": error}


def as_line(message: Mapping[str, object]) -> bytes:
    """Return a message as one line; raise ValueError for a number JSON does not have."""
    return json.dumps(message, allow_nan=False).encode() + b"\n"
