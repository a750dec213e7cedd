"""Runbook 5, alerts, tried before the day: silence means something only of rules that can speak."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.monitored.loaded_rules import shipped_groups


@pytest.mark.runbook("preflight.alert-rules-fire")
def test_every_alert_fires_and_stays_quiet(clients: Clients, production: Clients) -> None:
    """By promtool, on the rules as shipped: a wrong label or a share taken for a rate silences a rule.

    Production's too, by the same tests with its namespace in them: those rules will watch green.
    """
    for groups, elsewhere in (
        (shipped_groups(clients.manifests), {}),
        (shipped_groups(production.manifests), {clients.target.namespace: production.target.green_namespace}),
    ):
        trial = clients.alert_tests.run(groups, elsewhere)

        alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        assert alerts != set()
        assert trial.failed is None
        assert alerts - trial.fires == set()
        assert alerts - trial.stays_quiet == set()
