"""What `noxgate doctor` says, in 80 columns: settings, causes with what they hold up, verdicts to come."""

import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from noxgate.doctor.needs import Need
from noxgate.doctor.seen import Cause, Group, Seen
from noxgate.project.runbook import Runbook
from noxgate.project.target import Target
from noxgate.run.causes import MANY, Shared
from noxgate.run.verdict import Verdict
from noxgate.trust.signing import VARIABLE as KEY

WIDTH = 80
SHOWN = 5  # lines that are named, of all that wait
Needs = Mapping[str, frozenset[Need]]


@dataclass(frozen=True)
class Waits:
    """One cause, and the lines that wait for it."""

    cause: Cause
    lines: tuple[str, ...]
    fail: bool = False  # they are looked at, and wrong


def settings(seen: Sequence[Seen], needs: Needs, seconds: float) -> list[str]:
    """A row for each setting: where it comes from, and what was seen."""
    rows = [f"   {'setting':<22} {'from':<26} seen (in {seconds:.1f} s)"]
    for one in seen:
        mark = "!!" if one.cause and _held(one, needs) else "ok" if one.is_set else "--"
        head = f"{mark} {one.setting:<22} {one.origin:<26} "
        if len(head) + len(one.said) <= WIDTH:
            rows.append(head + one.said)
        elif len(head.rstrip()) <= WIDTH:
            rows += [head.rstrip(), *_wrapped(one.said, " " * 6, " " * 6)]
        else:
            rows += [f"{mark} {one.setting}", *_wrapped(f"{one.origin}: {one.said}", " " * 6, " " * 6)]
    return rows


def first(waits: Sequence[Waits]) -> Iterator[str]:
    """What many lines have in common, as a run says it; the remedy stands below the settings."""
    common = [each for each in waits if each.cause.of_many and len(each.lines) >= MANY]
    for each in common:
        yield from _wrapped(str(Shared(each.cause.what, each.lines)))
    if common:
        yield ""


def waiting(seen: Sequence[Seen], needs: Needs) -> list[Waits]:
    """Each cause that holds a line up, those that hold up most first."""
    causes: dict[str, Cause] = {}
    held: dict[str, set[str]] = {}
    failing: set[str] = set()
    for one in seen:
        if one.cause is None or not (lines := _held(one, needs)):
            continue
        key = one.cause.key or one.cause.what
        known = causes.setdefault(key, one.cause)
        remedy = dict.fromkeys((*known.remedy, *one.cause.remedy))
        causes[key] = replace(known, remedy=tuple(remedy))
        held.setdefault(key, set()).update(lines)
        failing |= {key} if one.fails and not one.needs else set()
    found = [
        Waits(cause, tuple(line for line in needs if line in held[key]), key in failing)
        for key, cause in causes.items()
    ]
    return sorted(found, key=lambda each: -len(each.lines))


def _held(one: Seen, needs: Needs) -> set[str]:
    """The lines that wait where a look has a cause."""
    held_up = one.needs or one.fails  # other failures are said beside the verdict
    return {line for line, wanted in needs.items() if any(_waits(need, wanted) for need in held_up)}


def _waits(need: Need, wanted: frozenset[Need]) -> bool:
    """A system that is away holds up everything that is asked of it."""
    if need in wanted:
        return True
    return not need.what and any((each.system, each.peer) == (need.system, need.peer) for each in wanted)


def causes(waits: Sequence[Waits], *, whole: bool = False) -> Iterator[str]:
    """What to do, what helps most lines first; what is of one kind is together. `whole`: with every line."""
    groups: dict[Group | str, list[Waits]] = {}
    for each in waits:
        groups.setdefault(each.cause.group or each.cause.what, []).append(each)
    for group, members in sorted(groups.items(), key=lambda item: -len(_lines(item[1]))):
        lines = _lines(members)
        if isinstance(group, Group):
            yield from _wrapped(f"{_counted(lines)} {group.title}:")
            for each in members:
                what = "" if each.cause.what.startswith(each.cause.item) else f": {each.cause.what}"
                yield from _wrapped(f"{len(each.lines):>4} {each.cause.item}{what}", "  ", " " * 11)
            yield f"    {group.mended(each.cause.item for each in members)}"
        else:
            counted = _counted(lines, "fail" if members[0].fail else "wait")
            yield from _wrapped(f"{counted} since {group}")
            yield from (f"    {command}" for each in members for command in each.cause.remedy)
        shown = lines if whole else lines[:SHOWN]
        rest = f" and {len(lines) - len(shown)} more: --all names them" if lines[len(shown) :] else ""
        yield from _wrapped(f"({', '.join(shown)}{rest})", "    ")
        yield ""


def _lines(waits: Sequence[Waits]) -> list[str]:
    return list(dict.fromkeys(line for each in waits for line in each.lines))


def _counted(lines: Sequence[str], verb: str = "wait") -> str:
    return f"1 line {verb}s" if len(lines) == 1 else f"{len(lines)} lines {verb}"


def verdicts(
    target: Target, runbook: Runbook, seen: Sequence[Seen], needs: Needs, *, whole: bool = False
) -> Iterator[str]:
    """For each phase of the target, the best verdict that a run of it can still come to."""
    held = {line for each in waiting(seen, needs) if not each.fail for line in each.lines}
    fail = {
        line
        for one in seen
        for line, wanted in needs.items()
        if one.cause and any(_waits(need, wanted) for need in one.fails)
    }
    kind = " (rehearsal)" if target.rehearsal else ""
    if not target.serves:
        yield "No verdict can be told: serves says of no phase that it is looked at here."
    else:
        yield f"{'phase':<12}{'lines':>5}{'wait':>6}   the best verdict that a run can come to now"
    for phase in target.serves:
        lines = runbook.of_phase(phase)
        wait = [line for line in lines if line.id in held]
        people = [line for line in lines if line.kind == "human" and not target.rehearsal]
        bad = [line.id for line in lines if line.id in fail and len(wait) < len(lines)]
        word = f"{Verdict.NO_GO if bad else Verdict.INCONCLUSIVE if wait else Verdict.GO}{kind}"
        if bad:
            more = f" and {len(bad) - 1} more (--all names them)" if bad[1:] else ""
            word += f": {', '.join(bad) if whole else bad[0] + more} will fail"
        elif people and not wait:
            word += f", once people have attested {len(people)}"
        yield from _wrapped(f"{phase:<12}{len(lines):>5}{len(wait):>6}   {word}", then=" " * 26)
    if not target.rehearsal and not os.environ.get(KEY):
        yield ""
        yield from _wrapped(f"${KEY} is not set: a run is not signed, and `noxgate verify` refuses it.")


def _wrapped(text: str, first: str = "", then: str = "    ") -> list[str]:
    whole = textwrap.TextWrapper(
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return whole.wrap(text)
