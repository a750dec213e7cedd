"""What a profile says of systems: Grafana and Sentry, the runtime, counters of requests, quiet hours."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

from noxgate.errors import ProfileError
from noxgate.project.keys import places, release
from noxgate.project.keys.key import Key, names
from noxgate.project.keys.release import HOURS_OF_DAY
from noxgate.project.profile_values import texts, tool_url
from noxgate.project.target import (
    Dashboard,
    Hours,
    LoadCounters,
    QuietHours,
    Runtime,
    SentryProject,
)


def dashboard(path: Path, table: Mapping[str, Any]) -> Dashboard:
    """Grafana, and the uid of the service's dashboard there."""
    found = _names(path, "grafana", table, release.DASHBOARD)
    return Dashboard(tool_url(path, "grafana: url", found["url"]), found["dashboard"])


def sentry(path: Path, table: Mapping[str, Any]) -> SentryProject:
    """Sentry, and the slugs of the service's organization and project there."""
    found = _names(path, "sentry", table, release.PROJECT)
    url, organization, project = (found[name] for name in ("url", "organization", "project"))
    named = SentryProject(tool_url(path, "sentry: url", url), organization, project)
    return replace(named, environment=found.get("environment", named.environment))


def _names(path: Path, key: str, table: Mapping[str, Any], keys: tuple[Key, ...]) -> dict[str, str]:
    """A table with exactly these texts; all but the url go into a path, so they are names."""
    said = texts(path, key, table)
    expected = [each.name for each in keys if each.required]
    if not set(expected) <= said.keys() <= set(names(keys)):
        raise ProfileError(
            f"{path.name}: [{key}]: expected {', '.join(expected)}, saw {', '.join(said) or 'nothing'}"
        )
    for name, value in said.items():
        if name != "url" and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", value, re.ASCII):
            raise ProfileError(f"{path.name}: [{key}] {name}: expected a name, saw {value!r}")
    return said


def runtime(path: Path, table: Mapping[str, Any]) -> Runtime:
    """What images must declare, such as node 20."""
    name, version = table.get("name"), table.get("version")
    if (
        table.keys() != set(names(release.RUNTIME))
        or not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name))
        or not (isinstance(version, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)*", version))
    ):
        raise ProfileError(
            f'{path.name}: runtime: expected {{ name = "node", version = "20" }}, saw {dict(table)}'
        )
    return Runtime(name, version)


def load_counters(path: Path, table: Mapping[str, Any]) -> LoadCounters:
    """What a load test's answers are compared with."""
    query, uncounted = table.get("query"), table.get("uncounted", [])
    if (
        not table.keys() <= set(names(places.COUNTERS))
        or not (isinstance(query, str) and query.strip())
        or not (isinstance(uncounted, list) and all(isinstance(name, str) for name in uncounted))
    ):
        raise ProfileError(
            f"{path.name}: load_counters: expected query, a selector of counters, and uncounted, the classes "
            f"that they leave out, if any; saw {dict(table)}"
        )
    return LoadCounters(query.strip(), tuple(uncounted))


def quiet(path: Path, table: Mapping[str, Any]) -> QuietHours:
    """The quiet hours, and how the ingress shows them."""
    hours, ingress = table.get("hours", []), table.get("ingress")
    times = [re.fullmatch(HOURS_OF_DAY, one) if isinstance(one, str) else None for one in hours or []]
    if (
        not table.keys() <= set(names(release.QUIET))
        or not isinstance(hours, list)
        or None in times
        or not (ingress is None or (isinstance(ingress, str) and ingress.strip()))
    ):
        raise ProfileError(
            f'{path.name}: quiet: expected hours in UTC, such as ["22:30-05:00"], and ingress, the selector '
            f"of its requests, if it is not nginx; saw {dict(table)}"
        )
    found = [Hours(time.fromisoformat(each[1]), time.fromisoformat(each[2])) for each in times if each]
    return QuietHours(tuple(found), ingress)
