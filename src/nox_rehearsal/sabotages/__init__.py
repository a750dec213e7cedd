"""Every sabotage: one fault, near to what is right, that must turn one line red, and why it must.

`because` has to stand in the reason that the verdict gives: a line that is red for another reason proves
nothing. `also` are the lines that must turn red with it, since they look at the same broken thing.
"""

import difflib

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.sabotages import (
    access,
    answering,
    api,
    before_the_day,
    beside,
    cluster,
    data,
    each_pod,
    edge,
    green,
    live,
    live_database,
    live_logs,
    live_metrics,
    load,
    monitoring,
    parity,
    phases,
    prep,
    release,
    rollback,
    science,
    slower,
    window,
)
from nox_rehearsal.sabotages.sabotage import Sabotage

__all__ = ["SABOTAGES", "Sabotage", "UnknownSabotageError", "chosen"]

SABOTAGES: tuple[Sabotage, ...] = tuple(
    sabotage
    for topic in (
        release,
        science,
        parity,
        before_the_day,
        api,
        answering,
        access,
        edge,
        data,
        cluster,
        monitoring,
        load,
        slower,
        prep,
        green,
        live,
        live_logs,
        live_database,
        live_metrics,
        window,
        rollback,
        phases,
        each_pod,
        beside,
    )
    for sabotage in topic.sabotages()
)


class UnknownSabotageError(RehearsalError):
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
