"""Defect 3 of the earlier attempt: the engine fed other keys than agents read, so none ever traded."""

import ast
from pathlib import Path

import pytest

from tests.acceptance.houses import usual
from treasury_actors.agents.model.view import View
from treasury_actors.agents.registry import families
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Universe

PACKAGE = Path(__file__).parents[2] / "treasury_actors"


def view_of(slots: int) -> View:
    season, features = usual().season, Features(MAINNET)
    for index in range(-48, 0):
        features.append(season.frame(index))
    return View(features, tuple(range(slots)), features.length, 0, (0.0,) * slots)


@pytest.mark.parametrize("question", ["price_usd", "tradable", "rate"])
def test_a_view_asked_for_a_slot_it_has_not_raises_and_never_answers_zero(question: str) -> None:
    with pytest.raises(IndexError):
        getattr(view_of(2), question)(2)


@pytest.mark.parametrize("name", ["aave_apy", "protocol_apys", "btc_mvrv", "indicators", "get"])
def test_a_view_asked_for_a_figure_nobody_feeds_raises(name: str) -> None:
    with pytest.raises(AttributeError):
        getattr(view_of(2), name)


def test_a_family_whose_asset_is_in_no_column_is_left_out_or_refused_and_never_fed_nothing() -> None:
    keep = {AssetId("USDC"), AssetId("ETH")}
    bare = Universe(
        name="bare",
        assets=tuple(asset for asset in MAINNET.assets if asset.id in keep),
        conversions=(),
        reserve=MAINNET.reserve,
        gas=MAINNET.gas,
    )
    left = families(bare)
    for family in families(MAINNET).values():
        if family.id in left:
            assert all(asset in bare.column for asset in family.assets(bare))
        else:
            with pytest.raises(ConfigError):
                family.assets(bare)

    assert len(left) < len(families(MAINNET))


def test_every_slot_of_every_family_is_a_column_of_the_frames_it_is_fed() -> None:
    for family in families(MAINNET).values():
        assert all(asset in MAINNET.column for asset in family.assets(MAINNET)), family.id


def test_defect_3_agents_read_keys_nobody_fed_so_none_ever_traded() -> None:
    filled = [row.agent.rpartition("-")[0] for row in usual().tape.rows("trading.order_filled")]

    assert len(filled) > 300
    assert set(filled) == {str(family) for family in families(MAINNET)} - {"idle_cash"}


def test_there_is_one_fitness_for_all_modes() -> None:
    """The earlier one ranked a backtest by return x 100 and a live agent by something else."""
    makers = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fitness":
                makers.add(file.relative_to(PACKAGE).as_posix())

    assert makers == {"agents/model/fitness.py"}
