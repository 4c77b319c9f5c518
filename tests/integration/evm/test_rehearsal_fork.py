"""A rehearsal on a fork: somebody's chain as it stands, its contracts and their money, time and us alone."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.registry_json import registry_to_json
from treasury_actors.cli.main import main
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.simulation.rehearsal.contracts import published
from treasury_actors.simulation.rehearsal.deploy_world import build_world

CONFIG = Path(__file__).parents[3] / "configs" / "proving_grounds.toml"


@pytest.fixture
async def upstream(anvil_path: Path, tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """Return the address of a chain with the protocols on it, and what is pinned there."""
    pytest.importorskip("eth_account", reason="needs the chain extra")
    frame = SeasonRecipe(seed=7, days=1, warmup_h=0).build().frame(0)
    options = AnvilOptions(timestamp=frame.time_ns // 10**9 - 3_600)
    async with AnvilNode(options, binary=anvil_path) as node, HttpRpc(Endpoint(url=node.url)) as rpc:
        world = await build_world(rpc, artifacts=published(), universe=MAINNET, frame=frame)
        file = tmp_path / "registry.json"
        file.write_text(registry_to_json(await world.registry()), encoding="utf-8")
        yield node.url, file


async def test_agents_trade_on_a_fork_and_its_books_equal_it_to_the_unit(
    upstream: tuple[str, Path], tmp_path: Path
) -> None:
    url, registry = upstream
    folder = tmp_path / "run"
    words = ["rehearse", str(CONFIG), "--days", "1", "--fork", url, "--registry", str(registry)]
    code = await anyio.to_thread.run_sync(main, [*words, "--out", str(folder)])
    report = json.loads((folder / "rehearsal.json").read_text(encoding="utf-8"))

    assert code == 0
    assert report["books"] == {"equal": True, "differences": []}
    assert report["trades"] > 3
    assert report["transactions"]["confirmed"] == report["transactions"]["sent"] > 0
    assert "fork of rehearsal" in report["node"]


def test_a_registry_that_is_no_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["rehearse", str(CONFIG), "--fork", "http://127.0.0.1:1", "--registry", str(tmp_path / "no.json")]

    assert main(words) == 78
    assert "no.json" in capsys.readouterr().err
