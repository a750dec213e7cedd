"""A figure of the benchmark, and whether it is as good as it is to be."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `met` is None where it has no goal."""

    figure: str
    goal: str
    measured: str
    met: bool | None = None

    def __str__(self) -> str:
        mark = {True: "yes", False: "NO", None: ""}[self.met]
        return f"{self.figure:<52} {self.goal:<22} {self.measured:<52} {mark}".rstrip()


def ratio(figure: str, ratios: Sequence[float], more: str = "", *, least: float = 0, most: float = 0) -> Row:
    """The median of some rounds, the lowest and the highest."""
    middle = statistics.median(ratios)
    measured = f"{middle:.2f}x [{min(ratios):.2f}, {max(ratios):.2f}]{more}"
    if least:
        return Row(figure, f">= {least}x", measured, middle >= least)
    return Row(figure, f"<= {most}x", measured, middle <= most)
