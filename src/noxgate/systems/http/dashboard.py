"""A dashboard as Grafana keeps it: its queries, with the values that its variables have for everybody."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

Json = Mapping[str, Any]

# What Grafana fills in by the time range that a person looks at, and whoever that is: 30 minutes here.
RANGE_SECONDS = 1800
_BUILT_IN = {
    "__auto": "1m",
    "__interval": "1m",
    "__interval_ms": "60000",
    "__rate_interval": "5m",
    "__rate_interval_ms": "300000",
    "__range": "30m",
    "__range_s": str(RANGE_SECONDS),
    "__range_ms": str(RANGE_SECONDS * 1000),
    "__org": "1",
    "__org.id": "1",
    "__org.name": "Main Org.",
    "__user": "1",
    "__user.id": "1",
    "__user.login": "noxgate",
    "__user.email": "noxgate",
    "__timezone": "utc",
    "timezone": "utc",
}
_AUTO = "$__auto_interval_"  # and the name of a variable that says auto
_VARIABLE = re.compile(
    r"\$\{(?P<braced>\w+(?:\.\w+)?)(?::(?P<form>[^}]*))?\}|\[\[(?P<old>\w+)(?::(?P<of_old>\w+))?\]\]|\$(?P<bare>\w+)"
)
_NESTED = 5  # a value may name another variable
MIXED = "-- Mixed --"
# Data sources that answer as Prometheus does.
AS_PROMETHEUS = {
    *("prometheus", "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource"),
    *("victoriametrics-metrics-datasource",),
}
# In which queries of others are written: of Elasticsearch, SQL, InfluxDB, Graphite, CloudWatch, Zabbix.
_OTHERS = ("query", "rawSql", "target", "metricName", "rawQuery", "measurement", "group", "url")
# Not asked: they show what another panel has, or Grafana itself, or computes with the queries beside it.
_OWN = {"-- Dashboard --", "-- Grafana --", "grafana", "__expr__"}


@dataclass(frozen=True)
class Panel:
    """One query of a panel, with its variables filled in; `datasource` as it is named there.

    Without one it is of the default. `unfilled` are variables of the dashboard without a value, `unknown`
    those that it does not have.
    """

    title: str
    query: str
    datasource: str | None
    kind: str = "prometheus"
    unfilled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f" ({', '.join(f'${name}' for name in self.unknown)} stays unfilled: no variable is called so)"
        return self.title + (said if self.unknown else "")

    @property
    def unjudged(self) -> str | None:
        """Why only a person can say whether it shows anything; None if it can be asked."""
        if self.unfilled:
            named = ", ".join(f"${name}" for name in self.unfilled)
            return f"panel {self.title}: {named} stays unfilled: save the dashboard with a value of it"
        if self.kind not in AS_PROMETHEUS | {"loki"}:
            return f"panel {self.title} is of {self.kind}, which is not asked here"
        return None


@dataclass(frozen=True)
class Variables:
    """The values by name, and the names of those without a value."""

    values: Mapping[str, str | Sequence[str]]
    empty: frozenset[str]
    kinds: Mapping[str, str]  # of a variable for data sources: whose

    def filled(self, text: str) -> tuple[str, set[str]]:
        """A text with the values in it, and the names that stay unfilled."""
        for _ in range(_NESTED):
            found = _VARIABLE.sub(self._value, text)
            if found == text:
                break
            text = found
        names = {match["braced"] or match["old"] or match["bare"] for match in _VARIABLE.finditer(text)}
        return text, {name for name in names if not name[0].isdigit()}  # $1 is of a replacement

    def _value(self, match: re.Match[str]) -> str:
        name = match["braced"] or match["old"] or match["bare"]
        if f"${name}".startswith(_AUTO):
            return _BUILT_IN["__interval"]
        form = match["form"] or match["of_old"] or ""
        if name in {"__from", "__to"}:
            return _moment(name == "__from", form)
        value = self.values.get(name)
        return match[0] if value is None else _formatted(name, value, form)


def panels(dashboard: Json, library: Callable[[str], Json] = lambda _: {}) -> Iterator[Panel]:
    """Every query that the dashboard shows: of Prometheus, of Loki, and of others, which are not asked.

    `library` gives the panel of a uid, which several dashboards share.
    """
    variables = read_variables(dashboard)
    for shown in all_panels(dashboard):
        shared = (shown.get("libraryPanel") or {}).get("uid")
        panel = library(shared) if shared and not shown.get("targets") else shown
        for target in panel.get("targets") or []:
            source, kind = _source(target, panel, variables)
            if target.get("hide") or source in _OWN or kind in _OWN:
                continue
            expression = target.get("expr")
            if not expression and kind in AS_PROMETHEUS | {"loki"}:
                if _is_typed(target, panel) or not any(target.get(key) for key in _OTHERS):
                    continue  # begun, and nothing asked yet
                kind = "another kind"  # an old dashboard names its data source, and not what it is
            found = Panel(str(panel.get("title", panel.get("id"))), "", source, kind)
            yield _asked(found, str(expression or ""), variables)


def read_variables(dashboard: Json) -> Variables:
    """As they were saved, which is what everybody gets who opens it."""
    values: dict[str, str | Sequence[str]] = {**_BUILT_IN, "__dashboard": str(dashboard.get("title", ""))}
    empty, kinds = set(), {}
    for variable in (dashboard.get("templating") or {}).get("list") or []:
        value = _saved(variable)
        if variable.get("type") == "datasource":
            kinds[variable["name"]] = str(variable.get("query") or "prometheus")
        if value is None:
            empty.add(variable["name"])
        else:
            values[variable["name"]] = value
    return Variables(values, frozenset(empty), kinds)


def all_panels(thing: Json) -> Iterator[Json]:
    """Those inside rows, too; an old dashboard has rows alone."""
    for row in thing.get("rows") or []:
        yield from all_panels(row)
    for panel in thing.get("panels") or []:
        yield panel
        yield from all_panels(panel)


def _asked(panel: Panel, expression: str, variables: Variables) -> Panel:
    query, left = variables.filled(expression)
    source, left_of_source = variables.filled(panel.datasource or "")
    left |= left_of_source
    return replace(
        panel,
        query=query,
        datasource=source or None,
        unfilled=tuple(sorted(left & variables.empty)),
        unknown=tuple(sorted(left - variables.empty)),
    )


def _source(target: Json, panel: Json, variables: Variables) -> tuple[str | None, str]:
    """The data source as it is named, and what it is of; Mixed leaves it to each query."""
    found = [source for source in map(_named, (target, panel)) if source[0] and source[0] != MIXED]
    uid, kind = found[0] if found else (None, None)
    if kind is None or kind == "datasource":
        name = str(uid or "").strip("${}[]")
        kind = variables.kinds.get(name) or ("prometheus" if kind is None else kind)
    return uid, kind


def _is_typed(target: Json, panel: Json) -> bool:
    """Whether a data source says what it is of."""
    return any(_named(each)[1] not in (None, "datasource") for each in (target, panel))


def _named(thing: Json) -> tuple[str | None, str | None]:
    source = thing.get("datasource")
    if isinstance(source, dict):
        return source.get("uid"), source.get("type")
    return source, None


def _saved(variable: Json) -> str | Sequence[str] | None:
    current = variable.get("current") or {}
    value = current.get("value")
    kind = variable.get("type")
    if value in (None, "", []):
        value = _unsaved(variable, str(kind))
    if value is None:
        return None
    several = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    if several == ["$__all"]:
        return str(variable.get("allValue") or ".*")
    return several[0] if len(several) == 1 else several


def _unsaved(variable: Json, kind: str) -> str | None:
    """What one that was never saved with a value begins with; a query's Grafana asks for."""
    options = [one.get("value") for one in variable.get("options") or []]
    query = variable.get("query")
    if kind == "datasource":
        return "default"
    if kind in {"constant", "textbox"}:
        return query if isinstance(query, str) else ""
    if kind in {"custom", "interval"}:
        listed = [part.strip() for part in str(query or "").split(",")]
        chosen = next((str(one) for one in [*options, *listed] if one), None)
        return chosen.rpartition(" : ")[2] if chosen else None
    return None


def _formatted(name: str, value: str | Sequence[str], form: str) -> str:
    """As the options of a variable's format have it; without one as Grafana's Prometheus has several."""
    several = [value] if isinstance(value, str) else list(value)
    form = form.partition(":")[0]
    joined = {
        "csv": ",".join(several),
        "raw": ",".join(several),
        "text": " + ".join(several),
        "pipe": "|".join(several),
        "glob": several[0] if len(several) == 1 else "{" + ",".join(several) + "}",
        "json": json.dumps(value if isinstance(value, str) else several),
        "singlequote": ",".join(f"'{one}'" for one in several),
        "sqlstring": ",".join("'" + one.replace("'", "''") + "'" for one in several),
        "doublequote": ",".join(f'"{one}"' for one in several),
        "percentencode": quote(",".join(several), safe=""),
        "queryparam": "&".join(f"var-{name}={quote(one, safe='')}" for one in several),
    }
    if form == "regex":
        several = [re.sub(r"([\\^$.|?*+()\[\]{}/])", r"\\\1", one) for one in several]
    return joined.get(form, several[0] if len(several) == 1 else f"({'|'.join(several)})")


def _moment(is_start: bool, form: str) -> str:  # noqa: FBT001
    now = time.time() - (RANGE_SECONDS if is_start else 0)
    if form.startswith("date"):
        if form == "date:seconds":
            return str(int(now))
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
    return str(int(now * 1000))
