"""results.json: the document that a run leaves is made and read here; `plugin.ending` writes it down.

Schema 2 names what decided (`decided.json` beside it); runs of schema 1 are read as they are. A run in any
other form is a ResultsError: read in part, a missing key would look like an empty one.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from noxgate.errors import NoxgateError
from noxgate.look.documents import of_json
from noxgate.look.observation import cut
from noxgate.run.results import Acceptance, Attested, Judged, Results, RunTarget, Selection
from noxgate.run.verdict import CheckResult, Observed, Outcome, Verdict

NAME = "results.json"
SCHEMA = 2  # of 1 there is no decided.json
READABLE = (1, 2)
_WRONG = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
T = TypeVar("T")


class ResultsError(NoxgateError):
    """A run's results cannot be read: one line."""


def document(results: Results) -> dict[str, Any]:
    """What is written: the keys in the order in which people look for them."""
    return {
        "schema": results.schema,
        "run": results.run,
        "verdict": results.verdict,
        "doubts": list(results.doubts),
        "release": results.release,
        "target": place(results.target),
        "phases": list(results.phases),
        "checkpoint": results.checkpoint,
        "whole": list(results.whole),
        "started": results.started.isoformat(timespec="seconds"),
        "ended": results.ended.isoformat(timespec="seconds"),
        "seconds": results.seconds,
        "selection": {**vars(results.selection), "arguments": list(results.selection.arguments)},
        "facts": dict(results.facts),
        "lines": [_line_document(line) for line in results.lines],
        "to_come": list(results.to_come),
    }


def place(target: RunTarget) -> dict[str, Any]:
    found = {**vars(target), "overrides": dict(target.overrides), "points_at": dict(target.points_at)}
    names = found.pop("names")  # which runs of an earlier version do not say
    return {**found, **({"names": dict(names)} if names else {})}


def _line_document(line: Judged) -> dict[str, Any]:
    word, waiver = line.attestation, line.waiver
    return {
        "id": line.id,
        "ref": line.ref,
        "section": line.section,
        "expected": line.expected,
        "outcome": line.outcome,
        "reason": line.reason,
        "attestation": word and {**vars(word), "at": word.at.isoformat()},
        "waiver": waiver and {**vars(waiver), "expires": waiver.expires.isoformat()},
        "checks": [
            {
                "node": check.node,
                "outcome": check.outcome,
                "reason": check.reason,
                "seconds": round(check.seconds, 3),
                "observations": [_look_document(look) for look in check.observations],
            }
            for check in line.checks
        ],
    }


def _look_document(look: Observed) -> dict[str, Any]:
    measured = {} if look.measured is None else {"measured": list(look.measured)}
    return {"seen": look.seen, "repeat": look.repeat, **measured}


def read(folder: Path) -> Results:
    """The results in a run's folder."""
    path = folder / NAME
    try:
        return of_bytes(path.read_bytes())
    except OSError as error:
        raise ResultsError(f"{NAME}: {error.strerror}") from None


def of_bytes(content: bytes) -> Results:
    try:
        found = of_json(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ResultsError(f"{NAME}: expected a JSON object")
    try:
        if found["schema"] not in READABLE:
            raise ResultsError(f"{NAME}: expected schema {SCHEMA}, saw {found['schema']!r}")
        return _results(found)
    except _WRONG as error:
        said = cut(f"{type(error).__name__}: {error}", 200)
        raise ResultsError(f"{NAME}: expected a run's results, saw another form ({said})") from None


def _results(found: Mapping[str, Any]) -> Results:
    target, asked = found["target"], found.get("selection", {})
    phases = _texts(found["phases"])
    seconds = found["seconds"]
    return Results(
        schema=found["schema"],
        verdict=Verdict(found["verdict"]),
        release=_text(found["release"]),
        target=RunTarget(
            _text(target["name"]),
            _yes_or_no(target["rehearsal"]),
            _text(target.get("base_url", "")),
            _text(target.get("namespace", "")),
            _words(target.get("overrides", {})),
            _words(target.get("points_at", {})),
            _words(target.get("names", {})),
        ),
        phases=phases,
        whole=tuple(name for name in _texts(found.get("whole", phases)) if name in phases),
        started=_moment(found["started"]),
        ended=_moment(found["ended"]),
        seconds=float(seconds),
        lines=_once(_all(_line, found["lines"])),
        to_come=_texts(found["to_come"]),
        doubts=_texts(found["doubts"]),
        facts=_words(found.get("facts", {})),
        selection=Selection(
            _text(asked.get("m") or ""), _text(asked.get("k") or ""), _texts(asked.get("arguments", []))
        ),
        checkpoint=_maybe(_text, found.get("checkpoint")),
        run=_text(found.get("run", "")),
    )


def _line(found: Mapping[str, Any]) -> Judged:
    return Judged(
        _text(found["id"]),
        Outcome(found["outcome"]),
        _text(found["reason"]),
        _all(_check, found["checks"]),
        _maybe(_attested, found["attestation"]),
        _maybe(_accepted, found["waiver"]),
        *(_text(found.get(key, "")) for key in ("ref", "section", "expected")),
    )


def _once(lines: tuple[Judged, ...]) -> tuple[Judged, ...]:
    """Each line once: of two, whoever reads them by their names sees one."""
    twice = [name for name, times in Counter(line.id for line in lines).items() if times > 1]
    if twice:
        raise ValueError(f"{twice[0]} is there twice")
    return lines


def _check(found: Mapping[str, Any]) -> CheckResult:
    return CheckResult(
        _text(found["node"]),
        Outcome(found["outcome"]),
        _text(found["reason"]),
        float(found["seconds"]),
        _all(_look, found["observations"]),
    )


def _look(found: Mapping[str, Any]) -> Observed:
    return Observed(
        _text(found["seen"]), _text(found["repeat"]), _maybe(_least_and_most, found.get("measured"))
    )


def _least_and_most(found: object) -> tuple[float, float]:
    least, most = _all(float, found)
    return least, most


def _attested(found: Mapping[str, Any]) -> Attested:
    return Attested(
        int(found["record"]),
        _text(found["by"]),
        _text(found.get("account", "")),
        datetime.fromisoformat(found["at"]),
        _text(found["seen"]),
        _yes_or_no(found["rehearsal"]),
        _text(found.get("signed_by", "")),
        _maybe(_yes_or_no, found.get("own_key")),
    )


def _accepted(found: Mapping[str, Any]) -> Acceptance:
    return Acceptance(_text(found["owner"]), _text(found["reason"]), date.fromisoformat(found["expires"]))


def _all(of: Callable[[Any], T], found: object) -> tuple[T, ...]:
    if not isinstance(found, list | tuple):
        raise TypeError(f"expected a list, saw {type(found).__name__}")
    return tuple(map(of, found))


def _maybe(of: Callable[[Any], T], found: object) -> T | None:
    return None if found is None else of(found)


def _texts(found: object) -> tuple[str, ...]:
    return _all(_text, found)


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError(f"expected text, saw {type(found).__name__}")
    return found


def _yes_or_no(found: object) -> bool:
    if not isinstance(found, bool):
        raise TypeError(f"expected true or false, saw {type(found).__name__}")
    return found


def _words(found: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: _text(value) for name, value in found.items()}


def _moment(found: str) -> datetime:
    """In UTC; of a foreign form, too."""
    return datetime.fromisoformat(found).astimezone(UTC)
