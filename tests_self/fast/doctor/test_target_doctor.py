"""`noxgate doctor --target`: where settings come from, what lines need, and what is said in time."""

import ast
import dataclasses
import shutil
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.commands import noxgate

from nox_rehearsal.api.login.auth import mint
from noxgate.doctor import examination, files, looks, table
from noxgate.doctor.code import PEERS, Code, Function
from noxgate.doctor.needs import OPENS, Need, needs_of
from noxgate.doctor.seen import UNSET, Cause, Place, Seen, lines_of, place
from noxgate.project.checks import find_checks
from noxgate.project.profile import read_target
from noxgate.project.runbook import read_runbook
from noxgate.project.target import Target

if TYPE_CHECKING:
    from tests_self.conftest import Project

ROOT = Path(__file__).parents[3]
CHECKS = [ROOT / f"tests_{name}" for name in ("preflight", "staging", "production")]
# Fixtures and clients that open nothing of their own: what they are made of does.
MADE_OF_OTHERS = {
    *("runbook", "limits", "sessions", "clients", "production", "staging", "stands", "kept_samples"),
    *("migration", "science", "load_test", "rounds", "first_minutes", "switch", "since_switch"),
    *("for_samples", "key_metrics", "refused_percent", "watching", "window_metrics", "backup"),
    *("previous_version", "namespaces", "blue", "green", "switch_point", "api", "together", "websocket"),
    *("switch_patch", "rollback_patch"),
    *("tls", "database", "cache", "catalog", "kube", "registry", "registry_for", "prometheus", "links"),
    "tools",
}
NO_CLIENT = {"close", "__init__", "__repr__"}


def test_every_fixture_and_client_is_known() -> None:
    """One that opens a system missing in this list would wait for nothing."""
    code = Code(ROOT)
    names = set(code.module(ROOT / "src" / "nox_service" / "clients.py").methods) - NO_CLIENT
    for folder in (ROOT, *CHECKS):
        module = code.module(folder / "conftest.py")
        names |= {
            name
            for name, node in module.defined.items()
            if isinstance(node, Function) and node.decorator_list
        }
    bases = {name.removeprefix("production_").removeprefix("staging_") for name in names}

    assert bases - OPENS.keys() == MADE_OF_OTHERS
    assert OPENS.keys() <= bases


def test_a_client_of_a_peer_is_told_from_ours(tmp_path: Path) -> None:
    """By the name of what has it; also in what a fixture uses, and in what a client is made of."""
    made = tmp_path / "src" / "nox_service" / "clients.py"
    made.parent.mkdir(parents=True)
    made.write_text("""class Sessions:
    def kube_sessions(self): ...
    def other_session(self): ...
class Clients:
    def kube(self): return Kube(self.sessions.kube_sessions, self.observe)
    def green(self): return side_of(self.kube)
""")
    (tmp_path / "conftest.py").write_text("def key_metrics(clients): return clients.sessions.other_session\n")
    check = tmp_path / "test_x.py"
    check.write_text("""def test_theirs(production): assert production.green.pods
def test_both(clients, staging): assert [clients.kube] == staging.kube
def test_by_a_fixture(key_metrics): assert key_metrics
def test_none(clients): assert clients.target.name
""")
    code = Code(tmp_path)
    names = ("theirs", "both", "by_a_fixture", "none")
    found = {name: {used for used, _ in code.fixtures(check, f"test_{name}")} for name in names}

    assert found == {
        "theirs": {"test_theirs", *(f"production_{name}" for name in ("green", "kube", "kube_sessions"))},
        "both": {"test_both", "kube", "kube_sessions", "staging_kube", "staging_kube_sessions"},
        "by_a_fixture": {"test_by_a_fixture", "key_metrics", "other_session"},
        "none": {"test_none"},
    }


def test_what_checks_share_is_of_each_and_of_no_other(tmp_path: Path) -> None:
    """What is read once is given to every check that comes to it, and keeps nothing of any of them."""
    check = tmp_path / "test_x.py"
    check.write_text("""def shared(): return ["shared", again()]
def again(): return ["again", shared()]
def test_one(target): assert shared() == ["one", target.base_url]
def test_two(target): assert again() == ["two", target.namespace]
def test_none(target): assert target
""")
    code = Code(tmp_path)
    names = ("one", "two", "none", "one")
    texts = [code.named(check, f"test_{name}").texts for name in names]

    assert texts == [{"one", "shared", "again"}, {"two", "shared", "again"}, set(), texts[0]]
    assert code.settings(check, "test_two") == {"test_two", "namespace"}
    assert code.settings(check, "test_one") == {"test_one", "base_url"}


def test_clients_are_given_to_no_function_as_a_whole() -> None:
    """Then what a check needs is what it writes out, and a helper is given what it looks with."""
    whole = []
    files = [ROOT / "conftest.py", *(file for folder in CHECKS for file in folder.glob("*.py"))]
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        owners = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        whole += [
            f"{file.relative_to(ROOT)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id in {"clients", *PEERS} and node not in owners
            if isinstance(node.ctx, ast.Load)
        ]

    assert len(files) > 3
    assert whole == []


def test_each_line_with_a_check_needs_something() -> None:
    """But for the records of the window, which lie in the reports."""
    runbook = read_runbook(ROOT / "runbook.toml")
    needs = needs_of(ROOT, find_checks(ROOT, runbook))

    assert {line for line, found in needs.items() if not found} == {
        f"window.checkpoint-{hour}-record" for hour in ("1h", "6h", "24h", "48h")
    }
    assert Need("token", "admin_token") in needs["staging.admin-allows-admin"]
    assert Need("subject") in needs["staging.own-user"]
    assert Need("plain") in needs["staging.https-redirect"]
    assert Need("before") in needs["staging.slower-than-before"]
    assert Need("load", "full") in needs["staging.load-full"]
    assert Need("load") in needs["staging.slo-p95"]
    assert not any(need.system == "load" for need in needs["staging.oauth-google"])  # it may be without
    assert Need("database", peer="production") in needs["preflight.postgresql-parity"]


def test_lines_of_a_profile() -> None:
    """Keys of tables have the table before them; a comment is not a key."""
    text = 'serves = ["staging"]\n# base_url = "no"\n[credentials]\ntest_token = "T"\n[oauth.google]\n'

    assert lines_of(text) == {"serves": 1, "credentials": 3, "credentials.test_token": 4, "oauth.google": 5}


def test_where_a_setting_comes_from(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of the profile, a variable, or the default."""
    monkeypatch.setenv("BASE_URL", "https://localhost:8")
    at = place(read_target(project.path, "staging", ["staging"]))

    assert at.origin("base_url") == "$BASE_URL"
    assert at.origin("namespace") == "staging.toml:4"
    assert at.origin("ca_file") == "default"
    assert at.variable("test_token") == "$TEST_TOKEN (staging.toml:6)"


@pytest.mark.parametrize(
    ("text", "said", "is_cause"),
    [
        (None, "expected [[allowed]] tables with a pattern and a reason", True),
        ('[[allowed]]\npattern = "("\nreason = "x"\n', "entry 1: missing )", True),
        ('[[allowed]]\npattern = "cache is cold"\nreason = "at the start"\n', "1 entry of its own", False),
    ],
)
def test_known_log_lines_are_read_as_their_check_reads_them(
    text: str | None, said: str, *, is_cause: bool, project: "Project"
) -> None:
    """A list that cannot be read would be found in the live phase, as if the release had failed."""
    file = project.path / "known-lines.toml"
    if text is not None:
        file.write_text(text)
    target = dataclasses.replace(read_target(project.path, "staging", ["staging"]), log_allow_list=file)

    (seen,) = files.known_lines(place(target))
    assert said in seen.said
    assert (seen.cause is not None) is is_cause


@pytest.mark.parametrize("key", ["ca_file", "base_url"])
def test_a_key_that_is_pasted_stands_below_the_name_of_the_schema(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An editor looks for it in the comments before the first key; and above all tables."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "targets" / "staging.toml"
    file.parent.mkdir()
    shutil.copy(ROOT / "targets" / "staging.toml", file)
    shutil.copy(ROOT / "targets" / "production.toml", file.parent / "production.toml")
    at = place(read_target(tmp_path, str(file), read_runbook(ROOT / "runbook.toml").phases, {}))
    (group,) = {each.group for each in [at.unnamed("source", "a checkout").cause] if each}
    assert group is not None

    for command in (at.name_it(key, "x"), group.mended(["source"])):
        subprocess.run(["bash", "-c", command], input="said\n", text=True, check=True)

    text = file.read_text(encoding="utf-8")
    assert text.startswith("#:schema ../schema/profile.schema.json\n# ")
    assert (tomllib.loads(text)[key], tomllib.loads(text)["source"]) == ("said", "said")


def _job(at: Place, look: "Iterator[Seen]") -> examination.Job:
    return examination.Job(at, ("redis",), lambda: look)


def test_one_deadline_for_all(project: "Project") -> None:
    """Who does not answer is said to be away; the others are not waited for twice."""
    at = place(read_target(project.path, "staging", ["staging"]))
    never = threading.Event()

    def hangs() -> Iterator[Seen]:
        never.wait(30)
        yield at.seen("redis_url", "too late")

    started = time.monotonic()
    seen = examination.within(
        2, [_job(at, hangs()), _job(at, iter([at.seen("source", "fine")])), _job(at, hangs())]
    )
    never.set()

    assert time.monotonic() - started < 20  # two of them would have held it up for a minute
    assert [one.said for one in seen] == ["no answer in 2 s", "fine", "no answer in 2 s"]
    assert seen[0].needs == (at.need("redis"),)


def test_a_look_that_breaks_is_a_cause(project: "Project") -> None:
    """And no traceback."""
    at = place(read_target(project.path, "staging", ["staging"]))

    def breaks() -> Iterator[Seen]:
        raise ValueError("nonsense")
        yield

    (seen,) = examination.within(60, [_job(at, breaks())])

    assert seen.said == "nonsense"
    assert seen.cause is not None


def _seen(name: str, needs: tuple[Need, ...], cause: Cause, fails: tuple[Need, ...] = ()) -> Seen:
    return Seen(name, "-", "said", cause, needs, fails=fails)


def test_causes_are_grouped_and_the_largest_is_first() -> None:
    """Variables are one command; a cause that holds nothing up is left out."""
    needs = {
        "staging.a": frozenset({Need("token", "one")}),
        "staging.b": frozenset({Need("token", "one"), Need("redis")}),
        "staging.c": frozenset({Need("token", "two")}),
        "staging.d": frozenset({Need("database")}),
    }
    unset = [Cause(f"{name} is not set", key=name, group=UNSET, item=name) for name in ("ONE", "TWO", "NONE")]
    away = Cause("redis: away", ("redis-cli ping",))
    seen = [
        _seen("one", (Need("redis"),), away),
        _seen("two", (Need("token", "two"),), unset[1]),
        _seen("three", (Need("token", "one"),), unset[0]),
        _seen("four", (Need("token", "three"),), unset[2]),
    ]

    waits = table.waiting(seen, needs)

    assert [(each.cause.what, len(each.lines)) for each in waits] == [
        ("ONE is not set", 2),
        ("redis: away", 1),
        ("TWO is not set", 1),
    ]
    text = list(table.causes(waits))
    assert text[0] == "3 lines wait for variables that are not set:"
    assert sum("for n in ONE TWO; do" in line for line in text) == 1
    assert not any("NONE" in line for line in text)


JWT = "e30.eyJzdWIiOiAidXNyXzQyIn0.c2ln"  # its sub is usr_42
OF_NUMBER_1 = "e30.eyJzdWIiOjF9.c2ln"  # 1
OF_NOBODY = "e30.eyJzdWIiOnRydWV9.c2ln"  # true


@pytest.mark.parametrize(
    ("token", "subject", "waits"),
    [
        ("opaque-token-of-somebody", None, True),
        ("opaque-token-of-somebody", "usr_42", False),
        (JWT, None, False),
        (OF_NUMBER_1, None, False),
        (OF_NOBODY, None, True),
    ],
)
def test_whose_the_test_token_is(
    token: str, subject: str | None, project: "Project", monkeypatch: pytest.MonkeyPatch, *, waits: bool
) -> None:
    """As the checks that compare with it: the profile says it, or the token."""
    monkeypatch.setenv("TEST_TOKEN", token)
    target = dataclasses.replace(read_target(project.path, "staging", ["staging"]), test_subject=subject)

    causes = [one for one in looks.tokens(place(target)) if one.cause and one.needs == (Need("subject"),)]

    assert len(causes) == waits


def test_tokens_that_do_not_hold(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's is to be exported anew; that the expired one has expired is as it must be."""
    monkeypatch.setenv("TEST_TOKEN", mint("a key of the tests that is long enough", 2, "user", -3))
    target = read_target(project.path, "staging", ["staging"])
    named = {**target.credentials, "expired_token": "TEST_TOKEN"}

    seen = [one for one in looks.tokens(place(dataclasses.replace(target, credentials=named))) if one.is_set]

    users, bad = (one for one in seen if one.said.startswith("has expired: it says exp 20"))
    assert users.cause is not None
    assert users.cause.what == f"TEST_TOKEN {users.said}"
    assert bad.cause is None


def test_every_line_is_named_where_that_is_asked() -> None:
    needs = {f"staging.line-{number}": frozenset({Need("redis")}) for number in range(table.SHOWN + 2)}
    waits = table.waiting([_seen("one", (Need("redis"),), Cause("redis: away"))], needs)

    few, whole = (" ".join(" ".join(table.causes(waits, whole=each)).split()) for each in (False, True))

    assert "staging.line-4 and 2 more: --all names them)" in few
    assert [line for line in needs if line not in whole] == []
    assert "more" not in whole


def test_a_line_asks_for_no_more_than_its_run() -> None:
    """What the profile and the record say decides which of two systems a line comes to."""
    load = frozenset({Need("load"), Need("counters")})
    needs = frozenset({Need("before"), Need("load", peer="staging"), Need("profile")}) | load

    less = examination.less(needs, {"before": ("load", "counters"), "plain": ("address",)})

    assert less == needs - load
    assert examination.less(needs, {}) == needs


def test_the_comparison_with_the_version_before(project: "Project") -> None:
    """It waits for the record; and for the result of the version that this names, if it names one."""
    target = read_target(project.path, "staging", ["staging"])
    at, record = place(target), target.record
    assert record is not None
    before = '[measured_before]\nversion = "7.9.3"\nload_results = "before"\n'

    def causes() -> list[tuple[str, set[Need]]]:
        return [(one.setting, set(one.needs)) for one in files.record(at) if one.cause]

    record.unlink(missing_ok=True)
    assert causes() == [("record", {Need("record"), Need("before")})]
    assert not files.compares(at)

    record.write_text('version = "8.0.0"\n')
    assert causes() == []
    assert not files.compares(at)

    record.write_text(f'version = "8.0.0"\n{before}')
    assert causes() == [("measured_before", {Need("before")})]
    assert files.compares(at)

    (record.parent / "before" / "2026-01-01T00-00-00Z-staging-quick").mkdir(parents=True)
    assert causes() == []


def test_what_fails_makes_it_no_go() -> None:
    """What can be looked at and is wrong is a failure, which no other line waits for."""
    runbook = read_runbook(ROOT / "runbook.toml")
    needs = {"staging.manifests-unique": frozenset({Need("manifests")})}
    cause = Cause("no folder", ("edit",))
    seen = [_seen("manifests", (), cause, fails=(Need("manifests"),))]
    target = Target("staging", Path("staging.toml"), ("staging",), "https://a", "http://a", "a")

    assert next(table.causes(table.waiting(seen, needs))) == "1 line fails since no folder"
    said = "\n".join(table.verdicts(target, runbook, seen, needs))
    assert "NO-GO: staging.manifests-unique will fail" in said
    assert "is not set: a run is not signed" in said.replace("\n    ", " ")


def test_each_line_that_fails_is_named_where_that_is_asked() -> None:
    """Also those that no cause lists, since others wait for it."""
    runbook = read_runbook(ROOT / "runbook.toml")
    lines = [line.id for line in runbook.of_phase("staging")]
    needs = {line: frozenset({Need("address", "trusted")}) for line in lines[1:9]}
    seen = [_seen("base_url", (Need("redis"),), Cause("another server"), fails=(Need("address", "trusted"),))]
    target = Target("staging", Path("staging.toml"), ("staging",), "https://a", "http://a", "a")

    few, whole = (
        " ".join(" ".join(table.verdicts(target, runbook, seen, needs, whole=each)).split())
        for each in (False, True)
    )

    assert f"NO-GO: {lines[1]} and 7 more (--all names them) will fail" in few
    assert f"NO-GO: {', '.join(lines[1:9])} will fail" in whole


@pytest.mark.parametrize("name", ["nope", "staging"])
def test_a_profile_that_cannot_be_read(name: str, project: "Project") -> None:
    """Wrong usage, in one line."""
    (project.path / "targets" / "staging.toml").write_text("serves = [\n")

    done = noxgate(project.path, "doctor", "--target", name)

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1


def test_nobody_answers_and_nothing_is_shown(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that is nowhere: within the deadline, with status 2, and no secret."""
    monkeypatch.setenv("TEST_TOKEN", "a-token-that-nobody-may-see")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nox:hidden-password@127.0.0.1:9/nox")

    fixtures = "".join(
        f"@pytest.fixture\ndef {name}(target): ...\n" for name in ("api_session", "database_session")
    )
    (project.path / "tests_staging" / "conftest.py").write_text(f"import pytest\n{fixtures}")
    project.check("version", arguments="api_session, observe")
    project.check("health", 'api.get(who="test_token")', arguments="database_session, observe")

    done = noxgate(project.path, "doctor", "--target", "staging")

    assert done.returncode == 2, done.stderr
    assert "1 line waits since base_url: localhost:9" in done.stdout
    assert "1 line waits since $DATABASE_URL: " in done.stdout
    assert "ok test_token             $TEST_TOKEN (staging.toml:6) set" in done.stdout
    assert "!! redis_url" not in done.stdout  # no line needs it
    assert "-- redis_url" in done.stdout
    assert done.stdout.startswith("target staging: named by --target; https://localhost:9, serves staging\n")
    assert "a-token-that-nobody-may-see" not in done.stdout
    assert "hidden-password" not in done.stdout
    assert "phase       lines  wait" in done.stdout
