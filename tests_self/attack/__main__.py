"""`make attack`: plays every way of tampering, and says in a table what came of each.

Exit status 0 only where the untampered run is GO and VERIFIED, the degraded one NO-GO and REFUSED, and no
way ended in a release that somebody could believe in.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests_self.attack.attempt import Seen, Way, played
from tests_self.attack.controls import Controls, controls
from tests_self.attack.ways.aside import ASIDE
from tests_self.attack.ways.compiled import COMPILED
from tests_self.attack.ways.evidence import EVIDENCE
from tests_self.attack.ways.persons import PERSONS, WORD
from tests_self.attack.ways.places import PLACES
from tests_self.attack.ways.profile import PROFILES
from tests_self.attack.ways.project import PROJECT
from tests_self.attack.ways.surroundings import SURROUNDINGS
from tests_self.attack.ways.unseen import OPEN
from tests_self.attack.world import World

WAYS = (*PROJECT, *PROFILES, *SURROUNDINGS, *COMPILED, *EVIDENCE, *ASIDE, *WORD)
_ROW = "{:<46} {:<13} {:<9} {:<11} {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play; the exit status."""
    parser = argparse.ArgumentParser(prog="attack", description=__doc__)
    parser.add_argument("--only", default="", metavar="REGEX", help="the ways whose name has it")
    parser.add_argument("--workers", type=int, default=2, help="ways at a time (default: 2)")
    given = parser.parse_args(arguments)
    chosen = [
        [way for way in ways if re.search(given.only, way.name)] for ways in ((*PERSONS, *PLACES), WAYS, OPEN)
    ]
    if not any(chosen):
        parser.error(f"--only: no way is called like {given.only!r}")
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        world = World(Path(folder) / "world")
        try:
            return _attack(world, chosen, given.workers)
        finally:
            world.close()


def _attack(world: World, chosen: Sequence[Sequence[Way]], workers: int) -> int:
    while_well, ways, unseen = chosen
    _say(_ROW.format("way", "verdict", "verify", "page", "why"))
    number = iter(range(1, 1000))
    with ThreadPoolExecutor(workers) as pool:

        def play(ways: Iterable[Way]) -> Iterator[tuple[Way, Seen]]:
            jobs = [(way, pool.submit(played, world, way, next(number))) for way in ways]
            for way, job in jobs:
                yield way, job.result()

        found = controls(world, lambda: list(_shown(play(while_well))))
        for name, seen in (("control: untampered", found.good), ("control: degraded", found.ill)):
            _say(_row(name, seen))
        results = [*found.meanwhile, *_shown(play(ways))]
        believed = [way for way, seen in results if seen.believed]
        if unseen:
            _say("\nWhat evidence alone cannot show (docs/SIGN-OFF.md):")
            list(_shown(play(unseen)))
    return judge(found, believed, len(results))


def judge(found: Controls, believed: Sequence[Way], count: int) -> int:
    """Say what it all comes to; the exit status."""
    if wrong := found.wrong():
        _say(f"\nFAILED    {wrong}: the ways prove nothing")
    for way in believed:
        _say(f"\nFAILED    {way.name}: {way.play.__doc__ or 'believed'}")
    if not wrong and not believed:
        _say(f"\nPASSED    {count} ways, and none was believed")
    return 1 if wrong or believed else 0


def _shown(results: Iterable[tuple[Way, Seen]]) -> Iterator[tuple[Way, Seen]]:
    for way, seen in results:
        _say(_row(way.name, seen))
        yield way, seen


def _row(name: str, seen: Seen) -> str:
    why = "" if seen.verify == "VERIFIED" else " ".join(seen.why.split())[:160]
    return _ROW.format(name, seen.verdict, seen.verify, seen.page, why).rstrip()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
