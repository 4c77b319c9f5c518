"""What a node's words about a send mean to a wallet: little is proof, and nothing unknown is a refusal."""

import pytest

from treasury_actors.chain.model.rpc import Json, RpcError, send_outcome
from treasury_actors.trading.adapters.evm.node import reply_of
from treasury_actors.trading.model.send_reply import (
    Accepted,
    AlreadyKnown,
    InsufficientFunds,
    NoAnswer,
    NonceTooHigh,
    NonceTooLow,
    SendReply,
    Underpriced,
)

OURS = "0x" + "11" * 32
OTHER = "0x" + "22" * 32


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ("already known", AlreadyKnown),
        ("Transaction already imported", AlreadyKnown),
        ("nonce too low: next nonce 7, tx nonce 5", NonceTooLow),
        ("nonce too high", NonceTooHigh),
        ("replacement transaction underpriced", Underpriced),
        ("max fee per gas less than block base fee: address 0x1", Underpriced),
        ("insufficient funds for gas * price + value", InsufficientFunds),
        ("invalid chain id for signer", NoAnswer),
        ("unknown transaction type", NoAnswer),
        ("internal error", NoAnswer),
        ("", NoAnswer),
    ],
)
def test_the_words_of_nodes_mean(message: str, reply: type[SendReply]) -> None:
    answer = send_outcome(RpcError(code=-32_000, message=message), OURS)

    assert isinstance(reply_of(answer, OURS), reply)


def test_our_hash_is_accepted_and_another_is_a_lie_that_a_wallet_can_tell() -> None:
    honest, lie = (reply_of(send_outcome(said, OURS), OURS) for said in (OURS, OTHER))

    assert honest == Accepted(tx_hash=OURS)
    assert isinstance(lie, Accepted)
    assert lie.tx_hash != OURS


@pytest.mark.parametrize("said", [None, 7, "yes", [], {}])
def test_garbage_is_no_answer(said: Json) -> None:
    assert isinstance(reply_of(send_outcome(said, OURS), OURS), NoAnswer)
