"""What the tests of the repository are given."""

from pathlib import Path

import pytest
from tests_self.building.checkouts import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
