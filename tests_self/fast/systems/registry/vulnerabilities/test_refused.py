"""Reports of scanners that prove nothing: of another image, or of no scan."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests_self.fast.systems.registry.vulnerabilities.scanned import Read
from tests_self.scans import (
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
    sarif,
    system,
    trivy,
)

from noxgate.errors import UnreachableError
from noxgate.systems.registry.answers import Image
from noxgate.systems.registry.vulnerabilities import Vulnerabilities


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


AFTER = (NOW + timedelta(hours=24)).isoformat()  # also of tests that run long after this
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
        (trivy(CreatedAt=AFTER), "made in the future"),
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
