"""What the tests of worlds are given."""

from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def names(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Names of worlds that no other xdist worker uses."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return lambda name: f"self-{worker}-{name}"
