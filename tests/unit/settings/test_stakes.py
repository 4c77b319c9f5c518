"""What a config puts at risk: nothing where money is nobody's, and otherwise all of it for a stolen key."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from treasury_actors.cli.main import main
from treasury_actors.errors import ConfigError
from treasury_actors.money import MICRO_USD
from treasury_actors.settings.file import Settings, check_settings, load_settings
from treasury_actors.settings.stakes import Stakes, stakes_lines, stakes_object, stakes_of

GROUNDS = {
    "arena": {"agents": 10, "capital_usd": 10_000, "gas_usd": 300},
    "risk": {"trade_usd_max": 200, "arena_turnover_usd_max": 20_000, "venue_ratio_max": Decimal("0.5")},
}


def settings_of(network: str = "none", **sections: Mapping[str, object]) -> Settings:
    chain = {"network": network, **sections.pop("chain", {})}
    return check_settings({**GROUNDS, "chain": chain, **sections}, "test.toml")


def stakes(network: str = "none", **sections: Mapping[str, object]) -> Stakes:
    return stakes_of(settings_of(network, **sections).house_rules(1), network)


def test_a_simulation_can_lose_nothing() -> None:
    found = stakes()

    assert (found.worst.key_stolen_micro_usd, found.worst.venue_failed_micro_usd) == (0, 0)
    lines = stakes_lines(found, settings_of().chain_rules())
    assert "no key, no money: venues are simulated" in lines
    assert "a mandate closes 25% below its capital or 30% below its peak" in lines
    assert lines[-2] == "most that is lost if the key is stolen: $0.00 (of $10,300.00 in play)"


def test_a_stolen_key_takes_all_and_a_venue_its_share_and_what_is_on_its_way() -> None:
    found = stakes("base")

    assert found.worst == found.in_play
    assert found.worst.key_stolen_micro_usd == 10_300 * MICRO_USD
    assert found.worst.venue_failed_micro_usd == 10 * (500 + 200) * MICRO_USD
    said = stakes_object(found)
    assert said["real_money"] is True
    assert said["key_stolen_usd"] == "10300.000000"
    assert said["venue_failed_usd"] == "7000.000000"


def test_a_rehearsal_says_that_its_money_is_minted() -> None:
    lines = stakes_lines(stakes("rehearsal"), settings_of("rehearsal").chain_rules())

    assert "a key of a local chain, and money minted there" in lines
    assert any("gwei a transaction" in line for line in lines)
    assert lines[-1] == "most that is lost if one venue fails: $0.00 (of $7,000.00 in play)"


def test_the_first_limits_are_those_of_an_equal_share() -> None:
    found = stakes(arena={"agents": 3, "capital_usd": 1_000, "gas_usd": 1})

    assert found.mandates == 3
    assert found.capital_micro_usd == 333_333_333
    assert found.limits.turnover_micro_usd_max == 3 * found.capital_micro_usd


L1 = {"profile": "ethereum"}


@pytest.mark.parametrize("network", ["rehearsal", "base"])
def test_a_mandate_below_10_000_dollars_is_refused_on_an_l1(network: str) -> None:
    settings_of(network, arena={"agents": 10, "capital_usd": 100_000}, chain=L1)

    with pytest.raises(
        ConfigError, match=r"test.toml: .* mandate_too_small: a mandate of \$9999\.9.* \$10000"
    ):
        settings_of(network, arena={"agents": 10, "capital_usd": 99_999}, chain=L1)


def test_small_mandates_are_fine_where_gas_is_cheap_or_simulated() -> None:
    small = {"agents": 10, "capital_usd": 100}

    assert settings_of("base", arena=small).arena.agents == 10
    assert settings_of("none", arena=small, chain=L1).arena.agents == 10


CONFIGS = Path(__file__).resolve().parents[3] / "configs"


@pytest.mark.parametrize("name", ["simulation", "proving_grounds"])
def test_show_config_prints_the_same_config_and_what_it_can_lose(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = CONFIGS / f"{name}.toml"
    assert main(["show-config", str(config)]) == 0
    said = capsys.readouterr().out
    assert main(["show-config", str(config), "--json"]) == 0
    printed = tmp_path / "printed.toml"
    printed.write_text(said, encoding="utf-8")

    assert load_settings(printed) == load_settings(config)
    assert "# most that is lost if the key is stolen: $0.00 (of $" in said
    assert json.loads(capsys.readouterr().out)["stakes"]["real_money"] is False


def test_an_hour_has_its_part_of_a_day() -> None:
    found = stakes(risk={"arena_turnover_usd_max": 20_000, "hour_share_max": Decimal("0.5")})

    lines = stakes_lines(found, settings_of().chain_rules())
    assert "turnover in 24 h: $2,000.00 a mandate, $20,000.00 in all" in lines
    assert "turnover in an hour: $1,000.00 a mandate, $10,000.00 in all" in lines
    assert stakes_object(found)["arena_hour_usd_max"] == "10000.000000"
