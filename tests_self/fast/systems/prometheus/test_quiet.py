"""A quiet night, and one in which users do not get through: on six hours of two days."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests_self.building.metrics import client
from tests_self.served import BEGINS, Ingress, Pod, Request, always, remembering, steady
from tests_self.service import queries

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.target import Hours
from noxgate.systems.prometheus.quiet import Quiet, nginx_requests
from noxgate.systems.prometheus.window_metrics import WindowMetrics

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

LENGTH = 3 * 3600
FROM, TO = 3600 + 300, 7200 + 600  # no request for more than an hour
DAY = timedelta(days=1)
Counted = Callable[[float], dict[str, float]]


def usual(start: float = FROM, end: float = TO) -> list[Request]:
    """One request each ten seconds, but for a while."""
    return [one for one in steady(BEGINS, LENGTH, 10) if not start <= one.at < end]


PROBED = steady(BEGINS, LENGTH, 5, path="/health")
ALWAYS = steady(BEGINS, LENGTH, 10)


def passed(failed: float = 0, probes: float = 0, start: float = FROM, end: float = TO) -> Counted:
    """What passes through the ingress; so many fail, or are probes, while no user asks."""

    def counted(at: float) -> dict[str, float]:
        quiet = max(0.0, min(at, end) - start)
        asked = (at - BEGINS - quiet) / 10
        within = quiet / (end - start)
        more = {"503": failed * within} if failed and within else {}
        return {"200": asked + probes * within, **more}

    return counted


PASSED = passed()


def nothing(_: float) -> dict[str, float]:
    return {"200": 1.0}


def begun_anew(at: float) -> dict[str, float]:
    """The ingress starts anew while it is quiet, and has users whom no pod has."""
    return {"200": 200.0} if at > FROM + 900 else PASSED(at)


def redirected(at: float) -> dict[str, float]:
    """To https, by the ingress itself: somebody goes through addresses without it."""
    return {**PASSED(at), "308": float(at - BEGINS)}


def left(at: float) -> dict[str, float]:
    return {**PASSED(at), "499": 3.0 * (at > FROM + 600)}


def late(count: float) -> Callable[[float], dict[str, float]]:
    """Another one, whose begin is unknown."""
    return lambda at: {"200": count} if at > FROM + 900 else {}


class Night(NamedTuple):
    """A namespace: its pods and the ingress before it, and the pods of the day before."""

    pods: Sequence[Pod]
    ingress: Sequence[Ingress]
    before: Sequence[Pod]


def night(
    name: str,
    requests: Sequence[Request] = tuple(usual()),
    ingress: Counted | None = PASSED,
    before: Sequence[Request] | None = tuple(usual()),
    seen: Callable[[float], bool] = always,
    before_seen: Callable[[float], bool] = always,
    label: str = "exported_namespace",
    ingress_seen: Callable[[float], bool] = always,
    second: Counted | None = None,
    second_seen: Callable[[float], bool] = always,
    **more: str,
) -> Night:
    space = f"public-{name}"
    gates = [] if ingress is None else [Ingress(space, ingress, ingress_seen, label, more=more)]
    if second is not None:
        gates.append(Ingress(space, second, second_seen, label, "ingress-2"))
    old = [] if before is None else [Pod(f"blue-{name}", before, seen=before_seen)]
    return Night([Pod(name, requests, seen=seen)], gates, old)


def but(start: float, end: float) -> Callable[[float], bool]:
    return lambda at: not start <= at < end


NIGHTS = {
    "usual": night("usual", ALWAYS),
    "as-before": night("as-before"),
    "honoured": night("honoured", label="namespace"),
    "probed": night("probed", [*usual(), *PROBED], passed(probes=200), [*usual(), *PROBED]),
    "longer-before": night("longer-before", before=usual(FROM - 200, TO + 200)),
    "busy-before": night("busy-before", before=ALWAYS),
    "shorter-before": night("shorter-before", before=usual(FROM, TO - 1800)),
    "unknown-before": night("unknown-before", before=None),
    "dark-before": night("dark-before", before_seen=but(FROM, FROM + 600)),
    "dark": night("dark", seen=but(FROM + 600, FROM + 900)),
    "no-ingress": night("no-ingress", ingress=None),
    "ingress-dark": night("ingress-dark", ingress_seen=but(FROM + 600, FROM + 1200)),
    "turned-away": night("turned-away", ingress=passed(failed=30)),
    "turned-away-once": night("turned-away-once", ingress=passed(failed=1)),
    "lost": night("lost", ingress=passed(probes=200)),
    "begun-anew": night("begun-anew", ingress=begun_anew),
    "redirected": night("redirected", ingress=redirected),
    "left": night("left", [*usual(), *PROBED], left, [*usual(), *PROBED]),
    "all-left": night("all-left", ingress=left),
    "two": night("two", second=nothing),
    "second-dark": night("second-dark", second=nothing, second_seen=but(FROM + 600, FROM + 1200)),
    "second-gone": night("second-gone", second=nothing, second_seen=lambda at: at < FROM + 600),
    "second-late": night("second-late", second=late(7)),
    "second-new": night("second-new", [*usual(), *PROBED], before=[*usual(), *PROBED], second=late(7)),
    "in-one-namespace": night(
        "in-one-namespace",
        [*usual(), *PROBED],
        passed(probes=500),
        [*usual(), *PROBED],
        namespace="public-in-one-namespace",
    ),
}


class Asked(NamedTuple):
    """A Prometheus, and where the night begins."""

    url: str
    began: datetime


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    began = (datetime.now(UTC) - timedelta(hours=5)).replace(minute=0, second=0, microsecond=0)

    def lines() -> Iterator[str]:
        long = int(DAY.total_seconds()) + LENGTH
        nights = [one for one in steady(BEGINS, long, 10) if not FROM <= one.at % DAY.total_seconds() < TO]
        yield from Pod("two-nights", nights, every=60).samples(began - DAY, long)
        yield from Pod("blue-two-nights", usual(), every=60).samples(began - 2 * DAY, LENGTH)
        gate = Ingress("public-two-nights", lambda _: {"200": 1.0})
        yield from gate.samples(began - DAY, long)
        for each in NIGHTS.values():
            for old in each.before:
                yield from old.samples(began - DAY, LENGTH)
            for pod in each.pods:
                yield from pod.samples(began, LENGTH)
            for gate in each.ingress:
                yield from gate.samples(began, LENGTH)

    with remembering(tmp_path_factory.mktemp("quiet"), lines()) as url:
        yield Asked(url, began)


@pytest.fixture
def observed() -> list[Observation]:
    return []


@pytest.fixture
def outages(asked: Asked, loopback: "Loopback", observed: list[Observation]) -> Callable[..., list[str]]:
    def of(name: str, *hours: Hours) -> list[str]:
        looking = client(loopback, asked.url, observed)
        end = asked.began + timedelta(seconds=LENGTH)
        metrics = WindowMetrics(looking, queries(name), asked.began, end, 90, 15)
        ingress = nginx_requests(f"public-{name}", "nox-api-ingress")
        return Quiet(hours, ingress, asked.began, f"blue-{name}").outages(metrics)

    return of


def named(asked: Asked, start: float, end: float) -> Hours:
    """Hours of each day, so many seconds after the beginning."""
    first, last = (asked.began + timedelta(seconds=each) for each in (start, end))
    return Hours(time(first.hour, first.minute), time(last.hour, last.minute))


def quiet(observed: Sequence[Observation]) -> list[str]:
    return [one.seen for one in observed if ": quiet, " in one.seen]


@pytest.mark.parametrize(
    "name",
    [
        *("as-before", "honoured", "probed", "longer-before"),
        *("redirected", "two", "second-gone", "second-new", "in-one-namespace"),
    ],
)
def test_as_quiet_as_the_day_before(
    outages: Callable[..., list[str]], observed: list[Observation], name: str
) -> None:
    """With the pods scraped, and the ingress agreeing; and it is said."""
    assert outages(name) == []
    (said,) = quiet(observed)
    assert "quiet, as the day before: " in said


def test_second_night_is_compared_with_the_first(
    asked: Asked, loopback: "Loopback", observed: list[Observation]
) -> None:
    """Which was green's own; the first, with blue's."""
    looking = client(loopback, asked.url, observed)
    began = asked.began - DAY
    metrics = WindowMetrics(
        looking, queries("two-nights"), began, asked.began + timedelta(seconds=LENGTH), 90, 15
    )
    ingress = nginx_requests("public-two-nights", "nox-api-ingress")

    assert Quiet((), ingress, began, "blue-two-nights").outages(metrics) == []
    assert len(quiet(observed)) == 2


@pytest.mark.parametrize("name", ["busy-before", "shorter-before", "unknown-before", "dark-before"])
def test_hours_that_the_profile_names(
    outages: Callable[..., list[str]], asked: Asked, observed: list[Observation], name: str
) -> None:
    """With any day before; hours that end too early, or begin too late, do not cover it."""
    assert outages(name, named(asked, FROM - 600, TO + 600)) == []
    assert len(quiet(observed)) == 1
    for other in (named(asked, FROM - 600, TO - 600), named(asked, FROM + 600, TO + 600)):
        with pytest.raises(UnreachableError, match="it cannot be told whether it was just quiet"):
            outages(name, other)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("busy-before", "the same hours of the day before had nothing to compare with"),
        ("shorter-before", r"had at most 3\d min"),
        ("unknown-before", "nothing to compare with"),
        ("dark-before", "nothing to compare with"),
        ("dark", "not every pod was scraped"),
        ("no-ingress", "expected the ingress' own counter all the time"),
        ("ingress-dark", "expected the ingress' own counter all the time"),
        ("second-dark", "expected the ingress' own counter all the time"),
        ("second-late", "the ingress was first seen with 7 requests, which may be older"),
        ("left", "3 users left before they had an answer"),
    ],
)
def test_silences_that_stay_undecided(outages: Callable[..., list[str]], name: str, why: str) -> None:
    with pytest.raises(UnreachableError, match=f"^no request at all, .*{why}"):
        outages(name)


@pytest.mark.parametrize("name", ["dark", "no-ingress", "ingress-dark", "second-dark", "left"])
def test_named_hours_are_not_enough(outages: Callable[..., list[str]], asked: Asked, name: str) -> None:
    with pytest.raises(UnreachableError, match="it cannot be told whether it was just quiet"):
        outages(name, named(asked, 0, LENGTH))


@pytest.mark.parametrize("name", ["turned-away", "turned-away-once", "lost", "begun-anew", "all-left"])
def test_users_who_ask_and_get_no_answer(outages: Callable[..., list[str]], asked: Asked, name: str) -> None:
    """Red, with any hours that the profile names."""
    for hours in ((), (named(asked, 0, LENGTH),)):
        (found,) = outages(name, *hours)
        assert "the ingress counted" in found


def test_hours_with_requests_are_none(outages: Callable[..., list[str]], observed: list[Observation]) -> None:
    assert outages("usual") == []
    assert quiet(observed) == []
