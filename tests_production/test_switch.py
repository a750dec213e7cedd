"""Runbook 4, traffic switch: tried as a dry run on the Ingress as it is now, and where it would lead."""

import pytest

from noxgate.blue_green.switching import (
    BLUE,
    GREEN,
    Json,
    colours,
    differing,
    dry_run,
    kept,
    live_ingress,
    planned,
    show_runbooks_patch,
    switched,
    together,
)
from noxgate.blue_green.traffic import Green, wrong_backends
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube


@pytest.mark.runbook("green.switch-dry-run")
def test_switch_still_changes_backends_only(kube: Kube, target: Target) -> None:
    """As in pre-flight: somebody may have changed the Ingress since."""
    before = live_ingress(kube, target)
    show_runbooks_patch(kube, target, GREEN)
    after = switch(kube, target, before)

    assert colours(before) in ({BLUE}, {GREEN})
    assert differing(after, switched(before, GREEN)) == {}
    assert kept(after) == kept(before)


@pytest.mark.runbook("green.switch-backends")
def test_switch_leads_to_ready_green_pods(kube: Kube, target: Target) -> None:
    """The API server accepts any name: a Service of another namespace is out of an Ingress's reach."""
    after = switch(kube, target, live_ingress(kube, target))
    green = Green.of(kube, target.green_namespace)

    assert colours(after) == {GREEN}
    assert wrong_backends(kube, after, green) == []


def switch(kube: Kube, target: Target, before: Json) -> Json:
    """What the planned switch would leave; once it is done, what the way back and it again would."""
    forth = planned(target, before, BLUE, GREEN, target.switch_patch)
    if colours(before) != {GREEN}:
        return dry_run(kube, target, forth)
    back = planned(target, before, GREEN, BLUE, target.rollback_patch)
    return dry_run(kube, target, together(back, forth))
