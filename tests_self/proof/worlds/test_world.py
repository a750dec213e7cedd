"""The rehearsal's world: it comes up whole, obeys, and leaves no process and no file behind."""

import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPMessage, HTTPSConnection, RemoteDisconnected
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from redis import Redis
from redis.exceptions import ReadOnlyError

from nox_rehearsal.error import PortTakenError, RehearsalError
from nox_rehearsal.parts import certificates, ingress, redis
from nox_rehearsal.parts.ingress_conf import HEADERS
from nox_rehearsal.world import leftovers, lifecycle
from nox_rehearsal.world.folder import PARENT, folder_of
from nox_rehearsal.world.lifecycle import World
from nox_rehearsal.world.ports import free_ports
from nox_rehearsal.world.processes import Crew, Part
from noxgate.look.waiting import eventually
from noxgate.project.profile import read_target

pytestmark = pytest.mark.usefixtures("quick_start")
PARTS = [
    "prometheus",
    "postgres",
    "registry",
    "redis",
    "redis-production",
    "ingress",
    "kubernetes",
    "nox-api-green-1",
    "nox-api-green-2",
    "nox-api-green-3",
    "nox-api-blue-1",
    "nox-api-blue-2",
    "pages",
    "controllers",
    "containers",
    "nox-worker",
    "visitors",
]
ROOT = Path(__file__).parents[3]
PHASES = ("preflight", "staging", "prep", "green", "live", "window", "rollback")


@pytest.fixture(scope="session")
def names(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Names of worlds that no other xdist worker uses."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return lambda name: f"self-{worker}-{name}"


@pytest.fixture(scope="module")
def shared(names: Callable[[str], str]) -> Iterator[World]:
    """One world for the tests that leave it as they found it."""
    with running(names("shared")) as here:
        yield here


@contextmanager
def running(name: str) -> Iterator[World]:
    with lifecycle.running(name, say=lambda _: None) as here:
        yield here


# ---------------------------------------------------------------- what is up


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


# ---------------------------------------------------------------- changing it


def test_a_part_that_dies_is_seen_and_can_be_started_again(shared: World) -> None:
    pod = "nox-api-green-2"
    os.kill(shared.pids[pod], signal.SIGKILL)

    eventually(lambda: expect_dead(shared, [pod]), within=5, every=0.05)
    assert fetch(shared, "/version")[0] == 200  # the ingress asks another pod
    lifecycle.start(shared, pod)
    expect_dead(shared, [])
    assert World.load(shared.folder).pids[pod] != shared.pids[pod]


def test_postgres_can_be_stopped_and_started(shared: World) -> None:
    lifecycle.stop(shared, "postgres")
    expect_dead(shared, ["postgres"])
    eventually(lambda: expect_status(shared, "/ready", 503), within=10, every=0.1)
    assert fetch(shared, "/health")[0] == 200

    lifecycle.start(shared, "postgres")
    expect_dead(shared, [])
    eventually(lambda: expect_status(shared, "/ready", 200), within=10, every=0.1)


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
        with closing(HTTPConnection("localhost", shared.plain_port, timeout=5)) as plain:
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
            eventually(partial(expect_more, statuses, len(statuses)), within=5, every=0.02)
    finally:
        stop.set()
        for client in clients:
            client.join()

    assert len(statuses) > 100
    assert [status for status in statuses if status != 200] == []


# ---------------------------------------------------------------- two, or none


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


def test_two_checkouts_do_not_share_a_rehearsal(tmp_path: Path) -> None:
    """Of one user, and of one name: the other neither sees it, nor ends it, nor has its profile."""
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other")
    try:
        rehearse(one, "up")
        here = World.load(one.folder)
        assert rehearse(other, "status", expected=1).startswith("nothing is up")
        assert rehearse(other, "down") == "nothing was up\n"

        assert one.folder != other.folder
        assert f"pid {here.supervisor}" in rehearse(one, "status")  # its exit status: every part lives
        assert (one.root / "targets" / "rehearsal.toml").read_text() == here.profile.read_text()
        assert list((other.root / "targets").iterdir()) == []
        assert not other.folder.exists()
    finally:
        ended = rehearse(one, "down")
    assert ended == "stopped\n"
    assert leftovers.all_of(one.folder) == []
    assert not one.folder.exists()


def test_what_a_killed_rehearsal_left_is_cleared_by_its_own_checkout(tmp_path: Path) -> None:
    """Not by another, which cannot know whose it is."""
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other")
    home = one.folder / leftovers.HOME
    home.mkdir(parents=True)
    profile = one.root / "targets" / "rehearsal.toml"
    profile.write_text(f"# of {one.folder}\n")
    left = subprocess.Popen(["tail", "-f", "/dev/null"], env={"HOME": str(home), "PATH": os.defpath})
    try:
        rehearse(other, "status", expected=1)
        assert left.poll() is None
        assert profile.exists()
        rehearse(one, "status", expected=1)
        assert left.wait(timeout=5) == -signal.SIGKILL
        assert not one.folder.exists()
        assert not profile.exists()
    finally:
        left.kill()
        left.wait()


def test_a_checkout_has_one_folder_whichever_way_leads_to_it(tmp_path: Path) -> None:
    """Short enough for a socket in it, whoever the user is; without a checkout it is as it ever was."""
    one = checkout(tmp_path / "one")
    (tmp_path / "link").symlink_to(one.root)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "src").symlink_to(one.root / "src")
    longest = str(folder_of("n" * 32)).replace(f"-{os.getuid()}-", f"-{2**32 - 1}-")

    assert folder_in(tmp_path / "link") == one.folder
    assert len(f"{longest}/control") <= 107 - 20  # 20 for deeper ones
    assert folder_in(bare) == PARENT / f"noxgate-{os.getuid()}-rehearsal"


def test_a_name_is_up_once(shared: World) -> None:
    with pytest.raises(RehearsalError, match="a rehearsal is up in"), running(shared.name):
        pass
    said: list[str] = []

    assert lifecycle.up(shared.name, say=said.append).base_url == shared.base_url
    assert said == [f"The rehearsal {shared.name!r} is already up at {shared.base_url}."]
    assert fetch(shared, "/version")[0] == 200


def test_up_stays_until_down(names: Callable[[str], str]) -> None:
    """The world outlives the process that brought it up."""
    name = names("detached")
    script = f"from nox_rehearsal.world import lifecycle as world; print(world.up({name!r}).base_url)"
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    here = lifecycle.find(name)
    try:
        assert here is not None
        assert here.base_url == printed.strip()
        assert fetch(here, "/ready")[0] == 200
        pids = family(here.supervisor)
    finally:
        ended = lifecycle.down(name)

    assert ended
    expect_nothing_left(name, pids)
    assert lifecycle.down(name) is False
    assert lifecycle.status(name) == []


# ---------------------------------------------------------------- nothing is left


def test_an_exception_leaves_nothing(names: Callable[[str], str]) -> None:
    pids: list[int] = []

    def fail() -> None:
        with running(names("failing")) as here:
            pids.extend(family(here.supervisor))
            raise RuntimeError(here.name)

    with pytest.raises(RuntimeError):
        fail()
    expect_nothing_left(names("failing"), pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_caller(names: Callable[[str], str], number: signal.Signals) -> None:
    """Ctrl-C, a polite end, and one that the caller never hears of."""
    name = names(f"caller-{number.value}")
    with caller(name) as process:
        here = lifecycle.find(name)
        assert here is not None
        pids = family(here.supervisor)
        process.send_signal(number)
        process.wait(timeout=30)

    eventually(lambda: expect_nothing_left(name, pids), within=30, every=0.05)


def test_a_start_that_is_interrupted_leaves_nothing(names: Callable[[str], str]) -> None:
    name = names("interrupted")
    with caller(name, wait_for="Making the 7.9.3 database") as process:
        pids = leftovers.all_of(folder_of(name))
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)

    assert len(pids) > 0
    expect_nothing_left(name, pids)


@pytest.mark.parametrize("warden", ["warden lives", "warden killed too"])
def test_nothing_outlives_a_killed_supervisor(
    names: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warden: str
) -> None:
    """With a session open in PostgreSQL and a job being computed; the next start clears what is left."""
    slow = tmp_path / "xtb"
    slow.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    name = names("killed")
    here = lifecycle.up(name)
    try:
        queue_xtb_job(here)
        with psycopg.connect(here.dsn):
            eventually(lambda: expect_title(here, "tail -f /dev/null"), within=10, every=0.05)
            titles = {pid: leftovers.title(pid) for pid in family(here.supervisor)}
            if warden == "warden killed too":
                os.kill(pid_of(titles, "nox_rehearsal.world.warden"), signal.SIGKILL)
            os.kill(here.supervisor, signal.SIGKILL)
            if warden == "warden lives":
                eventually(lambda: expect_nothing_left(name, list(titles)), within=30, every=0.05)
            else:
                servers = [pid for pid, title in titles.items() if is_server(title)]
                eventually(lambda: expect_gone(servers), within=30, every=0.05)
                assert here.folder.exists()
        assert pid_of(titles, "nginx: worker process")
        assert pid_of(titles, "postgres: rehearsal nox")
        with running(name) as again:
            expect_gone(list(titles))
            assert fetch(again, "/ready")[0] == 200
    finally:
        lifecycle.down(name)
    assert not here.folder.exists()


def test_processes_that_a_killed_world_left_are_killed(names: Callable[[str], str]) -> None:
    """Only those: a shell in the same folder is somebody's."""
    folder = folder_of(names("left"))
    home = folder / leftovers.HOME
    home.mkdir(parents=True)
    ours = subprocess.Popen(["tail", "-f", "/dev/null"], env={"HOME": str(home / "job"), "PATH": os.defpath})
    theirs = subprocess.Popen(["tail", "-f", "/dev/null"], cwd=folder)
    try:
        assert lifecycle.find(names("left")) is None
        assert ours.wait(timeout=5) == -signal.SIGKILL
        assert theirs.poll() is None
        assert not folder.exists()
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()


# ---------------------------------------------------------------- starts that go wrong


def test_a_taken_port_is_told_from_other_faults(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    crew = Crew(tmp_path)
    try:
        for part, password in (("first", "a" * 16), ("second", "b" * 16)):
            (tmp_path / part).mkdir()
            prepared = redis.prepare(tmp_path / part, port, password)
            crew.launch(Part(part, "", prepared.command, prepared.folder, prepared.serves))
        crew.wait_for("first")
        with pytest.raises(PortTakenError, match=r"second did not start: .*Address already in use"):
            crew.wait_for("second")
    finally:
        crew.stop_all()


def test_planned_parts_start_when_they_are_named(tmp_path: Path) -> None:
    """Until then they are not among the parts that are up, and nothing says that they have died."""
    crew = Crew(tmp_path)
    try:
        for name in ("first", "second"):
            crew.plan(Part(name, "", ("sleep", "60"), tmp_path, lambda: None))
        assert crew.parts() == []
        crew.stop("first")

        crew.start("first", "second")
        assert [part.name for part in crew.parts()] == ["first", "second"]
        assert crew.is_running("first")
        assert crew.is_running("second")
        pids = crew.pids()
        crew.start("first")
        assert crew.pids() == pids
    finally:
        crew.stop_all()


def test_a_lost_race_for_a_port_starts_again(names: Callable[[str], str]) -> None:
    """The first choice is a port that another server has; the second choice is honest."""
    (taken,) = free_ports(1)
    patch = f"""
import socket
from nox_rehearsal.world import plan
other = socket.create_server(("127.0.0.1", {taken}))
honest, calls = plan.free_ports, []
def free_ports(count):
    calls.append(count)
    return [{taken}, *honest(count - 1)] if len(calls) == 1 else honest(count)
plan.free_ports = free_ports
"""
    messages = daemon(names("race"), patch)

    assert messages[-1] == {"ready": True}
    said = [message["say"].partition(" ")[0] for message in messages if "say" in message]
    assert said.count("Starting") == 2


def test_a_missing_program_is_one_line(names: Callable[[str], str]) -> None:
    patch = """
from noxgate.machine import doctor
honest = doctor.find
doctor.find = lambda name: None if name == "nginx" else honest(name)
"""
    *_, last = daemon(names("missing"), patch)

    assert last == {
        "error": "no program nginx on this machine: sudo apt-get install --no-install-recommends nginx-light"
    }


def test_a_part_that_cannot_start_is_one_line_with_its_last_words(names: Callable[[str], str]) -> None:
    patch = """
from nox_rehearsal.parts import pods
from nox_rehearsal.world import build
honest = pods.prepare
def prepare(folder, deployment):
    deployment.environment["SECRET_KEY"] = ""
    return honest(folder, deployment)
pods.prepare = prepare
"""
    *_, last = daemon(names("refusing"), patch)

    assert "\n" not in last["error"]
    assert last["error"].startswith("nox-api-green-1 did not start: ended with exit status 2: ")
    assert last["error"].endswith("SECRET_KEY is not set")


def test_a_migration_that_fails_is_one_line(names: Callable[[str], str], tmp_path: Path) -> None:
    """Without ON_ERROR_STOP psql would go on to the end and report success."""
    script = tmp_path / "bad.sql"
    script.write_text("SELECT 1/0;\nCREATE TABLE after_it (n int);\n")
    patch = f"""
from pathlib import Path
from nox_rehearsal.world import build
build.release.MIGRATION = Path({str(script)!r})
"""
    *_, last = daemon(names("migration"), patch)

    assert last["error"].startswith("psql-bad failed: ")
    assert "division by zero" in last["error"]


def test_the_default_name_is_the_projects_target(names: Callable[[str], str], tmp_path: Path) -> None:
    """Its profile is in the project's targets while it is up, and only then."""
    published = tmp_path / "rehearsal.toml"
    patch = f"""
from pathlib import Path
from nox_rehearsal.world import folder, daemon
folder.DEFAULT = {names("default")!r}
folder._TARGETS = Path({str(tmp_path)!r})
honest = daemon._obey
def obey(crew, world, *arguments, **options):
    assert Path({str(published)!r}).read_text() == world.profile.read_text()
    honest(crew, world, *arguments, **options)
daemon._obey = obey
"""
    messages = daemon(names("default"), patch)

    assert messages[-1] == {"ready": True}
    assert not published.exists()


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(RehearsalError, match=r"saw '\.\./elsewhere'"):
        folder_of("../elsewhere")


def test_a_supervisor_that_breaks_is_one_line(
    names: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that was not foreseen is reported, too."""
    broken = (sys.executable, "-c", "raise RuntimeError('broken on purpose')")
    monkeypatch.setattr(lifecycle, "python", lambda *_: broken)

    with pytest.raises(RehearsalError, match=r"supervisor ended with exit status 1 .*: broken on purpose$"):
        lifecycle.up(names("broken"))


# ---------------------------------------------------------------- looking


def fetch(here: World, path: str, token: str = "") -> tuple[int, str, HTTPMessage]:
    """GET through the ingress with its certificate verified: status, body, headers."""
    with closing(connect(here)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers


def connect(here: World) -> HTTPSConnection:
    context = ssl.create_default_context(cafile=str(here.ca_file))
    return HTTPSConnection("localhost", here.port, timeout=10, context=context)


def speak_tls_1_1(here: World) -> str | None:
    """The protocol agreed on with a client that knows nothing newer."""
    context = ssl.create_default_context(cafile=str(here.ca_file))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("localhost", here.port), timeout=5) as plain,
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


def queue_xtb_job(here: World) -> None:
    """A job as the API would queue it."""
    job = {"molecule": "O", "method": "GFN2-xTB", "properties": ["energy"]}
    here.sql(
        "INSERT INTO computational_jobs (engine, input, input_hash) "
        f"VALUES ('xtb', '{json.dumps(job)}', repeat('0', 64))",
        "NOTIFY nox_jobs",
    )


def family(pid: int) -> list[int]:
    """A process and all that descend from it; there are more of them than parts."""
    pids = [pid]
    for one in pids:
        pids += leftovers.children(one)
    assert len(pids) > len(PARTS)
    return pids


def pid_of(titles: dict[int, str], part: str) -> int:
    return next(pid for pid, title in titles.items() if part in title)


def is_server(title: str) -> bool:
    """What the kernel's death signals end, without the worker, which may have to finish with its database."""
    return "worker" not in title.replace("nginx: worker", "") and "tail" not in title


# ---------------------------------------------------------------- expecting


def expect_dead(here: World, parts: list[str]) -> None:
    assert [row.part for row in lifecycle.status(here.name) if not row.alive] == parts


def expect_status(here: World, path: str, status: int) -> None:
    assert fetch(here, path)[0] == status


def expect_more(statuses: list[int], so_far: int) -> None:
    assert len(statuses) > so_far + 10


def expect_title(here: World, title: str) -> None:
    assert title in [leftovers.title(pid) for pid in family(here.supervisor)]


def expect_gone(pids: list[int]) -> None:
    assert [pid for pid in pids if leftovers.look(pid) is not None] == []


def expect_nothing_left(name: str, pids: list[int]) -> None:
    """Neither the processes that were seen, nor others of that world, nor its folder."""
    expect_gone(pids)
    assert leftovers.all_of(folder_of(name)) == []
    assert not folder_of(name).exists()


# ---------------------------------------------------------------- other processes


@contextmanager
def caller(name: str, wait_for: str = "up") -> Iterator[subprocess.Popen[str]]:
    """Another process that runs a world; it has said `wait_for` when the block begins."""
    script = (
        "import signal\n"
        "from nox_rehearsal.world import lifecycle as world\n"
        f"with world.running({name!r}, say=lambda line: print(line, flush=True)):\n"
        "    print('up', flush=True)\n"
        "    signal.pause()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith(wait_for):
                    break
            else:
                pytest.fail(f"it ended without saying {wait_for!r}: {''.join(said)}")
            yield process
        finally:
            process.kill()


@dataclass(frozen=True)
class Checkout:
    """A project's folder, and where its rehearsal lives."""

    root: Path
    folder: Path


def checkout(root: Path) -> Checkout:
    """A checkout with targets of its own; all the rest is this one's."""
    (root / "targets").mkdir(parents=True)
    for entry in ROOT.iterdir():
        if entry.name not in {"targets", "reports"}:
            (root / entry.name).symlink_to(entry)
    return Checkout(root, folder_in(root))


def folder_in(root: Path) -> Path:
    """Where the code of this checkout has the rehearsal of the usual name."""
    script = "from nox_rehearsal.world.folder import DEFAULT, folder_of; print(folder_of(DEFAULT))"
    return Path(in_checkout(root, "-c", script).stdout.strip())


def rehearse(where: Checkout, step: str, *, expected: int = 0) -> str:
    """What `noxgate rehearse STEP` says in a checkout."""
    done = in_checkout(where.root, "-m", "noxgate.cli", "rehearse", step)
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout


def in_checkout(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with that checkout's code."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def daemon(name: str, patch: str) -> list[dict[str, Any]]:
    """What a supervisor that was patched says until it is ready or gives up; nothing of it may be left."""
    script = (
        f"{patch}\nfrom nox_rehearsal.world import daemon\n"
        f"raise SystemExit(daemon.main([{name!r}, '--leash']))"
    )
    command = [sys.executable, "-c", script]
    messages: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            messages.append(json.loads(line))
            if not messages[-1].keys() <= {"say"}:
                break
        pids = leftovers.all_of(folder_of(name))
    expect_nothing_left(name, pids)
    return messages
