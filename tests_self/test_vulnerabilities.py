"""Reports of image scanners: what counts, and what is no report of this image, of today, or of anything."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from noxgate.clients.registry_answers import Image
from noxgate.clients.vulnerabilities import Report, Vulnerabilities
from noxgate.rehearsal import scanning
from noxgate.target import UnreachableError

if TYPE_CHECKING:
    from noxgate.clients.observation import Observation

DIGEST, CONFIG, OTHER = (f"sha256:{letter * 64}" for letter in "abc")
NOW = datetime.now(UTC)
Json = dict[str, Any]


def image(digest: str = DIGEST, config: str = CONFIG) -> Image:
    """An image with these digests."""
    return Image(digest, digest, config, None, "amd64", "linux", ("l",), ("d",), {}, {}, {}, ())


def trivy(**changes: Any) -> Json:
    """As trivy writes it."""
    return {**scanning.report("registry.nox.example/nox-api", DIGEST), **changes}


def grype(**changes: Any) -> Json:
    """As grype writes it."""
    return {
        "matches": [{"vulnerability": {"id": "CVE-1", "severity": "Critical"}}],
        "source": {
            "type": "image",
            "target": {"imageID": CONFIG, "manifestDigest": OTHER, "repoDigests": [f"nox-api@{DIGEST}"]},
        },
        "descriptor": {"name": "grype", "timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S}.123456789Z"},
        **changes,
    }


def sarif(rated: Mapping[str, Any], **changes: Any) -> Json:
    """As docker scout writes it, with the digest and the time that its user added."""
    rule = {"id": "CVE-2", "properties": dict(rated)}
    run = {
        "tool": {"driver": {"name": "docker scout", "rules": [rule]}},
        "results": [{"ruleId": "CVE-2", "locations": []}],
        "invocations": [{"executionSuccessful": True, "endTimeUtc": NOW.isoformat()}],
        "properties": {"repoDigests": [f"nox-api@{DIGEST}"]},
        **changes,
    }
    return {"version": "2.1.0", "runs": [run]}


Read = Callable[[object], Report]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a document, or a text as it is."""

    def read_it(document: object) -> Report:
        path = tmp_path / "scan.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        seen: list[Observation] = []
        try:
            return Vulnerabilities("mine.toml", path, seen.append).report()
        finally:
            assert len(seen) == 1, "what was seen is recorded, whatever it was"

    return read_it


def test_trivy(read: Read) -> None:
    """Findings below critical do not count; a part without findings was still scanned."""
    report = read(trivy())

    assert (report.format, report.scan.findings, report.scan.critical) == ("trivy", 3, ())
    assert report.is_of(image())
    assert not report.is_of(image(OTHER, OTHER))
    assert report.age_hours < 0.1


def test_trivy_names_the_image_by_its_own_id_alone(read: Read) -> None:
    """Of an image that was not pushed yet."""
    report = read(trivy(Metadata={"ImageID": CONFIG}))

    assert report.is_of(image())


def test_grype(read: Read) -> None:
    """With Go's nine digits of a second."""
    report = read(grype())

    assert (report.format, report.scan.critical) == ("grype", ("CVE-1",))
    assert report.is_of(image())


@pytest.mark.parametrize(
    ("properties", "critical"),
    [
        ({"cvssV3_severity": "CRITICAL"}, ("CVE-2",)),
        ({"cvssV3_severity": "HIGH", "security-severity": "8.9"}, ()),
        ({"security-severity": "9.0"}, ("CVE-2",)),
        ({"tags": ["vulnerability", "CRITICAL"]}, ("CVE-2",)),
        ({"tags": ["security", "MEDIUM"]}, ()),
    ],
)
def test_sarif(read: Read, properties: Mapping[str, Any], critical: tuple[str, ...]) -> None:
    """By name, by tag, or by score."""
    report = read(sarif(properties))

    assert (report.format, report.scan.critical) == ("SARIF", critical)
    assert report.is_of(image())


def test_sarif_without_a_digest_is_of_no_image(read: Read) -> None:
    """As docker scout writes it where nobody adds one."""
    report = read(sarif({"security-severity": "1.0"}, properties={}))

    assert not report.is_of(image())


HIGH = {"cvssV3_severity": "HIGH"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "saw an empty file"),
        ("not JSON", "saw not JSON"),
        ("[]", "saw another document (list)"),
        ({"vulnerabilities": []}, "saw another document (vulnerabilities)"),
        (trivy(Results=None), "it has no Results"),
        (trivy(Results=[]), "no part was scanned"),
        (trivy(Results=[{"Class": "config"}]), "no part was scanned"),
        (trivy(ArtifactType="filesystem"), "of a filesystem, not of an image"),
        (trivy(CreatedAt=None), "nothing says when it was made"),
        (trivy(CreatedAt=(NOW + timedelta(hours=1)).isoformat()), "made in the future"),
        (trivy(CreatedAt="yesterday"), "not a whole trivy report"),
        (trivy(Results=[{"Class": "os-pkgs", "Vulnerabilities": [{}]}]), "KeyError: 'VulnerabilityID'"),
        (grype(matches=None), "it has no matches"),
        (grype(source={"type": "directory"}), "of a directory"),
        (sarif(HIGH, results=None), "a run has no results"),
        (sarif(HIGH, results=[{"ruleId": "CVE-3"}]), "nothing says how grave CVE-3 is"),
        (sarif({}), "a rule says nothing of how grave it is"),
        (sarif(HIGH, invocations=[]), "nothing says when it was made"),
        ({"version": "2.1.0", "runs": []}, "it has no run"),
    ],
)
def test_no_report(read: Read, document: object, message: str) -> None:
    """Each is one line that says what is missing."""
    with pytest.raises(AssertionError) as raised:
        read(document)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    """Nothing is known then, good or bad."""
    for path in (None, tmp_path / "none.json"):
        with pytest.raises(UnreachableError):
            Vulnerabilities("mine.toml", path, lambda _: None).report()
