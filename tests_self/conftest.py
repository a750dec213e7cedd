"""What the suite's own tests are given: a small project to run the plugin in."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

RUNBOOK = """
[release]
version = "8.0.0"
date = 2025-08-15
schema = "schema.toml"
[phase.staging]
title = "Staging"
budget_minutes = 15
folder = "tests_staging"
[phase.live]
title = "Live"
budget_minutes = 15
folder = "tests_production"
marker = "production"
[staging.version]
ref = "RB-2.6"
kind = "auto"
section = "2. Staging > Version"
seed = [131]
expected = "/version is {version}"
next = "Redeploy, then: pytest -m staging --target {target}"
[staging.health]
ref = "RB-2.5"
kind = "auto"
section = "2. Staging > Health"
seed = [125]
expected = "healthy"
next = "Read the logs."
[live.version]
ref = "RB-5.2"
kind = "auto"
section = "5. Live > Version"
seed = [324]
expected = "/version is {version}"
next = "Roll back."
"""

PROFILE = """
serves = ["staging"]
base_url = "https://localhost:9"
namespace = "nox-staging-green"
[credentials]
test_token = "TEST_TOKEN"
database_url = "DATABASE_URL"
[oauth.google]
client_id = "client"
"""

LOOK = """
import pytest
from noxgate.clients.observation import Observation
from noxgate.target import UnreachableError

@pytest.mark.runbook("staging.{line}")
def test_{line}(observe):
    observe(Observation("saw {line}", "curl {line}"))
    {body}
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with two passing staging checks, and targets `staging` and `rehearsal`."""
    for name in ("BASE_URL", "NAMESPACE", "NOXGATE_TARGET", "DATABASE_URL", "TEST_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    here = pytester.path
    (here / "pyproject.toml").write_text(
        '[tool.pytest]\nstrict = true\naddopts = ["-p", "noxgate.plugin", "-p", "no:locust", '
        '"--import-mode=importlib", "--tb=short"]\ntestpaths = ["tests_staging", "tests_production"]\n'
        'markers = ["runbook(id): line"]\nfilterwarnings = ["error"]\n'
    )
    (here / "runbook.toml").write_text(RUNBOOK)
    for folder in ("tests_staging", "tests_production", "targets"):
        (here / folder).mkdir()
    (here / "targets" / "staging.toml").write_text(PROFILE)
    (here / "targets" / "rehearsal.toml").write_text("rehearsal = true\n" + PROFILE)
    check(here, "version", "assert True")
    check(here, "health", "assert True")
    return pytester


def check(root: Path, line: str, body: str) -> None:
    """Write the check of `staging.<line>` with this body."""
    (root / "tests_staging" / f"test_{line}.py").write_text(LOOK.format(line=line, body=body))
