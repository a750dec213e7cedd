"""The repository client, with real git: files of HEAD, only looking, and where it cannot look."""

from pathlib import Path

import pytest
from tests_self.building.checkouts import Checkout
from tests_self.fast.systems.repository.changes import make_changed, make_untracked

from noxgate.errors import UnreachableError


def test_what_is_no_file_of_head(checkout: Checkout) -> None:
    """A folder has a listing, a link has a text: neither is the file that it should be."""
    checkout.commit("docs/CHECKLIST.md", "- [ ] all\n")
    (checkout.folder / "CHECKLIST.md").symlink_to("/nowhere")
    checkout.git("add", "CHECKLIST.md")
    checkout.git("commit", "--quiet", "-m", "a link")
    client = checkout.client()

    assert [client.file(path) for path in ("docs", "docs/", ".", "CHECKLIST.md")] == [None] * 4
    assert client.file("./docs/CHECKLIST.md") == "- [ ] all\n"
    for path in ("", "../README", "/etc/passwd", "a\0b", "a\ud800"):
        with pytest.raises(UnreachableError):
            client.file(path)


def test_file_of_head(checkout: Checkout) -> None:
    """As it was committed, not as it lies there."""
    make_changed(checkout)
    make_untracked(checkout)
    client = checkout.client()

    assert client.file("README") == "8.0.0\n"
    assert client.file("new folder/notes.txt") is None


def test_nothing_of_the_repository_is_run_or_written(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a hook, nor a monitor, nor a pager; and the caller's own GIT_DIR leads nowhere."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.editor", "core.askPass"):
        checkout.git("config", key, str(trap))
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        (checkout.folder / ".git" / "hooks" / hook).symlink_to(trap)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    (checkout.folder / "README").write_text("8.0.0\n")  # the same bytes later: status would refresh the index
    index = (checkout.folder / ".git" / "index").stat()
    client = checkout.client()

    assert client.branch() == "main"
    assert client.head() == client.remote_head()
    assert client.tree().changes == ()
    assert client.file("README") == "8.0.0\n"
    assert (checkout.folder / ".git" / "index").stat().st_mtime_ns == index.st_mtime_ns
    assert not (tmp_path / "sprung").exists()


def test_folders_that_are_no_repository(checkout: Checkout, tmp_path: Path) -> None:
    """Also one inside another repository: that one is not meant."""
    (checkout.folder / "inside").mkdir()

    for folder in (checkout.folder / "inside", tmp_path):
        with pytest.raises(UnreachableError, match="not a git repository"):
            checkout.client(folder).head()
    with pytest.raises(UnreachableError, match="no such folder"):
        checkout.client(tmp_path / "nowhere").tree()


def test_no_git(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(UnreachableError, match="git is not installed"):
        checkout.client().head()
