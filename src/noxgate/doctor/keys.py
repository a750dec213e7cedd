"""The keys of a profile, and the lines of the runbook whose checks need each."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from noxgate.doctor.code import Code
from noxgate.doctor.needs import Need, needs_of
from noxgate.project.checks import find_checks
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.key import Key
from noxgate.project.runbook import Runbook


def lines_of_keys(root: Path, runbook: Runbook) -> Mapping[str, list[str]]:
    """Key, by its whole name -> the lines whose checks need it, in the runbook's order."""
    checks = find_checks(root, runbook)
    code = Code(root)
    needs = needs_of(root, checks, code)
    read: dict[str, set[str]] = {}
    for check in checks:
        name = check.node.partition("::")[2]
        read.setdefault(check.line_id, set()).update(code.settings(root / check.file, name))
    return {
        key.name: [line for line in runbook.lines if _waits(key, needs.get(line, ()), read.get(line, ()))]
        for key in every_key()
    }


def _waits(key: Key, needs: Collection[Need], read: Collection[str]) -> bool:
    """For a table, what waits for what is in it; if no key says what does, the lines that read it."""
    waits = [wait for each in (key, *key.keys) for wait in each.waits]
    return any(_is(need, wait) for need in needs for wait in waits) if waits else key.name in read


def _is(need: Need, wait: str) -> bool:
    system, _, what = wait.partition(":")
    return need.system == system and what in {"", need.what}


def every_key() -> Iterator[Key]:
    """The keys of a profile and of the tables in it, by their whole names."""
    for key in KEYS.values():
        yield key
        yield from key.inside()
