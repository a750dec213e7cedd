"""A world of a rehearsal: what is up, and how its parts are changed."""

import json
import os
import re
import signal
import socket
import ssl
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from redis import Redis
from redis.exceptions import ReadOnlyError
from tests_self.proof.worlds.handling import (
    PARTS,
    connect,
    expect_nothing_left,
    family,
    fetch,
    running,
)

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import certificates, ingress, redis
from nox_rehearsal.parts.ingress_conf import HEADERS
from nox_rehearsal.world import leftovers, lifecycle
from nox_rehearsal.world.lifecycle import World
from noxgate.look.waiting import eventually
from noxgate.project.profile import read_target

pytestmark = pytest.mark.usefixtures("quick_start")

PHASES = ("preflight", "staging", "prep", "green", "live", "window", "rollback")


@pytest.fixture(scope="module")
def shared(names: Callable[[str], str]) -> Iterator[World]:
    """One world for the tests that leave it as they found it."""
    with running(names("shared")) as here:
        yield here


def test_every_part_is_up_and_serves(shared: World) -> None:
    """Through the ingress, which is to say through TLS, a pod, PostgreSQL and Redis."""
    rows = lifecycle.status(shared.name)

    assert [row.part for row in rows] == ["supervisor", *PARTS]
    assert [row.part for row in rows if not row.alive] == []
    assert fetch(shared, "/ready")[0] == 200
    assert json.loads(fetch(shared, "/version")[1])["version"] == "8.0.0"


def test_the_gate_can_read_the_profile(shared: World) -> None:
    """With another environment's variables around, which a rehearsal must not follow."""
    elsewhere = {"BASE_URL": "https://staging-api.example.com", "TEST_TOKEN": "of-another-environment"}
    target = read_target(Path("nowhere"), str(shared.profile), PHASES, elsewhere)

    assert target.base_url == shared.base_url
    assert target.unset() == []
    assert target.credential("database_url").reveal() == shared.read_only_dsn


def test_tokens_open_the_doors_they_are_for(shared: World) -> None:
    credentials = dict(line.split("=", 1) for line in shared.env_file.read_text().splitlines())
    doors = {
        (role, path): fetch(shared, path, credentials[role])[0]
        for role in ("TEST_TOKEN", "ADMIN_TOKEN")
        for path in ("/api/user/profile", "/api/admin/health")
    }

    assert doors == {
        ("TEST_TOKEN", "/api/user/profile"): 200,
        ("TEST_TOKEN", "/api/admin/health"): 403,
        ("ADMIN_TOKEN", "/api/user/profile"): 200,
        ("ADMIN_TOKEN", "/api/admin/health"): 200,
    }


def test_only_the_owner_can_read_secrets(shared: World) -> None:
    """Others may pass through the folder, as PostgreSQL's user must, and read nothing that is secret."""
    modes = {
        path.relative_to(shared.folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [shared.folder, *shared.folder.glob("*"), *shared.folder.glob("*/*")]
    }
    secrets = (
        "state.json",
        "credentials.env",
        "ca.key",
        "control",
        "kubeconfig",
        "credentials-production.env",
        "ingress/server-staging.key",
        "ingress/usual.key",
        "kubernetes/settings.json",
        "kubernetes/server.key",
        "controllers/settings.json",
    )

    assert modes["."] == 0o711
    assert {name: oct(modes[name]) for name in secrets if modes[name] & 0o077} == {}


def test_no_password_is_on_a_command_line(shared: World) -> None:
    """Every user of the machine can read those."""
    secrets = [shared.redis_url, shared.secret_key, shared.dsn, shared.application_dsn, shared.read_only_dsn]
    passwords = [value.rpartition("@")[0].rpartition(":")[2] or value for value in secrets]
    lines = [leftovers.title(pid) for pid in leftovers.all_of(shared.folder)]

    assert len(lines) >= len(PARTS)
    assert [line for line in lines if any(password in line for password in passwords)] == []


def test_the_gates_role_can_only_read(shared: World) -> None:
    """Also in a transaction that asks to write."""
    with psycopg.connect(shared.read_only_dsn, autocommit=True) as connection:
        count = connection.execute("SELECT count(*) FROM users").fetchone()
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM users")

    assert count is not None
    assert count[0] > 0


def test_a_part_that_dies_is_seen_and_can_be_started_again(shared: World) -> None:
    pod = "nox-api-green-2"
    os.kill(shared.pids[pod], signal.SIGKILL)

    eventually(lambda: expect_dead(shared, [pod]), within=30, every=0.05)
    assert fetch(shared, "/version")[0] == 200  # the ingress asks another pod
    lifecycle.start(shared, pod)
    expect_dead(shared, [])
    assert World.load(shared.folder).pids[pod] != shared.pids[pod]


def test_postgres_can_be_stopped_and_started(shared: World) -> None:
    lifecycle.stop(shared, "postgres")
    expect_dead(shared, ["postgres"])
    eventually(lambda: expect_status(shared, "/ready", 503), within=30, every=0.1)
    assert fetch(shared, "/health")[0] == 200

    lifecycle.start(shared, "postgres")
    expect_dead(shared, [])
    eventually(lambda: expect_status(shared, "/ready", 200), within=30, every=0.1)


def test_an_unknown_part_is_refused_in_one_line(shared: World) -> None:
    with pytest.raises(RehearsalError, match=r"^no part 'postgers' \(parts: prometheus, postgres, .*\)$"):
        lifecycle.stop(shared, "postgers")


def test_redis_becomes_a_replica_and_a_primary_again(shared: World) -> None:
    """The replica still answers PING, which is why PING proves nothing about writing."""
    with Redis.from_url(shared.redis_url) as client:
        redis.become_replica(shared)
        assert client.ping()
        with pytest.raises(ReadOnlyError):
            client.set("key", "value")

        redis.become_primary(shared)
        assert client.set("key", "value")
        client.delete("key")


def test_ingress_takes_changes_and_gives_them_back(shared: World) -> None:
    try:
        ingress.apply(shared, headers={"X-Frame-Options": "ALLOWALL", "Referrer-Policy": None}, redirect=None)
        _, _, headers = fetch(shared, "/version")
        assert headers.get_all("X-Frame-Options") == ["ALLOWALL"]
        assert headers.get_all("Referrer-Policy") is None
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
        with closing(HTTPConnection("localhost", shared.plain_port, timeout=30)) as plain:
            plain.request("GET", "/version")
            assert plain.getresponse().status == 200
    finally:
        ingress.restore(shared)

    _, _, headers = fetch(shared, "/nowhere")
    assert {name: headers.get_all(name) for name in HEADERS} == {
        name: [value] for name, value in HEADERS.items()
    }


def test_ingress_leaves_a_header_out_of_errors_alone(shared: World) -> None:
    try:
        ingress.apply(shared, not_on_errors="Content-Security-Policy")
        assert fetch(shared, "/version")[2]["Content-Security-Policy"] == "default-src 'self'"
        assert fetch(shared, "/nowhere")[2]["Content-Security-Policy"] is None
    finally:
        ingress.restore(shared)


@pytest.mark.parametrize(
    ("issuer", "names_in_it", "reason"),
    [
        pytest.param(None, ("staging-api.example.com",), "Hostname mismatch", id="other host"),
        pytest.param(certificates.authority(), ("localhost",), "unable to get local issuer", id="unknown CA"),
    ],
)
def test_ingress_can_serve_a_wrong_certificate(
    shared: World, issuer: certificates.Pair | None, names_in_it: tuple[str, ...], reason: str
) -> None:
    wrong = certificates.issue(issuer or ingress.authority(shared), names=names_in_it)
    try:
        ingress.apply(shared, certificate=wrong)
        with pytest.raises(ssl.SSLCertVerificationError, match=re.escape(reason)):
            connect(shared).connect()
    finally:
        ingress.restore(shared)
    assert fetch(shared, "/version")[0] == 200


def test_ingress_speaks_an_old_tls_only_when_told_to(shared: World) -> None:
    with pytest.raises(OSError, match=r"alert protocol version|reset by peer|EOF occurred"):
        speak_tls_1_1(shared)
    try:
        ingress.apply(shared, tls_protocols=("TLSv1.1", "TLSv1.2", "TLSv1.3"))
        assert speak_tls_1_1(shared) == "TLSv1.1"
    finally:
        ingress.restore(shared)


def test_a_configuration_that_nginx_refuses_is_one_line(shared: World) -> None:
    """And the ingress goes on serving as before."""
    before = fetch(shared, "/version")[1]
    try:
        with pytest.raises(RehearsalError, match=r"^nginx refuses the configuration: .*invalid value"):
            ingress.apply(shared, tls_protocols=("TLSv7",))
        assert fetch(shared, "/version")[1] == before
    finally:
        ingress.restore(shared)


def test_a_certificate_that_nginx_refuses_changes_nothing(shared: World) -> None:
    """Nor is a later start of the ingress spoilt by it."""
    usual = ingress.authority(shared)
    broken = certificates.Pair(b"no certificate", usual.key)
    with pytest.raises(RehearsalError, match=r"^nginx refuses the configuration: .*draft-staging\.pem"):
        ingress.apply(shared, certificate=broken)
    lifecycle.stop(shared, "ingress")
    lifecycle.start(shared, "ingress")

    assert fetch(shared, "/version")[0] == 200
    assert list((shared.folder / "ingress").glob("draft-*")) == []


def test_reloads_lose_no_request(shared: World) -> None:
    """Clients keep their connections; one closed before it answered is replaced once, as browsers do."""
    stop = threading.Event()
    statuses: list[int] = []
    clients = [threading.Thread(target=keep_asking, args=(shared, stop, statuses)) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for _ in range(5):
            ingress.restore(shared)
            eventually(partial(expect_more, statuses, len(statuses)), within=60, every=0.02)
    finally:
        stop.set()
        for client in clients:
            client.join()

    assert len(statuses) > 100
    assert [status for status in statuses if status != 200] == []


def test_two_worlds_at_once_do_not_meet(shared: World, names: Callable[[str], str]) -> None:
    """Nor does the end of one take anything from the other, or leave anything."""
    with running(names("second")) as second:
        pids = family(second.supervisor)
        second.sql("UPDATE users SET display_name = 'of the second' WHERE id = 1")
        ours = one_value(shared.dsn, "SELECT display_name FROM users WHERE id = 1")

        assert ours != "of the second"
        assert fetch(second, "/version")[0] == 200
        assert set(second.pids.values()) & set(shared.pids.values()) == set()
    expect_nothing_left(second.name, pids)
    assert fetch(shared, "/version")[0] == 200


def test_a_name_is_up_once(shared: World) -> None:
    with pytest.raises(RehearsalError, match="a rehearsal is up in"), running(shared.name):
        pass
    said: list[str] = []

    assert lifecycle.up(shared.name, say=said.append).base_url == shared.base_url
    assert said == [f"The rehearsal {shared.name!r} is already up at {shared.base_url}."]
    assert fetch(shared, "/version")[0] == 200


def speak_tls_1_1(here: World) -> str | None:
    """The protocol agreed on with a client that knows nothing newer."""
    context = ssl.create_default_context(cafile=str(here.ca_file))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("localhost", here.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return secure.version()


def keep_asking(here: World, stop: threading.Event, statuses: list[int]) -> None:
    """Ask on one connection, again and again; one that was closed before it answered is replaced, once."""
    connection = connect(here)
    while not stop.is_set():
        for last_try in (False, True):
            try:
                connection.request("GET", "/version")
                response = connection.getresponse()
                response.read()
            except (OSError, RemoteDisconnected):
                connection.close()
                connection = connect(here)
                if last_try:
                    statuses.append(0)
            else:
                statuses.append(response.status)
                break
    connection.close()


def one_value(dsn: str, query: LiteralString) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def expect_dead(here: World, parts: list[str]) -> None:
    assert [row.part for row in lifecycle.status(here.name) if not row.alive] == parts


def expect_status(here: World, path: str, status: int) -> None:
    assert fetch(here, path)[0] == status


def expect_more(statuses: list[int], so_far: int) -> None:
    assert len(statuses) > so_far + 20
