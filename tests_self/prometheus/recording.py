"""What a real Prometheus makes of each text: python -m tests_self.prometheus.recording > scraped.json."""

import http.server
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests_self.prometheus.texts import TEXTS, Text

from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.processes import Crew, Part
from noxgate.look.waiting import eventually
from noxgate.machine import doctor

RECORDED = Path(__file__).with_name("scraped.json")
_GIVEN = ("text", "job", "instance")
_OWN = '{text="%d",__name__!~"up|scrape_.*"}'


def record(folder: Path) -> dict[str, Any]:
    """What this machine's Prometheus keeps of each text, or that it loses all of it, beside its version."""
    version = subprocess.run(
        [doctor.program("prometheus"), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    crew = Crew(folder)
    with reserved(1) as (port,), _serving() as (texts_port, accepted):
        try:
            crew.launch(_prometheus(folder, port, texts_port))
            crew.wait_for("prometheus")
            eventually(lambda: _all_scraped(port), within=60, every=0.2)
            lost = {_number(one) for one in _targets(port) if one["lastError"]}
            found = {
                text.name: {"prometheus": version} | _found(port, number, lost=number in lost)
                for number, text in enumerate(TEXTS)
            }
        finally:
            crew.stop_all()
    (accept,) = set(accepted)
    return {"accept": accept, "texts": found}


@contextmanager
def _serving() -> Iterator[tuple[int, list[str]]]:
    accepted: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text: Text = TEXTS[int(self.path.removeprefix("/"))]
            accepted.append(self.headers["accept"])
            content = text.at(int(time.time() * 1000))
            self.send_response(200)
            self.send_header("Content-Type", text.kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, accepted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _prometheus(folder: Path, port: int, texts_port: int) -> Part:
    home = folder / "prometheus"
    home.mkdir()
    targets = [
        {
            "targets": [f"127.0.0.1:{texts_port}"],
            "labels": {"__metrics_path__": f"/{number}", "text": str(number)},
        }
        for number in range(len(TEXTS))
    ]
    job = {"job_name": "texts", "static_configs": targets}
    configuration = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s"},
        "scrape_configs": [job],
    }
    (home / "prometheus.yml").write_text(json.dumps(configuration), encoding="utf-8")
    return Part(
        name="prometheus",
        address=f"127.0.0.1:{port}",
        command=(
            str(doctor.program("prometheus")),
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ),
        folder=home,
        serves=lambda: _is_ready(port),
    )


def _is_ready(port: int) -> None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
            pass
    except OSError as error:
        raise AssertionError(str(error)) from None


def _data(port: int, path: str, **parameters: str) -> Any:
    url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())["data"]


def _targets(port: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _data(port, "targets", state="active")["activeTargets"]
    return found


def _number(target: dict[str, Any]) -> int:
    return int(target["labels"]["text"])


def _all_scraped(port: int) -> None:
    """Twice at least: a first scrape may take times that a later one refuses."""
    found = _data(port, "query", query="count_over_time(up[5m]) >= 2")["result"]
    assert len(found) == len(TEXTS), f"{len(found)} of {len(TEXTS)} texts scraped"


def _found(port: int, number: int, *, lost: bool) -> dict[str, Any]:
    if lost:
        return {"lost": True}
    samples = [
        [{name: value for name, value in one["metric"].items() if name not in _GIVEN}, one["value"][1]]
        for one in _data(port, "query", query=_OWN % number)["result"]
    ]
    return {"samples": sorted(samples, key=json.dumps)}


def written(found: dict[str, Any]) -> str:
    """A line for each text."""
    texts = ",\n".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in found["texts"].items())
    return f'{{"accept": {json.dumps(found["accept"])},\n"texts": {{\n{texts}\n}}}}\n'


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(written(record(Path(name))))
