"""Whatever a config says, it is a config or one line that says why not; never anything else."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from treasury_actors.errors import ConfigError
from treasury_actors.settings.file import Settings, check_settings

SECTIONS: dict[str, list[str]] = {
    name: [*getattr(field.annotation, "model_fields", {}), "unknown"]
    for name, field in Settings.model_fields.items()
}
scalars = st.one_of(
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.integers(-2, 200),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        ["", "main", "1_000", "1e18", "²", "١٢", "a\nb", "\x1b[31m", "\ud800", "../../etc", "0x1", "$HOME"]
    ),
    st.text(max_size=8),
    st.dates(),
    st.datetimes(),
)
values = st.one_of(
    scalars, st.lists(scalars, max_size=3), st.dictionaries(st.text(max_size=4), scalars, max_size=2)
)


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a TOML file could hold: known and unknown keys with any values."""
    found: dict[str, Any] = {}
    for section in draw(st.lists(st.sampled_from([*SECTIONS, "unknown"]), max_size=4, unique=True)):
        keys = SECTIONS.get(section, ["any"])
        table = st.dictionaries(st.sampled_from(keys), values, max_size=4)
        found[section] = draw(st.one_of(table, table, table, values))
    return found


@settings(max_examples=1_000)
@example({"arena": {"agents": float("nan"), "capital_usd": float("inf")}})
@given(contents())
def test_any_content_is_a_config_or_one_line_that_says_why_not(content: dict[str, Any]) -> None:
    try:
        found = check_settings(content, "a file")
    except ConfigError as refused:
        said = str(refused)
        assert said.startswith("a file: ")
        assert len(said.splitlines()) == 1
        assert said.isprintable() or not said.isascii()
    else:
        assert isinstance(found, Settings)


def test_every_section_and_its_keys_are_drawn_from() -> None:
    assert {"arena", "season", "risk", "chain"} <= set(SECTIONS)
    assert all(len(keys) > 1 for name, keys in SECTIONS.items() if name in {"arena", "season", "risk"})
    with pytest.raises(ConfigError):
        check_settings({"arena": {"unknown": 1}}, "a file")
