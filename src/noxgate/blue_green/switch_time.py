"""When traffic was switched: from the field that changed, and kept from the first look on.

The API server notes one time for all that a manager ever wrote. So the time of the entry that owns the routes
is the switch's where the manager wrote nothing else; where it did, the switch was then at the latest. What
the first look found is kept with the Ingress' generation, which counts changes of its spec alone: a label or
an annotation that is written later moves nothing.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from noxgate.blue_green.ingress_meaning import routes
from noxgate.errors import UnreachableError
from noxgate.look.documents import of_json

Json = Mapping[str, Any]

ROUTES = frozenset({"f:rules", "f:defaultBackend"})
APART = timedelta(seconds=2)  # clocks are read to the second
SAY = "say when it was: --switched-at 2026-01-31T14:03:05Z"


@dataclass(frozen=True)
class Switch:
    """When the routes were last changed; `exact` is False where it was then or earlier."""

    at: datetime
    exact: bool
    because: str

    def __str__(self) -> str:
        latest = "" if self.exact else " at the latest"
        return f"the routes were changed {self.at:%Y-%m-%d %H:%M:%S} UTC{latest}: {self.because}"


@dataclass(frozen=True)
class KeptSwitch:
    """What the first look at a state of the Ingress found."""

    uid: str
    generation: int
    leads: str
    at: str
    exact: bool
    because: str


def last_change(ingress: Json) -> Switch | None:
    """By the entries that own the routes; None if they do not say."""
    found = [
        Switch(datetime.fromisoformat(entry["time"]), exact=others == [], because=_because(entry, others))
        for entry in ingress["metadata"].get("managedFields") or []
        for fields in [entry.get("fieldsV1") or {}]
        if entry.get("time") and not entry.get("subresource") and _owns_routes(fields)
        for others in [_others(fields)]
    ]
    return max(found, key=lambda each: each.at, default=None)


def time_of_switch(ingress: Json, place: Path | None, said: datetime | None = None) -> Switch:
    """As `changed` has it, as the first look kept it, or as the operator says.

    Raises UnreachableError if it is unknown, or if the operator's time is impossible.
    """
    found = _first_look(ingress, last_change(ingress), place)
    if said is None:
        if found is None:
            raise UnreachableError(f"the Ingress does not say when it was switched; {SAY}")
        return found
    if found is not None and (said > found.at + APART or (found.exact and said < found.at - APART)):
        raise UnreachableError(f"--switched-at {said:%Y-%m-%dT%H:%M:%SZ}: but {found}")
    if said > datetime.now(UTC) + APART:
        raise UnreachableError(f"--switched-at {said:%Y-%m-%dT%H:%M:%SZ}: that is still to come")
    return Switch(said, exact=True, because="so the operator says")


def kept_beside(records: Path) -> Path:
    """The file of the first look, beside the folder of a target's records."""
    return records.with_name(f"{records.name}.switch.json")


def _owns_routes(fields: Json) -> bool:
    """A manager that set the whole spec at once owns it as one field."""
    spec = fields.get("f:spec")
    return spec is not None and (not set(spec) - {"."} or bool(ROUTES & set(spec)))


def _others(fields: Json) -> list[str]:
    """What else the same manager wrote, each with its own unknown time."""
    spec = {name for name in fields.get("f:spec") or {} if name not in {".", *ROUTES}}
    metadata = fields.get("f:metadata") or {}
    beside = {name for name in metadata if name != "."}
    return sorted(name.removeprefix("f:") for name in spec | beside)


def _because(entry: Json, others: list[str]) -> str:
    manager = entry.get("manager", "somebody")
    if not others:
        return f"{manager} wrote nothing else"
    return f"{manager} has one time for them and for {', '.join(others)}; {SAY}"


def _first_look(ingress: Json, found: Switch | None, place: Path | None) -> Switch | None:
    if place is None:
        return found
    meta = ingress["metadata"]
    uid, generation = str(meta.get("uid", "")), int(meta.get("generation", 0))
    leads = json.dumps(sorted((route, backend) for route, backend in routes(ingress).items()), sort_keys=True)
    before = _read(place)
    same = before is not None and (before.uid, before.generation) == (uid, generation)
    is_said = found is not None and found.exact  # by the cluster: no file of ours says it better
    if before is not None and same and before.leads == leads and not is_said:
        kept = Switch(datetime.fromisoformat(before.at), before.exact, f"{before.because} (kept)")
        return kept if found is None or kept.at <= found.at else found
    if found is not None and uid and generation:
        _write(place, KeptSwitch(uid, generation, leads, found.at.isoformat(), found.exact, found.because))
    return found


def _read(place: Path) -> KeptSwitch | None:
    try:
        kept = KeptSwitch(**of_json(place.read_text(encoding="utf-8")))
        datetime.fromisoformat(kept.at)
    except (OSError, ValueError, TypeError):
        return None
    return kept


def _write(place: Path, kept: KeptSwitch) -> None:
    """Whole or not at all; where it cannot be kept, the next look is the first."""
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f".{place.name}.{os.getpid()}")
        new.write_text(json.dumps(asdict(kept), indent=2) + "\n", encoding="utf-8")
        new.replace(place)
