"""
The surroundings of a rehearsal: a local chain that goes along with a season, and whoever else is on it.

After a turn the block with our transactions is mined, and as many on top as the house waits for; before the
next the world moves on by an hour. A sandwich attacker sees everything we send before it is mined, and a
stranger sends us dust.
"""

from dataclasses import dataclass, replace
from typing import Final

from treasury_actors.ledger.messages import InOurHands
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.simulation.rehearsal.ground import Ground
from treasury_actors.simulation.rehearsal.sandwich import Attack, Sandwich
from treasury_actors.simulation.rehearsal.stranger import Stranger
from treasury_actors.wiring.chain_access import ChainAccess
from treasury_actors.wiring.house import House

ASK_TIMEOUT_S: Final = 60.0


SPITEFUL_EVERY_TURNS: Final = 12
"""So often a turn's swaps are attacked even if that costs the attacker money."""


@dataclass(slots=True)
class Bystanders:
    """
    Who else is on the chain, and what the attacker tried.

    Attributes:
        sandwich: attacks where that pays, which it seldom does around swaps of some hundred dollars.
        spite: attacks at a loss, now and then: what a swap may lose must not rest on nobody wanting it.
    """

    sandwich: Sandwich | None = None
    spite: Sandwich | None = None
    stranger: Stranger | None = None
    attacks: int = 0
    profit_units: int = 0

    def took(self, attack: Attack | None) -> None:
        """Note an attack."""
        if attack is not None:
            self.attacks += 1
            self.profit_units += attack.profit_units


class Stage:
    """Moves a local chain with a season's frames, and mines what the house sends."""

    def __init__(
        self, *, ground: Ground, access: ChainAccess, confirm_blocks: int, bystanders: Bystanders
    ) -> None:
        self._ground = ground
        self._confirm_blocks = confirm_blocks
        self._account = access.signer.address
        self._turn = 0
        self.bystanders = bystanders
        self.chain = replace(access, desk=replace(access.desk, pass_blocks=self._pass_blocks))

    def __repr__(self) -> str:
        return f"<Stage of {self._account}, {self.bystanders.attacks} attacks>"

    async def opened(self, house: House) -> None:
        """Fund the wallet with what the books say was deposited, to the unit."""
        deposited = await house.ledger.ask(InOurHands(), timeout_s=ASK_TIMEOUT_S)
        for asset, units in deposited.items():
            await self._ground.fund(self._account, asset, units)

    async def before_turn(self, frame: MarketFrame) -> None:
        """Move oracles, pools, rates and gas to the frame; the world was built at the first."""
        self._turn = frame.index
        if frame.index > 0:
            await self._ground.move_to(frame)

    async def after_turn(self, frame: MarketFrame) -> None:
        """Mine what the turn sent, as deep as the house waits for."""
        del frame
        if self.bystanders.stranger is not None:
            await self.bystanders.stranger.send_dust(self._account)
        await self._pass_blocks()

    async def _pass_blocks(self) -> None:
        """Let the attacker look into the mempool, then mine."""
        is_spiteful = self._turn % SPITEFUL_EVERY_TURNS == 0
        attacker = self.bystanders.spite if is_spiteful else self.bystanders.sandwich
        if attacker is not None:
            self.bystanders.took(await attacker.attack(self._account))
        await self._ground.mine(self._confirm_blocks)
