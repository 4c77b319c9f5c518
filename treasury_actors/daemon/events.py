"""What happens to the process of a run, as the journal has it; outside the state hash."""

from dataclasses import dataclass

from treasury_actors.journal.codec import event

STREAM = "daemon"


@event("daemon.resumed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonResumed:
    """A process went on with a journal that had events; `epoch` counts the starts in its folder."""

    epoch: int


@event("daemon.upgrade_accepted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeAccepted:
    """An operator let a run go on with another config, data or code than it was begun with."""

    epoch: int
    old_config_hash: str
    new_config_hash: str
    old_data_hash: str
    new_data_hash: str
    old_code_hash: str
    new_code_hash: str


@event("daemon.feed_down", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDown:
    """No frame can be read that may be believed: nothing new is ordered. `turn` is the last one played."""

    turn: int
    reason: str
    detail: str


@event("daemon.feed_back", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FeedBack:
    """The chain can be read again."""

    turn: int


@event("daemon.simulation_begun", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationBegun:
    """
    The first event of every journal of simulated agents: nothing in it is anybody's money.

    Their assets and accounts have the names of real ones: the same code plays them. That no balance is taken
    for one of the other kind, the journal says: whoever plays with money refuses this one.
    """

    run: str


@event("daemon.simulation_closed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationClosed:
    """The house of simulated agents died of something; `turn` is the last one the house with money played."""

    turn: int
    why: str
