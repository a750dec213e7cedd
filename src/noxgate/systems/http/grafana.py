"""A dashboard in Grafana, and whether its queries find anything: asked through Grafana, as a person's are."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe
from noxgate.look.promql.identity import ALERTS, SOMETIMES, identity
from noxgate.look.promql.selectors import Matcher, Selector, looked_at
from noxgate.project.target import Target
from noxgate.systems.http.dashboard import RANGE_SECONDS, Panel, panels
from noxgate.systems.http.tool_api import ToolApi

T = TypeVar("T")


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
        self._sources: dict[str, str] | None = None

    def panels(self) -> list[Panel]:
        """Every query of the dashboard."""
        document = self._api.get(f"/api/dashboards/uid/{quote(self._uid, safe='')}", {}, "the dashboard")
        try:
            dashboard = document["dashboard"]
            if "elements" in dashboard:
                raise UnreachableError(
                    "Grafana: expected a dashboard with panels, saw one of the schema v2: "
                    "a person looks, then attests it"
                )
            return list(panels(dashboard))
        except (KeyError, TypeError, AttributeError) as error:
            raise UnreachableError(f"Grafana: expected a dashboard, saw another form: {error!r}") from None

    def has_data(self, panel: Panel) -> bool:
        """Whether a query answers with at least one number now, or rightly with none.

        What it looks at is there then, and none of it has, say, the status that it looks for.
        """
        if panel.unjudged is not None:
            raise UnreachableError(panel.unjudged)
        if panel.kind == "loki":
            return self._has_lines(panel, panel.query) or self._has_lines(panel, _stream(panel.query))
        if self._has_numbers(panel, panel.query):
            return True
        try:
            asked = looked_at(panel.query, _on_a_good_day)
        except UnreachableError:
            return False
        return bool(asked) and all(self._has_numbers(panel, each) for each in asked)

    def _has_numbers(self, panel: Panel, query: str) -> bool:
        return any(map(math.isfinite, self._ask(panel, "api/v1/query", {"query": query}, _number)))

    def _has_lines(self, panel: Panel, query: str) -> bool:
        """Of logs, or of numbers that are made of them, in the last half hour."""
        now = time.time()
        span = {"start": f"{now - RANGE_SECONDS:.0f}000000000", "end": f"{now:.0f}000000000"}
        parameters = {"query": query, "limit": "1", **span}
        return any(self._ask(panel, "loki/api/v1/query_range", parameters, lambda one: bool(one["values"])))

    def _ask(
        self, panel: Panel, path: str, parameters: Mapping[str, str], read: Callable[[Any], T]
    ) -> list[T]:
        uid = quote(self._resolved(panel.datasource), safe="")
        document = self._api.get(
            f"/api/datasources/proxy/uid/{uid}/{path}", parameters, f"panel {panel.title}"
        )
        try:
            data = document["data"]
            found = [data["result"]] if data["resultType"] == "scalar" else data["result"]
            return [read(one) for one in found]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UnreachableError(f"Grafana: expected an answer with data, saw another: {error!r}") from None

    def _resolved(self, source: str | None) -> str:
        """The uid of a data source, which may be named, or be the default one.

        Where Grafana shows no list of them, what stands there is taken for a uid.
        """
        if self._sources is None:
            self._sources = self._listed()
        found = self._sources.get(source or "default")
        if found is None and source is not None:
            found = self._sources[source] = self._named(source) or source
        if found is None:
            raise UnreachableError("Grafana: expected a default data source, saw none that its list names")
        return found

    def _named(self, source: str) -> str | None:
        """The uid of a data source of this name, where that may be seen, though no list may."""
        try:
            return str(
                self._api.get(f"/api/datasources/name/{quote(source, safe='')}", {}, "the data source")["uid"]
            )
        except (UnreachableError, KeyError, TypeError):
            return None

    def _listed(self) -> dict[str, str]:
        """The uids by uid, by name, and of the default, from the first list that may be seen."""
        for path, read in _LISTS:
            try:
                return read(self._api.get(path, {}, "the data sources"))
            except (KeyError, TypeError, AttributeError):
                continue
            except UnreachableError:
                continue
        return {}


def _of_settings(document: Any) -> dict[str, str]:
    sources = document["datasources"]
    named = {name: one["uid"] for name, one in sources.items() if one.get("uid")}
    default = named.get(document.get("defaultDatasource"))
    return {uid: uid for uid in named.values()} | named | ({"default": default} if default else {})


def _of_list(document: Any) -> dict[str, str]:
    named = {one["name"]: one["uid"] for one in document}
    default = [one["uid"] for one in document if one.get("isDefault")]
    return {uid: uid for uid in named.values()} | named | ({"default": default[0]} if default else {})


_LISTS: tuple[tuple[str, Callable[[Any], dict[str, str]]], ...] = (
    ("/api/frontend/settings", _of_settings),
    ("/api/datasources", _of_list),
)


def _number(one: Any) -> float:
    """Of a series, or of a scalar."""
    return float(one[1] if isinstance(one, list) else one["value"][1])


def _on_a_good_day(selector: Selector) -> Selector:
    """What must be there though a query finds nothing."""
    if selector.name in ALERTS:
        return Selector("up", ())
    found = identity(selector)
    if selector.name in SOMETIMES:
        return Selector(None, (Matcher("__name__", "=~", "kube_.+"), *found.matchers))
    return found


def _stream(query: str) -> str:
    """The first selector of streams in a query of logs: which lines of them it keeps is another matter."""
    start, quoted = query.find("{"), False
    for at in range(max(start, 0), len(query)):
        if query[at] == '"' and query[at - 1] != "\\":
            quoted = not quoted
        elif query[at] == "}" and not quoted:
            return query[start : at + 1]
    return query
