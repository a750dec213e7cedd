"""Defaults that follow from what an object says: a function for each model, or for a whole kind."""

import base64
from collections.abc import Callable

from kube_standin.wire.answers import Json

AFFINITY_SECONDS = 10_800
NO_EXECUTE_SECONDS = 300


def _container(container: Json) -> None:
    if "imagePullPolicy" not in container:
        image = str(container.get("image", ""))
        name, at, _ = image.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        latest = tag == "latest" or (not tag and not at)
        container["imagePullPolicy"] = "Always" if latest else "IfNotPresent"


def _deployment_spec(spec: Json) -> None:
    strategy = spec["strategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def _stateful_set_spec(spec: Json) -> None:
    strategy = spec["updateStrategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)


def _daemon_set_spec(spec: Json) -> None:
    strategy = spec["updateStrategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def _limit_range_item(item: Json) -> None:
    """A container's limits and requests that say nothing follow from what is said."""
    if item.get("type") != "Container":
        return
    default = item.setdefault("default", {})
    for name, amount in (item.get("max") or {}).items():
        default.setdefault(name, amount)
    asked = item.setdefault("defaultRequest", {})
    for name, amount in {**default, **(item.get("min") or {})}.items():
        asked.setdefault(name, default.get(name, amount))
    for name in ("default", "defaultRequest"):
        if not item[name]:
            del item[name]


def _claim_template(claim: Json) -> None:
    claim.setdefault("status", {}).setdefault("phase", "Pending")


def _stateful_set(whole: Json) -> None:
    for claim in whole.get("spec", {}).get("volumeClaimTemplates", []):
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        _claim_template(claim)


def _service_port(port: Json) -> None:
    if port.get("port") and port.get("targetPort") in {None, 0, ""}:
        port["targetPort"] = port["port"]


def _service_spec(spec: Json) -> None:
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("type", "ClusterIP")
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", AFFINITY_SECONDS)
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _network_policy(spec: Json) -> None:
    spec.setdefault("podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _volume(volume: Json) -> None:
    if set(volume) <= {"name"}:
        volume["emptyDir"] = {}


def _subject(subject: Json) -> None:
    if subject.get("kind") in {"User", "Group"}:
        subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _pod_status(status: Json) -> None:
    if status.get("podIP") and status["podIP"] not in [each.get("ip") for each in status.get("podIPs", [])]:
        status["podIPs"] = [{"ip": status["podIP"]}]
    elif status.get("podIPs") and not status.get("podIP"):
        status["podIP"] = status["podIPs"][0]["ip"]
    if status.get("hostIP") and not status.get("hostIPs"):
        status["hostIPs"] = [{"ip": status["hostIP"]}]


def _autoscaler(spec: Json) -> None:
    spec.setdefault(
        "metrics",
        [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
            }
        ],
    )
    behaviour = spec.get("behavior")
    if behaviour is None:
        return
    up, down = behaviour.setdefault("scaleUp", {}), behaviour.setdefault("scaleDown", {})
    for rules in (up, down):
        rules.setdefault("selectPolicy", "Max")
    up.setdefault("stabilizationWindowSeconds", 0)
    up.setdefault(
        "policies",
        [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    )
    down.setdefault("policies", [{"type": "Percent", "value": 100, "periodSeconds": 15}])


def _pod(pod: Json) -> None:
    spec = pod.setdefault("spec", {})
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = spec.setdefault("tolerations", [])
    for reason in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{reason}"
        if any(_tolerates(each, key) for each in tolerations):
            continue
        tolerations.append(
            {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": NO_EXECUTE_SECONDS,
            }
        )
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        limits = container["resources"].get("limits")
        if limits:
            container["resources"]["requests"] = limits | container["resources"].get("requests", {})
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]


def _tolerates(toleration: Json, key: str) -> bool:
    return bool(toleration.get("key", key) == key) and toleration.get("effect", "NoExecute") == "NoExecute"


def _replica_set(replica_set: Json) -> None:
    _labels_from_template(replica_set)
    replica_set["status"].setdefault("replicas", 0)


def _deployment(deployment: Json) -> None:
    strategy = deployment.get("spec", {}).get("strategy", {})
    if strategy.get("type") == "Recreate" and not strategy.get("rollingUpdate", True):
        del strategy["rollingUpdate"]


def _labels_from_template(workload: Json) -> None:
    labels = workload.get("spec", {}).get("template", {}).get("metadata", {}).get("labels")
    if labels:
        workload["metadata"].setdefault("labels", dict(labels))


def _job(job: Json) -> None:
    """A job finds its pods by its own uid, unless it says otherwise."""
    spec, uid = job.get("spec", {}), job["metadata"].get("uid")
    spec.setdefault("manualSelector", False)
    if spec.get("manualSelector") or "selector" in spec or not uid or "template" not in spec:
        return
    name = job["metadata"].get("name", "")
    own = {"batch.kubernetes.io/controller-uid": uid}
    labels = {**own, "batch.kubernetes.io/job-name": name, "controller-uid": uid, "job-name": name}
    template = spec["template"].setdefault("metadata", {})
    template["labels"] = template.get("labels", {}) | labels
    spec["selector"] = {"matchLabels": own}
    _labels_from_template(job)


def _secret(secret: Json) -> None:
    plain = secret.pop("stringData", None)
    if plain:
        encoded = {name: base64.b64encode(value.encode()).decode() for name, value in plain.items()}
        secret["data"] = dict(sorted((secret.get("data", {}) | encoded).items()))


def _namespace(namespace: Json) -> None:
    meta = namespace["metadata"]
    meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta.get("name", "")
    namespace["status"].setdefault("phase", "Active")


def _definition(definition: Json) -> None:
    """A CRD's accepted names and conditions, which its own controller sets at once."""
    spec = definition.get("spec", {})
    names = spec.get("names", {})
    if not names.get("kind") or not names.get("plural"):
        return
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")


def _claim(claim: Json) -> None:
    if "uid" in claim["metadata"] and "resourceVersion" not in claim["metadata"]:
        kept = claim["metadata"].get("finalizers", [])
        claim["metadata"]["finalizers"] = list(dict.fromkeys([*kept, "kubernetes.io/pvc-protection"]))
    claim["status"].setdefault("phase", "Pending")


COMPUTED: dict[str, Callable[[Json], None]] = {
    "Container": _container,
    "DaemonSetSpec": _daemon_set_spec,
    "DeploymentSpec": _deployment_spec,
    "EphemeralContainer": _container,
    "HorizontalPodAutoscalerSpec": _autoscaler,
    "LimitRangeItem": _limit_range_item,
    "NetworkPolicySpec": _network_policy,
    "PodStatus": _pod_status,
    "ServicePort": _service_port,
    "ServiceSpec": _service_spec,
    "StatefulSetSpec": _stateful_set_spec,
    "Subject": _subject,
    "Volume": _volume,
}


WHOLE: dict[str, Callable[[Json], None]] = {
    "CustomResourceDefinition": _definition,
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "Secret": _secret,
    "StatefulSet": _stateful_set,
}
