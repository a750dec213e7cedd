"""What preflight must find: variables, secrets, and patches that would not work on the day."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nox_rehearsal.cluster.objects import BLUE, GREEN, PRODUCTION, administrator
from nox_rehearsal.sabotages.in_cluster import added, edited, gone, secret, served, shipped
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.state import World

DEPLOYMENT = "nox-api-deployment-green"
GREEN_DEPLOYMENT = "k8s/production/green/deployment.yaml"
SWITCH = "k8s/production/switch-to-green.json"
BACK = "k8s/production/back-to-blue.json"
_EXTERNAL = """\
apiVersion: {group}/v1
kind: ExternalSecret
metadata: {{name: nox-api-secrets, namespace: {namespace}}}
spec:
  secretStoreRef: {{name: vault}}
  dataFrom: [{{extract: {{key: nox}}}}]
"""
BOTH_PATCHES = ("preflight.switch-dry-run", "preflight.rollback-dry-run")


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _environment()
    yield from _secrets()
    yield from _shared_secrets()
    yield from _patches()


def _environment() -> Iterator[Sabotage]:
    line = "preflight.env-variables"
    google = "/spec/template/spec/containers/1/env/5/name"
    renamed = edited("Deployment", DEPLOYMENT, [{"op": "replace", "path": google, "value": "GOOGLE_ID"}])
    keys = ("preflight.staging-secret-keys",)
    yield Sabotage(line, "renamed", "under another name", renamed, "GOOGLE_CLIENT_ID", keys)
    literal = {"op": "replace", "path": "/spec/template/spec/containers/1/env/4", "value": _literal()}
    typed = edited("Deployment", DEPLOYMENT, [literal])
    yield Sabotage(line, "typed-in", "a value typed into the pod spec", typed, "SECRET_KEY")
    config = {"op": "replace", "path": "/spec/template/spec/containers/1/env/4/valueFrom", "value": _config()}
    shown = edited("Deployment", DEPLOYMENT, [config])
    yield Sabotage(line, "config-map", "a secret in a ConfigMap", shown, "SECRET_KEY stands in a ConfigMap")
    shorter = shipped(GREEN_DEPLOYMENT, "- name: REDIS_URL", "- name: REDIS")
    yield Sabotage(line, "green", "green's manifest alone", shorter, "REDIS_URL")
    lost = secret("oauth-secrets", "microsoft-client-secret", None)
    others = (*keys, "preflight.production-secret-keys")
    what = "a pod starts without it"
    yield Sabotage(line, "optional", what, lost, "MICROSOFT_CLIENT_SECRET is absent", others)


def _secrets() -> Iterator[Sabotage]:
    line = "preflight.staging-secrets"
    value = "preflight.staging-secret-values"
    others = ("preflight.staging-secret-keys", value, "preflight.production-secret-keys")
    yield Sabotage(
        line, "gone", "it is in production alone", gone("Secret", "ai-security-secrets"), "ai-sec", others
    )

    line = "preflight.staging-secret-keys"
    production = (value, "preflight.production-secret-keys")
    lost = secret("oauth-secrets", "google-client-id", None)
    yield Sabotage(line, "lost", "a key is missing", lost, "google-client-id", production)
    renamed = _renamed("oauth-secrets", "github-client-secret", "github_client_secret")
    yield Sabotage(line, "renamed", "with another hyphen", renamed, "github-client-secret", production)
    settings = edited("ConfigMap", "nox-api-config", {"data": {"public-url": None, "public_url": "x"}})
    yield Sabotage(line, "config", "a ConfigMap's key", settings, "public-url")

    line = "preflight.staging-secret-values"
    filler = "changeme"
    twice = base64.b64encode(filler.encode()).decode()
    for name, value, what, because in (
        ("empty", "", "an empty value", "is empty"),
        ("blank", " \n", "a blank value", "is blank"),
        ("filler", filler, "changeme", "template's filler"),
        ("base64", twice, "base64 of changeme", "base64 of a template's filler"),
        ("shipped", "dev_secret_key_change_in_production", "a key as shipped", "template's filler"),
        ("even", "abcdefghijklmnop", "a row of the alphabet", "too even"),
        ("sample", "nox-api-config", "a word of the checkout's own files", "of the checkout"),
        ("known", "Welcome2024!", "a word and a year", "programs come with it"),
        ("encrypted", "ENC[AES256_GCM,data:k3jx81mf,iv:QpZ2,type:str]", "as SOPS keeps it", "not decrypted"),
        ("bytes", "k3jx81mf\0QpZ20vWbe9TtLsAa", "a byte that ends a text", "no variable can hold it"),
        ("newline", "k3jx81mfQpZ20vWbe9TtLsAa\n", "a newline at the end", "white space"),
    ):
        yield Sabotage(line, name, what, secret("oauth-secrets", "github-client-secret", value), because)
    url = secret("nox-api-secrets", "database-url", "postgresql://nox_app:changeme@127.0.0.1:5432/nox")
    yield Sabotage(line, "in-url", "changeme inside a URL", url, "database-url")

    line = "preflight.production-secret-keys"
    for name, namespace in {"green": GREEN, "production": PRODUCTION}.items():
        lost = secret("nox-api-secrets", "redis-url", None, namespace=namespace)
        yield Sabotage(line, name, f"a key less in {namespace}", lost, namespace)
    blank = secret("ai-security-secrets", "api-key", " ", namespace=GREEN)
    yield Sabotage(line, "blank", "there, but blank", blank, "is blank")
    why, what = "nox-api-secrets by ExternalSecret", "a manifest is to make it"
    unread = ("preflight.production-secrets-differ", "preflight.green-manifests")  # no role reads that kind
    yield Sabotage(line, "promised", what, _promised, why, unread, "unreachable")


@contextmanager
def _promised(world: World) -> Iterator[None]:
    """A key is not in green's Secret; the release has an ExternalSecret, which would make it."""
    group = "external-secrets.io"
    with (
        served(world, group, "ExternalSecret", "externalsecrets"),
        added("k8s/production/green/secrets.yaml", _EXTERNAL.format(group=group, namespace=GREEN))(world),
        secret("nox-api-secrets", "redis-url", None, namespace=GREEN)(world),
    ):
        yield


def _shared_secrets() -> Iterator[Sabotage]:
    line = "preflight.production-secrets-differ"
    yield Sabotage(line, "same", "one signing key for both", _copied("SECRET_KEY"), "secret-key")
    yield Sabotage(line, "password", "one password in two URLs", _same_password, "database-url")


def _patches() -> Iterator[Sabotage]:
    line = "preflight.green-manifests"
    misspelt = shipped("k8s/production/green/autoscaler.yaml", "minReplicas", "minReplica")
    yield Sabotage(line, "misspelt", "a field with a letter missing", misspelt, "minReplica")
    elsewhere = shipped("k8s/production/green/service.yaml", GREEN, BLUE)
    yield Sabotage(line, "blue", "a file for blue's namespace", elsewhere, "service.yaml")

    line = BOTH_PATCHES[0]
    runbooks = {"backend": {"service": {"name": "nox-api-service-green", "port": {"number": 80}}}}
    naive = {"path": "/", "pathType": "Prefix", **runbooks}
    as_written = added(SWITCH, json.dumps({"spec": {"rules": [{"http": {"paths": [runbooks]}}]}}))
    yield Sabotage(line, "runbook", "the runbook's own patch", as_written, "pathType", BOTH_PATCHES[1:])
    accepted = added(SWITCH, json.dumps({"spec": {"rules": [{"http": {"paths": [naive]}}]}}))
    yield Sabotage(line, "naive", "accepted, and the host is gone", accepted, "localhost", BOTH_PATCHES[1:])
    service = {"service": {"name": "nox-api-service-blue", "port": {"number": 80}}}
    default = {"spec": {"defaultBackend": service}}
    left = edited("Ingress", "nox-api-ingress", default, namespace=PRODUCTION)
    yield Sabotage(line, "default", "the default backend stays on blue", left, "where no rule fits")
    short = added(
        SWITCH, lambda world: json.dumps(_steps(world, SWITCH, lambda path: "/paths/11/" not in path))
    )
    yield Sabotage(line, "one-left", "leaves /ws on blue", short, "/ws", BOTH_PATCHES[1:])
    line = BOTH_PATCHES[1]
    back = added(BACK, lambda world: json.dumps(_steps(world, BACK, lambda path: "/paths/11/" not in path)))
    yield Sabotage(line, "one-left", "leaves /ws on green", back, "/ws")
    nothing = added(BACK, "{}")
    yield Sabotage(line, "nothing", "a patch that does nothing", nothing, "leads to nox-api-service-blue")
    other = added(BACK, lambda world: (world.source / SWITCH).read_text(encoding="utf-8"))
    yield Sabotage(line, "forward", "leads forward, not back", other, "422 Invalid")


def _steps(world: World, file: str, wanted: Any) -> list[dict[str, str]]:
    steps: list[dict[str, str]] = json.loads((world.source / file).read_text(encoding="utf-8"))
    return [step for step in steps if wanted(step["path"])]


def _literal() -> dict[str, str]:
    return {"name": "SECRET_KEY", "value": "k3jx81mfQpZ20vWbe9TtLsAak3jx81mf"}


def _config() -> dict[str, Any]:
    return {"configMapKeyRef": {"name": "nox-api-config", "key": "public-url"}}


def _renamed(name: str, old: str, new: str) -> Switch:
    @contextmanager
    def on(world: World) -> Iterator[None]:
        with administrator(world) as api:
            value = api.get("Secret", name, "nox-staging-green")["data"][old]
        with edited("Secret", name, {"data": {old: None, new: value}})(world):
            yield

    return on


def _copied(variable: str) -> Switch:
    """Staging's value in production's namespaces, too."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        key = variable.lower().replace("_", "-")
        with administrator(world) as api:
            value = api.get("Secret", "nox-api-secrets", "nox-staging-green")["data"][key]
        with edited("Secret", "nox-api-secrets", {"data": {key: value}}, namespace=GREEN)(world):
            yield

    return on


@contextmanager
def _same_password(world: World) -> Iterator[None]:
    """Production's role with the password of staging's, in production's own URL."""
    password = world.application_dsn.rpartition("@")[0].rpartition(":")[2]
    value = f"postgresql://nox_production_app:{password}@127.0.0.1:5432/nox_production"
    with secret("nox-api-secrets", "database-url", value, namespace=GREEN)(world):
        yield
