"""The tools that the release record links to, on loopback: a page for each, and small stand-ins of two APIs.

Grafana's has one dashboard, whose queries go to the rehearsal's Prometheus; Sentry's has the issues that a
file says. Both give no more than the release gate asks for. An Alertmanager takes alerts and forgets them.
"""

import http.server
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nox_rehearsal.world.forks import Module
from nox_rehearsal.world.ports import answers
from nox_rehearsal.world.processes import Part

NAME = "pages"
TOOLS = ("grafana", "sentry", "elk", "wiki")
DASHBOARD, DATASOURCE = "nox-api", "prometheus"
ORGANIZATION, PROJECT = "nox", "nox-api"
ENVIRONMENTS = ("production", "staging")
ISSUES = "issues.json"  # a list of Sentry's issues, with firstSeen and lastSeen
_SENTRY = f"/sentry/api/0/projects/{ORGANIZATION}/{PROJECT}/"
DASHBOARDS = "dashboard.json"
_SELECTOR = 'namespace="$namespace",job="nox-api"'
_PANELS = {
    "Requests": f"sum(rate(http_requests_total{{{_SELECTOR}}}[$__rate_interval]))",
    "p95": "histogram_quantile(0.95, sum by (le) "
    f"(rate(http_request_duration_seconds_bucket{{{_SELECTOR}}}[$__rate_interval])))",
    "Pods": f"count(up{{{_SELECTOR}}} == 1)",
    "Memory": 'max(container_memory_working_set_bytes{namespace="$namespace"})',
}


def prepare(folder: Path, port: int, prometheus_port: int) -> Part:
    """Write the pages, the dashboard, and an empty list of issues."""
    home = folder / NAME
    for tool in TOOLS:
        (home / tool).mkdir(parents=True)
        (home / tool / "index.html").write_text(f"<h1>{tool}</h1>\n", encoding="utf-8")
    (home / ISSUES).write_text("[]", encoding="utf-8")
    (home / DASHBOARDS).write_text(json.dumps(dashboard("nox-production-green")), encoding="utf-8")
    return Part(
        name=NAME,
        address=url(port, ""),
        command=Module("nox_rehearsal.parts.pages", (str(port), str(prometheus_port), str(home))),
        folder=home,
        serves=partial(answers, port),
    )


def url(port: int, tool: str) -> str:
    return f"http://127.0.0.1:{port}/{tool}"


def dashboard(namespace: str) -> Mapping[str, Any]:
    """As Grafana answers: the panels' queries with a variable, which has a value of its own."""
    panels = [
        {
            "id": number,
            "title": title,
            "type": "timeseries",
            "datasource": {"type": "prometheus", "uid": DATASOURCE},
            "targets": [{"refId": "A", "expr": expression}],
        }
        for number, (title, expression) in enumerate(_PANELS.items(), start=1)
    ]
    variable = {"name": "namespace", "type": "custom", "current": {"text": namespace, "value": namespace}}
    return {
        "meta": {"slug": DASHBOARD, "url": f"/d/{DASHBOARD}/{DASHBOARD}"},
        "dashboard": {
            "uid": DASHBOARD,
            "title": "NOX API",
            "panels": panels,
            "templating": {"list": [variable]},
        },
    }


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, prometheus: str, home: Path, *arguments: Any) -> None:
        self._prometheus = prometheus
        self._home = home
        super().__init__(*arguments, directory=str(home))

    def do_GET(self) -> None:
        """The APIs, or a page."""
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        proxied = f"/grafana/api/datasources/proxy/uid/{DATASOURCE}/"
        if path == f"/grafana/api/dashboards/uid/{DASHBOARD}":
            self._say(200, (self._home / DASHBOARDS).read_bytes())
        elif path.startswith(proxied):
            self._pass_on(f"{self._prometheus}/{path.removeprefix(proxied)}?{query}")
        elif path == f"{_SENTRY}issues/":
            asked = parse_qs(query)
            wanted, environment = (asked.get(name, [""])[0] for name in ("query", "environment"))
            found = json.loads((self._home / ISSUES).read_text(encoding="utf-8"))
            said = [one for one in found if _is_wanted(one, wanted) and _is_of(one, environment)]
            self._say(200, json.dumps(said).encode())
        elif path == f"{_SENTRY}environments/":
            self._say(200, json.dumps([{"id": "1", "name": name} for name in ENVIRONMENTS]).encode())
        elif "/api/" in path:
            self._say(404, b'{"message": "Not found"}')
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """Alerts, as Prometheus sends them to an Alertmanager: they are received, and no person is called."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        heard = urlsplit(self.path).path == "/alertmanager/api/v2/alerts"
        self._say(200 if heard else 404, b"{}")

    def _pass_on(self, where: str) -> None:
        try:
            with urllib.request.urlopen(where, timeout=8) as answer:  # noqa: S310 (always http, on loopback)
                self._say(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            self._say(error.code, error.read())
        except OSError:
            self._say(502, b'{"message": "bad gateway"}')

    def _say(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        with suppress(BrokenPipeError):
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """It is not read."""


def _is_wanted(issue: Mapping[str, Any], query: str) -> bool:
    """The terms that the gate uses: is:unresolved, is:regressed, and firstSeen:>=TIME or lastSeen:>=TIME."""
    for term in query.split():
        name, _, value = term.partition(":")
        if name == "is" and value not in {issue["status"], issue.get("substatus")}:
            return False
        if name in {"firstSeen", "lastSeen"} and datetime.fromisoformat(
            issue.get(name, issue["firstSeen"])
        ) < datetime.fromisoformat(value.removeprefix(">=")):
            return False
    return True


def _is_of(issue: Mapping[str, Any], environment: str) -> bool:
    """Whether it happened there: all of them say so by a tag."""
    return not environment or issue.get("environment", ENVIRONMENTS[0]) == environment


def main(arguments: list[str]) -> None:
    port, prometheus_port, home = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    handler = partial(_Handler, f"http://127.0.0.1:{prometheus_port}", home)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
