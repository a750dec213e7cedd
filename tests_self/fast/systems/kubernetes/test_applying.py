"""Manifests are applied as the runbook's kubectl does it: client side, as a dry run."""

from typing import Any

import httpx
import pytest
from tests_self.building.drifted import NAMESPACE, Seen, admin, applied, found, kube, seen, server
from tests_self.building.kube_clients import Scripted, of
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server

from noxgate.errors import UnreachableError
from noxgate.systems import settings
from noxgate.systems.kubernetes.api_server.applying import LAST_APPLIED, change
from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.session import KubeSession

__all__ = ["admin", "kube", "seen", "server"]  # fixtures


def refusals(kube: Kube, manifest: dict[str, Any]) -> list[str]:
    document = Document("a.yaml", 1, manifest["kind"], manifest["metadata"]["name"], None, manifest)
    return list(kube.refusals([document], NAMESPACE).values())


def large(size: int) -> dict[str, Any]:
    return examples.config_map("large", data="x" * size)


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(("size", "is_refused"), [(300_000, True), (261_900, False)])
def test_note_of_what_was_applied_has_a_limit(size: int, is_refused: bool, kube: Kube, seen: Seen) -> None:  # noqa: FBT001
    """Kubectl keeps the whole manifest in an annotation; a server-side apply keeps none."""
    found = refusals(kube, large(size))

    assert ["metadata.annotations: Too long" in line for line in found] == [True] * is_refused
    said = [each.seen for each in seen if "with --server-side it would be accepted" in each.seen]
    assert len(said) == is_refused


@pytest.mark.usefixtures("admin")
def test_signs_that_the_note_writes_longer(kube: Kube) -> None:
    """Go escapes < and its like, six bytes for one."""
    assert refusals(kube, examples.config_map("large", data="<" * 50_000)) != []


@pytest.mark.usefixtures("admin")
def test_limit_counts_for_what_is_there_already(admin: httpx.Client, kube: Kube) -> None:
    applied(admin, examples.config_map("large"))

    assert ["Too long" in line for line in refusals(kube, large(300_000))] == [True]


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    "more",
    [
        {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
        {"ports": [{"containerPort": 80}, {"containerPort": 80, "name": "again"}]},
    ],
)
def test_name_that_stands_twice(more: dict[str, Any], kube: Kube, seen: Seen) -> None:
    """Accepted, with a warning; and it is said that a server-side apply would end in an error."""
    manifest = examples.deployment()
    manifest["spec"]["template"]["spec"]["containers"][0] |= more

    assert refusals(kube, manifest) == []
    assert [each.seen for each in seen if each.seen.startswith("kubectl apply is accepted; with")] != []


def test_what_is_refused_either_way(admin: httpx.Client, kube: Kube) -> None:
    """New and there already: a field that is unknown, a value of another type."""
    unknown, wrong = examples.deployment(), examples.config_map("b", key=True)  # type: ignore[arg-type]
    unknown["spec"]["stratgy"] = {}
    assert [len(refusals(kube, each)) for each in (unknown, wrong)] == [1, 1]

    applied(admin, examples.deployment())
    applied(admin, examples.config_map("b"))
    assert [len(refusals(kube, each)) for each in (unknown, wrong)] == [1, 1]


def test_strategy_that_is_another(admin: httpx.Client, kube: Kube) -> None:
    """Kubectl lets the old one's fields go; to leave them would be refused."""
    applied(admin, examples.deployment())
    manifest = examples.deployment()
    manifest["spec"]["strategy"] = {"type": "Recreate"}

    assert refusals(kube, manifest) == []


def test_nothing_is_left_of_it(admin: httpx.Client, kube: Kube) -> None:
    refusals(kube, examples.config_map("b"))

    assert admin.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/b").status_code == 404


def test_what_the_last_manifest_said_and_this_does_not_goes() -> None:
    note = '{"spec": {"paused": true, "replicas": 2}}'
    live = {
        "metadata": {"name": "a", "annotations": {LAST_APPLIED: note}},
        "spec": {"paused": True, "replicas": 3},
    }
    sent = change(
        {"kind": "Deployment", "metadata": {"name": "a"}, "spec": {"replicas": 3}}, "n", "apps", live
    )

    assert sent.method == "PATCH"
    assert sent.body["spec"] == {"replicas": 3, "paused": None}
    assert sent.body["metadata"]["annotations"][LAST_APPLIED] == (
        '{"kind":"Deployment","metadata":{"annotations":{},"name":"a","namespace":"n"},"spec":{"replicas":3}}\n'
    )


def test_what_is_not_there_and_may_not_be_made() -> None:
    """A staging Ingress that is missing does not ask for a role to be bound."""
    message = (
        'ingresses is forbidden: User "x" cannot create resource "ingresses" in API group "networking.k8s.io"'
    )
    missing = {"kind": "Status", "message": "not found", "details": {"name": "nox-api-ingress"}}
    session = Scripted([KubeAnswer(404, missing), KubeAnswer(403, {"kind": "Status", "message": message})])
    with pytest.raises(UnreachableError, match=r"nox-api-ingress is not there in n, .* may make none"):
        Kube(session, session, lambda _: None).try_apply(examples.ingress(), "n")


def test_kind_that_only_the_server_knows(admin: httpx.Client, kube: Kube) -> None:
    """By its discovery, and where it lives: a PriorityClass is in no namespace."""
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": {}}
    served = admin.get("/apis/scheduling.k8s.io/v1").status_code == 200
    cls = {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "p"},
        "value": 7,
    }

    assert served
    assert refusals(kube, cls) == []
    assert refusals(kube, {**cls, "value": "high"}) != []
    assert [*refusals(kube, lease)] in (
        [],
        ["the cluster knows no Lease of coordination.k8s.io/v1: its kinds are not installed"],
    )


@pytest.mark.parametrize(
    ("kind", "version", "served", "path"),
    [
        (
            "Certificate",
            "cert-manager.io/v1",
            ("certificates", True),
            "/apis/cert-manager.io/v1/namespaces/n/certificates",
        ),
        (
            "HTTPRoute",
            "gateway.networking.k8s.io/v1",
            ("httproutes", True),
            "/apis/gateway.networking.k8s.io/v1/namespaces/n/httproutes",
        ),
        (
            "ClusterIssuer",
            "cert-manager.io/v1",
            ("clusterissuers", False),
            "/apis/cert-manager.io/v1/clusterissuers",
        ),
        (
            "Service",
            "serving.knative.dev/v1",
            ("services", True),
            "/apis/serving.knative.dev/v1/namespaces/n/services",
        ),
        (
            "Ingress",
            "networking.internal.knative.dev/v1",
            ("ingresses", True),
            "/apis/networking.internal.knative.dev/v1/namespaces/n/ingresses",
        ),
    ],
)
def test_place_of_a_kind_is_what_discovery_says(
    kind: str, version: str, served: tuple[str, bool], path: str
) -> None:
    """A name that another group has, too, is its own kind; subresources are not kinds."""
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}}
    resources = [
        {"name": f"{served[0]}/status", "kind": kind, "namespaced": served[1]},
        {"name": served[0], "kind": kind, "namespaced": served[1]},
    ]
    missing = KubeAnswer(404, {"kind": "Status", "message": "not found", "details": {"name": "a"}})
    accepted = KubeAnswer(200, {"kind": kind, "metadata": {"name": "a"}})
    discovery = KubeAnswer(200, {"kind": "APIResourceList", "resources": resources})
    session = Scripted([discovery, missing, accepted, accepted])
    Kube(session, session, lambda _: None).try_apply(manifest, "n")

    tried = next(asked for asked in session.asked if "dryRun" in str(asked))
    assert tried[1] == path


def test_kind_that_nobody_knows() -> None:
    """As kubectl has it: its CRD is not installed."""
    manifest = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "a"}}
    for answer in (
        KubeAnswer(404, {"kind": "Status"}),
        KubeAnswer(200, {"kind": "APIResourceList", "resources": []}),
    ):
        session = Scripted([answer])
        with pytest.raises(AssertionError, match=r"the cluster knows no Certificate of cert-manager\.io/v1"):
            Kube(session, session, lambda _: None).try_apply(manifest, "n")


def test_rights_are_compared_and_never_tried(admin: httpx.Client, kube: Kube, seen: Seen) -> None:
    """The gate may write none, not even as a dry run; the line says how they were judged."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "nox"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    assert refusals(kube, role) == []
    assert [each.seen for each in seen if "there is none yet" in each.seen] != []
    assert found(kube, role) == ["is not there"]

    where = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles"
    assert admin.post(where, json=role, params={"fieldManager": "kubectl-create"}).status_code == 201
    assert found(kube, role) == []
    assert [each.seen for each in seen if each.seen.startswith("compared with its manifest alone")] != []

    more = {**role, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}]}
    assert [line.startswith("rules") for line in found(kube, more)] == [True]
    admin.delete(f"{where}/nox")


@pytest.mark.usefixtures("admin")
def test_role_that_gathers_others(admin: httpx.Client, kube: Kube, seen: Seen) -> None:
    """The cluster fills its rules in: those of the manifest do not count; what gathers them is compared."""
    role: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "gathers"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"nox": "view"}}]},
        "rules": [],
    }
    where = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    admin.post(where, json=role, params={"fieldManager": "kubectl-create"}).raise_for_status()
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    headers = {"content-type": "application/merge-patch+json"}
    admin.patch(f"{where}/gathers", json={"rules": rules}, headers=headers).raise_for_status()
    try:
        assert (found(kube, role), refusals(kube, role)) == ([], [])
        assert [each.seen for each in seen if each.seen.endswith("the live one is the same")] != []
        bare = {key: each for key, each in role.items() if key != "rules"}
        assert found(kube, bare) == []
        other = {**role, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"nox": "edit"}}]}}
        assert [line.startswith("aggregationRule") for line in found(kube, other)] == [True]
    finally:
        admin.delete(f"{where}/gathers")


WARNING = 'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false'
NO_RIGHT = 'pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "n"'


def tried(pod: KubeAnswer, seen: Seen, *more: KubeAnswer, warnings: tuple[str, ...] = ()) -> list[str]:
    """The refusals of a Deployment that the server accepts, where it says so of a pod."""
    missing = KubeAnswer(404, {"kind": "Status", "message": "not found", "details": {"name": "nox-api"}})
    accepted = KubeAnswer(200, {"kind": "Deployment", "metadata": {"name": "nox-api"}}, warnings)
    session = Scripted([missing, accepted, accepted, pod, *more])
    document = Document("a.yaml", 1, "Deployment", "nox-api", None, examples.deployment())
    return list(Kube(session, session, seen.append).refusals([document], "n").values())


def status(code: int, message: str) -> KubeAnswer:
    return KubeAnswer(code, {"kind": "Status", "reason": "Forbidden", "message": message})


@pytest.mark.parametrize(
    ("message", "is_refused"),
    [
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', True),
        ('pods "a" is forbidden: maximum cpu usage per Container is 1, but limit is 2', True),
        ('admission webhook "policy.example" denied the request: no limits', True),
        ('pods "a" is forbidden: exceeded quota: pods, requested: 1, used: 3, limited: 3', False),
        (
            'pods "a" is forbidden: error looking up service account n/nox: serviceaccount "nox" not found',
            False,
        ),
        ('admission webhook "old.example" does not support dry run', False),
    ],
)
def test_pod_that_would_not_start(message: str, is_refused: bool, seen: Seen) -> None:  # noqa: FBT001
    """What the other manifests, or the rollout's end, may change is said and not charged."""
    found = tried(status(403, message), seen)

    assert [line.endswith(f"no pod of it would start: {message}") for line in found] == [True] * is_refused
    assert is_refused or message in seen[-1].seen


@pytest.mark.parametrize(
    ("level", "version", "warned", "is_refused"),
    [
        ("restricted", "latest", "restricted:latest", True),
        ("restricted", "latest", "baseline:latest", True),  # restricted holds all of baseline
        ("restricted", "v1.30", "restricted:v1.30", True),
        ("restricted", "v1.20", "restricted:latest", False),  # it may be a control that came later
        ("baseline", "latest", "restricted:latest", False),
        ("privileged", "latest", "baseline:latest", False),
        (None, "latest", "restricted:latest", False),
    ],
)
def test_warning_counts_where_the_namespace_enforces_it(
    level: str | None, version: str, warned: str, *, is_refused: bool, seen: Seen
) -> None:
    """Without the right to create pods. A level that is only warned of refuses no pod."""
    labels = {"pod-security.kubernetes.io/enforce-version": version}
    labels |= {} if level is None else {"pod-security.kubernetes.io/enforce": level}
    namespace = KubeAnswer(200, {"kind": "Namespace", "metadata": {"name": "n", "labels": labels}})
    warning = WARNING.replace("restricted:latest", warned)
    found = tried(status(403, NO_RIGHT), seen, namespace, warnings=("a label is deprecated", warning))

    assert [warning in line for line in found] == [True] * is_refused
    assert f"the server warns: {warning}" in [each.seen for each in seen]
    assert is_refused or "not tried: a pod of its template" in seen[-1].seen


def test_pod_that_may_not_be_tried_is_said(seen: Seen) -> None:
    namespace = KubeAnswer(200, {"kind": "Namespace", "metadata": {"name": "n"}})
    assert tried(status(403, NO_RIGHT), seen, namespace) == []
    assert seen[-1].seen.startswith("not tried: a pod of its template")


def test_webhook_that_knows_no_dry_run_is_not_looked_at() -> None:
    missing = KubeAnswer(404, {"kind": "Status", "message": "not found", "details": {"name": "a"}})
    refused = status(400, 'admission webhook "old.example" does not support dry run')
    session = Scripted([missing, refused])
    with pytest.raises(UnreachableError, match=r"cannot try it: .*does not support dry run"):
        Kube(session, session, lambda _: None).try_apply(examples.config_map("a"), "n")


def service(name: str, address: str = "", port: int | None = None) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80} | ({} if port is None else {"nodePort": port})]
    spec = {"ports": ports, "type": "ClusterIP" if port is None else "NodePort"}
    content = spec | ({"clusterIP": address} if address else {})
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": content}


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (service("a", "10.96.0.77"), service("b", "10.96.0.77"), "clusterIP 10.96.0.77"),
        (service("a", port=30077), service("b", port=30077), "nodePort 30077"),
        (service("a", "10.96.0.77"), service("b", "10.96.0.78"), None),
        (service("a", "None"), service("b", "None"), None),
        (service("a"), service("b"), None),
    ],
)
@pytest.mark.parametrize("is_live", [False, True])
def test_what_another_service_has(
    first: dict[str, Any],
    second: dict[str, Any],
    what: str | None,
    *,
    is_live: bool,
    admin: httpx.Client,
    kube: Kube,
) -> None:
    """A dry run allocates nothing: among the manifests, and beside what is live."""
    if is_live:
        applied(admin, first)
    documents = [
        Document("a.yaml", 1, "Service", each["metadata"]["name"], None, each) for each in (first, second)
    ]
    found = kube.refusals(documents, NAMESPACE)

    assert [f"{what}: Service {NAMESPACE}/a has it already" in line for line in found.values()] == (
        [] if what is None else [True]
    )


@pytest.mark.parametrize("wanted", [service("b", "10.96.0.88"), service("b", port=30088)])
def test_what_a_service_of_another_namespace_has(
    wanted: dict[str, Any], admin: httpx.Client, kube: Kube
) -> None:
    """Addresses and node ports are the whole cluster's."""
    admin.post("/api/v1/namespaces", json={"metadata": {"name": "others"}})
    there = {**wanted, "metadata": {"name": "theirs"}}
    assert admin.post("/api/v1/namespaces/others/services", json=there).status_code == 201

    try:
        assert ["Service others/theirs has it already" in each for each in refusals(kube, wanted)] == [True]
    finally:
        admin.delete("/api/v1/namespaces/others/services/theirs")


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("port", "node_ports", "outcome"),
    [
        (80, None, "unreachable"),
        (32768, None, "unreachable"),
        (80, "30000-32767", "refused"),
        (30077, "31000-31999", "refused"),
        (80, "80-90", "accepted"),
        (30077, None, "accepted"),
        (30000, "30000-32767", "accepted"),
    ],
)
def test_node_port_that_the_server_would_not_give(
    port: int, node_ports: str | None, outcome: str, server: Server, seen: Seen
) -> None:
    """A dry run heeds no range, and no API says it: unless the profile does, it is unknown."""
    session = KubeSession(settings.cluster(of(server.kubeconfig(), node_ports=node_ports)))
    kube = Kube(session, session, seen.append)
    wanted = service("a", port=port)
    try:
        if outcome == "unreachable":
            with pytest.raises(UnreachableError, match=f"nodePort {port} is out of .*in node_ports"):
                refusals(kube, wanted)
            bad = Document("b.yaml", 1, "ConfigMap", "b", None, examples.config_map("b", key=True))  # type: ignore[arg-type]
            both = [Document("a.yaml", 1, "Service", "a", None, wanted), bad]
            assert list(kube.refusals(both, NAMESPACE)) == [str(bad)]  # what is known is red
        else:
            words = f"nodePort {port} is out of node_ports, {node_ports}"
            assert [words in line for line in refusals(kube, wanted)] == [True] * (outcome == "refused")
    finally:
        session.close()


def test_what_no_dry_run_shows_is_said(admin: httpx.Client, kube: Kube, seen: Seen) -> None:
    """Until the Service is there, and has it."""
    wanted = service("a", "10.96.0.79")
    assert refusals(kube, wanted) == []
    assert [each.seen for each in seen if "not tried, since a dry run allocates nothing" in each.seen] != []

    applied(admin, wanted)
    seen.clear()
    assert refusals(kube, wanted) == []
    assert [each.seen for each in seen if "not tried" in each.seen] == []


POD_SECURITY = "pod-security.kubernetes.io/"
SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.mark.parametrize(
    ("labels", "context", "is_refused", "is_shown"),
    [
        ({"enforce": "restricted"}, {}, True, True),
        ({"enforce": "restricted", "warn": "privileged"}, {}, True, False),
        ({"enforce": "baseline"}, {"privileged": True}, True, True),
        ({"warn": "restricted"}, {}, False, True),
        ({"enforce": "baseline", "warn": "restricted"}, {}, False, True),
        ({"enforce": "baseline"}, {}, False, False),
        ({"enforce": "restricted"}, SAFE, False, False),
        ({"audit": "restricted"}, {}, False, False),
    ],
)
def test_pods_that_the_namespace_refuses(
    labels: dict[str, str],
    context: dict[str, Any],
    *,
    is_refused: bool,
    is_shown: bool,
    admin: httpx.Client,
    kube: Kube,
    seen: Seen,
) -> None:
    """By a server that enforces the standards: what it only warns of is shown, and not refused."""
    path = f"/api/v1/namespaces/{NAMESPACE}"
    headers = {"content-type": "application/merge-patch+json"}
    named = {f"{POD_SECURITY}{mode}": level for mode, level in labels.items()}
    admin.patch(path, json={"metadata": {"labels": named}}, headers=headers).raise_for_status()
    manifest = examples.deployment()
    for container in manifest["spec"]["template"]["spec"]["containers"]:
        container["securityContext"] = context
    try:
        found = refusals(kube, manifest)
    finally:
        none = dict.fromkeys(named)
        admin.patch(path, json={"metadata": {"labels": none}}, headers=headers).raise_for_status()

    assert ["no pod of it would start" in line and "violates PodSecurity" in line for line in found] == (
        [True] * is_refused
    )
    assert any("the server warns: would violate PodSecurity" in each.seen for each in seen) == is_shown
