"""A process that uses the engine as a Locust user does: one job a line on stdin, its samples on stdout.

pytest itself must not import gevent's loop or Locust.
"""

import json
import sys
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]

from noxgate_load.http.client import MOST_BYTES, HttpClient
from noxgate_load.http.duplex import WebSocketClient
from noxgate_load.http.endpoint import Endpoint
from noxgate_load.http.exchange import Answer, call
from noxgate_load.http.sessions import Acquaintance
from noxgate_load.samples import Sample, Totals, clock


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Let `users` users take all steps at the same time."""
    samples: list[Sample] = []
    answers: list[Answer] = []
    crashes: list[str] = []
    totals = Totals()
    ca_file = Path(job["ca_file"]) if job.get("ca_file") else None
    endpoint = Endpoint(job["url"], ca_file=ca_file, connect_timeout=job.get("connect_timeout", 5))
    options = {"timeout": job.get("timeout", 10), "most_bytes": job.get("most_bytes", MOST_BYTES)}

    def user() -> None:
        acquaintance = Acquaintance()
        http = HttpClient(endpoint, samples.append, totals, acquaintance=acquaintance, **options)
        websocket = WebSocketClient(endpoint, samples.append, totals, acquaintance=acquaintance, **options)
        try:
            for step in job["steps"]:
                if "after" in step:
                    until(*step["after"])
                gevent.sleep(step.get("pause", 0))
                answers.append(take(endpoint, http, websocket, step))
        except Exception as error:  # noqa: BLE001 (it is what the test is about)
            crashes.append(repr(error))
        finally:
            http.close()
            websocket.close()

    greenlets = [gevent.spawn(user) for _ in range(job.get("users", 1))]
    gevent.joinall(greenlets, timeout=job.get("kill_after", 20))
    gevent.killall(greenlets)
    return {
        "samples": [{**sample._asdict(), "error": str(sample.error)} for sample in samples],
        "answers": [
            {"status": answer.status, "body": answer.text, "head": answer.head.decode("latin-1")}
            for answer in answers
        ],
        "crashes": crashes,
        "totals": {name: getattr(totals, name) for name in Totals.__slots__},
    }


def until(file: str, size: int) -> None:
    """The server, which is told that it is waited for, has written so many bytes into that file."""
    Path(f"{file}.awaited").touch()
    while Path(file).stat().st_size < size:
        gevent.sleep(0.01)


def take(endpoint: Endpoint, http: HttpClient, websocket: WebSocketClient, step: dict[str, Any]) -> Answer:
    """One request."""
    match step.get("ws"):
        case "open":
            return websocket.open(step["path"], headers=step.get("headers"))
        case "echo":
            return websocket.echo(step["say"], path=step["path"])
        case "end":
            return websocket.end(path=step["path"])
    body = step.get("body")
    what = call(
        endpoint,
        step.get("method", "GET"),
        step.get("path", "/"),
        group=step.get("group", ""),
        headers=step.get("headers"),
        body=body.encode() if body is not None else None,
        expected=frozenset(step.get("expected", range(200, 300))),
    )
    late = step.get("late")
    return http.send(what, checks(step), intended=clock() - late if late is not None else None)


def checks(step: dict[str, Any]) -> Any:
    """What the answer must be."""

    def check(answer: Answer) -> None:
        if step["check"] == "crash":
            raise KeyError("a mistake in the script")
        if step["check"] == "json":
            answer.json()
        else:
            assert answer.text == step["check"]

    return check if "check" in step else None


if __name__ == "__main__":
    main()
