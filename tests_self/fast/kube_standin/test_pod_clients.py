"""The clients of single pods against the stand-in: a way to each, closed in the end, and their logs."""

import gc
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests_self.kubernetes.servers import Server
from tests_self.kubernetes.workload import Handler, Workload

from nox_rehearsal.world.ports import free_ports
from nox_service.pods.one import PodApi, echo
from nox_service.websocket import Echo
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.waiting import eventually
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.kubernetes.forward import Forward, Request, is_open, left_over, pod_port
from noxgate.systems.kubernetes.pod_logs import PodLogs, containers_of, refuse_lost, together
from noxgate.systems.kubernetes.session import KubeSession

LOOK = Path(__file__).parents[3] / "docs" / "roles" / "look.yaml"
POD = "nox-api-0"


@pytest.fixture(autouse=True)
def _left_open() -> Iterator[None]:
    """The client leaves the sockets of ended and refused websockets to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def seen() -> list[Observation]:
    return []


def session(server: Server, user: str = "admin") -> KubeSession:
    return KubeSession(settings.cluster(of_production(user, server)))


def of_production(user: str, server: Server) -> Target:
    return Target(
        name="production",
        path=Path("production.toml"),
        serves=("green",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        kubeconfig=str(server.kubeconfig(user)),
    )


def bind(admin: httpx.Client, namespace: str) -> None:
    """The documented role, to the user of the credential `reader`."""
    role = yaml.safe_load(LOOK.read_text())
    role["metadata"]["namespace"] = namespace
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "noxgate-look", "namespace": namespace},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": role["metadata"]["name"],
        },
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "release-gate"}],
    }
    root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    for plural, body in {"roles": role, "rolebindings": binding}.items():
        assert admin.post(f"{root}/{plural}", json=body).status_code == 201


def test_by_the_proxy_where_that_is_allowed(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """No port of this machine is needed then."""
    with Forward(session(server), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        answer = way.get("/large")

    assert way.port is None
    assert (answer.status, len(answer.text)) == (200, 300_011)
    assert f"{POD}: HTTP 200" in seen[-1].seen
    assert f"/pods/{POD}:3000/proxy/large" in seen[-1].repeat


def test_a_pods_own_refusal_is_its_answer(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """With any status, it is the pod that speaks."""
    with Forward(session(server), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        assert way.get("/teapot").status == 418


def test_by_a_port_that_is_ours(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """With the documented role; several requests, and the port is closed afterwards."""
    bind(admin, nox.namespace)
    with Forward(session(server, "reader"), seen.append).to_pod(nox.namespace, POD, 3000) as way:
        assert way.port is not None
        assert is_open(way.port)
        answers = [way.get(path) for path in ("/large", "/teapot", "/large")]

    assert [answer.status for answer in answers] == [200, 418, 200]
    assert len(answers[0].text) == 300_011
    assert not is_open(way.port)
    assert "port-forward" in seen[-1].repeat


TOKEN = "k3jx81mfQpZ20vWbe9TtLsAaCANARY"  # noqa: S105 (of an invented user)


@pytest.mark.parametrize("user", ["admin", "reader"])
def test_a_token_goes_to_the_pod_alone(
    user: str, server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """Also where the proxy is allowed: the API server would take it for its own. Nothing shows it."""
    bind(admin, nox.namespace)
    Handler.seen.clear()
    headers = {"authorization": f"Bearer {TOKEN}"}
    spelled = ('-H "Authorization: Bearer ${TEST_TOKEN:?}"',)
    request = Request("/empirical/v1", "POST", headers, "{}", spelled)
    with Forward(session(server, user), seen.append).own(nox.namespace, POD, 3000) as way:
        answer = way.send(request)
        plain = way.get("/large")

    assert (answer.status, answer.text) == (200, "POST /empirical/v1 {}")
    assert len(plain.text) == 300_011
    assert [headers.get("authorization") for headers in Handler.seen] == [f"Bearer {TOKEN}", None]
    assert not is_open(way.port)
    assert TOKEN not in repr((request, seen))
    assert seen[0].repeat.endswith(
        'pod/nox-api-0 18080:3000 & sleep 2; curl -sS -H "Authorization: Bearer ${TEST_TOKEN:?}" '
        "http://127.0.0.1:18080/empirical/v1; kill %1"
    )


def test_a_pod_asked_as_somebody(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """As the public host is asked: the same tokens, the same two requests that are not reads."""
    bind(admin, nox.namespace)
    Handler.seen.clear()
    target = replace(of_production("reader", server), credentials={"test_token": "T"}, variables={"T": TOKEN})
    with Forward(session(server, "reader"), seen.append).own(nox.namespace, POD, 3000) as way:
        api = PodApi(target.credential, way)
        answers = [
            api.get("/large", who="test_token"),
            api.get("/teapot"),
            api.post("/predict/cj/v1", {"density": 1}, who="test_token"),
        ]
        with pytest.raises(ValueError, match="a check may only POST to"):
            api.post("/api/jobs", {})

    assert [answer.status for answer in answers] == [200, 418, 200]
    assert answers[2].text == 'POST /predict/cj/v1 {"density": 1}'
    assert [each.get("authorization") for each in Handler.seen] == [
        f"Bearer {TOKEN}",
        None,
        f"Bearer {TOKEN}",
    ]
    assert TOKEN not in repr(seen)
    assert """-H 'Content-Type: application/json' -d '{"density": 1}'""" in seen[2].repeat


def test_a_silent_pod_and_a_shut_door(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """The one is the pod's fault; of the other nothing is known."""
    forward = Forward(session(server, "reader"), seen.append)
    with forward.own(nox.namespace, POD, 3000) as way, pytest.raises(UnreachableError, match="403"):
        echo(way, "/ws", "hello")
    bind(admin, nox.namespace)
    with (
        forward.own(nox.namespace, POD, 9999) as way,
        pytest.raises(AssertionError, match=r"9999: expected an answer to a WebSocket at /ws, saw .*refused"),
    ):
        echo(way, "/ws", "hello")
    with forward.own(nox.namespace, POD, 3000) as way:
        assert echo(way, "/ws", "hello") == Echo(200, None, None)


def test_nobody_listens_in_the_pod(
    server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]
) -> None:
    """That is the pod's fault, and says so."""
    bind(admin, nox.namespace)
    with (
        Forward(session(server, "reader"), seen.append).to_pod(nox.namespace, POD, 9999) as way,
        pytest.raises(AssertionError, match="connection refused"),
    ):
        way.get("/health")


def test_no_right_to_either_is_nothing_known(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """The reason names the role that lets it, and shows no header of the request."""
    with (
        Forward(session(server, "reader"), seen.append).to_pod(nox.namespace, POD, 3000) as way,
        pytest.raises(UnreachableError, match=r"403 \(the role of docs/roles/look.yaml lets it\)") as raised,
    ):
        way.get("/health")

    assert "\n" not in str(raised.value)
    assert "authorization" not in str(seen).lower()


def _is_named(pid: int) -> None:
    """A program that was started a moment ago has no words yet."""
    assert Path(f"/proc/{pid}/cmdline").read_bytes() != b""


@pytest.mark.parametrize("named", [["--kubeconfig=b"], ["--kubeconfig", "b"]])
def test_left_over_forward_is_found(named: list[str]) -> None:
    """A kubectl's into that namespace of that cluster, and no other process that only speaks of one."""
    namespace = f"nox-of-this-test-{len(named)}"
    words = [
        *named,
        "port-forward",
        "svc/nox-api-service-green",
        "8080:80",
        "-n",
        namespace,
    ]
    waits = "import signal; signal.pause()"
    for name, expected in (("kubectl", 1), ("grep", 0)):
        with subprocess.Popen([name, "-c", waits, *words], executable=sys.executable) as process:
            try:
                eventually(partial(_is_named, process.pid), within=10, every=0.01)
                found = left_over(namespace, "b")
                elsewhere = left_over("another-namespace") | left_over(namespace, "a")
            finally:
                process.kill()
        assert (len(found), elsewhere) == (expected, {})


def test_closed_port_is_closed() -> None:
    """The other way round of what the smoke test asks."""
    (port,) = free_ports(1)

    assert not is_open(port)


def pod(port: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "ports": [port]}]}}


def test_pod_port() -> None:
    """As kubectl finds it: by number, by the container's own name for it, or the same number."""
    entry: dict[str, Any] = {"port": 80, "targetPort": "http"}
    service = {"metadata": {"name": "s"}, "spec": {"ports": [entry]}}
    named = pod({"name": "http", "containerPort": 3000})

    assert pod_port(service, 80, named) == 3000
    entry["targetPort"] = 3001
    assert pod_port(service, 80, named) == 3001
    del entry["targetPort"]
    assert pod_port(service, 80, named) == 80
    with pytest.raises(AssertionError, match="Service s has no port 8080"):
        pod_port(service, 8080, named)
    entry["targetPort"] = "web"
    with pytest.raises(AssertionError, match="names no port 'web'"):
        pod_port(service, 80, named)


def logs(server: Server, user: str, seen: list[Observation]) -> PodLogs:
    return PodLogs(session(server, user), seen.append)


def of(nox: Workload) -> dict[str, Any]:
    return {
        "metadata": {"namespace": nox.namespace, "name": POD},
        "spec": {"containers": [{"name": "nox-api"}]},
    }


def test_logs(server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]) -> None:
    """The last lines and those since the switch; what is recorded of them are counts."""
    bind(admin, nox.namespace)
    nox.log.write_text("2026-01-01T00:00:00Z secret one\n2026-01-01T00:00:02Z ERROR two\n")

    (log,) = logs(server, "reader", seen).of(of(nox), datetime(2026, 1, 1, tzinfo=UTC), 1)

    assert [line.split("Z ")[-1] for line in log.lines] == ["secret one", "ERROR two"]
    assert "1 lines" in seen[0].seen
    assert "2 lines" in seen[1].seen
    assert "1 of an error's level" in seen[1].seen
    assert "secret" not in str(seen)


def restarted(nox: Workload, count: int = 1, began: str = "", ended: str = "") -> dict[str, Any]:
    """The container runs again since 00:10; the moments of the run before."""
    terminated = {"exitCode": 1, "startedAt": began, "finishedAt": ended}
    status = {
        "name": "nox-api",
        "restartCount": count,
        "state": {"running": {"startedAt": "2026-01-01T00:10:00Z"}},
        "lastState": {"terminated": {key: value for key, value in terminated.items() if value}},
    }
    return of(nox) | {"status": {"containerStatuses": [status]}}


SWITCH = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
NOT_ON_THE_NODE = "not on the node"
BEFORE, AFTER = "2026-01-01T00:04:00Z", "2026-01-01T00:06:00Z"


def placed(server: Server, nox: Workload, previous: str | None) -> None:
    place: dict[str, Any] = {"log": str(nox.log)}
    nox.log.write_text("2026-01-01T00:10:00Z INFO started\n")
    if previous is not None:
        path = nox.log.with_name("previous.log")
        place["previous_log"] = str(path)
        if previous != NOT_ON_THE_NODE:
            path.write_text(previous)
    server.put_pod(f"{nox.namespace}/{POD}", **place)


def test_log_of_the_run_before(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """What a container said before it restarted; the command says so, too."""
    placed(
        server,
        nox,
        f"{BEFORE} INFO started\n{AFTER} INFO taken\nTraceback (most recent call last):\nKeyError: 1\n",
    )

    now, before = logs(server, "admin", seen).of(restarted(nox, began=BEFORE, ended=AFTER), SWITCH, 100)

    assert (now.before, [line[21:] for line in now.lines]) == (False, ["INFO started"])
    assert (before.before, before.lost) == (True, "")
    assert before.lines[2:] == ("Traceback (most recent call last):", "KeyError: 1")
    assert [("--previous" in one.repeat, "1 of an error's level" in one.seen) for one in seen].count(
        (True, True)
    ) == 2


def test_no_restart_is_no_log_before(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """Nothing is asked for that cannot be there."""
    placed(server, nox, None)

    (now,) = logs(server, "admin", seen).of(restarted(nox, count=0), SWITCH, 100)[:1]

    assert now.lost == ""
    assert [one.before for one in logs(server, "admin", seen).of(of(nox), SWITCH, 100)] == [False]


@pytest.mark.parametrize(
    ("count", "began", "ended", "previous", "lost"),
    [
        (1, BEFORE, AFTER, None, "what it logged before is gone"),
        (1, "", "", None, "what it logged before is gone"),
        (1, "2026-01-01T00:00:00Z", BEFORE, None, ""),
        (1, AFTER, AFTER, "2026-01-01T00:06:00Z INFO\n", ""),
        (2, BEFORE, AFTER, "2026-01-01T00:04:00Z INFO\n", ""),
        (2, AFTER, AFTER, "2026-01-01T00:06:00Z INFO\n", "restarted 2 times, and only the last log"),
        (1, BEFORE, AFTER, "2026-01-01T00:05:30Z INFO\n", "rotated away"),
        (1, BEFORE, AFTER, NOT_ON_THE_NODE, "is gone"),
    ],
)
def test_log_before_that_nobody_can_read(
    server: Server,
    nox: Workload,
    seen: list[Observation],
    count: int,
    began: str,
    ended: str,
    previous: str | None,
    lost: str,
) -> None:
    """Of the time since the switch: what ended before it is left out."""
    placed(server, nox, previous)

    found = logs(server, "admin", seen).of(restarted(nox, count, began, ended), SWITCH, 100)

    assert lost in found[1].lost
    assert bool(lost) == bool(found[1].lost)
    if lost:
        with pytest.raises(UnreachableError, match=r": look for errors where logs are collected$"):
            refuse_lost(found)
    else:
        refuse_lost(found)


def test_log_that_the_node_no_longer_has(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """The kubelet says so with status 200, as if the container had written it."""
    nox.log.unlink()

    with pytest.raises(UnreachableError, match=r"the log of nox-api-0 nox-api: unable to retrieve"):
        logs(server, "admin", seen).of(of(nox), SWITCH, 100)
    assert "could not look" in seen[0].seen


def test_lines_are_the_containers_own(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """In their order, though many have one moment; what only Unicode calls the end of a line is text."""
    at = "2026-01-01T00:06:00Z"
    lines = [f"{at} b \u2028 one line", "  second", f"{at} a", f"{at} ERROR\r", f"{at} a"]
    nox.log.write_text("\n".join(lines) + "\n")

    (log,) = logs(server, "admin", seen).of(of(nox), SWITCH, 2)

    assert list(log.lines) == [line.removesuffix("\r") for line in lines]


def test_sidecars_are_read_too() -> None:
    """Those among the init containers that run on; the others have ended before."""
    spec = {
        "containers": [{"name": "nox-api"}],
        "initContainers": [{"name": "migrate"}, {"name": "proxy", "restartPolicy": "Always"}],
    }

    assert containers_of({"spec": spec}) == ["nox-api", "proxy"]


@pytest.mark.parametrize(
    ("last", "since", "expected"),
    [
        ("bcd", "cde", "bcde"),
        ("cd", "abcde", "abcde"),
        ("ab", "cd", "abcd"),
        ("ab", "", "ab"),
        ("", "ab", "ab"),
        ("", "", ""),
    ],
)
def test_last_lines_and_all_since(last: str, since: str, expected: str) -> None:
    """Two looks at one log, each line once."""
    assert together(last, since) == list(expected)


def test_logs_without_the_right(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """Nothing is known then, and the reason names the role."""
    with pytest.raises(UnreachableError, match=r"bind the role of docs/roles/look\.yaml"):
        logs(server, "reader", seen).of(of(nox), None, 100)


def test_logs_that_are_too_long(
    server: Server, nox: Workload, seen: list[Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a log without an error does not show that the whole has no error."""
    monkeypatch.setattr("noxgate.systems.kubernetes.pod_logs.MOST_BYTES", 100)
    nox.log.write_text("2026-01-01T00:00:00Z x\n" * 100)

    with pytest.raises(UnreachableError, match="more than 100 bytes"):
        logs(server, "admin", seen).of(of(nox), None, 100)
