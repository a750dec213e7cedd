"""The report of the scanner that looked at green's image."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from nox_rehearsal.parts import scanning
from nox_rehearsal.sabotages.green_release import scanned
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.state import World

Before = partial(Sabotage, moment="green")


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    line = "green.image-scan"
    day_old = datetime.now(UTC) - timedelta(hours=24, minutes=5)
    week_old = datetime.now(UTC) - timedelta(days=7)
    grave = (*scanning.FINDINGS, ("CVE-2025-10004", "libc6", "CRITICAL"))
    for name, what, change, because in (
        (
            "other",
            "of another digest",
            {"digest": f"sha256:{'0' * 64}", "config": f"sha256:{'1' * 64}"},
            "not of sha256:",
        ),
        ("rebuilt", "of another image by its own id", {"config": f"sha256:{'1' * 64}"}, "not of sha256:"),
        ("arm64", "of another platform's image", {"architecture": "arm64"}, "an image for linux/arm64"),
        ("critical", "one finding is critical", {"findings": grave}, "CVE-2025-10004"),
        ("old", "five minutes older than a day", {"made": day_old}, "<= 24"),
    ):
        yield Before(line, name, what, scanned(change), because)
    nothing = scanned({}, lambda report: {**report, "Results": None})
    yield Before(line, "nothing", "no part of the image was scanned", nothing, "has no Results")
    secrets = [{"Target": "app", "Class": "secret"}]
    other = scanned({}, lambda report: {**report, "Results": secrets})
    yield Before(line, "secrets", "scanned for secrets alone", other, "no part was scanned")
    old_system = scanned({}, _with_system(EOSL=True))
    yield Before(line, "end-of-life", "its Debian is past its end of life", old_system, "end of life")
    unknown = scanned({}, _with_system(Family="none", Name=""))
    yield Before(line, "no-system", "no operating system was detected", unknown, "not detected")
    ignored = scanned({}, _ignored)
    yield Before(line, "ignored", "a critical one is in the ignore file", ignored, "hidden by .trivyignore")
    server = {"Version": scanning.TRIVY, "VulnerabilityDB": {"Version": 2, "UpdatedAt": week_old.isoformat()}}
    by_server = scanned({}, lambda report: {**report, "Trivy": {**report["Trivy"], "Server": server}})
    yield Before(line, "old-database", "with the database of last week", by_server, "<= 120")
    undated = scanned({}, lambda report: {key: each for key, each in report.items() if key != "CreatedAt"})
    yield Before(line, "undated", "does not say when", undated, "nothing says when")
    yield Before(line, "empty", "the scanner broke off", _file(scanning.NAME, ""), "an empty file")
    other = _file(scanning.NAME, json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6"}))
    yield Before(line, "packages", "a list of packages alone", other, "CycloneDX", outcome="unreachable")
    page = _file(scanning.NAME, "<html>Sign in</html>")
    yield Before(line, "page", "a page to sign in, saved as the report", page, "saw <html>")


def _with_system(**changes: Any) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """The report of an image with another operating system."""
    return lambda report: {
        **report,
        "Metadata": {**report["Metadata"], "OS": {**report["Metadata"]["OS"], **changes}},
    }


def _ignored(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """As with --show-suppressed: what the ignore file hides is at another place."""
    finding = {"VulnerabilityID": "CVE-2025-10004", "PkgName": "libc6", "Severity": "CRITICAL"}
    hidden = {
        "Type": "vulnerability",
        "Status": "ignored",
        "Statement": "",
        "Source": ".trivyignore",
        "Finding": finding,
    }
    own, *others = report["Results"]
    return {**report, "Results": [{**own, "ExperimentalModifiedFindings": [hidden]}, *others]}


def _file(name: str, text: str) -> Switch:
    """A file of the rehearsal's folder has another content."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.folder / name
        before = path.read_bytes()
        path.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            path.write_bytes(before)

    return on
