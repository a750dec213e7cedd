"""What reads foreign text: it ends in one of our own errors, and what is damaged never passes.

Properties of hypothesis, with the same few examples on each run (see foreign.py).
"""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests_self import scans
from tests_self.building import load_results as loaded
from tests_self.building.dumps import GOOD as DUMP
from tests_self.building.manifests import SERVICE
from tests_self.building.release_records import GOOD as RECORD
from tests_self.foreign import EXAMPLES, FEW, as_json, content, cut, damaged, documents, spoilt, text

from nox_service import calculations, pages
from nox_service.access import doors, owners
from nox_service.faults import health, ready
from nox_service.oauth_urls import GITHUB, state_of
from noxgate.errors import ProfileError, UnreachableError
from noxgate.look.http import Answer
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
from noxgate.systems.prometheus import answers
from noxgate.systems.prometheus.scraped import exposition
from noxgate.systems.registry.vulnerabilities import Vulnerabilities
from noxgate.trials import psql_messages, sql_script
from noxgate.trials.backup import dump_file
from noxgate.trials.backup.record import read_record

ROOT = Path(__file__).parents[3]
RUNBOOK = read_runbook(ROOT / "runbook.toml")
TODAY = datetime.now(UTC).date()
DEEP = "a = " + "[" * 5_000

Read = Callable[[Path], object]


@contextmanager
def file(data: str | bytes, name: str = "x.toml") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
        yield path


def ends(look: Callable[[], object], *errors: type[Exception]) -> object:
    """What came of it. None if it raised one of these errors, in one line."""
    try:
        return look()
    except errors as error:
        said = str(error)
    assert "\n" not in said, f"expected one line, saw {said!r}"
    return None


# ---------------------------------------------------------------- answers of the API

JUDGES: tuple[Callable[[Answer], object], ...] = (
    lambda answer: health([answer]),
    lambda answer: ready([answer]),
    lambda answer: pages.faults(pages.PROFILE, answer, [answer]),
    lambda answer: pages.faults(pages.HISTORY, answer),
    pages.counted,
    lambda answer: pages.another_user(answer, answer),
    lambda answer: calculations.computed(answer, calculations.EMPIRICAL),
    lambda answer: calculations.computed(answer, calculations.PREDICT_CJ),
    lambda answer: owners.history_faults(answer, answer, "1"),
    lambda answer: doors.administrator_enters([answer]),
    lambda answer: doors.shut(answer, answer),
)


@FEW
@given(documents, st.dictionaries(st.sampled_from(["age", "x-cache", "x-varnish", "cache-status"]), text))
def test_what_an_api_may_answer_is_judged(document: Any, headers: dict[str, str]) -> None:
    answer = Answer(200, headers, {name: [value] for name, value in headers.items()}, as_json(document))
    for judge in JUDGES:
        ends(partial(judge, answer), AssertionError)


@pytest.mark.parametrize("depth", [250, 500, 700, 900, 980, 5_000, 200_000])
@pytest.mark.parametrize("around", ["[]", '{"a":}'])
def test_an_answer_may_be_deep(depth: int, around: str) -> None:
    """Less deep than where the parser gives up, too: it is not a page, and our reader raises no error."""
    inner = around[:-1] * depth + "1" + around[-1] * depth
    for body in (inner, f'{{"status": "healthy", "id": 1, "value": 351.5, "x": {inner}}}'):
        answer = Answer(200, {}, {}, body)
        for judge in JUDGES:
            ends(partial(judge, answer), AssertionError)
        wrong = len(pages.faults(pages.PROFILE, answer))
        assert wrong == 1


# ---------------------------------------------------------------- the project's own files

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


# ---------------------------------------------------------------- what the target says


@EXAMPLES
@given(st.one_of(text, damaged({"level": "error", "msg": "x", "log": {"level": 50}}).map(as_json)))
@example('{"level": 1e400}')
@example('{"level": "' + "[" * 5_000 + '"}')
@example("{" * 5_000)
def test_log_lines(line: str) -> None:
    assert log_lines.is_grave(line) in {True, False}
    assert len(log_lines.unexpected_events([line, "ERROR: it fell over"], [])) == 1 + log_lines.is_grave(line)


def response(status: int = 200) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "http://prometheus/api/v1/query?query=up"))


VECTOR = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [1.5, "1"]}]},
}
MATRIX = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1.5, "1"]]}]},
}
RULES = {
    "status": "success",
    "data": {
        "groups": [
            {
                "name": "g",
                "rules": [
                    {
                        "name": "r",
                        "query": "up",
                        "type": "alerting",
                        "health": "ok",
                        "lastEvaluation": "2025-08-15T00:00:00Z",
                        "evaluationTime": 0.1,
                        "duration": 5,
                        "labels": {},
                        "annotations": {},
                        "alerts": [
                            {
                                "labels": {"alertname": "r"},
                                "state": "firing",
                                "activeAt": "2025-08-15T00:00:00Z",
                                "value": "1e+00",
                            }
                        ],
                    }
                ],
            }
        ]
    },
}
TARGETS = {
    "status": "success",
    "data": {
        "activeTargets": [
            {
                "labels": {"job": "x"},
                "scrapePool": "x",
                "scrapeUrl": "http://x/metrics",
                "health": "up",
                "lastError": "",
                "lastScrape": "2025-08-15T00:00:00Z",
                "scrapeInterval": "15s",
            }
        ]
    },
}
PROMETHEUS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "vector": (VECTOR, answers.samples),
    "matrix": (MATRIX, answers.series),
    "rules": (RULES, answers.rules),
    "targets": (TARGETS, answers.targets),
    "text": ({"status": "success", "data": "up"}, answers.text),
}


@pytest.mark.parametrize("name", PROMETHEUS)
@EXAMPLES
@given(st.data())
def test_answers_of_prometheus(name: str, data: st.DataObject) -> None:
    good, reading = PROMETHEUS[name]
    raw = data.draw(st.one_of(damaged(good).map(as_json), text))
    ends(lambda: answers.read_answer(response(), raw, reading), UnreachableError)


@pytest.mark.parametrize("name", PROMETHEUS)
@FEW
@given(st.data())
def test_an_answer_of_prometheus_that_is_cut_is_none(name: str, data: st.DataObject) -> None:
    good, reading = PROMETHEUS[name]
    raw = data.draw(cut(as_json(good).encode())).decode()
    with pytest.raises(UnreachableError):
        answers.read_answer(response(), raw, reading)


EXPOSITION = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="GET",status="200"} 12
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.3"} 5
http_request_duration_seconds_bucket{le="+Inf"} 12
http_request_duration_seconds_sum 1.5
http_request_duration_seconds_count 12
"""


@EXAMPLES
@given(st.one_of(spoilt(EXPOSITION), text))
@example('a{le="x"} 1\n')
@example('a_bucket{le="x"} 1\n')
@example("a_bucket 1\na_bucket 2\n")
@example('# TYPE a histogram\na_bucket{le="nine"} 1\n')
def test_exposition(raw: str) -> None:
    sent = raw.encode("utf-8", "surrogatepass")  # a scrape is bytes
    found = ends(lambda: exposition.parse(sent), AssertionError)
    if found is not None:
        names = {"http_request_duration_seconds", "a"}
        ends(lambda: [exposition.histograms(found, name) for name in names], AssertionError)  # type: ignore[arg-type]


URL = (
    "https://github.com/login/oauth/authorize?client_id=c&response_type=code&scope=read%3Auser&state=0123456789abcdef"
    "&redirect_uri=https%3A%2F%2Fnox%2Fapi%2Fauth%2Fgithub%2Fcallback"
)
TARGET: Any = SimpleNamespace(base_url="https://nox", client_id=lambda _: "c", asks={})


@EXAMPLES
@given(
    st.one_of(spoilt(URL).map(lambda url: as_json({"url": url})), damaged({"url": URL}).map(as_json), text)
)
@example(as_json({"url": "https://[github.com/login/oauth/authorize"}))
@example(as_json({"url": "https://github.com:99999999/login/oauth/authorize"}))
@example(as_json({"url": URL + "&a=1" * 2_000}))
@example(as_json({"url": URL + ";a=%zz&b=%ff"}))
def test_oauth_urls(body: str) -> None:
    ends_plainly(lambda: state_of(Answer(200, {}, {}, body), TARGET, GITHUB))


def ends_plainly(look: Callable[[], object]) -> object:
    """As `ends`, but pytest writes the reasons of asserts in several lines here."""
    try:
        return look()
    except (AssertionError, UnreachableError):
        return None


# ---------------------------------------------------------------- files of the night

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
@given(st.lists(st.one_of(text, spoilt("psql:x.sql:12: ERROR:  no such table")), max_size=4))
@example(["psql:x.sql:" + "9" * 5_000 + ": ERROR:  no such table"])
def test_what_psql_says(lines: list[str]) -> None:
    assert len(list(psql_messages.errors([*lines, "psql:x.sql:1: ERROR:  it"]))) >= 1


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


# ---------------------------------------------------------------- load tests


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
