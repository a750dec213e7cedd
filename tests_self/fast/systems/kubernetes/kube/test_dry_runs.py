"""The Kubernetes client writes nothing: what is not a read is a dry run."""

import base64
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.building.kube_clients import NAMESPACE, Scripted, of
from tests_self.fast.systems.kubernetes.kube.looking import CANARY, Look
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.systems import settings
from noxgate.systems.kubernetes.api_server.rights import Right, lacking, rights_of
from noxgate.systems.kubernetes.connection import answers
from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube, RefusedError
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.session import REVIEW, KubeSession


@pytest.mark.usefixtures("furnished")
def test_a_dry_run_changes_nothing(look: Look, admin: httpx.Client) -> None:
    path = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses/nox-api-ingress"
    before = admin.get(path).json()
    kube = look()
    patch = [{"op": "replace", "path": "/spec/rules/0/host", "value": "other.example.com"}]
    patched = kube.dry_run_patch(
        "Ingress", "nox-api-ingress", NAMESPACE, patch, "application/json-patch+json"
    )
    applied = kube.dry_run_apply(examples.config_map("new", colour="green"), NAMESPACE)

    assert patched["spec"]["rules"][0]["host"] == "other.example.com"
    assert applied["data"] == {"colour": "green"}
    assert admin.get(path).json() == before
    assert admin.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/new").status_code == 404


@pytest.mark.usefixtures("furnished")
def test_a_refused_dry_run_says_why(look: Look, seen: list[Observation]) -> None:
    """The runbook's own patch."""
    path = {"backend": {"service": {"name": "nox-api-service-green", "port": {"number": 80}}}}
    patch = {"spec": {"rules": [{"http": {"paths": [path]}}]}}
    with pytest.raises(RefusedError, match=r"422 Invalid: .*pathType: Required value"):
        look().dry_run_patch(
            "Ingress", "nox-api-ingress", NAMESPACE, patch, "application/strategic-merge-patch+json"
        )

    assert seen[-1].seen.startswith("refused: 422")
    assert "--dry-run=server" in seen[-1].repeat


@pytest.mark.parametrize(
    "message",
    [
        'admission webhook "policy.nox.example" denied the request: no limits',
        'deployments.apps "nox-api" is forbidden: exceeded quota: pods, requested: 3, used: 1, limited: 2',
    ],
)
def test_what_admission_refuses_is_refused(message: str) -> None:
    """With 403, as a missing right; but the change itself would be refused just so."""
    session = Scripted([KubeAnswer(403, {"kind": "Status", "reason": "Forbidden", "message": message})])
    with pytest.raises(RefusedError, match=r"^the API server refuses it: 403 Forbidden: .*(quota|webhook)"):
        Kube(session, session, lambda _: None).dry_run_apply(examples.deployment(), NAMESPACE)


def test_every_write_is_a_dry_run() -> None:
    """With every public method, what is not a GET is a PATCH or a POST with dryRun=All."""
    sent: list[tuple[str, dict[str, str]]] = []

    class Session(KubeSession):
        def ask(self, method: str, path: str, query: Any, *_: object) -> Any:
            sent.append((method, dict(query)))
            raise UnreachableError(path)

    session = Session(settings.cluster(of(Path("none"))))
    kube = Kube(session, session, lambda _: None)
    calls: dict[str, tuple[Any, ...]] = {
        "get": ("Pod", "a", "b"),
        "need": ("Pod", "a", "b"),
        "list": ("Pod", "b"),
        "list_where_served": ("Route", "route.openshift.io", "routes", "b"),
        "serves_group": ("route.openshift.io",),
        "knows": ("Pod",),
        "secret": ("a", "b"),
        "dry_run_apply": (examples.config_map("a"), "b"),
        "fresh": (examples.config_map("a"), "b"),
        "live": (examples.config_map("a"), "b"),
        "try_apply": (examples.config_map("a"), "b"),
        "again": ("get", "pods"),
        "say": ("something", examples.config_map("a")),
        "dry_run_patch": ("Ingress", "a", "b", {}, "application/merge-patch+json"),
        "refusals": ((), "b"),
    }
    assert {name for name in vars(Kube) if not name.startswith("_")} == set(calls)
    for name, arguments in calls.items():
        if name not in {"again", "refusals", "say"}:  # no server is asked, or by dry_run_apply
            with pytest.raises(UnreachableError):
                getattr(kube, name)(*arguments)

    writes = [(method, query.get("dryRun")) for method, query in sent if method != "GET"]
    assert writes == [("PATCH", "All")] * 3


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("name", ["map-0#", "map-0?", "map-0%23", "../configmaps/map-0#", "..", "map-0/"])
@pytest.mark.parametrize("where", ["name", "namespace", "version"])
def test_no_name_gets_past_the_dry_run(name: str, where: str, look: Look, admin: httpx.Client) -> None:
    """Names come from manifests: a # that ended the URL before dryRun=All would be a real write."""
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    before = admin.get(path).json()["items"]
    manifest = examples.config_map("map-0", colour="green")
    namespace = NAMESPACE
    if where == "name":
        manifest["metadata"]["name"] = name
    elif where == "namespace":
        namespace = f"{NAMESPACE}/configmaps/{name}"
    else:
        manifest["apiVersion"] = f"v1{path.removeprefix('/api/v1')}/{name}"
    with pytest.raises((AssertionError, UnreachableError)):
        look().dry_run_apply(manifest, namespace)

    assert admin.get(path).json()["items"] == before


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("DELETE", "/api/v1/namespaces/x", {"dryRun": "All"}),
        ("PUT", "/api/v1/namespaces/x", {"dryRun": "All"}),
        ("POST", "/api/v1/namespaces", {}),
        ("POST", "/api/v1/namespaces", {"dryRun": "None"}),
        ("PATCH", "/api/v1/namespaces/x", {}),
        ("PATCH", "/api/v1/namespaces/x", {"dryRun": "all"}),
        ("PATCH", "/api/v1/namespaces/x#", {"dryRun": "All"}),
        ("PATCH", "/api/v1/namespaces/x?dryRun=", {"dryRun": "All"}),
        ("PATCH", "/api/v1/namespaces/x?dryRun=None", {"dryRun": "All"}),
        ("PATCH", REVIEW, {}),
        ("DELETE", REVIEW, {}),
        ("POST", REVIEW, {"fieldManager": "x"}),
        ("POST", f"{REVIEW}#", {}),
        ("POST", f"/api/v1/namespaces?x={REVIEW}", {}),
        ("POST", f"/api/v1/namespaces#{REVIEW}", {}),
        ("POST", REVIEW.replace("self", ""), {}),
        ("POST", REVIEW.replace("selfsubject", "localsubject"), {}),
    ],
)
def test_the_session_sends_nothing_else(
    method: str, path: str, query: dict[str, str], server: Server
) -> None:
    """Also if a later method of the client asks for it."""
    session = KubeSession(settings.cluster(of(server.kubeconfig())))
    with pytest.raises(AssertionError, match="the gate only looks"):
        session.ask(method, path, query, {}, "application/merge-patch+json")


def test_what_a_credential_may_do(server: Server) -> None:
    """Asked of the server, one review for each right, which it does not store."""
    session = KubeSession(settings.cluster(of(server.kubeconfig())))
    may = [Right("list", "pods", namespace=NAMESPACE), Right("get", "pods/log", namespace=NAMESPACE)]

    assert lacking(session, may) == []
    assert session.ask("GET", REVIEW, {}).status in {404, 405}


def test_the_rights_of_a_role(tmp_path: Path) -> None:
    """Each verb that the gate uses, by name where the role names objects; watch is not asked for."""
    role = tmp_path / "role.yaml"
    role.write_text(
        """rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [a, b], verbs: [get]}
- {apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, create]}
- {apiGroups: [""], resources: [namespaces], verbs: [get]}
"""
    )

    assert list(map(str, rights_of(role, "x"))) == [
        *("get secrets a", "get secrets b", "get deployments", "list deployments", "create deployments"),
        "get namespaces x",
    ]
    assert {right.namespace for right in rights_of(role, "x")} == {"x"}
    with pytest.raises(UnreachableError, match="expected the role"):
        list(rights_of(tmp_path / "none.yaml", "x"))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (KubeAnswer(403, {"kind": "Status", "message": "no"}), "may not ask what it may do: no"),
        (KubeAnswer(404, {"kind": "Status", "message": "404 page not found"}), "saw HTTP 404"),
        (KubeAnswer(201, {"kind": "SelfSubjectAccessReview"}), "expected an answered"),
        (
            KubeAnswer(201, {"kind": "X", "status": {"allowed": False, "evaluationError": "webhook"}}),
            "could not decide on list pods: webhook",
        ),
    ],
)
def test_rights_that_cannot_be_asked(answer: KubeAnswer, why: str) -> None:
    """Nothing is known then: a right that is not told is not one that lacks."""
    with pytest.raises(UnreachableError, match=why):
        lacking(Scripted([answer]), [Right("list", "pods")])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"metadata": {}}, "kubectl refuses it: expected a name, saw none"),
        ({"metadata": None}, "kubectl refuses it: expected a name, saw none"),
        ({"metadata": {"name": ""}}, "kubectl refuses it: expected a name, saw none"),
        ({"metadata": {"generateName": "a-"}}, "saw none: generateName is not for apply"),
        ({"apiVersion": ""}, "kubectl refuses it: expected an apiVersion, saw none"),
    ],
)
def test_what_has_no_name_is_not_applied(changes: dict[str, Any], said: str, look: Look) -> None:
    """Its path would be that of the whole collection."""
    manifest = {**examples.config_map("a"), **changes}
    document = Document("a.yaml", 1, "ConfigMap", "", None, manifest)

    refused = look().refusals([document], NAMESPACE)
    assert [why.endswith(said) for why in refused.values()] == [True]


def test_a_secret_in_a_manifest_keeps_its_values(look: Look, seen: list[Observation]) -> None:
    """It should not be there; what a dry run answers does not spread it."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "new"},
        "stringData": {"key": CANARY},
    }
    found = look().dry_run_apply(secret, NAMESPACE)

    assert found["metadata"]["name"] == "new"
    shown = f"{found} {seen}"
    assert [text for text in (CANARY, base64.b64encode(CANARY.encode()).decode()[:20]) if text in shown] == []
    with pytest.raises(ValueError, match="Secret"):
        look().dry_run_patch("Secret", "new", NAMESPACE, {}, "application/merge-patch+json")


def test_warnings_of_the_server_are_kept() -> None:
    """Several headers come as one, with commas between; a quotation mark in one is escaped."""
    header = '299 - "would violate \\"x\\": a, b", 299 - "deprecated", 299 - "deprecated"'

    assert answers.warned(header) == ('would violate "x": a, b', "deprecated")
    assert answers.warned("") == ()


def test_a_refusal_without_the_object_that_it_quotes() -> None:
    """A strict patch is refused with all of the object in the message; why it is refused comes last."""
    whole = (
        '"" is invalid: patch: Invalid value: "map[kind:Deployment metadata:map[a:{"x": "y"}]": '
        'strict decoding error: unknown field "spec.stratgy"'
    )
    answer = KubeAnswer(422, {"kind": "Status", "message": whole})

    assert answer.message == '"" is invalid: patch: strict decoding error: unknown field "spec.stratgy"'
