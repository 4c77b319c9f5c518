"""A test trade: some dollars through the real wallet to Aave and back, before anything rests on it."""

from dataclasses import replace
from pathlib import Path

import pytest

from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry_json import registry_to_json
from treasury_actors.cli.main import main
from treasury_actors.clock import WallClock
from treasury_actors.ids import AssetId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import load_settings
from treasury_actors.simulation.custody.session import ChosenChain
from treasury_actors.simulation.live.trial import perform_test_trade
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.simulation.rehearsal.contracts import published
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.trading.adapters.evm.signer import LocalSigner

CONFIG = Path(__file__).parents[4] / "configs" / "live_local.toml"
KEY = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"  # the published one of account 9


async def test_dollars_go_to_aave_and_come_back_but_for_a_rounding(anvil_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("eth_account", reason="needs the chain extra")
    signer = LocalSigner(KEY, chain_id=31_337)
    frame = SeasonRecipe(seed=7, days=1, warmup_h=0).build().frame(0)
    options = AnvilOptions(timestamp=frame.time_ns // 10**9 - 3_600)
    settings = load_settings(CONFIG, {"chain": {"confirm_blocks": 2}})
    heard: list[str] = []
    async with AnvilNode(options, binary=anvil_path) as node, HttpRpc(Endpoint(url=node.url)) as rpc:
        world = await build_world(rpc, artifacts=published(), universe=MAINNET, frame=frame, gas_ratio=0.0025)
        await world.fund(signer.address, AssetId("USDC"), 100 * 10**6)
        await world.fund_gas(signer.address, 10**18)
        await rpc.call("evm_setAutomine", (False,))
        await rpc.call("evm_setIntervalMining", (1,))
        trial = await perform_test_trade(
            ChosenChain(registry=await world.registry(), endpoints=(Endpoint(url=node.url),)),
            tmp_path / "trial",
            universe=MAINNET,
            rules=settings.chain_rules(),
            signer=signer,
            units=25 * 10**6,
            gas_wei_max=settings.chain.gas_gwei_max * 10**9,
            clock=WallClock(),
            told=heard.append,
        )

    assert trial.supplied_units == 25 * 10**6
    assert 0 <= trial.supplied_units - trial.withdrawn_units <= 2
    assert trial.gas_wei > 0
    assert sum("counted: gave" in line for line in heard) == 2


@pytest.mark.parametrize(
    ("config", "said"),
    [("proving_grounds.toml", "live.enabled = false"), ("live_local.toml", "no rehearsal there")],
)
def test_a_test_trade_wants_what_a_live_run_wants(
    config: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = tmp_path / "registry.json"
    registry.write_text(registry_to_json(replace(BASE, chain_id=31_337)), encoding="utf-8")
    words = ["--rpc", "http://127.0.0.1:1", "--registry", str(registry), "--evidence", str(tmp_path / "none")]
    code = main(["perform-test-trade", str(CONFIG.with_name(config)), *words, "--out", str(tmp_path / "x")])

    assert code == 78
    assert said in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
