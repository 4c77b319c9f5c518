"""One reading of a market from a chain: everything at one block, named by its hash, in one batch."""

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, RpcError, result_of
from treasury_actors.chain.model.values import field, hash32, mapping, quantity, sequence, to_quantity
from treasury_actors.chain.ports import Rpc
from treasury_actors.market.adapters.evm.answers import Answers
from treasury_actors.market.adapters.evm.places import find_places
from treasury_actors.market.adapters.evm.questions import Questions
from treasury_actors.market.adapters.evm.views import ask, word
from treasury_actors.market.model.frame_reading import Block, FrameReading
from treasury_actors.market.model.universe import Conversion, Universe

_WEI_A_GWEI = 10**9
_TIME_BITS = 64
_NOBODY = 0


class ChainReader:
    """Reads markets of one universe through one session with a chain."""

    def __init__(self, rpc: Rpc, questions: Questions) -> None:
        self._rpc = rpc
        self._questions = questions

    @classmethod
    async def open(
        cls, rpc: Rpc, *, universe: Universe, registry: Registry, holder: str | None = None
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
        return cls(rpc, Questions(universe=universe, places=places, holder=owner))

    def __repr__(self) -> str:
        return f"<ChainReader {self._questions.universe.name} over {self._rpc!r}>"

    @property
    def left_out(self) -> tuple[Conversion, ...]:
        """Conversions of the universe that can't be made on this chain."""
        return self._questions.places.left_out

    async def read(self, before: Block | None = None) -> FrameReading:
        """
        Return the market at the newest block. `before` is the block of the last reading, if there was one.

        Raises:
            RpcFault: the node has no answer, or none to believe; asking again may help.
        """
        newest = result_of(await self._rpc.call("eth_getBlockByNumber", ("latest", False)), "newest block")
        block = _block(newest)
        pinned: Json = {"blockHash": block.hash, "requireCanonical": True}
        fees = RpcCall(method="eth_feeHistory", params=("0x1", to_quantity(block.number), []))
        earlier = () if before is None else (_by_number(before),)
        views, (history, *earlier_now) = await ask(self._rpc, self._questions.all(), pinned, fees, *earlier)
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
            parent_is_canonical=before is None or _is_still(before, earlier_now[0]),
            has_sequencer=self._questions.places.sequencer is not None,
            sequencer_up_for_s=said.sequencer_up_for_s(),
        )

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


def _by_number(block: Block) -> RpcCall:
    return RpcCall(method="eth_getBlockByNumber", params=(to_quantity(block.number), False))


def _is_still(before: Block, answer: Answer) -> bool:
    """Say whether a block is still on the chain: its height has a block, with its hash."""
    if answer is None:
        return False
    if isinstance(answer, RpcError):
        result_of(answer, f"block {before.number}")
    return _block(answer if not isinstance(answer, RpcError) else None).hash == before.hash
