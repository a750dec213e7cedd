"""Grype's report in JSON, as `grype --output json` writes it (grype/presenter/models of grype 0.116)."""

from collections.abc import Mapping
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

# What it was told to leave out, by the keys of its configuration, which it writes down.
HIDING = {
    "only-fixed": "only what has a fix",
    "only-notfixed": "only what has no fix",
    "ignore-wontfix": "nothing of these fix states",
    "exclude": "nothing below these paths",
}
# Grype's own reasons to leave out a match: the distribution says that its package is not vulnerable.
OWN_REASONS = frozenset(
    {
        "Alma Unaffected",
        "Distro Fixed",
        "Distro Not Vulnerable",
        "DistroPackageFixed",
        "Explicit APK NAK",
        "UnaffectedPackageEntry",
    }
)

WITHOUT_PACKAGES = ("busybox",)

Json = Mapping[str, Any]


def is_grype(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and isinstance(document.get("descriptor"), dict)
        and document["descriptor"].get("name") == "grype"
    )


def grype(document: Json) -> Scan:
    """`matches` is there, and empty, where nothing was found."""
    source = document.get("source") or {}
    if source.get("type") != "image":
        raise NotWholeError(f"it is of a {source.get('type') or 'source without a type'}, not of an image")
    matches = document.get("matches")
    if not isinstance(matches, list):
        raise NotWholeError("it has no matches: nothing says that anything was scanned")
    descriptor, target = document["descriptor"], source["target"]
    settings = descriptor.get("configuration") or {}
    _check_settings(settings)
    _check_system(document)
    ignored = document.get("ignoredMatches") or []
    # a person may write any reason into a rule, grype's own as well
    reasons = OWN_REASONS - {rule.get("reason") for rule in settings.get("ignore") or []}
    excuses = [(each, _excuse(each, reasons)) for each in ignored]
    return scan(
        identity=Identity(
            image_id=one_digest(target.get("imageID")),
            manifest=one_digest(target.get("manifestDigest")),
            repositories=digests(target.get("repoDigests") or []),
            platform=platform_of({**target, "variant": target.get("architectureVariant")}),
        ),
        made=time(descriptor.get("timestamp"), "descriptor.timestamp"),
        found=[*map(_finding, matches), *(_hidden(each) for each, why in excuses if why is None)],
        sections=f"the image ({len(ignored)} more ignored by the scanner's rules)",
        excused=[f"{_finding(each).name} {why}" for each, why in excuses if why is not None],
        database=_database(descriptor.get("db") or {}),
        tells_support="alerts" in settings or "alertsByPackage" in document,  # grype 0.108
    )


def _check_settings(settings: Json) -> None:
    for key, what in HIDING.items():
        if settings.get(key):
            raise NotWholeError(f"it was told to show {what} ({key}): critical findings may be hidden")
    if settings.get("distro"):
        raise NotWholeError(
            f"it was told that the system is {settings['distro']}, so it did not look which one it is: "
            "scan without --distro"
        )
    if (settings.get("alerts") or {}).get("enable-eol-distro-warnings") is False:
        raise NotWholeError(
            "it was told not to say whether the system is past its end of life (enable-eol-distro-warnings)"
        )


def _check_system(document: Json) -> None:
    """Which system it matched for, and whether anybody still says what is vulnerable in it."""
    distro = document.get("distro") or {}
    if distro.get("name") in WITHOUT_PACKAGES:
        raise NotWholeError(f"no packages of {distro['name']} were seen: it has no package database")
    if not distro.get("name"):
        raise NotWholeError("its operating system was not detected, so its packages were not judged")
    alerts = [alert for each in document.get("alertsByPackage") or [] for alert in each.get("alerts") or []]
    old = next((alert for alert in alerts if alert.get("type") == "distro-eol"), None)
    if old is not None:
        raise NotWholeError(
            f"{distro['name']} {distro.get('version', '')} is past its end of life: it is no longer said "
            "which of its packages are vulnerable; build on a supported one"
        )


def _database(said: Json) -> Any:
    """When it was built; since grype 0.88 below `status`, before beside the rest."""
    status = said.get("status") if isinstance(said.get("status"), dict) else said
    assert status is not None
    if status.get("error") or status.get("valid") is False:
        raise NotWholeError(f"its database is not valid: {status.get('error') or 'it says so'}")
    return time_or_none(status.get("built"))


def _finding(match: Json) -> ScanFinding:
    name = str(match["vulnerability"]["id"])
    return ScanFinding(name, grade(match["vulnerability"].get("severity"), name))


def _hidden(match: Json) -> ScanFinding:
    found = _finding(match)
    return ScanFinding(f"{found.name} (hidden by an ignore rule)", found.grade)


def _excuse(match: Json, reasons: frozenset[str]) -> str | None:
    """Why an ignored match does not count; None if it does: somebody only did not want to see it."""
    for rule in match.get("appliedIgnoreRules") or []:
        status, why = rule.get("vex-status"), str(rule.get("vex-justification") or "").strip()
        if status in HARMLESS and why:
            return f"{status}: {why} (VEX)"
        package = rule.get("package") or {}
        if rule.get("reason") in reasons and not rule.get("fix-state") and not package.get("location"):
            return f"is none: {rule['reason']}"
        if (
            rule.get("match-type") == "exact-indirect-match"
            and not rule.get("vulnerability")
            and str(package.get("upstream-name")).startswith(("linux", "kernel"))
        ):
            return "is of the kernel, of which the image has headers alone"
    return None
