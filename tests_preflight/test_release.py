"""Runbook 0, header: who ships what, when, and whom to call tonight."""

import pytest

from nox_service.clients import Clients
from noxgate.project.release_facts import ReleaseFacts
from noxgate.project.runbook import Limits


@pytest.mark.runbook("preflight.release-identity")
def test_release_record_is_filled_in(clients: Clients, facts: ReleaseFacts, limits: Limits) -> None:
    """No field is a template's any more, and it is the record of this release."""
    assert facts.gaps() == []
    assert facts.version == clients.release.version
    assert facts.date == clients.release.date
    assert facts.planned_minutes is not None
    assert limits["shortest_minutes"] <= facts.planned_minutes <= limits["longest_minutes"]


@pytest.mark.runbook("preflight.contacts")
def test_every_contact_can_be_reached(facts: ReleaseFacts, limits: Limits) -> None:
    """The report names roles and fields, never a person's number."""
    roles = sorted(facts.contacts)

    assert facts.contact_gaps() == []
    assert len(roles) == limits["contacts"]


@pytest.mark.runbook("preflight.slack-channels")
def test_every_channel_is_named(facts: ReleaseFacts) -> None:
    """The runbook's three, letter by letter: messages to another are not read."""
    wanted = {"#ops-alerts", "#nox-releases", "#dev-team"}

    assert facts.channel_gaps() == []
    assert wanted - set(facts.channels) == set()


@pytest.mark.runbook("preflight.reference-links")
def test_every_link_is_answered(clients: Clients, facts: ReleaseFacts) -> None:
    """A page to sign in is an answer; a missing page is not."""
    problems = {name: clients.links.problem(url) for name, url in facts.links.items() if url}

    assert facts.link_gaps() == []
    assert problems != {}
    assert {name: problem for name, problem in problems.items() if problem is not None} == {}


@pytest.mark.runbook("preflight.release-checklist")
def test_checklist_is_in_the_repository(clients: Clients, facts: ReleaseFacts) -> None:
    """As it was committed: others do not get a file that only lies there."""
    content = clients.repository.file(facts.checklist) if facts.checklist else None

    assert facts.checklist != ""
    assert content is not None
    assert content.strip() != ""
