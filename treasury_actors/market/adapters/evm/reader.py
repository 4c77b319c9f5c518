"""One reading of a market from a chain: everything at one block, named by its hash, in one batch."""

from collections.abc import Sequence

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, result_of
from treasury_actors.chain.model.values import field, hash32, mapping, quantity, sequence, to_quantity
from treasury_actors.chain.ports import Rpc
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.evm.answers import Answers
from treasury_actors.market.adapters.evm.places import find_places
from treasury_actors.market.adapters.evm.questions import Questions
from treasury_actors.market.adapters.evm.views import View, Words, ask, word
from treasury_actors.market.model.frame_reading import Block, FrameReading
from treasury_actors.market.model.universe import Conversion, Universe

_WEI_A_GWEI = 10**9
_TIME_BITS = 64
_NOBODY = 0


class ChainReader:
    """
    Reads markets of one universe from one chain.

    With witnesses, sessions with other nodes, every answer of a contract counts only if more than half of all
    nodes give the same at the same block. Let them be some blocks behind, so that all of them know it.
    """

    def __init__(
        self, rpc: Rpc, questions: Questions, *, witnesses: Sequence[Rpc] = (), blocks_behind: int = 0
    ) -> None:
        assert blocks_behind >= 0, "nobody reads ahead of the newest block"
        self._rpc = rpc
        self._questions = questions
        self._witnesses = tuple(witnesses)
        self._blocks_behind = blocks_behind

    @classmethod
    async def open(
        cls,
        rpc: Rpc,
        *,
        universe: Universe,
        registry: Registry,
        holder: str | None = None,
        witnesses: Sequence[Rpc] = (),
        blocks_behind: int = 0,
    ) -> "ChainReader":
        """
        Find the contracts of a registry whose check has passed.

        Args:
            holder: the house's wallet: a vault that keeps nothing idle can still say what it may withdraw.

        Raises:
            ConfigError: the reserve asset has no token or no feed here.
            RpcFault: the node has no answer.
        """
        places = await find_places(rpc, registry, universe)
        owner = _NOBODY if holder is None else word(holder)
        questions = Questions(universe=universe, places=places, holder=owner)
        return cls(rpc, questions, witnesses=witnesses, blocks_behind=blocks_behind)

    def __repr__(self) -> str:
        return f"<ChainReader {self._questions.universe.name} over {self._rpc!r}>"

    @property
    def left_out(self) -> tuple[Conversion, ...]:
        """Conversions of the universe that can't be made on this chain."""
        return self._questions.places.left_out

    @property
    def absent(self) -> tuple[AssetId, ...]:
        """Assets of the universe that nothing on this chain prices."""
        return self._questions.absent

    async def read(self, before: Block | None = None) -> FrameReading:
        """
        Return the market at the newest block. `before` is the block of the last reading, if there was one.

        Raises:
            RpcFault: the node has no answer, or none to believe; asking again may help.
        """
        block = await self._newest()
        fees = RpcCall(method="eth_feeHistory", params=("0x1", to_quantity(block.number), []))
        earlier = () if before is None else (_by_number(before.number),)
        views, (history, *earlier_now) = await ask(
            self._rpc, self._questions.all(), _pinned(block), fees, *earlier
        )
        await self._require_majority(block, views)
        said = Answers(questions=self._questions, block=block, views=views)
        universe = self._questions.universe
        return FrameReading(
            block=block,
            quotes=tuple(tuple(said.quotes(asset)) for asset in universe.assets),
            share_prices=tuple(map(said.share_price, universe.assets)),
            rates=tuple(map(said.rate, universe.assets)),
            depth_usd=tuple(map(said.depth_usd, universe.conversions)),
            capacity_usd=tuple(map(said.capacity_usd, universe.conversions)),
            l1_gas_gwei=self._gas_wei(said, history) / _WEI_A_GWEI,
            absent=self._questions.absent,
            parent_is_canonical=before is None or _is_still(before, earlier_now[0]),
            has_sequencer=self._questions.places.sequencer is not None,
            sequencer_up_for_s=said.sequencer_up_for_s(),
        )

    async def _newest(self) -> Block:
        """Return the block to read at."""
        what = "newest block"
        newest = _block(result_of(await self._rpc.call("eth_getBlockByNumber", ("latest", False)), what))
        if self._blocks_behind == 0:
            return newest
        call = _by_number(max(0, newest.number - self._blocks_behind))
        return _block(result_of(await self._rpc.call(call.method, call.params), what))

    async def _require_majority(self, block: Block, views: dict[View, Words]) -> None:
        """Raise RpcFault unless more than half of all nodes say the same; one that is down says nothing."""
        same, nodes = 1, 1 + len(self._witnesses)
        for witness in self._witnesses:
            try:
                theirs, _ = await ask(witness, self._questions.all(), _pinned(block))
            except RpcFault as fault:
                if not fault.transient:
                    raise
                continue
            same += theirs == views
        if 2 * same <= nodes:
            reason = f"block {block.number}: {same} of {nodes} nodes say the same; allowed: more than half"
            raise RpcFault(RpcFaultKind.NO_MAJORITY, reason)

    def _gas_wei(self, said: Answers, history: Answer) -> int:
        """Return L1's base fee as an L2 says it, or else the next block's."""
        oracle = self._questions.places.l1_gas
        if oracle is not None:
            wei = said.l1_base_fee_wei(oracle)
            if wei is None:
                raise RpcFault(RpcFaultKind.BAD_VALUE, "l1BaseFee(): no answer")
            return wei
        fees = mapping(result_of(history, "eth_feeHistory"), "fee history")
        upcoming = sequence(field(fees, "baseFeePerGas", "fee history"), "base fees")
        if not upcoming:
            raise RpcFault(RpcFaultKind.BAD_VALUE, "fee history: no base fee")
        return quantity(upcoming[-1], "base fee")


def _block(answer: Json) -> Block:
    """Return a block as a node gave it."""
    header = mapping(answer, "block")
    return Block(
        number=quantity(field(header, "number", "block"), "block number", bits=_TIME_BITS),
        hash=hash32(field(header, "hash", "block"), "block hash"),
        time_s=quantity(field(header, "timestamp", "block"), "block time", bits=_TIME_BITS),
    )


def _by_number(number: int) -> RpcCall:
    return RpcCall(method="eth_getBlockByNumber", params=(to_quantity(number), False))


def _pinned(block: Block) -> Json:
    """Return a block as EIP-1898 names it: by its hash, and only while it is on the chain."""
    return {"blockHash": block.hash, "requireCanonical": True}


def _is_still(before: Block, answer: Answer) -> bool:
    """Say whether a block is still on the chain: its height has a block, with its hash."""
    if answer is None:
        return False
    return _block(result_of(answer, f"block {before.number}")).hash == before.hash
