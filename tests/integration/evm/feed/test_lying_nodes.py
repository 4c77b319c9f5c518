"""What a node may say instead of the truth, over a real one that says the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan

import pytest

from tests.integration.evm.feed.conftest import Market
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.registry import PinnedContract
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, RpcError, SendAnswer
from treasury_actors.chain.ports import Rpc
from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.adapters.evm.views import SELECTORS, signed
from treasury_actors.market.model.frame_reading import FrameReading, unjudged_frame
from treasury_actors.market.model.shipped import MAINNET

USDC, WETH, AUSDC, FUSDC = AssetId("USDC"), AssetId("WETH"), AssetId("aUSDC"), AssetId("fUSDC")
COLUMN = MAINNET.column
STRANGER = "0x00000000000000000000000000000000000000a1"


class Liar(Rpc):
    """A session that answers some questions otherwise: a method's name, or a contract and a signature."""

    def __init__(self, rpc: Rpc, lies: Mapping[str | tuple[str, str], Answer]) -> None:
        self._rpc = rpc
        self._lies = {
            key if isinstance(key, str) else (key[0].lower(), "0x" + SELECTORS[key[1]]): lie
            for key, lie in lies.items()
        }

    async def call(self, method: str, params: Sequence[Json] = ()) -> Answer:
        return (await self.batch([RpcCall(method=method, params=tuple(params))]))[0]

    async def batch(self, calls: Sequence[RpcCall]) -> list[Answer]:
        answers = await self._rpc.batch(calls)
        return [self._instead(call, answer) for call, answer in zip(calls, answers, strict=True)]

    async def send(self, raw: str, tx_hash: str) -> SendAnswer:
        raise NotImplementedError

    def _instead(self, call: RpcCall, answer: Answer) -> Answer:
        if call.method in self._lies:
            return self._lies[call.method]
        if call.method == "eth_call" and isinstance(call.params[0], dict):
            key = (str(call.params[0]["to"]), str(call.params[0]["data"])[:10])
            return self._lies.get(key, answer)
        return answer


class Down(Rpc):
    """A session with a node that is gone."""

    async def call(self, method: str, params: Sequence[Json] = ()) -> Answer:
        raise RpcFault(RpcFaultKind.UNREACHABLE, "no connection")

    async def batch(self, calls: Sequence[RpcCall]) -> list[Answer]:
        raise RpcFault(RpcFaultKind.UNREACHABLE, "no connection")

    async def send(self, raw: str, tx_hash: str) -> SendAnswer:
        raise NotImplementedError


def words(*numbers: int) -> str:
    return "0x" + "".join(f"{number % 2**256:064x}" for number in numbers)


async def read(market: Market, lies: Mapping[str | tuple[str, str], Answer], **pinned: str) -> FrameReading:
    """Read through a liar, with more contracts pinned, by names with `_` for every separator."""
    names = {"sequencer": "chainlink:sequencer", "l1_gas": "optimism:gas-price-oracle"}
    contracts = tuple(PinnedContract(name=names[name], address=at) for name, at in pinned.items())
    registry = replace(market.registry, contracts=(*market.registry.contracts, *contracts))
    reader = await ChainReader.open(Liar(market.rpc, lies), universe=MAINNET, registry=registry)
    return await reader.read()


def capacity(reading: FrameReading, step: str) -> float:
    return reading.capacity_usd[MAINNET.conversion_column[ConversionId(step)]]


def test_a_word_with_its_highest_bit_is_negative() -> None:
    assert [signed(number) for number in (0, 7, 2**255 - 1, 2**255, 2**256 - 1)] == [
        0,
        7,
        2**255 - 1,
        -(2**255),
        -1,
    ]


@pytest.mark.parametrize(
    "answer",
    [
        "0x",
        words(1),
        words(1, 3_000 * 10**8, 1, 1),
        words(1, -5, 1, 1, 1),
        words(1, 0, 1, 1, 1),
        RpcError(code=3, message="execution reverted: No data present", data="0x08c379a0"),
        RpcError(code=-32000, message="execution reverted"),
    ],
)
async def test_a_round_that_is_none_is_no_price_and_the_rest_is_read(market: Market, answer: Answer) -> None:
    feed = market.world.feeds[WETH].proxy

    reading = await read(market, {(feed, "latestRoundData()"): answer})

    oracle, pool = reading.quotes[COLUMN[WETH]]
    assert oracle.ticks == 0
    assert pool.ticks > 0
    assert reading.quotes[COLUMN[USDC]][0].ticks > 0
    frame = unjudged_frame(reading, MAINNET, index=0, time_ns=0)
    assert frame.ticks[COLUMN[AssetId("aWETH")]] == 0
    assert reading.depth_usd[MAINNET.conversion_column[ConversionId("WETH>USDC@uniswap-v3")]] == 0.0


@pytest.mark.parametrize(
    "answer",
    [
        RpcError(code=-32000, message="header not found"),
        RpcError(code=-32005, message="limit exceeded"),
        None,
        "0x0",
        "<html>",
        7,
    ],
)
async def test_a_node_that_cant_say_is_a_fault_and_no_unknown(market: Market, answer: Answer) -> None:
    feed = market.world.feeds[WETH].proxy

    with pytest.raises(RpcFault) as raised:
        await read(market, {(feed, "latestRoundData()"): answer})

    assert raised.value.transient


@pytest.mark.parametrize("block", [None, {}, {"number": "0x1", "hash": "0x12", "timestamp": "0x1"}, "0x1"])
async def test_a_block_that_is_none_is_a_fault(market: Market, block: Answer) -> None:
    with pytest.raises(RpcFault):
        await read(market, {"eth_getBlockByNumber": block})


@pytest.mark.parametrize("history", [None, {}, {"baseFeePerGas": []}, {"baseFeePerGas": ["0x01"]}])
async def test_a_base_fee_that_is_none_is_a_fault(market: Market, history: Answer) -> None:
    with pytest.raises(RpcFault):
        await read(market, {"eth_feeHistory": history})


async def test_a_pool_without_a_price_or_without_liquidity_has_no_depth(market: Market) -> None:
    pool = market.world.pools[WETH].address
    sell = MAINNET.conversion_column[ConversionId("WETH>USDC@uniswap-v3")]

    for lie in (
        {(pool, "slot0()"): words(0, 0)},
        {(pool, "liquidity()"): words(0)},
        {(pool, "slot0()"): "0x"},
    ):
        assert (await read(market, dict(lie))).depth_usd[sell] == 0.0


async def test_a_reserve_with_another_atoken_than_the_pinned_one_turns_nothing_over(market: Market) -> None:
    config = 1 << 56
    state = words(config, 10**27, 5 * 10**25, 0, 0, 0, 0, 0, int(STRANGER, 16), *[0] * 6)

    reading = await read(market, {(market.world.aave.pool, "getReserveData(address)"): state})

    assert capacity(reading, "USDC>aUSDC@aave-v3") == capacity(reading, "aUSDC>USDC@aave-v3") == 0.0
    assert reading.rates[COLUMN[AUSDC]] == 0.05


async def test_a_reserve_that_does_not_answer_is_unknown(market: Market) -> None:
    revert = RpcError(code=3, message="execution reverted", data="0x")
    pool = market.world.aave.pool

    reading = await read(
        market,
        {(pool, "getReserveData(address)"): revert, (pool, "getReserveNormalizedIncome(address)"): revert},
    )

    assert isnan(reading.rates[COLUMN[AUSDC]])
    assert isnan(reading.share_prices[COLUMN[AUSDC]])
    assert capacity(reading, "aUSDC>USDC@aave-v3") == 0.0


async def test_a_vault_without_idle_assets_pays_what_it_says_it_pays_its_holder(market: Market) -> None:
    vault = market.world.vaults[FUSDC].address
    token = market.world.tokens[USDC]
    nothing_idle: dict[str | tuple[str, str], Answer] = {(token, "balanceOf(address)"): words(0)}

    without = await read(market, nothing_idle)
    within = await read(market, nothing_idle | {(vault, "maxWithdraw(address)"): words(700 * 10**6)})
    beyond = await read(market, nothing_idle | {(vault, "maxWithdraw(address)"): words(10**30)})

    step = "fUSDC>USDC@fluid"
    assert capacity(without, step) == 0.0
    assert capacity(within, step) == pytest.approx(700.0, rel=0.01)
    assert 0.0 < capacity(beyond, step) < 10**9  # no more than all it has


async def test_a_full_vault_takes_nothing(market: Market) -> None:
    vault = market.world.vaults[FUSDC].address

    full = await read(market, {(vault, "maxDeposit(address)"): words(0)})
    nearly = await read(market, {(vault, "maxDeposit(address)"): words(50 * 10**6)})

    assert capacity(full, "USDC>fUSDC@fluid") == 0.0
    assert capacity(nearly, "USDC>fUSDC@fluid") == pytest.approx(50.0, rel=0.01)


async def test_an_l2s_sequencer_is_up_since_its_round_began_or_down(market: Market) -> None:
    now_s = (await read(market, {})).block.time_s
    feed = (STRANGER, "latestRoundData()")

    up = await read(market, {feed: words(9, 0, now_s - 50, now_s - 50, 9)}, sequencer=STRANGER)
    down = await read(market, {feed: words(9, 1, now_s - 50, now_s - 50, 9)}, sequencer=STRANGER)
    silent = await read(market, {feed: "0x"}, sequencer=STRANGER)
    unset = await read(market, {feed: words(0, 0, 0, 0, 0)}, sequencer=STRANGER)

    assert (up.has_sequencer, up.sequencer_up_for_s) == (True, 50)
    for reading in (down, silent, unset):
        assert (reading.has_sequencer, reading.sequencer_up_for_s) == (True, None)


async def test_on_an_l2_the_gas_price_is_that_of_l1(market: Market) -> None:
    gas = (STRANGER, "l1BaseFee()")

    assert (await read(market, {gas: words(17 * 10**9)}, l1_gas=STRANGER)).l1_gas_gwei == 17.0
    with pytest.raises(RpcFault, match="l1BaseFee"):
        await read(market, {gas: "0x"}, l1_gas=STRANGER)


async def witnessed(market: Market, primary: Rpc, *witnesses: Rpc) -> ChainReader:
    return await ChainReader.open(
        primary, universe=MAINNET, registry=market.registry, witnesses=witnesses, blocks_behind=1
    )


async def test_what_more_than_half_of_the_nodes_say_is_believed(market: Market) -> None:
    truth, down = market.rpc, Down()
    feed = market.world.feeds[WETH].proxy
    liar = Liar(truth, {(feed, "latestRoundData()"): words(1, 9_000 * 10**8, 1, 1, 1)})

    believed: list[tuple[Rpc, ...]] = [(truth, truth), (truth, liar, truth), (truth, down, truth)]
    doubted: list[tuple[Rpc, ...]] = [
        (liar, truth),
        (liar, truth, truth),
        (truth, down),
        (truth, liar, down),
    ]

    for nodes in believed:
        reading = await (await witnessed(market, *nodes)).read()
        assert reading.quotes[COLUMN[WETH]][0].ticks < 8_000 * 10**7
    for nodes in doubted:
        with pytest.raises(RpcFault, match=rf"1 of {len(nodes)} nodes say the same") as raised:
            await (await witnessed(market, *nodes)).read()
        assert raised.value.kind is RpcFaultKind.NO_MAJORITY
        assert raised.value.transient


async def test_a_witness_on_another_chain_closes_the_reading_for_good(market: Market) -> None:
    class Elsewhere(Down):
        async def batch(self, calls: Sequence[RpcCall]) -> list[Answer]:
            raise RpcFault(RpcFaultKind.WRONG_CHAIN, "is on chain 1")

    with pytest.raises(RpcFault, match="is on chain 1"):
        await (await witnessed(market, market.rpc, Elsewhere(), market.rpc)).read()


async def test_a_chain_that_forks_between_the_head_and_the_batch_is_a_fault_and_no_mixture(
    market: Market,
) -> None:
    class ForksAfterHead(Liar):
        async def call(self, method: str, params: Sequence[Json] = ()) -> Answer:
            head = await super().call(method, params)
            await market.world.writer.ask("anvil_reorg", 1, [])
            return head

    await market.world.move_to(market.season.frame(1))
    reader = await ChainReader.open(
        ForksAfterHead(market.rpc, {}), universe=MAINNET, registry=market.registry
    )

    with pytest.raises(RpcFault) as raised:
        await reader.read()

    assert raised.value.transient


async def test_a_reader_that_stays_behind_reads_an_older_block(market: Market) -> None:
    await market.world.move_to(market.season.frame(1))
    first = (await (await market.reader()).read()).block
    await market.world.move_to(market.season.frame(2))

    behind = await (await witnessed(market, market.rpc)).read()

    assert behind.block == first
