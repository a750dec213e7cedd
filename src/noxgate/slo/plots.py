"""The pictures of a load test, on paper and in the report: `load.svg`, four panels on white."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from noxgate.slo.confidence import percentile
from noxgate.slo.holds import Second
from noxgate.slo.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "load.svg"
# Okabe and Ito's colours: told apart by everybody, and in grey.
COLOURS = {
    "health": "#0072B2",
    "auth": "#E69F00",
    "science": "#009E73",
    "data": "#CC79A7",
    "websocket": "#56B4E9",
}
RED = "#D55E00"
GREY = "#666666"
MOST_POINTS = 240  # of a curve: more cannot be seen


def draw(result: Result, folder: Path, limit_ms: float) -> Path:
    """Draw all of them into `folder`, with a line at p95's limit; returns the file."""
    import matplotlib as mpl  # noqa: PLC0415 (it costs half a second, which only who draws should pay)
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "noxgate"}):
        figure = Figure(figsize=(11, 7), facecolor="white", layout="constrained")
        (latency, users), (distribution, failures) = figure.subplots(2, 2)
        begin = min((second for by in result.seconds.values() for second in by), default=0)
        _latency(latency, result, begin, limit_ms)
        _users(users, result, begin)
        _distribution(distribution, result, limit_ms)
        _failures(failures, result, begin)
        for panel in (latency, users, failures):
            panel.set_xlabel("seconds since the start")
            for held in result.holds:
                panel.axvspan(held.start - begin, held.end - begin, color="#000000", alpha=0.04, lw=0)
        for panel in (latency, users, distribution, failures):
            panel.spines[["top", "right"]].set_visible(False)
        curves, names = latency.get_legend_handles_labels()
        if curves:  # of both panels on the left, and on no line of theirs
            figure.legend(curves, names, loc="outside lower center", frameon=False, ncols=len(names))
        figure.suptitle(
            f"{result.target}, release {result.release}, ramp {result.ramp.name}, {result.started}"
        )
        path = folder / NAME
        figure.savefig(path, metadata={"Date": None, "Title": f"Load test of {result.target}"})
    return path


def _latency(panel: "Axes", result: Result, begin: int, limit_ms: float) -> None:
    panel.set_title("95th percentile by class (holds in grey)", loc="left")
    for name in result.classes:
        points = [
            (moment - begin, 1000 * percentile(sorted(times), 0.95))
            for moment, times in _windows(result, [name])
            if times
        ]
        if points:
            panel.plot(*zip(*points, strict=True), color=COLOURS.get(name, GREY), lw=1.2, label=name)
    panel.axhline(limit_ms, color=RED, ls="--", lw=1)
    panel.annotate(f"{limit_ms:g} ms", (0, limit_ms), color=RED, va="bottom")
    panel.set_yscale("log")
    panel.set_ylabel("ms")


def _users(panel: "Axes", result: Result, begin: int) -> None:
    panel.set_title("Requests per second, and users", loc="left")
    moments = sorted({second for by in result.seconds.values() for second in by})
    width = _width(result)
    starts = range(moments[0], moments[-1] + 1, width) if moments else []
    rates = [
        sum(len(second.times) for by in result.seconds.values() for second in _within(by, start, width))
        / width
        for start in starts
    ]
    panel.plot([start - begin for start in starts], rates, color=COLOURS["health"], lw=1.2)
    panel.set_ylabel("requests/s", color=COLOURS["health"])
    panel.set_ylim(bottom=0)
    people = panel.twinx()
    seconds = sorted(result.users)
    people.plot([second - begin for second in seconds], [result.users[s] for s in seconds], color=GREY, lw=1)
    people.set_ylabel("users", color=GREY)
    people.set_ylim(bottom=0)
    people.spines[["top"]].set_visible(False)


def _distribution(panel: "Axes", result: Result, limit_ms: float) -> None:
    panel.set_title("Share of requests on the holds that took longer", loc="left")
    for name in result.classes:
        times = sorted(
            1000 * seconds
            for held in result.holds
            for second in _within(result.seconds.get(name, {}), held.start, held.end - held.start)
            for seconds in second.times
        )
        if not times:
            continue
        step = max(1, len(times) // MOST_POINTS)
        kept = [*range(0, len(times), step), *range(max(0, len(times) - 20), len(times))]
        kept = sorted(set(kept))
        panel.plot(
            [times[rank] for rank in kept],
            [100 * (1 - rank / len(times)) for rank in kept],
            color=COLOURS.get(name, GREY),
            lw=1.2,
            label=name,
        )
    panel.axvline(limit_ms, color=RED, ls="--", lw=1)
    panel.axhline(5, color=RED, ls=":", lw=1)
    panel.annotate("5 %", (0.01, 5), xycoords=("axes fraction", "data"), color=RED, va="bottom")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("ms")
    panel.set_ylabel("%")


def _failures(panel: "Axes", result: Result, begin: int) -> None:
    panel.set_title("Failed requests per second by reason", loc="left")
    width = _width(result)
    kinds: dict[str, Counter[int]] = {}
    for by in result.seconds.values():
        for moment, second in by.items():
            for (status, reason), count in second.outcomes.items():
                if reason:
                    kind = f"{reason} {status}" if status else reason
                    kinds.setdefault(kind, Counter())[(moment - begin) // width] += count
    for kind, counts in sorted(kinds.items(), key=lambda item: -item[1].total()):
        places = sorted(counts)
        panel.plot(
            [place * width for place in places],
            [counts[place] / width for place in places],
            marker=".",
            lw=1,
            label=f"{kind} ({counts.total()})",
        )
    if kinds:
        panel.legend(loc="upper right", frameon=False)
        panel.set_ylim(bottom=0)
    else:
        panel.annotate("none", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        panel.set_yticks([])


def _windows(result: Result, classes: Iterable[str]) -> Iterator[tuple[int, list[float]]]:
    """Each window's first second, and all response times of these classes in it."""
    width = _width(result)
    measured = [result.seconds.get(name, {}) for name in classes]
    moments = [second for by in measured for second in by]
    for start in range(min(moments), max(moments) + 1, width) if moments else ():
        yield (
            start,
            [time for by in measured for second in _within(by, start, width) for time in second.times],
        )


def _within(by: Mapping[int, Second], start: int, width: int) -> Iterator[Second]:
    for moment in range(start, start + width):
        if moment in by:
            yield by[moment]


def _width(result: Result) -> int:
    return max(result.ramp.window, int(result.ramp.seconds / MOST_POINTS))
