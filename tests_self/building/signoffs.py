"""A release whose runs are sealed, for its sign-off page."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from noxgate.cli.main import main
from noxgate.project.runbook import Line, Runbook, read_runbook
from noxgate.trust import seal, signing

ROOT = Path(__file__).parents[2]
PHASES = {
    "preflight": "staging",
    "staging": "staging",
    "prep": "production",
    "green": "production",
    "live": "production",
}
BEGAN = {phase: timedelta(minutes=60 - 10 * place) for place, phase in enumerate(PHASES)}
PROFILES = {
    "staging": ["preflight", "staging"],
    "production": ["prep", "green", "live", "window", "rollback"],
}

TINY = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


class Release:
    """A project with the real runbook, and the evidence of a release in which every line passed."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.now = datetime.now(UTC).replace(microsecond=0)
        self._capsys = capsys
        shutil.copy(ROOT / "runbook.toml", root)
        self.runbook: Runbook = read_runbook(root / "runbook.toml")
        signing.new_key(root / "keys" / "ada.pem")
        (root / "targets").mkdir()
        for name, serves in PROFILES.items():
            (root / "targets" / f"{name}.toml").write_text(
                f'serves = {json.dumps(serves)}\nbase_url = "https://{name}.test"\nnamespace = "nox"\n'
                'signers = ["../keys/ada.pub"]\n[credentials]\ntest_token = "T"\nadmin_token = "A"\n'
                'database_url = "D"\nredis_url = "R"\n[oauth.google]\nclient_id = "c"\n'
            )
        self.key = signing.read_signing_key(root / "keys" / "ada.pem")

    def run(
        self,
        phase: str,
        *,
        change: Callable[[dict[str, Any]], object] = lambda _: None,
        began: timedelta | None = None,
        sealed: bool = True,
        commit: str = "c" * 40,
    ) -> Path:
        """A run of a phase in which every line passed, but for what `change` makes of its results."""
        target = PHASES.get(phase, "production")
        at = self.now - (began or BEGAN.get(phase, timedelta(minutes=5)))
        folder = self.root / "reports" / "8.0.0" / f"{at:%Y%m%dT%H%M%SZ}-{target}-{phase}"
        folder.mkdir(parents=True)
        results = {
            "schema": 1,
            "verdict": "GO",
            "doubts": [],
            "release": "8.0.0",
            "target": {"name": target, "rehearsal": False, "base_url": f"https://{target}.test"},
            "phases": [phase],
            "whole": [phase],
            "started": at.isoformat(),
            "ended": (at + timedelta(seconds=90)).isoformat(),
            "seconds": 90.0,
            "selection": {"m": phase, "k": "", "arguments": []},
            "facts": {},
            "to_come": [],
            "lines": [judged(line) for line in self.runbook.of_phase(phase)],
        }
        change(results)
        (folder / "results.json").write_text(json.dumps(results))
        (folder / "environment.json").write_text(
            json.dumps({"user": "ada", "host": "desk", "commit": commit})
        )
        if phase == "staging":
            load = folder / "load" / "quick"
            load.mkdir(parents=True)
            (load / "load.svg").write_bytes(TINY)
            (load / "table.json").write_text('[["SLO", "outcome"], ["p95", "passed"]]')
        if sealed:
            seal.seal(folder, self.root, self.root / "targets" / f"{target}.toml", self.key)
        return folder

    def runs(self, *without: str) -> None:
        """A run of each phase up to live."""
        for phase in PHASES:
            if phase not in without:
                self.run(phase)

    def sign_off(self, *arguments: str) -> tuple[int, str]:
        """Exit status, and what was said."""
        status = main(["signoff", *arguments])
        return status, self.read()

    def read(self) -> str:
        """What was said since this was asked last."""
        return "".join(self._capsys.readouterr())

    @property
    def html(self) -> str:
        return (self.root / "reports" / "8.0.0" / "sign-off.html").read_text()

    @property
    def markdown(self) -> str:
        return (self.root / "reports" / "8.0.0" / "SIGN-OFF.md").read_text()

    def outcomes(self) -> dict[str, str]:
        """Line -> how the page shows it, in the page's order."""
        return dict(re.findall(r'<tr id="([\w.-]+)" class="([\w-]+)"', self.html))

    def status(self) -> str:
        """The status field of the page."""
        (found,) = re.findall(r"<dt>Status</dt><dd>([^<]*)</dd>", self.html)
        return str(found)


def judged(line: Line) -> dict[str, Any]:
    """A line that passed, as results.json has it."""
    look = {"seen": f"saw {line.id}", "repeat": f"look {line.id}"}
    check = {
        "node": f"tests/test_it.py::{line.id}",
        "outcome": "passed",
        "reason": "",
        "seconds": 0.1,
        "observations": [look],
    }
    return {
        "id": line.id,
        "outcome": "passed",
        "reason": "",
        "attestation": None,
        "waiver": None,
        "checks": [check],
    }


def of(results: dict[str, Any], line: str) -> Any:
    """One line of the results."""
    (found,) = [each for each in results["lines"] if each["id"] == line]
    return found


def outcome(line: str, what: str, reason: str = "it broke") -> Callable[[dict[str, Any]], object]:
    """Let one line have another outcome."""

    def change(results: dict[str, Any]) -> None:
        for place in (of(results, line), of(results, line)["checks"][0]):
            place.update(outcome=what, reason=reason)
        results["verdict"] = {"failed": "NO-GO"}.get(what, "INCONCLUSIVE")

    return change


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Release:
    """The project, with no run yet; the working folder is in it."""
    monkeypatch.chdir(tmp_path)
    return Release(tmp_path, capsys)
