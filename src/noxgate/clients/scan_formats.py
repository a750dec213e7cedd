"""What image scanners write: trivy's and grype's JSON, and SARIF, as docker scout and both others have it.

A reader raises NotWholeError where a part is missing without which "no finding" would mean nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CRITICAL = "CRITICAL"
CRITICAL_SCORE = 9.0  # CVSS 3: critical is 9.0 and more
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FRACTION = re.compile(r"(\.\d{6})\d+")  # Go writes nanoseconds


class NotWholeError(Exception):
    """A part of the report is missing; the message says which."""


@dataclass(frozen=True)
class Scan:
    """What was looked at and found. `sections` says in which parts of the image."""

    digests: frozenset[str]
    made: datetime
    findings: int
    critical: tuple[str, ...]
    sections: str


def is_trivy(document: Any) -> bool:
    return isinstance(document, dict) and "SchemaVersion" in document and "ArtifactName" in document


def trivy(document: Mapping[str, Any]) -> Scan:
    """`trivy image --format json`: a part without findings has no list of them, but is itself there."""
    if document.get("ArtifactType") != "container_image":
        raise NotWholeError(
            f"it is of a {document.get('ArtifactType') or 'thing without a type'}, not of an image"
        )
    metadata = document.get("Metadata") or {}
    results = document.get("Results")
    if not isinstance(results, list):
        raise NotWholeError("it has no Results: nothing says that anything was scanned")
    parts = [
        each for each in results if each.get("Class") in {"os-pkgs", "lang-pkgs"} or "Vulnerabilities" in each
    ]
    if not parts:
        raise NotWholeError("no part was scanned for vulnerabilities (--scanners vuln)")
    found = [each for part in parts for each in part.get("Vulnerabilities") or []]
    return Scan(
        digests=_digests([metadata.get("ImageID"), *(metadata.get("RepoDigests") or [])]),
        made=_time(document.get("CreatedAt"), "CreatedAt"),
        findings=len(found),
        critical=_named((each["VulnerabilityID"], each["Severity"]) for each in found),
        sections=f"{len(parts)} parts",
    )


def is_grype(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and isinstance(document.get("descriptor"), dict)
        and document["descriptor"].get("name") == "grype"
    )


def grype(document: Mapping[str, Any]) -> Scan:
    """`grype --output json`: `matches` is there, and empty, where nothing was found."""
    source = document.get("source") or {}
    if source.get("type") != "image":
        raise NotWholeError(f"it is of a {source.get('type') or 'source without a type'}, not of an image")
    matches = document.get("matches")
    if not isinstance(matches, list):
        raise NotWholeError("it has no matches: nothing says that anything was scanned")
    target = source["target"]
    ignored = len(document.get("ignoredMatches") or [])
    return Scan(
        digests=_digests(
            [target.get("imageID"), target.get("manifestDigest"), *(target.get("repoDigests") or [])]
        ),
        made=_time(document["descriptor"].get("timestamp"), "descriptor.timestamp"),
        findings=len(matches),
        critical=_named((each["vulnerability"]["id"], each["vulnerability"]["severity"]) for each in matches),
        sections=f"the image ({ignored} more ignored by the scanner's rules)",
    )


def is_sarif(document: Any) -> bool:
    return isinstance(document, dict) and document.get("version") == "2.1.0" and "runs" in document


def sarif(document: Mapping[str, Any]) -> Scan:
    """`docker scout cves --format sarif`: it counts where it names the digest and the time."""
    runs = document["runs"]
    if not runs:
        raise NotWholeError("it has no run")
    criticals: list[str] = []
    found = 0
    for run in runs:
        if not isinstance(run.get("results"), list):
            raise NotWholeError("a run has no results: nothing says that anything was scanned")
        rules = run["tool"]["driver"].get("rules") or []
        grave = {rule["id"] for rule in rules if _is_critical(rule.get("properties") or {})}
        known = {rule["id"] for rule in rules}
        for result in run["results"]:
            if result["ruleId"] not in known:
                raise NotWholeError(f"nothing says how grave {result['ruleId']} is")
            found += 1
            criticals += [result["ruleId"]] if result["ruleId"] in grave else []
    return Scan(
        digests=_digests(_places(runs)),
        made=min(_time(text, "invocations.endTimeUtc") for text in _ends(runs)),
        findings=found,
        critical=tuple(dict.fromkeys(criticals)),
        sections=", ".join(dict.fromkeys(str(run["tool"]["driver"].get("name")) for run in runs)),
    )


def _places(runs: list[Any]) -> Iterator[str]:
    """Where a run may name the image: its own properties, what it was told, and what it looked at."""
    for run in runs:
        for part in ("properties", "invocations", "artifacts", "automationDetails"):
            yield json.dumps(run.get(part))
        for result in run["results"]:
            yield json.dumps([place.get("logicalLocations") for place in result.get("locations") or []])


def _ends(runs: list[Any]) -> list[str | None]:
    ends = [
        each.get("endTimeUtc") or each.get("startTimeUtc")
        for run in runs
        for each in run.get("invocations") or []
    ]
    return ends or [None]


def _is_critical(properties: Mapping[str, Any]) -> bool:
    """By the severity's name, as scout and trivy give it; else by the score."""
    names = {
        str(properties.get("cvssV3_severity", "")).upper(),
        *map(str.upper, properties.get("tags") or []),
    }
    score = properties.get("security-severity")
    if not names & {CRITICAL, "HIGH", "MEDIUM", "LOW"} and score is None:
        raise NotWholeError("a rule says nothing of how grave it is")
    return CRITICAL in names or (score is not None and float(score) >= CRITICAL_SCORE)


def _named(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, severity in pairs if severity.upper() == CRITICAL))


def _digests(texts: Iterable[str | None]) -> frozenset[str]:
    return frozenset(found for text in texts if text for found in _DIGEST.findall(text))


def _time(text: str | None, where: str) -> datetime:
    if not text:
        raise NotWholeError(f"nothing says when it was made ({where})")
    found = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
