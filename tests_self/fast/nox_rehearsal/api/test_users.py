"""What users are answered by the reference API: health, data, sign-in, administrators, websocket."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from redis import Redis
from tests_self.fast.nox_rehearsal.api.serving import OAUTH, SECRET_KEY, Api, Servers
from websockets.sync.client import connect

from nox_rehearsal.api.login.auth import mint
from noxgate.look.waiting import eventually

pytestmark = pytest.mark.usefixtures("quick_start")


def test_health_version_and_ready(api: Api) -> None:
    looks = [
        (answer.status_code, answer.json()) for answer in map(api.get, ["/health", "/version", "/ready"])
    ]

    assert looks == [(200, {"status": "healthy"}), (200, {"version": "8.0.0"}), (200, {"status": "ready"})]


@pytest.mark.parametrize(
    ("broken", "failed"),
    [
        ({"database_url": "postgresql://postgres@127.0.0.1:9/nox"}, ["database"]),
        ({"redis_url": "redis://127.0.0.1:9/0"}, ["redis"]),
    ],
)
def test_ready_names_what_does_not_answer(api: Api, broken: dict[str, str], failed: list[str]) -> None:
    api.break_it(settings=broken)
    started = time.monotonic()

    answer = api.get("/ready")

    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "failed": failed})
    assert time.monotonic() - started < 9  # it has two seconds of patience
    assert api.get("/health").status_code == 200


def test_requests_survive_a_restart_of_their_database_connections(servers: Servers, api: Api) -> None:
    assert api.get("/ready").status_code == 200
    servers.execute(
        "postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{api.database}'"
    )

    assert [api.as_user(f"/api/user/{path}", 5).status_code for path in ("profile", "settings")] == [200, 200]


@pytest.mark.parametrize("provider", OAUTH)
def test_an_authorization_url_has_a_fresh_state_that_redis_keeps(
    servers: Servers, api: Api, provider: str
) -> None:
    urls = [urlsplit(api.get(f"/api/auth/{provider}/url").json()["url"]) for _ in range(2)]

    address, scope = OAUTH[provider]
    queries = [parse_qs(url.query) for url in urls]
    states = [query.pop("state")[0] for query in queries]
    expected = {
        "client_id": [f"{provider}-client"],
        "redirect_uri": [f"https://nox.example/api/auth/{provider}/callback"],
        "response_type": ["code"],
        "scope": [scope],
    }
    assert [f"{url.scheme}://{url.netloc}{url.path}" for url in urls] == [address, address]
    assert queries == [expected, expected]
    assert states[0] != states[1]
    with Redis.from_url(servers.redis_url) as redis:
        assert redis.get(f"oauth:state:{states[0]}") == provider.encode()
        assert 590 < int(str(redis.ttl(f"oauth:state:{states[0]}"))) <= 600


def test_own_data_are_the_rows_of_the_database(servers: Servers, api: Api) -> None:
    ((email, name),) = servers.execute(api.database, "SELECT email, display_name FROM users WHERE id = 3")
    ((jobs,),) = servers.execute(api.database, "SELECT count(*) FROM computational_jobs WHERE user_id = 3")

    profile = api.as_user("/api/user/profile", 3).json()
    history = api.as_user("/api/user/history", 3).json()["jobs"]

    assert (profile["id"], profile["email"], profile["display_name"]) == (3, email, name)
    assert profile["mfa_enabled"] is False
    assert api.as_user("/api/user/settings", 3).json()["settings"]["units"] == "SI"
    assert len(history) == jobs == 8
    assert history == sorted(history, key=lambda job: job["created_at"], reverse=True)


def forged(**claims: Any) -> str:
    return jwt.encode(claims, SECRET_KEY, algorithm="HS256")


FUTURE = 4_000_000_000


@pytest.mark.parametrize("path", ["profile", "settings", "history"])
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer nonsense",
        f"Basic {mint(SECRET_KEY, 2, 'user', 1)}",
        f"Bearer {mint(SECRET_KEY, 2, 'user', -1)}",
        f"Bearer {mint(SECRET_KEY + 'x', 2, 'user', 1)}",
        f"Bearer {mint(SECRET_KEY, 999, 'user', 1)}",
        f"Bearer {mint(SECRET_KEY, 2, 'root', 1)}",
        f"Bearer {forged(sub='2', role='user')}",
        f"Bearer {forged(role='user', exp=FUTURE)}",
        f"Bearer {forged(sub='2; DROP', role='user', exp=FUTURE)}",
        f"Bearer {jwt.encode({'sub': '2', 'role': 'user', 'exp': FUTURE}, '', algorithm='none')}",
    ],
)
def test_without_a_good_token_there_is_no_data(api: Api, path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = api.get(f"/api/user/{path}", headers=headers)

    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_administrators_view_is_for_administrators(api: Api) -> None:
    admin = api.as_user("/api/admin/health", 1, "admin")

    assert (admin.status_code, admin.json()["status"]) == (200, "healthy")
    assert (admin.json()["schema_version"], admin.json()["failed"]) == ("8.0.0", [])
    assert api.as_user("/api/admin/health", 2, "user").status_code == 403
    assert api.get("/api/admin/health").status_code == 401


def test_public_numbers_are_counted(api: Api) -> None:
    stats = api.get("/api/public/stats").json()

    assert (stats["users"], stats["molecules"]) == (40, 60)
    assert stats["jobs"] >= 320


def test_metrics_count_by_path_template(api: Api) -> None:
    api.get("/api/auth/google/url")
    api.get("/api/jobs/one")
    api.get("/nowhere/at/all")
    metrics = api.get("/metrics")

    lines = metrics.text.splitlines()
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert metrics.headers["content-type"].startswith("text/plain; version=")
    assert {"process_cpu_seconds_total", "nox_jobs", "nox_database_pool_connections"} <= names
    requests = [line.rsplit(" ", 1)[0] for line in lines if line.startswith("http_requests_total")]
    assert 'http_requests_total{method="GET",path="/api/auth/{provider}/url",status="200"}' in requests
    assert 'http_requests_total{method="GET",path="/api/jobs/{job_id}",status="404"}' in requests
    assert 'http_requests_total{method="GET",path="unmatched",status="404"}' in requests
    edges = {line.split('le="')[1].split('"')[0] for line in lines if "_bucket{" in line}
    assert {"0.005", "0.3", "0.5", "10.0", "+Inf"} <= edges


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/api/auth/apple/url", 404),
        ("GET", "/api/jobs/6f1b1d1e-0000-4000-8000-000000000000", 404),
        ("GET", "/api/jobs/../../etc/passwd", 404),
        ("POST", "/health", 405),
        ("DELETE", "/api/user/profile", 405),
        ("GET", "/xtb/v1", 405),
        ("TRACE", "/health", 405),
    ],
)
def test_what_is_not_there_is_said_in_json(api: Api, method: str, path: str, status: int) -> None:
    answer = api.request(method, path)

    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_the_websocket_echoes_answers_pings_and_closes(api: Api) -> None:
    with connect(f"ws://127.0.0.1:{api.port}/ws", proxy=None) as live:
        live.send("grüezi")
        echoed = live.recv(timeout=30)
        pinged = live.ping().wait(30)
        opened = api.get("/metrics").text
        live.close()

    assert (echoed, pinged, live.close_code) == ("grüezi", True, 1000)
    assert "nox_websocket_connections 1.0" in opened
    eventually(lambda: closed(api), within=30, every=0.02)


def closed(api: Api) -> None:
    assert "nox_websocket_connections 0.0" in api.get("/metrics").text


def test_the_websocket_takes_texts_only(api: Api) -> None:
    with connect(f"ws://127.0.0.1:{api.port}/ws", proxy=None) as live:
        live.send(b"\x00")
        with pytest.raises(Exception, match="1003"):
            live.recv(timeout=30)
