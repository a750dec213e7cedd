"""In a pod: the ServiceAccount's token, which the kubelet writes anew, against the stand-in."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from tests_self.building.kube_clients import NAMESPACE, of
from tests_self.deployed import DEPLOY
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server, stand_in

from nox_rehearsal.parts import certificates
from noxgate.errors import UnreachableError
from noxgate.look.secret import Scrubber
from noxgate.project.credentials import in_files
from noxgate.project.kubeconfig import clusters, kubeconfig_secrets
from noxgate.project.which.world import rehearsed
from noxgate.systems import settings
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.session import KubeSession

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
ACCOUNTS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
TRIES = "gate-dry-run"
Make = Callable[..., KubeSession]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("in-cluster")) as running, running.client() as admin:
        named = {"metadata": {"name": NAMESPACE}}
        assert admin.post("/api/v1/namespaces", json=named).status_code == 201
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings"
        for account, role in (("gate", "view"), (TRIES, "edit")):
            binding = examples.binding(account, role, kind="ClusterRole")
            binding["subjects"] = [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]
            assert admin.post(path, json=binding).status_code == 201
        yield running


class Kubelet:
    """Keeps a token in the folder where pods have theirs; before it asks for one, the old one ends."""

    def __init__(self, server: Server, folder: Path, account: str = "gate") -> None:
        self._server = server
        self._account = account
        self.folder = folder
        folder.mkdir()
        (folder / "ca.crt").write_bytes(server.ca.read_bytes())

    def rotate(self) -> str:
        """The account is another one now, of the same name: what was issued for the one before is void."""
        with self._server.client() as admin:
            admin.delete(f"{ACCOUNTS}/{self._account}")
            assert admin.post(ACCOUNTS, json={"metadata": {"name": self._account}}).status_code == 201
            token: str = admin.post(f"{ACCOUNTS}/{self._account}/token", json={}).json()["status"]["token"]
        self.write(f"{token}\n")
        return token

    def write(self, text: str) -> None:
        new = self.folder / "..token"
        new.write_text(text)
        new.replace(self.folder / "token")


@pytest.fixture
def kubelet(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubelet:
    kubelet = Kubelet(server, tmp_path / "serviceaccount")
    kubelet.rotate()
    monkeypatch.setattr(in_files, "FOLDER", kubelet.folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    parts = urlsplit(server.url)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(parts.hostname))
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(parts.port))
    return kubelet


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[KubeSession] = []

    def session(kubeconfig: Path | None = None, **changes: str) -> KubeSession:
        named = None if kubeconfig is None else str(kubeconfig)
        made.append(KubeSession(settings.cluster(replace(of(tmp_path, **changes), kubeconfig=named))))
        return made[-1]

    yield session
    for each in made:
        each.close()


def kubeconfig(server: Server, folder: Path, **user: str) -> Path:
    """What deploy/ mounts: it names files, and no secret is in it."""
    path = folder / "kubeconfig"
    cluster = {"server": server.url, "certificate-authority": "serviceaccount/ca.crt"}
    context = {"cluster": "here", "user": "pod"}
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": "here", "cluster": cluster}],
                "users": [{"name": "pod", "user": {"tokenFile": "serviceaccount/token"} | user}],
                "contexts": [{"name": "look", "context": context}],
                "current-context": "look",
            }
        )
    )
    return path


@pytest.mark.parametrize("how", ["pod", "tokenFile", "tokenFile beside a token"])
def test_a_token_that_rotates(how: str, kubelet: Kubelet, server: Server, make: Make, tmp_path: Path) -> None:
    """The old one is refused, and a session that goes on never sends it again."""
    more = {"token": "an-old-one"} if "beside" in how else {}
    session = make(None if how == "pod" else kubeconfig(server, tmp_path, **more))
    tokens = {(kubelet.folder / "token").read_text().strip()}
    for _ in range(3):
        assert session.ask("GET", PODS, {}).status == 200
        tokens.add(kubelet.rotate())

    assert session.ask("GET", PODS, {}).status == 200
    assert len(tokens) == 4
    with pytest.raises(UnreachableError, match=r"port-forward to none: 40[34]"):
        session.forward(NAMESPACE, "none", 80)


def test_both_tokens_rotate(kubelet: Kubelet, server: Server, make: Make, tmp_path: Path) -> None:
    """With the kubeconfig of deploy/: the one that looks, and the other account's for dry runs."""
    other = Kubelet(server, tmp_path / "dry-run", TRIES)
    mounted = yaml.safe_load((DEPLOY / "base" / "kubeconfig").read_text())
    (cluster,) = mounted["clusters"]
    cluster["cluster"] = {"server": server.url, "certificate-authority": str(server.ca)}
    for user, folder in zip(mounted["users"], (kubelet.folder, other.folder), strict=True):
        user["user"] = {"tokenFile": str(folder / Path(user["user"]["tokenFile"]).name)}
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(mounted))
    contexts = [context["name"] for context in mounted["contexts"]]
    other.rotate()
    looks, tries = (make(path, context=context) for context in contexts)
    kube = Kube(looks, tries, lambda _: None)

    for _ in range(3):
        assert kube.list("Pod", NAMESPACE) == []
        applied = kube.dry_run_apply(examples.config_map("new"), NAMESPACE)
        assert applied["metadata"]["name"] == "new"
        assert kubelet.rotate() != other.rotate()

    assert kube.list("Pod", NAMESPACE) == []
    with server.client() as admin:
        admin.delete(f"{ACCOUNTS}/{TRIES}")
    with pytest.raises(UnreachableError, match="401: the credential of this context is not known"):
        kube.dry_run_apply(examples.config_map("new"), NAMESPACE)


def test_a_token_that_was_taken_back(kubelet: Kubelet, server: Server, make: Make) -> None:
    """Is an unknown credential, as everywhere."""
    session = make()
    with server.client() as admin:
        admin.delete(f"{ACCOUNTS}/gate")

    with pytest.raises(UnreachableError, match="401: the credential of this context is not known"):
        session.ask("GET", PODS, {})
    assert kubelet.rotate()
    assert session.ask("GET", PODS, {}).status == 200


def test_no_token_is_no_anonymous_look(kubelet: Kubelet, make: Make) -> None:
    """An empty file, or none, between two that hold."""
    session = make()
    kubelet.write("\n")
    with pytest.raises(UnreachableError, match=r"expected a token in .*/token, saw an empty file"):
        session.ask("GET", PODS, {})
    (kubelet.folder / "token").unlink()
    with pytest.raises(UnreachableError, match=r"No such file or directory: .*/token"):
        session.ask("GET", PODS, {})
    kubelet.rotate()

    assert session.ask("GET", PODS, {}).status == 200


def test_a_kubeconfig_comes_first(kubelet: Kubelet, make: Make, tmp_path: Path) -> None:
    """One that is named and missing is an error, and a context is found in no token's folder."""
    assert kubelet.folder.is_dir()
    with pytest.raises(UnreachableError, match=r"no kubeconfig .*/missing: export KUBECONFIG="):
        make(tmp_path / "missing").ask("GET", PODS, {})
    with pytest.raises(UnreachableError, match="knows no context 'look': name a kubeconfig with a tokenFile"):
        make(context="look").ask("GET", PODS, {})


def test_an_authority_that_rotates(kubelet: Kubelet, make: Make, tmp_path: Path) -> None:
    """ca.crt is read for each connection: the next one sees an authority that vouches for no server."""
    make().ask("GET", PODS, {})
    authority = kubelet.folder / "ca.crt"
    right = authority.read_bytes()
    certificates.authority().write(authority, tmp_path / "key")
    with pytest.raises(UnreachableError, match="the certificate is not trusted"):
        make().ask("GET", PODS, {})
    authority.write_bytes(right + authority.read_bytes())

    assert make().ask("GET", PODS, {}).status == 200


def test_reports_show_no_token_of_a_pod(kubelet: Kubelet) -> None:
    token = (kubelet.folder / "token").read_text().strip()

    assert token not in Scrubber(kubeconfig_secrets(None)).scrub(f"Bearer {token}")


def test_where_a_pods_credential_leads(kubelet: Kubelet, server: Server, tmp_path: Path) -> None:
    """Is sealed, and who vouches for it is looked at: a rehearsal's cluster stays one in a pod."""
    nothing = tmp_path / "none"
    assert clusters([str(nothing)])[None].server == server.url
    assert kubelet.folder.is_dir()
    assert rehearsed(tmp_path / "x.toml", {}, {}) == "its cluster is a rehearsal's"


def test_of_no_pod(kubelet: Kubelet, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is needed: a variable alone says nothing. IPv6 is written as addresses are."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    found = in_files.of_pod()
    assert found is not None
    assert found.server.startswith("https://[fd00::1]:")
    (kubelet.folder / "ca.crt").unlink()
    assert in_files.of_pod() is None
    monkeypatch.delenv("KUBERNETES_SERVICE_PORT")
    assert in_files.of_pod() is None


def test_the_stand_in_forgets_a_tokens_account(server: Server) -> None:
    """As an API server does: a token is of the account that it was issued for."""
    with server.client() as admin, server.client("nobody") as robot:
        assert admin.post(ACCOUNTS, json={"metadata": {"name": "other"}}).status_code == 201
        token = admin.post(f"{ACCOUNTS}/other/token", json={}).json()["status"]["token"]
        robot.headers["authorization"] = f"Bearer {token}"
        assert _seen(robot) == 403
        admin.delete(f"{ACCOUNTS}/other")
        assert _seen(robot) == 401
        admin.post(ACCOUNTS, json={"metadata": {"name": "other"}})
        assert _seen(robot) == 401


def _seen(client: httpx.Client) -> int:
    return client.get(PODS).status_code
