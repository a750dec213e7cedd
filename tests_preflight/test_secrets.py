"""Runbook 1, secrets: what the pod spec that ships refers to, by names, lengths and fingerprints."""

import pytest

from nox_service.clients import Clients
from nox_service.pods.promised import Promises
from nox_service.pods.secrets import (
    OAUTH,
    absent,
    both,
    live_references,
    missing_references,
    referred_values,
    shipped_references,
    values,
    wrong,
)
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.pod_spec import Reference
from noxgate.systems.kubernetes.secret_values import Where


@pytest.mark.runbook("preflight.staging-secrets")
def test_staging_has_every_secret(clients: Clients) -> None:
    """Those that the running pod spec names; an unused Secret proves nothing."""
    secrets = values(clients.green, live_references(clients.green))

    assert secrets != {}
    assert [name for name, found in secrets.items() if found is None] == []


@pytest.mark.runbook("preflight.staging-secret-keys")
def test_staging_has_every_key(clients: Clients, limits: Limits) -> None:
    """Each secretKeyRef and configMapKeyRef finds its key. The runbook's grep looks into the wrong Secret."""
    wanted = live_references(clients.green)
    lacking = missing_references(clients.green, wanted)

    oauth = {each.variable for each in wanted if each.variable in OAUTH}
    keys = {(each.name, each.key) for each in wanted}
    assert lacking == []
    assert len(oauth) == limits["oauth_keys"]
    assert ("ai-security-secrets", "api-key") in keys


@pytest.mark.runbook("preflight.staging-secret-values")
def test_staging_has_no_blank_value(clients: Clients, stands: Where) -> None:
    """Neither empty, nor blank, nor a template's filler, nor the base64 of one, nor what the checkout has."""
    wanted = live_references(clients.green)
    found = referred_values(values(clients.green, wanted, stands), wanted)

    keys = {(each.name, each.key) for each in wanted if each.kind == "Secret" and each.key is not None}
    assert keys != set()
    assert keys - set(found) == set()
    assert wrong(found, wanted) == []


@pytest.mark.runbook("preflight.production-secret-keys")
def test_production_has_the_same_keys(clients: Clients, production: Clients, stands: Where) -> None:
    """In the runbook's namespace and in green's, where pods will start; also what green's pod spec asks.

    Of what the release's own manifests make, such as an ExternalSecret, no value is known before.
    """
    production_green, promises = production.green, Promises(production.manifests)
    wanted = live_references(clients.green)
    ours = values(clients.green, wanted)
    asked = shipped_references(production.manifests, production_green)
    each_key = [Reference("Secret", name, key) for name, secret in ours.items() for key in secret or {}]

    assert each_key != []
    lacking: list[Reference] = []
    for side in both(production_green, production.target.namespace):
        there = values(side, [*wanted, *asked], stands)
        here = absent(side, each_key)
        added = [
            f"{name} key {key}" for name in ours for key in there[name] or {} if key not in (ours[name] or {})
        ]
        assert (side.namespace, promises.broken(here), added) == (side.namespace, [], [])
        assert wrong(referred_values(there, [*wanted, *asked]), [*wanted, *asked]) == []
        lacking += here
    lacking += absent(production_green, asked)
    assert promises.broken(lacking) == []
    promises.refuse_unmade(lacking)


@pytest.mark.runbook("preflight.production-secrets-differ")
def test_production_shares_no_secret(clients: Clients, production: Clients) -> None:
    """Under any name, and also the password alone inside two different URLs."""
    wanted = live_references(clients.green)
    asked = [*wanted, *shipped_references(production.manifests, production.green)]
    ours = list(referred_values(values(clients.green, wanted), wanted).values())

    assert ours != []
    for side in both(production.green, production.target.namespace):
        theirs = list(referred_values(values(side, asked), asked).values())
        assert theirs != []
        shared = [f"{own} and {other}" for own in ours for other in theirs if own.parts & other.parts]
        assert (side.namespace, shared) == (side.namespace, [])
    Promises(production.manifests).refuse_unmade(absent(production.green, asked))
