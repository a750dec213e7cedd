"""Runbook 5, alerts, tried before the day: silence means something only of rules that can speak."""

from typing import Any

import pytest

from nox_service.clients import Clients
from noxgate.systems.kubernetes.manifests import Document


@pytest.mark.runbook("preflight.alert-rules-fire")
def test_every_alert_fires_and_stays_quiet(clients: Clients, production: Clients) -> None:
    """By promtool, on the rules as shipped: a wrong label or a share taken for a rate silences a rule.

    Production's too, by the same tests with its namespace in them: those rules will watch green.
    """
    for groups, elsewhere in (
        (shipped(clients.manifests), {}),
        (shipped(production.manifests), {clients.target.namespace: production.target.green_namespace}),
    ):
        trial = clients.alert_tests.run(groups, elsewhere)

        alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        assert alerts != set()
        assert trial.failed is None
        assert alerts - trial.fires == set()
        assert alerts - trial.stays_quiet == set()


def shipped(manifests: tuple[Document, ...]) -> list[dict[str, Any]]:
    """The groups of every PrometheusRule."""
    groups = []
    for each in manifests:
        if each.kind == "PrometheusRule":
            found = (each.content.get("spec") or {}).get("groups")
            assert found, f"{each}: expected groups of rules, saw none"
            names = [group.get("name") for group in found]
            assert len(set(names)) == len(names), f"{each}: expected each name of a group once, saw {names}"
            groups += [group for group in found if group.get("rules")]
    return groups
