"""The production day, moment by moment: what an engineer types, done with the real programs.

A world comes up at `start`: staging has the release, and blue serves production on the schema of the version
before. It only ever moves forward. The checks of a phase are true from its moment on.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from nox_rehearsal.cluster import objects
from nox_rehearsal.cluster.objects import Api
from nox_rehearsal.cluster.release import documents
from nox_rehearsal.day import saving, watching
from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import prometheus, repository
from nox_rehearsal.parts.monitoring.configuration import monitors_of
from nox_rehearsal.people import persons, users
from nox_rehearsal.people.visitors import PATH as VISITED
from nox_rehearsal.world import lifecycle as worlds
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually
from noxgate.machine.tls import trusting

START, LIVE, WATCH, WINDOW = "start", "live", "watch", "window"
INGRESS = "nox-api-ingress"
GREEN = "k8s/production/green"
SWITCH = "k8s/production/switch-to-green.json"
BACK = "k8s/production/back-to-blue.json"
# Seconds; a busy machine's: twelve were seen of a switch that takes one elsewhere.
ROLLING_OUT = 60.0  # until every green pod is ready and scraped
SWITCHING = 60.0
SCRAPED_BLUE = 60.0
BLUE_SCRAPES = 20  # a second apart
GREEN_SCRAPES = 4  # that brought new requests: what the shortest rate of the key metrics is made of
IN_A_ROW = 20  # answers of the new version until nginx is taken to lead there alone
_FILE = "moments.json"


def at(world: World) -> str:
    """The moment that a world is at."""
    return list(reached(world))[-1]


def reached(world: World) -> dict[str, datetime]:
    """When a world came to each of its moments, in order."""
    try:
        found = json.loads((world.folder / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = {}
    began = datetime.fromtimestamp((world.folder / "release.toml").stat().st_mtime, UTC)
    return {START: began} | {moment: datetime.fromisoformat(time) for moment, time in found.items()}


def bring(world: World, moment: str, *, say: Callable[[str], None] = lambda _: None) -> None:
    """Bring a world to a moment, through those before it. Raises RehearsalError for one that is over."""
    if moment not in ORDER:
        raise RehearsalError(f"no moment {moment!r} (moments: {', '.join(ORDER)})")
    now = at(world)
    if ORDER.index(moment) < ORDER.index(now):
        raise RehearsalError(
            f"the rehearsal {world.name!r} is at {now} and only moves forward: "
            f"for {moment}, noxgate rehearse down, then up"
        )
    for each in ORDER[ORDER.index(now) + 1 : ORDER.index(moment) + 1]:
        MOMENTS[each](world, say)
        if each not in {WATCH, WINDOW}:
            persons.attest_all(world, each, watching.before(reached(world)[START], each))
        done = {name: time.isoformat() for name, time in reached(world).items() if name != START}
        draft = world.folder / f"{_FILE}.draft"
        draft.write_text(json.dumps(done | {each: datetime.now(UTC).isoformat()}), encoding="utf-8")
        draft.replace(world.folder / _FILE)


def _prep(world: World, say: Callable[[str], None]) -> None:
    say("Backing production up with pg_dump.")
    saving.back_up(world)
    say("Writing the rollback manifests from the live objects of nox-production.")
    with objects.administrator(world) as api:
        saving.save_manifests(world, api)
    say("Migrating production with psql; blue serves on.")
    saving.migrate(world)


def _green(world: World, say: Callable[[str], None]) -> None:
    say(f"Tagging v{world.version} and pushing the tag.")
    tag = f"v{world.version}"
    message = f"NOX API {tag} Production Release"
    repository.git(world.source, "tag", "--annotate", tag, f"--message={message}")
    repository.git(world.source, "push", "--quiet", "origin", tag)
    say("Applying green's manifests; its pods start.")
    with objects.administrator(world) as api:
        for content in documents(world.source / GREEN):
            api.apply(content)
        worlds.start(world, *world.green_pods)
        eventually(lambda: _is_ready(api, len(world.green_pods)), within=ROLLING_OUT, every=0.1)
    found = monitors_of("green", objects.GREEN, world.green_pods)
    prometheus.add(world, found)


def _was_blue_asked(world: World) -> None:
    asked = f'http_requests_total{{namespace="{objects.BLUE}",path="{VISITED}"}}'
    scrapes = prometheus.values(world, f"max(count_over_time({asked}[60s]))")
    assert max(scrapes, default=0) >= BLUE_SCRAPES, f"scrapes of blue's requests: {scrapes}"


def _is_green_asked(world: World) -> None:
    asked = f'http_requests_total{{namespace="{objects.GREEN}",path="{VISITED}"}}'
    scrapes = prometheus.values(world, f"max(changes({asked}[60s]))")
    assert max(scrapes, default=0) >= GREEN_SCRAPES, f"scrapes with new requests of green's: {scrapes}"


def _live(world: World, say: Callable[[str], None]) -> None:
    # green is compared with blue's last hour: a world that came here at once has too little of it
    eventually(lambda: _was_blue_asked(world), within=SCRAPED_BLUE, every=0.5)
    say("Switching traffic to green.")
    _switch(world, SWITCH, world.version, say)
    # the key metrics are of half an hour with users: here they are looked at as soon as there are some
    eventually(lambda: _is_green_asked(world), within=SWITCHING, every=0.25)


def _watch(world: World, say: Callable[[str], None]) -> None:
    say("48 hours pass: what Prometheus and the database would have of them is put in. Opening the window.")
    watching.begin(world, reached(world)[START])


def _window(world: World, _: Callable[[str], None]) -> None:
    watching.make_the_rest(world)


def _rollback(world: World, say: Callable[[str], None]) -> None:
    say("Decided to roll back. Switching traffic back to blue.")
    times = {"decided": datetime.now(UTC)}
    _switch(world, BACK, world.previous, say)
    times["all users have blue"] = datetime.now(UTC)
    saving.note_times(world, times)
    say("Keeping the logs and descriptions of green's pods.")
    with objects.administrator(world) as api:
        saving.keep_green(world, api)


MOMENTS = {
    "prep": _prep,
    "green": _green,
    LIVE: _live,
    WATCH: _watch,
    WINDOW: _window,
    "rollback": _rollback,
}
ORDER = (START, *MOMENTS)


def _is_ready(api: Api, pods: int) -> None:
    status = api.get("Deployment", "nox-api-deployment-green", objects.GREEN).get("status", {})
    assert status.get("readyReplicas") == pods, f"green is not ready: {status}"


def _switch(world: World, file: str, version: str, say: Callable[[str], None]) -> None:
    """Patch the Ingress while users ask, until they get nothing but the other version."""
    with users.asking(world) as asked:
        began = time.monotonic()
        _patch(world, file)
        wait_for(world, version)
        took = time.monotonic() - began
    say(f"All users have {version} after {took:.1f} s; {asked}.")
    if asked.failed:
        raise RehearsalError(f"the switch was noticed: {asked}, the first {asked.failed[0]}")


def _patch(world: World, file: str) -> None:
    """As `kubectl patch ingress nox-api-ingress -n nox-production --type=json --patch-file FILE` does."""
    with objects.administrator(world) as api:
        api.send(
            "PATCH",
            objects.path_of("Ingress", INGRESS, objects.PRODUCTION),
            params={"fieldManager": "kubectl-patch"},
            content=Path(world.source / file).read_bytes(),
            headers={"content-type": "application/json-patch+json"},
        )


def wait_for(world: World, version: str) -> None:
    """Wait until users get this version, again and again."""
    trusted = trusting(world.ca_file)
    fresh = httpx.Limits(max_keepalive_connections=0)  # nginx may close an idle one as it reloads
    with httpx.Client(verify=trusted, trust_env=False, timeout=30, limits=fresh) as client:

        def only_that() -> None:
            for _ in range(IN_A_ROW):
                answer = client.get(f"{world.production_url}/version")
                assert answer.status_code == httpx.codes.OK, f"HTTP {answer.status_code}"
                assert answer.json()["version"] == version, answer.text

        try:
            eventually(only_that, within=SWITCHING, every=0.05)
        except AssertionError as error:
            raise RehearsalError(f"users do not get {version} after {SWITCHING:g} s: {error}") from None
