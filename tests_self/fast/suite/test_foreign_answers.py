"""What reads answers, logs and programs' output: it ends in our own errors, and what is cut never passes.

Properties of hypothesis, with the same few examples on each run (see foreign.py).
"""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests_self.foreign import EXAMPLES, FEW, as_json, cut, damaged, documents, ends, spoilt, text

from nox_service import calculations, pages
from nox_service.access import doors, owners
from nox_service.faults import health, ready
from nox_service.oauth_urls import GITHUB, state_of
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer
from noxgate.systems.kubernetes import log_lines
from noxgate.systems.prometheus import answers
from noxgate.systems.prometheus.scraped import exposition
from noxgate.trials import psql_messages

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


@EXAMPLES
@given(st.lists(st.one_of(text, spoilt("psql:x.sql:12: ERROR:  no such table")), max_size=4))
@example(["psql:x.sql:" + "9" * 5_000 + ": ERROR:  no such table"])
def test_what_psql_says(lines: list[str]) -> None:
    assert len(list(psql_messages.errors([*lines, "psql:x.sql:1: ERROR:  it"]))) >= 1
