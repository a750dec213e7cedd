"""Runbook 1, secrets: what the pod spec that ships refers to, by names, lengths and fingerprints."""

import pytest

from noxgate.project.runbook import Limits
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import Reference, references, wholes
from noxgate.systems.kubernetes.secret_values import SecretValue, Where, nowhere

DEPLOYMENT = "nox-api-deployment-green"
OAUTH = {
    f"{provider}_CLIENT_{part}" for provider in ("GOOGLE", "GITHUB", "MICROSOFT") for part in ("ID", "SECRET")
}
Values = dict[str, dict[str, SecretValue] | None]


@pytest.mark.runbook("preflight.staging-secrets")
def test_staging_has_every_secret(kube: Kube, target: Target) -> None:
    """Those that the running pod spec names; a Secret that nobody refers to proves nothing."""
    secrets = values(kube, target.namespace, referred(kube, target))

    assert secrets != {}
    assert [name for name, found in secrets.items() if found is None] == []


@pytest.mark.runbook("preflight.staging-secret-keys")
def test_staging_has_every_key(kube: Kube, target: Target, limits: Limits) -> None:
    """Each secretKeyRef and configMapKeyRef finds its key. The runbook's grep looks into the wrong Secret."""
    wanted = referred(kube, target)
    absent = missing(kube, target.namespace, wanted)

    oauth = {each.variable for each in wanted if each.variable in OAUTH}
    keys = {(each.name, each.key) for each in wanted}
    assert absent == []
    assert len(oauth) == limits["oauth_keys"]
    assert ("ai-security-secrets", "api-key") in keys


@pytest.mark.runbook("preflight.staging-secret-values")
def test_staging_has_no_blank_value(kube: Kube, target: Target, stands: Where) -> None:
    """Neither empty, nor blank, nor a template's filler, nor the base64 of one, nor what the checkout has."""
    wanted = referred(kube, target)
    found = chosen(values(kube, target.namespace, wanted, stands), wanted)

    keys = {(each.name, each.key) for each in wanted if each.kind == "Secret" and each.key is not None}
    assert keys != set()
    assert keys - set(found) == set()
    assert wrong(found, wanted) == []


@pytest.mark.runbook("preflight.production-secret-keys")
def test_production_has_the_same_keys(
    kube: Kube,
    target: Target,
    production_kube: Kube,
    production: Target,
    production_manifests: tuple[Document, ...],
    stands: Where,
) -> None:
    """In the runbook's namespace and in green's, where pods will start; also what green's pod spec asks."""
    wanted = referred(kube, target)
    staging = values(kube, target.namespace, wanted)
    asked = shipped(production_manifests, production.container)

    keys = {name: sorted(found or {}) for name, found in staging.items()}
    assert keys != {}
    for namespace in dict.fromkeys((production.namespace, production.green_namespace)):
        there = values(production_kube, namespace, [*wanted, *asked], stands)
        found = {name: sorted(secret) if secret is not None else None for name, secret in there.items()}
        assert (namespace, {name: found[name] for name in keys}) == (namespace, keys)
        assert wrong(chosen(there, [*wanted, *asked]), [*wanted, *asked]) == []
    assert missing(production_kube, production.green_namespace, asked) == []


@pytest.mark.runbook("preflight.production-secrets-differ")
def test_production_shares_no_secret(
    kube: Kube,
    target: Target,
    production_kube: Kube,
    production: Target,
    production_manifests: tuple[Document, ...],
) -> None:
    """Under whatever name, and also the password alone inside two different URLs."""
    wanted = referred(kube, target)
    asked = [*wanted, *shipped(production_manifests, production.container)]
    staging = list(chosen(values(kube, target.namespace, wanted), wanted).values())

    assert staging != []
    for namespace in dict.fromkeys((production.namespace, production.green_namespace)):
        theirs = list(chosen(values(production_kube, namespace, asked), asked).values())
        assert theirs != []
        shared = [f"{own} and {other}" for own in staging for other in theirs if own.parts & other.parts]
        assert (namespace, shared) == (namespace, [])


def referred(kube: Kube, target: Target) -> list[Reference]:
    """What the pod spec of the running release refers to; a Secret that it takes whole, key by key."""
    deployment = kube.need("Deployment", DEPLOYMENT, target.namespace)
    spec = deployment["spec"]["template"]["spec"]
    keys = [
        Reference("Secret", whole.name, key, prefix + key)
        for prefix, whole in wholes(spec, target.container)
        if whole.kind == "Secret"
        for key in kube.secret(whole.name, target.namespace) or {}
    ]
    return [*references(spec), *keys]


def shipped(manifests: tuple[Document, ...], container: str | None) -> list[Reference]:
    """What the pod spec refers to that green will be deployed with; of envFrom all keys, as variables."""
    found = [each.content for each in manifests if each.kind == "Deployment" and each.name == DEPLOYMENT]
    assert len(found) == 1, f"expected one Deployment {DEPLOYMENT} among the manifests, saw {len(found)}"
    spec = found[0]["spec"]["template"]["spec"]
    return [
        *references(spec),
        *(Reference(each.kind, each.name, None, prefix + "*") for prefix, each in wholes(spec, container)),
    ]


def values(kube: Kube, namespace: str, wanted: list[Reference], stands: Where = nowhere) -> Values:
    """Each Secret that is referred to, once."""
    names = dict.fromkeys(each.name for each in wanted if each.kind == "Secret")
    return {name: kube.secret(name, namespace, stands) for name in names}


def chosen(secrets: Values, wanted: list[Reference]) -> dict[tuple[str, str | None], SecretValue]:
    """The values that are referred to, by Secret and key; of a Secret that is taken whole, all."""
    found: dict[tuple[str, str | None], SecretValue] = {}
    for each in wanted:
        for key, value in (secrets.get(each.name) or {}).items():
            if each.kind == "Secret" and each.key in {None, key}:
                found[each.name, key] = value
    return found


def wrong(found: dict[tuple[str, str | None], SecretValue], wanted: list[Reference]) -> list[str]:
    """The values with which something is wrong: as variables, or where they are mounted alone, as files."""
    variables = {(each.name, each.key) for each in wanted if each.variable is not None}
    return [
        str(value)
        for (name, key), value in found.items()
        if value.wrong(in_a_file=variables.isdisjoint({(name, key), (name, None)}))
    ]


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
