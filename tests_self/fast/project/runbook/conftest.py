"""What the tests of the runbook are given."""

import pytest
from tests_self.fast.project.runbook.given import PROJECT

from noxgate.project.runbook import Runbook, read_runbook


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    """The real one."""
    return read_runbook(PROJECT / "runbook.toml")
