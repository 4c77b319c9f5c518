"""The conductor: a frame is a turn. The same steps drive a backtest, a paced run and a live day."""

from treasury_actors.arena.messages import CloseSeason, HoldRound, OpenSeason, PlayTurn
from treasury_actors.errors import ActorCrashed, InvariantViolated, TreasuryError
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.trading.messages import CloseTurn, OpenTurn, Watch
from treasury_actors.wiring.house import House

ASK_TIMEOUT_S = 3_600.0


class Conductor:
    """Plays a house frame by frame. A crash of a core actor ends the run with that crash."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def open_season(self, season: Season, *, number: int, seed: int, config_hash: str) -> None:
        """Open a season at its first frame."""
        frame = season.frame(0)
        self._house.clock.advance_to(frame.time_ns)
        message = OpenSeason(
            season=number,
            seed=seed,
            frame=frame,
            label=season.label,
            source=season.source,
            data_hash=season.data_hash,
            config_hash=config_hash,
            frames=season.frame_count,
            warmup_frames=season.warmup_count,
        )
        await self._ask_arena(message)

    async def turn(self, frame: MarketFrame) -> None:
        """
        Play one frame: fills, guard, decisions, orders, perhaps a round; durable when it returns.

        Raises:
            TreasuryError: what a core actor died of.
        """
        house = self._house
        house.clock.advance_to(frame.time_ns)
        house.features.append(frame)
        try:
            opened = await house.engine.ask(OpenTurn(frame=frame), timeout_s=ASK_TIMEOUT_S)
            watch = Watch(frame=frame, touched=opened.touched)
            watched = await house.guardian.ask(watch, timeout_s=ASK_TIMEOUT_S)
            play = PlayTurn(frame=frame, end=house.features.length, touched=opened.touched, watched=watched)
            await house.arena.ask(play, timeout_s=ASK_TIMEOUT_S)
            await house.engine.ask(CloseTurn(turn=frame.index), timeout_s=ASK_TIMEOUT_S)
        except ActorCrashed as crashed:
            raise death_of(house, crashed) from crashed
        if frame.index > 0 and frame.index % house.rules.arena.round_turns == 0:
            await self._ask_arena(HoldRound(frame=frame))
        await house.journal.flush()

    async def close_season(self, frame: MarketFrame) -> None:
        """Close the season after its last frame."""
        await self._ask_arena(CloseSeason(frame=frame))
        await self._house.journal.flush()

    async def _ask_arena(self, message: OpenSeason | HoldRound | CloseSeason) -> None:
        try:
            await self._house.arena.ask(message, timeout_s=ASK_TIMEOUT_S)
        except ActorCrashed as crashed:
            raise death_of(self._house, crashed) from crashed


def death_of(house: House, crashed: ActorCrashed) -> BaseException:
    """
    Return what a core actor died of.

    Whatever is no error of ours by name is a bug like any other: a broken invariant, and the process leaves
    with its code.
    """
    died = house.core.escalation
    if isinstance(died, Exception) and not isinstance(died, TreasuryError):
        return InvariantViolated(f"a core actor died of {type(died).__name__}: {died}")
    return died or crashed
