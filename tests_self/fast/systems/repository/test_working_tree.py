"""The working tree, with real git: what was changed, what git hides, and what is in no commit."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests_self.building.checkouts import Checkout
from tests_self.fast.systems.repository.changes import (
    make_changed,
    make_mode,
    make_odd_name,
    make_renamed,
    make_staged,
    make_untracked,
    make_untracked_unshown,
)

from noxgate.look.waiting import eventually


def test_clean_tree(checkout: Checkout) -> None:
    """What .gitignore names does not count as a change: that is what the repository says itself."""
    checkout.commit(".gitignore", "*.log\n")
    (checkout.folder / "day.log").write_text("x")

    tree = checkout.client().tree()

    assert (tree.tracked, tree.changes, tree.hidden) == (2, (), ())
    assert "2 tracked files; changes: none" in checkout.seen()


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (make_untracked, ("?? new folder/notes.txt",)),
        (make_untracked_unshown, ("?? new folder/notes.txt",)),
        (make_changed, (" M README",)),
        (make_staged, ("MM README",)),
        (make_renamed, ("R  READ (from README)",)),
        (make_mode, (" M README",)),
        (make_odd_name, (r"?? line\nbreak",)),
    ],
)
def test_changes(checkout: Checkout, make: Callable[[Checkout], None], changes: tuple[str, ...]) -> None:
    make(checkout)

    assert checkout.client().tree().changes == changes


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_not_to_look_at(checkout: Checkout, flag: str) -> None:
    """Status says that all is well."""
    checkout.git("update-index", flag, "README")
    make_changed(checkout)

    tree = checkout.client().tree()

    assert (tree.changes, tree.hidden) == ((), ("README",))
    assert "not looked at by git: README" in checkout.seen()


def test_sparse_checkout(checkout: Checkout) -> None:
    """What it leaves out is not there; what is used tonight may not be left out, nor changed and hidden."""
    for folder in ("k8s", "docs"):
        (checkout.folder / folder).mkdir()
        checkout.commit(f"{folder}/one.yaml", "kind: A\n")
    checkout.git("sparse-checkout", "set", "k8s")
    client = checkout.client()

    assert not (checkout.folder / "docs").exists()
    assert client.tree(checkout.folder / "k8s") == client.tree()
    assert (client.tree().changes, client.tree().hidden) == ((), ())
    assert "a sparse checkout without 1 of them" in checkout.seen()
    assert client.tree(checkout.folder / "docs").hidden == ("docs/one.yaml",)

    checkout.git("update-index", "--assume-unchanged", "k8s/one.yaml")
    assert client.tree().hidden == ("k8s/one.yaml",)
    checkout.git("update-index", "--no-assume-unchanged", "k8s/one.yaml")
    checkout.git("config", "--worktree", "core.sparseCheckout", "false")
    assert client.tree().hidden == ("docs/one.yaml",)


def test_how_closely_git_looks_is_not_the_repositorys_word(checkout: Checkout) -> None:
    """Another working tree that is clean, or a change that only the time of the change gives away."""
    copy = checkout.folder.parent / "copy"
    shutil.copytree(checkout.folder, copy)
    make_changed(checkout)
    checkout.git("config", "core.worktree", str(copy))

    assert checkout.client().tree().changes == (" M README",)

    checkout.git("config", "--unset", "core.worktree")
    checkout.git("checkout", "--", "README")
    checkout.git("config", "core.trustctime", "false")
    checkout.git("config", "core.checkStat", "minimal")
    file = checkout.folder / "README"
    os.utime(file, (10**9, 10**9))  # else git looks into it because it is as young as the index
    checkout.git("update-index", "--refresh")
    before = file.stat()

    def a_second_later() -> None:  # git may be built to look at whole seconds
        assert int(time.time()) > int(before.st_ctime)

    eventually(a_second_later, within=30)
    file.write_text("8.0.1\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert checkout.client().tree().changes == (" M README",)


@pytest.mark.parametrize("where", [".git/info/exclude", "k8s/.gitignore", ".gitignore"])
def test_strays(checkout: Checkout, where: str) -> None:
    """What is ignored is applied all the same."""
    checkout.commit("k8s/service.yaml", "kind: Service\n")
    (checkout.folder / "k8s" / "canary.yaml").write_text("kind: Service\n")
    (checkout.folder / where).parent.mkdir(exist_ok=True)
    (checkout.folder / where).write_text("*\n")
    client = checkout.client()

    assert client.tree().changes == ()
    found = client.strays(checkout.folder / "k8s", checkout.folder / "not-there", Path("/outside"))
    assert found == (["k8s/.gitignore"] if where.startswith("k8s") else []) + ["k8s/canary.yaml"]
    assert "in no commit: " in checkout.seen()
    assert "canary.yaml, of k8s, not-there" in checkout.seen()
    assert client.strays(checkout.folder / "k8s" / "service.yaml") == []
    assert client.strays(Path("/outside")) == []


def test_many_changes(checkout: Checkout) -> None:
    """A folder that should have been ignored does not fill the report."""
    for number in range(30):
        (checkout.folder / f"{number:02}.js").write_text("x")

    changes = checkout.client().tree().changes
    assert changes[18:] == ("?? 18.js", "?? 19.js", "… and 10 more: git status names them")
