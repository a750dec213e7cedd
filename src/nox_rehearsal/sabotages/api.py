"""The application answers wrongly."""

import json
from collections.abc import Iterator

from nox_rehearsal.sabotages.lines import DOORS, OAUTH, OWN, SIGNED, TOKENS
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import altered, answer, at_ingress, on_one_pod, settings


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _version()
    yield from _health()
    yield from _oauth()
    yield from _pages()
    yield from _api()
    yield from _access()
    yield from _metrics()


SLOW = "saw [2."  # the seconds of the first slow look


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
        yield Sabotage(line, "who", "scopes that do not tell who signs in", poor, "scope")
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


def _pages() -> Iterator[Sabotage]:
    refused = {"error": "token store unavailable"}
    anyones = {
        "profile": {"id": 2, "email": "anyone@nox.example"},
        "settings": {"settings": {"theme": "light"}},
        "history": {"jobs": [{"job_id": "548be97d-6126-bfc5-b69d-0c18cd0a5175"}]},
    }
    for page, content in anyones.items():
        line, path = f"staging.user-{page}", f"GET /api/user/{page}"
        # for everyone alike, stranger or not
        open_, own = (TOKENS, DOORS), (OWN,) if page == "profile" else ()
        error = answer(path, json=refused)
        yield Sabotage(line, "error", "an error with HTTP 200", error, "error", (*open_, *own))
        empty = answer(path, json={})
        yield Sabotage(line, "empty", "nothing, with HTTP 200", empty, "{}", (TOKENS, *own))
        everybody = answer(path, json=content)
        shared = (OWN,) if page == "history" else ()
        yield Sabotage(line, "open", "answers strangers", everybody, "401", (*open_, *shared))
        unsigned = settings(signature_ignored=True)
        forged = tuple(other for other in SIGNED if other != line)
        yield Sabotage(line, "unsigned", "does not look at signatures", unsigned, "200", (*forged, *open_))
    for page, near in {
        "profile": {"message": "token store unavailable"},
        "settings": {"errors": ["token store unavailable"]},
        "history": {"detail": [{"message": "token store unavailable"}]},
    }.items():
        what, path = "an error of another shape", f"GET /api/user/{page}"
        line = f"staging.user-{page}"
        others = (TOKENS, DOORS, OWN) if page == "profile" else (TOKENS, DOORS)
        yield Sabotage(line, "excuse", what, answer(path, json=near), "nothing of the user", others)
    shown = settings(refusal_shows_profile=True)
    yield Sabotage("staging.user-profile", "shown", "the refusal shows the profile", shown, "@", (TOKENS,))


def _api() -> Iterator[Sabotage]:
    refused = {"error": "token store unavailable"}
    line, path, none = "staging.public-stats", "GET /api/public/stats", "expected a figure"
    yield Sabotage(line, "empty", "nothing, with HTTP 200", answer(path, json={}), "{}")
    yield Sabotage(line, "nothing-counted", "null figures", answer(path, json={"jobs": None}), none)
    excuse = answer(path, json={"code": 503, "message": "counting"})
    yield Sabotage(line, "excuse", "an error of another shape", excuse, "code")
    yield Sabotage(line, "negative", "counts below zero", answer(path, json={"jobs": -1}), none)
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
    yield Sabotage(line, "canned", "says always the same", canned, "saw 'noxgate looks'")
    padded = settings(websocket_answer="error: {}")
    yield Sabotage(line, "padded", "says more than was said", padded, "error: noxgate looks")
    yield Sabotage(
        line, "twice", "says it twice", settings(websocket_twice=True), "', and then noxgate looks"
    )
    yield Sabotage(line, "403", "refuses the upgrade", answer("GET /ws", status=403), "403")
    yield Sabotage(line, "no-upgrade", "the ingress drops the upgrade", at_ingress(websocket=False), "101")


def _access() -> Iterator[Sabotage]:
    door = "GET /api/admin/health"
    everyone = settings(admin_for_everyone=True)
    yield Sabotage("staging.admin-refuses-user", "open", "lets any user in", everyone, "200", (DOORS,))
    one = on_one_pod(settings={"admin_for_everyone": True})
    yield Sabotage("staging.admin-refuses-user", "one-pod", "one pod lets any user in", one, "200", (DOORS,))
    unwell = settings(admin_unwell=True)
    yield Sabotage("staging.admin-allows-admin", "unwell", "a worker is down", unwell, "worker")
    shut = answer(door, status=403, json={"error": "forbidden"})
    yield Sabotage(
        "staging.admin-allows-admin",
        "shut",
        "shut for all",
        shut,
        "403",
        ("staging.admin-refuses-anonymous", TOKENS),
    )
    login = answer(door, status=302, headers={"location": "/login"})
    others = ("staging.admin-allows-admin", "staging.admin-refuses-user", TOKENS)
    yield Sabotage("staging.admin-refuses-anonymous", "login", "sends to a login page", login, "302", others)


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
    series = ("staging.metrics-series",)
    traced = altered(path, build, build[:-1] + ' # {trace_id="4bf92f3577b34da6"} 1.0\n')
    yield Sabotage(line, "exemplar", "an exemplar in text/plain", traced, "whole scrape is lost", series)
    unended = answer(path, headers={"Content-Type": "application/openmetrics-text; version=1.0.0"})
    yield Sabotage(line, "no-eof", "OpenMetrics without its end", unended, "expected # EOF", series)
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
    unrouted = altered(path, 'path="', 'route="')
    yield Sabotage(line, "path", "no path label, which live needs", unrouted, "path")
