"""What stays hidden from anyone who has the evidence alone: docs/SIGN-OFF.md says so, in its table."""

from tests_self.attack.attempt import Attempt, Way, resum
from tests_self.attack.ways.evidence import (
    before_seal,
    newest_gone,
    passed_in_junit,
    passed_in_results,
)
from tests_self.attack.ways.surroundings import packages, pth_that_goes


def all_rewritten(at: Attempt) -> None:
    """A run without a key of which everything was rewritten before it was sealed, with the key."""
    before_seal(passed_in_results, passed_in_junit, resum)(at)


OPEN = (
    Way("all of an unsealed run rewritten, then sealed", all_rewritten),
    Way("NO-GO and its record removed, no --head", newest_gone, lived=True),
    Way(".pth of nobody that goes away", packages(pth_that_goes)),
)
