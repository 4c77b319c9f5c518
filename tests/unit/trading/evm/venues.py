"""Protocols over contracts whose answers a test writes down, at addresses that say what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from treasury_actors.ids import AssetId, ConversionId, VenueId
from treasury_actors.market.model.universe import Action, Conversion
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.aave_v3 import AaveV3
from treasury_actors.trading.adapters.evm.erc4626 import Erc4626, VaultAddresses
from treasury_actors.trading.adapters.evm.protocol import BlockId, Reverted, View
from treasury_actors.trading.adapters.evm.uniswap_routers import Router, SwapRouter
from treasury_actors.trading.adapters.evm.uniswap_v3 import SwapRoute, UniswapV3
from treasury_actors.trading.adapters.evm.weth import Weth

USDC, WETH, LINK, ETH = AssetId("USDC"), AssetId("WETH"), AssetId("LINK"), AssetId("ETH")
AUSDC, SHARE = AssetId("aUSDC"), AssetId("fUSDC")
DOLLAR_TOKEN, WETH_TOKEN, LINK_TOKEN = "0x" + "d0" * 20, "0x" + "e0" * 20, "0x" + "f0" * 20
ROUTER, QUOTER, POOL = "0x" + "01" * 20, "0x" + "02" * 20, "0x" + "03" * 20
A_TOKEN, VAULT = "0x" + "a0" * 20, "0x" + "b0" * 20
OWNER, STRANGER = "0x" + "77" * 20, "0x" + "66" * 20


def conversion(path: str, action: Action) -> Conversion:
    """Return a conversion; `path` is `SOURCE>TARGET`."""
    source, target = path.split(">")
    return Conversion(
        id=ConversionId(f"{path}@test"),
        venue=VenueId("test"),
        action=action,
        source=AssetId(source),
        target=AssetId(target),
        fee_bps=0.0,
        gas_units=1,
        data_gas_units=1,
        reduces=False,
    )


BUY, TWO_HOPS = conversion("USDC>WETH", "swap"), conversion("USDC>LINK", "swap")
SUPPLY, WITHDRAW = conversion("USDC>aUSDC", "supply"), conversion("aUSDC>USDC", "withdraw")
DEPOSIT, REDEEM = conversion("USDC>fUSDC", "deposit"), conversion("fUSDC>USDC", "redeem")
WRAP, UNWRAP = conversion("ETH>WETH", "swap"), conversion("WETH>ETH", "swap")


@dataclass(kw_only=True)
class Written:
    """A node whose contracts answer what is written down, by contract and selector; others have no code."""

    answers: Mapping[tuple[str, bytes], int | bytes | Reverted] = field(default_factory=dict)
    asked: list[tuple[str, bytes, BlockId]] = field(default_factory=list)

    async def call(
        self,
        *,
        to: str,
        data: bytes,
        block: BlockId,
        sender: str | None = None,
        value_wei: int = 0,
        gas: int = 0,
    ) -> bytes | Reverted:
        self.asked.append((to, data, block))
        answer = self.answers.get((to, data[: abi.SELECTOR]), b"")
        return answer.to_bytes(abi.WORD, "big") if isinstance(answer, int) else answer

    async def views(self, views: Sequence[View], block: BlockId) -> list[bytes | Reverted]:
        return [await self.call(to=view.to, data=view.data, block=block) for view in views]

    async def balance_wei(self, owner: str, block: BlockId) -> int:
        return 0


def uniswap(node: Written, form: Router | None = None) -> UniswapV3:
    """Return a router, the original one unless told, with one route over one pool and one over two."""
    return UniswapV3(
        reads=node,
        router=ROUTER,
        form=form or SwapRouter(),
        quoter=QUOTER,
        tokens={USDC: DOLLAR_TOKEN, WETH: WETH_TOKEN, LINK: LINK_TOKEN},
        routes={
            BUY.id: SwapRoute(assets=(USDC, WETH), fees_ppm=(500,)),
            TWO_HOPS.id: SwapRoute(assets=(USDC, WETH, LINK), fees_ppm=(500, 3_000)),
        },
    )


def aave(node: Written) -> AaveV3:
    """Return a pool with one reserve."""
    return AaveV3(
        reads=node,
        pool=POOL,
        underlyings={USDC: DOLLAR_TOKEN},
        shares={AUSDC: A_TOKEN},
        share_of={USDC: AUSDC},
    )


def vault(node: Written) -> Erc4626:
    """Return a vault of dollars."""
    return Erc4626(
        reads=node,
        addresses=VaultAddresses(share=SHARE, vault=VAULT, asset=USDC, token=DOLLAR_TOKEN),
    )


def weth(node: Written) -> Weth:
    """Return wrapped ether."""
    return Weth(reads=node, contract=WETH_TOKEN, native=ETH, wrapped=WETH)
