"""A load test that dies says why, and no secret: its output, which is not sealed, is not swept."""

from pathlib import Path

import pytest

from noxgate.project.runbook import read_runbook
from noxgate.project.target import Target
from noxgate.slo import run as loadtest
from noxgate.slo.plan import TOKEN
from noxgate.slo.ramps import chosen

CANARY = "tKq7Zx\"'tWm3Vy<&tRp9Hd%+/\\tXn5Bc"
DIES = f"""
import base64, json, os, sys
from urllib.parse import quote
token = os.environ["{TOKEN}"]
print("first words", [token], json.dumps(token), quote(token), base64.b64encode(token.encode()), token[3:14])
sys.exit("the last words")
"""


def test_no_canary_shows_when_it_dies(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in any of the ways in which a traceback or a log may write it."""
    monkeypatch.setattr(loadtest, "answered_version", lambda _: "8.0.0")
    (tmp_path / "load").mkdir()
    (tmp_path / "load" / "locustfile.py").write_text(DIES)
    target = Target(
        "staging", Path("staging.toml"), ("staging",), "https://localhost:9", "http://localhost:9", "nox",
        credentials={"test_token": "TEST_TOKEN"}, variables={"TEST_TOKEN": CANARY},
    )  # fmt: skip
    root = pytestconfig.rootpath
    runbook, ramp = read_runbook(root / "runbook.toml"), chosen(root, "smoke")

    with pytest.raises(loadtest.NoResultError, match="last words") as caught:
        loadtest.run(tmp_path, target, runbook, ramp, loadtest.Processes(), lambda _: None)

    said = str(caught.value)
    assert "first words" in said
    assert "***" in said
    assert [piece for piece in ("tKq7Zx", "tWm3Vy", "tRp9Hd", "tXn5Bc", "dEtxN1p4") if piece in said] == []


def test_generator_is_given_no_key_to_sign_with(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command signs what it left; code of a load test needs none."""
    monkeypatch.setattr(loadtest, "answered_version", lambda _: "8.0.0")
    monkeypatch.setenv("NOXGATE_SIGNING_KEY", "~/.noxgate/ada.pem")
    (tmp_path / "load").mkdir()
    says = "import os, sys; sys.exit(f\"given {os.environ.get('NOXGATE_SIGNING_KEY', 'nothing')}\")"
    (tmp_path / "load" / "locustfile.py").write_text(says)
    target = Target(
        "staging", Path("staging.toml"), ("staging",), "https://localhost:9", "http://localhost:9", "nox",
        credentials={"test_token": "TEST_TOKEN"}, variables={"TEST_TOKEN": CANARY},
    )  # fmt: skip
    root = pytestconfig.rootpath
    runbook, ramp = read_runbook(root / "runbook.toml"), chosen(root, "smoke")

    with pytest.raises(loadtest.NoResultError, match="given nothing"):
        loadtest.run(tmp_path, target, runbook, ramp, loadtest.Processes(), lambda _: None)
