"""Reports of image scanners: what counts, and what is no report of this image, of today, or of anything.

Of each format there is a healthy report as its scanner writes it (docs/SCANS.md has versions and sources),
and what must not pass for one.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nox_rehearsal.parts import scanning
from noxgate.errors import UnreachableError
from noxgate.systems.registry.answers import Image
from noxgate.systems.registry.vulnerabilities import Report, Vulnerabilities

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

DIGEST, CONFIG, OTHER, INDEX = (f"sha256:{letter * 64}" for letter in "abcd")
NAME = "registry.nox.example/nox-api"
NOW = datetime.now(UTC)
BUILT = NOW - timedelta(hours=30)  # as a scanner's database is
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
        "configuration": {"only-fixed": False, "only-notfixed": False, "exclude": [], **(settings or {})},
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
        "results": [{"ruleId": "CVE-2", "ruleIndex": 0, "kind": "fail", "locations": []}],
        "invocations": [ended()],
        "properties": {"repoDigests": [f"{NAME}@{DIGEST}"]},
        **changes,
    }
    return {"version": "2.1.0", "runs": [run]}


def ended(**changes: Any) -> Json:
    """How the scanner ended."""
    return {"executionSuccessful": True, "endTimeUtc": NOW.isoformat(), **changes}


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


# ---------------------------------------------------------------- healthy reports


def test_trivy(read: Read) -> None:
    """Findings below critical do not count; a part without findings was still scanned."""
    report = read(trivy())

    assert (report.format, report.scan.findings, report.scan.critical) == ("trivy", 3, ())
    assert report.is_of(image())
    assert not report.is_of(image(OTHER, OTHER))
    assert report.age_hours < 0.1


def test_trivy_names_the_image_by_its_own_id_alone(read: Read) -> None:
    """Of an image that was not pushed yet."""
    metadata = trivy()["Metadata"]
    report = read(trivy(Metadata={"OS": metadata["OS"], "ImageID": CONFIG}))

    assert report.is_of(image())


def test_grype(read: Read) -> None:
    """With Go's nine digits of a second."""
    report = read(grype())

    assert (report.format, report.scan.critical) == ("grype", ("CVE-1",))
    assert report.is_of(image())


def test_clair(read: Read, tmp_path: Path) -> None:
    """It has no date: its file's is taken, and that is said."""
    report = read(clair())

    assert (report.format, report.scan.findings, report.scan.critical) == ("Clair", 1, ())
    assert report.is_of(image())
    assert report.age_hours < 0.1
    assert "its file's time: Clair writes none" in str(report)
    path = tmp_path / "scan.json"
    os.utime(path, (NOW.timestamp() - 90_000,) * 2)
    assert Vulnerabilities("mine.toml", path, lambda _: None).report().age_hours > 24
    assert read(clair("Critical")).scan.critical == ("CVE-7",)
    assert read(clair(vulnerabilities={}, package_vulnerabilities={})).scan.findings == 0


@pytest.mark.parametrize(
    ("properties", "critical"),
    [
        ({"cvssV3_severity": "CRITICAL"}, ("CVE-2",)),
        ({"cvssV3_severity": "HIGH", "security-severity": "8.9"}, ()),
        ({"cvssV3_severity": "UNSPECIFIED", "security-severity": "3.1", "tags": ["UNSPECIFIED"]}, ()),
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


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        ({"results": []}, 0),
        ({"results": [], "tool": {"driver": {"name": "Docker Scout"}}}, 0),
        ({"results": [{"ruleIndex": 0}]}, 1),
        ({"results": [{"ruleId": "CVE-2", "kind": "pass"}]}, 0),
        ({"results": [{"ruleId": "CVE-2", "baselineState": "absent"}]}, 0),
        ({"invocations": [ended(exitCode=2)]}, 1),
        ({"invocations": [ended(exitCode=0, toolExecutionNotifications=[{"level": "warning"}])]}, 1),
    ],
)
def test_healthy_sarif(read: Read, changes: Json, findings: int) -> None:
    """A clean image; a rule by its place; docker scout's exit code 2, which says that it found something."""
    report = read(sarif(HIGH, **changes))

    assert (report.scan.findings, report.scan.critical) == (findings, ())


def test_sarif_without_a_digest_is_of_no_image(read: Read) -> None:
    """As docker scout writes it where nobody adds one."""
    report = read(sarif({"security-severity": "1.0"}, properties={}))

    assert not report.is_of(image())


@pytest.mark.parametrize(
    "document",
    [
        system(Family="wolfi", Name="20230201"),
        system(Family="activestate"),
        in_trivy(Vulnerabilities=None),
        before_it_listed(),
        in_trivy(Packages=None),
        in_trivy(Secrets=[secret("HIGH")]),
        in_trivy(ExperimentalModifiedFindings=[modified("ignored", severity="HIGH")]),
        trivy(Trivy={"Version": "0.74.0", "Server": {"VulnerabilityDB": {"UpdatedAt": NOW.isoformat()}}}),
        grype(matches=[], distro={"name": "wolfi", "version": "", "idLike": []}),
        grype(matches=[match("CVE-1", "Unknown"), match("CVE-2", "Negligible")]),
        grype(matches=[], descriptor=descriptor(db={"built": NOW.isoformat(), "schemaVersion": 5})),
        grype(matches=[], descriptor=descriptor(db=None)),
        clair("Unknown"),
    ],
)
def test_healthy_and_odd(read: Read, document: Json) -> None:
    """Other systems, a clean one, older forms, grades that are no low ones and no critical ones."""
    report = read(document)

    assert report.scan.critical == ()
    assert report.is_of(image())


def test_what_is_unknown_is_said(read: Read) -> None:
    """Counted by its name, where people look; so is how old the database was."""
    said = str(read(grype(matches=[match("CVE-1", "Unknown"), match("CVE-2", "Negligible")])))

    assert "2 findings in the image" in said
    assert "1 NEGLIGIBLE, 1 UNKNOWN" in said
    assert f"a database of {BUILT:%Y-%m-%d}" in said
    assert "nothing on how old its database was" in str(read(trivy()))


# ---------------------------------------------------------------- what was hidden


@pytest.mark.parametrize(
    ("hidden", "critical", "excused"),
    [
        (modified("ignored", source=".trivyignore"), ("CVE-9 (hidden by .trivyignore: ignored)",), ()),
        (modified("ignored", "we accept it"), ("CVE-9 (hidden by vex.json: ignored)",), ()),
        (modified("under_investigation", "soon"), ("CVE-9 (hidden by vex.json: under_investigation)",), ()),
        (modified("not_affected"), ("CVE-9 (hidden by vex.json: not_affected)",), ()),
        (
            modified("not_affected", "component_not_present"),
            (),
            ("CVE-9 not_affected: component_not_present (vex.json)",),
        ),
        (modified("fixed", "patched"), (), ("CVE-9 fixed: patched (vex.json)",)),
        (
            {"Type": "secret", "Status": "ignored", "Source": ".trivyignore", "Finding": secret("CRITICAL")},
            ("secret private-key (hidden by .trivyignore: ignored)",),
            (),
        ),
    ],
)
def test_what_trivy_was_told_to_hide(
    read: Read, hidden: Json, critical: tuple[str, ...], excused: tuple[str, ...]
) -> None:
    """An ignore file hides; VEX says why it does not count, or it hides, too."""
    report = read(in_trivy(ExperimentalModifiedFindings=[hidden]))

    assert (report.scan.critical, report.scan.excused) == (critical, excused)
    assert all(each in str(report) for each in [*critical, *excused])


KERNEL = {"name": "linux-libc-dev", "language": "", "type": "deb", "upstream-name": "linux"}


@pytest.mark.parametrize(
    ("rules", "counts"),
    [
        ([{"vulnerability": "CVE-8", "namespace": "", "reason": "we accept it"}], True),
        ([{"namespace": "", "fix-state": "not-fixed"}], True),
        ([{"namespace": "", "vex-status": "not_affected"}], True),
        ([{"namespace": "", "vex-status": "affected", "vex-justification": "x"}], True),
        ([{"namespace": "", "package": {"name": "libc6", "language": ""}}], True),
        (
            [{"namespace": "", "vex-status": "not_affected", "vex-justification": "component_not_present"}],
            False,
        ),
        ([{"namespace": "", "vex-status": "fixed", "vex-justification": "patched"}], False),
        ([{"namespace": "", "vulnerability": "CVE-8", "reason": "Distro Not Vulnerable"}], False),
        ([{"namespace": "", "package": KERNEL, "match-type": "exact-indirect-match"}], False),
    ],
)
def test_what_grype_was_told_to_hide(read: Read, rules: list[Json], *, counts: bool) -> None:
    """Its own rules of the kernel's headers, and what the distribution says, are no ignore file."""
    report = read(grype(matches=[], ignoredMatches=[match("CVE-8", "Critical", *rules)]))

    assert report.scan.critical == (("CVE-8 (hidden by an ignore rule)",) if counts else ())
    assert [each.partition(" ")[0] for each in report.scan.excused] == ([] if counts else ["CVE-8"])


@pytest.mark.parametrize(
    ("document", "critical"),
    [
        (in_trivy(1, Secrets=[secret("CRITICAL")]), "secret private-key in Python"),
        (
            sarif(
                {"cvssV3_severity": "CRITICAL"},
                results=[{"ruleId": "CVE-2", "suppressions": [{"kind": "external"}]}],
            ),
            "CVE-2 (hidden by a suppression)",
        ),
    ],
)
def test_what_counts_as_found(read: Read, document: Json, critical: str) -> None:
    """A secret in a layer by its severity; of what it matches nothing is shown."""
    report = read(document)

    assert report.scan.critical == (critical,)
    assert "BEGIN" not in str(report)


# ---------------------------------------------------------------- of which image


def several(config: str = CONFIG) -> Image:
    """The amd64 image of an index."""
    return replace(image(config=config), digest=INDEX)


def identified(**metadata: Any) -> Json:
    """Trivy's report with these names of the image, and no others."""
    return trivy(Metadata={"OS": trivy()["Metadata"]["OS"], **metadata})


ARM = {"architecture": "arm64", "os": "linux", "variant": "v8"}
AMD = {"architecture": "amd64", "os": "linux"}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (identified(ImageID=CONFIG, RepoDigests=[f"{NAME}@{INDEX}"], ImageConfig=AMD), True),
        (identified(ImageID=CONFIG, RepoDigests=[f"{NAME}@{OTHER}"]), True),
        (identified(ImageID=DIGEST, RepoDigests=[f"{NAME}@{INDEX}"]), True),
        (identified(ImageID=INDEX, RepoDigests=[f"{NAME}@{INDEX}"], ImageConfig=AMD), True),
        (identified(RepoDigests=[f"{NAME}@{INDEX}"], ImageConfig=AMD), True),
        (identified(RepoDigests=[f"{NAME}@{DIGEST}"]), True),
        (identified(ImageID=OTHER, RepoDigests=[f"{NAME}@{INDEX}"], ImageConfig=ARM), False),
        (identified(ImageID=OTHER, RepoDigests=[f"{NAME}@{INDEX}"]), False),
        (identified(ImageID=OTHER, RepoDigests=[f"{NAME}@{INDEX}"], ImageConfig=AMD), False),
        (identified(ImageID=INDEX, RepoDigests=[f"{NAME}@{INDEX}"]), False),
        (identified(RepoDigests=[f"{NAME}@{INDEX}"]), False),
        (identified(RepoDigests=[f"{NAME}@{INDEX}"], ImageConfig=ARM), False),
        (identified(), False),
        (grype(source={"type": "image", "target": {"manifestDigest": OTHER, "repoDigests": [INDEX]}}), False),
        (grype(source={"type": "image", "target": {"manifestDigest": DIGEST, "repoDigests": [INDEX]}}), True),
        (clair(manifest_hash=INDEX), False),
        (clair(), True),
        (sarif({"security-severity": "1"}, properties={"repoDigests": [INDEX]}), False),
        (sarif({"security-severity": "1"}, properties={"repoDigests": [INDEX], **AMD}), True),
    ],
)
def test_of_several_names_the_closest_agrees(read: Read, document: Json, *, expected: bool) -> None:
    """A scan of the arm64 image has the index' digest, too: that says nothing of amd64."""
    report = read(document)

    assert report.is_of(several()) is expected
    contradiction = report.scan.identity.contradiction(several())
    assert (contradiction is None) is expected
    assert (
        expected or f"not of {INDEX}" in str(contradiction) or "does not say that it is" in str(contradiction)
    )


# ---------------------------------------------------------------- no reports


HIGH = {"cvssV3_severity": "HIGH"}
OLD = (NOW - timedelta(days=6)).isoformat()
EOL = {"alerts": [{"type": "distro-eol", "message": "Package is from end-of-life distro: debian 10"}]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "saw an empty file"),
        ("not JSON", "saw not JSON"),
        ("[]", "saw another document (list)"),
        ({"vulnerabilities": []}, "saw another document (vulnerabilities)"),
        (trivy(SchemaVersion=3), "schema version 3, not 2"),
        (trivy(Results=None), "it has no Results"),
        (trivy(Results=[]), "no part was scanned"),
        (trivy(Results=[{"Class": "config"}]), "no part was scanned"),
        (trivy(ArtifactType="filesystem"), "of a filesystem, not of an image"),
        (trivy(CreatedAt=None), "nothing says when it was made"),
        (trivy(CreatedAt="0001-01-01T00:00:00Z"), "nothing says when it was made"),
        (trivy(CreatedAt=(NOW + timedelta(hours=1)).isoformat()), "made in the future"),
        (trivy(CreatedAt="yesterday"), "not a whole trivy report"),
        (trivy(Results=[{"Class": "os-pkgs", "Vulnerabilities": [{}]}]), "KeyError: 'VulnerabilityID'"),
        (system(EOSL=True), "debian 12.11 is past its end of life"),
        (system(Family="none", Name=""), "its operating system was not detected"),
        (trivy(Metadata={"ImageID": CONFIG}), "its operating system was not detected"),
        (trivy(Results=trivy()["Results"][1:]), "no packages of debian 12.11 were seen"),
        (in_trivy(Packages=None, Vulnerabilities=None), "no packages of debian 12.11 were seen"),
        ({**in_trivy(Packages=[], Vulnerabilities=[]), "Trivy": None}, "no packages of debian 12.11 were"),
        (
            {**before_it_listed(), "Results": [{"Class": "lang-pkgs"}]},
            "no packages of debian 12.11 were seen",
        ),
        (in_trivy(Vulnerabilities=[{"VulnerabilityID": "CVE-1"}]), "nothing says how grave CVE-1 is"),
        (in_trivy(Vulnerabilities=[{"VulnerabilityID": "CVE-1", "Severity": "odd"}]), "how grave CVE-1 is"),
        (trivy(Trivy={"Server": {"VulnerabilityDB": {"UpdatedAt": OLD}}}), "5 days old or more"),
        (grype(matches=None), "it has no matches"),
        (grype(source={"type": "directory"}), "of a directory"),
        (grype(distro={"name": "", "version": "", "idLike": None}), "its operating system was not detected"),
        (grype(distro=None), "its operating system was not detected"),
        (grype(alertsByPackage=[EOL]), "debian 12 is past its end of life"),
        (grype(descriptor=descriptor({"only-fixed": True})), "only what has a fix (only-fixed)"),
        (grype(descriptor=descriptor({"only-notfixed": True})), "only what has no fix"),
        (grype(descriptor=descriptor({"ignore-wontfix": "wont-fix"})), "nothing of these fix states"),
        (grype(descriptor=descriptor({"exclude": ["/usr/**"]})), "nothing below these paths"),
        (grype(descriptor=descriptor(db={"status": {"built": OLD}})), "5 days old or more"),
        (grype(descriptor=descriptor(db={"built": OLD})), "5 days old or more"),
        (grype(descriptor=descriptor(db={"status": {"error": "corrupt"}})), "is not valid: corrupt"),
        (grype(descriptor=descriptor(timestamp="")), "nothing says when it was made"),
        (grype(matches=[match("CVE-1", None)]), "nothing says how grave CVE-1 is"),
        ({"manifest_hash": DIGEST, "packages": {}, "state": "IndexFinished"}, "it has no vulnerabilities"),
        (clair(packages={}), "it has no packages"),
        (clair(distributions=None), "its operating system was not detected"),
        (clair(vulnerabilities={}), "nothing says what the vulnerability 7"),
        (clair(None), "nothing says how grave CVE-7 is"),
        (sarif(HIGH, results=None), "a run has no results"),
        (sarif(HIGH, results=[{"ruleId": "CVE-3"}]), "nothing says how grave CVE-3 is"),
        (sarif(HIGH, results=[{"ruleIndex": 7}]), "how grave a result without a rule is"),
        (sarif({}), "a rule says nothing of how grave it is"),
        (sarif({"security-severity": "NaN"}), "nothing says how grave CVE-2 is (score nan)"),
        (sarif({"security-severity": "-1"}), "nothing says how grave"),
        (sarif(HIGH, invocations=[]), "nothing says when it was made"),
        (
            sarif(HIGH, invocations=[ended(executionSuccessful=False)]),
            "does not say that the scanner succeeded",
        ),
        (
            sarif(HIGH, invocations=[{"endTimeUtc": NOW.isoformat()}]),
            "does not say that the scanner succeeded",
        ),
        (sarif(HIGH, invocations=[ended(exitCode=1)]), "ended with exit code 1"),
        (sarif(HIGH, results=[], invocations=[ended(exitCode=2)]), "ended with exit code 2"),
        (sarif(HIGH, invocations=[ended(exitSignalName="SIGKILL")]), "ended early"),
        (sarif(HIGH, invocations=[ended(processStartFailureMessage="no such file")]), "ended early"),
        (
            sarif(
                HIGH,
                invocations=[
                    ended(
                        toolExecutionNotifications=[{"level": "error", "message": {"text": "no space left"}}]
                    )
                ],
            ),
            "met an error: no space left",
        ),
        (
            sarif(HIGH, invocations=[ended(toolConfigurationNotifications=[{"level": "error"}])]),
            "met an error: no text",
        ),
        (
            sarif(HIGH, invocations=[ended(arguments=["cves", "--only-fixed"])]),
            "leave findings out (--only-fixed)",
        ),
        (
            sarif(HIGH, invocations=[ended(commandLine="docker scout cves --ignore-base x")]),
            "leave findings out",
        ),
        (sarif(HIGH, tool={"driver": {"name": "CodeQL"}}), "of CodeQL, which is no scanner of images"),
        (sarif(HIGH, tool={"driver": {"name": "Trivy"}}), "use its JSON: trivy image --format json"),
        (sarif(HIGH, tool={"driver": {"name": "grype"}}), "use its JSON: grype --output json"),
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
