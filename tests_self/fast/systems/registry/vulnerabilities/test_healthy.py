"""Reports of scanners: healthy ones, odd as they may be, and what was hidden in some."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests_self.fast.systems.registry.vulnerabilities.scanned import Read
from tests_self.scans import (
    BUILT,
    CONFIG,
    HIGH,
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

from noxgate.systems.registry.vulnerabilities import Vulnerabilities


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
