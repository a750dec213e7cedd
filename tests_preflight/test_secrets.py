"""Runbook 1, secrets: what the pod spec that ships refers to, by names, lengths and fingerprints."""

import pytest

from nox_service.clients import Clients
from nox_service.pods.secrets import OAUTH, both, chosen, missing, referred, shipped, values, wrong
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.secret_values import Where


@pytest.mark.runbook("preflight.staging-secrets")
def test_staging_has_every_secret(clients: Clients) -> None:
    """Those that the running pod spec names; an unused Secret proves nothing."""
    secrets = values(clients.green, referred(clients.green))

    assert secrets != {}
    assert [name for name, found in secrets.items() if found is None] == []


@pytest.mark.runbook("preflight.staging-secret-keys")
def test_staging_has_every_key(clients: Clients, limits: Limits) -> None:
    """Each secretKeyRef and configMapKeyRef finds its key. The runbook's grep looks into the wrong Secret."""
    wanted = referred(clients.green)
    absent = missing(clients.green, wanted)

    oauth = {each.variable for each in wanted if each.variable in OAUTH}
    keys = {(each.name, each.key) for each in wanted}
    assert absent == []
    assert len(oauth) == limits["oauth_keys"]
    assert ("ai-security-secrets", "api-key") in keys


@pytest.mark.runbook("preflight.staging-secret-values")
def test_staging_has_no_blank_value(clients: Clients, stands: Where) -> None:
    """Neither empty, nor blank, nor a template's filler, nor the base64 of one, nor what the checkout has."""
    wanted = referred(clients.green)
    found = chosen(values(clients.green, wanted, stands), wanted)

    keys = {(each.name, each.key) for each in wanted if each.kind == "Secret" and each.key is not None}
    assert keys != set()
    assert keys - set(found) == set()
    assert wrong(found, wanted) == []


@pytest.mark.runbook("preflight.production-secret-keys")
def test_production_has_the_same_keys(clients: Clients, production: Clients, stands: Where) -> None:
    """In the runbook's namespace and in green's, where pods will start; also what green's pod spec asks."""
    production_green = production.green
    wanted = referred(clients.green)
    ours = values(clients.green, wanted)
    asked = shipped(production.manifests, production_green)

    keys = {name: sorted(found or {}) for name, found in ours.items()}
    assert keys != {}
    for side in both(production_green, production.target.namespace):
        there = values(side, [*wanted, *asked], stands)
        found = {name: sorted(secret) if secret is not None else None for name, secret in there.items()}
        assert (side.namespace, {name: found[name] for name in keys}) == (side.namespace, keys)
        assert wrong(chosen(there, [*wanted, *asked]), [*wanted, *asked]) == []
    assert missing(production_green, asked) == []


@pytest.mark.runbook("preflight.production-secrets-differ")
def test_production_shares_no_secret(clients: Clients, production: Clients) -> None:
    """Under any name, and also the password alone inside two different URLs."""
    wanted = referred(clients.green)
    asked = [*wanted, *shipped(production.manifests, production.green)]
    ours = list(chosen(values(clients.green, wanted), wanted).values())

    assert ours != []
    for side in both(production.green, production.target.namespace):
        theirs = list(chosen(values(side, asked), asked).values())
        assert theirs != []
        shared = [f"{own} and {other}" for own in ours for other in theirs if own.parts & other.parts]
        assert (side.namespace, shared) == (side.namespace, [])
