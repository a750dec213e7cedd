"""What an image scanner would report of the release's image: a made-up report in trivy's form."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NAME = "scan.json"
Finding = tuple[str, str, str]  # id, package, severity
# As any image has them: nothing that would keep a release from going out.
FINDINGS: Sequence[Finding] = (
    ("CVE-2025-10001", "libc6", "LOW"),
    ("CVE-2025-10002", "libssl3", "MEDIUM"),
    ("CVE-2025-10003", "zlib1g", "HIGH"),
)


def write(folder: Path, image: str, digest: str) -> None:
    """Write the report where the profile names it."""
    (folder / NAME).write_text(json.dumps(report(image, digest), indent=1), encoding="utf-8")


def report(
    image: str, digest: str, *, made: datetime | None = None, findings: Sequence[Finding] = FINDINGS
) -> Mapping[str, Any]:
    """`trivy image --format json`, of HOST/NAME and a digest there."""
    found = [
        {"VulnerabilityID": name, "PkgName": package, "InstalledVersion": "1.0", "Severity": severity}
        for name, package, severity in findings
    ]
    return {
        "SchemaVersion": 2,
        "CreatedAt": (made or datetime.now(UTC)).isoformat(),
        "ArtifactName": f"{image}@{digest}",
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "12"}, "RepoDigests": [f"{image}@{digest}"]},
        "Results": [
            {"Target": image, "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found},
            {"Target": "Python", "Class": "lang-pkgs", "Type": "python-pkg"},
        ],
    }
