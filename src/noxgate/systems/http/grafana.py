"""A dashboard in Grafana, and whether its queries find anything: asked through Grafana, as a person's are."""

import math
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe
from noxgate.look.promql.identity import ALERTS, SOMETIMES, identity
from noxgate.look.promql.selectors import Matcher, Selector, looked_at, selectors
from noxgate.systems.http.dashboard import AS_PROMETHEUS, RANGE_SECONDS, Panel, all_panels, panels
from noxgate.systems.http.tool_api import ToolApi
from noxgate.systems.settings import GrafanaSettings

T = TypeVar("T")
SHOWN = 3  # values of an answer: Repeat shows all
_HOW_GRAVE = {
    *("level", "detected_level", "log_level", "loglevel", "lvl", "severity", "severity_text"),
    *("status", "status_code", "code"),
}
_SELECTOR = re.compile(r"""\{(?:[^"`}]|"(?:[^"\\]|\\.)*"|`[^`]*`)*\}""")
Json = Mapping[str, Any]
Source = tuple[str, str | None]  # its uid, and what it is


class Grafana:
    """Asks Grafana for one check."""

    def __init__(self, settings: GrafanaSettings, observe: Observe) -> None:
        if settings.dashboard is None:
            raise UnreachableError(
                f"{settings.profile} names no [grafana] with url and dashboard: "
                "a person looks, then attests it"
            )
        self._uid = settings.dashboard.uid
        self._api = ToolApi("Grafana", settings.dashboard.url, settings.token, settings.connection, observe)
        self._sources: dict[str, str] | None = None
        self._kinds: dict[str, str] = {}  # of each uid that a list gives

    def panels(self) -> list[Panel]:
        """Every query of the dashboard."""
        document = self._api.get(
            f"/api/dashboards/uid/{quote(self._uid, safe='')}", {}, "the dashboard", _board
        )
        try:
            dashboard = document["dashboard"]
            if "elements" in dashboard:
                raise UnreachableError(
                    "Grafana: expected a dashboard with panels, saw one of the schema v2: "
                    "a person looks, then attests it"
                )
            return list(panels(dashboard, self._shared))
        except (KeyError, TypeError, AttributeError) as error:
            raise UnreachableError(f"Grafana: expected a dashboard, saw another form: {error!r}") from None

    def has_data(self, panel: Panel) -> bool:
        """Whether a query answers with at least one number now, or is rightly empty.

        Then its series are there, but without, say, the status that it looks for.
        """
        if panel.unjudged is not None:
            raise UnreachableError(panel.unjudged)
        kind = self._kind(panel)
        if kind not in AS_PROMETHEUS | {"loki"}:
            raise UnreachableError(f"panel {panel.title} is of {kind}, which is not asked here")
        if kind == "loki":
            return self._has_lines(panel, panel.query) or self._has_lines(panel, _stream(panel.query))
        if self._has_numbers(panel, panel.query):
            return True
        try:
            asked = looked_at(panel.query, _on_a_good_day)
        except UnreachableError:
            return False
        return bool(asked) and all(self._has_numbers(panel, each) for each in asked)

    def _shared(self, uid: str) -> Json:
        """A panel of the library."""
        document = self._api.get(
            f"/api/library-elements/{quote(uid, safe='')}", {}, "a panel of the library", _library_title
        )
        found: Json = document["result"]["model"]
        return found

    def _kind(self, panel: Panel) -> str:
        """What its data source is, by Grafana's own list where there is one."""
        uid = self._resolved(panel.datasource)
        return self._kinds.get(uid, panel.kind)

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
            f"/api/datasources/proxy/uid/{uid}/{path}", parameters, f"panel {panel.title}", _answer
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
            path = f"/api/datasources/name/{quote(source, safe='')}"
            return str(self._api.get(path, {}, "the data source", lambda found: str(found["uid"]))["uid"])
        except (UnreachableError, KeyError, TypeError):
            return None

    def _listed(self) -> dict[str, str]:
        """The uids by uid, by name, and of the default, from the first list that may be seen."""
        for path, read in _LISTS:
            try:
                found = read(self._api.get(path, {}, "the data sources", partial(_sources, read)))
                self._kinds = {uid: kind for uid, kind in found.values() if kind}
                return {name: uid for name, (uid, _) in found.items()}
            except (KeyError, TypeError, AttributeError):
                continue
            except UnreachableError:
                continue
        return {}


def _board(document: Any) -> str:
    dashboard = document["dashboard"]
    return f"{dashboard.get('title', 'without a title')}, {len(list(all_panels(dashboard)))} panels"


def _library_title(document: Any) -> str:
    return str(document["result"]["model"].get("title", "without a title"))


def _sources(read: Callable[[Any], dict[str, Source]], document: Any) -> str:
    return ", ".join(read(document))


def _answer(document: Any) -> str:
    """How much a query found, and the first numbers of it."""
    data = document["data"]
    if data["resultType"] == "scalar":
        return str(data["result"][1])
    found, many = data["result"], "streams" if data["resultType"] == "streams" else "series"
    values = ", ".join(str(one["value"][1]) for one in found[:SHOWN] if "value" in one)
    return f"{len(found)} {many}{': ' if values else ''}{values}{', …' if values and found[SHOWN:] else ''}"


def _of_settings(document: Any) -> dict[str, Source]:
    return _all(document["datasources"], document.get("defaultDatasource"))


def _of_list(document: Any) -> dict[str, Source]:
    default = next((one["name"] for one in document if one.get("isDefault")), None)
    return _all({one["name"]: one for one in document}, default)


def _all(sources: Mapping[str, Json], default: str | None) -> dict[str, Source]:
    """By uid, by name, and as the default."""
    named = {name: (one["uid"], one.get("type")) for name, one in sources.items() if one.get("uid")}
    found = {source[0]: source for source in named.values()} | named
    return found | ({"default": named[default]} if default in named else {})


_LISTS: tuple[tuple[str, Callable[[Any], dict[str, Source]]], ...] = (
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
    """The first selector of streams in a query of logs, without how grave they are.

    Which lines of them it keeps is another matter. Selectors are PromQL's.
    """
    found = _SELECTOR.search(query)
    if found is None:
        return query
    try:
        (selector,) = selectors(found[0])
    except (UnreachableError, ValueError):
        return found[0]
    kept = Selector(None, tuple(one for one in selector.matchers if one.label not in _HOW_GRAVE))
    return str(kept) if kept.is_narrow else found[0]
