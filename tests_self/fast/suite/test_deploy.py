"""deploy/: rendered, accepted under strict field validation, and with the documented rights and no others."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests_self.building.overlays import HOME, apply
from tests_self.deployed import (
    CLUSTER_WIDE,
    DEPLOY,
    OVERLAYS,
    ROOT,
    Object,
    by_kubectl,
    containers,
    pod_of,
    rendered,
)
from tests_self.kubernetes.servers import Server, stand_in

from noxgate.cli.main import main

NAMESPACES = ("nox-staging-green", "nox-production", "nox-production-blue", "nox-production-green")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("deploy")) as running, running.client() as admin:
        for name in (HOME, *NAMESPACES):
            named = {"metadata": {"name": name}}
            assert admin.post("/api/v1/namespaces", json=named).status_code == 201
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def key(obj: Object) -> tuple[str, str, str]:
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_accepted_as_it_stands(admin: httpx.Client, overlay: str) -> None:
    """Each object of each overlay, by kubectl's own kustomize where there is one."""
    folder = DEPLOY / "overlays" / overlay
    ours = rendered(folder)
    objects = by_kubectl(folder) or ours
    assert sorted(map(key, objects)) == sorted(map(key, ours))
    assert {key(each): each for each in objects} == {key(each): each for each in ours}

    for obj in objects:
        if obj["kind"] == "Namespace":  # the stand-in knows no level; what it asks is looked at below
            assert obj["metadata"].pop("labels")["pod-security.kubernetes.io/enforce"] == "restricted"
        answer = apply(admin, obj)
        assert answer.status_code in {200, 201}, f"{key(obj)}: {answer.text}"
        assert answer.headers.get("warning") is None, f"{key(obj)}: {answer.headers['warning']}"
        if pod := pod_of(obj):
            namespace = obj["metadata"]["namespace"]
            body = {"apiVersion": "v1", "kind": "Pod", **copy.deepcopy(pod)}
            body["metadata"] = {**body["metadata"], "generateName": "try-"}
            params = {"dryRun": "All", "fieldValidation": "Strict"}
            answer = admin.post(f"/api/v1/namespaces/{namespace}/pods", json=body, params=params)
            assert answer.status_code == 201, answer.text


def test_a_misspelt_field_is_refused(admin: httpx.Client) -> None:
    """The server that accepts the others is strict: at each depth."""
    (job,) = [each for each in rendered(DEPLOY / "overlays/staging") if each["kind"] == "Job"]
    inside = ("spec", "template", "spec", "containers", 0)
    for way, wrong in (
        (("spec",), {"backOffLimit": 0}),
        (("spec", "template", "spec"), {"securityContexts": {}}),
        ((*inside, "resources"), {"limit": {}}),
        ((*inside, "securityContext"), {"readOnlyRootFileSystem": True}),
    ):
        other = copy.deepcopy(job)
        place: Any = other
        for part in way:
            place = place[part]
        place |= wrong
        assert apply(admin, other).status_code in {400, 422, 500}


def everything() -> list[Object]:
    """The objects of every overlay."""
    return [each for name in OVERLAYS for each in rendered(DEPLOY / "overlays" / name)]


def every_pod() -> list[tuple[str, Object]]:
    return [(each["metadata"]["name"], each) for each in everything() if pod_of(each)]


def test_every_pod_is_held_back() -> None:
    """No root, nothing written but volumes, no privilege, an end, one try, and what it may use."""
    pods = every_pod()
    assert {name for name, _ in pods} == {
        "noxgate-phase",
        "noxgate-watch",
        "noxgate-load-master",
        "noxgate-load-worker",
    }
    for name, obj in pods:
        job = obj["spec"].get("jobTemplate", obj)["spec"]
        spec = job["template"]["spec"]
        assert (job["backoffLimit"], spec["restartPolicy"]) == (0, "Never"), name
        assert job["activeDeadlineSeconds"] > 0, name
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] == 65532, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert {"hostNetwork", "hostPID", "hostIPC"} & spec.keys() == set(), name
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}, name
        looks = not name.startswith("noxgate-load")
        assert spec["automountServiceAccountToken"] is looks, name
        for container in containers(obj):
            held = container["securityContext"]
            assert held["readOnlyRootFilesystem"], name
            assert held["capabilities"] == {"drop": ["ALL"]}, name
            assert not held["allowPrivilegeEscalation"], name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name
            assert "cpu" not in container["resources"]["limits"], name  # a gate that is throttled is late


def test_no_secret_is_in_deploy() -> None:
    """Secrets are named; the one object of that kind is filled by the cluster."""
    secrets = [each for each in everything() if each["kind"] == "Secret"]
    assert {each["metadata"]["name"] for each in secrets} == {"noxgate-dry-run"}
    assert [each for each in secrets if "data" in each or "stringData" in each] == []


def test_the_roles_are_the_documented_ones() -> None:
    """One source: what is bound is docs/roles/, each where docs/ROLES.md says."""
    documented = {
        each["metadata"]["name"]: each["rules"]
        for path in (ROOT / "docs" / "roles").glob("*.yaml")
        for each in yaml.safe_load_all(path.read_text())
        if each.get("kind", "").endswith("Role")
    }
    found = rendered(DEPLOY / "overlays/staging")
    roles = [each for each in found if each["kind"] in {"Role", "ClusterRole"}]
    changed = [name for name in NAMESPACES if not name.endswith("blue")]

    assert all(each["rules"] == documented[each["metadata"]["name"]] for each in roles)
    assert {(each["metadata"].get("namespace"), each["metadata"]["name"]) for each in roles} == {
        *((name, f"noxgate-look{more}") for name in NAMESPACES for more in ("", "-beside")),
        *((name, f"noxgate-rehearse-change{more}") for name in changed for more in ("", "-beside")),
        (None, "noxgate-nodes"),
    }
    for each in found:
        if each["kind"].endswith("Binding"):
            (subject,) = each["subjects"]
            changes = each["roleRef"]["name"].startswith("noxgate-rehearse-change")
            assert subject["name"] == ("release-gate-dry-run" if changes else "release-gate")
            assert subject["namespace"] == HOME


@pytest.mark.parametrize(
    ("account", "verb", "resource", "namespace", "allowed"),
    [
        ("release-gate", "list", "pods", "nox-production-blue", True),
        ("release-gate", "get", "nodes", "", True),
        ("release-gate", "patch", "ingresses", "nox-production", False),
        ("release-gate", "get", "secrets", "nox-production", False),  # but for three by name
        ("release-gate", "list", "pods", "kube-system", False),
        ("release-gate", "get", "secrets", HOME, False),
        ("release-gate-dry-run", "patch", "deployments", "nox-production", True),
        ("release-gate-dry-run", "patch", "deployments", "nox-production-blue", False),
        ("release-gate-dry-run", "list", "pods", "nox-production", False),
        ("release-gate-dry-run", "patch", "roles", "nox-production", False),
    ],
)
def test_what_the_accounts_may(
    admin: httpx.Client, account: str, verb: str, resource: str, namespace: str, *, allowed: bool
) -> None:
    for each in rendered(DEPLOY / "overlays/staging"):
        if each["kind"].endswith(("Role", "Binding")):
            assert apply(admin, each).status_code in {200, 201}
    groups = {"deployments": "apps", "ingresses": "networking.k8s.io", "roles": "rbac.authorization.k8s.io"}
    asked = {"verb": verb, "group": groups.get(resource, ""), "resource": resource, "namespace": namespace}
    spec = {"user": f"system:serviceaccount:{HOME}:{account}", "resourceAttributes": asked}
    answer = admin.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json={"spec": spec})

    assert answer.json()["status"]["allowed"] is allowed, answer.text


def test_the_master_waits_for_as_many_workers_as_there_are() -> None:
    """Else it decides nothing, after five minutes."""
    found = {key(each)[::2]: each for each in rendered(DEPLOY / "overlays/load")}
    workers = found["Job", "noxgate-load-worker"]["spec"]
    settings = found["ConfigMap", "noxgate-settings"]["data"]

    assert {str(workers["parallelism"]), str(workers["completions"])} == {settings["WORKERS"]}
    service = found["Service", "noxgate-load-master"]["spec"]
    pod = pod_of(found["Job", "noxgate-load-master"])
    assert pod is not None
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    (policy,) = [each for name, each in found.items() if name == ("NetworkPolicy", "noxgate-load-master")]
    assert policy["spec"]["ingress"][0]["ports"][0]["port"] == service["ports"][0]["port"] == 5557


def test_what_a_pod_asks_for_is_there() -> None:
    """Each ConfigMap, Secret and claim that is named is one of deploy/'s, or made by docs/DEPLOY.md."""
    text = (ROOT / "docs" / "DEPLOY.md").read_text()
    for name in OVERLAYS:
        found = rendered(DEPLOY / "overlays" / name)
        known = {(each["kind"], each["metadata"]["name"]) for each in found}
        for pod in filter(None, map(pod_of, found)):
            spec = pod["spec"]
            for kind, named in asked_for(spec):
                assert (kind, named) in known or f"secret generic {named}" in text
            volumes = {each["name"] for each in spec["volumes"]}
            mounted = [*spec.get("initContainers", ()), *spec["containers"]]
            assert {each["name"] for one in mounted for each in one["volumeMounts"]} == volumes


def asked_for(spec: Object) -> Iterator[tuple[str, str]]:
    """The objects that a pod cannot start without."""
    for volume in spec["volumes"]:
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        for source in container["envFrom"]:
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            yield kind, next(iter(source.values()))["name"]
        for variable in container.get("env", ()):
            yield "Secret", variable["valueFrom"]["secretKeyRef"]["name"]


def test_the_commands_are_the_gates_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Each option that a pod gives is one that the command has."""
    for name, obj in every_pod():
        *_, container = containers(obj)
        program, command, *options = container["command"]
        assert program == "noxgate", name
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        known = capsys.readouterr().out
        assert [each for each in options if each.startswith("--") and f"{each} " not in known] == [], name


def test_what_is_cluster_wide_has_no_namespace() -> None:
    for name in OVERLAYS:
        for each in rendered(DEPLOY / "overlays" / name):
            assert ("namespace" in each["metadata"]) is (each["kind"] not in CLUSTER_WIDE)
    assert Path(DEPLOY / "base" / "kubeconfig").is_file()
