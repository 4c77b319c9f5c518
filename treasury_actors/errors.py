"""
The taxonomy of what can go wrong. It imports nothing.

Expected outcomes are *values* (`Rejected`, `OutcomeUnknown`, in the component that says them) and are
never raised. What is raised is one of three families, and each has its exit code:

- `Fault`: the environment failed (disk, network, feed). `transient` says whether a retry can help.
- `ConfigError`, `DataError`: what the user gave us is wrong; nothing was started, nothing written.
- `InvariantViolated`: a bug. Nobody catches it; trading stops.
"""


class TreasuryError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code = 1


class ConfigError(TreasuryError):
    """A config file, option or folder is wrong. One line: file, key, allowed range."""

    exit_code = 78


class DataError(TreasuryError):
    """Market data is wrong. One line: file, row or key, allowed range."""

    exit_code = 78


class Fault(TreasuryError):
    """The environment failed. `transient` is true when the same call may work later."""

    transient = False


class JournalFault(Fault):
    """The journal could not be written or read."""

    exit_code = 70


class JournalCorrupt(JournalFault):
    """The journal on disk is not what was written. `seq` is the first bad event."""

    exit_code = 74

    def __init__(self, message: str, *, seq: int) -> None:
        super().__init__(message)
        self.seq = seq


class OutOfMemory(Fault):
    """The system gives the process no more memory, or no more threads."""

    exit_code = 70


class FolderInUse(Fault):
    """Another process holds the run folder."""

    exit_code = 75


class FeedFault(Fault):
    """A market data source did not answer, or answered in a shape we do not know."""

    transient = True


class InvariantViolated(TreasuryError):
    """A promise of `docs/invariants.md` is broken: a bug. Nobody catches it."""

    exit_code = 70


class ActorError(TreasuryError):
    """Base of what the actor runtime tells the sender of a message."""


class MailboxFull(ActorError):
    """The receiver's bounded mailbox has no room; the message was not accepted."""


class AskTimeout(ActorError):
    """No reply within `timeout_s`. The outcome is unknown, not failed."""


class ActorCrashed(ActorError):
    """The receiver died of the message that was asked."""


class ActorStopped(ActorError):
    """The receiver is gone for good; the message went to the dead letters."""


class MessageNotUnderstood(ActorError):
    """The message is not in the receiver's set. Raised at its sender."""
