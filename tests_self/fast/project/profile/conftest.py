"""A folder of profiles."""

from pathlib import Path

import pytest
from tests_self.building.profiles import GOOD
from tests_self.fast.project.profile.reading import write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the profiles `mine` and `production`."""
    (tmp_path / "targets").mkdir()
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("staging.example", "api.example"), "production")
    return tmp_path
