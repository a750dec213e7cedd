"""Reports of scanners that are not read, by their members: nothing is known then, good or bad."""

from collections.abc import Mapping
from typing import Any

# What a document is that has all of these members, the most telling first.
_BY_MEMBERS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(members.split()), what)
    for members, what in (
        ("bomFormat specVersion", "a list of packages (CycloneDX)"),
        ("spdxVersion", "a list of packages (SPDX)"),
        ("imageScanFindings", "a report of Amazon ECR"),
        ("package_vulnerability_summary", "a report of Google's Artifact Analysis"),
        ("discovery_summary", "a report of Google's Artifact Analysis"),
        ("vulnerabilities packageManager", "a report of Snyk"),
        ("vulnerabilities scan version", "a report in GitLab's form"),
        ("vulnerabilities scan_id", "a report of JFrog Xray"),
        ("data violations", "a report of JFrog Xray"),
        ("predicateType predicate", "a statement of in-toto"),
        ("payloadType payload", "a signed envelope (DSSE)"),
        ("scanner invocation metadata", "a predicate for cosign"),
        ("imageName imageID vulnerabilities", "a report of Anchore or of Prisma Cloud"),
        ("apiVersion kind report", "a report of trivy's operator"),
        ("status data", "a report of Quay"),
        ("Layer", "a report of Clair 2"),
        ("ClusterName", "trivy's report of a cluster"),
    )
)
_HARBOR = (
    "application/vnd.security.vulnerability.report",
    "application/vnd.scanner.adapter.vuln.report.harbor",
)


def foreign(document: Any) -> str | None:
    """Which scanner's report this is; None if it is unknown."""
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, Mapping):
        return None
    if any(str(key).startswith(_HARBOR) for key in first):
        return "a report of Harbor"
    return next((what for members, what in _BY_MEMBERS if members <= first.keys()), None)
