"""Tags, with real git: annotated and lightweight, pushed or not, of a commit that main has or has not."""

from pathlib import Path

import pytest
from tests_self.building.checkouts import Checkout

from noxgate.errors import UnreachableError

MESSAGE = "NOX API v8.0.0 Production Release"


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


# ---------------------------------------------------------------- a checkout without its history


@pytest.fixture
def shallow(checkout: Checkout, tmp_path: Path) -> Checkout:
    """What a CI checkout of depth 1 and a fetch of the tag leave: main is three commits ahead of the tag."""
    checkout.git("tag", "-a", "v8.0.0", "-m", MESSAGE)
    for name in "abc":
        checkout.commit(name, name)
    checkout.git("push", "--quiet", "origin", "main", "v8.0.0")
    remote, clone = f"file://{checkout.remote}", tmp_path / "clone"
    checkout.git("clone", "--quiet", "--depth=1", "--branch=main", remote, str(clone), folder=tmp_path)
    checkout.folder = clone
    return checkout


TAG = "refs/tags/v8.0.0:refs/tags/v8.0.0"


def test_shallow_checkout_cannot_say_no(shallow: Checkout) -> None:
    """Both commits are here, the way between them is not: it was not looked at, although git says no."""
    shallow.git("fetch", "--quiet", "--depth=1", "origin", TAG)
    client = shallow.client()
    tag = client.tag("v8.0.0")

    assert tag is not None
    with pytest.raises(UnreachableError, match=r"is a shallow checkout.*: git fetch --unshallow$"):
        client.has(tag.commit, "main")
    assert "could not look" in shallow.seen()

    shallow.git("fetch", "--quiet", "--unshallow")
    assert client.has(tag.commit, "main")


def test_shallow_checkout_that_is_deep_enough(shallow: Checkout) -> None:
    """What it has it can tell: a way that is here, and one that can only lead the other way."""
    shallow.git("fetch", "--quiet", "--deepen=1")
    client = shallow.client()

    assert client.has("main~1", "main")
    assert not client.has("main", "main~1")


def test_shallow_history_elsewhere(shallow: Checkout) -> None:
    """One branch is shallow; all of main is here, and the tag of the other is not on it."""
    shallow.git("fetch", "--quiet", "--unshallow")
    shallow.git("switch", "--quiet", "--detach", "v8.0.0")
    aside = shallow.commit("aside", "1")
    last = shallow.commit("aside", "2")
    shallow.git("push", "--quiet", "origin", f"{last}:refs/heads/aside")
    shallow.git("switch", "--quiet", "main")
    shallow.git("reflog", "expire", "--expire=now", "--all")
    shallow.git("gc", "--quiet", "--prune=now")
    shallow.git("fetch", "--quiet", "--depth=1", "origin", "aside")
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"

    client = shallow.client()
    assert not client.has(last, "main")
    with pytest.raises(UnreachableError, match="git fetch --unshallow"):
        client.has(shallow.git("rev-parse", "main~1"), last)
    assert aside not in shallow.seen()


def test_tag_that_a_shallow_checkout_was_not_given(shallow: Checkout) -> None:
    """CI fetches no tags: origin has it. A tag that origin lacks, too, is missing all the same."""
    client = shallow.client()

    with pytest.raises(UnreachableError, match=r"origin has v8\.0\.0: git fetch --unshallow --tags$"):
        client.tag("v8.0.0")
    assert client.tag("v8.0.1") is None

    shallow.git("fetch", "--quiet", "--unshallow", "--tags")
    assert client.tag("v8.0.0") is not None


def test_tag_that_only_a_whole_checkout_lacks(checkout: Checkout, tmp_path: Path) -> None:
    """That is red as before: whoever releases has all of it."""
    other = tmp_path / "other"
    checkout.git("clone", "--quiet", str(checkout.remote), str(other))
    checkout.git("tag", "v8.0.0", folder=other)
    checkout.git("push", "--quiet", "origin", "v8.0.0", folder=other)

    assert checkout.client().tag("v8.0.0") is None


def test_shallow_checkout_does_not_count_commits(shallow: Checkout) -> None:
    """`5 ahead, 1 behind` of two histories that were cut does not measure a distance."""
    shallow.git("fetch", "--quiet", "--depth=1", "origin", TAG)
    shallow.git("checkout", "--quiet", "v8.0.0")
    client = shallow.client()

    assert client.head() != client.remote_head()
    assert "a shallow checkout cannot count" in shallow.seen()
    assert "ahead" not in shallow.seen()
