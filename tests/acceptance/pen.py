"""The end of the way to a chain: the last look at the bytes, and a real key; what it leaves is never sent."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from tests.unit.trading.desk import BUY_WETH, DOLLARS, ETHER, frame
from tests.unit.trading.evm.venues import DOLLAR_TOKEN, QUOTER, ROUTER, WETH_TOKEN, Written
from tests.unit.trading.small_chain import GWEI
from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.adapters.evm import erc20
from treasury_actors.trading.adapters.evm.protocol import Approval, Call
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.adapters.evm.uniswap_routers import EXACT_INPUT_SINGLE, Swap, SwapRouter
from treasury_actors.trading.adapters.evm.uniswap_v3 import SwapRoute, UniswapV3
from treasury_actors.trading.adapters.evm.vetting import (
    Wish,
    allowed_calls,
    vet_approval,
    vet_call,
    wish_for,
)
from treasury_actors.trading.model.chain_limits import ChainLimits, ChainReason, ChainRefusal
from treasury_actors.trading.model.fees import Fees
from treasury_actors.trading.model.slot_acts import Sign
from treasury_actors.trading.model.transaction import Call as TxCall
from treasury_actors.trading.model.transaction import SlotId

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the published one of account 0
LOCAL, NOW_S = 31_337, 1_700_000_000
USDC, WETH = AssetId("USDC"), AssetId("WETH")
STEP = MAINNET.conversion_by_id[ConversionId(BUY_WETH)]
MARKET = frame(1, depth_usd=3_000_000)
UNITS = 1_000 * DOLLARS
FAIR = UNITS * ETHER // (2_000 * DOLLARS) * 9_995 // 10_000
"""What $1,000 buy at $2,000 an ether, the pool's fee of 5 bps paid."""


@dataclass
class Pen:
    """The last look at bytes, the key behind it, and every signature that came of it."""

    signatures: list[str] = field(default_factory=list)

    @cached_property
    def signer(self) -> LocalSigner:
        return LocalSigner(KEY, chain_id=LOCAL)

    @cached_property
    def limits(self) -> ChainLimits:
        return ChainLimits(
            chain_id=LOCAL,
            account=self.signer.address.lower(),
            calls=allowed_calls(
                [(ROUTER, EXACT_INPUT_SINGLE.selector), (DOLLAR_TOKEN, erc20.APPROVE.selector)]
            ),
            spenders=(ROUTER,),
            mandate_micro_usd_min=1,
        )

    @cached_property
    def protocol(self) -> UniswapV3:
        return UniswapV3(
            reads=Written(),
            router=ROUTER,
            form=SwapRouter(),
            quoter=QUOTER,
            tokens={USDC: DOLLAR_TOKEN, WETH: WETH_TOKEN},
            routes={STEP.id: SwapRoute(assets=(USDC, WETH), fees_ppm=(500,))},
        )

    def wish(self, units: int = UNITS) -> Wish:
        """Return what a conversion must bring at the frame's prices, which no pool has made."""
        found = wish_for(MAINNET, STEP, units, MARKET, self.limits, reduces=False)
        assert isinstance(found, Wish)
        return found

    def swap(self, *, quoted: int = FAIR, units: int = UNITS, **changed: object) -> ChainReason | None:
        """Sign a swap if it may be; `changed` are fields of the calldata that a mistake makes other."""
        right = Swap(
            tokens=(DOLLAR_TOKEN, WETH_TOKEN),
            fees_ppm=(500,),
            recipient=self.limits.account,
            deadline_s=NOW_S + 120,
            units_in=units,
            units_out_min=self.wish(units).required_units,
        )
        swap = replace(right, **changed)  # type: ignore[arg-type]  # fields of a Swap
        return self.call(SwapRouter().encode(swap), quoted=quoted, units=units)

    def call(self, data: bytes, *, quoted: int = FAIR, units: int = UNITS) -> ChainReason | None:
        """Sign any calldata that passes for this conversion."""
        call = Call(to=ROUTER, data=data, value_wei=0, gas_limit=250_000, approval=None, units_out_min=0)
        tokens = {USDC: DOLLAR_TOKEN, WETH: WETH_TOKEN}
        refusal = vet_call(
            self.limits,
            self.wish(units),
            call,
            self.protocol,
            tokens=tokens,
            quoted_units=quoted,
            now_s=NOW_S,
            reduces=False,
        )
        return self._sign(call, refusal)

    def approve(self, spender: str, units: int, *, standing: int = 0) -> ChainReason | None:
        """Sign an approval if it may be, before a swap that takes `UNITS`."""
        approval = Approval(token=DOLLAR_TOKEN, spender=spender, units=units)
        data = erc20.APPROVE.encode(spender, units)
        call = Call(to=DOLLAR_TOKEN, data=data, value_wei=0, gas_limit=80_000, approval=None, units_out_min=0)
        refusal = vet_approval(self.limits, approval, call, needed_units=UNITS, standing_units=standing)
        return self._sign(call, refusal)

    def _sign(self, call: Call, refusal: ChainRefusal | None) -> ChainReason | None:
        if refusal is not None:
            return refusal.reason
        tx = TxCall(to=call.to, value_wei=call.value_wei, data="0x" + call.data.hex(), gas_limit=250_000)
        sign = Sign(
            slot=SlotId(chain_id=LOCAL, sender=self.signer.address, nonce=len(self.signatures)),
            attempt=0,
            kind="call",
            call=tx,
            fees=Fees(max_fee_wei=2 * GWEI, tip_wei=GWEI),
        )
        self.signatures.append(self.signer.sign(sign).tx_hash)
        return None
