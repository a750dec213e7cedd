"""The picture of both versions: for each class, the share of requests that took longer."""

from collections.abc import Sequence
from math import ceil, exp, log
from pathlib import Path

from noxgate.slo.before.ratio import Windows
from noxgate.slo.plots import COLOURS, GREY

NAME = "slower.svg"
POINTS = 160  # of a curve
ACROSS = 3  # panels in a row
MOST = 15  # panels: more are not read
LEAST_SHARE = 0.05  # percent

Panel = tuple[str, Windows, Windows]  # its title, now, before


def draw(panels: Sequence[Panel], folder: Path, versions: tuple[str, str], title: str) -> Path:
    """Draw into `folder`; returns the file."""
    import matplotlib as mpl  # noqa: PLC0415 (it costs half a second, which only who draws should pay)
    from matplotlib.figure import Figure  # noqa: PLC0415

    shown = [panel for panel in panels if panel[1].requests and panel[2].requests][-MOST:]
    rows = max(1, ceil(len(shown) / ACROSS))
    with mpl.rc_context({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "noxgate"}):
        figure = Figure(figsize=(11, 0.8 + 2.7 * rows), facecolor="white", layout="constrained")
        grid = figure.subplots(rows, ACROSS, squeeze=False)
        for place, panel in enumerate(grid.flat):
            if place >= len(shown):
                panel.set_axis_off()
                continue
            name, now, before = shown[place]
            panel.set_title(name, loc="left")
            panel.plot(*_curve(before), color=GREY, ls="--", lw=1.2, label=versions[1])
            panel.plot(*_curve(now), color=COLOURS["health"], lw=1.4, label=versions[0])
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_ylim(LEAST_SHARE, 110)
            panel.set_xlabel("ms")
            panel.set_ylabel("% take longer")
            panel.spines[["top", "right"]].set_visible(False)
            panel.legend(loc="upper right", frameon=False)
        figure.suptitle(f"{title}: {versions[0]} beside {versions[1]}")
        path = folder / NAME
        figure.savefig(path, metadata={"Date": None, "Title": f"{title}, two versions"})
    return path


def _curve(windows: Windows) -> tuple[list[float], list[float]]:
    low, high = map(log, windows.ends)
    at = [exp(low + (high - low) * step / POINTS) for step in range(POINTS + 1)]
    over = [sum(count for _, count in windows.over(seconds)) for seconds in at]
    found = [
        (1000 * seconds, 100 * count / windows.requests) for seconds, count in zip(at, over, strict=True)
    ]
    kept = [one for one in found if one[1] > 0]
    return [one[0] for one in kept], [one[1] for one in kept]
