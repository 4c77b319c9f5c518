"""The surroundings of a house that really trades: a chain whose blocks pass by themselves."""

from dataclasses import replace
from typing import Final

import anyio

from treasury_actors.chain.model.faults import RpcFault
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.ledger.messages import InOurHands
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.adapters.evm.placing import holdings_of
from treasury_actors.trading.model.reconciliation import reconcile
from treasury_actors.wiring.chain_access import ChainAccess
from treasury_actors.wiring.house import House

ASK_TIMEOUT_S: Final = 60.0
LOOK_S: Final = 0.1
PATIENCE_S: Final = 60.0
"""So long the opening of a turn waits for blocks; what is not deep enough then is counted a turn later."""


class LiveStage:
    """Lets a turn that has something on its way wait for as many blocks as the house counts on."""

    def __init__(self, *, access: ChainAccess, confirm_blocks: int, clock: Clock) -> None:
        self._confirm_blocks = confirm_blocks
        self._clock = clock
        self._seen = 0
        self._leaving = False
        self.chain = replace(access, desk=replace(access.desk, pass_blocks=self._pass_blocks))

    def __repr__(self) -> str:
        return f"<LiveStage of {self.chain.signer.address}>"

    async def opened(self, house: House) -> None:
        """
        Compare what the books say was deposited with what the wallet holds, before anything is written.

        Raises ConfigError if one unit is missing; more is a gift, which the first turn books as unsolicited.
        """
        deposited = await house.ledger.ask(InOurHands(), timeout_s=ASK_TIMEOUT_S)
        found = await holdings_of(self.chain.desk)
        short = reconcile(deposited, found).shortfalls
        if short:
            universe = house.features.universe
            gaps = [
                f"{amount(universe, gap.asset, gap.expected)}, has {amount(universe, gap.asset, gap.found)}"
                for gap in short
            ]
            raise ConfigError(
                f"wallet {self.chain.signer.address}: needs {'; '.join(gaps)}; nothing was begun: fund it"
            )

    async def before_turn(self, frame: MarketFrame) -> None:
        """Do nothing: the frame was read from this chain."""

    async def after_turn(self, frame: MarketFrame) -> None:
        """Note where the chain was when the turn's orders left."""
        del frame
        self._seen = await self._head(self._seen)

    def leave(self) -> None:
        """Wait for blocks no more; what was sent is followed by the next start."""
        self._leaving = True

    async def _pass_blocks(self) -> None:
        """Wait until the chain is as much longer as the house counts on, within limits."""
        ends_s = self._clock.monotonic_s() + PATIENCE_S
        while (head := await self._head(self._seen)) < self._seen + self._confirm_blocks:
            if self._leaving or self._clock.monotonic_s() >= ends_s:
                break
            await anyio.sleep(LOOK_S)
        self._seen = head

    async def _head(self, otherwise: int) -> int:
        """Return the number of the newest block; what was known before where there is no answer."""
        try:
            return (await self.chain.desk.reads.head())[0]
        except RpcFault:
            return otherwise


def amount(universe: Universe, asset: AssetId, units: int) -> str:
    """Return an amount for people: whole tokens and the asset."""
    return f"{universe.by_id[asset].format(units)} {asset}"
