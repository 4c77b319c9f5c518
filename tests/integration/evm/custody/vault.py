"""What the custody tests share: a node with the world on it, a Safe, its owner, and who else is about."""

from dataclasses import dataclass
from pathlib import Path

from treasury_actors.chain.adapters.http_rpc import HttpRpc
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import START_NS, generate_season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.trading.adapters.evm.signer import LocalSigner

OWNER_KEY = "0x" + "11" * 32
STRANGER_KEY = "0x" + "22" * 32
POOL_UNITS = 10_000 * 10**6
SEASON = generate_season(universe=MAINNET, seed=1, days=2, warmup_h=0)
FIRST = SEASON.frame(0)
GENESIS_S = START_NS // 10**9 - 3600
USDC, WETH, A_USDC = AssetId("USDC"), AssetId("WETH"), AssetId("aUSDC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A funded Safe of one owner on a chain of our own, on a snapshot."""

    url: str
    rpc: HttpRpc
    world: World
    owner: LocalSigner
    safe: str
    accounts: tuple[str, ...]
    registry: Path

    @property
    def wallet(self) -> str:
        """The address that stands for the trading wallet."""
        return self.accounts[6]

    async def held(self, asset: AssetId, holder: str) -> int:
        """Return what a holder has of a token."""
        return await self.world.writer.number(self.world.tokens[asset], "balanceOf(address)", holder)

    async def act(self, sender: str, to: str, signature: str, *values: object) -> None:
        """Let an unlocked account call a contract, in a block of its own."""
        async with self.world.writer.blocks():
            await self.world.writer.send(to, signature, *values, sender=sender)
