"""Reports of image scanners: what counts, and what is not a report of this image, of today, or of anything.

Of each format there is a healthy report as its scanner writes it (docs/SCANS.md has versions and sources),
and what must not pass for one.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.scans import (
    BUILT,
    CONFIG,
    DIGEST,
    HIGH,
    INDEX,
    NAME,
    NOW,
    OTHER,
    Json,
    before_it_listed,
    clair,
    descriptor,
    ended,
    grype,
    image,
    in_trivy,
    match,
    modified,
    sarif,
    secret,
    system,
    trivy,
)

from noxgate.errors import UnreachableError
from noxgate.systems.registry.answers import Image
from noxgate.systems.registry.vulnerabilities import Report, Vulnerabilities

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

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
        ({"results": [{"rule": {"index": 0}}, {"ruleId": "CVE-2/deb"}]}, 2),
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
    """As docker scout writes it unless somebody adds one."""
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
    """Other systems, a clean one, older forms, grades that are neither low nor critical."""
    report = read(document)

    assert report.scan.critical == ()
    assert report.is_of(image())


def test_what_is_unknown_is_said(read: Read) -> None:
    """Counted by its name, where people look; so is how old the database was."""
    said = str(read(grype(matches=[match("CVE-1", "Unknown"), match("CVE-2", "Negligible")])))

    assert "2 findings in the image" in said
    assert "1 NEGLIGIBLE, 1 UNKNOWN" in said
    assert f"a database of {BUILT:%Y-%m-%d}" in said
    assert "nothing on how old its database was:" in str(read(trivy()))
    neither = "nothing on how old its database was and whether its system is past its end of life:"
    assert neither in str(read(clair()))
    before_alerts = grype(descriptor=descriptor() | {"configuration": {}})
    assert "nothing on whether its system is past its end of life:" in str(read(before_alerts))


@pytest.mark.parametrize(
    "document",
    [
        trivy(
            Trivy={
                "Server": {"VulnerabilityDB": {"UpdatedAt": f"{NOW - timedelta(hours=40):%FT%T.123456789Z}"}}
            }
        ),
        grype(descriptor=descriptor(db={"status": {"built": f"{NOW - timedelta(hours=40):%FT%TZ}"}})),
        grype(descriptor=descriptor(db={"built": f"{NOW - timedelta(hours=40):%FT%TZ}"})),
    ],
)
def test_how_old_its_database_was(read: Read, document: Json) -> None:
    """When it was used, not today; the limit is the runbook's."""
    assert read(document).database_hours == pytest.approx(40, abs=0.1)


def test_a_database_that_nobody_dates(read: Read) -> None:
    assert [read(each).database_hours for each in (trivy(), clair())] == [None, None]


CRITICAL = {"id": "CVE-2", "properties": {"cvssV3_severity": "CRITICAL"}}
LOW = {"id": "CVE-2", "properties": {"cvssV3_severity": "LOW"}}
IN_EXTENSION = {"rule": {"id": "CVE-2", "toolComponent": {"index": 0}}}


@pytest.mark.parametrize(
    ("rules", "result", "critical"),
    [
        ([CRITICAL, LOW], {"ruleId": "CVE-2", "ruleIndex": 0}, ("CVE-2",)),
        ([CRITICAL, LOW], {"ruleId": "CVE-2", "ruleIndex": 1}, ()),
        ([CRITICAL, LOW], {"ruleId": "CVE-2"}, ("CVE-2",)),
        ([LOW, CRITICAL], {"ruleId": "CVE-2"}, ("CVE-2",)),
        ([LOW], {"ruleId": "CVE-2", "properties": {"security-severity": "9.8"}}, ("CVE-2",)),
        ([LOW], {"ruleId": "CVE-2", "properties": {"purls": ["pkg:deb/debian/libc6"]}}, ()),
        ([LOW], {**IN_EXTENSION, "ruleIndex": 0}, ("CVE-2",)),
        ([LOW], IN_EXTENSION, ("CVE-2",)),
    ],
)
def test_which_rule_a_result_is_of(
    read: Read, rules: list[Json], result: Json, critical: tuple[str, ...]
) -> None:
    """Several rules may have one id: the place decides, or else the gravest; so does a part of the tool."""
    tool = {"driver": {"name": "docker scout", "rules": rules}, "extensions": [{"rules": [CRITICAL]}]}

    assert read(sarif({}, tool=tool, results=[result])).scan.critical == critical


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
    """Its own rules of the kernel's headers, and what the distribution says, are not ignore files."""
    report = read(grype(matches=[], ignoredMatches=[match("CVE-8", "Critical", *rules)]))

    assert report.scan.critical == (("CVE-8 (hidden by an ignore rule)",) if counts else ())
    assert [each.partition(" ")[0] for each in report.scan.excused] == ([] if counts else ["CVE-8"])


def test_a_reason_that_a_person_wrote(read: Read) -> None:
    """Grype's own words in an ignore file are a person's."""
    rule = {"namespace": "", "vulnerability": "CVE-8", "reason": "Distro Not Vulnerable"}
    ignored = [match("CVE-8", "Critical", rule)]
    report = read(grype(matches=[], ignoredMatches=ignored, descriptor=descriptor({"ignore": [rule]})))

    assert report.scan.critical == ("CVE-8 (hidden by an ignore rule)",)


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
        (
            sarif(
                HIGH,
                properties={"repoDigests": [f"{NAME}@{OTHER}"]},
                invocations=[ended(commandLine=f"docker scout cves --to {NAME}@{DIGEST}")],
            ),
            False,
        ),
        (sarif(HIGH, properties={}, invocations=[ended(arguments=["cves", f"{NAME}@{DIGEST}"])]), True),
        (sarif(HIGH, properties={}, automationDetails={"id": f"{NAME}@{DIGEST}"}), True),
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


AFTER = (NOW + timedelta(hours=1)).isoformat()
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
        (trivy(Trivy={"Server": {"VulnerabilityDB": {"UpdatedAt": AFTER}}}), "a database of after that"),
        (grype(matches=None), "it has no matches"),
        (grype(source={"type": "directory"}), "of a directory"),
        (grype(distro={"name": "", "version": "", "idLike": None}), "its operating system was not detected"),
        (grype(distro=None), "its operating system was not detected"),
        (grype(alertsByPackage=[EOL]), "debian 12 is past its end of life"),
        (grype(descriptor=descriptor({"only-fixed": True})), "only what has a fix (only-fixed)"),
        (grype(descriptor=descriptor({"only-notfixed": True})), "only what has no fix"),
        (grype(descriptor=descriptor({"ignore-wontfix": "wont-fix"})), "nothing of these fix states"),
        (grype(descriptor=descriptor({"exclude": ["/usr/**"]})), "nothing below these paths"),
        (grype(descriptor=descriptor({"distro": "alpine:3.22"})), "told that the system is alpine:3.22"),
        (
            grype(descriptor=descriptor({"alerts": {"enable-eol-distro-warnings": False}})),
            "not to say whether the system is past its end of life",
        ),
        (grype(distro={"name": "busybox", "version": "1.36"}), "no packages of busybox were seen"),
        (grype(descriptor=descriptor(db={"status": {"error": "corrupt"}})), "is not valid: corrupt"),
        (grype(descriptor=descriptor(timestamp="")), "nothing says when it was made"),
        (grype(matches=[match("CVE-1", None)]), "nothing says how grave CVE-1 is"),
        ({"manifest_hash": DIGEST, "packages": {}, "state": "IndexFinished"}, "it has no vulnerabilities"),
        (clair(packages={}), "it has no packages"),
        (clair(distributions=None), "its operating system was not detected"),
        (
            clair(environments={"1": [{"package_db": "python:app", "distribution_id": ""}], "2": None}),
            "no packages of its operating system were seen",
        ),
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
        (
            sarif(HIGH, invocations=[ended(commandLine='docker scout cves "--only-severity" high')]),
            "leave findings out (--only-severity)",
        ),
        (sarif(HIGH, invocations=[ended(arguments=["--epss-score=0.5"])]), "out (--epss-score)"),
        (
            sarif(HIGH, externalPropertyFileReferences={"results": [{"location": {"uri": "x.sarif"}}]}),
            "parts of it stand elsewhere",
        ),
        ({**sarif(HIGH), "inlineExternalProperties": [{"results": []}]}, "parts of it stand elsewhere"),
        (sarif(HIGH, results=[{"ruleId": "CVE-9", "ruleIndex": 0}]), "CVE-9 is: rule 0 is CVE-2"),
        (
            sarif(HIGH, results=[{"rule": {"index": 0, "toolComponent": {"index": 3}}}]),
            "how grave a result without a rule is",
        ),
        (sarif(HIGH, tool={"driver": {"name": "CodeQL"}}), "of CodeQL, whose SARIF is not read"),
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


@pytest.mark.parametrize(
    ("document", "whose"),
    [
        ({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}, "CycloneDX"),
        ({"spdxVersion": "SPDX-2.3", "packages": []}, "SPDX"),
        ({"vulnerabilities": [], "ok": True, "packageManager": "deb", "docker": {}}, "Snyk"),
        ([{"vulnerabilities": [], "ok": True, "packageManager": "npm"}], "Snyk"),
        ({"imageScanFindings": {"findings": []}, "imageId": {"imageDigest": DIGEST}}, "Amazon ECR"),
        ({"application/vnd.security.vulnerability.report; version=1.1": {"severity": "None"}}, "Harbor"),
        ({"image_summary": {}, "package_vulnerability_summary": {}}, "Google"),
        ({"version": "15.0.4", "vulnerabilities": [], "scan": {"status": "success"}}, "GitLab"),
        ([{"scan_id": "1", "component_id": "x", "vulnerabilities": []}], "Xray"),
        ({"status": "queued", "data": None}, "Quay"),
        ({"Layer": {"Name": DIGEST, "Features": []}}, "Clair 2"),
        ({"predicateType": "https://cosign.sigstore.dev/attestation/vuln/v1", "predicate": {}}, "in-toto"),
        (
            {"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "VulnerabilityReport", "report": {}},
            "operator",
        ),
    ],
)
def test_reports_of_others(read: Read, document: object, whose: str) -> None:
    """What they found is not known here, good or bad; whose they are is said."""
    with pytest.raises(UnreachableError, match=whose) as raised:
        read(document)

    assert "scan with trivy" in str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_report_as_windows_writes_it(tmp_path: Path, encoding: str) -> None:
    """PowerShell's > writes UTF-16, with a mark in front."""
    path = tmp_path / "scan.json"
    path.write_bytes(json.dumps(trivy()).encode(encoding))

    assert Vulnerabilities("mine.toml", path, lambda _: None).report().is_of(image())


def test_no_file(tmp_path: Path) -> None:
    """Nothing is known then, good or bad."""
    for path in (None, tmp_path / "none.json"):
        with pytest.raises(UnreachableError):
            Vulnerabilities("mine.toml", path, lambda _: None).report()
