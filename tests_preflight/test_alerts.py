"""Runbook 5, alerts, tried before the day: silence means something only of rules that can speak."""

import pytest

from noxgate.clients.alert_tests import AlertTests
from noxgate.clients.manifests import Document


@pytest.mark.runbook("preflight.alert-rules-fire")
def test_every_alert_fires_and_stays_quiet(manifests: tuple[Document, ...], alert_tests: AlertTests) -> None:
    """By promtool, on the rules as shipped: a wrong label or a share taken for a rate makes a rule deaf."""
    groups = [
        group
        for each in manifests
        if each.kind == "PrometheusRule"
        for group in each.content["spec"]["groups"]
    ]
    trial = alert_tests.run(groups)

    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    assert alerts != set()
    assert trial.failed is None
    assert alerts - trial.fires == set()
    assert alerts - trial.stays_quiet == set()
