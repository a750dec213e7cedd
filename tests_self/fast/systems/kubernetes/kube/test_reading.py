"""The Kubernetes client reads objects, lists and Secrets as the server has them."""

import base64
import hashlib
import logging
from typing import Any

import pytest
from tests_self.building.kube_clients import NAMESPACE, Scripted
from tests_self.fast.systems.kubernetes.kube.looking import CANARY, Look, answering, bare_at

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.systems.kubernetes import kube as kube_module
from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.kubernetes.secret_values import judged
from noxgate.systems.kubernetes.session import KubeSession


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
    first, end, expired = (KubeAnswer(200, page), KubeAnswer(200, last), KubeAnswer(410, gone))

    assert names(Scripted([first, expired, first, end])) == ["a", "b"]
    with pytest.raises(UnreachableError, match="410: The provided continue parameter"):
        names(Scripted([first, expired, first, expired]))


def names(session: KubeSession) -> list[str]:
    kube = Kube(session, session, lambda _: None)
    return [pod["metadata"]["name"] for pod in kube.list("Pod", NAMESPACE)]
