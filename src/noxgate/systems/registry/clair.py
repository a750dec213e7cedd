"""Clair's vulnerability report, as its API and `clairctl report --out json` write it (claircore 1.5)."""

from collections.abc import Iterator, Mapping
from typing import Any

from noxgate.systems.registry.scan import Identity, NotWholeError, Scan, ScanFinding, grade, one_digest, scan

Json = Mapping[str, Any]


def is_clair(document: Any) -> bool:
    return isinstance(document, dict) and "manifest_hash" in document


def clair(document: Json) -> Scan:
    """It has no date of its own, nor its database's: that is said. Vulnerabilities are named by packages."""
    for key in ("packages", "vulnerabilities", "package_vulnerabilities"):
        if key not in document:
            raise NotWholeError(f"it has no {key}: an index report says nothing of vulnerabilities")
    if document.get("err") or document.get("success") is False:
        raise NotWholeError(f"it says that it failed: {document.get('err') or 'success is false'}")
    packages = document["packages"] or {}
    if not packages:
        raise NotWholeError("it has no packages: nothing says that anything was scanned")
    if not document.get("distributions"):
        raise NotWholeError("its operating system was not detected, so its packages were not judged")
    environments = [each for all_of in (document.get("environments") or {}).values() for each in all_of or []]
    if environments and not any(each.get("distribution_id") for each in environments):
        raise NotWholeError("no packages of its operating system were seen: is its package database removed?")
    return scan(
        identity=Identity(manifest=one_digest(document["manifest_hash"])),
        made=None,
        found=_found(document["package_vulnerabilities"] or {}, document["vulnerabilities"] or {}),
        sections=f"{len(packages)} packages",
        tells_support=False,
    )


def _found(by_package: Json, vulnerabilities: Json) -> Iterator[ScanFinding]:
    for package, ids in by_package.items():
        for each in ids or []:
            known = vulnerabilities.get(each)
            if known is None:
                raise NotWholeError(f"nothing says what the vulnerability {each} of package {package} is")
            name = str(known.get("name") or each)
            yield ScanFinding(name, grade(known.get("normalized_severity"), name))
