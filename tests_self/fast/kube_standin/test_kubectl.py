"""The real kubectl against the stand-in: the runbook's lines, and what an engineer types beside them.

Where kubectl is missing or too old, this file is left out; the header says so.
"""

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.kubectl import Kubectl, rows
from tests_self.kubernetes.servers import Server
from tests_self.kubernetes.workload import MERGE, Workload

from noxgate.look.waiting import eventually


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


def test_wait(kubectl: Kubectl, admin: httpx.Client, nox: Workload) -> None:
    """Until the condition holds, also when it comes later; at once if there are no pods."""
    wait = ("wait", "--for=condition=ready", "pod")
    nothing = kubectl(*wait, "-l", "app=no-such", "--timeout=300s", fails=True)
    not_ready = [{"type": "Ready", "status": "False"}]
    admin.patch(f"{nox.pod}/status", json={"status": {"conditions": not_ready}}, headers=MERGE)
    in_vain = kubectl(*wait, "-l", "app=nox-api", "--timeout=1s", fails=True)
    with kubectl.running(*wait, "-l", "app=nox-api", "--timeout=25s") as waiting:
        admin.patch(f"{nox.pod}/status", json=examples.running(), headers=MERGE)
        met = waiting.wait(timeout=30)

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
    done = kubectl("rollout", "status", "deployment/nox-api", "--timeout=25s")
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
        answers = [httpx.get(f"{url}/{path}", timeout=60) for path in ("health", "large")]
        with httpx.Client(timeout=60) as client:
            kept = [client.get(f"{url}/{number}").text for number in range(3)]

    assert line.endswith("-> 3000\n")
    assert [(answer.status_code, len(answer.text)) for answer in answers] == [(200, 12), (200, 300_011)]
    assert kept == ["GET /0 ", "GET /1 ", "GET /2 "]


def test_port_forward_to_a_port_that_nobody_listens_on(kubectl: Kubectl) -> None:
    with kubectl.running("port-forward", "pod/nox-api-0", ":9999") as forward:
        assert forward.stdout is not None
        port = forward.stdout.readline().split(" -> ")[0].rpartition(":")[2]
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/", timeout=60)
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
        done = subprocess.run(command, stdin=theirs, stdout=subprocess.PIPE, check=False, timeout=120)
    finally:
        os.close(ours)
        os.close(theirs)

    assert done.stdout == b"out\r\nerr\r\n"


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
    kubectl("wait", "--for=condition=established", "crd/podmonitors.monitoring.coreos.com", "--timeout=25s")
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

    eventually(applied, within=60)
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
        timeout=120,
    )
    saved = json.loads((tmp_path / "rollback_manifests_1.yaml").read_text())

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    names = [(each["kind"], each["metadata"]["name"]) for each in saved["items"]]
    ours = [("Deployment", "nox-api"), ("Service", "nox-api")]  # of the fixture
    assert sorted(names) == sorted([("ConfigMap", "settings"), ("NetworkPolicy", "default"), *ours])
    assert all("status" not in each and "uid" not in each["metadata"] for each in saved["items"])
