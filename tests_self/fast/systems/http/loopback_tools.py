"""Tools on loopback, such as Grafana and Sentry, that answer by path."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from noxgate.project.target import Dashboard, SentryProject, Target


@contextmanager
def serving(answers: Mapping[str, object]) -> Iterator[tuple[Target, list[tuple[str, dict[str, str]]]]]:
    """A target whose tools answer so by path, with what they were asked; all else they do not know."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
            asked.append((parts.path, parameters))
            answer = answers.get(parts.path)
            found = answer(parameters) if callable(answer) else answer
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"message": "not found"} if found is None else found).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield target(server.server_port), asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def target(port: int) -> Target:
    """One whose tools listen on this port."""
    url = f"http://127.0.0.1:{port}"
    return Target(
        name="loopback",
        path=Path("loopback.toml"),
        serves=("live",),
        base_url="https://localhost:9",
        plain_url="http://localhost:9",
        namespace="nox",
        rehearsal=True,
        grafana=Dashboard(url, "nox-api"),
        sentry=SentryProject(url, "nox", "api"),
    )
