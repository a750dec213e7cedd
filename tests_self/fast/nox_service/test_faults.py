"""Answers that only look right, and odd ones that are: what people's services say of themselves."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from nox_service.access.doors import administrator_enters, turned_away
from nox_service.faults import complaints, content, health, open_to_any_origin, ready, version
from nox_service.pages import each_counted
from nox_service.pods.one import wrong_pods
from nox_service.websocket import unalike
from noxgate.look.http import Answer
from noxgate.systems.http.caches import cached


def answered(document: Any, *, status: int = 200, **headers: Any) -> Answer:
    """As a client has read it; a text is the body as it is."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    text = document if isinstance(document, str) else json.dumps(document)
    return Answer(status, names, {name: [value] for name, value in names.items()}, text)


BOOT = {"status": "UP", "components": {"db": {"status": "UP"}, "redis": {"status": "DOWN"}}}
DRAFT = {"status": "pass", "checks": {"postgres:responseTime": [{"status": "fail", "observedValue": 250}]}}
NEST = {
    "status": "ok",
    "info": {"db": {"status": "up"}},
    "error": {"redis": {"status": "down"}},
    "details": {},
}


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"failed": ["database"]}, "it says failed: [database]"),
        ({"error": "pool is empty"}, "it says error: 'pool is empty'"),
        ({"errors": 3}, "it says errors: 3"),
        ({"checks": {"database": "down"}}, "it says database: 'down'"),
        ({"checks": {"database": False}}, "it says database: False"),
        ({"database": "connection refused"}, "it says database: 'connection refused'"),
        ({"db": {"status": "Not_Ready: no route"}}, "it says status: 'Not_Ready: no route'"),
        ({"redis": "error: timed out"}, "it says redis: 'error: timed out'"),
        ({"ready": False}, "it says ready: False"),
        ({"maintenance": True}, "it says maintenance: True"),
        ({"components": BOOT["components"]}, "it says status: 'DOWN'"),
        ({"checks": DRAFT["checks"]}, "it says status: 'fail'"),
        ({"error": NEST["error"]}, "it says error: redis=(status=down)"),
        ({"entries": [{"name": "queue", "state": "Unhealthy"}]}, "it says state: 'Unhealthy'"),
        ({"databaseConnected": False}, "it says databaseConnected: False"),
        ({"redis_ok": False}, "it says redis_ok: False"),
        ({"is-ready": False}, "it says is-ready: False"),
        ({"success": False}, "it says success: False"),
        ({"db_status": "down"}, "it says db_status: 'down'"),
        ({"databaseStatus": "DISCONNECTED"}, "it says databaseStatus: 'DISCONNECTED'"),
        ({"celery": "down"}, "it says celery: 'down'"),
        ({"db": {"up": False}}, "it says up: False"),
        ({"checks": {"database": "connecting"}}, "it says database: 'connecting'"),
        ({"checks": [{"name": "db", "result": "initializing"}]}, "it says result: 'initializing'"),
        ({"components": {"db": "KO"}}, "it says db: 'KO'"),
        ({"services": {"worker": "0 of 3 running"}}, "it says worker: '0 of 3 running'"),
        ({"degraded_services": ["db"]}, "it says degraded_services: [db]"),
        ({"failedChecks": ["db"]}, "it says failedChecks: [db]"),
        ({"problem": "no route"}, "it says problem: 'no route'"),
        ({"errors": {"database": 1, "redis": 0}}, "it says errors: database=1, redis=0"),
    ],
)
def test_complaint_beside_a_good_word(beside: dict[str, Any], said: str) -> None:
    assert health([answered({"status": "healthy"} | beside)]) == [said]
    assert ready([answered({"status": "ready"} | beside)]) == [said]
    assert version([answered({"version": "8.0.0"} | beside)], "8.0.0") == [said]


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"error": None, "errors": [], "failed": 0, "failures": {}},
        {"error_rate": 0.2, "failed_jobs": 12, "errors_total": 3},
        {"debug": False, "maintenance": False, "read_only": "false"},
        {"components": {"db": {"status": "UP"}, "diskSpace": {"status": "UP", "details": {"free": 0}}}},
        {"checks": {"database": "ok", "redis": True}, "uptime": 12.5},
        {"checks": {"cpu:utilization": [{"status": "warn", "observedValue": 85}]}},
        {"info": {"db": {"status": "up"}}, "error": {}, "details": {"db": {"status": "up"}}},
        {"queue": {"status": "idle", "waiting": 0}, "database": {"latency_ms": 2}},
        {"message": "no errors in the last hour", "note": "failed over yesterday"},
        {"jobs": {"queued": 1, "failed": 12}, "queue": {"failed": 3}},
        {"errors": {"4xx": 0, "5xx": 0}, "failed_jobs": [{"id": 7}]},
        {"gpu_available": False, "leader": False, "maintenance_mode": False, "not_ready": False},
        {"last_backup": "failed", "previous_status": "down"},
        {"log_level": "error", "mode": "no-cache"},
        {"info": {"name": "not-prod", "release": "out"}},
        {"circuitBreakers": {"status": "UP", "details": {"psi4": {"state": "CLOSED"}}}},
        {"db_status": "up", "redisConnected": True, "workers": "3 of 3 running"},
    ],
)
def test_odd_and_healthy(beside: dict[str, Any]) -> None:
    assert complaints(beside) == []
    assert health([answered({"status": "healthy"} | beside)]) == []
    assert ready([answered({"status": "ok"} | beside)]) == []


@pytest.mark.parametrize(
    "body",
    [
        *("", "OK", "ready\n", '"ok"', "true"),
        *({"status": word} for word in ("ok", "UP", "READY", "pass", "green", 200)),
        *({"ready": True}, {"database": "ok", "redis": "ok"}, {"health": "ok", "status": "up"}),
    ],
)
def test_ready_asks_for_200_and_no_certain_word(body: Any) -> None:
    assert ready([answered(body)]) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "not ready"}, 200),
        ({"status": "starting"}, 200),
        ({"status": "ready"}, 503),
        ({"ready": False}, 200),
        ({"status": 503}, 200),
        ([], 200),
        ("false", 200),
    ],
)
def test_not_ready(body: Any, status: int) -> None:
    assert ready([answered(body, status=status)]) != []


def test_page_is_not_ready() -> None:
    with pytest.raises(AssertionError, match="expected JSON"):
        ready([answered("<h1>Back soon</h1>")])


@pytest.mark.parametrize("word", ["degraded", "unhealthy", "Healthy?", "ok", "healthy (1 of 3)"])
def test_health_is_the_whole_word(word: str) -> None:
    assert f"status {word!r}, expected 'healthy'" in health([answered({"status": word})])


def test_version_is_the_whole_version() -> None:
    assert version([answered({"version": "18.0.0"})], "8.0.0") == ["version '18.0.0', expected '8.0.0'"]
    assert version([answered({"version": "8.0.0"}, status=500)], "8.0.0") != []


@pytest.mark.parametrize(
    "headers",
    [
        {"age": "1"},
        {"x_cache": "HIT"},
        {"x_cache": "Hit from cloudfront"},
        {"x_cache": "MISS, HIT"},
        {"cf_cache_status": "STALE"},
        {"x_cache_status": "UPDATING"},
        {"cache_status": 'Origin; hit; ttl=30, "CDN"; fwd=miss'},
        {"age": "30, 0"},
        {"age": "0, 12"},
        {"x_cache": "TCP_HIT from a23-45.deploy.akamaitechnologies.com"},
        {"x_cache": "TCP_MEM_HIT"},
        {"x_cache_hits": "0, 2"},
        {"x_vercel_cache": "HIT"},
        {"x_fastcgi_cache": "HIT"},
        {"x_litespeed_cache": "hit,private"},
        {"cdn_cache": "HIT"},
        {"x_rack_cache": "fresh"},
        {"x_varnish": "32770 3"},
        {"server_timing": "cdn-cache; desc=HIT, edge; dur=1"},
        {"warning": '110 - "Response is Stale"'},
    ],
)
def test_answer_of_a_cache(headers: dict[str, Any]) -> None:
    answer = answered({"status": "healthy"}, **headers)
    assert len(cached(answer)) == 1
    assert health([answer]) == cached(answer) == ready([answer])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"age": "0"},
        {"x_cache": "MISS"},
        {"x_cache": "Miss from cloudfront"},
        {"cf_cache_status": "DYNAMIC"},
        {"cache_status": "CDN; fwd=uri-miss; stored"},
        {"x_cache": "no-hit"},
        {"age": "0, 0"},
        {"age": ""},
        {"x_cache": "TCP_MISS"},
        {"x_cache": "MISS from hit.example.com"},
        {"x_cache_hits": "0"},
        {"x_cache_key": "/health/hit"},
        {"x_varnish": "32770"},
        {"cache_control": "max-age=30, stale-while-revalidate=5"},
        {"cache_status": "CDN; fwd=stale; fwd-status=200"},
        {"server_timing": "cdn-cache; desc=MISS"},
        {"warning": '199 - "112 ways"'},
    ],
)
def test_answer_of_the_service_itself(headers: dict[str, Any]) -> None:
    assert cached(answered({}, **headers)) == []


@pytest.mark.parametrize(
    ("allowed", "credentials", "open_"),
    [
        ("https://evil.example", "true", True),
        ("*", "true", True),
        ("null", "true", True),
        ("*", "", False),  # browsers send no credentials there
        ("https://evil.example", "false", False),
        ("https://app.yourdomain.com", "true", False),
        ("", "true", False),
    ],
)
def test_any_origin_with_credentials(allowed: str, credentials: str, open_: bool) -> None:  # noqa: FBT001
    answer = answered({}, access_control_allow_origin=allowed, access_control_allow_credentials=credentials)
    assert (open_to_any_origin(answer, "https://evil.example") != []) is open_


@pytest.mark.parametrize(
    "refused",
    [
        {"error": "store"},
        {"errors": [{"title": "no connection"}]},
        {"success": False, "message": "later"},
        {"ok": False},
        {"status": "error"},
        {"status": "fail"},
        {"status": 503, "title": "Service Unavailable"},
        {"code": 500},
        {"statusCode": 404},
    ],
)
def test_a_refusal_with_a_good_status(refused: dict[str, Any]) -> None:
    """Also with other fields, an empty list among them."""
    others: tuple[dict[str, Any], ...] = ({}, {"data": []}, {"id": 2, "history": []})
    for beside in others:
        _, (said,) = content(answered(refused | beside))
        assert said.startswith("an error with HTTP 200: ")


@pytest.mark.parametrize(
    "around",
    [
        {"error": None},
        {"error": "", "errors": []},
        {"success": True, "error": None, "message": None},
        {"status": "success", "code": 200},
        {"status": "active"},
        {"status": "queued", "code": 0},
    ],
)
def test_an_envelope_that_says_all_is_well(around: dict[str, Any]) -> None:
    assert content(answered(around | {"data": {"id": 2}}))[1] == []


def test_one_job_that_failed_is_in_a_good_history() -> None:
    jobs = [{"id": 7, "status": "failed", "error": "no convergence", "success": False}]
    assert content(answered({"jobs": jobs}))[1] == content(answered(jobs))[1] == []


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(health([]), id="health"),
        pytest.param(ready([]), id="ready"),
        pytest.param(version([], "8.0.0"), id="version"),
        pytest.param(each_counted([]), id="figures"),
        pytest.param(administrator_enters([]), id="administrator"),
        pytest.param(turned_away([], HTTPStatus.FORBIDDEN), id="turned away"),
        pytest.param(unalike([], "hello"), id="echo"),
        pytest.param(wrong_pods({}), id="pods"),
    ],
)
def test_nothing_that_was_seen_is_a_fault(nothing: object) -> None:
    """A check asks nothing more of these than to be empty: without an answer nothing is proven."""
    assert nothing != []
    assert "saw none" in str(nothing)
