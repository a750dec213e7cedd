"""The rehearsal's reference API: real PostgreSQL, Redis, xtb and Psi4, the API as a process of its own."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import psycopg
import pytest
from psycopg import sql
from redis import Redis
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from nox_rehearsal.api.login.auth import mint
from nox_rehearsal.checkout import NOX
from noxgate.look.waiting import eventually

POSTGRES = Path("/usr/lib/postgresql/15/bin")
SECRET_KEY = "a key of the tests that is long enough"  # noqa: S105
SECRETS = [SECRET_KEY, "google-secret", "github-secret", "microsoft-secret"]
OAUTH = {
    "google": ("https://accounts.google.com/o/oauth2/v2/auth", "openid email profile"),
    "github": ("https://github.com/login/oauth/authorize", "read:user user:email"),
    "microsoft": (
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "openid email profile",
    ),
}


class Servers:
    """A PostgreSQL with seeded templates and a Redis, for the whole session."""

    def __init__(self, postgres: int, redis: int) -> None:
        self.postgres = postgres
        self.redis_url = f"redis://127.0.0.1:{redis}/0"
        self._databases = 0

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.postgres}/{database}"

    def execute(self, database: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def fresh(self, template: str) -> str:
        """A new database, a copy of `seed_7` or `seed_8`."""
        self._databases += 1
        name = f"nox_{self._databases}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)
        return name

    def psql(self, database: str, *files: Path) -> subprocess.CompletedProcess[str]:
        arguments = [word for file in files for word in ("-f", str(file))]
        return subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


pytestmark = pytest.mark.usefixtures("quick_start")
MIGRATION = NOX / "migrations" / "v8_to_v8.0.0.sql"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    owner = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    folder = Path(tempfile.mkdtemp(prefix="nox-api-", dir="/var/tmp"))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    found = Servers(free_port(), free_port())
    as_owner: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "cwd": folder}
    if os.getuid() == 0:
        as_owner["extra_groups"] = []
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    data = str(folder / "data")
    initdb = [str(POSTGRES / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"]
    subprocess.run(initdb, check=True, timeout=60, **as_owner, **silent)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # 'fsync' off: the data is thrown away
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        database = [str(POSTGRES / "postgres"), "-D", data, "-p", str(found.postgres), *options]
        stack.enter_context(process(database, **as_owner, **silent))
        redis = ["redis-server", "--port", found.redis_url[-7:-2], "--bind", "127.0.0.1", "--save", ""]
        stack.enter_context(process(redis, cwd=folder, **silent))
        eventually(lambda: answers(found), within=20, every=0.05)
        for name in ("seed_7", "seed_8"):
            found.execute("postgres", f"CREATE DATABASE {name}")
            done = found.psql(name, NOX / "db" / "schema_7.9.3.sql", NOX / "db" / "seed.sql")
            assert (done.returncode, done.stderr) == (0, "")
        done = found.psql("seed_8", MIGRATION)
        assert (done.returncode, done.stderr) == (0, "")
        yield found


class Api(httpx.Client):
    """A client of one running API, with what it was started with."""

    def __init__(self, port: int, log: Path, faults: Path, database: str) -> None:
        super().__init__(base_url=f"http://127.0.0.1:{port}", timeout=10)
        self.port = port
        self.log = log
        self.faults = faults
        self.database = database

    def as_user(self, path: str, user_id: int = 2, role: str = "user", hours: float = 1) -> httpx.Response:
        token = mint(SECRET_KEY, user_id, role, hours)
        return self.get(path, headers={"Authorization": f"Bearer {token}"})

    def break_it(self, **content: Any) -> None:
        """Put a faults file in its place, as a sabotage does."""
        beside = self.faults.with_suffix(".new")
        beside.write_text(json.dumps(content))
        beside.replace(self.faults)


@contextmanager
def serving(servers: Servers, folder: Path, version: str, database: str, **changes: str) -> Iterator[Api]:
    port = free_port()
    log, faults = folder / f"{port}.log", folder / f"{port}.json"
    environment = variables(servers, version, database, port) | {"NOX_FAULTS": str(faults)} | changes
    with log.open("wb") as output:
        command = [sys.executable, "-m", "nox_rehearsal.api"]
        with (
            process(command, env=environment, stdout=output, stderr=output) as running,
            Api(port, log, faults, database) as api,
        ):
            eventually(lambda: up(api, running), within=20, every=0.05)
            yield api


@contextmanager
def working(servers: Servers, version: str, database: str, **changes: str) -> Iterator[None]:
    environment = variables(servers, version, database, 1) | changes
    command = [sys.executable, "-m", "nox_rehearsal.science.worker"]
    with process(command, env=environment, stdout=subprocess.DEVNULL):
        yield


@pytest.fixture(scope="session")
def shared(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """8.0.0 on its own schema."""
    with serving(servers, tmp_path_factory.mktemp("api"), "8.0.0", servers.fresh("seed_8")) as api:
        yield api


@pytest.fixture
def api(shared: Api) -> Iterator[Api]:
    """The shared API, without faults before and after."""
    yield shared
    shared.faults.unlink(missing_ok=True)


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
    assert time.monotonic() - started < 4
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
        echoed = live.recv(timeout=5)
        pinged = live.ping().wait(5)
        opened = api.get("/metrics").text
        live.close()

    assert (echoed, pinged, live.close_code) == ("grüezi", True, 1000)
    assert "nox_websocket_connections 1.0" in opened
    eventually(lambda: closed(api), within=5, every=0.02)


def closed(api: Api) -> None:
    assert "nox_websocket_connections 0.0" in api.get("/metrics").text


def test_the_websocket_takes_texts_only(api: Api) -> None:
    with connect(f"ws://127.0.0.1:{api.port}/ws", proxy=None) as live:
        live.send(b"\x00")
        with pytest.raises(Exception, match="1003"):
            live.recv(timeout=5)


def test_two_sciences_answer_at_once(api: Api) -> None:
    boiling = api.post("/empirical/v1", json={"smiles": "OCC", "property": "boiling_point"})
    detonation = api.post("/predict/cj/v1", json={"composition": "C3H6N6O6", "density": 1.80})

    expected = {"smiles": "CCO", "property": "boiling_point", "value": 337.54, "unit": "K"}
    assert (boiling.status_code, boiling.json()) == (200, expected | {"method": "Joback"})
    assert detonation.status_code == 200
    assert detonation.json()["velocity"] == pytest.approx(8.8, abs=0.1)
    assert detonation.json()["pressure"] == pytest.approx(34.5, abs=0.5)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("path", ["/empirical/v1", "/predict/cj/v1", "/xtb/v1", "/psi4/v1"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"\xff\xfe", 400),
        (DEEP, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (b'{"density": NaN, "composition": "C3H6N6O6"}', 400),
        (b'{"density": Infinity}', 400),
        (b"9" * 5000, 400),
        (b"{}", 422),
        (b'{"smiles": 7, "composition": [], "molecule": null, "geometry": {}}', 422),
        (b" " * 1_000_001, 413),
    ],
)
def test_odd_bodies_are_refused(api: Api, path: str, body: bytes, status: int) -> None:
    answer = api.post(path, content=body)

    assert (answer.status_code, list(answer.json())) == (status, ["error"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/empirical/v1", '{"smiles": "CCO", "property": "melting_point"}'),
        ("/empirical/v1", '{"smiles": "C", "property": "boiling_point"}'),
        ("/empirical/v1", r'{"smiles": "C\u0000C", "property": "boiling_point"}'),
        ("/empirical/v1", r'{"smiles": "\ud800", "property": "boiling_point"}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": -1.8}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": 1e999}'),
        ("/predict/cj/v1", f'{{"composition": "C3H6N6O6", "density": 1{"0" * 400}}}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": true}'),
        ("/predict/cj/v1", '{"composition": "C3H6N6O6", "density": "1.8"}'),
        ("/predict/cj/v1", '{"composition": "C2H4N4O4", "density": 1.8}'),
        ("/xtb/v1", '{"molecule": "O", "method": "GFN9-xTB"}'),
        ("/xtb/v1", '{"molecule": "O", "method": "GFN2-xTB", "properties": [["energy"]]}'),
        ("/xtb/v1", '{"molecule": "O", "method": "GFN2-xTB", "properties": []}'),
        ("/psi4/v1", '{"geometry": "H2O", "method": "HF", "basis": "cc-pV9Z"}'),
        ("/psi4/v1", r'{"geometry": "He 0 0 0\nimport os\n", "method": "HF", "basis": "cc-pVDZ"}'),
    ],
)
def test_what_cannot_be_computed_is_unprocessable(api: Api, path: str, body: str) -> None:
    answer = api.post(path, content=body)

    assert (answer.status_code, list(answer.json())) == (422, ["error"])


def test_science_refuses_a_bad_token(api: Api) -> None:
    body = {"smiles": "CCO", "property": "boiling_point"}

    assert api.post("/empirical/v1", json=body, headers={"Authorization": "Bearer x"}).status_code == 401


XTB = {"molecule": "O", "method": "GFN2-xTB", "properties": ["energy", "forces"]}
PSI4 = {"geometry": "H2O", "method": "HF", "basis": "cc-pVDZ"}


def test_jobs_are_computed_once_by_the_real_programs(servers: Servers, tmp_path: Path) -> None:
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        token = {"Authorization": f"Bearer {mint(SECRET_KEY, 4, 'user', 1)}"}
        first = [api.post("/xtb/v1", json=XTB, headers=token), api.post("/psi4/v1", json=PSI4)]
        again = api.post("/xtb/v1", json=XTB | {"molecule": "[H]O[H]"})
        queued = [answer.json() for answer in first]
        assert [answer.status_code for answer in (*first, again)] == [202, 202, 202]
        assert [job["status"] for job in queued] == ["queued", "queued"]
        assert again.json()["job_id"] == queued[0]["job_id"]
        with working(servers, "8.0.0", api.database):
            xtb, psi4 = (finished(api, job) for job in queued)
            later = api.post("/xtb/v1", json=XTB)

        assert xtb["result"]["energy"] == pytest.approx(-5.070386, abs=1e-5)
        forces = xtb["result"]["forces"]
        assert len(forces) == 3
        assert [sum(force[axis] for force in forces) for axis in range(3)] == pytest.approx(
            [0, 0, 0], abs=1e-6
        )
        assert psi4["result"]["energy"] == pytest.approx(-76.0266327, abs=1e-6)
        assert (later.status_code, later.json()) == (200, xtb)
        rows = servers.execute(
            api.database,
            "SELECT engine, user_id, attempts, progress_percent, worker_name IS NOT NULL"
            " FROM computational_jobs WHERE engine <> 'empirical' ORDER BY engine",
        )
        assert rows == [("psi4", None, 1, 100, True), ("xtb", 4, 1, 100, True)]
        assert queued[0]["job_id"] in [
            job["job_id"] for job in api.as_user("/api/user/history", 4).json()["jobs"]
        ]


def test_a_job_without_its_program_fails_and_may_be_tried_again(servers: Servers, tmp_path: Path) -> None:
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        job = api.post("/xtb/v1", json=XTB).json()
        with working(servers, "8.0.0", api.database, PATH=str(tmp_path)):
            failed = finished(api, job)
            assert (failed["status"], failed["error"]) == ("failed", "xtb is not installed")
        assert api.post("/xtb/v1", json=XTB).json()["status"] == "queued"
        with working(servers, "8.0.0", api.database):
            assert finished(api, job)["status"] == "completed"


def test_a_program_that_fails_fails_the_job(servers: Servers, tmp_path: Path) -> None:
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        atoms_in_one_place = XTB | {"molecule": "C 0 0 0\nO 0 0 0\n"}
        job = api.post("/xtb/v1", json=atoms_in_one_place).json()
        with working(servers, "8.0.0", api.database):
            failed = finished(api, job)

    assert failed["status"] == "failed"
    assert failed["error"]


def test_a_job_that_a_stopped_worker_held_is_done_by_the_next(servers: Servers, tmp_path: Path) -> None:
    slow = tmp_path / "xtb"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    with serving(servers, tmp_path, "8.0.0", servers.fresh("seed_8")) as api:
        job = api.post("/xtb/v1", json=XTB).json()
        with working(servers, "8.0.0", api.database, PATH=f"{tmp_path}:{os.environ['PATH']}"):
            eventually(lambda: in_state(api, job, "running"), within=10, every=0.05)
        in_state(api, job, "queued")
        with working(servers, "8.0.0", api.database):
            assert finished(api, job)["status"] == "completed"


@pytest.mark.parametrize("template", ["seed_7", "seed_8"])
def test_7_9_3_runs_on_both_schemas(servers: Servers, tmp_path: Path, template: str) -> None:
    with serving(servers, tmp_path, "7.9.3", servers.fresh(template)) as api:
        looks = [api.get(path) for path in ("/health", "/version", "/ready", "/api/public/stats")]
        own = [api.as_user(f"/api/user/{path}") for path in ("profile", "settings", "history")]
        admin = api.as_user("/api/admin/health", 1, "admin")
        job = api.post("/xtb/v1", json=XTB).json()
        with working(servers, "7.9.3", api.database):
            done = finished(api, job)

    assert [answer.status_code for answer in (*looks, *own, admin)] == [200] * 8
    assert looks[1].json() == {"version": "7.9.3"}
    assert done["result"]["energy"] == pytest.approx(-5.070386, abs=1e-5)


def catalog(servers: Servers, database: str) -> list[tuple[Any, ...]]:
    return servers.execute(
        database,
        "SELECT c.relname, a.attname, a.atttypid::regtype::text, a.attnotnull FROM pg_class AS c"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2",
    )


VERSION = "SELECT config_value::text FROM system_configuration WHERE config_key = 'database_schema_version'"
VALID = (
    "SELECT count(*) FROM pg_class JOIN pg_index ON oid = indexrelid"
    " WHERE relname LIKE 'idx\\_%' AND indisvalid"
)


def test_the_migration_twice_is_the_migration_once(servers: Servers) -> None:
    database = servers.fresh("seed_8")
    before = catalog(servers, database)

    again = servers.psql(database, MIGRATION)

    assert (again.returncode, again.stderr) == (0, "")
    assert catalog(servers, database) == before
    assert servers.execute(database, VERSION) == [('"8.0.0"',)]
    assert servers.execute(database, VALID) == [(22,)]
    assert servers.execute(database, "SELECT count(*) FROM migration_validation WHERE NOT passed") == [(0,)]


def test_the_migration_repairs_an_invalid_index(servers: Servers) -> None:
    database = servers.fresh("seed_7")
    duplicates = "INSERT INTO daily_usage SELECT day, user_id, requests FROM daily_usage LIMIT 1"
    servers.execute(database, duplicates)
    with pytest.raises(psycopg.errors.UniqueViolation):
        servers.execute(
            database,
            "CREATE UNIQUE INDEX CONCURRENTLY idx_jobs_status_created ON daily_usage (day, user_id)",
        )

    done = servers.psql(database, MIGRATION)

    assert (done.returncode, done.stderr) == (0, "")
    assert servers.execute(database, VALID) == [(22,)]
    on = "SELECT tablename FROM pg_indexes WHERE indexname = 'idx_jobs_status_created'"
    assert servers.execute(database, on) == [("computational_jobs",)]


def test_a_migration_that_is_not_complete_does_not_set_the_version(servers: Servers) -> None:
    database = servers.fresh("seed_7")
    servers.execute(database, "CREATE TABLE users_too (id bigint)")
    servers.execute(database, "CREATE INDEX idx_users_last_login ON users_too (id)")
    servers.execute(database, "CREATE INDEX idx_one_too_many ON users_too (id)")

    done = servers.psql(database, MIGRATION)

    assert done.returncode == 3
    assert "the 8.0.0 migration is not complete: valid indexes: expected 22, found 23" in done.stderr
    assert servers.execute(database, VERSION) == []


def test_two_migrations_at_once_are_refused(servers: Servers) -> None:
    database = servers.fresh("seed_7")
    with psycopg.connect(servers.url(database), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(8, 0)")

        done = servers.psql(database, MIGRATION)

    assert done.returncode == 3
    assert "another run of the 8.0.0 migration is under way" in done.stderr


def test_the_trigger_counts_a_batchs_jobs(servers: Servers) -> None:
    database = servers.fresh("seed_8")
    batch, other = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
    servers.execute(
        database, f"INSERT INTO batch_job_collections (id, name) VALUES ('{batch}', 'a'), ('{other}', 'b')"
    )
    counts = "SELECT total_jobs, completed_jobs, failed_jobs FROM batch_job_collections ORDER BY id"
    some = "id IN (SELECT id FROM computational_jobs ORDER BY id LIMIT 5)"

    servers.execute(database, f"UPDATE computational_jobs SET batch_id = '{batch}' WHERE {some}")
    assert servers.execute(database, counts) == [(5, 5, 0), (0, 0, 0)]
    servers.execute(
        database,
        f"UPDATE computational_jobs SET batch_id = '{other}', status = 'failed', result = NULL, error = 'e'"
        " WHERE id = (SELECT min(id::text)::uuid FROM computational_jobs)",
    )
    assert servers.execute(database, counts) == [(4, 4, 0), (1, 0, 1)]
    servers.execute(database, "DELETE FROM computational_jobs WHERE batch_id IS NOT NULL")
    assert servers.execute(database, counts) == [(0, 0, 0), (0, 0, 0)]


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
    assert (version.json(), version.headers["x-odd"], took > 0.3) == ({"version": "8.0.0"}, "yes", True)
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
        assert [live.recv(timeout=3) for _ in received] == received


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

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=20)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"nox_rehearsal.api: {line}\n"


def variables(servers: Servers, version: str, database: str, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "NOX_VERSION": version,
        "PUBLIC_URL": "https://nox.example",
        "PORT": str(port),
        "POD_NAME": "pod-1",
        "DATABASE_URL": servers.url(database),
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": SECRET_KEY,
        **{f"{name.upper()}_CLIENT_ID": f"{name}-client" for name in OAUTH},
        **{f"{name.upper()}_CLIENT_SECRET": f"{name}-secret" for name in OAUTH},
    }


def finished(api: Api, job: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        found: dict[str, Any] = api.get(job["url"]).json()
        assert found["status"] in {"completed", "failed"}
        return found

    return eventually(look, within=60, every=0.05)


def in_state(api: Api, job: dict[str, Any], state: str) -> None:
    assert api.get(job["url"]).json()["status"] == state


def up(api: Api, running: subprocess.Popen[bytes]) -> None:
    if running.poll() is not None:
        raise RuntimeError(api.log.read_text())
    try:
        assert api.get("/ready").status_code == 200
    except httpx.TransportError as error:
        raise AssertionError(error) from None


def answers(servers: Servers) -> None:
    try:
        servers.execute("postgres", "SELECT 1")
        with Redis.from_url(servers.redis_url) as redis:
            assert redis.ping()
    except (psycopg.OperationalError, ConnectionError) as error:
        raise AssertionError(error) from None


@contextmanager
def process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Running inside the block; asked to end after it, then made to."""
    with subprocess.Popen(command, **options) as running:
        try:
            yield running
        finally:
            running.send_signal(signal.SIGINT if "postgres" in command[0] else signal.SIGTERM)
            try:
                running.wait(timeout=10)
            except subprocess.TimeoutExpired:
                running.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
