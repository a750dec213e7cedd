"""A phase that is looked at before its moment is red, and says what has not happened yet."""

import pytest

from nox_rehearsal.day.phases import options
from nox_rehearsal.world.state import World

from .conftest import Gate

SAID = {
    "prep": "expected a file backup_pre_v8.0.0_*.sql in",
    "green": "Deployment nox-api-deployment-green is not there in nox-production-green",
    "live": "nox-api-service-blue",
    "window": "saw none: noxgate watch opens it",
    "rollback": "expected a file rollback-times*.txt in",
}


@pytest.mark.parametrize("early", SAID)
def test_before_its_moment(early: str, world: World, gate: Gate) -> None:
    """Nothing was saved, nothing applied, nothing switched, nothing watched, nothing switched back."""
    run = gate(*options(early), markers=early, profile=world.profile_of(early))

    assert run.status == 1, run.output
    assert SAID[early] in run.output
    assert "Traceback" not in run.output
