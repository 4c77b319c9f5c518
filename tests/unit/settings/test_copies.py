"""The limit above which agents are copies of each other: off unless a config asks for it."""

from pathlib import Path

from treasury_actors.arena.model.allocation import PPB
from treasury_actors.settings.file import load_settings


def test_copies_share_a_seat_where_a_config_says_above_which_correlation(tmp_path: Path) -> None:
    path = tmp_path / "arena.toml"
    path.write_text("[arena]\ncopy_correlation_max = 0.9\n")
    assert load_settings(path).house_rules(1).arena.allocation.copy_correlation_ppb == PPB * 9 // 10


def test_a_config_that_says_nothing_of_copies_runs_and_is_called_as_before(tmp_path: Path) -> None:
    silent, never, limited = (tmp_path / name for name in ("a.toml", "b.toml", "c.toml"))
    silent.write_text("[arena]\nagents = 7\n")
    never.write_text("[arena]\nagents = 7\ncopy_correlation_max = 1\n")
    limited.write_text("[arena]\nagents = 7\ncopy_correlation_max = 0.9\n")
    assert load_settings(silent).house_rules(1).arena.allocation.copy_correlation_ppb == PPB
    assert load_settings(silent).config_hash == load_settings(never).config_hash
    assert load_settings(silent).config_hash != load_settings(limited).config_hash
