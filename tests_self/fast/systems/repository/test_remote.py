"""Branch, HEAD and remote, with real git: in sync, ahead, behind, and a remote that does not answer."""

import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests_self.building.checkouts import Checkout

from noxgate.errors import UnreachableError
from noxgate.systems.repository import repository


def test_in_sync(checkout: Checkout) -> None:
    """What it says, and the commands to see it again."""
    client = checkout.client()

    assert client.branch() == "main"
    assert client.head() == client.remote_head() == checkout.git("rev-parse", "HEAD")
    assert "ahead" not in checkout.seen()
    assert [observation.repeat.partition(" -C ")[0] for observation in checkout.observed] == ["git"] * 3
    assert checkout.observed[2].repeat.endswith("ls-remote origin refs/heads/main")


def test_one_commit_ahead(checkout: Checkout) -> None:
    checkout.commit("README", "8.0.1\n")
    client = checkout.client()

    assert client.head() != client.remote_head()
    assert "(HEAD is 1 ahead, 0 behind)" in checkout.seen()


def test_remote_is_asked_not_remembered(checkout: Checkout, tmp_path: Path) -> None:
    """Somebody else has pushed; origin/main here still says what it was."""
    other = tmp_path / "other"
    checkout.git("clone", "--quiet", str(checkout.remote), str(other))
    (other / "README").write_text("8.0.1\n")
    checkout.git("commit", "--quiet", "-am", "theirs", folder=other)
    checkout.git("push", "--quiet", folder=other)
    client = checkout.client()

    assert checkout.git("rev-parse", "HEAD") == checkout.git("rev-parse", "origin/main")
    assert client.remote_head() == checkout.git("rev-parse", "HEAD", folder=other)
    assert client.head() != client.remote_head()
    assert "(not here: fetch it)" in checkout.seen()


def test_branches_that_are_not_main(checkout: Checkout) -> None:
    """A detached HEAD, as on a tag, and a branch whose name ends in the same way."""
    checkout.git("checkout", "--quiet", "--detach")
    assert checkout.client().branch() is None

    checkout.git("checkout", "--quiet", "-b", "hotfix/main")
    assert checkout.client().branch() == "hotfix/main"


def test_remote_without_main(checkout: Checkout) -> None:
    """Another branch of a like name is not it: that is seen, and wrong."""
    checkout.git("push", "--quiet", "origin", "main:refs/heads/x/refs/heads/main")
    checkout.git("update-ref", "-d", "refs/heads/main", folder=checkout.remote)

    assert checkout.client().remote_head() is None
    assert "origin has no branch main" in checkout.seen()


def test_no_commit_yet(tmp_path: Path, checkout: Checkout) -> None:
    checkout.git("init", "--quiet", "--initial-branch=main", str(tmp_path / "empty"))
    client = checkout.client(tmp_path / "empty")

    assert client.branch() == "main"
    assert client.head() is None


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hunter2hunter2@127.0.0.1:1/nox.git",
        "https://hunter2hunter2@127.0.0.1:1/nox.git",
        "https://ada:hunter2/hunter2@127.0.0.1:1/nox.git",
        "https://ada:hunter2'/\"hunter2@127.0.0.1:1/nox.git",
        "https://127.0.0.1:1/nox.git?private_token=hunter2hunter2",
        "https://127.0.0.1:1/nox.git#hunter2hunter2",
        "ssh://ada:hunter2hunter2@127.0.0.1:1/nox.git",
        "foo://ada:hunter2hunter2@127.0.0.1:1/nox.git",
    ],
)
def test_secrets_in_the_remotes_address(checkout: Checkout, url: str) -> None:
    """Git says again what it was told."""
    checkout.git("remote", "set-url", "origin", url)

    with pytest.raises(UnreachableError) as raised:
        checkout.client().remote_head()

    assert "hunter2" not in str(raised.value) + checkout.seen()


def remote_is_gone(checkout: Checkout) -> None:
    checkout.git("remote", "set-url", "origin", "/nonexistent/remote.git")


def no_remote(checkout: Checkout) -> None:
    checkout.git("remote", "remove", "origin")


def remote_with_password(checkout: Checkout) -> None:
    checkout.git("remote", "set-url", "origin", "https://someone:token-in-url@127.0.0.1:9/remote.git")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (remote_is_gone, "'/nonexistent/remote.git' does not appear to be a git repository"),
        (no_remote, "'origin' does not appear to be a git repository"),
        (remote_with_password, "unable to access"),
    ],
)
def test_remote_that_cannot_be_asked(
    checkout: Checkout, spoil: Callable[[Checkout], None], reason: str
) -> None:
    """Nothing is known then; one line, without the password of its address."""
    spoil(checkout)

    with pytest.raises(UnreachableError, match=reason) as caught:
        checkout.client().remote_head()

    assert "\n" not in str(caught.value)
    assert "token-in-url" not in str(caught.value) + checkout.seen()
    assert checkout.observed[0].seen == f"could not look: {caught.value}"


def test_silent_remote(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its program is ended, with what that has started."""
    monkeypatch.setattr(repository, "REMOTE", 5.0)  # within which its program has begun
    slow = tmp_path / "ssh"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 60\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    checkout.git("config", "core.sshCommand", str(slow))
    checkout.git("remote", "set-url", "origin", "ssh://git.nox.example/remote.git")
    started = time.monotonic()

    with pytest.raises(UnreachableError, match=r"git ls-remote in .*: no answer in 5 s"):
        checkout.client().remote_head()

    assert time.monotonic() - started < 30  # it sleeps for a minute
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/cwd").exists()
