"""Pods over some time, as several looks saw them: an autoscaler adds and takes some, others must stay."""

from collections.abc import Mapping, Sequence
from typing import Any

from noxgate.systems.kubernetes.workload import controller, living, name, phases, unready

Json = Mapping[str, Any]


def looks_at(pods: Sequence[Sequence[Json]]) -> list[dict[str, Json]]:
    """The living pods of each look, by name, without those of jobs."""
    return [
        {name(pod): pod for pod in living(look) if (controller(pod) or ("", ""))[0] != "Job"} for look in pods
    ]


def unsteady(looks: Sequence[Mapping[str, Json]]) -> list[str]:
    """What went wrong: no pod at all, one that no longer is ready, or one in whose place another came.

    One that joined may be unready until it has been ready once. A pod that only went was taken away, as an
    autoscaler does; what an evicted one leaves is filled at once, in the same look or the next.
    """
    found = []
    was_ready = set(looks[0]) if looks else set()
    for number, look in enumerate(looks, 1):
        shut = unready(list(look.values()))
        states = phases(list(look.values()))
        not_well = {*shut, *(pod for pod, phase in states.items() if phase != "Running")}
        if not look:
            found.append(f"look {number}: no pod")
        found += [
            f"look {number}: {pod}: {shut.get(pod) or states[pod]}" for pod in sorted(was_ready & not_well)
        ]
        was_ready |= look.keys() - not_well
    for number in range(1, len(looks)):
        gone = looks[number - 1].keys() - looks[number].keys()
        came = {pod for look in looks[number : number + 2] for pod in look} - looks[number - 1].keys()
        if gone and came:
            found.append(f"look {number + 1}: {_names(came)} in place of {_names(gone)}")
    return found


def has_changed(looks: Sequence[Mapping[str, Json]]) -> bool:
    """Whether some pods joined, or went."""
    return any(look.keys() != looks[0].keys() for look in looks)


def _names(pods: set[str]) -> str:
    return ", ".join(sorted(pods))
