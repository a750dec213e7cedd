"""Whether the schema that a rehearsal starts from is the one that the migration will meet.

A dump of last month, or of another database, lets a migration pass that stops on the day: at a column that
somebody added by hand, a view that was made since, an index that has the name already.
"""

from collections.abc import Iterable

from noxgate.trials.loaded_again import differing_once_loaded
from noxgate.trials.scratch import SUPERUSER
from noxgate.trials.whole_catalog import Part, told, without_partitions

# What belongs to an extension comes with it, in the version that each server has; comments decide nothing.
_NOTHING = ("extension", "comment", "large objects")
_OF_ROLES = ("owner", "right")
INVALID = "no dump holds it: REINDEX INDEX CONCURRENTLY, or DROP INDEX, in the target's database"


def differences(url: str, here: Iterable[Part], there: Iterable[Part]) -> list[str]:
    """What the schema `here` lacks, has more, or has otherwise than the database `there`.

    The database at `url` has this schema: each definition is read as it would be after one load more.
    """
    ours, theirs = (
        [part for part in without_partitions(side) if part.kind not in _NOTHING] for side in (here, there)
    )
    if not any(part.kind == "owner" and _is_named(part) for part in ours):  # a script without owners
        ours, theirs = ([part for part in side if part.kind not in _OF_ROLES] for side in (ours, theirs))
    invalid = [f"{part}: {INVALID}" for part in theirs if part.kind == "invalid index"]
    pairs = differing_once_loaded(
        url, *([part for part in side if part.kind != "invalid index"] for side in (ours, theirs))
    )
    return invalid + told(pairs, "only here", "only there", "another there")


def _is_named(part: Part) -> bool:
    """Whether the schema says who owns this, apart from the schemas that are always there."""
    return part.definition != SUPERUSER and not part.place.startswith("schema ")
