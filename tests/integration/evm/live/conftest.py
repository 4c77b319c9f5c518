"""A local chain that stands while a test runs a house on it, in the same process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import pytest

from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.clock import WallClock
from treasury_actors.daemon.chain_run import ChainRun, Outside
from treasury_actors.daemon.live_run import RunEnd
from treasury_actors.daemon.process import serve
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import Settings, check_settings
from treasury_actors.simulation.live.prepared import ChainLabel, prepare_on_chain
from treasury_actors.simulation.live.session import catch_up, chosen_chain, open_live_chain, signer_of
from treasury_actors.simulation.rehearsal.local_chain import REGISTRY_NAME, LocalChain, stand
from treasury_actors.simulation.rehearsal.local_hands import Hands, give, open_hands, read_chain
from treasury_actors.simulation.rehearsal.local_key import HOUSE_KEY
from treasury_actors.trading.adapters.evm.signer import LocalSigner

SEED, DAYS, WARMUP_H, AGENTS = 7, 2, 2_880, 4
HOUR_S = 0.6
CLOCK = WallClock()
USDC = AssetId("USDC")


def season() -> Season:
    return generate_season(universe=MAINNET, seed=SEED, days=DAYS, warmup_h=WARMUP_H)


def live_settings(folder: Path, **live: object) -> Settings:
    """Return a config for the chain that stands in `folder`."""
    content = {
        "season": {"source": "chain", "seed": SEED, "days": DAYS, "warmup_h": WARMUP_H},
        "stage": {
            "name": "proving",
            "families": ["idle_cash", "lending_rotation"],
            "allocates": False,
            "breeds": False,
        },
        "arena": {"agents": AGENTS, "capital_usd": 1_000 * AGENTS, "gas_usd": 100, "reserve_ratio": 0},
        "risk": {"trade_usd_max": 1_000},
        "chain": {"network": "rehearsal", "confirm_blocks": 2, "gas_gwei_max": 1_000_000},
        "live": {"enabled": True, "registry": str(folder / REGISTRY_NAME), "poll_s": 1, **live},
    }
    return check_settings(content, "a test")


@dataclass
class Running:
    """A house that runs on a chain while a test operates it."""

    chain: Path
    folder: Path
    turn: int = 0
    end: RunEnd | None = None
    waits: bool = False
    ready: int = 0
    turned: anyio.Event = field(default_factory=anyio.Event)

    def progress(self, frame: int, frames: int, living: int) -> None:
        del frames, living
        self.turn = frame
        self.turned.set()

    async def reach(self, turn: int) -> None:
        """Wait until so many frames were played."""
        while self.turn < turn:
            await self.turned.wait()
            self.turned = anyio.Event()

    def hear(self, seq: int) -> None:
        """Hear how far it is ready while it stands by."""
        self.ready = seq

    async def run(self, label: ChainLabel) -> None:
        """Play until told to leave; first wait, if it stands by, until nobody else does."""
        settings = live_settings(self.chain)
        chosen = chosen_chain(settings, [read_chain(self.chain)[0]])
        prepared, growing = prepare_on_chain(settings, label=label, clock=CLOCK)
        signer = signer_of(settings, chosen) if label == "LIVE" else None

        def open_chain(locked: Path) -> AbstractAsyncContextManager[ChainRun]:
            rules = settings.chain_rules()
            return open_live_chain(
                chosen, growing, locked, clock=CLOCK, rules=rules, outage_h_max=3, signer=signer
            )

        self.end = await serve(
            prepared,
            self.folder,
            clock=CLOCK,
            speed_x=None,
            until_end=True,
            progress=self.progress,
            watched=False,
            outside=Outside(open_chain=open_chain, read_frames=partial(catch_up, growing), poll_s=0.1),
            stands_by=self.hear if self.waits else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A local chain that stands, with the hands of other people on it."""

    folder: Path
    local: LocalChain
    hands: Hands

    @property
    def wallet(self) -> str:
        """The address that trades."""
        return LocalSigner(HOUSE_KEY, chain_id=LOCAL_CHAIN_ID).address

    async def pay(self, amount: str) -> None:
        """Give the wallet dollars."""
        await give(self.hands, self.wallet, USDC, amount)


OpenGround = Callable[[], AbstractAsyncContextManager[Ground]]


@pytest.fixture
def open_ground(tmp_path: Path, anvil_path: Path) -> OpenGround:
    """Return what lets a chain stand while its body runs."""
    assert anvil_path.exists()
    pytest.importorskip("eth_abi", reason="needs the chain extra")
    folder = tmp_path / "chain"

    @asynccontextmanager
    async def opened() -> AsyncIterator[Ground]:
        found: list[LocalChain] = []
        stands = anyio.Event()

        async def standing(chain: LocalChain) -> None:
            found.append(chain)
            stands.set()

        async def keep() -> None:
            await stand(season(), folder, gas_ratio=0.0025, hour_s=HOUR_S, standing=standing)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep)
            await stands.wait()
            async with open_hands(folder) as hands:
                yield Ground(folder=folder, local=found[0], hands=hands)
            tasks.cancel_scope.cancel()

    return opened
