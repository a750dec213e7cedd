"""uv asks the indexes that pip is set up for, and no password of theirs is printed."""

import os
import sys
from pathlib import Path

import pytest

from noxgate.machine import pip_settings

LISTED = """\
:env:.extra-index-url='https://more.example.com/simple'
:env:.disable-pip-version-check='1'
global.cert='/etc/ssl/certs/own.pem'
global.extra-index-url='https://lost.example.com/simple'
global.find-links='\\n/\\nfile:///nowhere/wheels\\n/nowhere'
global.index-url='https://lost.example.com/simple'
global.trusted-host='\\na.example.com\\nb.example.com'
install.index-url='https://name:word@mirror.example.com/simple'
"""


def test_settings_are_handed_on() -> None:
    """A variable counts more than a section for `pip install`, and that more than the general one."""
    assert pip_settings.from_settings(pip_settings.read(LISTED), {}) == {
        "SSL_CERT_FILE": "/etc/ssl/certs/own.pem",
        "UV_DEFAULT_INDEX": "https://name:word@mirror.example.com/simple",
        "UV_INDEX": "https://more.example.com/simple",
        "UV_FIND_LINKS": "/",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_INSECURE_HOST": "a.example.com b.example.com",
    }


@pytest.mark.parametrize("name", pip_settings.INDEXES_OF_UV)
def test_indexes_of_uv_count_more(name: str) -> None:
    """Whoever has set one for uv means uv."""
    given = {name: "https://uv.example.com/simple"}

    made = pip_settings.from_settings(pip_settings.read(LISTED), given)

    assert sorted(made) == ["SSL_CERT_FILE", "UV_INSECURE_HOST"]


def test_indexes_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    """Such as one of a machine that this one was copied from: pip goes on, so uv has to."""
    (tmp_path / "simple").mkdir()
    here = f"file://{tmp_path}/simple"

    made = pip_settings.from_settings({"extra-index-url": f"{here} file:///nowhere/simple"}, {})

    assert made["UV_INDEX"] == here


def test_without_any_index() -> None:
    """Where pip may ask no index, uv may ask none either."""
    assert pip_settings.from_settings({"no-index": "true"}, {})["UV_OFFLINE"] == "1"
    assert "UV_OFFLINE" not in pip_settings.from_settings({"no-index": "false"}, {})


def test_pip_itself_is_asked(tmp_path: Path) -> None:
    """Its file and its variables, in its own words; what is set already stays as it is."""
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://mirror.example.com/simple\n")
    base = Path(sys.base_prefix, "bin", "python3")
    given = {
        "PATH": os.defpath,
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_EXTRA_INDEX_URL": "https://more.example.com/simple",
        "SSL_CERT_FILE": "/own.pem",
    }

    made = pip_settings.environment([str(base), "-m", "pip"], given)

    assert made["UV_DEFAULT_INDEX"] == "https://mirror.example.com/simple"
    assert made["UV_INDEX"] == "https://more.example.com/simple"
    assert made["SSL_CERT_FILE"] == "/own.pem"


def test_passwords_are_taken_out() -> None:
    """Of every URL, by any program that prints it; what is not a URL stays."""
    said = "a@b: https://name:w/ord@host/simple/ and 'http://token@host' but https://host/a@1"

    expected = "a@b: https://***@host/simple/ and 'http://***@host' but https://host/a@1"
    assert pip_settings.without_passwords(said.replace("w/ord", "word")) == expected
