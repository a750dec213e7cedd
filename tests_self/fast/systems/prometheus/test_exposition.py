"""The reader of /metrics is held to what a real Prometheus made of each text: scraped.json says which one."""

import json
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from tests_self.prometheus import recording
from tests_self.prometheus.texts import OPEN, PLAIN, TEXTS, Text
from tests_self.service import SERVICE, queries

from noxgate.look.http import Answer
from noxgate.systems.prometheus.scraped import exposition

RECORDED = json.loads(recording.RECORDED.read_text(encoding="utf-8"))
NOW = 1_790_000_000  # seconds


def read(text: Text) -> dict[str, Any]:
    """What our reader makes of a text, in the form of the record."""
    try:
        scrape = exposition.scraped(text.at(NOW * 1000), text.kind, NOW)
    except AssertionError as error:
        return {"lost": "\n" not in str(error)}
    return {"samples": [[{"__name__": one.name, **one.labels}, one.value] for one in scrape.samples]}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_each_text_is_read_as_prometheus_reads_it(text: Text) -> None:
    """Lost whole, or the same samples with the same labels and values."""
    expected = RECORDED["texts"][text.name]
    seen = read(text)

    assert seen.keys() == expected.keys() - {"prometheus"}
    assert seen.get("lost") == expected.get("lost")
    samples = [[labels, float(value)] for labels, value in expected.get("samples", ())]
    assert sorted(map(_spelled, seen.get("samples", ()))) == sorted(map(_spelled, samples))


def test_the_record_is_whole() -> None:
    """Of every text, with its version, and with both ends of what may come of it."""
    texts = RECORDED["texts"]

    assert len({text.name for text in TEXTS}) == len(TEXTS)
    assert list(texts) == [text.name for text in TEXTS]
    assert {each["prometheus"] for each in texts.values()} == {"2.42.0+ds"}
    assert sum("lost" in each for each in texts.values()) >= 50
    assert sum(bool(each.get("samples")) for each in texts.values()) >= 50
    assert RECORDED["accept"] == exposition.ACCEPT


def test_this_machines_prometheus_reads_them_so(tmp_path: Path) -> None:
    """The record is what it says it is."""
    assert recording.record(tmp_path) == RECORDED


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"a 1\na 1\n", PLAIN, "a {} twice: 1 and 1"),
        (b"a 1 1\n", PLAIN, "a {} is of "),
        (b"a 1 9e9\n# EOF\n", OPEN, "in the future"),
    ],
)
def test_a_sample_that_is_dropped_alone_is_said(content: bytes, kind: str, expected: str) -> None:
    """Prometheus says nothing of it where anybody looks."""
    with pytest.raises(AssertionError, match=expected.replace("{}", r"\{\}")):
        exposition.parse(content, kind)


def test_a_scrape_follows_to_the_same_with_a_slash() -> None:
    """As an application answers that mounts another one there; a page to sign in is not followed to."""

    def get(to: str, status: int = 307) -> list[str]:
        paths: list[str] = []

        def answer(path: str) -> Answer:
            paths.append(path)
            found = {"location": to} if path == "/metrics" else {"content-type": OPEN}
            return Answer(status if path == "/metrics" else 200, found, {}, "a 1\n# EOF\n")

        exposition.asked(answer)
        return paths

    assert get("http://nox-api:8000/metrics/") == ["/metrics", "/metrics/"]
    assert get("/metrics/", 308) == ["/metrics", "/metrics/"]
    assert get("/metrics/", 200) == ["/metrics"]
    assert get("https://nox.example/login?next=/metrics/") == ["/metrics"]


def test_an_answer_is_read_by_its_content_type() -> None:
    """An application may serve OpenMetrics to whoever asks."""
    text = 'a_total 1 # {b="c"} 1\n# EOF\n'

    assert [one.value for one in exposition.read(Answer(200, {"content-type": OPEN}, {}, text))] == [1]
    with pytest.raises(AssertionError, match="the whole scrape is lost"):
        exposition.read(Answer(200, {"content-type": PLAIN}, {}, text))


def test_the_reason_names_the_line() -> None:
    """And shows it."""
    with pytest.raises(AssertionError, match=r"lost at line 2: expected a time .*: 'b 2 # \{c=\"d\"\} 1'"):
        exposition.parse(b'a 1\nb 2 # {c="d"} 1\n', PLAIN)


def test_the_labels_of_the_live_queries_are_asked_for() -> None:
    """Of the application's own series, those that the queries select by: Prometheus adds the others."""
    live = queries("n")
    needed: dict[str, set[str]] = {}

    def select(expression: promql_parser.Expr) -> None:
        if (
            isinstance(expression, promql_parser.VectorSelector)
            and str(expression.name) in SERVICE.metrics.labels
        ):
            labels = {matcher.name for matcher in expression.matchers.matchers} - {"namespace", "job"}
            needed.setdefault(str(expression.name), set()).update(labels)

    for expression in (live.requests, live.buckets):
        promql_parser.walk(promql_parser.parse(expression), select)

    needed["http_request_duration_seconds_bucket"].add("le")  # of the quantile
    needed["http_requests_total"].add("status")  # by which errors are told
    assert {name: set(labels) for name, labels in SERVICE.metrics.labels.items()} == needed


def _spelled(sample: Any) -> str:
    return json.dumps(sample, sort_keys=True)
