"""A NO-GO that is hidden: something else stands in its place, or the key of who counted it is unknown."""

import json
import shutil

from tests_self.attack.attempt import ENVELOPE, Attempt, Way
from tests_self.attack.world import RELEASE


def rehearsal_in_its_place(at: Attempt) -> None:
    """A folder with the id of the NO-GO that says it is a rehearsal, whose key is lost."""
    run = at.runs[-1]
    results = json.loads((run / "results.json").read_text())
    shutil.rmtree(run)
    run.mkdir()
    target = {**results["target"], "name": "rehearsal", "rehearsal": True}
    (run / "results.json").write_text(json.dumps(results | {"target": target}))
    (run / ENVELOPE).write_text("{}")


def chain_that_cannot_be_read(at: Attempt) -> None:
    """The NO-GO is gone, and so is what the records say of it."""
    shutil.rmtree(at.runs[-1])
    (at.root / "reports" / RELEASE / "records" / "staging" / "9999.json").write_text("{}")


ASIDE = (
    Way("a rehearsal in the place of the NO-GO", rehearsal_in_its_place, lived=True),
    Way("NO-GO removed, records that cannot be read", chain_that_cannot_be_read, lived=True),
)
