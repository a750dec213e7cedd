"""Pods are as their processes are; deployments and autoscalers as Kubernetes has them."""

import os
import signal

import pytest
from tests_self.fast.nox_rehearsal.cluster.watched import HERE, IMAGE, Cluster, Json, deployment, thing

from nox_rehearsal.cluster import processes
from nox_rehearsal.cluster.controllers import Controllers
from nox_rehearsal.cluster.objects import path_of
from nox_rehearsal.cluster.processes import Slot, answers, probe_of


def autoscaler(minimum: int) -> Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nox-api"}
    spec = {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": 10}
    return thing("HorizontalPodAutoscaler", apiVersion="autoscaling/v2", spec=spec)


def conditions(status: Json) -> list[tuple[str, str, str]]:
    return [(each["type"], each["status"], each.get("reason", "")) for each in status["conditions"]]


def test_pods_are_as_their_processes_are(cluster: Cluster) -> None:
    pod = cluster.pods()["nox-2"]
    (owner,) = pod["metadata"]["ownerReferences"]
    replica_set = cluster.api.get("ReplicaSet", owner["name"], HERE)

    assert replica_set["metadata"]["ownerReferences"][0]["name"] == "nox-api"
    assert pod["metadata"]["labels"]["pod-template-hash"] == owner["name"].rpartition("-")[2]
    assert pod["spec"]["nodeName"] == "rehearsal-node"
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"] == "10.1.0.2"
    assert [kind for kind, status, _ in conditions(pod["status"]) if status == "True"] == [
        "PodScheduled",
        "Initialized",
        "ContainersReady",
        "Ready",
    ]
    assert cluster.containers() == dict.fromkeys(cluster.ports, (True, 0))
    assert cluster.endpoints() == dict.fromkeys(cluster.ports, True)
    assert cluster.upstreams() == sorted(cluster.ports.values())


def test_a_process_that_dies_and_comes_back(cluster: Cluster) -> None:
    cluster.kill("nox-2")
    cluster.look()
    dead = cluster.pods()["nox-2"]["status"]["containerStatuses"][0]
    status = cluster.status("Deployment")
    lost = cluster.containers()["nox-2"], cluster.endpoints()["nox-2"], cluster.upstreams()
    cluster.crew.start("nox-2")
    cluster.look()
    back = cluster.pods()["nox-2"]["status"]["containerStatuses"][0]

    assert lost == ((False, 0), False, sorted(set(cluster.ports.values()) - {cluster.ports["nox-2"]}))
    assert dead["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert dead["lastState"]["terminated"]["exitCode"] == 137
    assert status["readyReplicas"] == 2
    assert status["unavailableReplicas"] == 1
    assert conditions(status) == [
        ("Available", "False", "MinimumReplicasUnavailable"),
        ("Progressing", "True", "NewReplicaSetAvailable"),
    ]
    assert cluster.containers() == {"nox-1": (True, 0), "nox-2": (True, 1), "nox-3": (True, 0)}
    assert "running" in back["state"]
    assert back["lastState"] == dead["lastState"]
    assert cluster.upstreams() == sorted(cluster.ports.values())


def test_a_process_that_comes_back_between_two_looks(cluster: Cluster) -> None:
    cluster.kill("nox-1")
    cluster.crew.start("nox-1")
    cluster.look()
    status = cluster.pods()["nox-1"]["status"]["containerStatuses"][0]

    assert (status["ready"], status["restartCount"]) == (True, 1)
    assert status["lastState"]["terminated"]["exitCode"] == 137


def test_a_process_that_hangs_is_not_ready(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three late answers, as a kubelet has it."""
    pid = cluster.crew.pids()["nox-3"]
    os.kill(pid, signal.SIGSTOP)
    seen = []
    try:
        with monkeypatch.context() as impatient:
            impatient.setattr(processes, "PATIENCE", 0.3)
            for _ in range(4):
                cluster.controllers.tick()
                seen.append(cluster.containers()["nox-3"])
    finally:
        os.kill(pid, signal.SIGCONT)
    cluster.look()

    assert seen == [(True, 0)] * 2 + [(False, 0)] * 2
    assert cluster.containers()["nox-3"] == (True, 0)


def test_late_answers_count_in_a_row_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter([None, True, None, None, True, None, None, None, None, True, False])
    monkeypatch.setattr(processes, "answers", lambda _: next(said))
    readiness = processes.Readiness()

    found = [readiness.looked(processes.Probe(1, "/")) for _ in range(11)]
    assert found == [False, *[True] * 6, *[False] * 2, True, False]


def test_a_pod_deleted_by_hand_is_made_anew(cluster: Cluster) -> None:
    """While its process is down it is being created; the start that follows is its first."""
    before = cluster.pods()["nox-1"]["metadata"]["uid"]
    cluster.kill("nox-1")
    cluster.api.send("DELETE", path_of("Pod", "nox-1", HERE))
    assert "deletionTimestamp" in cluster.pods()["nox-1"]["metadata"]
    cluster.look()
    pod = cluster.pods()["nox-1"]
    cluster.crew.start("nox-1")
    cluster.look()

    assert pod["metadata"]["uid"] != before
    assert pod["status"]["phase"] == "Pending"
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert cluster.containers()["nox-1"] == (True, 0)


def test_a_pod_of_nobody_that_is_to_go_goes(cluster: Cluster) -> None:
    spec = {"nodeName": "rehearsal-node", "containers": [{"name": "shell", "image": "busybox"}]}
    cluster.apply(thing("Pod", "shell", spec=spec))
    cluster.look()
    assert "shell" in cluster.pods()
    cluster.api.send("DELETE", path_of("Pod", "shell", HERE))
    cluster.look()

    assert set(cluster.pods()) == set(cluster.ports)


def test_fewer_replicas(cluster: Cluster) -> None:
    cluster.apply(deployment(replicas=1))
    cluster.look()
    (replica_set,) = cluster.api.list("ReplicaSet", HERE)

    assert cluster.containers() == {"nox-1": (True, 0)}
    assert cluster.upstreams() == [cluster.ports["nox-1"]]
    assert replica_set["spec"]["replicas"] == 1
    assert cluster.status("Deployment")["replicas"] == 1


def test_another_template(cluster: Cluster) -> None:
    """Its image is not there: the pods are of the new template, and do not run."""
    cluster.apply(deployment(image="registry.nox.example/nox-api:v8.0.1"))
    cluster.look()
    status = cluster.status("Deployment")
    states = [pod["status"]["containerStatuses"][0]["state"] for pod in cluster.pods().values()]
    replica_sets = cluster.api.list("ReplicaSet", HERE)

    assert {state["waiting"]["reason"] for state in states} == {"ImagePullBackOff"}
    assert status["updatedReplicas"] == 3
    assert "readyReplicas" not in status
    assert conditions(status)[1] == ("Progressing", "True", "ReplicaSetUpdated")
    assert sorted(each["spec"]["replicas"] for each in replica_sets) == [0, 3]
    assert cluster.upstreams() == []


def test_nothing_is_written_while_nothing_changes(cluster: Cluster) -> None:
    """Also by controllers that are new, and remember nothing."""
    cluster.apply(autoscaler(3))
    cluster.look()
    before = cluster.versions()
    for _ in range(3):
        cluster.controllers.tick()
    new = Controllers(cluster.controllers.settings, cluster.api)
    for _ in range(3):
        new.tick()

    assert cluster.versions() == before


def test_an_odd_object_keeps_nobody_from_the_others(cluster: Cluster) -> None:
    """Such as a Deployment that wants a pod which somebody else has made."""
    cluster.apply(deployment(replicas=1))
    cluster.look()
    spec = {"containers": [{"name": "nox-api", "image": IMAGE}]}
    cluster.apply(thing("Pod", "nox-2", spec=spec), deployment(replicas=3))
    cluster.controllers.tick()
    cluster.kill("nox-1")
    cluster.controllers.tick()

    assert len(cluster.controllers.problems) == 1
    assert "already exists" in cluster.controllers.problems[0]
    assert cluster.containers()["nox-1"] == (False, 0)


def test_the_probe_asks_the_port_that_it_names() -> None:
    slot = Slot(HERE, "nox-1", "nox-1", "10.1.0.1", {"3000": 1, "3001": 2}, IMAGE, "", "nox-api")
    container: Json = deployment()["spec"]["template"]["spec"]["containers"][0]

    for port, real in (("http", 1), ("websocket", 2), (3001, 2), (9, 0)):
        container["readinessProbe"] = {"httpGet": {"path": "/health", "port": port}}
        assert probe_of({"spec": {"containers": [container]}}, slot) == (real, "/health")
    del container["readinessProbe"]
    assert probe_of({"spec": {"containers": [container]}}, slot) is None
    container["readinessProbe"] = {"httpGet": {"port": 9}}
    probe = probe_of({"spec": {"containers": [container]}}, slot)
    assert probe is not None
    assert not answers(probe)


def test_an_autoscaler_raises_to_its_minimum(cluster: Cluster) -> None:
    cluster.apply(deployment(replicas=1), autoscaler(2))
    cluster.look()
    status = cluster.status("HorizontalPodAutoscaler")

    assert set(cluster.pods()) == {"nox-1", "nox-2"}
    assert cluster.api.get("Deployment", "nox-api", HERE)["spec"]["replicas"] == 2
    assert (status["currentReplicas"], status["desiredReplicas"]) == (2, 2)
    assert conditions(status) == [
        ("AbleToScale", "True", "ReadyForNewScale"),
        ("ScalingActive", "True", "ValidMetricFound"),
        ("ScalingLimited", "True", "TooFewReplicas"),
    ]


def test_an_autoscaler_without_a_request_for_cpu(cluster: Cluster) -> None:
    cluster.apply(deployment(resources={}), autoscaler(3))
    cluster.look()
    status = cluster.status("HorizontalPodAutoscaler")

    assert conditions(status) == [
        ("AbleToScale", "True", "SucceededGetScale"),
        ("ScalingActive", "False", "FailedGetResourceMetric"),
    ]
    assert "missing request for cpu in container nox-api" in status["conditions"][1]["message"]


def test_an_autoscaler_without_a_ready_pod(cluster: Cluster) -> None:
    cluster.apply(autoscaler(3))
    cluster.look()
    for name in cluster.ports:
        cluster.kill(name)
    cluster.look()

    assert conditions(cluster.status("HorizontalPodAutoscaler"))[1:] == [
        ("ScalingActive", "False", "FailedGetResourceMetric"),
        ("ScalingLimited", "True", "TooFewReplicas"),
    ]


def test_an_autoscaler_of_nothing(cluster: Cluster) -> None:
    cluster.apply(autoscaler(3))
    cluster.api.send("DELETE", path_of("Deployment", "nox-api", HERE))
    cluster.look()

    assert conditions(cluster.status("HorizontalPodAutoscaler"))[0] == (
        "AbleToScale",
        "False",
        "FailedGetScale",
    )
