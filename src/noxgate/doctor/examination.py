"""Every look that the lines of a target need, all at once, with one deadline."""

import queue
import shlex
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from noxgate.doctor import cluster, files, loads, looks
from noxgate.doctor.code import PEERS
from noxgate.doctor.needs import SERIES, Need, needs_of
from noxgate.doctor.reading import HINGES, PROFILE, Fault, with_faults
from noxgate.doctor.seen import Cause, Place, Seen, named_keys, place
from noxgate.doctor.systems.address import address, plain
from noxgate.doctor.systems.series import series
from noxgate.errors import NoxgateError
from noxgate.project.checks import find_checks
from noxgate.project.profile import read_peer
from noxgate.project.runbook import Runbook
from noxgate.project.target import Target

SECONDS = 10.0  # for all of it
SIGNING = "signing"  # no line needs it

# Look -> the systems that it says something of.
LOOKS: Mapping[looks.Look, Collection[str]] = {
    looks.database: ("database",),
    looks.redis: ("redis",),
    looks.prometheus: ("prometheus", "counters"),
    looks.registry: ("registry",),
    looks.source: ("source", "manifests"),
    looks.tokens: ("token", "subject"),
    looks.oauth: ("oauth",),
    plain: ("plain",),
    files.record: ("record", "before"),
    files.migration: ("migration",),
    files.alert_tests: ("alert_tests",),
    files.known_lines: ("logs",),
    files.science: ("science",),
    files.said_alone: ("runtime", "grafana", "sentry", "vulnerabilities"),
    files.backups: ("backups",),
    files.signing: (SIGNING,),
}


@dataclass(frozen=True)
class Job:
    """One look, at a target or its peer; where it tells nothing, its systems are waited for."""

    at: Place
    systems: Collection[str]
    look: Callable[[], Iterator[Seen]]

    def lost(self, why: str) -> Seen:
        """What is said where it tells nothing."""
        name = next(iter(self.systems))
        again = f"noxgate doctor --target {shlex.quote(self.at.target.called)}     # again"
        cause = Cause(f"{self.at.label(name)}: {why}", (again,))
        return self.at.seen(name, why, *map(self.at.need, self.systems), cause=cause, origin="-")


@dataclass(frozen=True)
class Examination:
    """What was seen of each setting, and what each line of the target's phases needs."""

    seen: Sequence[Seen]
    needs: Mapping[str, frozenset[Need]]
    seconds: float


def examine(root: Path, runbook: Runbook, target: Target, faults: Sequence[Fault] = ()) -> Examination:
    """Look at everything that the profile names."""
    # it may serve any, if it does not say which
    served = {line.id for line in runbook.of_phase(*(target.serves or runbook.phases))}
    every = needs_of(root, find_checks(root, runbook))
    needs = {line: found | {PROFILE} for line, found in every.items() if line in served}
    # closed, it is the host that is asked first; a comparison with nothing asks for no load test
    spared: dict[str, Collection[str]] = {"plain": ("address",)} if target.plain_url else {}
    spared |= {} if files.compares(place(target)) else {"before": ("load", "counters")}
    needs = {line: less(found, spared) for line, found in needs.items()}
    needed = {need for found in needs.values() for need in found}
    at = [place(target), *_peers(root, runbook, target, needed)]
    wrong = {setting for fault in faults for setting in fault.settings}
    left_out = {system for setting in wrong for system in HINGES.get(setting, ())}
    looked = {need for need in needed if need.peer or need.system not in left_out}
    started = time.monotonic()
    seen = within(SECONDS, list(_jobs(root, runbook, at, looked)))
    seen += [
        at[0].unnamed(need.what, "the peer to compare with", need)
        for need in needed
        if need.system == "peer" and getattr(target, need.what) is None
    ]
    if not target.serves:
        # what else is needed cannot be told
        seen = [one for one in seen if one.is_set and one.origin not in {"-", "default"}]
    rows = with_faults(target, [*seen, *_said(at[0], seen)], faults)
    return Examination(rows, needs, time.monotonic() - started)


def less(needs: frozenset[Need], spared: Mapping[str, Collection[str]]) -> frozenset[Need]:
    """What a line needs where one system spares it others."""
    less = {(other, need.peer) for need in needs for other in spared.get(need.system, ())}
    return frozenset(need for need in needs if (need.system, need.peer) not in less)


def _peers(root: Path, runbook: Runbook, target: Target, needed: set[Need]) -> Iterator[Place]:
    """The peers that lines need, where the profile names them."""
    for peer in PEERS:
        if getattr(target, peer) is not None and Need("peer", peer) in needed:
            yield place(read_peer(root, target, list(runbook.phases), key=peer), peer)


def _jobs(root: Path, runbook: Runbook, at: Sequence[Place], needed: set[Need]) -> Iterator[Job]:
    for where in at:
        systems = {need.system for need in needed if need.peer == where.peer}
        systems |= set() if where.peer else {SIGNING}
        if "address" in systems:
            paths = runbook.service.metrics.operators
            yield Job(where, ("address",), partial(address, where, paths))
        if systems & set(SERIES):
            yield Job(where, SERIES, partial(series, where, runbook.service, systems))
        for look, says in LOOKS.items():
            if systems & set(says):
                yield Job(where, says, partial(look, where))
        if "cluster" in systems:
            yield Job(where, ("cluster", "forward", "logs"), partial(cluster.cluster, where, root))
        if "load" in systems:
            yield Job(where, ("load",), partial(loads.loads, where, root, runbook))


def within(seconds: float, jobs: Sequence[Job]) -> list[Seen]:
    """What each job saw, in their order; of one that is not done in time, that it is not."""
    done: queue.SimpleQueue[tuple[int, list[Seen]]] = queue.SimpleQueue()

    def run(number: int, job: Job) -> None:
        try:
            found = list(job.look())
        except (NoxgateError, AssertionError, OSError, ValueError) as error:
            found = [job.lost(str(error).partition("\n")[0])]
        done.put((number, found))

    ends = time.monotonic() + seconds
    for number, job in enumerate(jobs):
        # a daemon: a look that still waits does not hold up the end
        threading.Thread(target=run, args=(number, job), daemon=True).start()
    found: dict[int, list[Seen]] = {}
    while len(found) < len(jobs):
        try:
            number, seen = done.get(timeout=max(0.0, ends - time.monotonic()))
        except queue.Empty:
            break
        found[number] = seen
    late = f"no answer in {seconds:g} s"
    return [one for number, job in enumerate(jobs) for one in found.get(number, [job.lost(late)])]


def _said(at: Place, seen: Sequence[Seen]) -> Iterator[Seen]:
    """The profile's other keys: they are set, and no system is asked about them."""
    named = {one.setting for one in seen}
    for key in named_keys(at.target):
        if key not in named and key not in {"credentials", "oauth"}:
            yield at.seen(key, "set")
    for role, name in at.target.credentials.items():
        if role not in named and f"oauth.{role}" not in named:
            is_set = name in at.target.variables
            yield at.seen(role, "set" if is_set else "not set", origin=at.variable(role), is_set=is_set)
    if at.target.ca_file is None and "ca_file" not in at.lines:
        yield at.seen("ca_file", "the authorities that this machine knows", is_set=False)
    for name, value in at.target.overridden.items():
        allowed = "" if name in at.target.overrides else ", which the profile does not allow: no GO"
        yield Seen(name, f"${name}", f"{value}{allowed}")
