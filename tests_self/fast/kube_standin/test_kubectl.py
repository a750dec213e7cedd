"""The real kubectl against the stand-in: the runbook's lines, and what an engineer types beside them.

Where kubectl is missing or too old, this file is left out; the header says so.
"""

import json
import os
import pty
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server, kubectl_path
from tests_self.kubernetes.workload import MERGE, Workload

from noxgate.look.waiting import eventually
from noxgate.systems.kubernetes.api_server.applying import change

NAIVE = {"http": {"paths": [{"backend": {"service": {"name": "green", "port": {"number": 80}}}}]}}


@dataclass(frozen=True)
class Kubectl:
    """kubectl with the stand-in's kubeconfig, in one namespace."""

    path: str
    config: Path
    namespace: str

    def command(self, *arguments: str) -> list[str]:
        return [self.path, f"--kubeconfig={self.config}", "-n", self.namespace, *arguments]

    def __call__(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        """What it prints. Raises AssertionError if it ends in another way than it should."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, check=False, timeout=30
        )
        output = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, output
        return output

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start it, and end it in the end, or when it takes too long."""
        process = subprocess.Popen(
            self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.terminate()
            process.communicate(timeout=10)


@pytest.fixture
def kubectl(server: Server, nox: Workload) -> Kubectl:
    return Kubectl(kubectl_path() or "kubectl", server.kubeconfig(), nox.namespace)


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., str]:
    """Write objects to a file for kubectl."""

    def write(*objects: examples.Json) -> str:
        path = tmp_path / "manifest.json"
        path.write_text("\n".join(json.dumps(each) for each in objects))
        return str(path)

    return write


def rows(output: str) -> list[list[str]]:
    """The cells of a printed table, without its last line's end."""
    return [line.split() for line in output.splitlines()]


def test_get_pods(kubectl: Kubectl) -> None:
    head, row = rows(kubectl("get", "pods", "-o", "wide"))

    assert head[:6] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP"]
    assert (row[:4], row[5]) == (["nox-api-0", "1/1", "Running", "0"], "10.1.0.1")


def test_get_services_ingresses_and_autoscalers(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "nox-api-hpa-green"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nox-api"},
            "minReplicas": 3,
            "maxReplicas": 10,
        },
    }
    kubectl("apply", "-f", manifest(examples.ingress(), autoscaler))
    printed = {row[0]: row[1:] for row in rows(kubectl("get", "svc,ingress,hpa", "--no-headers"))}

    assert printed["service/nox-api"][0::2] == ["ClusterIP", "<none>", printed["service/nox-api"][4]]
    assert printed["ingress.networking.k8s.io/nox-api-ingress"][:3] == ["<none>", "api.example.com", "80"]
    assert printed["horizontalpodautoscaler.autoscaling/nox-api-hpa-green"][:6] == [
        "Deployment/nox-api",
        "cpu:",
        "<unknown>/80%",
        "3",
        "10",
        "0",
    ]


def test_get_as_json_yaml_and_by_path(kubectl: Kubectl) -> None:
    as_json = json.loads(kubectl("get", "pod", "nox-api-0", "-o", "json"))
    as_yaml = kubectl("get", "pod", "nox-api-0", "-o", "yaml")
    by_path = kubectl("get", "pods", "-l", "app=nox-api", "-o", "jsonpath={.items[*].status.podIP}")

    assert as_json["metadata"]["name"] == "nox-api-0"
    assert "  name: nox-api-0" in as_yaml.splitlines()
    assert by_path == "10.1.0.1"


def test_get_all_has_no_ingress_secret_or_config_map(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    kubectl("apply", "-f", manifest(examples.ingress(), examples.config_map(), secret))
    found = json.loads(kubectl("get", "all", "-o", "json"))["items"]

    assert sorted(item["kind"] for item in found) == ["Deployment", "Pod", "Service"]


@pytest.mark.parametrize("what", ["pod/nox-api-0", "deployment/nox-api", "svc/nox-api", "ns/{namespace}"])
def test_describe(kubectl: Kubectl, what: str) -> None:
    text = kubectl("describe", what.format(namespace=kubectl.namespace))

    assert text.startswith("Name:")


def test_describe_shows_events_and_backends(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    uid = kubectl("get", "pod", "nox-api-0", "-o", "jsonpath={.metadata.uid}")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {
            "kind": "Pod",
            "name": "nox-api-0",
            "namespace": kubectl.namespace,
            "uid": uid,
        },
        "reason": "Started",
        "message": "Started container",
        "type": "Normal",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    ingress = examples.ingress()
    ingress["spec"]["rules"][0]["http"]["paths"] = [examples.ingress_path("/", "nox-api")]
    kubectl("apply", "-f", manifest(event, ingress))

    assert "Started container" in kubectl("describe", "pod", "nox-api-0")
    assert "nox-api:80 (10.1.0.1:3000)" in kubectl("describe", "ingress", "nox-api-ingress")
    assert rows(kubectl("get", "events", "--no-headers"))[0][1:4] == ["Normal", "Started", "pod/nox-api-0"]


def test_apply(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    """Create and update; what the file says no more goes, what it never said stays."""
    objects = [examples.deployment("other"), examples.ingress()]
    dry = kubectl("apply", "-f", manifest(*objects), "--dry-run=server")
    nothing = kubectl("get", "ingress")
    created = kubectl("apply", "-f", manifest(*objects))
    same = kubectl("apply", "-f", manifest(*objects))
    kubectl("scale", "deployment", "other", "--replicas=5")
    del objects[0]["spec"]["replicas"]
    container = objects[0]["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "C", "value": "3"}, {"name": "A", "value": "1"}]
    kubectl("apply", "-f", manifest(*objects))
    read = json.loads(kubectl("get", "deployment", "other", "-o", "json"))["spec"]

    assert [line.split()[1:] for line in dry.splitlines()] == [["created", "(server", "dry", "run)"]] * 2
    assert nothing.startswith("No resources found")
    assert [line.split()[1] for line in created.splitlines()] == ["created", "created"]
    assert [line.split()[1] for line in same.splitlines()] == ["unchanged", "unchanged"]
    assert read["template"]["spec"]["containers"][0]["env"] == container["env"]


def test_apply_refuses_an_unknown_field(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    output = kubectl("apply", "-f", manifest(examples.deployment("other", replica=3)), fails=True)

    assert 'strict decoding error: unknown field "spec.replica"' in output


def test_apply_by_the_server(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    kubectl("apply", "--server-side", "-f", manifest(examples.config_map(a="1")))
    path = manifest(examples.config_map(a="2"))
    refused = kubectl("apply", "--server-side", "--field-manager=gate", "-f", path, fails=True)

    assert 'conflict with "kubectl": .data.a' in refused


def test_apply_by_the_server_after_apply_by_the_client(
    kubectl: Kubectl, manifest: Callable[..., str]
) -> None:
    """Its fields are handed over, so what the file says no more goes."""
    kubectl("apply", "-f", manifest(examples.config_map(a="1", b="2")))
    kubectl("apply", "--server-side", "-f", manifest(examples.config_map(a="1")))
    kubectl("apply", "--server-side", "-f", manifest(examples.config_map(a="3")))

    assert json.loads(kubectl("get", "cm", "settings", "-o", "json"))["data"] == {"a": "3"}


def test_diff(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    kubectl("apply", "-f", manifest(examples.config_map(a="1")))
    same = kubectl("diff", "-f", manifest(examples.config_map(a="1")))
    changed = kubectl("diff", "-f", manifest(examples.config_map(a="2")), fails=True)

    assert same == ""
    assert {'-  a: "1"', '+  a: "2"'} <= set(changed.splitlines())


def test_patch(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    """The runbook's switch is refused; a JSON patch with a test keeps the host and the paths."""
    kubectl("apply", "-f", manifest(examples.ingress()))
    patch = ("patch", "ingress", "nox-api-ingress")
    name = "/spec/rules/0/http/paths/0/backend/service/name"
    refused = kubectl(*patch, "-p", json.dumps({"spec": {"rules": [NAIVE]}}), fails=True)
    safe = [
        {"op": "test", "path": name, "value": "blue"},
        {"op": "replace", "path": name, "value": "green"},
    ]
    kubectl(*patch, "--type=json", "-p", json.dumps(safe))
    again = kubectl(*patch, "--type=json", "-p", json.dumps(safe), fails=True)
    kubectl(*patch, "--type=merge", "-p", json.dumps({"metadata": {"labels": {"a": "b"}}}))
    read = json.loads(kubectl("get", "ingress", "nox-api-ingress", "-o", "json"))

    assert refused == (
        'The Ingress "nox-api-ingress" is invalid: spec.rules[0].http.paths[0].pathType: '
        "Required value: pathType must be specified\n"
    )
    assert "The request is invalid: the server rejected our request" in again
    assert read["metadata"]["labels"] == {"a": "b"}
    assert [path["backend"]["service"]["name"] for path in read["spec"]["rules"][0]["http"]["paths"]] == [
        "green",
        "blue",
    ]


def test_wait(kubectl: Kubectl, admin: httpx.Client, nox: Workload) -> None:
    """Until the condition holds, also when it comes later; at once if there are no pods."""
    wait = ("wait", "--for=condition=ready", "pod")
    nothing = kubectl(*wait, "-l", "app=no-such", "--timeout=300s", fails=True)
    not_ready = [{"type": "Ready", "status": "False"}]
    admin.patch(f"{nox.pod}/status", json={"status": {"conditions": not_ready}}, headers=MERGE)
    in_vain = kubectl(*wait, "-l", "app=nox-api", "--timeout=1s", fails=True)
    with kubectl.running(*wait, "-l", "app=nox-api", "--timeout=10s") as waiting:
        admin.patch(f"{nox.pod}/status", json=examples.running(), headers=MERGE)
        met = waiting.wait(timeout=10)

    assert nothing == "error: no matching resources found\n"
    assert "timed out waiting for the condition on pods/nox-api-0" in in_vain
    assert met == 0


def test_logs(kubectl: Kubectl, nox: Workload) -> None:
    tail = kubectl("logs", "nox-api-0", "--tail=1")
    of_deployment = kubectl("logs", "deployment/nox-api", "--tail=2")
    with kubectl.running("logs", "-f", "deployment/nox-api", "--tail=1") as following:
        assert following.stdout is not None
        first = following.stdout.readline()
        with nox.log.open("a") as log:
            log.write("four\n")
        second = following.stdout.readline()

    assert tail.endswith(" three\n")
    assert [line.split()[1] for line in of_deployment.splitlines()] == ["two", "three"]
    assert (first.split()[1], second) == ("three", "four\n")


def test_scale_and_rollout(kubectl: Kubectl, admin: httpx.Client, nox: Workload) -> None:
    path = f"/apis/apps/v1/namespaces/{nox.namespace}/deployments/nox-api"
    kubectl("scale", "deployment", "nox-api", "--replicas=2")
    waiting = kubectl("rollout", "status", "deployment/nox-api", "--timeout=1s", fails=True)
    status = {
        "observedGeneration": 2,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
    }
    admin.patch(f"{path}/status", json={"status": status}, headers=MERGE)
    done = kubectl("rollout", "status", "deployment/nox-api", "--timeout=5s")
    row = rows(kubectl("get", "deployment", "nox-api", "--no-headers"))[0]

    assert "Waiting for deployment spec update to be observed" in waiting
    assert 'deployment "nox-api" successfully rolled out' in done
    assert row[:4] == ["nox-api", "2/2", "2", "2"]


def test_rights(kubectl: Kubectl, server: Server) -> None:
    reader = Kubectl(kubectl.path, server.kubeconfig("reader"), kubectl.namespace)

    assert kubectl("auth", "can-i", "patch", "ingress") == "yes\n"
    assert reader("auth", "can-i", "patch", "ingress", fails=True) == "no\n"
    assert "selfsubjectaccessreviews" in reader("auth", "can-i", "--list")
    assert 'cannot list resource "pods"' in reader("get", "pods", fails=True)


def test_port_forward(kubectl: Kubectl) -> None:
    """Through kubectl's own SPDY tunnel, several requests and a large answer."""
    with kubectl.running("port-forward", "svc/nox-api", ":80") as forward:
        assert forward.stdout is not None
        line = forward.stdout.readline()
        url = f"http://127.0.0.1:{line.split(' -> ')[0].rpartition(':')[2]}"
        answers = [httpx.get(f"{url}/{path}") for path in ("health", "large")]
        with httpx.Client() as client:
            kept = [client.get(f"{url}/{number}").text for number in range(3)]

    assert line.endswith("-> 3000\n")
    assert [(answer.status_code, len(answer.text)) for answer in answers] == [(200, 12), (200, 300_011)]
    assert kept == ["GET /0 ", "GET /1 ", "GET /2 "]


def test_port_forward_to_a_port_that_nobody_listens_on(kubectl: Kubectl) -> None:
    with kubectl.running("port-forward", "pod/nox-api-0", ":9999") as forward:
        assert forward.stdout is not None
        port = forward.stdout.readline().split(" -> ")[0].rpartition(":")[2]
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/")
        lines = [forward.stdout.readline() for _ in range(3)]

    assert "connection refused" in "".join(lines)


def test_exec(kubectl: Kubectl) -> None:
    output = kubectl("exec", "nox-api-0", "--", "sh", "-c", "echo out $COLOUR; echo err >&2")
    piped = kubectl("exec", "-i", "nox-api-0", "--", "cat", stdin="text\n" * 10_000)
    failed = kubectl("exec", "nox-api-0", "--", "sh", "-c", "exit 3", fails=True)
    missing = kubectl("exec", "nox-api-0", "--", "psql", fails=True)

    assert sorted(output.splitlines()) == ["err", "out green"]
    assert piped == "text\n" * 10_000
    assert "command terminated with exit code 3" in failed
    assert '"psql": executable file not found in $PATH' in missing


def test_a_script_in_a_pipe(kubectl: Kubectl) -> None:
    """How the science check runs: an interpreter in the pod that reads its program."""
    output = kubectl("exec", "-i", "nox-api-0", "--", "python", "-", stdin="print(6 * 7)\n")

    assert output == "42\n"


def test_a_terminal_spoils_what_is_saved(kubectl: Kubectl) -> None:
    """Why `exec -it ... > dump.sql` spoils a backup: carriage returns, and both outputs in one."""
    ours, theirs = pty.openpty()
    command = kubectl.command("exec", "-it", "nox-api-0", "--", "sh", "-c", "echo out; echo err >&2")
    try:
        done = subprocess.run(command, stdin=theirs, stdout=subprocess.PIPE, check=False, timeout=20)
    finally:
        os.close(ours)
        os.close(theirs)

    assert done.stdout == b"out\r\nerr\r\n"


def test_replaying_what_was_saved(kubectl: Kubectl, tmp_path: Path) -> None:
    """The runbook's rollback file: it is refused as soon as anything has changed since."""
    saved = tmp_path / "saved.yaml"
    saved.write_text(kubectl("get", "all", "-o", "yaml"))
    kubectl("scale", "deployment", "nox-api", "--replicas=5")
    output = kubectl("replace", "-f", str(saved), fails=True)

    assert "the object has been modified" in output


def test_delete(kubectl: Kubectl) -> None:
    printed = kubectl("delete", "pod", "nox-api-0")
    missing = kubectl("get", "pod", "nox-api-0", fails=True)
    again = kubectl("delete", "pod", "nox-api-0", "--ignore-not-found")

    assert printed == 'pod "nox-api-0" deleted\n' or printed.startswith('pod "nox-api-0" deleted from')
    assert missing == 'Error from server (NotFound): pods "nox-api-0" not found\n'
    assert again == ""


def test_watching_a_pod_come_and_go(kubectl: Kubectl, admin: httpx.Client, nox: Workload) -> None:
    with kubectl.running("get", "pods", "--watch", "--no-headers") as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        body: dict[str, Any] = examples.pod("nox-api-1")
        admin.post(nox.pod.rpartition("/")[0], json=body)
        second = watching.stdout.readline()

    assert [line.split()[:3] for line in (first, second)] == [
        ["nox-api-0", "1/1", "Running"],
        ["nox-api-1", "0/1", "Pending"],
    ]


def test_a_custom_kind(kubectl: Kubectl, manifest: Callable[..., str]) -> None:
    kubectl("apply", "-f", manifest(examples.definition()))
    kubectl("wait", "--for=condition=established", "crd/podmonitors.monitoring.coreos.com", "--timeout=5s")
    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": "nox-api-podmonitor"},
        "spec": {"jobLabel": "nox", "selector": {"matchLabels": {"app": "nox-api"}}},
    }

    def applied() -> None:  # kubectl keeps what it has discovered for a while
        assert "podmonitor.monitoring.coreos.com/nox-api-podmonitor" in kubectl(
            "apply", "-f", manifest(monitor)
        )

    eventually(applied, within=10)
    assert rows(kubectl("get", "podmonitors")) == [["NAME", "JOB"], ["nox-api-podmonitor", "nox"]]


def test_the_documented_way_to_save_the_rollback_manifests(
    kubectl: Kubectl, admin: httpx.Client, namespace: str, tmp_path: Path
) -> None:
    """Every kind of the command is served; what a cluster makes itself goes, a policy `default` stays."""
    page = (Path(__file__).parents[3] / "docs" / "BACKUP.md").read_text()
    found = re.search(
        r"^kubectl get deploy.*?^    > rollback_manifests_\$NOW.yaml$", page, re.DOTALL | re.MULTILINE
    )
    assert found is not None
    core, networking = f"/api/v1/namespaces/{namespace}", "/apis/networking.k8s.io/v1"
    policy = {"metadata": {"name": "default"}, "spec": {"podSelector": {}}}
    admin.post(f"{networking}/namespaces/{namespace}/networkpolicies", json=policy)
    admin.post(f"{core}/configmaps", json=examples.config_map("settings", a="1"))
    admin.post(f"{core}/configmaps", json=examples.config_map("kube-root-ca.crt"))
    admin.post(f"{core}/serviceaccounts", json={"metadata": {"name": "default"}})
    command = found[0].replace("-n nox-production", f"-n {namespace}").replace("$NOW", "1")
    environment = os.environ | {"KUBECONFIG": str(kubectl.config)}
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    saved = json.loads((tmp_path / "rollback_manifests_1.yaml").read_text())

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    names = [(each["kind"], each["metadata"]["name"]) for each in saved["items"]]
    ours = [("Deployment", "nox-api"), ("Service", "nox-api")]  # of the fixture
    assert sorted(names) == sorted([("ConfigMap", "settings"), ("NetworkPolicy", "default"), *ours])
    assert all("status" not in each and "uid" not in each["metadata"] for each in saved["items"])


def pod_of(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a Deployment's pod."""
    return lambda made: made["spec"]["template"]["spec"].update(fields)


def first(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of a Deployment's first container; None takes a field away."""

    def change_it(made: dict[str, Any]) -> None:
        container = made["spec"]["template"]["spec"]["containers"][0]
        container.update(fields)
        for name in [name for name, value in container.items() if value is None]:
            del container[name]

    return change_it


def without_sidecar(made: dict[str, Any]) -> None:
    made["spec"]["template"]["spec"]["containers"].pop()


FROM = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "a"}}}
KEPT = {"name": "data", "emptyDir": {}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            first(), lambda made: made["spec"]["template"]["spec"]["containers"].pop(), id="container"
        ),
        pytest.param(first(), first(env=[{"name": "B", "value": "2"}]), id="variable"),
        pytest.param(first(), first(env=None), id="variables"),
        pytest.param(first(env=[FROM]), first(env=[{"name": "A", "value": "1"}]), id="variable's source"),
        pytest.param(first(), first(ports=[{"containerPort": 3001}]), id="port"),
        pytest.param(first(), first(ports=[{"containerPort": 3002, "name": "http"}]), id="other port"),
        pytest.param(
            first(volumeMounts=[{"name": "data", "mountPath": "/a"}, {"name": "data", "mountPath": "/b"}]),
            first(volumeMounts=[{"name": "data", "mountPath": "/b", "readOnly": True}]),
            id="mount",
        ),
        pytest.param(
            pod_of(initContainers=[{"name": "one", "image": "a"}, {"name": "two", "image": "b"}]),
            pod_of(initContainers=[{"name": "two", "image": "c"}]),
            id="init container",
        ),
        pytest.param(pod_of(initContainers=[{"name": "one", "image": "a"}]), first(), id="init containers"),
        pytest.param(
            pod_of(imagePullSecrets=[{"name": "a"}, {"name": "b"}]),
            pod_of(imagePullSecrets=[{"name": "b"}]),
            id="pull secret",
        ),
        pytest.param(first(args=["a", "b"]), first(args=["b"]), id="a list without names"),
    ],
)
def test_what_a_manifest_has_no_longer_goes_as_kubectl_lets_it_go(
    before: Callable[[dict[str, Any]], None],
    after: Callable[[dict[str, Any]], None],
    kubectl: Kubectl,
    manifest: Callable[..., str],
    admin: httpx.Client,
) -> None:
    """The gate's patch leaves what kubectl's leaves; an old source beside a new value would be refused."""
    made: list[dict[str, Any]] = []
    for edit in (before, after):
        one = examples.deployment("changing")
        one["spec"]["template"]["spec"]["volumes"] = [KEPT]
        edit(one)
        made.append(one)
    kubectl("apply", "-f", manifest(made[0]))
    path = f"/apis/apps/v1/namespaces/{kubectl.namespace}/deployments/changing"
    sent = change(made[1], kubectl.namespace, "apps", admin.get(path).json())

    ours = admin.request(
        sent.method, path, params={"dryRun": "All"}, json=sent.body, headers={"content-type": sent.media_type}
    )
    theirs = json.loads(kubectl("apply", "--dry-run=server", "-o", "json", "-f", manifest(made[1])))
    assert ours.json()["spec"] == theirs["spec"]
