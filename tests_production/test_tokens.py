"""Runbook 5, immediate verification: whose pages users get, and that bad tokens get none."""

import shlex

import pytest

from nox_service.access import doors, owners
from nox_service.access.tokens import bad_tokens
from nox_service.api import ApiClient
from nox_service.together import Together
from noxgate.look.observation import Observation, Observe
from noxgate.project.target import Target


@pytest.mark.runbook("live.bad-tokens")
def test_bad_tokens_are_refused(together: Together, target: Target, observe: Observe) -> None:
    """Each once, by GET, and marked: users' errors are counted without them."""
    tokens = bad_tokens(target)
    observe(Observation(tokens.said(), f"grep -A12 credentials {shlex.quote(str(target.path))}"))

    assert tokens.tried != ()
    assert doors.bad_tokens_refused(together, tokens, doors.PAGES[:1]) == []


@pytest.mark.runbook("live.own-user")
def test_user_gets_their_own(api: ApiClient, target: Target) -> None:
    """What a cache in front, or a session that is mixed up, would give to somebody else."""
    assert owners.faults(api, target) == []
