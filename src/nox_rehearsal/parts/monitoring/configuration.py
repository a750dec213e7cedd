"""What the rehearsal's Prometheus scrapes and which rules it has, as files in its folder."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts.pods import Deployment
from noxgate.machine import doctor

JOB = "nox-api"
NODES = "kubelet"
USUAL = "usual.json"
# Parses, loads, and cannot be evaluated while there are two pods: nothing tells them apart.
UNEVALUABLE = 'up{job="nox-api"} * on () group_left () up{job="nox-api"}'

Group = Mapping[str, Any]


@dataclass(frozen=True)
class Scraped:
    """One pod's endpoint, with the labels that the Prometheus operator gives it."""

    address: str  # host:port
    namespace: str
    pod: str
    service: str
    container: str = "nox-api"
    endpoint: str = "http"
    job: str = JOB  # by the monitors' jobLabel: app


Monitors = Mapping[
    str, Sequence[Scraped]
]  # by scrape job, such as serviceMonitor/nox/nox-api-servicemonitor/0


@dataclass(frozen=True)
class Usual:
    """What Prometheus scrapes and which rules it has, as at the start."""

    monitors: Monitors
    groups: Sequence[Group]
    alertmanager: str | None = None  # host:port, below /alertmanager

    def at(self, pod: str, address: str) -> Monitors:
        """The monitors with this pod looked for at another address."""
        return {
            job: [replace(one, address=address) if one.pod == pod else one for one in targets]
            for job, targets in self.monitors.items()
        }

    def without(self, pod: str) -> Monitors:
        """The monitors as if they did not know this pod."""
        return {job: [one for one in targets if one.pod != pod] for job, targets in self.monitors.items()}

    def changed(self, alert: str, **changes: Any) -> list[Group]:
        """The groups with one alert's rule changed: expr="…", labels={…}."""
        known = [name_of(rule) for group in self.groups for rule in group["rules"]]
        assert alert in known, f"no alert {alert!r} (alerts: {', '.join(known)})"
        return [
            {
                **group,
                "rules": [rule | changes if rule.get("alert") == alert else rule for rule in group["rules"]],
            }
            for group in self.groups
        ]


def monitors(*deployments: Deployment) -> Monitors:
    """What an operator makes of each Deployment's ServiceMonitor and PodMonitor."""
    found: dict[str, Sequence[Scraped]] = {}
    for each in deployments:
        found |= monitors_of(each.colour, each.namespace, each.pods)
    return found


def monitors_of(colour: str, namespace: str, pods: Mapping[str, int]) -> Monitors:
    """The same of these pods, given with their ports."""
    jobs = {
        f"serviceMonitor/{namespace}/nox-api-servicemonitor/0": JOB,
        f"podMonitor/{namespace}/nox-api-podmonitor/0": "nox-api-podmonitor",
    }
    return {
        scrape: [
            Scraped(f"127.0.0.1:{port}", namespace, pod, f"nox-api-service-{colour}", job=job)
            for pod, port in pods.items()
        ]
        for scrape, job in jobs.items()
    }


def nodes(port: int) -> Monitors:
    """What nodes and the cluster say of containers."""
    target = Scraped(f"127.0.0.1:{port}", "kube-system", "containers", "", "containers", job=NODES)
    return {NODES: [target]}


def begin(home: Path, known: Usual) -> None:
    """Write what is usual, and remember it; Prometheus itself refuses it where it must."""
    keep(home, known)
    _take(home, _draft(home, known))


def usual_of(home: Path) -> Usual:
    """What is usual."""
    found = json.loads((home / USUAL).read_text(encoding="utf-8"))
    monitors = {job: [Scraped(**one) for one in each] for job, each in found["monitors"].items()}
    return Usual(monitors, found["groups"], found["alertmanager"])


def keep(home: Path, known: Usual) -> None:
    """Remember what is usual."""
    usual = {
        "monitors": {job: [asdict(one) for one in each] for job, each in known.monitors.items()},
        "groups": known.groups,
        "alertmanager": known.alertmanager,
    }
    (home / USUAL).write_text(json.dumps(usual), encoding="utf-8")


def write(home: Path, wanted: Usual) -> None:
    """Write what Prometheus is to read next; RehearsalError, and nothing changed, if it would refuse it."""
    draft = _draft(home, wanted)
    command = (str(doctor.program("promtool")), "check", "config", str(draft / "prometheus.yml"))
    test = subprocess.run(command, capture_output=True, text=True, check=False)
    if test.returncode != 0:
        raise RehearsalError(f"promtool refuses the configuration: {' '.join(test.stderr.split())}")
    _take(home, draft)


def _draft(home: Path, wanted: Usual) -> Path:
    alertmanagers = [
        {"path_prefix": "/alertmanager", "static_configs": [{"targets": [each]}]}
        for each in (wanted.alertmanager,)
        if each
    ]
    configuration = {
        "alerting": {"alertmanagers": alertmanagers},
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"] if wanted.groups else [],
        "scrape_configs": [
            {
                "job_name": job,
                "honor_labels": job == NODES,  # which speak of others' pods
                "static_configs": [_static(one) for one in targets],
            }
            for job, targets in wanted.monitors.items()
        ],
    }
    draft = home / "draft"
    draft.mkdir(exist_ok=True)
    for name, content in {"rules.yml": {"groups": wanted.groups}, "prometheus.yml": configuration}.items():
        (draft / name).write_text(json.dumps(content, indent=2), encoding="utf-8")  # which is YAML
    return draft


def _take(home: Path, draft: Path) -> None:
    for file in draft.iterdir():
        file.replace(home / file.name)


def _static(target: Scraped) -> dict[str, Any]:
    labels = asdict(target)
    return {"targets": [labels.pop("address")], "labels": labels}


def name_of(rule: Mapping[str, Any]) -> str:
    """That of its alert, or of what it records."""
    return str(rule.get("alert") or rule.get("record"))
