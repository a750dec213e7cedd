"""Whose series an expression looks at: a status may fit nothing on a good day, a job may not."""

from noxgate.look.promql.selectors import Matcher, Selector, looked_at

# Labels that say whose series these are.
WHOSE = {
    *("job", "namespace", "service", "container", "pod", "app", "endpoint", "instance", "cluster"),
    *("kubernetes_namespace", "exported_namespace", "exported_job", "environment", "env"),
    *("deployment", "statefulset", "daemonset", "horizontalpodautoscaler", "ingress", "exported_service"),
    *("datname",),
}
NAMESPACES = ("namespace", "exported_namespace", "kubernetes_namespace")
# The series of alerts, and those that kube-state-metrics has only where something is wrong.
ALERTS = ("ALERTS", "ALERTS_FOR_STATE")
SOMETIMES = {
    *ALERTS,
    *("kube_job_failed", "kube_job_status_failed", "kube_node_spec_taint", "kube_pod_deletion_timestamp"),
    *(
        "kube_pod_container_status_last_terminated_exitcode",
        "kube_pod_container_status_last_terminated_reason",
    ),
    *("kube_pod_container_status_last_terminated_timestamp", "kube_pod_container_status_terminated_reason"),
    *("kube_pod_container_status_waiting_reason", "kube_pod_init_container_status_last_terminated_reason"),
    *("kube_pod_init_container_status_terminated_reason", "kube_pod_init_container_status_waiting_reason"),
    *("kube_pod_status_reason", "kube_pod_status_unschedulable"),
}


def identity(selector: Selector) -> Selector:
    """The selector with whose series they are alone; as it is, where that would select everything."""
    kept = tuple(one for one in selector.matchers if one.label in WHOSE or one.label == "__name__")
    found = Selector(selector.name, kept)
    return found if found.is_narrow else selector


def presence(expression: str) -> str:
    """What has a value where a rule has something to look at: any series of its own.

    Of a rule whose series are there only when something is wrong: any at all.
    """
    return " or ".join(looked_at(expression, _on_a_good_day)) or "vector(1)"


def _on_a_good_day(selector: Selector) -> Selector:
    if selector.name in SOMETIMES:
        return Selector(None, (Matcher("__name__", "!~", "|ALERTS|ALERTS_FOR_STATE"),))
    return identity(selector)
