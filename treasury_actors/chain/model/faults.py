"""What the environment of a chain can do to us. Raised, never returned."""

from enum import Enum, auto

from treasury_actors.errors import Fault


class ToolFault(Fault):
    """A program we need (Node, npm, anvil) is absent, did not start, or ended on its own."""

    exit_code = 69


class RpcFaultKind(Enum):
    """Why a JSON-RPC call has no answer we may believe."""

    TIMEOUT = auto()  # our deadline passed
    UNREACHABLE = auto()  # no connection was made: the request did not leave
    BROKEN_OFF = auto()  # the connection ended before the answer did
    RATE_LIMITED = auto()  # HTTP 429
    SERVER_ERROR = auto()  # HTTP 5xx
    REFUSED = auto()  # any other HTTP status, also a redirect
    TOO_LONG = auto()  # more bytes than we read
    NOT_JSON = auto()  # HTML, nothing, a cut, NaN
    NOT_RPC = auto()  # JSON, but not the answer to what was asked
    BAD_VALUE = auto()  # an answer of the wrong shape: a hex number with leading zeros, null, too large
    NODE_ERROR = auto()  # the node said no to a question that has an answer
    NO_MAJORITY = auto()  # too few endpoints say the same
    BREAKER_OPEN = auto()  # not asked: the endpoint failed too often
    WRONG_CHAIN = auto()  # the endpoint is on another chain than the one pinned


_LASTING = frozenset({RpcFaultKind.REFUSED, RpcFaultKind.WRONG_CHAIN})


class RpcFault(Fault):
    """A call has no answer we may believe. `transient` says whether asking again may help."""

    exit_code = 69

    def __init__(self, kind: RpcFaultKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.transient = kind not in _LASTING
