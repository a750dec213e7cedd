"""The Kubernetes client against the stand-in, and against servers of other kinds."""

import base64
import hashlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests_self.building.kube_clients import NAMESPACE, Scripted, of
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server, stand_in

from nox_rehearsal.world.ports import free_ports
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes import kube as kube_module
from noxgate.systems.kubernetes import session as kube_session
from noxgate.systems.kubernetes.api_server.rights import Right, lacking, rights_of
from noxgate.systems.kubernetes.kube import Kube, RefusedError
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.secret_values import judged
from noxgate.systems.kubernetes.session import REVIEW, Answer, KubeSession

ROLES = Path(__file__).parents[4] / "docs" / "roles"
CANARY = "k3jx81mfQpZ20vWbe9TtLsAaCANARY"
Look = Callable[..., Kube]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("kubernetes"), controllers=True) as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    """What the tests themselves do in the cluster."""
    with server.client() as client:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        assert client.post("/api/v1/namespaces", json=namespace).status_code == 201
        yield client


@pytest.fixture
def seen() -> list[Observation]:
    return []


@pytest.fixture
def look(server: Server, admin: httpx.Client, seen: list[Observation]) -> Iterator[Look]:
    """A client with the credential of `admin`, of `reader` or without one."""
    assert admin  # it has made the namespace
    sessions: list[KubeSession] = []

    def make(user: str = "admin", *, dry_runs: str | None = None, **changes: Any) -> Kube:
        target = of(server.kubeconfig(user), **changes)
        pair = (
            KubeSession(settings.cluster(target)),
            KubeSession(settings.cluster(of(server.kubeconfig(dry_runs or user), **changes))),
        )
        sessions.extend(pair)
        return Kube(*pair, seen.append)

    yield make
    for session in sessions:
        session.close()


def create(admin: httpx.Client, path: str, content: dict[str, Any]) -> None:
    answer = admin.post(path, json=content)
    assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def furnished(admin: httpx.Client) -> None:
    """An Ingress, a Deployment, three ConfigMaps and a Secret."""
    create(admin, f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses", examples.ingress())
    create(admin, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", examples.deployment())
    for number in range(3):
        create(admin, f"/api/v1/namespaces/{NAMESPACE}/configmaps", examples.config_map(f"map-{number}"))
    values = {
        "empty": "",
        "blank": " \n",
        "newline": f"{CANARY}\n",
        "filler": "change-me",
        "encoded": base64.b64encode(b"changeme").decode(),
        "url": "postgresql://nox:your-password@db.example.com/nox",
        "good": CANARY,
        "also": f"postgresql://nox:{CANARY}@db.nox.example/nox",
        "pem": f"-----BEGIN KEY-----\n{CANARY}\n-----END KEY-----\n",
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oauth-secrets"}, "data": data}
    create(admin, f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)


# ---------------------------------------------------------------- looking


@pytest.mark.usefixtures("furnished")
def test_objects_as_the_server_has_them(look: Look, seen: list[Observation]) -> None:
    kube = look()
    deployment = kube.get("Deployment", "nox-api", NAMESPACE)

    assert deployment is not None
    assert deployment["spec"]["replicas"] == 3
    assert kube.get("Deployment", "no-such", NAMESPACE) is None
    assert kube.get("Namespace", "no-such") is None
    assert kube.get("Service", "", NAMESPACE) is None
    assert [observation.seen.partition(":")[0] for observation in seen] == [
        "Deployment nox-api",
        'deployments.apps "no-such" not found',
        'namespaces "no-such" not found',
    ]
    assert "kubectl --kubeconfig" in seen[0].repeat


@pytest.mark.usefixtures("furnished")
def test_every_page_of_a_list(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """And an empty list of a namespace that does not exist, without an error."""
    monkeypatch.setattr(kube_module, "PAGE", 2)
    kube = look()

    assert [one["metadata"]["name"] for one in kube.list("ConfigMap", NAMESPACE)] == [
        "map-0",
        "map-1",
        "map-2",
    ]
    assert kube.list("ConfigMap", NAMESPACE, "app=other") == []
    assert kube.list("Pod", "no-such") == []


def test_a_kind_that_the_cluster_does_not_know(look: Look) -> None:
    """That is a finding: the monitoring kinds are not installed."""
    with pytest.raises(AssertionError, match="knows no podmonitors"):
        look().get("PodMonitor", "nox-api-podmonitor", NAMESPACE)
    with pytest.raises(AssertionError, match="knows no podmonitors"):
        look().list("PodMonitor", NAMESPACE)


@pytest.mark.usefixtures("furnished")
def test_secrets_are_judged_and_not_shown(
    look: Look, seen: list[Observation], caplog: pytest.LogCaptureFixture
) -> None:
    """Not in an observation, a repr, an error or a log of any library, at any level."""
    caplog.set_level(logging.DEBUG)
    found = look().secret("oauth-secrets", NAMESPACE)

    assert found is not None
    assert {key: value.problem for key, value in found.items()} == {
        "empty": "is empty",
        "blank": "is blank",
        "newline": "begins or ends with white space",
        "filler": "is a template's filler",
        "encoded": "is base64 of a template's filler",
        "url": "is a template's filler",
        "good": None,
        "also": None,
        "pem": None,
    }
    assert found["good"].parts & found["also"].parts != set()
    assert found["good"].parts & found["pem"].parts == set()
    assert look().secret("no-such", NAMESPACE) is None
    shown = f"{seen} {found} {[str(value) for value in found.values()]} {caplog.text}"
    assert "good" in shown
    encoded = base64.b64encode(CANARY.encode()).decode().rstrip("=")
    assert [text for text in (CANARY, encoded, CANARY[4:20]) if text in shown] == []


@pytest.mark.parametrize("method", ["get", "list"])
def test_secrets_only_by_their_own_method(method: str, look: Look) -> None:
    with pytest.raises(ValueError, match="secret"):
        getattr(look(), method)("Secret", "oauth-secrets", NAMESPACE)


@pytest.mark.parametrize(
    "data",
    [
        {"key": CANARY + "="},
        {"key": f"{CANARY}é\n"},
        {"key": [CANARY]},
        {"key": None},
        [CANARY],
        CANARY,
        None,
    ],
)
def test_a_secret_in_an_odd_form_is_judged_too(data: Any) -> None:
    """An error's traceback could show it."""
    found = judged("oauth-secrets", NAMESPACE, {"data": data})

    assert [value.problem in {"is not base64", "is empty"} for value in found.values()] == [True] * len(found)
    assert CANARY not in f"{found} {[str(value) for value in found.values()]}"


def test_values_of_secrets_are_compared_and_not_shown() -> None:
    """Equal by value, wherever it stands; a failed assert shows fingerprints."""

    def value(text: str, name: str = "staging") -> Any:
        data = {"key": base64.b64encode(text.encode()).decode()}
        return judged(name, NAMESPACE, {"data": data})["key"]

    assert value(CANARY) == value(CANARY, "production")
    assert value(CANARY) != value(CANARY[::-1])
    assert value(CANARY).parts & value(f"{CANARY}\n").parts != set()
    assert value(CANARY).parts & value(f"redis://:{CANARY}@redis/0").parts != set()
    assert value(CANARY).parts & value(f"postgresql://db/nox?password={CANARY}").parts != set()
    assert value("").parts & value(" ").parts == set()
    with pytest.raises(AssertionError) as caught:
        assert [value(CANARY), value(CANARY).parts] == [value(CANARY[::-1]), value(CANARY[::-1]).parts]
    digest = hashlib.sha256(CANARY.encode())
    assert digest.hexdigest()[:8] in str(caught.value)
    shown = [CANARY, digest.hexdigest()[8:16], repr(digest.digest())[2:-1]]
    assert [text for text in shown if text in str(caught.value)] == []


def test_answers_with_another_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 200, of a kind and name that were not asked for."""
    pod = b'{"kind": "Pod", "metadata": {"name": "other"}}'
    with answering(200, pod) as url:
        kube = bare_at(url, monkeypatch)
        for method, asked in {
            "get": ("Pod", "nox-api", NAMESPACE),
            "secret": ("other", NAMESPACE),
            "list": ("Pod", NAMESPACE),
        }.items():
            with pytest.raises(UnreachableError, match=r"expected \w+.*, saw"):
                getattr(kube, method)(*asked)
        with pytest.raises(UnreachableError, match="expected Service other, saw another object: Pod"):
            kube.get("Service", "other", NAMESPACE)
    with (
        answering(200, b'{"kind": "PodList", "items": [1]}') as url,
        pytest.raises(UnreachableError, match="expected PodList"),
    ):
        bare_at(url, monkeypatch).list("Pod", NAMESPACE)


def test_a_list_that_expires_starts_again_once() -> None:
    """410: the list changed too much while it was read. Not for ever."""
    page = {"kind": "PodList", "metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]}
    last = {"kind": "PodList", "items": [{"metadata": {"name": "b"}}]}
    gone = {"kind": "Status", "message": "The provided continue parameter is too old"}
    first, end, expired = (Answer(200, page), Answer(200, last), Answer(410, gone))

    assert names(Scripted([first, expired, first, end])) == ["a", "b"]
    with pytest.raises(UnreachableError, match="410: The provided continue parameter"):
        names(Scripted([first, expired, first, expired]))


def names(session: KubeSession) -> list[str]:
    kube = Kube(session, session, lambda _: None)
    return [pod["metadata"]["name"] for pod in kube.list("Pod", NAMESPACE)]


# ---------------------------------------------------------------- dry runs


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
    session = Scripted([Answer(403, {"kind": "Status", "reason": "Forbidden", "message": message})])
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
        (Answer(403, {"kind": "Status", "message": "no"}), "may not ask what it may do: no"),
        (Answer(404, {"kind": "Status", "message": "404 page not found"}), "saw HTTP 404"),
        (Answer(201, {"kind": "SelfSubjectAccessReview"}), "expected an answered"),
        (
            Answer(201, {"kind": "X", "status": {"allowed": False, "evaluationError": "webhook"}}),
            "could not decide on list pods: webhook",
        ),
    ],
)
def test_rights_that_cannot_be_asked(answer: Answer, why: str) -> None:
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


# ---------------------------------------------------------------- not being able to look


@pytest.mark.usefixtures("furnished")
def test_rights_that_are_missing_are_named(look: Look) -> None:
    """With which role to bind, and where."""
    with pytest.raises(UnreachableError, match=r'docs/roles/look\.yaml.*cannot list resource "pods"'):
        look("reader").list("Pod", NAMESPACE)
    with pytest.raises(UnreachableError, match=r"docs/roles/rehearse-change\.yaml in nox-staging-green"):
        look("admin", dry_runs="reader").dry_run_patch(
            "Ingress", "nox-api-ingress", NAMESPACE, [], "application/json-patch+json"
        )


@pytest.mark.parametrize(
    ("status", "home", "error"),
    [
        (200, {"kind": "APIResourceList", "resources": [{"name": "pods"}]}, UnreachableError),
        (403, {"kind": "Status", "message": "no"}, UnreachableError),
        (200, {"kind": "APIResourceList", "resources": [{"name": "services"}]}, AssertionError),
        (404, {"kind": "Status", "message": "404 page not found"}, AssertionError),
    ],
)
def test_403_of_a_kind_that_may_not_be_there(status: int, home: Any, error: type[Exception]) -> None:
    """An API server refuses before it knows whether there is such a kind."""
    refusal = {"kind": "Status", "message": 'pods is forbidden: User "x" cannot list resource "pods"'}
    session = Scripted([Answer(403, refusal), Answer(status, home)])
    with pytest.raises(error, match=r"bind the role|knows no pods"):
        Kube(session, session, lambda _: None).list("Pod", NAMESPACE)


def test_an_unknown_token(look: Look) -> None:
    with pytest.raises(UnreachableError, match="401"):
        look("unknown token").list("Pod", NAMESPACE)


@pytest.mark.usefixtures("furnished")
def test_the_two_roles_are_enough_and_no_more(admin: httpx.Client, look: Look) -> None:
    """Word for word as documented: each right that the checks use, and not the one next to it."""
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
    for name in ("look", "rehearse-change"):
        role = yaml.safe_load((ROLES / f"{name}.yaml").read_text())
        create(admin, f"{rbac}/roles", role)
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "noxgate-look"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "release-gate"}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "look"},
        "roleRef": reference,
        "subjects": [subject],
    }
    create(admin, f"{rbac}/rolebindings", binding)
    kube = look("reader")
    try:
        assert kube.get("Namespace", NAMESPACE) is not None
        assert kube.secret("oauth-secrets", NAMESPACE) is not None
        for kind in ("Pod", "Service", "EndpointSlice", "ReplicaSet", "HorizontalPodAutoscaler"):
            assert kube.list(kind, NAMESPACE) == []
        for refused in (
            lambda: kube.secret("other-secrets", NAMESPACE),
            lambda: kube.get("Namespace", "kube-system"),
            lambda: kube.list("Job", NAMESPACE),
            lambda: kube.list("Pod", "default"),
            lambda: kube.dry_run_apply(examples.ingress(), NAMESPACE),
        ):
            with pytest.raises(UnreachableError, match=r"bind the role .* in [a-z]"):
                refused()
    finally:
        admin.delete(f"{rbac}/rolebindings/look")


@pytest.mark.parametrize(
    ("kubeconfig", "said"),
    [
        ("clusters: [", "cannot be used"),
        ("[]", "cannot be used"),
        ("apiVersion: v1\nkind: Config\n", "cannot be used"),
        ("not: a kubeconfig", "cannot be used"),
    ],
)
def test_a_kubeconfig_that_is_none(kubeconfig: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(kubeconfig)

    with pytest.raises(UnreachableError, match=said) as caught:
        bare(of(path)).list("Pod", NAMESPACE)
    assert "\n" not in str(caught.value)


def test_no_kubeconfig_and_no_context(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"no kubeconfig .*export KUBECONFIG"):
        bare(of(tmp_path / "none")).list("Pod", NAMESPACE)
    with pytest.raises(UnreachableError, match=r"has no context 'prod' \(contexts: rehearsal\)"):
        bare(of(server.kubeconfig(), context="prod")).list("Pod", NAMESPACE)


def test_a_server_that_is_not_verified(server: Server, tmp_path: Path) -> None:
    """Neither by a kubeconfig that asks for none, nor by another authority."""
    config = json.loads(server.kubeconfig().read_text())
    config["clusters"][0]["cluster"] = {"server": server.url, "insecure-skip-tls-verify": True}
    with pytest.raises(UnreachableError, match="expected verified TLS"):
        bare(of(written(tmp_path / "skip", config))).list("Pod", NAMESPACE)
    config["clusters"][0]["cluster"] = {"server": server.url}
    with pytest.raises(UnreachableError, match="certificate is not trusted"):
        bare(of(written(tmp_path / "other", config))).list("Pod", NAMESPACE)


def test_nobody_listens(server: Server, tmp_path: Path) -> None:
    config = json.loads(server.kubeconfig().read_text())
    (port,) = free_ports(1)
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    with pytest.raises(UnreachableError, match=rf"^https://127\.0\.0\.1:{port}: connection refused$"):
        bare(of(written(tmp_path / "config", config))).list("Pod", NAMESPACE)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_session, "READ", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnreachableError, match=r"^http://127\.0\.0\.1:\d+: no answer in 0\.2 s$"):
            bare_at(url, monkeypatch).list("Pod", NAMESPACE)


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("no-such-plugin", [], r"no-such-plugin"),
        ("sh", ["-c", "echo sign in first >&2; exit 3"], "exec: process returned 3. sign in first"),
        ("echo", ["hello"], "exec: failed to decode process output"),
        ("echo", ["{}"], "exec: malformed response"),
    ],
)
def test_a_credential_plugin_that_fails(
    command: str,
    arguments: list[str],
    said: str,
    server: Server,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The official client logs it and asks without a credential, which would look like a missing right."""
    config = json.loads(server.kubeconfig().read_text())
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": arguments}
    config["users"][0]["user"] = {"exec": plugin}
    with pytest.raises(UnreachableError, match="no credential for its current context: ") as caught:
        bare(of(written(tmp_path / "config", config))).list("Pod", NAMESPACE)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caplog.text == ""


def test_a_credential_plugin(server: Server, admin: httpx.Client, tmp_path: Path) -> None:
    config = json.loads(server.kubeconfig().read_text())
    version = "client.authentication.k8s.io/v1"
    token = config["users"][0]["user"]["token"]
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": token}}
    plugin = {"apiVersion": version, "command": "echo", "args": [json.dumps(answer)]}
    config["users"][0]["user"] = {"exec": plugin}
    kube = bare(of(written(tmp_path / "config", config)))

    assert admin
    assert kube.get("Namespace", NAMESPACE) is not None


def test_no_proxy_before_this_machine(
    server: Server, admin: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the environment says elsewhere."""
    (port,) = free_ports(1)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    config = json.loads(server.kubeconfig().read_text())
    config["clusters"][0]["cluster"]["server"] = "https://api.nox.invalid"

    assert admin
    assert bare(of(server.kubeconfig())).get("Namespace", NAMESPACE) is not None
    with pytest.raises(UnreachableError, match=r"api\.nox\.invalid: .*(proxy|refused)"):
        bare(of(written(tmp_path / "config", config))).get("Namespace", NAMESPACE)


def test_commands_name_the_same_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any KUBECONFIG exported where they are typed."""
    several = replace(of(tmp_path / "x"), kubeconfig="/a b:/c", context="look at")
    default = replace(several, kubeconfig=None, context=None)

    assert (
        KubeSession(settings.cluster(of(Path("/a b")))).kubectl("get", "pods")
        == "kubectl --kubeconfig '/a b' get pods"
    )
    assert (
        KubeSession(settings.cluster(several)).kubectl("get")
        == "KUBECONFIG='/a b:/c' kubectl --context 'look at' get"
    )
    monkeypatch.delenv("KUBECONFIG", raising=False)
    assert KubeSession(settings.cluster(default)).kubectl("get") == "kubectl get"
    monkeypatch.setenv("KUBECONFIG", "/another/target's")
    monkeypatch.setenv("HOME", "/home/nox")
    assert (
        KubeSession(settings.cluster(default)).kubectl("get")
        == "kubectl --kubeconfig /home/nox/.kube/config get"
    )


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            200,
            b"<html>sign in</html>",
            "expected a Kubernetes object in JSON, saw HTTP 200: <html>sign in</html>",
        ),
        (200, b"{}", "expected a Kubernetes object"),
        (200, b'{"kind": "PodList"', "expected a Kubernetes object"),
        (200, b"", "saw HTTP 200: nothing"),
        (302, b"", "saw HTTP 302"),
        (503, b'{"kind": "Status", "message": "etcd is away"}', "503: etcd is away"),
        (429, b'{"kind": "Status", "message": "slow down"}', "429: slow down"),
        (418, b'{"kind": "Status", "message": "a teapot"}', "418: a teapot"),
    ],
)
def test_answers_that_are_none(status: int, body: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From something that is not an API server, or one that is unwell."""
    with answering(status, body) as url, pytest.raises(UnreachableError) as caught:
        bare_at(url, monkeypatch).list("Pod", NAMESPACE)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- what the tests are made of


def bare(target: Target) -> Kube:
    session = KubeSession(settings.cluster(target))
    return Kube(session, session, lambda _: None)


def bare_at(url: str, monkeypatch: pytest.MonkeyPatch) -> Kube:
    """A client of a server without TLS, which it would otherwise refuse."""
    from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415 (half a second)

    session = KubeSession(settings.cluster(of(Path("none"))))
    monkeypatch.setattr(session, "_connect", lambda: ApiClient(Configuration(host=url, retries=False)))
    return Kube(session, session, lambda _: None)


def written(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(json.dumps(config))
    return path


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("location", "/login")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_address[1]}"
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def test_warnings_of_the_server_are_kept() -> None:
    """Several headers come as one, with commas between; a quotation mark in one is escaped."""
    header = '299 - "would violate \\"x\\": a, b", 299 - "deprecated", 299 - "deprecated"'

    assert kube_session.warned(header) == ('would violate "x": a, b', "deprecated")
    assert kube_session.warned("") == ()


def test_a_refusal_without_the_object_that_it_quotes() -> None:
    """A strict patch is refused with all of the object in the message; why it is refused comes last."""
    whole = (
        '"" is invalid: patch: Invalid value: "map[kind:Deployment metadata:map[a:{"x": "y"}]": '
        'strict decoding error: unknown field "spec.stratgy"'
    )
    answer = Answer(422, {"kind": "Status", "message": whole})

    assert answer.message == '"" is invalid: patch: strict decoding error: unknown field "spec.stratgy"'
