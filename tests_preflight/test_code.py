"""Runbook 1, code sync: what is released is what everybody has."""

import pytest

from noxgate.clients.repository import Repository


@pytest.mark.runbook("preflight.branch-in-sync")
def test_checkout_is_the_remotes_main(repository: Repository) -> None:
    """The remote itself is asked: origin/main of the checkout is only what it was at the last fetch."""
    branch = repository.branch()
    head = repository.head()
    remote = repository.remote_head("main")

    assert branch == "main"
    assert remote is not None
    assert head == remote


@pytest.mark.runbook("preflight.working-tree-clean")
def test_nothing_lies_in_the_tree(repository: Repository) -> None:
    """Untracked files too, and those that git was told not to look at."""
    tree = repository.tree()

    assert tree.tracked > 0
    assert tree.changes == ()
    assert tree.hidden == ()
