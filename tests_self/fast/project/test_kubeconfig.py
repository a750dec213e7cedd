"""What a kubeconfig holds is kept out of the reports like every secret that the profile names."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.project.kubeconfig import kubeconfig_secrets

if TYPE_CHECKING:
    from tests_self.conftest import Project

TOKEN = "tKq7Zx-tWm3Vy-tRp9Hd"  # noqa: S105 (a canary)


def write(path: Path, *users: object) -> Path:
    """A kubeconfig; JSON is YAML, too."""
    path.write_text(json.dumps({"users": [{"name": "x", "user": user} for user in users]}))
    return path


def test_tokens_passwords_and_keys(tmp_path: Path) -> None:
    """Of every user in every file; of a key its middle, since all keys begin alike."""
    (tmp_path / "token").write_text("token-of-a-file\n")
    key = "LS0tLS1CRUdJTiBQUklWQVRF" + "".join(f"{number:04}" for number in range(300))
    one = write(tmp_path / "one", {"token": TOKEN}, {"password": "a-password", "token": "short"}, None)
    two = write(
        tmp_path / "two", {"client-key-data": key, "tokenFile": "token"}, {"exec": {"command": "aws"}}
    )
    (tmp_path / "three").write_text("users: [")

    found = kubeconfig_secrets(f"{one}:{two}:{tmp_path / 'three'}:{tmp_path / 'four'}")

    values = [secret.reveal() for secret in found]
    assert values[:2] == [TOKEN, "a-password"]
    assert sorted(map(len, values[2:])) == [15, 200]
    assert all(value in key or value == "token-of-a-file" for value in values[2:])


def test_no_report_shows_a_token_of_the_kubeconfig(
    project: "Project", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blotted out where a check says it; where it slips through, the file is removed and named."""
    monkeypatch.setenv("KUBECONFIG", str(write(project.path / "kubeconfig", {"token": TOKEN})))
    project.check("health", f"raise RuntimeError('Bearer {TOKEN}')")
    project.check("version", f"import allure\nallure.attach('{TOKEN}')")

    result = project.gate()

    assert "Bearer ***" in result.stdout.str()
    assert TOKEN not in result.stdout.str()
    (folder,) = project.folders()
    assert [path for path in folder.rglob("*") if path.is_file() and TOKEN in path.read_text()] == []
    (doubt,) = project.results()["doubts"]
    assert doubt.endswith("would have shown $KUBECONFIG's credentials: the file was removed")
