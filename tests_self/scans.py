"""Reports of image scanners as they write them (docs/SCANS.md has versions and sources), for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from nox_rehearsal.parts import scanning
from noxgate.systems.registry.answers import Image

DIGEST, CONFIG, OTHER, INDEX = (f"sha256:{letter * 64}" for letter in "abcd")
NAME = "registry.nox.example/nox-api"
NOW = datetime.now(UTC)
BUILT = NOW - timedelta(hours=30)  # as a scanner's database is
HIGH = {"cvssV3_severity": "HIGH"}
Json = dict[str, Any]


def image(digest: str = DIGEST, config: str = CONFIG) -> Image:
    """An image with these digests."""
    return Image(digest, digest, config, None, "amd64", "linux", ("l",), ("d",), {}, {}, {}, ())


def trivy(**changes: Any) -> Json:
    """As trivy writes it."""
    return {**scanning.report(NAME, DIGEST, config=CONFIG), **changes}


def in_trivy(part: int = 0, **changes: Any) -> Json:
    """The same, with one of its parts changed."""
    results = [dict(each) for each in trivy()["Results"]]
    results[part] |= changes
    return trivy(Results=results)


def system(**changes: Any) -> Json:
    """Trivy's report of an image with another operating system."""
    metadata = trivy()["Metadata"]
    return trivy(Metadata={**metadata, "OS": {**metadata["OS"], **changes}})


def before_it_listed() -> Json:
    """Of an older trivy, or one told not to list packages: nothing was found, and it does not say in what."""
    parts = [{"Target": "x", "Class": each} for each in ("os-pkgs", "lang-pkgs")]
    return {key: value for key, value in trivy(Results=parts).items() if key != "Trivy"}


def modified(status: str, statement: str = "", severity: str = "CRITICAL", source: str = "vex.json") -> Json:
    """With --show-suppressed: a finding that somebody took away."""
    return {
        "Type": "vulnerability",
        "Status": status,
        "Statement": statement,
        "Source": source,
        "Finding": {"VulnerabilityID": "CVE-9", "PkgName": "libc6", "Severity": severity},
    }


def secret(severity: str) -> Json:
    """A secret that trivy found in a layer."""
    return {
        "RuleID": "private-key",
        "Category": "AsymmetricPrivateKey",
        "Severity": severity,
        "Title": "Asymmetric Private Key",
        "StartLine": 1,
        "EndLine": 1,
        "Match": "BEGIN ***",
    }


def grype(**changes: Any) -> Json:
    """As grype writes it."""
    return {
        "matches": [match("CVE-1", "Critical")],
        "source": {
            "type": "image",
            "target": {
                "userInput": f"{NAME}:v8.0.0",
                "imageID": CONFIG,
                "manifestDigest": OTHER,  # as after docker save, which packs the layers anew
                "repoDigests": [f"{NAME}@{DIGEST}"],
                "architecture": "amd64",
                "os": "linux",
            },
        },
        "distro": {"name": "debian", "version": "12", "idLike": []},
        "descriptor": descriptor(),
        **changes,
    }


def descriptor(settings: Mapping[str, Any] | None = None, **changes: Any) -> Json:
    """What grype says of itself."""
    return {
        "name": "grype",
        "version": "0.116.0",
        "configuration": {
            "distro": "",
            "only-fixed": False,
            "only-notfixed": False,
            "exclude": [],
            "ignore": [],
            "alerts": {"enable-eol-distro-warnings": True},
            **(settings or {}),
        },
        "db": {"status": {"schemaVersion": "v6.1.1", "built": f"{BUILT:%Y-%m-%dT%H:%M:%SZ}"}},
        "timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S}.123456789Z",
        **changes,
    }


def match(name: str, severity: str | None, *rules: Mapping[str, Any]) -> Json:
    """A match of grype, and the rules that took it away."""
    vulnerability = {"id": name, "severity": severity} if severity is not None else {"id": name}
    return {"vulnerability": vulnerability, **({"appliedIgnoreRules": list(rules)} if rules else {})}


def clair(severity: str | None = "High", **changes: Any) -> Json:
    """As Clair's matcher writes it."""
    known = {"id": "7", "name": "CVE-7", "severity": "odd words", "normalized_severity": severity}
    return {
        "manifest_hash": DIGEST,
        "packages": {"1": {"id": "1", "name": "libc6", "version": "2.36", "kind": "binary"}},
        "distributions": {"1": {"id": "1", "did": "debian", "version_id": "12"}},
        "repository": {},
        "environments": {},
        "vulnerabilities": {"7": known},
        "package_vulnerabilities": {"1": ["7"]},
        "enrichments": {},
        **changes,
    }


def sarif(rated: Mapping[str, Any], **changes: Any) -> Json:
    """As docker scout writes it, with the digest and the time that its user added."""
    rule = {"id": "CVE-2", "properties": dict(rated)}
    run = {
        "tool": {"driver": {"name": "docker scout", "fullName": "Docker Scout", "rules": [rule]}},
        "results": [{"ruleId": "CVE-2", "ruleIndex": 0, "kind": "fail", "message": {"text": "CVE-2"}}],
        "invocations": [ended()],
        "properties": {"repoDigests": [f"{NAME}@{DIGEST}"]},
        **changes,
    }
    return {"version": "2.1.0", "runs": [run]}


def ended(**changes: Any) -> Json:
    """How the scanner ended."""
    return {"executionSuccessful": True, "endTimeUtc": NOW.isoformat(), **changes}
