"""A dashboard in Grafana, and whether its queries find anything: asked through Grafana, as a person's are."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe
from noxgate.project.target import Target
from noxgate.systems.http.tool_api import ToolApi

# What Grafana fills in by the time range that a person looks at.
_BUILT_IN = {
    "__rate_interval": "5m",
    "__interval": "1m",
    "__range": "30m",
    "__range_s": "1800",
    "__interval_ms": "60000",
}
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Panel:
    """One query of a panel, with its variables filled in; `datasource` by its uid, None: the default."""

    title: str
    query: str
    datasource: str | None


class Grafana:
    """Asks Grafana for one check."""

    def __init__(self, target: Target, observe: Observe) -> None:
        if target.grafana is None:
            raise UnreachableError(
                f"{target.path.name} names no [grafana] with url and dashboard: "
                "a person looks, then attests it"
            )
        self._uid = target.grafana.uid
        self._api = ToolApi("Grafana", target.grafana.url, "grafana_token", target, observe)

    def panels(self) -> list[Panel]:
        """Every Prometheus query of the dashboard."""
        document = self._api.get(f"/api/dashboards/uid/{quote(self._uid, safe='')}", {}, "the dashboard")
        try:
            dashboard = document["dashboard"]
            values = _values(dashboard)
            return [
                Panel(str(panel.get("title", panel.get("id"))), _filled(target["expr"], values), source)
                for panel in _panels(dashboard)
                for target in panel.get("targets") or []
                if target.get("expr") and not target.get("hide")
                for source in [_filled(_source(target) or _source(panel) or "", values) or None]
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise UnreachableError(f"Grafana: expected a dashboard, saw another form: {error!r}") from None

    def has_data(self, panel: Panel) -> bool:
        """Whether a query answers with at least one number now."""
        if panel.datasource is None:
            raise UnreachableError(f"panel {panel.title} names no datasource by its uid")
        where = f"/api/datasources/proxy/uid/{quote(panel.datasource, safe='')}/api/v1/query"
        document = self._api.get(where, {"query": panel.query}, f"panel {panel.title}")
        try:
            data = document["data"]
            found = [data["result"]] if data["resultType"] == "scalar" else data["result"]
            values = [one[1] if isinstance(one, list) else one["value"][1] for one in found]
            return any(math.isfinite(float(value)) for value in values)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UnreachableError(f"Grafana: expected Prometheus' answer, saw another: {error!r}") from None


def _panels(thing: Json) -> Iterator[Json]:
    """Those inside rows, too."""
    for panel in thing.get("panels") or []:
        yield panel
        yield from _panels(panel)


def _source(thing: Json) -> str | None:
    source = thing.get("datasource")
    return source.get("uid") if isinstance(source, dict) else source


def _values(dashboard: Json) -> dict[str, str]:
    found = dict(_BUILT_IN)
    for variable in (dashboard.get("templating") or {}).get("list") or []:
        value = (variable.get("current") or {}).get("value", "")
        several = value if isinstance(value, list) else [value]
        chosen = [".*" if one == "$__all" else str(one) for one in several]
        found[variable["name"]] = chosen[0] if len(chosen) == 1 else f"({'|'.join(chosen)})"
    return found


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), text)
