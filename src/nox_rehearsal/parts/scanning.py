"""What an image scanner would report of the release's image: made up, in the form of trivy 0.74."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nox_rehearsal.parts import images
from nox_rehearsal.parts.images import BuiltImage

NAME = "scan.json"
TRIVY = "0.74.0"
SYSTEM = {"Family": "debian", "Name": "12.11"}
Finding = tuple[str, str, str]  # id, package, severity
# As any image has them: nothing that would keep a release from going out.
FINDINGS: Sequence[Finding] = (
    ("CVE-2025-10001", "libc6", "LOW"),
    ("CVE-2025-10002", "libssl3", "MEDIUM"),
    ("CVE-2025-10003", "zlib1g", "HIGH"),
)
PYTHON = ("flask", "numpy", "requests")


def write(folder: Path, name: str, image: BuiltImage) -> None:
    """Write the report where the profile names it."""
    document = report(name, image.digest, config=image.blobs[0].digest)
    (folder / NAME).write_text(json.dumps(document, indent=2), encoding="utf-8")


def report(
    image: str,
    digest: str,
    *,
    config: str | None = None,
    made: datetime | None = None,
    findings: Sequence[Finding] = FINDINGS,
    architecture: str = images.PLATFORM,
) -> Mapping[str, Any]:
    """`trivy image --format json`, of HOST/NAME and a digest there; `config` is the image's own id."""
    moment = (made or datetime.now(UTC)).astimezone(UTC)
    return {
        "SchemaVersion": 2,
        "Trivy": {"Version": TRIVY},
        "ReportID": str(uuid.uuid4()),
        "CreatedAt": f"{moment:%Y-%m-%dT%H:%M:%S.%f}123Z",  # Go writes nanoseconds
        "ArtifactName": f"{image}@{digest}",
        "ArtifactType": "container_image",
        "Metadata": {
            "OS": dict(SYSTEM),
            **({} if config is None else {"ImageID": config}),
            "RepoDigests": [f"{image}@{digest}"],
            "Reference": f"{image}@{digest}",
            "ImageConfig": {"architecture": architecture, "os": "linux"},
        },
        "Results": [
            {
                "Target": f"{image}@{digest} ({SYSTEM['Family']} {SYSTEM['Name']})",
                "Class": "os-pkgs",
                "Type": SYSTEM["Family"],
                "Packages": [_package(package) for _, package, _ in findings] or [_package("base-files")],
                "Vulnerabilities": [_vulnerability(*finding) for finding in findings],
            },
            {
                "Target": "Python",
                "Class": "lang-pkgs",
                "Type": "python-pkg",
                "Packages": [_package(package) for package in PYTHON],
            },
        ],
    }


def _package(name: str) -> dict[str, Any]:
    return {"ID": f"{name}@1.0", "Name": name, "Version": "1.0"}


def _vulnerability(name: str, package: str, severity: str) -> dict[str, Any]:
    return {
        "VulnerabilityID": name,
        "PkgID": f"{package}@1.0",
        "PkgName": package,
        "InstalledVersion": "1.0",
        "Status": "affected",
        "SeveritySource": "debian",
        "Title": f"made up, of {package}",
        "Severity": severity,
    }
