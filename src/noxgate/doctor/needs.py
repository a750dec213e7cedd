"""What each line of the runbook waits for, as its checks' own code says it."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noxgate.doctor.code import PEERS, Code, Named
from noxgate.project.checks import Check
from noxgate.project.target import CREDENTIALS, PROVIDERS
from noxgate.systems.kubernetes.kinds import KINDS

# The client or fixture that opens a system -> what has to be there for it. A peer's is named after the peer.
OPENS = {
    "alert_tests": "alert_tests",
    "api_session": "address",
    "backup_trial": "backups",
    "cache_session": "redis",
    "counted": "counters",
    "database_session": "database",
    "facts": "record",
    "forward": "forward",
    "grafana": "grafana",
    "kube_sessions": "cluster",
    "load_results": "load",
    "manifests": "manifests",
    "metric_queries": "metrics",
    "migration_output": "backups",
    "migration_trial": "migration",
    "pod_logs": "logs",
    "prometheus_session": "prometheus",
    "quiet": "quiet",
    "registry_session": "registry",
    "repository": "source",
    "rollback_manifests": "backups",
    "rolled_back": "backups",
    "runtime": "runtime",
    "science_session": "science",
    "sentry": "sentry",
    "slower": "before",
    "vulnerabilities": "vulnerabilities",
}
SERIES = ("counters", "metrics", "quiet")  # that Prometheus must have
SHIPPED = "get shipped"
VERBS = {"get": "get", "need": "get", "live": "get", "list": "list"}  # of the client -> of the API
APPLIES = {"refusals", "try_apply", "dry_run_apply"}  # what asks for dry runs of manifests
PATCHES = "dry_run_patch"
SECRET = "secret"  # noqa: S105 (the method that reads a Secret)
CLIENTS = "clients"  # the method that asks Redis who is connected
FULL = "full"  # the method that asks for a load test of the full ramp alone
MAY_DO_WITHOUT = {"load_test": "states"}  # asked for what there is, and that may be nothing
MADE_OF = {"forged": "test_token"}  # with another signature
NOT_VERIFIED = {"greetings", "get_plain"}  # the methods that look without the certificate
PLAIN = "get_plain"
SUBJECT = "test_subject"
JUDGES = "facts"  # the method that judges the certificate
OF_TOKENS = tuple(role for role in CREDENTIALS if role.endswith("_token"))


TRUSTED, CERTIFICATE = "trusted", "certificate"  # it must be; it is what is judged


@dataclass(frozen=True)
class Need:
    """One thing that lines wait for: of the target, or of its peer. `what` is a kind, a provider, a role."""

    system: str
    what: str = ""
    peer: str = ""


def needs_of(root: Path, checks: Sequence[Check], code: Code | None = None) -> Mapping[str, frozenset[Need]]:
    """Line -> all that its checks need; `code` is what was read already."""
    code = code or Code(root)
    found: dict[str, set[Need]] = {}
    for check in checks:
        found.setdefault(check.line_id, set()).update(_of_check(code, root / check.file, check))
    return {line: frozenset(needs) for line, needs in found.items()}


def _of_check(code: Code, path: Path, check: Check) -> Iterator[Need]:
    name = check.node.partition("::")[2]
    (function,) = (node for found, node in code.fixtures(path, name) if found == name)
    spared = {fixture for fixture, method in MAY_DO_WITHOUT.items() if _uses(function, fixture) == {method}}
    # the counters are looked up in Prometheus only where the profile names them
    given = dict(code.fixtures(path, name, without=spared))
    lean = dict(code.fixtures(path, name, without={*spared, "counted"}))
    own = code.named(path, name)
    for fixture in {*lean, *(given.keys() & {"counted"})}:
        peer, base = _split(fixture)
        if base == "api_session" and not own.attributes & NOT_VERIFIED:
            yield Need("address", CERTIFICATE if JUDGES in own.attributes and "tls" in lean else TRUSTED)
        elif base in OPENS:
            full = base == "load_results" and FULL in _uses(function, "load_test")
            yield Need(OPENS[base], FULL if full else "", peer)
        if base == "api_session" and PLAIN in own.attributes:
            yield Need("plain")
        if fixture in PEERS:
            yield Need("peer", fixture)
    yield from _of_words(own, _with_fixtures(code, path, lean, name, own))
    if "cache_session" in lean and CLIENTS in own.attributes:
        yield Need("redis", CLIENTS)
    peers = [_split(fixture)[0] for fixture in lean if fixture.endswith("_kube_sessions")]
    for peer in [*([""] if "kube_sessions" in lean else []), *peers]:
        asked = set(_of_cluster(own))
        # all kinds that the manifests have are compared with what is live
        asked |= {Need("kind", SHIPPED)} if not asked and "manifests" in lean else set()
        yield from (Need(need.system, need.what, peer) for need in asked)


def _of_words(own: Named, texts: set[str]) -> Iterator[Need]:
    """Tokens and client ids."""
    texts = {MADE_OF.get(text, text) for text in texts}
    yield from (Need("token", role) for role in OF_TOKENS if role in texts)
    if SUBJECT in own.attributes:
        yield Need("subject")
    if "client_id" in own.attributes:
        yield from (Need("oauth", provider) for provider in PROVIDERS if provider in own.texts)


def _of_cluster(own: Named) -> Iterator[Need]:
    """Kinds of objects that are looked at, each with its verb, and dry runs."""
    for kind in KINDS:
        verbs = {VERBS[method] for method, given in own.calls if given == kind and method in VERBS}
        if kind in own.texts:
            yield from (Need("kind", f"{verb} {kind}") for verb in verbs or {"get", "list"})
    if SECRET in own.attributes:
        yield Need("kind", "get Secret")
    if own.attributes & APPLIES:
        yield Need("dry runs", "apply")
    if PATCHES in own.attributes:
        yield Need("dry runs", "patch")


def _with_fixtures(code: Code, path: Path, given: Mapping[str, object], check: str, own: Named) -> set[str]:
    """The texts, with those of fixtures of this folder alone: the first minutes ask as a user."""
    folder = path.parent / "conftest.py"
    texts = set(own.texts)
    if folder.is_file():
        module = code.module(folder)
        for name in given:
            if name != check and module.function(name):
                texts |= code.named(folder, name).texts
    return texts


def _split(fixture: str) -> tuple[str, str]:
    """The peer that a fixture is of, and its name without it."""
    peer, _, base = fixture.partition("_")
    return (peer, base) if peer in PEERS and base else ("", fixture)


def _uses(node: ast.AST, fixture: str) -> set[str]:
    """The attributes of a fixture that a check itself uses."""
    return {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == fixture
    }
