"""Production's users, few and patient: they ask its public host all the time, through the switch too."""

import json
import ssl
import sys
import threading
from pathlib import Path

import httpx

from noxgate.rehearsal.processes import Part, python

NAME = "visitors"
PATH = "/api/public/stats"
EVERY = 0.25  # seconds
COUNTS = "visitors.json"


def prepare(folder: Path, base_url: str) -> Part:
    """It serves as long as it runs; `visitors.json` has what came of it."""
    return Part(
        name=NAME,
        address="",
        command=python("noxgate.rehearsal.visitors", base_url, str(folder)),
        folder=folder,
        serves=lambda: None,
    )


def counts(folder: Path) -> dict[str, int]:
    """The requests made, and those that failed."""
    found: dict[str, int] = json.loads((folder / COUNTS).read_text(encoding="utf-8"))
    return found


def main() -> None:
    base_url, folder = sys.argv[1], Path(sys.argv[2])
    trusted = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    over = threading.Event()  # nobody sets it: a signal ends the process
    made = failed = 0
    fresh = httpx.Limits(max_keepalive_connections=0)  # nginx may close an idle one as it reloads
    with httpx.Client(verify=trusted, trust_env=False, timeout=5, limits=fresh) as client:
        while not over.wait(EVERY):
            made += 1
            try:
                said = str(client.get(base_url + PATH).status_code)
            except httpx.HTTPError as error:
                said = type(error).__name__
            if said != "200":
                failed += 1
                print(f"{PATH}: {said}", flush=True)  # noqa: T201 (into its log)
            draft = folder / f"{COUNTS}.draft"
            draft.write_text(json.dumps({"made": made, "failed": failed}), encoding="utf-8")
            draft.replace(folder / COUNTS)


if __name__ == "__main__":
    main()
