"""The settings file: what is refused, and in words that hold no token."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kube_standin.settings import Places, SettingsError, load

TOKEN = "a-token-that-stays-secret"  # noqa: S105 (made up)


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    """Settings that are fine."""
    for name in ("tls.pem", "tls.key"):
        (tmp_path / name).write_text("")
    return {
        "port": 6443,
        "certificate": "tls.pem",
        "key": "tls.key",
        "tokens": {TOKEN: {"user": "admin", "groups": ["system:masters"]}},
        "pods": {"nox/api-0": {"address": "127.0.0.1:3000"}},
    }


def write(folder: Path, settings: object) -> Path:
    path = folder / "settings.json"
    path.write_text(json.dumps(settings))
    return path


def test_good_settings(good: dict[str, Any], tmp_path: Path) -> None:
    settings = load(write(tmp_path, good))

    assert (settings.host, settings.port) == ("127.0.0.1", 6443)
    assert settings.tokens[TOKEN].groups == ("system:masters", "system:authenticated")
    assert TOKEN not in repr(settings)


def test_toml(good: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('port = 6444\ncertificate = "tls.pem"\nkey = "tls.key"\n[tokens.t]\nuser = "reader"\n')

    assert load(path).tokens["t"].name == "reader"
    assert good["port"] == 6443


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"port": 0}, "port must be a number from 1 to 65535"),
        ({"port": True}, "port must be a number from 1 to 65535"),
        ({"host": "0.0.0.0"}, "host must be a loopback address"),  # noqa: S104 (it is refused)
        ({"key": "no-such"}, "key must be the path of a file"),
        ({"tokens": {TOKEN: {}}}, "token 1 must say its user"),
        ({"pods": {"a/b": {"address": "10.0.0.1:80"}}}, "is not a loopback address with a port"),
        ({"pods": {"a/b": {"adress": "x"}}}, "unexpected keyword argument 'adress'"),
    ],
)
def test_bad_settings(good: dict[str, Any], tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(write(tmp_path, good | change))

    assert message in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_program_says_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kube_standin", str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_places_are_read_again_when_the_file_changes(good: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, good)
    places = Places(path)
    before = places.of("nox", "api-0")
    path.write_text("{ half")
    broken = places.of("nox", "api-0")
    good["pods"]["nox/api-0"] = {"ports": {"3000": "127.0.0.1:3001"}}
    new = path.with_suffix(".new")
    new.write_text(json.dumps(good))
    new.replace(path)
    after = places.of("nox", "api-0")

    assert before is not None
    assert before.of_port(3000) == ("127.0.0.1", 3000)
    assert broken == before
    assert after is not None
    assert (after.of_port(3000), after.of_port(80)) == (("127.0.0.1", 3001), None)
    assert places.of("nox", "else") is None
