"""A Prometheus that runs, and what it scrapes."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge

from nox_rehearsal.checkout import NOX
from nox_rehearsal.world.state import StartedPart, World

PODS = ("nox-api-green-1", "nox-api-green-2")
MONITOR = "serviceMonitor/nox-staging-green/nox-api-servicemonitor/0"
ALERTS = NOX / "alerts"
RULES = ALERTS / "nox-api.rules.yaml"
ALERTMANAGER = "127.0.0.1:9"  # a closed port: Prometheus knows whom it would tell
FILLING: Mapping[Any, Any] = MappingProxyType({str: "", int: 0, Path: Path()})


class Running(NamedTuple):
    """A Prometheus that runs, and how long it took from its launch to the first sample of each pod."""

    world: World
    seconds: float
    registries: Mapping[str, CollectorRegistry]


def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("http_requests", "Requests.", ["method", "path", "status"], registry=registry).labels(
        "GET", "/version", "200"
    ).inc(5)
    Counter("nox_errors", "None yet.", ["kind"], registry=registry)
    Gauge("nox_odd", "No number.", registry=registry).set(float("nan"))
    Gauge("nox_endless", "No number either.", registry=registry).set(float("inf"))
    return registry


def world(folder: Path, url: str, server: StartedPart) -> World:
    filling = {each.name: FILLING.get(each.type, {}) for each in fields(World)}
    world = World(**filling | {"folder": folder, "prometheus_url": url, "servers": (server,)})
    world.save()
    return world


def http(status: str, body: bytes, *headers: str) -> bytes:
    """An answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
