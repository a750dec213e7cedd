"""The release repository of the rehearsal: the manifests that NOX ships, written out for its environments."""

import json
from pathlib import Path
from string import Template
from typing import Any

import yaml

from nox_rehearsal.checkout import NOX

_TEMPLATES = NOX / "k8s"
_RULES = NOX / "alerts" / "nox-api.rules.yaml"
_SCALED = "# no replicas where an autoscaler decides: two writers of one field fight"
PRODUCTION_RULES = "k8s/production/green/alerts.yaml"


def write_release(source: Path, registry: str, version: str, previous: str) -> None:
    """Write `k8s/` below `source`: staging, and blue, green and the edge of production."""
    everything = ("deployment", "service", "autoscaler", "monitors", "beside")
    image = {"registry": registry, "version": version, "replicas": _SCALED}
    staging = {"namespace": "nox-staging-green", "colour": "green"} | image
    _write(source / "k8s" / "staging", (*everything, "ingress", "neighbours"), staging)
    green = {"namespace": "nox-production-green", "colour": "green"} | image
    _write(source / "k8s" / "production" / "green", everything, green)
    blue = (
        {"namespace": "nox-production-blue", "colour": "blue"}
        | image
        | {"version": previous, "replicas": "replicas: 2"}
    )
    _write(source / "k8s" / "production" / "blue", ("deployment", "service", "monitors"), blue)
    edge = source / "k8s" / "production" / "edge"
    _write(edge, ("ingress", "neighbours"), {"namespace": "nox-production", "colour": "blue"})
    for colour in ("blue", "green"):
        _render(edge / f"service-{colour}.yaml", "bridge", {"namespace": "nox-production", "colour": colour})
    _write_rules(source / "k8s" / "staging" / "alerts.yaml", staging["namespace"])
    _write_rules(source / PRODUCTION_RULES, green["namespace"], 'namespace=~"nox-production-(blue|green)"')
    paths = documents_of(edge / "ingress.yaml")[0]["spec"]["rules"][0]["http"]["paths"]
    _write_patch(source / "k8s" / "production" / "switch-to-green.json", len(paths), "blue", "green")
    _write_patch(source / "k8s" / "production" / "back-to-blue.json", len(paths), "green", "blue")


def documents(folder: Path) -> list[dict[str, Any]]:
    """Every document of a folder's manifests, in the order in which kubectl applies them."""
    return [document for file in sorted(folder.glob("*.yaml")) for document in documents_of(file)]


def documents_of(file: Path) -> list[dict[str, Any]]:
    return list(yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader))  # in C: ten times as fast


def rules(source: Path) -> list[dict[str, Any]]:
    """The groups of the alert rules that are shipped, staging's and production's."""
    files = (source / "k8s" / "staging" / "alerts.yaml", source / PRODUCTION_RULES)
    shipped = [document for file in files for document in documents_of(file)]
    return [group for document in shipped for group in document["spec"]["groups"]]


def _write(folder: Path, names: tuple[str, ...], values: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name in names:
        _render(folder / f"{name}.yaml", name, values)


def _render(file: Path, name: str, values: dict[str, str]) -> None:
    template = Template((_TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8"))
    file.write_text(template.substitute(values), encoding="utf-8")


def _write_rules(file: Path, namespace: str, looked_at: str = "") -> None:
    """The rules of an environment; production's look at both colours, and are there before green is."""
    rules = _RULES.read_text(encoding="utf-8")
    if looked_at:
        rules = rules.replace('namespace="nox-staging-green"', looked_at)
        rules = rules.replace("- name: nox-api", "- name: nox-api-production")
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "nox-api-alerts", "namespace": namespace, "labels": {"app": "nox-api"}},
        "spec": yaml.safe_load(rules),
    }
    file.write_text(yaml.safe_dump(rule, sort_keys=False), encoding="utf-8")


def _write_patch(file: Path, paths: int, old: str, new: str) -> None:
    """A JSON patch that names every path: the runbook's own is refused, and its naive mend loses paths."""
    where = [f"/spec/rules/0/http/paths/{index}/backend/service/name" for index in range(paths)]
    steps = [{"op": "test", "path": path, "value": f"nox-api-service-{old}"} for path in where]
    steps += [{"op": "replace", "path": path, "value": f"nox-api-service-{new}"} for path in where]
    file.write_text(json.dumps(steps, indent=2) + "\n", encoding="utf-8")
