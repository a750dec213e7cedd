"""What of a database a restored backup lacks, has otherwise, or has too much of."""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal

from noxgate.systems.postgres.catalog import Catalog
from noxgate.trials.loaded_again import differing_once_loaded
from noxgate.trials.table_contents import LARGE_OBJECTS, Contents
from noxgate.trials.whole_catalog import Pairs, Part, told

# An index that PostgreSQL does not use is in no dump, and is not missed.
_NEVER_DUMPED = ("invalid index",)
# What a migration that has run since leaves of a release's catalog can be told from what a backup lacks.
_TOLD_APART = ("table", "index", "trigger", "function", "right")
_OF_NO_CATALOG = ("sequence ", "type ", "schema ")  # rights on them
FEW = 10  # rows, of which blue may have written all since


def unlike(url: str, restored: Sequence[Part], wanted: Sequence[Part]) -> list[str]:
    """Thing by thing, the restored database at `url` beside what was wanted."""
    ours, theirs = ([part for part in side if part.kind not in _NEVER_DUMPED] for side in (restored, wanted))
    pairs = differing_once_loaded(url, ours, theirs)
    found = told(pairs, "was not there", "is not restored", "is restored as another")
    half = [part for part in theirs if part.definition.endswith("(half detached)")]
    return [_half_detached(half, line) for line in found]


def lacking_since(restored: Sequence[Part], now: Sequence[Part], catalog: Catalog) -> list[str]:
    """What is there now, and neither restored nor of the release whose migration ran meanwhile."""
    new = {*catalog.columns, *catalog.indexes, *catalog.triggers, *catalog.functions, *catalog.run_logs}
    there = {part.key for part in restored}
    gone: Pairs = [
        (None, part)
        for part in now
        if part.key not in there
        and part.kind in _TOLD_APART
        and not part.place.startswith(_OF_NO_CATALOG)
        and not _names(part) & new
    ]
    return told(gone, "", "is not restored", "")


def out_of_place(wanted: Mapping[str, Sequence[Decimal]], found: Mapping[str, Decimal]) -> dict[str, str]:
    """The sequences that are not where they were while the dump was made."""
    wrong = {}
    for name, positions in wanted.items():
        place = found.get(name)
        if place is None or not min(positions) <= place <= max(positions):
            said = "nowhere" if place is None else f"at {place}"
            wrong[name] = f"is {said}, was at {' to '.join(map(str, sorted(set(positions))))}"
    return wrong


def misplaced_sequences(
    restored: Mapping[str, Decimal], highest: Mapping[str, Decimal], now: Mapping[str, Decimal]
) -> dict[str, str]:
    """The sequences that no write since explains: ahead of production, or behind the column they are of.

    `highest` is what those columns hold in the restored copy.
    """
    wrong = {}
    for name, most in highest.items():
        place, there = restored[name], now.get(name)
        if there is not None and place > there:
            wrong[name] = f"is at {place}, in production at {there}"
        elif there is not None and place < most <= there:
            wrong[name] = f"is at {place}, its column at {most}"
    return wrong


def as_recorded(
    wanted: Mapping[str, Contents],
    found: Mapping[str, Contents],
    with_generated: Callable[[], Mapping[str, Contents]],
) -> dict[str, Contents]:
    """As the record has them: those of long ago have tables alone, those of before generated columns, too."""
    known = {table: each for table, each in found.items() if table != LARGE_OBJECTS or table in wanted}
    if known == wanted:
        return known
    whole = with_generated()
    return known | {table: each for table, each in whole.items() if wanted.get(table) == each}


def beyond_writes(
    restored: Mapping[str, Contents], now: Mapping[str, int], percent: float, logs: Collection[str] = ()
) -> dict[str, str]:
    """The tables whose number of rows no hour of writes explains.

    Those of `logs` have more since the migration has run: it logs itself there.
    """
    wrong = {}
    for table, there in now.items():
        rows = restored[table].rows if table in restored else 0
        if table in logs and rows <= there:
            continue
        most, least = max(rows, there), min(rows, there)
        if most > FEW and least < most * percent / 100:
            wrong[table] = f"{rows} rows restored, {there} now"
    return wrong


def _names(part: Part) -> set[str]:
    words = {part.name, part.place, *part.place.split(" "), *part.name.split(" ")}
    return {word.rpartition(".")[2].strip('"').partition("(")[0] for word in words if word}


def _half_detached(half: Sequence[Part], line: str) -> str:
    for part in half:
        if line.startswith(f"{part}: "):
            return f"{part}: DETACH CONCURRENTLY was broken off, a dump attaches it again: DETACH … FINALIZE"
    return line
