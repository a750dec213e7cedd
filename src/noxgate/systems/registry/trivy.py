"""Trivy's report in JSON, as `trivy image --format json` writes it (pkg/types/report.go of trivy 0.74)."""

from collections.abc import Iterator, Mapping
from typing import Any

from noxgate.systems.registry.platforms import platform_of
from noxgate.systems.registry.scan import (
    HARMLESS,
    Identity,
    NotWholeError,
    Scan,
    ScanFinding,
    digests,
    grade,
    one_digest,
    scan,
    time,
    time_or_none,
)

SCHEMA = 2
PACKAGES = ("os-pkgs", "lang-pkgs")
WITHOUT_PACKAGES = ("activestate",)  # systems without packages of their own

Json = Mapping[str, Any]


def is_trivy(document: Any) -> bool:
    return isinstance(document, dict) and "SchemaVersion" in document and "ArtifactName" in document


def trivy(document: Json) -> Scan:
    """A part without findings has no list of them, but is itself there."""
    if document["SchemaVersion"] != SCHEMA:
        raise NotWholeError(f"it is of the schema version {document['SchemaVersion']!r}, not {SCHEMA}")
    if document.get("ArtifactType") != "container_image":
        raise NotWholeError(
            f"it is of a {document.get('ArtifactType') or 'thing without a type'}, not of an image"
        )
    metadata = document.get("Metadata") or {}
    results = document.get("Results")
    if not isinstance(results, list):
        raise NotWholeError("it has no Results: nothing says that anything was scanned")
    parts = [each for each in results if each.get("Class") in PACKAGES or "Vulnerabilities" in each]
    if not parts:
        raise NotWholeError("no part was scanned for vulnerabilities (--scanners vuln)")
    # since it names its version it lists all packages, unless it is told not to
    lists = "Trivy" in document or any("Packages" in part for part in parts)
    _check_system(metadata.get("OS") or {}, parts, lists=lists)
    hidden = [each for part in results for each in part.get("ExperimentalModifiedFindings") or []]
    server = (document.get("Trivy") or {}).get("Server") or {}
    return scan(
        identity=Identity(
            image_id=one_digest(metadata.get("ImageID")),
            repositories=digests(metadata.get("RepoDigests") or []),
            platform=platform_of(metadata.get("ImageConfig") or {}),
        ),
        made=time(document.get("CreatedAt"), "CreatedAt"),
        found=[*_found(results), *(_hidden(each) for each in hidden if _counts(each))],
        sections=f"{len(parts)} parts" + ("" if lists else ", packages not listed"),
        excused=[_excused(each) for each in hidden if _is_excused(each)],
        database=time_or_none((server.get("VulnerabilityDB") or {}).get("UpdatedAt")),
    )


def _check_system(system: Json, parts: list[Any], *, lists: bool) -> None:
    """Whether trivy saw a system that it knows, and its packages: else it can find nothing in them."""
    family = str(system.get("Family") or "none")
    called = f"{family} {system.get('Name') or ''}".strip()
    if family == "none":
        raise NotWholeError("its operating system was not detected, so its packages were not judged")
    if system.get("EOSL"):
        raise NotWholeError(
            f"{called} is past its end of life: it is no longer said which of its packages are vulnerable; "
            "build on a supported one"
        )
    if family in WITHOUT_PACKAGES:
        return
    own = [part for part in parts if part.get("Class") == "os-pkgs"]
    if not any(part.get("Packages") or part.get("Vulnerabilities") or not lists for part in own):
        raise NotWholeError(
            f"no packages of {called} were seen: scan without --pkg-types, and with --list-all-pkgs, "
            "an image that has its package database"
        )


def _found(results: list[Any]) -> Iterator[ScanFinding]:
    for part in results:
        for each in part.get("Vulnerabilities") or []:
            name = str(each["VulnerabilityID"])
            yield ScanFinding(name, grade(each.get("Severity"), name))
        for each in part.get("Secrets") or []:
            yield _secret(each, str(part.get("Target")))


def _secret(each: Json, where: str) -> ScanFinding:
    """The rule that found it, and the file: of what it matches nothing is shown."""
    name = f"secret {each['RuleID']}" + (f" in {where}" if where else "")
    return ScanFinding(name, grade(each.get("Severity"), name))


def _is_secret(hidden: Json) -> bool:
    return "RuleID" in hidden["Finding"]


def _counts(hidden: Json) -> bool:
    """What somebody hid counts as found; misconfigurations and licences count neither way."""
    is_ours = _is_secret(hidden) or "VulnerabilityID" in hidden["Finding"]
    return is_ours and not _is_excused(hidden)


def _is_excused(hidden: Json) -> bool:
    return (
        "VulnerabilityID" in hidden["Finding"]
        and hidden.get("Status") in HARMLESS
        and bool(str(hidden.get("Statement") or "").strip())
    )


def _hidden(hidden: Json) -> ScanFinding:
    said = f" (hidden by {hidden.get('Source') or 'somebody'}: {hidden.get('Status')})"
    if _is_secret(hidden):
        found = _secret(hidden["Finding"], "")
    else:
        name = str(hidden["Finding"]["VulnerabilityID"])
        found = ScanFinding(name, grade(hidden["Finding"].get("Severity"), name))
    return ScanFinding(found.name + said, found.grade)


def _excused(hidden: Json) -> str:
    name = hidden["Finding"]["VulnerabilityID"]
    return f"{name} {hidden['Status']}: {hidden['Statement']} ({hidden.get('Source') or 'VEX'})"
