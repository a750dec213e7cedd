"""Every sabotage: one fault, near to what is right, that must turn one line red, and why it must.

`because` has to stand in the reason that the verdict gives: a line that is red for another reason proves
nothing. `also` are the lines that must turn red with it, since they look at the same broken thing.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from noxgate.rehearsal import certificates, ingress, redis
from noxgate.rehearsal.state import World

Switch = Callable[[World], AbstractContextManager[None]]

OAUTH = tuple(f"staging.oauth-{provider}" for provider in ("google", "github", "microsoft"))
DATABASE = tuple(
    f"staging.database-{name}" for name in ("answers", "schema-version", "tables", "indexes", "trigger")
)
REDIS = ("staging.redis-answers", "staging.redis-primary")
# Every line that tries a token which somebody else signed.
SIGNED = (
    "staging.user-profile",
    "staging.user-settings",
    "staging.user-history",
    "staging.admin-refuses-anonymous",
)
# Every line that a client cannot look at once it distrusts the certificate.
HTTPS = (
    "staging.health",
    "staging.version",
    "staging.ready",
    *OAUTH,
    "staging.user-profile",
    "staging.user-settings",
    "staging.user-history",
    "staging.public-stats",
    "staging.empirical",
    "staging.predict-cj",
    "staging.bad-body",
    "staging.websocket",
    "staging.admin-allows-admin",
    "staging.admin-refuses-user",
    "staging.admin-refuses-anonymous",
    "staging.header-frame-options",
    "staging.header-xss-protection",
    "staging.header-content-type-options",
    "staging.header-hsts",
    "staging.header-csp",
    "staging.header-referrer-policy",
    "staging.metrics-format",
    "staging.metrics-series",
)


@dataclass(frozen=True)
class Sabotage:
    """One fault of the rehearsal: `on` switches it on for as long as its context lasts."""

    line: str
    name: str
    what: str
    on: Switch
    because: str
    also: tuple[str, ...] = ()
    outcome: str = "failed"

    @property
    def id(self) -> str:
        """Such as `staging.version:rc1`."""
        return f"{self.line}:{self.name}"


class UnknownSabotageError(Exception):
    """No sabotage has this id; the message names those near it."""


def chosen(pattern: str) -> list[Sabotage]:
    """All sabotages of a runbook line, or the one with this id."""
    found = [sabotage for sabotage in SABOTAGES if pattern in {sabotage.line, sabotage.id}]
    if not found:
        known = dict.fromkeys(name for sabotage in SABOTAGES for name in (sabotage.line, sabotage.id))
        near = difflib.get_close_matches(pattern, known, n=3)
        guess = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UnknownSabotageError(f"no sabotage {pattern!r} (all: noxgate rehearse sabotages){guess}")
    return found


# ---------------------------------------------------------------- ways to break


def answer(method_and_path: str, **fault: Any) -> Switch:
    """The API answers this path otherwise (see noxgate.rehearsal.api.faults)."""
    return _faults({"answers": {method_and_path: fault}})


def altered(method_and_path: str, old: str, new: str) -> Switch:
    """The API answers honestly, but with `new` where `old` stands."""
    return answer(method_and_path, replace={old: new})


def settings(**changes: Any) -> Switch:
    """The API runs with other settings."""
    return _faults({"settings": changes})


def on_one_pod(**plan: Any) -> Switch:
    """One pod of the three alone has these `settings` or `answers`."""
    return lambda world: _faults({"pods": {max(world.pods): plan}})(world)


def _faults(content: dict[str, Any]) -> Switch:
    @contextmanager
    def on(world: World) -> Iterator[None]:
        draft = world.faults_file.with_suffix(".draft")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(world.faults_file)
        try:
            yield
        finally:
            world.faults_file.unlink()

    return on


def sql(do: str, undo: str) -> Switch:
    """The database is changed, and changed back."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        world.sql(do)
        try:
            yield
        finally:
            world.sql(undo)

    return on


def at_ingress(**changes: Any) -> Switch:
    """The ingress runs with another configuration (see noxgate.rehearsal.ingress)."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        ingress.apply(world, **changes)
        try:
            yield
        finally:
            ingress.restore(world)

    return on


def certificate(*, authority: certificates.Pair | None = None, **options: Any) -> Switch:
    """The ingress serves another certificate, of the rehearsal's authority or another one."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        issuer = authority or ingress.authority(world)
        ingress.apply(world, certificate=certificates.issue(issuer, **options))
        try:
            yield
        finally:
            ingress.restore(world)

    return on


@contextmanager
def redirects_without_query(world: World) -> Iterator[None]:
    """The redirect to HTTPS keeps the path alone; what the ingress adds to it is commented out."""
    ingress.apply(world, redirect=f"{world.base_url}$uri; #")
    try:
        yield
    finally:
        ingress.restore(world)


@contextmanager
def redis_is_a_replica(world: World) -> Iterator[None]:
    """Redis follows a primary that is not there, and refuses writes."""
    redis.become_replica(world)
    try:
        yield
    finally:
        redis.become_primary(world)


# ---------------------------------------------------------------- the faults


SLOW = "assert [2."  # the seconds of the first slow look


def _slow(method_and_path: str) -> Switch:
    return on_one_pod(answers={method_and_path: {"delay": 2.5}})


def _version() -> Iterator[Sabotage]:
    line = "staging.version"
    yield Sabotage(line, "rc1", "a release candidate runs", settings(version="8.0.0-rc1"), "8.0.0-rc1")
    yield Sabotage(line, "neighbour", "18.0.0 contains 8.0.0", settings(version="18.0.0"), "18.0.0")
    yield Sabotage(line, "previous", "blue answers", settings(version="7.9.3"), "7.9.3")
    body = {"version": "8.0.0", "error": "starting"}
    yield Sabotage(
        line, "503", "right body, wrong status", answer("GET /version", status=503, json=body), "503"
    )
    one = on_one_pod(settings={"version": "8.0.0-rc1"})
    yield Sabotage(line, "one-pod", "a release candidate on one pod of three", one, "8.0.0-rc1")
    yield Sabotage(line, "slow", "one pod is slow", _slow("GET /version"), SLOW)


def _health() -> Iterator[Sabotage]:
    line = "staging.health"
    body = {"status": "degraded"}
    yield Sabotage(line, "degraded", "degraded, with HTTP 200", answer("GET /health", json=body), "degraded")
    body = {"status": "unhealthy"}
    yield Sabotage(line, "unhealthy", "contains 'healthy'", answer("GET /health", json=body), "unhealthy")
    text = '"status": "healthy"'
    yield Sabotage(
        line, "text", "not JSON, but reads alike", answer("GET /health", text=text), "expected JSON"
    )
    body = {"status": "healthy"}
    yield Sabotage(
        line, "500", "right body, wrong status", answer("GET /health", status=500, json=body), "500"
    )
    one = on_one_pod(answers={"GET /health": {"status": 503, "json": {"status": "unhealthy"}}})
    yield Sabotage(line, "one-pod", "one pod of three is unhealthy", one, "503")
    text = '{"status": "unhealthy", "status": "healthy"}'
    yield Sabotage(line, "two-words", "a key twice", answer("GET /health", text=text), "each key once")
    yield Sabotage(line, "slow", "one pod is slow", _slow("GET /health"), SLOW)

    line, path = "staging.ready", "GET /ready"
    down = {"status": "not ready", "failed": ["redis"]}
    yield Sabotage(line, "503", "a dependency is down", answer(path, status=503, json=down), "503")
    yield Sabotage(line, "not-ready", "says so with HTTP 200", answer(path, json=down), "not ready")
    half = {"status": "ready", "failed": ["redis"]}
    yield Sabotage(line, "failed", "ready, but for Redis", answer(path, json=half), "redis")
    page = answer(path, text="<h1>Back soon</h1>")
    yield Sabotage(line, "page", "a page that says wait", page, "expected JSON")
    one = on_one_pod(answers={path: {"status": 503, "json": down}})
    yield Sabotage(line, "one-pod", "one pod of three is not ready", one, "503")
    yield Sabotage(line, "slow", "one pod is slow", _slow(path), SLOW)


def _oauth() -> Iterator[Sabotage]:
    hosts: dict[str, str] = {
        "google": "accounts.google.com",
        "github": "github.com",
        "microsoft": "login.microsoftonline.com",
    }
    for provider, host in hosts.items():
        line, path = f"staging.oauth-{provider}", f"GET /api/auth/{provider}/url"
        error = {"error": "oauth client secret invalid", "url": None}
        yield Sabotage(line, "error", "an error that contains 'oauth'", answer(path, json=error), "saw {")
        lookalike = altered(path, f"https://{host}/", f"https://{host}.example/")
        yield Sabotage(line, "lookalike", "a host that begins alike", lookalike, f"{host}.example")
        plain = altered(path, f"https://{host}/", f"http://{host}/")
        yield Sabotage(line, "http", "the provider without TLS", plain, "'http'")
        other = settings(**{f"{provider}_client_id": "another-environments-client"})
        yield Sabotage(line, "client", "another environment's client", other, "another-environments-client")
        token = altered(path, "response_type=code", "response_type=token")
        yield Sabotage(line, "implicit", "the implicit grant", token, "token")
        scope = altered(path, "scope=", "scoop=")
        yield Sabotage(line, "scope", "no scope", scope, "scope")
        callback = altered(path, f"%2Fapi%2Fauth%2F{provider}%2Fcallback", "%2Fapi%2Fauth%2Fcallback")
        yield Sabotage(line, "callback", "a callback of no provider", callback, "/api/auth/callback")
        longer = altered(path, "%2Fcallback", "%2Fcallbacks")
        yield Sabotage(line, "callback-longer", "a callback that goes on", longer, "/callbacks")
        query = altered(path, "%2Fcallback", "%2Fcallback%3Fnext%3D%2F%2Fexample.com")
        yield Sabotage(line, "callback-query", "a callback with a query", query, "?next=")
        tab = altered(path, f"https://{host}/", f"https://{host}\\t/")
        yield Sabotage(line, "tab", "a tab that some readers skip", tab, "would read differently")
        beside = altered(path, '{"url"', '{"error":"client secret invalid","url"')
        yield Sabotage(line, "error-beside", "an error beside the URL", beside, "client secret invalid")
        poor = altered(path, {"github": "read%3Auser%20user%3Aemail"}.get(provider, "openid%20"), "repo")
        yield Sabotage(line, "who", "scopes that do not tell who signs in", poor, "who signs in")
        endpoint = (
            altered(path, "auth", "auht") if provider == "google" else altered(path, "authorize", "token")
        )
        yield Sabotage(
            line, "endpoint", "another endpoint of the provider", endpoint, "authorization endpoint"
        )
    dots = altered("GET /api/auth/microsoft/url", "/common/", "/../")
    yield Sabotage(OAUTH[2], "dots", "a tenant that leads elsewhere", dots, "authorization endpoint")
    first, *rest = OAUTH
    others = tuple(rest)
    elsewhere = settings(public_url="https://api.example.com")
    yield Sabotage(first, "redirect", "redirects to another host", elsewhere, "api.example.com", others)
    yield Sabotage(first, "state", "the same state twice", settings(reuse_oauth_state=True), "forged", others)
    yield Sabotage(
        first, "counter", "states that count", settings(oauth_state_counts=True), "guessed", others
    )


def _api() -> Iterator[Sabotage]:
    refused = {"error": "token store unavailable"}
    anyones = {
        "profile": {"id": 2, "email": "anyone@nox.example"},
        "settings": {"settings": {"theme": "light"}},
        "history": {"jobs": [{"job_id": "548be97d-6126-bfc5-b69d-0c18cd0a5175"}]},
    }
    for page, content in anyones.items():
        line, path = f"staging.user-{page}", f"GET /api/user/{page}"
        yield Sabotage(line, "error", "an error with HTTP 200", answer(path, json=refused), "error")
        yield Sabotage(line, "empty", "nothing, with HTTP 200", answer(path, json={}), "{}")
        # for everyone alike, stranger or not
        yield Sabotage(line, "open", "answers strangers", answer(path, json=content), "401")
        unsigned = settings(signature_ignored=True)
        others = tuple(other for other in SIGNED if other != line)
        yield Sabotage(line, "unsigned", "does not look at signatures", unsigned, "200", others)
    for page, near in {
        "profile": {"message": "token store unavailable"},
        "settings": {"errors": ["token store unavailable"]},
        "history": {"detail": [{"message": "token store unavailable"}]},
    }.items():
        what, path = "an error of another shape", f"GET /api/user/{page}"
        lines = f"staging.user-{page}"
        yield Sabotage(lines, "excuse", what, answer(path, json=near), "nothing of the user's")
    shown = settings(refusal_shows_profile=True)
    yield Sabotage("staging.user-profile", "shown", "the refusal shows the profile", shown, "@")
    line, path = "staging.public-stats", "GET /api/public/stats"
    yield Sabotage(line, "empty", "nothing, with HTTP 200", answer(path, json={}), "{}")
    yield Sabotage(line, "nothing-counted", "null figures", answer(path, json={"jobs": None}), "[]")
    excuse = answer(path, json={"code": 503, "message": "counting"})
    yield Sabotage(line, "excuse", "an error of another shape", excuse, "code")
    yield Sabotage(line, "negative", "counts below zero", answer(path, json={"jobs": -1}), "[]")
    yield Sabotage(line, "private", "asks for a token", answer(path, status=401, json=refused), "401")
    for line, path in {"empirical": "POST /empirical/v1", "predict-cj": "POST /predict/cj/v1"}.items():
        both = ("staging.bad-body",)  # a fixed answer accepts the bad body too
        lost = answer(path, json={"value": None})
        yield Sabotage(f"staging.{line}", "null", "a result without a value", lost, "None", both)
        error = answer(path, json={"error": "worker crashed"})
        yield Sabotage(f"staging.{line}", "error", "an error with HTTP 200", error, "error", both)
        nan = answer(path, text='{"value": NaN}')
        yield Sabotage(f"staging.{line}", "nan", "NaN, which is not JSON", nan, "expected JSON", both)
        bad = answer(path, status=400, json={"error": "bad request"})
        yield Sabotage(f"staging.{line}", "400", "refuses a good body", bad, "400")
    for line, name, near in (
        ("empirical", "zero", {"smiles": "CCO", "value": 0}),
        ("empirical", "below-zero", {"smiles": "CCO", "value": -78.4}),
        ("predict-cj", "zero", {"velocity": 0, "pressure": 0}),
        ("predict-cj", "echo", {"input": {"density": 1.8}}),
    ):
        path = {"empirical": "POST /empirical/v1", "predict-cj": "POST /predict/cj/v1"}[line]
        what = f"computes {json.dumps(near)}"
        implausible = answer(path, json=near)
        both = ("staging.bad-body",)
        yield Sabotage(f"staging.{line}", name, what, implausible, "no plausible result", both)
    for name, job_id in {"no-job": "", "true-job": True}.items():
        lost = answer("POST /empirical/v1", status=202, json={"job_id": job_id})
        both = ("staging.bad-body",)
        yield Sabotage("staging.empirical", name, f"job_id {job_id!r}", lost, f"saw {job_id!r}", both)
    computed = answer("POST /predict/cj/v1", json={"velocity": 8.8, "pressure": 34.7})
    yield Sabotage("staging.bad-body", "computed", "computes with any body", computed, "200")
    crash = answer("POST /empirical/v1", status=500, json={"value": 351.4})
    yield Sabotage("staging.bad-body", "crash", "crashes", crash, "500", ("staging.empirical",))
    line = "staging.websocket"
    canned = settings(websocket_answer="noxgate looks")
    yield Sabotage(line, "canned", "says always the same", canned, "('noxgate looks', ())")
    padded = settings(websocket_answer="error: {}")
    yield Sabotage(line, "padded", "says more than was said", padded, "error: noxgate looks")
    yield Sabotage(line, "twice", "says it twice", settings(websocket_twice=True), "', ('noxgate looks")
    yield Sabotage(line, "403", "refuses the upgrade", answer("GET /ws", status=403), "403")
    yield Sabotage(line, "no-upgrade", "the ingress drops the upgrade", at_ingress(websocket=False), "101")


def _access() -> Iterator[Sabotage]:
    door = "GET /api/admin/health"
    everyone = settings(admin_for_everyone=True)
    yield Sabotage("staging.admin-refuses-user", "open", "lets any user in", everyone, "200")
    one = on_one_pod(settings={"admin_for_everyone": True})
    yield Sabotage("staging.admin-refuses-user", "one-pod", "one pod lets any user in", one, "200")
    unwell = settings(admin_unwell=True)
    yield Sabotage("staging.admin-allows-admin", "unwell", "a worker is down", unwell, "worker")
    shut = answer(door, status=403, json={"error": "forbidden"})
    yield Sabotage(
        "staging.admin-allows-admin",
        "shut",
        "shut for all",
        shut,
        "403",
        ("staging.admin-refuses-anonymous",),
    )
    login = answer(door, status=302, headers={"location": "/login"})
    others = ("staging.admin-allows-admin", "staging.admin-refuses-user")
    yield Sabotage("staging.admin-refuses-anonymous", "login", "sends to a login page", login, "302", others)


def _headers() -> Iterator[Sabotage]:
    wrong = {
        "frame-options": ("X-Frame-Options", "ALLOWALL"),
        "xss-protection": ("X-XSS-Protection", "0"),
        "content-type-options": ("X-Content-Type-Options", "no-sniff"),
        "hsts": ("Strict-Transport-Security", "max-age=31536"),
        "csp": ("Content-Security-Policy", "default-src *"),
        "referrer-policy": ("Referrer-Policy", "unsafe-url"),
    }
    for name, (header, value) in wrong.items():
        line = f"staging.header-{name}"
        yield Sabotage(line, "wrong", f"{header}: {value}", at_ingress(headers={header: value}), value)
        yield Sabotage(line, "absent", f"no {header}", at_ingress(headers={header: None}), "[]")
        not_api = at_ingress(not_on_api=header)
        yield Sabotage(line, "not-on-api", f"no {header} under /api/", not_api, "'/api/public/stats': []")
        only_good = at_ingress(not_on_errors=header)
        yield Sabotage(line, "not-on-errors", f"no {header} on an error page", only_good, "[]")


def _tls() -> Iterator[Sabotage]:
    line = "staging.tls-certificate"
    yield Sabotage(line, "3-days", "3 days left", certificate(days=3), "3.00 days left")
    yield Sabotage(line, "14-days", "14 days left, and not more", certificate(days=14), "14.00 days left")
    other = certificate(names=("staging-api.example.com",))
    yield Sabotage(line, "other-host", "another host's certificate", other, "Hostname mismatch", HTTPS)
    unknown = certificate(authority=certificates.authority())
    yield Sabotage(line, "unknown-authority", "a chain that ends nowhere", unknown, "unable to get", HTTPS)
    old = at_ingress(tls_protocols=("TLSv1.1", "TLSv1.2", "TLSv1.3"))
    yield Sabotage("staging.tls-version", "1.1", "TLS 1.1 is still spoken", old, "TLSv1_1")
    line = "staging.https-redirect"
    yield Sabotage(line, "plain", "answers without TLS", at_ingress(redirect=None), "200")
    elsewhere = at_ingress(redirect="https://api.example.com")
    yield Sabotage(line, "elsewhere", "redirects to another host", elsewhere, "api.example.com")
    yield Sabotage(line, "query", "loses the query", redirects_without_query, "stats'}")


def _database() -> Iterator[Sabotage]:
    key = "WHERE config_key = 'database_schema_version'"
    good = f"UPDATE system_configuration SET config_value = '\"8.0.0\"' {key}"
    line = "staging.database-schema-version"
    near = {
        "rc1": ("8.0.0-rc1", "8.0.0-rc1"),
        "previous": ("7.9.3", "7.9.3"),
        "quoted": ('\\"8.0.0\\"', "'\"8.0.0\"'"),
    }
    for name, (value, shown) in near.items():
        bad = f"UPDATE system_configuration SET config_value = '\"{value}\"' {key}"
        yield Sabotage(line, name, f"the row says {shown}", sql(bad, good), shown)
    lost = f"UPDATE system_configuration SET config_key = 'lost' {key}"
    found = "UPDATE system_configuration SET config_key = 'database_schema_version' WHERE config_key = 'lost'"
    yield Sabotage(line, "lost", "no such row", sql(lost, found), "[]")

    # PostgreSQL looks first into the schema that has the name of the role: into ours, not the application's
    shadow = (
        "CREATE SCHEMA nox_gate;"
        "CREATE TABLE nox_gate.system_configuration AS SELECT * FROM public.system_configuration;"
        f"{good.replace('8.0.0', '7.9.3')}"
    )
    light = f"DROP SCHEMA nox_gate CASCADE; {good}"
    tables = ("staging.database-tables",)
    yield Sabotage(line, "shadow", "a copy hides the old row", sql(shadow, light), "'nox_gate'", tables)

    line, table = "staging.database-tables", "rate_limit_buckets"
    away = f"CREATE SCHEMA nox_gate; ALTER TABLE {table} SET SCHEMA nox_gate"
    home = f"ALTER TABLE nox_gate.{table} SET SCHEMA public; DROP SCHEMA nox_gate"
    indexes = ("staging.database-indexes",)
    yield Sabotage(line, "away", "where only our role finds it", sql(away, home), table, indexes)
    copy = "CREATE SCHEMA archive; CREATE TABLE archive.migration_log (LIKE public.migration_log)"
    undo = "DROP SCHEMA archive CASCADE"
    yield Sabotage(line, "copy", "a second one in another schema", sql(copy, undo), "'archive'")

    gone, back = f"ALTER TABLE {table} RENAME TO lost", f"ALTER TABLE lost RENAME TO {table}"
    yield Sabotage(
        line, "table", "one table is missing", sql(gone, back), table, ("staging.database-indexes",)
    )
    gone = "ALTER TABLE migration_log RENAME COLUMN step TO lost"
    back = "ALTER TABLE migration_log RENAME COLUMN lost TO step"
    yield Sabotage(line, "column", "one column is missing", sql(gone, back), "step")

    lock = "ALTER DATABASE nox SET default_transaction_read_only = on"
    free = "BEGIN READ WRITE; ALTER DATABASE nox RESET default_transaction_read_only; COMMIT"
    yield Sabotage(DATABASE[0], "read-only", "takes no writes", sql(lock, free), "=on")
    refuse = sql("ALTER ROLE nox_gate NOLOGIN", "ALTER ROLE nox_gate LOGIN")
    yield Sabotage(
        DATABASE[0],
        "login",
        "refuses our role",
        refuse,
        "not permitted to log in",
        DATABASE[1:],
        "unreachable",
    )


def _indexes_and_trigger() -> Iterator[Sabotage]:
    line, index = "staging.database-indexes", "idx_webvitals_created"
    flag = "UPDATE pg_index SET indisvalid = {0} WHERE indexrelid = '{1}'::regclass"
    invalid = sql(flag.format("false", index), flag.format("true", index))
    yield Sabotage(line, "invalid", "schema 8.0.0, one index invalid", invalid, index)
    lost = f"ALTER INDEX {index} RENAME TO lost"
    yield Sabotage(
        line, "lost", "one index is missing", sql(lost, f"ALTER INDEX lost RENAME TO {index}"), index
    )

    other = f"DROP INDEX {index}; CREATE INDEX {index} ON webvitals_metrics (page_path)"
    again = f"DROP INDEX {index}; CREATE INDEX {index} ON webvitals_metrics (created_at)"
    yield Sabotage(line, "other", "on another column", sql(other, again), "(page_path)")
    partial = f"DROP INDEX {index}; CREATE INDEX {index} ON webvitals_metrics (created_at) WHERE user_id = 1"
    yield Sabotage(line, "partial", "for one user's rows only", sql(partial, again), "WHERE")

    line, trigger = "staging.database-trigger", "trigger_update_batch_stats"
    off = "ALTER TABLE computational_jobs DISABLE TRIGGER " + trigger
    yield Sabotage(
        line, "disabled", "there, but disabled", sql(off, off.replace("DISABLE", "ENABLE")), trigger
    )
    lost = "ALTER FUNCTION update_batch_job_stats() RENAME TO lost"
    found = "ALTER FUNCTION lost() RENAME TO update_batch_job_stats"
    yield Sabotage(line, "function", "its function is missing", sql(lost, found), "update_batch_job_stats")

    again = (
        f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR DELETE OR UPDATE OF status, batch_id"
        " ON computational_jobs FOR EACH ROW EXECUTE FUNCTION update_batch_job_stats()"
    )
    idle = "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    nothing = sql(
        f"{idle}; {again.replace('update_batch_job_stats', 'idle')}", f"{again}; DROP FUNCTION idle()"
    )
    yield Sabotage(line, "idle", "calls a function that does nothing", nothing, "idle()")
    inserts = again.replace(" OR DELETE OR UPDATE OF status, batch_id", "")
    yield Sabotage(line, "inserts", "fires on inserts only", sql(inserts, again), "AFTER INSERT ON")


def _redis() -> Iterator[Sabotage]:
    line = "staging.redis-answers"
    # the API's own looks at Redis fail as well
    others = ("staging.ready", "staging.admin-allows-admin", *OAUTH)
    yield Sabotage(line, "loading", "answers, but is still loading", redis.loading, "oading", others)
    # the API cannot store the states of its logins either
    yield Sabotage(
        "staging.redis-primary", "replica", "a replica answers PING too", redis_is_a_replica, "slave", OAUTH
    )


def _metrics() -> Iterator[Sabotage]:
    line, path = "staging.metrics-format", "GET /metrics"
    broken = altered(path, "# TYPE http_requests_total counter", "http_requests_total{method= 1")
    yield Sabotage(
        line, "broken", "one line is broken", broken, "not Prometheus text", ("staging.metrics-series",)
    )
    refused = answer(path, status=401, text="")
    yield Sabotage(line, "401", "asks for a token", refused, "401", ("staging.metrics-series",))
    page = answer(path, headers={"Content-Type": "text/html"})
    yield Sabotage(line, "page", "says that it is a page", page, "text/html")
    build = 'nox_build_info{version="8.0.0"} 1.0\n'
    twice = altered(path, build, build + build)
    yield Sabotage(line, "twice", "a series twice", twice, "nox_build_info", ("staging.metrics-series",))
    line = "staging.metrics-series"
    health = 'method="GET",path="/health"'
    negative = altered(path, f'{{{health},status="200"}} ', f'{{{health},status="200"}} -')
    yield Sabotage(line, "negative", "fewer requests than none", negative, "value=-")
    falling = altered(path, f'le="+Inf",{health}}} ', f'le="+Inf",{health}}} -')
    yield Sabotage(line, "falling", "buckets that lose requests", falling, "inf: -")
    apart = altered(path, 'le="0.3",method="', 'le="0.3",method="X')
    yield Sabotage(line, "apart", "buckets of different series", apart, "no requests in a histogram")
    words = altered(path, 'status="', 'status="HTTP ')
    yield Sabotage(line, "status-words", "a status that is no number", words, "HTTP 200")
    coarse = altered(path, 'le="0.3"', 'le="0.35"')
    yield Sabotage(line, "buckets", "no bucket at 0.3 s", coarse, "0.3")
    renamed = altered(path, "http_requests_total", "http_request_total")
    yield Sabotage(line, "renamed", "a counter with another name", renamed, "0")
    unlabelled = altered(path, "status=", "code=")
    yield Sabotage(line, "status", "no status label", unlabelled, "method")


def _all(*topics: Iterable[Sabotage]) -> tuple[Sabotage, ...]:
    return tuple(sabotage for topic in topics for sabotage in topic)


SABOTAGES = _all(
    _version(),
    _health(),
    _oauth(),
    _api(),
    _access(),
    _headers(),
    _tls(),
    _database(),
    _indexes_and_trigger(),
    _redis(),
    _metrics(),
)
