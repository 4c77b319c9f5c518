"""`keystore`: a key comes into being encrypted, private and once; nothing but its address is ever shown."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from treasury_actors.cli import verbs_custody
from treasury_actors.cli.main import main
from treasury_actors.trading.adapters.evm.signer import KeystoreSigner, keystore_address

PHRASE = "correct horse battery"
CONFIG = 78


def password_file(tmp_path: Path, content: str = PHRASE + "\n", mode: int = 0o600) -> Path:
    path = tmp_path / "password"
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_new_keystore_is_private_and_only_its_address_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, secret = tmp_path / "key.json", password_file(tmp_path)

    assert main(["keystore", "new", str(path), "--password-file", str(secret)]) == 0
    printed = capsys.readouterr()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == 3
    assert printed.out == keystore_address(path) + "\n"
    assert printed.err == ""
    assert KeystoreSigner(path, secret, chain_id=8453).address == keystore_address(path, secret)
    for argv in (["keystore", "address", str(path)], ["keystore", "address", str(path), "--password-file"]):
        assert main([*argv, *([str(secret)] if argv[-1] == "--password-file" else [])]) == 0
        assert capsys.readouterr().out == printed.out


def test_a_key_is_never_overwritten_and_the_password_not_even_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "key.json"
    path.write_text("the only copy", encoding="utf-8")

    assert main(["keystore", "new", str(path), "--password-file", str(password_file(tmp_path))]) == CONFIG

    assert "never overwritten" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "the only copy"


def test_a_link_is_not_followed_to_where_a_key_would_land(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "key.json"
    path.symlink_to(tmp_path / "elsewhere.json")

    assert main(["keystore", "new", str(path), "--password-file", str(password_file(tmp_path))]) == CONFIG
    assert not (tmp_path / "elsewhere.json").exists()
    assert "allowed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "mode", "named"),
    [("short\n", 0o600, "too short"), ("\n" + PHRASE, 0o600, "too short"), (PHRASE, 0o644, "chmod 600")],
)
def test_a_bad_password_file_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, mode: int, named: str
) -> None:
    path, secret = tmp_path / "key.json", password_file(tmp_path, content, mode)

    assert main(["keystore", "new", str(path), "--password-file", str(secret)]) == CONFIG

    said = capsys.readouterr().err
    assert named in said
    assert PHRASE not in said
    assert not path.exists()


@pytest.mark.parametrize("typed", [("correct horse battery", "correct horse batterx"), ("short", "short")])
def test_a_typed_password_is_typed_twice_and_long_enough(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    typed: tuple[str, str],
) -> None:
    words: Iterator[str] = iter(typed)
    monkeypatch.setattr(verbs_custody, "getpass", lambda prompt: next(words))

    assert main(["keystore", "new", str(tmp_path / "key.json")]) == CONFIG
    assert "password" in capsys.readouterr().err
    assert not (tmp_path / "key.json").exists()


@pytest.mark.parametrize("argument", ["--password", "--password=secret"])
def test_no_option_takes_a_password_itself(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["keystore", "new", "key.json", argument])

    assert caught.value.code == 2
    assert "unrecognized" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "no" / "key.json"

    assert main(["keystore", "new", str(path), "--password-file", str(password_file(tmp_path))]) == CONFIG
    assert "No such file" in capsys.readouterr().err
