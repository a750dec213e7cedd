"""What the server checks of probes and of the hooks in a container's life."""

import re
from collections.abc import Iterator

from kube_standin.objects import names
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import Cause, forbidden, invalid, not_negative, required, show, unsupported

OF_A_PROBE = ("exec", "httpGet", "tcpSocket", "grpc")
OF_A_HOOK = ("exec", "httpGet", "tcpSocket", "sleep")
TIMES = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
HEADER_RULE = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used "
    "for validation is '[-A-Za-z0-9]+')"
)


def probes(container: Json, spec: Json, path: str) -> Iterator[Cause]:
    """The three probes of a container."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, here = container.get(name), f"{path}.{name}"
        if probe is None:
            continue
        yield from _handler(probe, OF_A_PROBE, spec, here)
        for time in TIMES:
            yield from not_negative(probe.get(time), f"{here}.{time}")
        grace = probe.get("terminationGracePeriodSeconds")
        if grace is not None and grace <= 0:
            yield invalid(f"{here}.terminationGracePeriodSeconds", str(grace), "must be greater than 0")
        if name == "readinessProbe":
            if grace is not None:
                why = "must not be set for readinessProbes"
                yield invalid(f"{here}.terminationGracePeriodSeconds", str(grace), why)
        elif probe.get("successThreshold", 1) != 1:
            yield invalid(f"{here}.successThreshold", str(probe["successThreshold"]), "must be 1")


def lifecycle(given: Json | None, spec: Json, path: str) -> Iterator[Cause]:
    for name in ("postStart", "preStop"):
        hook = (given or {}).get(name)
        if hook is not None:
            yield from _handler(hook, OF_A_HOOK, spec, f"{path}.{name}")


def _handler(given: Json, known: tuple[str, ...], spec: Json, path: str) -> Iterator[Cause]:
    found = [name for name in known if given.get(name) is not None]
    if not found:
        yield required(path, "must specify a handler type")
    for name in found[:1]:
        yield from HANDLERS[name](given[name], spec, f"{path}.{name}")
    for name in found[1:]:
        yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")


def _exec(given: Json, _: Json, path: str) -> Iterator[Cause]:
    if not given.get("command"):
        yield required(f"{path}.command")


def _http(given: Json, _: Json, path: str) -> Iterator[Cause]:
    if not given.get("path"):
        yield required(f"{path}.path")
    yield from names.port(given.get("port"), f"{path}.port")
    if given.get("scheme") not in {"HTTP", "HTTPS"}:
        yield unsupported(f"{path}.scheme", given.get("scheme", ""), ("HTTP", "HTTPS"))
    for header in given.get("httpHeaders") or []:
        name = header.get("name", "")
        if not re.fullmatch("[-A-Za-z0-9]+", name):
            yield invalid(f"{path}.httpHeaders", show(name), HEADER_RULE)


def _socket(given: Json, _: Json, path: str) -> Iterator[Cause]:
    yield from names.port(given.get("port"), f"{path}.port")


def _sleep(given: Json, spec: Json, path: str) -> Iterator[Cause]:
    seconds, grace = given.get("seconds") or 0, spec.get("terminationGracePeriodSeconds")
    if grace is not None and not 0 <= seconds <= grace:
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield invalid(path, str(seconds), why)


HANDLERS = {"exec": _exec, "grpc": _socket, "httpGet": _http, "sleep": _sleep, "tcpSocket": _socket}
