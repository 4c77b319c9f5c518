"""
A stranger who sends dust: one unit of all we hold, to an address, in whatever block comes next.

Anybody can do that to any wallet. It must neither stop trading nor change what the books say is ours.
"""

from dataclasses import dataclass
from typing import Final

from treasury_actors.ids import AssetId
from treasury_actors.simulation.rehearsal.contracts import call_data
from treasury_actors.simulation.rehearsal.deploy_tokens import Vault
from treasury_actors.simulation.rehearsal.mempool import next_nonce, post, usual_fees
from treasury_actors.simulation.rehearsal.world import AAVE, World, conversions_at

STRANGER_ACCOUNT: Final = 4
"""Its place among the node's own accounts."""

ETHER: Final = AssetId("ETH")
DUST_UNITS: Final = 1

_PURSE_TOKENS = 1_000
_GAS_PURSE_WEI = 10**6 * 10**18
_TRANSFER_GAS = 250_000
"""An Aave share's transfer, the dearest of them, burns 110,000 to 150,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dust:
    """One gift in the mempool."""

    asset: AssetId
    units: int
    tx_hash: str


class Stranger:
    """
    Sends a unit of the reserve asset, of its Aave share, of every vault's share, and a wei, when told to.

    `account` is an unlocked account of the node that nobody else uses.
    """

    def __init__(self, world: World, *, account: str) -> None:
        self._world = world
        self._account = account

    def __repr__(self) -> str:
        return f"<Stranger {self._account}>"

    async def prepare(self) -> None:
        """Get the stranger some of everything; mines what waits."""
        world, account = self._world, self._account
        await world.fund_gas(account, _GAS_PURSE_WEI)
        reserve = world.universe.by_id[world.universe.reserve]
        units = _PURSE_TOKENS * 10**reserve.decimals
        keepers = [world.aave.pool, *(vault.address for vault in self._vaults().values())]
        await world.fund(account, reserve.id, units * (len(keepers) + 1))
        async with world.writer.blocks():
            token = world.tokens[reserve.id]
            for keeper in keepers:
                await world.writer.send(token, "approve(address,uint256)", keeper, units, sender=account)
            await world.writer.send(
                world.aave.pool,
                "supply(address,uint256,address,uint16)",
                *(token, units, account, 0),
                sender=account,
            )
            for vault in self._vaults().values():
                deposit = "deposit(uint256,address)"
                await world.writer.send(vault.address, deposit, units, account, sender=account)

    async def send_dust(self, to: str) -> tuple[Dust, ...]:
        """Put one gift of each kind for `to` into the mempool; a node that mines at once mines them."""
        world, writer = self._world, self._world.writer
        fees = await usual_fees(writer)
        nonce = await next_nonce(writer, self._account)
        gifts = []
        for place, asset in enumerate(self.kinds):
            is_ether = asset == ETHER
            tx_hash = await post(
                writer,
                sender=self._account,
                to=to if is_ether else world.tokens[asset],
                call="0x" if is_ether else call_data("transfer(address,uint256)", to, DUST_UNITS),
                nonce=nonce + place,
                gas=_TRANSFER_GAS,
                fees=fees,
                wei=DUST_UNITS if is_ether else 0,
            )
            gifts.append(Dust(asset=asset, units=DUST_UNITS, tx_hash=tx_hash))
        return tuple(gifts)

    @property
    def kinds(self) -> tuple[AssetId, ...]:
        """Return what it gives, in its order."""
        reserve = self._world.universe.reserve
        lent = [
            step.target
            for step in conversions_at(self._world.universe, AAVE, "supply")
            if step.source == reserve
        ]
        return (reserve, *lent, *self._vaults(), ETHER)

    def _vaults(self) -> dict[AssetId, Vault]:
        """Return the vaults that keep the reserve asset."""
        token = self._world.tokens[self._world.universe.reserve]
        return {share: vault for share, vault in self._world.vaults.items() if vault.underlying == token}
