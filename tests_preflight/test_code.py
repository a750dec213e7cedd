"""Runbook 1, code sync: what is released is what everybody has."""

from pathlib import Path

import pytest

from nox_service.clients import Clients
from noxgate.project.target import Target


@pytest.mark.runbook("preflight.branch-in-sync")
def test_checkout_is_the_remotes_main(clients: Clients, production: Clients) -> None:
    """The remote itself is asked: origin/main of the checkout is only what it was at the last fetch."""
    repository = clients.repository
    sources = {
        each.source.resolve() for each in (clients.target, production.target) if each.source is not None
    }
    assert len(sources) == 1, "expected one checkout for staging and production, saw two"
    branch = repository.branch()
    head = repository.head()
    remote = repository.remote_head("main")

    assert branch == "main"
    assert remote is not None
    assert head == remote


@pytest.mark.runbook("preflight.working-tree-clean")
def test_nothing_lies_in_the_tree(clients: Clients, production: Clients) -> None:
    """Untracked files too, those that git was told not to look at, and ignored ones that would be applied."""
    paths = used(clients.target, production.target)
    tree = clients.repository.tree(*paths)
    strays = clients.repository.strays(*paths)

    assert tree.tracked > 0
    assert tree.changes == ()
    assert tree.hidden == ()
    assert strays == []


def used(target: Target, peer: Target) -> list[Path]:
    """What is applied or run on the day: `kubectl apply -f FOLDER` asks no .gitignore."""
    below = (
        *(target.manifests, peer.manifests),
        *(peer.switch_patch, peer.rollback_patch),
    )
    files = [target.source / name for name in below if target.source is not None and name is not None]
    return [*files, *(file for file in (target.migration, target.alert_tests) if file is not None)]
