"""The service as runbook.toml has it, and its table for small runbooks."""

import json
import re
from pathlib import Path

from noxgate.blue_green.side import Side
from noxgate.project.runbook import read_runbook
from noxgate.project.service.names import Container
from noxgate.systems.kubernetes.kube import Kube
from noxgate.systems.prometheus.metric_queries import MetricQueries

RUNBOOK = Path(__file__).parents[1] / "runbook.toml"
SERVICE = read_runbook(RUNBOOK).service
DEPLOYMENT, OLD_DEPLOYMENT = SERVICE.green.deployment, SERVICE.blue.deployment
GREEN, BLUE = SERVICE.green.service, SERVICE.blue.service
INGRESS = SERVICE.ingress
CONTAINER = SERVICE.application(None)
BACKUP = SERVICE.files.backup
(TABLE,) = re.findall(
    r"^\[service\]\n(?s:.*?)(?=^# =====)", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE
)


def queries(namespace: str) -> MetricQueries:
    """The queries of a namespace's pods."""
    return MetricQueries(namespace, SERVICE.container, SERVICE.metrics)


def side(kube: Kube, namespace: str, deployment: str = DEPLOYMENT, container: Container = CONTAINER) -> Side:
    """Green, or another Deployment in its place."""
    return Side(kube, namespace, deployment, GREEN, SERVICE.label, container)


def sign_off(*phases: str) -> str:
    """What a sign-off page is made of, for a small runbook of these phases."""
    metric = 'metric = {{ name = "Memory", unit = "%", limit = "percent", bound = "{}" }}\n'
    limits = "limits = { percent = 70 }\n"
    lines = (
        ("status", "status", ""),
        ("switch", "switch", ""),
        ("switch-back", "switch-back", ""),
        ("validated", "validated", ""),
        ("engineer", "engineer", ""),
        ("overview", "overview", ""),
        ("next-review", "next-review", "limits = { hours = 48 }\n"),
        ("memory-within-target", "key-metric", limits + metric.format("target")),
        ("memory-below-critical", "key-metric", limits + metric.format("critical")),
    )
    told = 'ref = "RB-C.17"\nkind = "derived"\nsection = "Completion"\nseed = [530]\n'
    told += 'expected = "As they are."\n'
    follows = f"derived_from = {json.dumps(phases)}\n"
    head = '\n[phase.signoff]\ntitle = "Sign-off"\n'
    return head + "".join(
        f'[signoff.{name}]\nrole = "{role}"\n{told}{follows}{more}' for name, role, more in lines
    )
