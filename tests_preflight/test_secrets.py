"""Runbook 1, secrets: what the pod spec that ships refers to, by names, lengths and fingerprints."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import deployment_of, shipped_deployment
from noxgate.blue_green.side import Side
from noxgate.project.runbook import Limits
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import Reference, references, wholes
from noxgate.systems.kubernetes.secret_values import SecretValue, Where, nowhere

OAUTH = {
    f"{provider}_CLIENT_{part}" for provider in ("GOOGLE", "GITHUB", "MICROSOFT") for part in ("ID", "SECRET")
}
NEEDED = OAUTH | {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
Values = dict[str, dict[str, SecretValue] | None]


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


def both(green: Side, namespace: str) -> list[Side]:
    """Where the Secrets have to be: in green's namespace, and in the runbook's."""
    return [replace(green, namespace=each) for each in dict.fromkeys((namespace, green.namespace))]


def referred(side: Side) -> list[Reference]:
    """What the pod spec of the running release refers to; a Secret that it takes whole, key by key."""
    spec = deployment_of(side)["spec"]["template"]["spec"]
    keys = [
        Reference("Secret", whole.name, key, prefix + key)
        for prefix, whole in wholes(spec, side.container)
        if whole.kind == "Secret" and not whole.optional
        for key in side.kube.secret(whole.name, side.namespace) or {}
    ]
    return [*references(spec), *taken(side, spec), *keys]


def shipped(manifests: tuple[Document, ...], side: Side) -> list[Reference]:
    """What the pod spec refers to that green will be deployed with; of envFrom all keys, as variables."""
    spec = shipped_deployment(manifests, side)["spec"]["template"]["spec"]
    whole = wholes(spec, side.container)
    return [
        *references(spec),
        *taken(side, spec),
        *(Reference(each.kind, each.name, None, prefix + "*") for prefix, each in whole if not each.optional),
    ]


def taken(side: Side, spec: Mapping[str, Any]) -> list[Reference]:
    """What a pod would start without, and finds: of the variables that the service needs all the same."""
    own = [each for each in references(spec, optional=True) if each.variable in NEEDED]
    keys = [
        Reference("Secret", whole.name, key, prefix + key)
        for prefix, whole in wholes(spec, side.container)
        if whole.kind == "Secret" and whole.optional
        for key in side.kube.secret(whole.name, side.namespace) or {}
        if prefix + key in NEEDED
    ]
    return [each for each in own if not missing(side, [each])] + keys


def values(side: Side, wanted: list[Reference], stands: Where = nowhere) -> Values:
    """Each Secret that is referred to, once."""
    names = dict.fromkeys(each.name for each in wanted if each.kind == "Secret")
    return {name: side.kube.secret(name, side.namespace, stands) for name in names}


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


def missing(side: Side, wanted: list[Reference]) -> list[str]:
    """The references that lead nowhere."""
    absent = []
    keys: dict[tuple[str, str], set[str] | None] = {}
    for each in wanted:
        at = each.kind, each.name
        if at not in keys:
            if each.kind == "Secret":
                secret = side.kube.secret(each.name, side.namespace)
                keys[at] = None if secret is None else set(secret)
            else:
                found = side.kube.get("ConfigMap", each.name, side.namespace)
                keys[at] = (
                    None if found is None else {*(found.get("data") or {}), *(found.get("binaryData") or {})}
                )
        there = keys[at]
        if there is None or (each.key is not None and each.key not in there):
            absent.append(str(each))
    return absent
