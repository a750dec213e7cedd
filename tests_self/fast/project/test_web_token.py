"""What a bearer token says of itself, and that a user's token which does not hold is not asked with."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nox_rehearsal.api.login.auth import mint
from nox_service.access.tokens import bad_tokens
from noxgate.errors import UnreachableError
from noxgate.project.credentials.web_token import claims_of, untimely
from noxgate.project.runbook import read_runbook
from noxgate.project.target import Target
from noxgate.slo import run
from noxgate.slo.ramps import chosen

ROOT = Path(__file__).parents[3]
KEY = "a key of the tests that is long enough"
NOW = 1_700_000_000.0
HOUR = 3600.0


def saying(**claims: Any) -> str:
    """A token that says this; json writes NaN, too."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def target(**tokens: str) -> Target:
    """A profile that names these tokens."""
    return Target(
        name="staging",
        path=Path("staging.toml"),
        serves=("staging",),
        base_url="https://localhost:9",
        plain_url="",
        namespace="nox",
        credentials={role: role.upper() for role in tokens},
        variables={role.upper(): token for role, token in tokens.items()},
    )


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "e30.W10.x", "e30.e30", "\x00.e30.e30", "é.é.é"])
def test_what_is_no_token_says_nothing(token: str) -> None:
    assert claims_of(token) is None
    assert untimely(token, NOW, NOW) == ""


def test_claims_are_read_whatever_their_alphabet() -> None:
    """base64url without padding (RFC 7515, 2), and claims beyond ASCII."""
    payload = base64.urlsafe_b64encode('{"sub":"Zoë??>>"}'.encode()).decode().rstrip("=")

    assert claims_of(f"e30.{payload}.c2ln") == {"sub": "Zoë??>>"}


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": NOW - 90}, "has expired: it says exp 2023-11-14 22:11:50 UTC"),
        ({"exp": NOW}, "has expired: it says exp 2023-11-14 22:13:20 UTC"),
        ({"exp": NOW - 3 * HOUR + 0.5}, "has expired: it says exp 2023-11-14 19:13:20 UTC"),
        ({"exp": "1699999910"}, "has expired: it says exp 2023-11-14 22:11:50 UTC"),
        ({"exp": -(10**400)}, "has expired: it says exp -1000000000000000000"),
        ({"exp": float("-inf")}, "has expired: it says exp -inf"),
        (
            {"exp": NOW + 60},
            (
                "expires too early: it says exp 2023-11-14 22:14:20 UTC,"
                " and has to hold until 2023-11-14 23:13:20 UTC"
            ),
        ),
        (
            {"exp": NOW + 5 * HOUR, "nbf": NOW + 2 * HOUR},
            "is not valid yet: it says nbf 2023-11-15 00:13:20 UTC",
        ),
    ],
)
def test_token_that_does_not_hold(claims: dict[str, Any], said: str) -> None:
    assert untimely(saying(**claims), NOW, NOW + HOUR) == said


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"sub": "usr_42", "iat": NOW},
        {"exp": NOW + HOUR + 1},
        {"exp": (NOW + 2 * HOUR) * 1000},  # in milliseconds, as some write it
        {"exp": (NOW - 90) * 1000},  # which ends in 50,000 years for those who read seconds
        {"exp": (NOW + 2 * HOUR) * 1000, "nbf": NOW * 1000},
        {"exp": int(NOW + 2 * HOUR) * 1000, "nbf": int(NOW) * 1000},
        {"exp": 253_402_300_799},  # the end of the year 9999
        {"exp": 10**400},
        {"exp": None, "nbf": None},
        {"exp": True},
        {"exp": "never"},
        {"exp": "9" * 5000},
        {"exp": float("nan"), "nbf": float("nan")},
        {"exp": float("inf"), "nbf": float("-inf")},
        {"exp": NOW + 2 * HOUR, "nbf": NOW + 30},  # of a server whose clock is ahead
    ],
)
def test_token_that_holds_or_does_not_say(claims: dict[str, Any]) -> None:
    assert untimely(saying(**claims), NOW, NOW + HOUR) == ""


@pytest.mark.parametrize("role", ["test_token", "admin_token"])
def test_users_token_that_does_not_hold_is_unreachable(role: str) -> None:
    """Else each 401 would be laid at the release's door. It is still kept out of reports."""
    expired, early = mint(KEY, 2, "user", -1), mint(KEY, 2, "user", 48, starts_in=24)

    with pytest.raises(
        UnreachableError, match=rf"^\${role.upper()} has expired: it says exp .* UTC: get another"
    ):
        target(**{role: expired}).credential(role)
    with pytest.raises(
        UnreachableError, match=rf"^\${role.upper()} is not valid yet: it says nbf .* UTC: get another"
    ):
        target(**{role: early}).credential(role)
    assert [secret.reveal() for secret in target(**{role: expired}).secrets()] == [expired]


def test_tokens_made_of_an_expired_one_prove_nothing() -> None:
    """The API would refuse each for that, whoever signed it. The one that is named as expired has to be."""
    good, expired = mint(KEY, 2, "user", 24), mint(KEY, 2, "user", -1)

    tried = bad_tokens(target(test_token=good, expired_token=expired)).tried

    assert "expired" in [token.name for token in tried]
    with pytest.raises(UnreachableError, match=r"^\$TEST_TOKEN has expired"):
        bad_tokens(target(test_token=expired))


@pytest.mark.parametrize(
    ("more", "processes"),
    [(-2, run.Processes()), (130, run.Processes()), (400, run.Processes(2, bind="127.0.0.1:9"))],
)
def test_token_that_expires_within_a_load_test_is_not_tried(more: float, processes: run.Processes) -> None:
    """Nothing is asked: whoever listened at this address would be refused. Locust's page has no end.

    Workers may come late, the last job may take its time, and the target's clock may be a minute ahead.
    """
    runbook, ramp = read_runbook(ROOT / "runbook.toml"), chosen(ROOT, "smoke")
    soon = mint(KEY, 2, "user", (ramp.seconds + more) / HOUR)
    assert ramp.seconds > 10
    mine = target(test_token=soon)

    with pytest.raises(
        UnreachableError, match=r"^\$TEST_TOKEN expires too early: it says exp .* and has to hold until "
    ):
        run.run(ROOT, mine, runbook, ramp, processes, lambda _: None)
    assert mine.credential("test_token").reveal() == soon
    longer = replace(mine, variables={"TEST_TOKEN": mint(KEY, 2, "user", (ramp.seconds + more + 60) / HOUR)})
    if more > 0:
        with pytest.raises(UnreachableError, match="expected a version before the load test"):
            run.run(ROOT, longer, runbook, ramp, processes, lambda _: None)
