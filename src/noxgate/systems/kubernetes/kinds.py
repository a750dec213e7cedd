"""The Kubernetes kinds that checks look at, or that manifests may hold, and where the API server has them."""

import re
from dataclasses import dataclass

_SEGMENT = re.compile(r"[a-z0-9]([\w.:-]*\w)?", re.ASCII)


@dataclass(frozen=True)
class Resource:
    """A kind's place: API group and version, the plural in its path, whether it lives in a namespace."""

    version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """Such as apps; "core" for the first API, which has no name."""
        return self.version.rpartition("/")[0] or "core"

    @property
    def home(self) -> str:
        """The path of the API's own list of its kinds."""
        return f"/apis/{self.version}" if "/" in self.version else f"/api/{self.version}"

    def path(self, namespace: str, name: str = "") -> str:
        """The path of one object, or of the whole collection.

        Names may come from a manifest, which must not decide where a request ends: a # in one would cut
        off the query, dryRun=All with it.
        """
        everywhere = not namespace and not name  # the collection of all namespaces, which can only be read
        where = ["namespaces", namespace] if self.namespaced and not everywhere else []
        parts = [*where, self.plural, *([name] if name else [])]
        for part in (*self.version.split("/"), *parts):
            if not _SEGMENT.fullmatch(part):
                raise AssertionError(f"expected a name that Kubernetes takes, saw {part!r}")
        return "/".join([self.home, *parts])


KINDS = {
    "ConfigMap": Resource("v1", "configmaps"),
    "CronJob": Resource("batch/v1", "cronjobs"),
    "DaemonSet": Resource("apps/v1", "daemonsets"),
    "Deployment": Resource("apps/v1", "deployments"),
    "EndpointSlice": Resource("discovery.k8s.io/v1", "endpointslices"),
    "HorizontalPodAutoscaler": Resource("autoscaling/v2", "horizontalpodautoscalers"),
    "Ingress": Resource("networking.k8s.io/v1", "ingresses"),
    "Job": Resource("batch/v1", "jobs"),
    "LimitRange": Resource("v1", "limitranges"),
    "Namespace": Resource("v1", "namespaces", namespaced=False),
    "NetworkPolicy": Resource("networking.k8s.io/v1", "networkpolicies"),
    "Node": Resource("v1", "nodes", namespaced=False),
    "PersistentVolumeClaim": Resource("v1", "persistentvolumeclaims"),
    "Pod": Resource("v1", "pods"),
    "PodDisruptionBudget": Resource("policy/v1", "poddisruptionbudgets"),
    "PodMonitor": Resource("monitoring.coreos.com/v1", "podmonitors"),
    "PrometheusRule": Resource("monitoring.coreos.com/v1", "prometheusrules"),
    "ReplicaSet": Resource("apps/v1", "replicasets"),
    "ResourceQuota": Resource("v1", "resourcequotas"),
    "Role": Resource("rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": Resource("rbac.authorization.k8s.io/v1", "rolebindings"),
    "Secret": Resource("v1", "secrets"),
    "Service": Resource("v1", "services"),
    "ServiceAccount": Resource("v1", "serviceaccounts"),
    "ServiceMonitor": Resource("monitoring.coreos.com/v1", "servicemonitors"),
    "StatefulSet": Resource("apps/v1", "statefulsets"),
    "VerticalPodAutoscaler": Resource("autoscaling.k8s.io/v1", "verticalpodautoscalers"),
}


def resource(kind: str, version: str | None = None) -> Resource:
    """The place of a kind, in the version that a manifest names. Raises AssertionError for an unknown one."""
    known = KINDS.get(kind)
    if known is None:
        raise AssertionError(f"expected one of the kinds {', '.join(KINDS)}, saw {kind}: add it to kinds.py")
    return (
        known if version in {None, known.version} else Resource(str(version), known.plural, known.namespaced)
    )
