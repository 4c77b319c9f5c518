"""JSON-RPC with a real node, through everything a network and a lying node can do (C1 to C4)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from eth_account import Account

from tests.integration.evm import fault_proxy as faults
from tests.integration.evm.fault_proxy import FaultProxy
from treasury_actors.chain.adapters.anvil import AnvilNode
from treasury_actors.chain.adapters.failover import ChainPin, FailoverRpc
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import RpcCall, RpcError, SendOutcome, result_of
from treasury_actors.chain.model.values import hash32, mapping, quantity
from treasury_actors.clock import VirtualClock

K = RpcFaultKind
CHAIN = ChainPin(chain_id=31337)
S = 10**9
KEY = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the published one of dev account 0
)
RICH = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
DEADLINE_S = 0.4


@pytest.fixture
async def proxy(anvil: AnvilNode) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(anvil.url) as proxy:
        yield proxy


@pytest.fixture
async def rpc(proxy: FaultProxy) -> AsyncIterator[HttpRpc]:
    async with HttpRpc(Endpoint(url=proxy.url, deadline_s=DEADLINE_S)) as rpc:
        yield rpc


def signed(
    nonce: int = 0, *, value: int = 1, chain_id: int = 31337, max_fee: int = 10**10
) -> tuple[str, str]:
    """Return the signed bytes of a transfer, and their hash."""
    fields = {"to": OTHER, "value": value, "nonce": nonce, "gas": 21_000, "chainId": chain_id}
    fees = {"maxFeePerGas": max_fee, "maxPriorityFeePerGas": min(max_fee, 10**9)}
    transaction = Account.sign_transaction({**fields, **fees}, KEY)
    return transaction.raw_transaction.to_0x_hex(), transaction.hash.to_0x_hex()


async def nonce_of(rpc: HttpRpc | FailoverRpc) -> int:
    answer = await rpc.call("eth_getTransactionCount", (RICH, "latest"))
    return quantity(result_of(answer, "nonce"), "nonce")


async def test_a_call_and_a_batch_are_one_request_each(proxy: FaultProxy, rpc: HttpRpc) -> None:
    assert await rpc.call("eth_chainId") == "0x7a69"
    calls = [RpcCall(method="eth_blockNumber"), RpcCall(method="eth_nope"), RpcCall(method="eth_chainId")]
    number, error, chain_id = await rpc.batch(calls)

    assert (number, chain_id) == ("0x0", "0x7a69")
    assert isinstance(error, RpcError)
    assert error.code == -32601
    assert rpc.requests == 2
    assert proxy.seen == ["eth_chainId", *(call.method for call in calls)]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.Hang(), K.TIMEOUT),
        (faults.Hang(forward=False), K.TIMEOUT),
        (faults.Drip(seconds_a_byte=0.05), K.TIMEOUT),
        (faults.Delay(seconds=5.0), K.TIMEOUT),
        (faults.DropReply(), K.BROKEN_OFF),
        (faults.DropReply(forward=False), K.BROKEN_OFF),
        (faults.ResetMidBody(), K.BROKEN_OFF),
        (faults.Endless(), K.TOO_LONG),
        (faults.Status(status=429, headers=("Retry-After: 3600",)), K.RATE_LIMITED),
        (faults.Status(status=500), K.SERVER_ERROR),
        (faults.Status(status=502), K.SERVER_ERROR),
        (faults.Status(status=503), K.SERVER_ERROR),
        (faults.Status(status=504), K.SERVER_ERROR),
        (faults.Status(status=403), K.REFUSED),
        (faults.Status(status=307, headers=("Location: http://127.0.0.1:9/",)), K.REFUSED),
        (faults.Status(status=200, body=b"\x1f\x8b", headers=("Content-Encoding: gzip",)), K.NOT_RPC),
        (faults.HTML, K.NOT_JSON),
        (faults.EMPTY, K.NOT_JSON),
        (faults.CUT, K.NOT_JSON),
        (faults.NAN, K.NOT_JSON),
        (faults.WRONG_ID, K.NOT_RPC),
        (faults.NO_ID, K.NOT_RPC),
    ],
)
async def test_whatever_comes_back_a_read_is_a_typed_fault_and_a_send_is_unknown(
    proxy: FaultProxy, rpc: HttpRpc, fault: faults.Fault, kind: RpcFaultKind
) -> None:
    proxy.always("*", fault)
    with pytest.raises(RpcFault) as caught:
        await rpc.call("eth_blockNumber")
    raw, tx_hash = signed()
    answer = await rpc.send(raw, tx_hash)

    assert caught.value.kind is kind
    assert "127.0.0.1" in str(caught.value)
    assert answer.outcome is SendOutcome.UNKNOWN
    assert proxy.seen == ["eth_blockNumber", "eth_sendRawTransaction"]  # each once: nothing is asked again


async def test_an_unknown_send_that_landed_is_known_by_its_nonce_and_never_by_a_second_transaction(
    proxy: FaultProxy, rpc: HttpRpc
) -> None:
    raw, tx_hash = signed()
    proxy.next("eth_sendRawTransaction", faults.DropReply())
    first = await rpc.send(raw, tx_hash)
    await rpc.call("evm_mine")
    again = await rpc.send(raw, tx_hash)
    receipt = mapping(
        result_of(await rpc.call("eth_getTransactionReceipt", (tx_hash,)), "receipt"), "receipt"
    )

    assert (first.outcome, again.outcome) == (SendOutcome.UNKNOWN, SendOutcome.NONCE_TOO_LOW)
    assert receipt["status"] == "0x1"
    assert await nonce_of(rpc) == 1


async def test_the_real_node_s_refusals_are_told_apart(anvil: AnvilNode, rpc: HttpRpc) -> None:
    async def outcome_of(nonce: int, **fields: int) -> SendOutcome:
        return (await rpc.send(*signed(nonce, **fields))).outcome

    await rpc.call("evm_setAutomine", (False,))
    assert await outcome_of(0) is SendOutcome.ACCEPTED
    assert await outcome_of(0) is SendOutcome.ALREADY_KNOWN
    assert await outcome_of(0, value=2) is SendOutcome.UNDERPRICED_REPLACEMENT
    await rpc.call("evm_mine")
    assert await outcome_of(0) is SendOutcome.NONCE_TOO_LOW
    assert await outcome_of(1, value=10**30) is SendOutcome.INSUFFICIENT_FUNDS
    assert await outcome_of(1, max_fee=1) is SendOutcome.FEE_TOO_LOW
    assert await outcome_of(1, chain_id=1) is SendOutcome.WRONG_CHAIN


async def test_extra_fields_and_a_reordered_batch_are_no_fault(proxy: FaultProxy, rpc: HttpRpc) -> None:
    proxy.next("*", faults.EXTRA_FIELDS, faults.REORDERED)
    assert await rpc.call("eth_chainId") == "0x7a69"
    calls = [RpcCall(method="eth_chainId"), RpcCall(method="eth_blockNumber")]

    assert await rpc.batch(calls) == ["0x7a69", "0x0"]


async def test_a_batch_without_all_its_answers_is_no_answer(proxy: FaultProxy, rpc: HttpRpc) -> None:
    proxy.next("*", faults.LAST_MISSING)
    with pytest.raises(RpcFault) as caught:
        await rpc.batch([RpcCall(method="eth_chainId"), RpcCall(method="eth_blockNumber")])

    assert caught.value.kind is K.NOT_RPC


@pytest.mark.parametrize("value", ["0x01", "0x", "7a69", "0xZZ", None, True, 31337, "0x" + "f" * 65])
async def test_a_number_that_is_not_spelled_as_one_is_refused(
    proxy: FaultProxy, rpc: HttpRpc, value: object
) -> None:
    proxy.next("eth_getTransactionCount", faults.lie(value))
    with pytest.raises(RpcFault) as caught:
        await nonce_of(rpc)

    assert caught.value.kind is K.BAD_VALUE


async def test_a_node_that_accepts_under_another_hash_lied(proxy: FaultProxy, rpc: HttpRpc) -> None:
    proxy.next("eth_sendRawTransaction", faults.lie("0x" + "ab" * 32), faults.NULL_RESULT)
    raw, tx_hash = signed()
    lied, null = await rpc.send(raw, tx_hash), await rpc.send(raw, tx_hash)

    assert (lied.outcome, lied.node_lied) == (SendOutcome.UNKNOWN, True)
    assert (null.outcome, null.node_lied) == (SendOutcome.UNKNOWN, False)


@pytest.fixture
async def second(anvil: AnvilNode) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(anvil.url) as proxy:
        yield proxy


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def session(proxy: FaultProxy, second: FaultProxy, clock: VirtualClock) -> AsyncIterator[FailoverRpc]:
    endpoints = [Endpoint(url=one.url, deadline_s=DEADLINE_S) for one in (proxy, second)]
    async with FailoverRpc(endpoints, pin=CHAIN, clock=clock) as session:
        await session.connect()
        yield session


@pytest.mark.parametrize("fault", [faults.Hang(), faults.DropReply(), faults.Status(status=429), faults.HTML])
async def test_a_read_goes_on_at_the_next_endpoint(
    proxy: FaultProxy, session: FailoverRpc, fault: faults.Fault
) -> None:
    proxy.next("eth_blockNumber", fault)

    assert await session.call("eth_blockNumber") == "0x0"


async def test_a_send_goes_to_one_endpoint_and_the_same_bytes_to_another_next_time(
    proxy: FaultProxy, second: FaultProxy, session: FailoverRpc
) -> None:
    proxy.next("eth_sendRawTransaction", faults.DropReply(forward=False))
    raw, tx_hash = signed()
    first = await session.send(raw, tx_hash)
    assert "eth_sendRawTransaction" not in second.seen
    again = await session.send(raw, tx_hash)

    assert (first.outcome, again.outcome) == (SendOutcome.UNKNOWN, SendOutcome.ACCEPTED)
    assert proxy.seen.count("eth_sendRawTransaction") == 1
    assert second.seen.count("eth_sendRawTransaction") == 1


async def test_five_failures_within_30_s_leave_an_endpoint_alone_for_30_s(
    proxy: FaultProxy, second: FaultProxy, session: FailoverRpc, clock: VirtualClock
) -> None:
    proxy.always("eth_blockNumber", faults.Status(status=500))
    for _ in range(8):
        await session.call("eth_blockNumber")
    assert proxy.seen.count("eth_blockNumber") == 5
    assert len(session.open_breakers) == 1

    clock.advance_to(29 * S)
    await session.call("eth_blockNumber")
    assert proxy.seen.count("eth_blockNumber") == 5

    clock.advance_to(30 * S)
    await session.call("eth_blockNumber")
    await session.call("eth_blockNumber")
    assert proxy.seen.count("eth_blockNumber") == 6  # half open: one

    proxy.clear()
    clock.advance_to(61 * S)
    before = second.seen.count("eth_blockNumber")
    await session.call("eth_blockNumber")
    assert second.seen.count("eth_blockNumber") == before
    assert session.open_breakers == []


async def test_without_any_endpoint_reads_fault_and_sends_are_unknown_until_one_returns(
    proxy: FaultProxy, second: FaultProxy, session: FailoverRpc, clock: VirtualClock
) -> None:
    await proxy.down()
    await second.down()
    raw, tx_hash = signed()
    for at_s in range(0, 3600, 60):
        clock.advance_to(at_s * S)
        with pytest.raises(RpcFault) as caught:
            await session.call("eth_blockNumber")
        assert caught.value.transient
        assert (await session.send(raw, tx_hash)).outcome is SendOutcome.UNKNOWN
    await proxy.up()
    await second.up()
    clock.advance_to(3_700 * S)

    assert await nonce_of(session) == 0
    assert (await session.send(raw, tx_hash)).outcome is SendOutcome.ACCEPTED


async def test_an_endpoint_on_another_chain_closes_the_session_at_connect(
    proxy: FaultProxy, second: FaultProxy, clock: VirtualClock
) -> None:
    second.always("eth_chainId", faults.lie("0x1"))
    endpoints = [Endpoint(url=proxy.url), Endpoint(url=second.url)]
    raw, tx_hash = signed()
    async with FailoverRpc(endpoints, pin=CHAIN, clock=clock) as session:
        with pytest.raises(RpcFault) as caught:
            await session.connect()
        sent = await session.send(raw, tx_hash)
        with pytest.raises(RpcFault):
            await session.call("eth_blockNumber")

    assert caught.value.kind is K.WRONG_CHAIN
    assert session.refusal is caught.value
    assert sent.outcome is SendOutcome.WRONG_CHAIN
    assert not {"eth_sendRawTransaction", "eth_blockNumber"} & {*proxy.seen, *second.seen}


async def test_an_endpoint_that_changes_its_chain_is_found_within_a_minute(
    proxy: FaultProxy, session: FailoverRpc, clock: VirtualClock
) -> None:
    proxy.always("eth_chainId", faults.lie("0x2105"))
    clock.advance_to(59 * S)
    assert await session.call("eth_blockNumber") == "0x0"

    clock.advance_to(60 * S)
    raw, tx_hash = signed()
    sent = await session.send(raw, tx_hash)
    proxy.clear()

    assert sent.outcome is SendOutcome.WRONG_CHAIN
    assert session.refusal is not None
    assert (await session.send(raw, tx_hash)).outcome is SendOutcome.WRONG_CHAIN  # latched
    assert "eth_sendRawTransaction" not in proxy.forwarded


async def test_a_chain_is_proved_on_demand_however_recent_its_proof(
    proxy: FaultProxy, session: FailoverRpc
) -> None:
    await session.prove_chain()
    proxy.always("eth_chainId", faults.lie("0x1"))
    with pytest.raises(RpcFault) as caught:
        await session.prove_chain()

    assert caught.value.kind is K.WRONG_CHAIN


async def test_a_pinned_block_tells_apart_two_chains_of_one_id(
    anvil: AnvilNode, anvil_path: Path, proxy: FaultProxy, rpc: HttpRpc, clock: VirtualClock
) -> None:
    genesis = mapping(result_of(await rpc.call("eth_getBlockByNumber", ("0x0", False)), "block"), "block")
    right = ChainPin(chain_id=31337, block_number=0, block_hash=hash32(genesis["hash"], "hash"))
    wrong = ChainPin(chain_id=31337, block_number=0, block_hash="0x" + "00" * 32)
    async with FailoverRpc([Endpoint(url=proxy.url)], pin=right, clock=clock) as session:
        await session.connect()
    async with FailoverRpc([Endpoint(url=proxy.url)], pin=wrong, clock=clock) as session:
        with pytest.raises(RpcFault) as caught:
            await session.connect()

    assert caught.value.kind is K.WRONG_CHAIN


async def test_the_proxy_can_tell_of_an_old_head(proxy: FaultProxy, rpc: HttpRpc) -> None:
    await rpc.call("anvil_mine", ("0xa",))
    proxy.next("eth_blockNumber", faults.stale_number(3))
    proxy.next("eth_getBlockByNumber", faults.stale_block(4))
    block = mapping(result_of(await rpc.call("eth_getBlockByNumber", ("latest", False)), "block"), "block")

    assert await rpc.call("eth_blockNumber") == "0x7"
    assert await rpc.call("eth_blockNumber") == "0xa"
    assert block["number"] == "0x4"


@pytest.fixture
async def three(
    anvil: AnvilNode, proxy: FaultProxy, second: FaultProxy, clock: VirtualClock
) -> AsyncIterator[FailoverRpc]:
    endpoints = [Endpoint(url=url, deadline_s=DEADLINE_S) for url in (proxy.url, second.url, anvil.url)]
    async with FailoverRpc(endpoints, pin=CHAIN, clock=clock) as session:
        yield session


@pytest.mark.parametrize(
    ("method", "params", "lied"),
    [
        ("eth_getBalance", (RICH, "0x0"), "0x" + "f" * 20),
        ("eth_getTransactionCount", (RICH, "0x0"), "0x5"),
        ("eth_getTransactionReceipt", ("0x" + "ab" * 32,), {"status": "0x1"}),
        ("eth_blockNumber", (), "0x99"),
    ],
)
async def test_one_lying_endpoint_of_three_is_outvoted(
    proxy: FaultProxy, three: FailoverRpc, method: str, params: tuple[str, ...], lied: object
) -> None:
    truth = await three.call(method, params)
    proxy.always(method, faults.lie(lied))

    assert await three.call(method, params) == lied
    assert await three.agreed(method, params) == truth


async def test_two_that_are_silent_or_lie_differently_leave_no_majority(
    proxy: FaultProxy, second: FaultProxy, three: FailoverRpc
) -> None:
    proxy.always("eth_blockNumber", faults.lie("0x99"))
    for fault in (faults.lie("0x98"), faults.Status(status=500)):
        second.always("eth_blockNumber", fault)
        with pytest.raises(RpcFault) as caught:
            await three.agreed("eth_blockNumber")
        assert caught.value.kind is K.NO_MAJORITY
        assert caught.value.transient


async def test_a_silent_endpoint_doesn_t_keep_two_others_from_agreeing(
    proxy: FaultProxy, three: FailoverRpc
) -> None:
    proxy.always("*", faults.Status(status=503))

    assert await three.agreed("eth_blockNumber") == "0x0"
