"""Tags, with real git: annotated and lightweight, pushed or not, of a commit that main has or has not."""

from pathlib import Path

import pytest

from .test_repository import Checkout

MESSAGE = "NOX API v8.0.0 Production Release"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_annotated_tag(checkout: Checkout) -> None:
    """The tag is an object of its own, and names the commit."""
    checkout.git("tag", "-a", "v8.0.0", "-m", MESSAGE)
    tag = checkout.client().tag("v8.0.0")

    assert tag is not None
    assert (tag.type, tag.message) == ("tag", MESSAGE)
    assert tag.object == checkout.git("rev-parse", "v8.0.0")
    assert tag.commit == checkout.git("rev-parse", "HEAD") != tag.object


def test_lightweight_tag(checkout: Checkout) -> None:
    """It is the commit, and the message is the commit's."""
    checkout.git("tag", "v8.0.0")
    tag = checkout.client().tag("v8.0.0")

    assert tag is not None
    assert (tag.type, tag.message) == ("commit", "change README")
    assert tag.object == tag.commit


def test_long_message(checkout: Checkout) -> None:
    """All of it, so that nothing more than expected is one."""
    checkout.git("tag", "-a", "v8.0.0", "-m", MESSAGE, "-m", "and more\nlines")
    tag = checkout.client().tag("v8.0.0")

    assert tag is not None
    assert tag.message == f"{MESSAGE}\n\nand more\nlines"


def test_no_tag(checkout: Checkout) -> None:
    """Neither one below that name, nor a branch, nor one of a file."""
    checkout.git("tag", "v8.0.0/rc1")
    checkout.git("branch", "v9.0.0")
    checkout.git("tag", "v9.0.1", "HEAD:README")

    assert [checkout.client().tag(name) for name in ("v8.0.0", "v9.0.0", "v9.0.1")] == [None] * 3


def test_remote_tag(checkout: Checkout) -> None:
    """The remote itself is asked, and gives the tag's own object."""
    checkout.git("tag", "-a", "v8.0.0", "-m", MESSAGE)
    assert checkout.client().remote_tag("v8.0.0") is None
    checkout.git("push", "--quiet", "origin", "v8.0.0")
    pushed = checkout.git("rev-parse", "v8.0.0")
    checkout.git("tag", "-f", "-a", "v8.0.0", "-m", f"{MESSAGE}.")

    assert checkout.client().remote_tag("v8.0.0") == pushed != checkout.git("rev-parse", "v8.0.0")


def test_has(checkout: Checkout) -> None:
    """A commit has itself and those before it."""
    first = checkout.git("rev-parse", "HEAD")
    second = checkout.commit("more", "x\n")

    client = checkout.client()
    assert [client.has(first, second), client.has(second, second), client.has(second, first)] == [
        True,
        True,
        False,
    ]
