"""What becomes of a withdrawal that mandates are cut for, as the journal has it. Pure."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal, TypeAlias

from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId
from treasury_actors.journal.codec import TimeNs, Units, encode, event
from treasury_actors.ledger.model import RESERVE, pool

IDLE_ACCOUNTS = (RESERVE, pool("sim"), pool("proving"), pool("main"), pool("full"))
"""Where money lies idle, in the order it is taken."""

RefusedFor = Literal[
    "deadline_passed",
    "withdrawal_open",
    "not_in_time",
    "exceeds_treasury",
    "not_the_reserve_asset",
    "plan_changed",
    "unknown_withdrawal",
    "withdrawal_over",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRefused:
    """Why a withdrawal is not begun, or not ended; nothing moved. A value, never raised."""

    reason: RefusedFor
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    What a treasurer asks for.

    Attributes:
        withdrawal: its name in every command, chosen by who sends it: the same one twice counts once.
        units: of the reserve asset.
        by_ns: when it must be home.
    """

    withdrawal: str
    asset: AssetId
    units: int
    by_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Idle units of an account."""

    account: AccountId
    units: Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """
    What a mandate gives back.

    Attributes:
        units: of the reserve asset, that go to the withdrawal.
        closes: the mandate ends: all of it is sold, and the pool keeps what is over.
        cost_micro_usd: what selling for it costs at the frame it was planned at, gas included.
        home_h: hours until it is home.
    """

    agent: AgentId
    units: Units
    closes: bool
    cost_micro_usd: Units
    home_h: int


@event("arena.withdrawal_planned", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalPlanned:
    """
    A withdrawal begins, with what it was planned to take.

    Attributes:
        turn: the frame it was planned at.
        idle: what is set aside at once.
        cuts: what comes from mandates, in the order it was decided.
    """

    withdrawal: str
    turn: int
    asset: AssetId
    units: Units
    by_ns: TimeNs
    reason: str
    idle: tuple[Idle, ...]
    cuts: tuple[Cut, ...]

    @property
    def plan(self) -> str:
        """A short hash of all it says but its name: two plans with the same are the same."""
        return sha256(encode(replace(self, withdrawal="")).encode()).hexdigest()[:12]

    @property
    def cost_micro_usd(self) -> int:
        """What the exits cost."""
        return sum(cut.cost_micro_usd for cut in self.cuts)

    @property
    def home_h(self) -> int:
        """Hours until all of it is home; 0 if all of it lies idle."""
        return max((cut.home_h for cut in self.cuts), default=0)


@event("arena.withdrawal_extended", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalExtended:
    """Exits brought less than planned: more is asked for, in the same order."""

    withdrawal: str
    turn: int
    cuts: tuple[Cut, ...]


@event("arena.withdrawal_late", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalLate:
    """The time it was wanted by has come, and this is home; it goes on."""

    withdrawal: str
    turn: int
    home_units: Units


@event("arena.withdrawal_home", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalHome:
    """All of it is set aside in the wallet: the wallet's owner pays it out."""

    withdrawal: str
    turn: int


@event("arena.withdrawal_executed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalExecuted:
    """The money has left the treasury by this entry."""

    withdrawal: str
    turn: int
    entry_id: EntryId


@event("arena.withdrawal_cancelled", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalCancelled:
    """Somebody no longer wants it: what was set aside went back; a mandate that closes for it closes on."""

    withdrawal: str
    turn: int
    reason: str


WithdrawalEvent: TypeAlias = (
    WithdrawalPlanned
    | WithdrawalExtended
    | WithdrawalLate
    | WithdrawalHome
    | WithdrawalExecuted
    | WithdrawalCancelled
)
Status = Literal["under_way", "home", "executed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    One withdrawal and what became of it.

    Attributes:
        late: the time it was wanted by passed before it was home.
        cuts: planned, and added since.
    """

    planned: WithdrawalPlanned
    cuts: tuple[Cut, ...]
    status: Status = "under_way"
    late: bool = False

    @property
    def is_open(self) -> bool:
        """Whether anything can still become of it."""
        return self.status in {"under_way", "home"}

    @property
    def entry_id(self) -> EntryId:
        """The one entry that pays it out; its id makes it happen once."""
        return EntryId(f"withdrawal/{self.planned.withdrawal}")


@dataclass(slots=True)
class Withdrawals:
    """Every planned withdrawal of a journal, by name. `apply` folds one event; nothing else changes it."""

    known: dict[str, Standing] = field(default_factory=dict)

    @property
    def open(self) -> Standing | None:
        """The one that is open; there is never a second."""
        return next((each for each in self.known.values() if each.is_open), None)

    def apply(self, event: WithdrawalEvent) -> None:
        """Fold one event."""
        name = event.withdrawal
        if isinstance(event, WithdrawalPlanned):
            if name in self.known or self.open is not None:
                raise InvariantViolated(f"I33: withdrawal {name} begins while another is open, or twice")
            self.known[name] = Standing(planned=event, cuts=event.cuts)
            return
        standing = self.known.get(name)
        if standing is None or not standing.is_open:
            raise InvariantViolated(f"I33: {type(event).__name__} of {name}, which is not open")
        match event:
            case WithdrawalExtended():
                standing = replace(standing, cuts=standing.cuts + event.cuts)
            case WithdrawalLate():
                standing = replace(standing, late=True)
            case WithdrawalHome():
                standing = replace(standing, status="home")
            case WithdrawalExecuted():
                standing = replace(standing, status="executed")
            case WithdrawalCancelled():
                standing = replace(standing, status="cancelled")
        self.known[name] = standing

    def canonical(self) -> list[list[str]]:
        """Return its part of a state hash."""
        return [[name, each.status, str(each.planned.units)] for name, each in sorted(self.known.items())]
