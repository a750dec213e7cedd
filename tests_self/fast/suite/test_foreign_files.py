"""What reads files that others wrote: it ends in one of our own errors, and what is damaged never passes.

Properties of hypothesis, with the same few examples on each run (see foreign.py).
"""

import gzip
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests_self import scans
from tests_self.building import load_results as loaded
from tests_self.building.dumps import GOOD as DUMP
from tests_self.building.manifests import SERVICE
from tests_self.building.release_records import GOOD as RECORD
from tests_self.foreign import (
    EXAMPLES,
    FEW,
    as_json,
    content,
    cut,
    damaged,
    documents,
    ends,
    file,
    spoilt,
    text,
)

from noxgate.errors import ProfileError, UnreachableError
from noxgate.project.profile import read_target
from noxgate.project.release_facts import FactsError, read_release_facts
from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.project.waivers import WaiverError, read_waivers
from noxgate.slo import ramps
from noxgate.slo.result import ResultError, read, write
from noxgate.slo.slos import SloOutcome
from noxgate.slo.table import verdict
from noxgate.systems.kubernetes import log_lines
from noxgate.systems.kubernetes.kubectl_yaml.objects import ManifestError
from noxgate.systems.kubernetes.manifests import read_file
from noxgate.systems.postgres.catalog import read_catalog
from noxgate.systems.registry.vulnerabilities import Vulnerabilities
from noxgate.trials import sql_script
from noxgate.trials.backup import dump_file
from noxgate.trials.backup.record import read_record

ROOT = Path(__file__).parents[3]
RUNBOOK = read_runbook(ROOT / "runbook.toml")
TODAY = datetime.now(UTC).date()
DEEP = "a = " + "[" * 5_000

Read = Callable[[Path], object]


WAIVER = (
    f'[[waiver]]\nline = "staging.health"\nowner = "Ada Lindqvist"\nreason = "known"\nexpires = {TODAY}\n'
)
CATALOG = (ROOT / "schema" / "8.0.0.toml").read_text()
PROFILE = (ROOT / "targets" / "staging.toml").read_text()
RAMPS = (ROOT / "load" / "ramps.toml").read_text()


def profile(path: Path) -> object:
    return read_target(path.parent, str(path), ("staging", "preflight"), {})


def ramps_of(path: Path) -> object:
    (path.parent / "load").mkdir(exist_ok=True)
    path.rename(path.parent / "load" / "ramps.toml")
    return ramps.read_ramps(path.parent)


TOML: dict[str, tuple[str, Read, tuple[type[Exception], ...]]] = {
    "profile": (PROFILE, profile, (ProfileError, UnreachableError)),
    "waivers": (WAIVER, lambda path: read_waivers(path, RUNBOOK, TODAY), (WaiverError,)),
    "record": (RECORD, read_release_facts, (FactsError,)),
    "runbook": ((ROOT / "runbook.toml").read_text()[:6_000], read_runbook, (RunbookError,)),
    "catalog": (CATALOG, read_catalog, (UnreachableError,)),
    "ramps": (RAMPS, ramps_of, (ramps.RampError,)),
    "allowed": (
        '[[allowed]]\npattern = "known"\nreason = "harmless"\n',
        log_lines.allow_list,
        (AssertionError,),
    ),
}


@pytest.mark.parametrize("name", TOML)
@EXAMPLES
@given(st.data())
def test_our_own_files(name: str, data: st.DataObject) -> None:
    good, reading, errors = TOML[name]
    raw = data.draw(st.one_of(spoilt(good), content))
    with file(raw) as path:
        ends(lambda: reading(path), *errors)


@pytest.mark.parametrize("name", TOML)
@pytest.mark.parametrize(
    "raw", [DEEP, 'a = "\\ud800"', "allowed = 5", "allowed = [5]", b"\xff", "a = " + "9" * 5_000]
)
def test_our_own_files_at_their_oddest(name: str, raw: str | bytes) -> None:
    _, reading, errors = TOML[name]
    with file(raw) as path, pytest.raises(errors):
        reading(path)


@EXAMPLES
@given(spoilt(WAIVER))
def test_a_waiver_that_counts_is_whole(raw: str) -> None:
    with file(raw) as path:
        found = ends(lambda: read_waivers(path, RUNBOOK, TODAY), WaiverError)
    for waiver in (found or {}).values():  # type: ignore[attr-defined]
        assert waiver.line in RUNBOOK.lines
        assert waiver.owner.strip()
        assert waiver.reason.strip()
        assert waiver.expires >= TODAY


SCANS = {
    "trivy": scans.trivy(),
    "grype": scans.grype(),
    "clair": scans.clair(),
    "sarif": scans.sarif({"security-severity": "9.8"}),
}


def scanned(path: Path) -> object:
    return Vulnerabilities("staging.toml", path, lambda _: None).report()


@pytest.mark.parametrize("name", SCANS)
@EXAMPLES
@given(st.data())
def test_scan_reports(name: str, data: st.DataObject) -> None:
    good = json.loads(json.dumps(SCANS[name], default=str))
    raw = data.draw(st.one_of(damaged(good).map(as_json), content))
    with file(raw, "scan.json") as path:
        ends(lambda: scanned(path), AssertionError)


@pytest.mark.parametrize("name", SCANS)
@FEW
@given(st.data())
def test_a_scan_report_that_is_cut_is_none(name: str, data: st.DataObject) -> None:
    raw = data.draw(cut(json.dumps(SCANS[name], default=str).encode()))
    with file(raw, "scan.json") as path, pytest.raises(AssertionError):
        scanned(path)


MANIFEST = (
    SERVICE.format(name="a")
    + "spec: &s\n  ports: [{port: 80, targetPort: web}]\n---\n"
    + SERVICE.format(name="b")
)


@EXAMPLES
@given(
    st.one_of(spoilt(MANIFEST), spoilt(as_json({"apiVersion": "v1", "kind": "List", "items": []})), content)
)
@example("a: &a [*a]\n")
@example("a: " + "9" * 5_000)
@example("[" * 20_000)
def test_manifests(raw: str | bytes) -> None:
    with file(raw, "a.yaml") as path:
        ends(lambda: read_file(path), ManifestError)


@FEW
@given(documents)
def test_manifests_of_any_form(document: object) -> None:
    with file(as_json(document), "a.json") as path:
        ends(lambda: read_file(path), ManifestError)


@EXAMPLES
@given(st.one_of(spoilt(DUMP), content))
def test_dumps(raw: str | bytes) -> None:
    with file(raw, "dump.sql") as path:
        form = dump_file.form(path)
    assert form.size >= 0


@EXAMPLES
@given(cut(DUMP.rstrip("\n").encode()))
def test_a_dump_that_is_cut_has_no_end(raw: bytes) -> None:
    with file(raw, "dump.sql") as path:
        assert not dump_file.form(path).ends


@EXAMPLES
@given(st.one_of(spoilt("BEGIN;\n\\set a 'x'\nSELECT $$a;b$$, 'c''d', E'\\'';\nCOMMIT;\n"), text))
def test_sql_scripts(raw: str) -> None:
    sql_script.read_script(raw)


BESIDE = 'database\tnox\nsystem\t15\npart\t["table","a",null,"b"]\nsequence\ts\t12\npublic.notes\t3\tabc\n'


@EXAMPLES
@given(st.one_of(spoilt(BESIDE), content))
@example("sequence\ts\ttwelve\n")
@example("part\t[1, 2]\n")
@example("part\t5\n")
@example("part\t" + "[" * 5_000 + "\n")
@example("t\t" + "9" * 5_000 + "\tx\n")
@example("t\t\u00b2\tx\n")
@example(b"\xff")
def test_what_was_written_beside_a_backup(raw: str | bytes) -> None:
    with file(raw, "backup.txt") as path:
        ends(lambda: read_record(path), AssertionError)


def result_file() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json.gz"
        good = loaded.good()
        write(
            path,
            replace(good, seconds={name: dict(list(by.items())[:2]) for name, by in good.seconds.items()}),
        )
        return json.loads(gzip.decompress(path.read_bytes()))  # type: ignore[no-any-return]


RESULT = result_file()


@EXAMPLES
@given(st.one_of(damaged(RESULT).map(as_json), text))
@example("[" * 5_000)
@example("NaN")
def test_results_of_load_tests(raw: str) -> None:
    """One in which anything is missing is not valid, or does not pass."""
    with file(gzip.compress(raw.encode("utf-8", "surrogatepass"), 1), "result.json.gz") as path:
        found = ends(lambda: read(path), ResultError)
    if found is not None:
        judged: Any = ends(lambda: verdict(found, loaded.SLOS), ResultError)  # type: ignore[arg-type]
        assert judged is None or judged.outcome is not SloOutcome.PASSED


@FEW
@given(cut(gzip.compress(as_json(RESULT).encode())))
def test_a_result_that_is_cut_is_none(raw: bytes) -> None:
    with file(raw, "result.json.gz") as path, pytest.raises(ResultError):
        read(path)
