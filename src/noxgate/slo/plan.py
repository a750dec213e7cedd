"""What `noxgate load` tells the generator's process: a JSON file, without the token, which has a variable."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from noxgate.slo.ramps import Ramp, ramp_of

PLAN = "NOXGATE_LOAD"  # the variable that names the file
TOKEN = "NOXGATE_LOAD_TOKEN"  # noqa: S105 (the variable's name)
CLASSES = ("health", "auth", "science", "data", "websocket")  # of users: what a limit is for
TIMEOUT = 15.0  # seconds of one request: far beyond every limit
STOP_TIMEOUT = 75  # seconds for what is under way at the end: a request, or a job that is waited for


@dataclass(frozen=True)
class Plan:
    """One load test. `limits`: by class, the seconds over which requests are to be counted."""

    target: str
    base_url: str
    rehearsal: bool
    release: str
    version: str
    ca_file: Path | None
    ramp: Ramp
    limits: Mapping[str, tuple[float, ...]]
    processes: int  # that send
    result: Path
    progress: int  # the file descriptor that progress is written to
    timeout: float = TIMEOUT
    nonce: str = ""
    ui: bool = False  # Locust's own web page drives it; there is no ramp and no result


def write_plan(path: Path, plan: Plan) -> None:
    document = asdict(plan) | {
        "ca_file": str(plan.ca_file) if plan.ca_file else None,
        "result": str(plan.result),
    }
    path.write_text(json.dumps(document), encoding="utf-8")


def read_plan(path: Path) -> Plan:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    ca_file = document["ca_file"]
    return Plan(
        **{
            **document,
            "ca_file": Path(ca_file) if ca_file else None,
            "ramp": ramp_of(document["ramp"]),
            "limits": {name: tuple(seconds) for name, seconds in document["limits"].items()},
            "result": Path(document["result"]),
        }
    )
