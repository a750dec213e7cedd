"""What the checks send apart from reads, counted at servers that refuse it: the closed list, or a fault."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from nox_rehearsal.cluster import server
from nox_rehearsal.cluster.kubeconfig import USERS
from nox_rehearsal.world.state import World
from nox_service.access.closed_list import KNOCKS, SCIENCE

ROLES = ("nox_gate", "nox_production_gate")
READERS = ("ping", "role", "info", "exists", "hello", "client", "auth", "select")
PASSWORD = "only-looks"  # noqa: S105 (of a Redis on loopback, for one test)
POSTED = frozenset({("POST", path) for path in SCIENCE} | set(KNOCKS))
REVIEWS = re.compile(r"/apis/authorization\.k8s\.io/v1/selfsubject(access|rules)reviews")
STREAMS = re.compile(r"/api/v1/namespaces/[^/]+/pods/[^/]+/portforward")
QUERIES = re.compile(
    r"/api/v1/(query|query_range|format_query|series|rules|alerts|alertmanagers|targets|metadata|label/.*)|/metrics|/-/ready"
)
SETTINGS = {"log_statement": "mod", "log_line_prefix": "'%u|'"}


@dataclass
class Writes:
    """Each that is not on the closed list, refused or not."""

    tried: list[str] = field(default_factory=list)


@contextmanager
def watched(world: World, profile: Path) -> Iterator[Writes]:
    """What is written while the block lasts, complete after it."""
    writes = Writes()
    audit = world.folder / server.NAME / server.AUDIT_LOG
    log = world.folder / "log" / "postgres.log"
    _log_statements(world)
    answered, asked, source = _answered(world), _asked(world), _source(world)
    audited, logged = len(_lines(audit)), len(_lines(log))
    with _only_reading(profile) as redis:
        yield writes
        refused = redis.acl_log()
    writes.tried += [f"Redis: {entry['object']}" for entry in refused]
    writes.tried += [
        f"NOX API: {' '.join(key)}"
        for key, count in _answered(world).items()
        if count > answered.get(key, 0) and key[0] not in {"GET", "HEAD", "OPTIONS"} and key not in POSTED
    ]
    writes.tried += [
        f"Prometheus: {handler}"
        for handler, count in _asked(world).items()
        if count > asked.get(handler, 0) and not QUERIES.fullmatch(handler)
    ]
    writes.tried += [f"Kubernetes: {line}" for line in _lines(audit)[audited:] if not _is_allowed(line)]
    if _source(world) != source:
        writes.tried.append("the release's repository")
    writes.tried += [
        f"PostgreSQL: {rest}"
        for role, _, rest in (line.partition("|") for line in _lines(log)[logged:])
        if role in ROLES
    ]


def _is_allowed(line: str) -> bool:
    """Whether a line of the cluster's audit log is another account's, or on the closed list."""
    request = json.loads(line)
    where = urlsplit(request["uri"])
    return (
        request["user"] not in USERS.values()
        or (request["method"] in {"PATCH", "POST"} and parse_qs(where.query).get("dryRun") == ["All"])
        or (request["method"] == "POST" and REVIEWS.fullmatch(where.path) is not None)
        or (request["method"] in {"WEBSOCKET", "POST"} and STREAMS.fullmatch(where.path) is not None)
    )


@contextmanager
def _only_reading(profile: Path) -> Iterator[Redis]:
    """Redis refuses the profile's user all but what reads; PostgreSQL's roles and the cluster's always do."""
    (env_file,) = re.findall(r'^env_file = "(.+)"$', profile.read_text(encoding="utf-8"), re.MULTILINE)
    credentials = Path(env_file).read_text(encoding="utf-8")
    (address,) = re.findall(r"^REDIS_URL=(.+)$", credentials, re.MULTILINE)
    user = re.sub(r"//.*@", f"//gate:{PASSWORD}@", address)
    with Redis.from_url(address, decode_responses=True) as redis:
        redis.execute_command(
            "ACL", "SETUSER", "gate", "reset", "on", f">{PASSWORD}", "~*", *(f"+{name}" for name in READERS)
        )
        redis.acl_log_reset()
        try:
            Path(env_file).write_text(credentials.replace(address, user), encoding="utf-8")
            yield redis
        finally:
            Path(env_file).write_text(credentials, encoding="utf-8")
            redis.acl_deluser("gate")


def _log_statements(world: World) -> None:
    """Have PostgreSQL write down what is changed, and by whom."""
    with psycopg.connect(world.dsn, autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
        connection.execute("SELECT pg_reload_conf()")


def _answered(world: World) -> dict[tuple[str, str], float]:
    """(method, path) -> how often the pods answered it."""
    found: dict[tuple[str, str], float] = {}
    for port in {**world.pods, **world.blue_pods, **world.green_pods}.values():
        try:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        except httpx.TransportError:  # a pod of green, before its moment
            continue
        for sample in (one for family in text_string_to_metric_families(text) for one in family.samples):
            if sample.name == "http_requests_total":
                key = sample.labels["method"], sample.labels["path"]
                found[key] = found.get(key, 0) + sample.value
    return found


def _asked(world: World) -> dict[str, float]:
    """Handler -> how often Prometheus answered it."""
    text = httpx.get(f"{world.prometheus_url}/metrics", trust_env=False).text
    found: dict[str, float] = {}
    for sample in (one for family in text_string_to_metric_families(text) for one in family.samples):
        if sample.name == "prometheus_http_requests_total":
            handler = sample.labels["handler"]
            found[handler] = found.get(handler, 0) + sample.value
    return found


def _source(world: World) -> dict[str, str]:
    """What the repository holds, and its remote; the index is a cache that any look may refresh."""
    return {
        str(path): f"{path.stat().st_size} {path.stat().st_mtime_ns}"
        for folder in (world.source, world.source.with_name("source.git"))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "index"
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
