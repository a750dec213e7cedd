"""After the traffic switch: alerts, and key metrics that are too high, or not measured."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from nox_rehearsal.cluster.objects import GREEN
from nox_rehearsal.cluster.release import PRODUCTION_RULES
from nox_rehearsal.parts import containers, prometheus
from nox_rehearsal.parts.monitoring.configuration import NODES, Usual
from nox_rehearsal.people.visitors import PATH
from nox_rehearsal.sabotages.green_release import written
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.sabotages.ways import answer, in_production, on_one_pod
from nox_rehearsal.world.ports import DISCARD
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually, pause

After = partial(Sabotage, moment="live")

POD, SECOND = "nox-api-production-green-3", "nox-api-production-green-2"
LOADED, STATS = "live.alert-rules-loaded", "live.public-stats"
P95_LINE, ERRORS_LINE, SLOWER_LINE = "live.p95-{}", "live.errors-{}", "live.slower-than-before"
WITHIN, BELOW = "within-target", "below-critical"
GIB = 1024**3
WINDOW = 9.0  # seconds, longer than checks look back
COMPARED = 21.0  # the same for the comparison with blue: as many windows as tell of bursts, a scrape a second
FAILED = range(510, 600)  # statuses that nothing else in a rehearsal answers
BURST, BETWEEN = 4, 1.5  # requests to each pod; seconds until the next
_BOARD = "live.grafana-dashboard"  # it shows memory, too
ONE_RATE = 4  # seconds that a rate of the checks is made of, in a rehearsal
BACK_TO_NORMAL = 90.0  # seconds until what was measured is out of every window


# All that users ask for: right after the switch, many quick requests hide one path's slow ones.
OF_USERS = f'namespace="{GREEN}",job="nox-api",path!~"/metrics|/health|/ready"'
P95_QUERY = (
    f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{OF_USERS}}}[4s])))"
)
# Of all that the check looks back at, which begins with what was quick
MEDIAN_QUERY = (
    f"histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{{{OF_USERS}}}[20s])))"
)
ERRORS_QUERY = (
    f'100 * (sum(rate(http_requests_total{{{OF_USERS},status=~"5.."}}[4s])) or vector(0))'
    f" / sum(rate(http_requests_total{{{OF_USERS}}}[4s]))"
)


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _alerts()
    yield from _requests()
    yield from _containers()
    yield from _scrapes()


def _alerts() -> Iterator[Sabotage]:
    labels = {"severity": "critical", "namespace": GREEN}
    rule = {"alert": "QueueStands", "expr": "vector(1)", "labels": labels}
    more = _prometheus(lambda usual: {"groups": [*usual.groups, {"name": "others", "rules": [rule]}]})
    yield After("live.alerts-quiet", "another", "a team's own rule of green fires", more, "QueueStands")
    name = "NoxApiPodDown"
    fires = _prometheus(lambda usual: {"groups": _production(usual, name, expr="vector(1)", **{"for": "0s"})})
    yield After("live.alerts-quiet", "shipped", "one of the shipped alerts fires", fires, name, (LOADED,))
    deaf = _rules('job="nox-api"', 'job="nox_api"')
    yield After(LOADED, "job", "a label that no series has", deaf, "nox_api")
    colours = 'namespace=~"nox-production-({})"'
    blue = _rules(colours.format("blue|green"), colours.format("blue|gren"))
    yield After(LOADED, "blue", "they still watch blue alone", blue, "(blue|gren)")
    fewer = _prometheus(lambda usual: {"groups": [each for each in usual.groups if not _is_presence(each)]})
    yield After(LOADED, "fewer", "one file of rules is not loaded", fewer, "NoxApiGone")
    unheard = _prometheus(lambda _: {"heard": False})
    yield After(LOADED, "unheard", "alerts are sent to nobody", unheard, "no Alertmanager")


def _requests() -> Iterator[Sabotage]:
    target, critical = P95_LINE.format(WITHIN), P95_LINE.format(BELOW)
    slow = _measured(in_production(answer(f"GET {PATH}", delay=0.32)), P95_QUERY, 0.3)
    yield After(target, "slow", "0.32 s, in the bucket that ends at 0.4", slow, "< 300")
    slower = _measured(in_production(answer(f"GET {PATH}", delay=0.55)), P95_QUERY, 0.5)
    yield After(critical, "slower", "half a second and more", slower, "< 500", (target,))
    three = _measured(in_production(answer(f"GET {PATH}", delay=0.2)), MEDIAN_QUERY, 0.15, COMPARED, COMPARED)
    yield After(
        SLOWER_LINE, "three-times", "many times slower, and below 300 ms", three, "beside blue's last hour"
    )
    target, critical = ERRORS_LINE.format(WITHIN), ERRORS_LINE.format(BELOW)
    some = in_production(on_one_pod(answers={f"GET {PATH}": {"status": 500}}), green=True)
    failing = _measured(some, ERRORS_QUERY, 5)
    others = (target, STATS)
    yield After(critical, "a-third", "one pod of three fails at a path", failing, "< 5", others)
    other = _measured(in_production(answer(f"GET {PATH}", status=503)), ERRORS_QUERY, 5)
    yield After(target, "all", "a path is gone", other, "< 1", (critical, STATS))
    begins = "each failure begins a series"
    yield After(critical, "begins", begins, _bursts, "< 5", (target,))


def _containers() -> Iterator[Sabotage]:
    for metric, near, over in (
        ("memory", {"memory": 0.62 * GIB}, {"memory": 0.82 * GIB}),
        ("cpu", {"cpu": 0.52}, {"cpu": 0.82}),
    ):
        target, critical = f"live.{metric}-{WITHIN}", f"live.{metric}-{BELOW}"
        yield After(target, "one-pod", "one pod, by a little", _more(metric, near), POD)
        yield After(critical, "one-pod", "one pod, by a little", _more(metric, over), POD, (target,))


def _scrapes() -> Iterator[Sabotage]:
    target, critical = "live.pods-within-target", "live.pods-above-critical"
    one = _prometheus(lambda usual: {"monitors": usual.at(POD, f"127.0.0.1:{DISCARD}")})
    yield After(target, "two", "two of three pods answer", one, ">= 3", (LOADED,))

    def both(usual: Usual) -> Any:
        first = usual.at(POD, f"127.0.0.1:{DISCARD}")
        return {"monitors": Usual(first, usual.groups).at(SECOND, f"127.0.0.1:{DISCARD}")}

    yield After(critical, "one", "one pod answers", _prometheus(both), ">= 2", (target, LOADED))
    unseen = _prometheus(lambda usual: {"monitors": usual.without(POD)})
    blind = partial(After, outcome="unreachable")
    lines = (
        P95_LINE.format(WITHIN),
        ERRORS_LINE.format(WITHIN),
        ERRORS_LINE.format(BELOW),
        target,
        critical,
        LOADED,
    )
    yield blind(
        P95_LINE.format(BELOW),
        "gap",
        "one pod is not measured",
        unseen,
        "expected 90% of the samples",
        lines,
    )
    silent = _prometheus(lambda usual: {"monitors": {**usual.monitors, NODES: []}})
    others = ("live.memory-within-target", "live.cpu-within-target", "live.cpu-below-critical", _BOARD)
    yield blind("live.memory-below-critical", "dark", "no node is measured", silent, "saw none", others)


def _prometheus(change: Callable[[Usual], Mapping[str, Any]]) -> Switch:
    """Prometheus has other rules; or other targets, for long enough that no window knows the usual ones."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        changes = change(prometheus.usual(world))
        try:
            prometheus.apply(world, **changes)
            if "monitors" in changes:
                _settle()
            yield
        finally:
            prometheus.restore(world)
            if "monitors" in changes:
                _settle()

    return on


def _settle() -> None:
    """Let pass what the checks look back upon."""
    pause(WINDOW)


def _production(usual: Usual, alert: str, **changes: Any) -> Sequence[Mapping[str, Any]]:
    """The groups with one of production's rules changed; staging's has the same name."""
    return [
        {
            **group,
            "rules": [
                {**rule, **changes} if rule.get("alert") == alert and "production" in group["name"] else rule
                for rule in group["rules"]
            ],
        }
        for group in usual.groups
    ]


def _is_presence(group: Mapping[str, Any]) -> bool:
    return group["name"].startswith("nox-api-production") and "presence" in group["name"]


def _rules(old: str, new: str) -> Switch:
    """Production's rules say something else, as shipped and as loaded."""
    inner = json.dumps(old)[1:-1], json.dumps(new)[1:-1]  # as it stands inside of JSON

    def loaded(usual: Usual) -> Mapping[str, Any]:
        return {"groups": json.loads(json.dumps(usual.groups).replace(*inner))}

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with (
            written(PRODUCTION_RULES, None, lambda text: text.replace(old, new))(world),
            _prometheus(loaded)(world),
        ):
            yield

    return on


def _more(metric: str, amount: Mapping[str, float]) -> Switch:
    """A pod uses more than its process does."""
    query = {
        "memory": f'container_memory_working_set_bytes{{pod="{POD}"}} / {GIB}',
        "cpu": f'rate(container_cpu_usage_seconds_total{{pod="{POD}"}}[4s])',
    }[metric]

    @contextmanager
    def added(world: World) -> Iterator[None]:
        path = world.folder / containers.MORE
        path.write_text(json.dumps({POD: amount}), encoding="utf-8")
        try:
            yield
        finally:
            path.unlink()

    return _measured(added, query, amount[metric] / (GIB if metric == "memory" else 1))


def _measured(
    fault: Switch, query: str, limit: float, seconds: float = WINDOW, lasting: float = 0.0
) -> Switch:
    """A fault that Prometheus has seen, and in the end has forgotten: alerts look back two minutes."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        try:
            with fault(world):
                eventually(lambda: _is(world, query, limit, above=True), within=BACK_TO_NORMAL, every=0.2)
                pause(lasting)
                yield
        finally:
            ended = time.monotonic()
            eventually(lambda: _is(world, query, limit, above=False), within=BACK_TO_NORMAL, every=0.2)
            pause(max(0.0, ended + ONE_RATE + seconds - time.monotonic()))
            prometheus.forget(world, f'{{__name__=~"http_request.*",namespace="{GREEN}"}}', seconds)

    return on


@contextmanager
def _bursts(world: World) -> Iterator[None]:
    """Again and again some requests fail at once, each time with another status: no series ever grows."""
    over = threading.Event()

    def burst(status: int) -> None:
        with in_production(answer(f"PUT {PATH}", status=status))(world):
            for port in list(world.green_pods.values()) * BURST:
                with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                    connection.request("PUT", PATH)  # as only this does
                    connection.getresponse().read()

    def bursts() -> None:
        for status in FAILED:
            burst(status)
            if over.wait(BETWEEN):
                return

    thread = threading.Thread(target=bursts)
    thread.start()
    seen = f'count(sum by (status) (http_requests_total{{{OF_USERS},status=~"5[1-9]."}}))'
    try:
        eventually(lambda: _is(world, seen, 2, above=True), within=BACK_TO_NORMAL, every=0.2)
        yield
    finally:
        over.set()
        thread.join()
        pause(ONE_RATE + WINDOW)
        prometheus.forget(world, f'{{__name__=~"http_request.*",namespace="{GREEN}"}}', WINDOW)


def _is(world: World, query: str, limit: float, *, above: bool) -> None:
    # at whole seconds, as the checks ask; so long that no window of theirs has only its beginning
    over = f"min_over_time(({query})[{ONE_RATE}s:1s])" if above else f"last_over_time(({query})[1s:1s])"
    values = prometheus.values(world, over)
    assert values, f"no data: {query}"
    assert (max(values) > limit) is above, f"{values}"
