"""Runbook 1, secrets: what the pod spec that ships refers to, by names, lengths and fingerprints."""

import pytest

from noxgate.clients.kube import Kube
from noxgate.clients.manifests import Document
from noxgate.clients.pod_spec import Reference, references
from noxgate.clients.secret_values import SecretValue
from noxgate.runbook import Runbook
from noxgate.target import Target

DEPLOYMENT = "nox-api-deployment-green"
Values = dict[str, dict[str, SecretValue] | None]


@pytest.mark.runbook("preflight.staging-secrets")
def test_staging_has_every_secret(kube: Kube, target: Target) -> None:
    """Those that the running pod spec names; a Secret that nobody refers to proves nothing."""
    secrets = values(kube, target.namespace, referred(kube, target))

    assert secrets != {}
    assert [name for name, found in secrets.items() if found is None] == []


@pytest.mark.runbook("preflight.staging-secret-keys")
def test_staging_has_every_key(kube: Kube, target: Target, runbook: Runbook) -> None:
    """Each secretKeyRef and configMapKeyRef finds its key. The runbook's grep looks into the wrong Secret."""
    wanted = referred(kube, target)
    absent = missing(kube, target.namespace, wanted)

    oauth = [each for each in wanted if each.variable and "_CLIENT_" in each.variable]
    assert absent == []
    assert len(oauth) == runbook.lines["preflight.staging-secret-keys"].limits["oauth_keys"]


@pytest.mark.runbook("preflight.staging-secret-values")
def test_staging_has_no_blank_value(kube: Kube, target: Target) -> None:
    """Neither empty, nor blank, nor a template's filler, nor the base64 of one."""
    wanted = referred(kube, target)
    secrets = values(kube, target.namespace, wanted)

    keys = {(each.name, each.key) for each in wanted if each.kind == "Secret" and each.key is not None}
    assert keys != set()
    assert [str(value) for value in chosen(secrets, wanted) if value.problem is not None] == []


@pytest.mark.runbook("preflight.production-secret-keys")
def test_production_has_the_same_keys(
    kube: Kube,
    target: Target,
    production_kube: Kube,
    production: Target,
    production_manifests: tuple[Document, ...],
) -> None:
    """In the runbook's namespace and in green's, where pods will start; also what green's pod spec asks."""
    staging = values(kube, target.namespace, referred(kube, target))
    (green,) = [document.content for document in production_manifests if document.kind == "Deployment"]
    asked = references(green["spec"]["template"]["spec"])

    keys = {name: sorted(found or {}) for name, found in staging.items()}
    assert keys != {}
    for namespace in dict.fromkeys((production.namespace, production.green_namespace)):
        there = {name: production_kube.secret(name, namespace) for name in keys}
        found = {name: sorted(secret) if secret is not None else None for name, secret in there.items()}
        assert (namespace, found) == (namespace, keys)
        assert [str(value) for value in chosen(there, asked) if value.problem is not None] == []
    assert missing(production_kube, production.green_namespace, asked) == []


@pytest.mark.runbook("preflight.production-secrets-differ")
def test_production_shares_no_secret(
    kube: Kube, target: Target, production_kube: Kube, production: Target
) -> None:
    """Under whatever name, and also the password alone inside two different URLs."""
    wanted = referred(kube, target)
    staging = chosen(values(kube, target.namespace, wanted), wanted)

    assert staging != []
    for namespace in dict.fromkeys((production.namespace, production.green_namespace)):
        theirs = chosen(values(production_kube, namespace, wanted), wanted)
        assert theirs != []
        shared = [f"{own} and {other}" for own in staging for other in theirs if own.parts & other.parts]
        assert (namespace, shared) == (namespace, [])


def referred(kube: Kube, target: Target) -> list[Reference]:
    """What the pod spec of the running release refers to."""
    deployment = kube.get("Deployment", DEPLOYMENT, target.namespace)
    assert deployment is not None, f"no Deployment {DEPLOYMENT} in {target.namespace}: nothing to look up"
    return references(deployment["spec"]["template"]["spec"])


def values(kube: Kube, namespace: str, wanted: list[Reference]) -> Values:
    """Each Secret that is referred to, once."""
    names = dict.fromkeys(each.name for each in wanted if each.kind == "Secret")
    return {name: kube.secret(name, namespace) for name in names}


def chosen(secrets: Values, wanted: list[Reference]) -> list[SecretValue]:
    """The values that are referred to; a Secret that is taken whole counts with all of its keys."""
    found = {}
    for each in wanted:
        for key, value in (secrets.get(each.name) or {}).items():
            if each.kind == "Secret" and each.key in {None, key}:
                found[each.name, key] = value
    return list(found.values())


def missing(kube: Kube, namespace: str, wanted: list[Reference]) -> list[str]:
    """The references that lead nowhere."""
    absent = []
    keys: dict[tuple[str, str], set[str] | None] = {}
    for each in wanted:
        at = each.kind, each.name
        if at not in keys:
            if each.kind == "Secret":
                secret = kube.secret(each.name, namespace)
                keys[at] = None if secret is None else set(secret)
            else:
                found = kube.get("ConfigMap", each.name, namespace)
                keys[at] = (
                    None if found is None else {*(found.get("data") or {}), *(found.get("binaryData") or {})}
                )
        there = keys[at]
        if there is None or (each.key is not None and each.key not in there):
            absent.append(str(each))
    return absent
