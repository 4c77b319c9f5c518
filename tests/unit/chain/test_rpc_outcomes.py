"""What a node's answer to a transaction proves: a known text one thing, everything else nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Json, RpcError, SendOutcome, result_of, send_outcome, shown

HASH = "0x" + "ab" * 32
Said = SendOutcome
TEXTS = [
    ("already known", Said.ALREADY_KNOWN),
    ("known transaction: abcd", Said.ALREADY_KNOWN),
    ("transaction already imported", Said.ALREADY_KNOWN),
    ("AlreadyKnown", Said.ALREADY_KNOWN),
    ("nonce too low", Said.NONCE_TOO_LOW),
    ("nonce too low: next nonce 5, tx nonce 4", Said.NONCE_TOO_LOW),
    ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Said.NONCE_TOO_LOW),
    ("nonce too high: address 0x1, tx: 9 state: 5", Said.NONCE_GAP),
    ("Transaction nonce is too high", Said.NONCE_GAP),
    ("NonceGap", Said.NONCE_GAP),
    ("gapped-nonce tx from delegated accounts", Said.NONCE_GAP),
    ("replacement transaction underpriced", Said.UNDERPRICED_REPLACEMENT),
    ("could not replace existing tx", Said.UNDERPRICED_REPLACEMENT),
    ("ReplacementNotAllowed", Said.UNDERPRICED_REPLACEMENT),
    ("Insufficient funds for gas * price + value", Said.INSUFFICIENT_FUNDS),
    ("insufficient funds for gas * price + value: balance 0, tx cost 21000", Said.INSUFFICIENT_FUNDS),
    ("Upfront cost exceeds account balance", Said.INSUFFICIENT_FUNDS),
    ("max fee per gas less than block base fee", Said.FEE_TOO_LOW),
    ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7", Said.FEE_TOO_LOW),
    ("transaction underpriced", Said.FEE_TOO_LOW),
    ("transaction underpriced: gas tip cap 0, minimum needed 1", Said.FEE_TOO_LOW),
    ("FeeTooLow, EffectivePriorityFeePerGas too low 0 < 1", Said.FEE_TOO_LOW),
    ("Gas price below configured minimum gas price", Said.FEE_TOO_LOW),
    ("invalid chain id for signer", Said.WRONG_CHAIN),
    ("invalid chain id for signer: have 1 want 31337", Said.WRONG_CHAIN),
    ("Chain id mismatch", Said.WRONG_CHAIN),
    ("intrinsic gas too low", Said.REJECTED),
    ("exceeds block gas limit", Said.REJECTED),
    ("tx fee (1.50 ether) exceeds the configured cap (1.00 ether)", Said.REJECTED),
]
PROVING_NOTHING = [
    "",
    "internal error",
    "limit exceeded",
    "request timed out",
    "unknown transaction",
    "header not found",
    "missing trie node",
    "txpool is full",
    "the nonce too",
    "execution reverted: Too little received",
    "nonce too low or replacement transaction underpriced",  # two texts prove nothing
]


@pytest.mark.parametrize(("text", "outcome"), TEXTS)
@pytest.mark.parametrize("code", [-32000, -32003, -32603, 3])
def test_a_known_text_proves_one_thing_whatever_the_code(text: str, outcome: SendOutcome, code: int) -> None:
    for spelled in (text, text.upper(), f"err: {text}"):
        assert send_outcome(RpcError(code=code, message=spelled), HASH).outcome is outcome


@pytest.mark.parametrize("text", PROVING_NOTHING)
def test_any_other_text_proves_nothing(text: str) -> None:
    assert send_outcome(RpcError(code=-32000, message=text), HASH).outcome is Said.UNKNOWN


@given(st.text(alphabet="abcdefghij 0123456789:,.-'", max_size=80), st.integers())
def test_a_text_nobody_wrote_down_proves_nothing(text: str, code: int) -> None:
    assert send_outcome(RpcError(code=code, message=text), HASH).outcome is Said.UNKNOWN


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(JSON)
def test_a_result_that_is_not_our_hash_proves_nothing(result: Json) -> None:
    assert send_outcome(result, HASH).outcome is Said.UNKNOWN


def test_our_own_hash_is_accepted_in_any_case_of_letters() -> None:
    for spelled in (HASH, "0x" + "AB" * 32):
        assert send_outcome(spelled, HASH).outcome is Said.ACCEPTED


def test_another_hash_is_a_lie_and_anything_else_is_not() -> None:
    assert send_outcome("0x" + "cd" * 32, HASH).node_lied
    assert not send_outcome(None, HASH).node_lied
    assert not send_outcome("0x", HASH).node_lied


def test_what_may_be_in_flight_is_everything_that_is_not_refused() -> None:
    refused = {
        Said.UNDERPRICED_REPLACEMENT,
        Said.INSUFFICIENT_FUNDS,
        Said.FEE_TOO_LOW,
        Said.WRONG_CHAIN,
        Said.REJECTED,
    }

    assert {outcome for outcome in SendOutcome if not outcome.may_be_in_flight} == refused


def test_a_no_where_there_is_an_answer_is_a_fault() -> None:
    with pytest.raises(RpcFault, match="block: the node said -32000: header not found") as caught:
        result_of(RpcError(code=-32000, message="header not found"), "block")

    assert caught.value.kind is RpcFaultKind.NODE_ERROR
    assert result_of(None, "receipt") is None


@given(st.text(max_size=2_000))
def test_what_is_shown_is_one_short_line(text: str) -> None:
    assert len(shown(text)) <= 121
    assert "\n" not in shown(text)
