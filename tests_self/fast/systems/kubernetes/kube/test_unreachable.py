"""What the Kubernetes client cannot look at: missing rights, credentials, other servers."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from tests_self.building.kube_clients import NAMESPACE, Scripted, of
from tests_self.fast.systems.kubernetes.kube.looking import Look, answering, bare_at, create
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server

from noxgate.errors import UnreachableError
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.connection import answers
from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

ROLES = Path(__file__).parents[5] / "docs" / "roles"


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
    session = Scripted([KubeAnswer(403, refusal), KubeAnswer(status, home)])
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


def test_nobody_listens(server: Server, loopback: "Loopback", tmp_path: Path) -> None:
    config = json.loads(server.kubeconfig().read_text())
    port = loopback.closed_port()
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    with pytest.raises(UnreachableError, match=rf"^https://127\.0\.0\.1:{port}: connection refused$"):
        bare(of(written(tmp_path / "config", config))).list("Pod", NAMESPACE)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "READ", 0.2)
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
    server: Server,
    admin: httpx.Client,
    loopback: "Loopback",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the environment says elsewhere."""
    port = loopback.closed_port()
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


def bare(target: Target) -> Kube:
    session = KubeSession(settings.cluster(target))
    return Kube(session, session, lambda _: None)


def written(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(json.dumps(config))
    return path
