"""Production's users, few and patient: they ask its public host all the time, through the switch too."""

import http.client
import json
import ssl
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from nox_rehearsal.world.forks import Module
from nox_rehearsal.world.processes import Part

NAME = "visitors"
PATH = "/api/public/stats"
EVERY = 0.25  # seconds
COUNTS = "visitors.json"


def prepare(folder: Path, base_url: str) -> Part:
    """It serves as long as it runs; `visitors.json` has what came of it."""
    return Part(
        name=NAME,
        address="",
        command=Module("nox_rehearsal.people.visitors", (base_url, str(folder))),
        folder=folder,
        serves=lambda: None,
    )


def counts(folder: Path) -> dict[str, int]:
    """The requests made, and those that failed."""
    found: dict[str, int] = json.loads((folder / COUNTS).read_text(encoding="utf-8"))
    return found


def main(arguments: list[str]) -> None:
    base_url, folder = arguments[0], Path(arguments[1])
    host, _, port = urlsplit(base_url).netloc.partition(":")
    trusted = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    over = threading.Event()  # never set: a signal ends the process
    made = failed = 0
    while not over.wait(EVERY):
        made += 1
        # a connection for each request: nginx may close an idle one as it reloads
        connection = http.client.HTTPSConnection(host, int(port), timeout=5, context=trusted)
        with closing(connection):
            try:
                connection.request("GET", PATH)
                said = str(connection.getresponse().status)
            except (OSError, http.client.HTTPException) as error:
                said = type(error).__name__
        if said != "200":
            failed += 1
            print(f"{PATH}: {said}", flush=True)  # noqa: T201 (into its log)
        draft = folder / f"{COUNTS}.draft"
        draft.write_text(json.dumps({"made": made, "failed": failed}), encoding="utf-8")
        draft.replace(folder / COUNTS)
