"""What the tests of single pods are given."""

import gc
import warnings
from collections.abc import Iterator

import pytest

from noxgate.look.observation import Observation


@pytest.fixture(autouse=True)
def _left_open() -> Iterator[None]:
    """The client leaves the sockets of ended and refused websockets to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def seen() -> list[Observation]:
    return []
