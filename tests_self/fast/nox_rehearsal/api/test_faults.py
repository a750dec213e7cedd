"""Faults that a rehearsal gives the reference API, and what it does without its servers or its settings."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests_self.fast.nox_rehearsal.api.serving import (
    SECRET_KEY,
    XTB,
    Api,
    Servers,
    serving,
    variables,
)
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from nox_rehearsal.api.login.auth import mint

SECRETS = [SECRET_KEY, "google-secret", "github-secret", "microsoft-secret"]

pytestmark = pytest.mark.usefixtures("quick_start")


def test_faults_replace_delay_and_change_answers(api: Api) -> None:
    api.break_it(
        answers={
            "GET /health": {"status": 503, "json": {"status": "unhealthy"}},
            "GET /version": {"delay": 0.3, "headers": {"X-Odd": "yes", "Content-Type": None}},
            "GET /ready": {"text": "ready", "share": 0.25},
            "GET /ws": {"status": 502},
        }
    )

    health = api.get("/health")
    started = time.monotonic()
    version = api.get("/version")
    took = time.monotonic() - started
    ready = [api.get("/ready").text for _ in range(8)]
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{api.port}/ws", proxy=None):
        pass

    assert (health.status_code, health.json()) == (503, {"status": "unhealthy"})
    assert (version.json(), version.headers["x-odd"]) == ({"version": "8.0.0"}, "yes")
    assert took > 0.29  # uvloop counts whole milliseconds, from when it woke: it may wake up to two too early
    assert "content-type" not in version.headers
    assert ready.count("ready") == 2
    assert refused.value.response.status_code == 502
    api.faults.unlink()
    assert api.get("/health").json() == {"status": "healthy"}


@pytest.mark.parametrize(
    ("agent", "status"), [("kube-probe/1.32", 200), ("Prometheus/2.42", 200), ("curl kube-probe/", 503)]
)
def test_faults_are_not_for_probes(api: Api, agent: str, status: int) -> None:
    """A pod that answers people wrongly stays ready; what it believes of itself is the same for all."""
    api.break_it(settings={"version": "8.0.0-rc1"}, answers={"GET /health": {"status": 503}})

    assert api.get("/health", headers={"User-Agent": agent}).status_code == status
    assert api.get("/version", headers={"User-Agent": agent}).json() == {"version": "8.0.0-rc1"}


def test_a_deaf_websocket_opens_and_says_nothing(api: Api) -> None:
    api.break_it(settings={"websocket_silent": True})

    with connect(f"ws://127.0.0.1:{api.port}/ws", proxy=None) as live:
        live.send("hello")
        with pytest.raises(TimeoutError):
            live.recv(timeout=0.3)


@pytest.mark.parametrize(
    ("switches", "received"),
    [({"websocket_answer": "you said {}"}, ["you said hello"]), ({"websocket_twice": True}, ["hello"] * 2)],
)
def test_a_websocket_says_something_else(api: Api, switches: dict[str, Any], received: list[str]) -> None:
    api.break_it(settings=switches)

    with connect(f"ws://127.0.0.1:{api.port}/ws", proxy=None) as live:
        live.send("hello")
        assert [live.recv(timeout=30) for _ in received] == received


def test_signatures_are_ignored_by_fault_only(api: Api) -> None:
    stranger = {"Authorization": f"Bearer {mint(SECRET_KEY + 'x', 3, 'user', 1)}"}
    api.break_it(settings={"signature_ignored": True})

    assert api.get("/api/user/profile", headers=stranger).json()["id"] == 3
    assert api.get("/api/user/profile", headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert api.get("/api/user/profile").status_code == 401
    api.faults.unlink()
    assert api.get("/api/user/profile", headers=stranger).status_code == 401


def test_a_refusal_shows_the_profile_and_the_door_a_dead_worker(api: Api) -> None:
    api.break_it(settings={"refusal_shows_profile": True, "admin_unwell": True})

    refusal = api.get("/api/user/profile")
    door = api.as_user("/api/admin/health", 1, "admin")

    assert (refusal.status_code, refusal.json()["id"]) == (401, 2)
    assert (door.status_code, door.json()["status"], door.json()["failed"]) == (200, "degraded", ["worker"])


def test_states_that_count(api: Api) -> None:
    api.break_it(settings={"oauth_state_counts": True})

    urls = [api.get("/api/auth/google/url").json()["url"] for _ in range(2)]

    first, second = (parse_qs(urlsplit(url).query)["state"][0] for url in urls)
    assert int(second.rpartition("-")[2]) - int(first.rpartition("-")[2]) == 1


def test_faults_change_settings_through_the_honest_code(api: Api) -> None:
    api.break_it(
        settings={
            "version": "8.0.0-rc1",
            "public_url": "https://elsewhere.example",
            "google_client_id": "another",
            "reuse_oauth_state": True,
            "admin_for_everyone": True,
            "anonymous_reads_profile": True,
        }
    )

    urls = [api.get("/api/auth/google/url").json()["url"] for _ in range(2)]
    query = parse_qs(urlsplit(urls[0]).query)
    assert api.get("/version").json() == {"version": "8.0.0-rc1"}
    assert urls[0] == urls[1]
    assert query["client_id"] == ["another"]
    assert query["redirect_uri"] == ["https://elsewhere.example/api/auth/google/callback"]
    assert api.as_user("/api/admin/health", 2, "user").status_code == 200
    assert api.get("/api/admin/health").status_code == 401
    assert api.get("/api/user/profile").json()["id"] == 1
    api.break_it(settings={"secret_key": "another key that is long enough, too"})
    assert api.as_user("/api/user/profile").status_code == 401


def test_faults_of_one_pod_are_for_that_pod_only(api: Api) -> None:
    api.break_it(
        settings={"version": "8.0.1"},
        pods={
            "pod-1": {"settings": {"version": "7.9.3"}},
            "pod-2": {"answers": {"GET /health": {"status": 500}}},
        },
    )

    assert api.get("/version").json() == {"version": "7.9.3"}
    assert api.get("/health").status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        '{"answers": ',
        "[]",
        '{"setings": {}}',
        '{"settings": {"port": 1}}',
        '{"settings": {"version": 8}}',
        '{"answers": {"GET /health": {"code": 500}}}',
        '{"answers": {"GET /health": 500}}',
        '{"pods": []}',
    ],
)
def test_a_bad_faults_file_changes_nothing_and_is_said(api: Api, content: str) -> None:
    assert api.get("/health").json() == {"status": "healthy"}  # it has seen that no other file is there
    said = api.log.read_text().count("faults file not taken")
    api.faults.write_text(content)

    assert api.get("/health").json() == {"status": "healthy"}
    assert api.log.read_text().count("faults file not taken") == said + 1


def test_a_broken_redis_is_a_503_for_signing_in(api: Api) -> None:
    api.break_it(settings={"redis_url": "redis://127.0.0.1:9/0"})

    answer = api.get("/api/auth/google/url")

    assert (answer.status_code, answer.json()) == (503, {"error": "redis unavailable"})


def test_a_broken_database_is_a_503_for_data(api: Api) -> None:
    api.break_it(settings={"database_url": "postgresql://postgres:hidden-word@127.0.0.1:9/nox"})

    looks = [
        lambda: api.as_user("/api/user/profile"),
        lambda: api.get("/api/public/stats"),
        lambda: api.post("/xtb/v1", json=XTB),
    ]
    with ThreadPoolExecutor() as at_once:  # each takes as long as the API is patient
        answers = list(at_once.map(lambda look: look(), looks))

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert answers[0].json() == {"error": "database unavailable"}
    assert api.get("/metrics").status_code == 200


def test_logs_are_json_and_have_no_secret(servers: Servers, tmp_path: Path) -> None:
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        api.as_user("/api/user/profile")
        api.break_it(settings={"database_url": servers.url("nowhere")})
        assert api.get("/api/public/stats").status_code == 503

    text = api.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(line.keys() >= {"time", "level", "message", "pod"} for line in lines)
    assert lines[0]["message"].startswith("started NOX API 8.0.0")
    assert lines[-1]["message"] == "stopped NOX API 8.0.0"
    assert "warning" in {line["level"] for line in lines}
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"DATABASE_URL": "mysql://root:hidden@x/y"}, "DATABASE_URL must be postgresql://…"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be 32 characters or more"),
        ({"NOX_VERSION": "eight"}, "NOX_VERSION must be such as 8.0.0"),
        ({"PORT": "70000"}, "PORT must be a number from 1 to 65535"),
        ({"HOST": "192.0.2.1"}, "HOST must be a loopback address, such as 127.0.0.1"),
        ({"MICROSOFT_CLIENT_SECRET": " "}, "MICROSOFT_CLIENT_SECRET is not set"),
    ],
)
def test_a_bad_setting_is_one_clear_line(servers: Servers, change: dict[str, str], line: str) -> None:
    environment = variables(servers, "8.0.0", "seed_8", 3000) | change
    command = [sys.executable, "-m", "nox_rehearsal.api"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"nox_rehearsal.api: {line}\n"
