"""Production is not prepared: the backup, the migration, the way back, or blue."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from nox_rehearsal.cluster.objects import BLUE, PRODUCTION, administrator, path_of
from nox_rehearsal.cluster.processes import CONTAINER
from nox_rehearsal.parts import prometheus
from nox_rehearsal.sabotages import prep_backup
from nox_rehearsal.sabotages.files import MANIFESTS, OUTPUT, aged, resaved, spoiled
from nox_rehearsal.sabotages.in_cluster import added, besides, edited
from nox_rehearsal.sabotages.sabotage import Sabotage
from nox_rehearsal.sabotages.ways import answer, in_production, on_one_pod, settings, sql
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually

BACK = "k8s/production/back-to-blue.json"
INGRESS = "nox-api-ingress"
POD = "nox-api-blue-2"
Items = list[dict[str, Any]]
Prepared = partial(Sabotage, moment="prep")


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from prep_backup.sabotages()
    yield from _migration()
    yield from _manifests()
    yield from _way_back()
    yield from _blue()
    yield from _monitoring()


def _migration() -> Iterator[Sabotage]:
    line = "prep.migration-log"
    refused = b"psql:migration.sql:212: ERROR:  canceling statement due to lock timeout\n"
    error = spoiled(lambda text: text.replace(b"CREATE TRIGGER\n", refused), OUTPUT, sealed=False)
    yield Prepared(line, "error", "one statement failed, the last did not", error, "lock timeout")
    german = b"psql:migration.sql:212: FEHLER:  storniere Anfrage wegen Sperre\n"
    error = spoiled(lambda text: text.replace(b"CREATE TRIGGER\n", german), OUTPUT, sealed=False)
    yield Prepared(line, "german", "as error, from a server that speaks German", error, "storniere Anfrage")
    quiet = spoiled(lambda _: b"", OUTPUT, sealed=False)
    yield Prepared(line, "silent", "nobody kept the output", quiet, "expected > 0, saw 0")
    yield Prepared(line, "earlier", "the output of a run before", aged(10, OUTPUT), "before the run ended")
    broken_off = in_production(
        sql(
            "UPDATE migration_log SET step = 'checking' WHERE step = 'finished'",
            "UPDATE migration_log SET step = 'finished' WHERE step = 'checking'",
        )
    )
    yield Prepared(line, "broken-off", "it never came to its end", broken_off, "checking")

    line = "prep.migration-catalog"
    flag = "UPDATE pg_index SET indisvalid = {} WHERE indexrelid = 'idx_jobs_tags'::regclass"
    invalid = in_production(sql(flag.format("false"), flag.format("true")))
    yield Prepared(line, "invalid", "an index that is never used", invalid, "idx_jobs_tags")
    column = in_production(
        sql(
            "ALTER TABLE users RENAME COLUMN mfa_enabled TO mfa",
            "ALTER TABLE users RENAME COLUMN mfa TO mfa_enabled",
        )
    )
    yield Prepared(line, "column", "the version is set, a column is missing", column, "mfa_enabled")
    trigger = "ALTER TABLE computational_jobs {} TRIGGER trigger_update_batch_stats"
    disabled = in_production(sql(trigger.format("DISABLE"), trigger.format("ENABLE")))
    yield Prepared(line, "disabled", "there, and does not fire", disabled, "trigger_update_batch_stats")
    away = in_production(
        sql(
            "CREATE SCHEMA old; ALTER TABLE rate_limit_buckets SET SCHEMA old",
            "ALTER TABLE old.rate_limit_buckets SET SCHEMA public; DROP SCHEMA old",
        )
    )
    yield Prepared(line, "away", "a table in another schema", away, "rate_limit_buckets")

    right = "INSERT ON websocket_connections {} nox_production_app"
    grant = in_production(sql(f"REVOKE {right.format('FROM')}", f"GRANT {right.format('TO')}"))
    yield Prepared(line, "grant", "the API may not use a new table", grant, "no right to INSERT")
    lost = "ALTER TABLE rate_limit_buckets {0} CONSTRAINT rate_limit_buckets_bucket_key_key {1}"
    unique = in_production(sql(lost.format("DROP", ""), lost.format("ADD", "UNIQUE (bucket_key)")))
    yield Prepared(line, "key", "a key is gone", unique, "expected UNIQUE (bucket_key)")

    line, key = "prep.schema-version", "WHERE config_key = 'database_schema_version'"
    good = f"UPDATE system_configuration SET config_value = '\"8.0.0\"' {key}"
    near = {"rc1": ("8.0.0-rc1", "8.0.0-rc1"), "quoted": ('\\"8.0.0\\"', "'\"8.0.0\"'")}
    for name, (value, shown) in near.items():
        bad = f"UPDATE system_configuration SET config_value = '\"{value}\"' {key}"
        yield Prepared(line, name, f"the row says {shown}", in_production(sql(bad, good)), shown)


def _manifests() -> Iterator[Sabotage]:
    line = "prep.rollback-manifests-complete"
    all_kinds = resaved(lambda items: [each for each in items if each["kind"] == "Service"])
    yield Prepared(line, "all", "what `kubectl get all` lists", all_kinds, f"Ingress {INGRESS}")
    short = resaved(lambda items: [each for each in items if each["kind"] != "ConfigMap"])
    yield Prepared(line, "config-map", "one ConfigMap is missing", short, "ConfigMap nox-api-config")
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "only-the-edge", "namespace": PRODUCTION},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    yield Prepared(line, "later", "a policy made since", besides(policy), "NetworkPolicy only-the-edge")
    late = spoiled(
        lambda text: text.replace(
            b"name: nox-api-service-blue\n              port",
            b"name: nox-api-service-green\n              port",
        ),
        MANIFESTS,
        sealed=False,
    )
    yield Prepared(line, "switched", "saved after the switch", late, "nox-api-service-green")
    old = resaved(lambda items: _with(items, "ConfigMap", "data", **{"public-url": "https://old.example"}))
    yield Prepared(line, "old", "last month's ConfigMap", old, "data.public-url")
    fewer = resaved(lambda items: [_with_paths(each, 4) for each in items])
    yield Prepared(line, "few-paths", "the Ingress with 4 of its paths", fewer, "leads to nowhere")
    double = resaved(lambda items: [*items, *(each for each in items if each["kind"] == "ConfigMap")])
    yield Prepared(line, "twice", "one object twice", double, "saw ConfigMap nox-api-config")

    line = "prep.rollback-manifests-replay"
    version = resaved(lambda items: _with(items, "ConfigMap", "metadata", resourceVersion="1"))
    yield Prepared(line, "version", "one object as kubectl prints it", version, "resourceVersion")
    status = resaved(
        lambda items: [
            each
            | (
                {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
                if each["kind"] == "Ingress"
                else {}
            )
            for each in items
        ]
    )
    yield Prepared(line, "status", "the Ingress with its status", status, "status")
    odd = resaved(lambda items: _with(items, "Service", "spec", sesionAffinity="None"))
    complete = ("prep.rollback-manifests-complete",)
    yield Prepared(
        line, "misspelt", "edited by hand, a letter is missing", odd, "sesionAffinity", also=complete
    )
    large = resaved(lambda items: _with(items, "ConfigMap", "data", more="x" * 270_000))
    yield Prepared(
        line, "too-large", "no room for kubectl's own note of it", large, "not have more than", also=complete
    )


def _way_back() -> Iterator[Sabotage]:
    line = "prep.rollback-dry-run"
    short = added(BACK, _leaves_websocket)
    yield Prepared(line, "one-left", "leaves /ws on green", short, "/ws")
    backend = '{"service": {"name": "nox-api-service-blue", "port": {"number": 80}}}'
    patch = f'{{"spec": {{"rules": [{{"http": {{"paths": [{{"backend": {backend}}}]}}}}]}}}}'
    yield Prepared(line, "runbook", "the runbook's own patch", added(BACK, patch), "pathType")
    fewer = edited(
        "Ingress", INGRESS, [{"op": "remove", "path": "/spec/rules/0/http/paths/12"}], namespace=PRODUCTION
    )
    saved = ("prep.rollback-manifests-complete",)  # before that
    yield Prepared(line, "changed", "the Ingress lost a path since", fewer, "422", also=saved)


def _blue() -> Iterator[Sabotage]:
    line, version = "prep.blue-ready", "prep.blue-version"
    asked = tuple(f"prep.blue-{part}" for part in ("health", "user-pages", "science", "websocket"))
    also = (version, "prep.monitoring-active", *asked)
    yield Prepared(line, "dead", "one of two has died", _dead, POD, also)
    unready = in_production(
        on_one_pod(answers={"GET /ready": {"status": 503, "json": {"status": "not ready"}}})
    )
    yield Prepared(line, "schema", "healthy, and not ready by its own word", unready, "503")
    condition = {"type": "Ready", "status": "False", "reason": "ContainersNotReady"}
    patch = [{"op": "replace", "path": "/status/conditions", "value": [condition]}]
    kubelet = edited("Pod", POD, patch, namespace=BLUE, status=True)
    yield Prepared(line, "kubelet", "ready by its own word alone", kubelet, "Ready=False")

    older = in_production(on_one_pod(settings={"version": "7.9.2"}))
    yield Prepared(version, "mixed", "two versions of blue", older, "7.9.2")
    already = in_production(settings(version="8.0.0"))
    yield Prepared(version, "release", "somebody deployed into blue", already, "8.0.0")
    page = in_production(answer("GET /version", text="<html>7.9.3</html>"))
    yield Prepared(version, "page", "a page that mentions 7.9.3", page, "JSON")


def _monitoring() -> Iterator[Sabotage]:
    line = "prep.monitoring-active"
    yield Prepared(line, "absent", "one of blue's pods is not scraped", _not_scraped, POD)
    yield Prepared(line, "rules", "staging's rules alone are loaded", _no_rules, "nox-production-")
    yield Prepared(line, "unheard", "alerts are sent to nobody", _unheard, "no Alertmanager")


@contextmanager
def _dead(world: World) -> Iterator[None]:
    """A pod of blue has ended, and its status says so; in the end a new one, without a past, is ready."""

    def is_ready(wanted: bool) -> None:  # noqa: FBT001
        pods = [pod for pod in api.list("Pod", BLUE) if pod["metadata"]["name"] == POD]
        statuses = [each for pod in pods for each in pod.get("status", {}).get("containerStatuses", [])]
        own = [each for each in statuses if each["name"] == CONTAINER]
        assert [(each["ready"], each["restartCount"]) for each in own] == [(wanted, 0)]

    with administrator(world) as api:
        worlds.stop(world, POD)
        try:
            eventually(partial(is_ready, wanted=False), within=30, every=0.05)
            yield
        finally:
            worlds.start(world, POD)
            api.send("DELETE", path_of("Pod", POD, BLUE), params={"gracePeriodSeconds": "0"})
            eventually(partial(is_ready, wanted=True), within=30, every=0.05)
            prometheus.restore(world)  # which waits until it is scraped


@contextmanager
def _not_scraped(world: World) -> Iterator[None]:
    prometheus.apply(world, monitors=prometheus.usual(world).without(POD))
    try:
        yield
    finally:
        prometheus.restore(world)


@contextmanager
def _no_rules(world: World) -> Iterator[None]:
    groups = [group for group in prometheus.usual(world).groups if "production" not in group["name"]]
    prometheus.apply(world, groups=groups)
    try:
        yield
    finally:
        prometheus.restore(world)


@contextmanager
def _unheard(world: World) -> Iterator[None]:
    prometheus.apply(world, heard=False)
    try:
        yield
    finally:
        prometheus.restore(world)


def _leaves_websocket(world: World) -> str:
    steps = json.loads((world.source / BACK).read_text(encoding="utf-8"))
    return json.dumps([step for step in steps if "/paths/11/" not in step["path"]])


def _with_paths(item: dict[str, Any], number: int) -> dict[str, Any]:
    """An Ingress with the first of its paths alone."""
    if item["kind"] != "Ingress":
        return item
    changed = copy.deepcopy(item)
    for rule in changed["spec"]["rules"]:
        del rule["http"]["paths"][number:]
    return changed


def _with(items: Items, kind: str, part: str, **fields: str) -> Items:
    """The first object of a kind with more fields in one of its parts."""
    first = next(each for each in items if each["kind"] == kind)
    return [each | {part: each[part] | fields} if each is first else each for each in items]
