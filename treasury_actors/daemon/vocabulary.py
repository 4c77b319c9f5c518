"""Every event a journal can hold. Who reads payloads imports this, so that each type is registered."""

from treasury_actors.agents.messages import StateRecorded
from treasury_actors.arena.model import events as arena
from treasury_actors.arena.model import promotion, withdrawal
from treasury_actors.arena.model.book import BookRecorded
from treasury_actors.arena.model.demotion import AgentDemoted
from treasury_actors.daemon.events import (
    DaemonResumed,
    FeedBack,
    FeedDown,
    SimulationBegun,
    SimulationClosed,
    UpgradeAccepted,
)
from treasury_actors.ledger.model import Entry
from treasury_actors.trading.model import transaction as wallet
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.order import (
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderRefused,
    OrderReleased,
)
from treasury_actors.trading.model.stop import TradingStateChanged, VenueAlarm

VOCABULARY: tuple[type, ...] = (
    Entry,
    OrderAccepted,
    OrderRefused,
    OrderReleased,
    OrderFilled,
    OrderEnded,
    Mandate,
    TradingStateChanged,
    VenueAlarm,
    wallet.TxPlanned,
    wallet.TxReturned,
    wallet.TxSigned,
    wallet.TxSent,
    wallet.TxRefused,
    wallet.TxUnknown,
    wallet.TxMined,
    wallet.TxReorged,
    wallet.TxConfirmed,
    wallet.TxReplaced,
    wallet.TxSettled,
    wallet.TxReverted,
    wallet.TxCancelled,
    wallet.TxForeign,
    wallet.TxPermitted,
    StateRecorded,
    arena.SeasonOpened,
    arena.SeasonClosed,
    arena.AgentBorn,
    arena.GenomeRefused,
    arena.AgentRetired,
    arena.AgentFrozen,
    arena.AgentClosed,
    arena.FitnessRecorded,
    BookRecorded,
    arena.RoundHeld,
    arena.CapitalRefused,
    arena.AgentCrashed,
    arena.AgentRestarted,
    arena.AgentQuarantined,
    arena.CommonCauseFound,
    arena.HostPaused,
    AgentDemoted,
    promotion.LadderOpened,
    promotion.GateHeld,
    promotion.PromotionProposed,
    promotion.PromotionApproved,
    promotion.PromotionRejected,
    promotion.PromotionExpired,
    promotion.PromotionExecuted,
    withdrawal.WithdrawalPlanned,
    withdrawal.WithdrawalExtended,
    withdrawal.WithdrawalLate,
    withdrawal.WithdrawalHome,
    withdrawal.WithdrawalExecuted,
    withdrawal.WithdrawalCancelled,
    DaemonResumed,
    UpgradeAccepted,
    FeedDown,
    FeedBack,
    SimulationBegun,
    SimulationClosed,
)
