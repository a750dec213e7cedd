"""Bad tokens are made without any key, are what they are called, and must open nothing."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest

from nox_rehearsal.api.login.auth import RULES, TokenError, Verifier, mint
from nox_service.access.closed_list import DOOR, JOBS, KNOCKS, Knock, refuse_others
from nox_service.access.doors import refused, shut, spellings
from nox_service.access.owners import history_faults, profile_faults
from nox_service.access.tokens import MADE, BadToken, bad_tokens, subject_of
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer
from noxgate.project.credentials.web_token import claims_of
from noxgate.project.target import Target
from noxgate.systems import settings

KEY = "a key of the tests that is long enough"
TOKEN = mint(KEY, 2, "user", 24)  # hours: these tests may run long after they were collected
NAMES = {"expired_token": "EXPIRED", "early_token": "EARLY", "other_audience_token": "ELSEWHERE"}
GIVEN = {
    "EXPIRED": mint(KEY, 2, "user", -1),
    "EARLY": mint(KEY, 2, "user", 48, starts_in=24),
    "ELSEWHERE": mint(KEY, 2, "user", 24, audience="another"),
}


def target(token: str = TOKEN, *, named: bool = True) -> Target:
    """A profile that names a token for everything, or the test token alone."""
    return Target(
        name="staging",
        path=Path("staging.toml"),
        serves=("staging",),
        base_url="https://api.nox.example",
        plain_url="",
        namespace="nox",
        credentials={"test_token": "TEST_TOKEN", **(NAMES if named else {})},
        variables={"TEST_TOKEN": token, **GIVEN},
    )


def answered(document: Any, status: int = 200, kind: str = "application/json") -> Answer:
    text = document if isinstance(document, str) else json.dumps(document)
    return Answer(status, {"content-type": kind}, {"content-type": [kind]}, text)


# ---------------------------------------------------------------- the tokens


def test_all_are_tried_and_each_is_bad() -> None:
    """The reference API's own verifier refuses each, and believes the good one."""
    tokens = bad_tokens(target())

    assert [token.name for token in tokens.tried] == [
        "another signature",
        *MADE,
        *("expired", "early", "other audience"),
    ]
    assert tokens.not_tried == ()
    assert Verifier().caller(KEY, f"Bearer {TOKEN}").user_id == 2
    for token in tokens.tried:
        with pytest.raises(TokenError):
            Verifier().caller(KEY, f"Bearer {token.value}")


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_missed_by_a_token_of_its_own(rule: str) -> None:
    """With one rule off the token of that name gets in, and none for another reason."""
    let_in = []
    for token in bad_tokens(target()).tried:
        try:
            Verifier().caller(KEY, f"Bearer {token.value}", rule)
        except TokenError:
            continue
        let_in.append(token.name)

    also = {"alg none": ["alg NONE"], "another key": ["another signature"]}
    assert sorted(let_in) == sorted([rule, *also.get(rule, [])])


def test_what_the_profile_does_not_name_is_said() -> None:
    """And nothing is made in its place: that would take the key."""
    tokens = bad_tokens(target(named=False))

    assert [token.name for token in tokens.tried] == ["another signature", *MADE]
    assert "not tried: expired (staging.toml names no expired_token under [credentials])" in tokens.said()


def test_a_token_that_is_none_of_json_is_altered_only() -> None:
    tokens = bad_tokens(target("an-opaque-session-of-somebody", named=False))

    assert [token.name for token in tokens.tried] == ["another signature"]
    assert "$TEST_TOKEN is not a JSON Web Token" in tokens.said()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"EXPIRED": TOKEN}, r"\$EXPIRED is to be the expired token, and has not expired"),
        ({"EXPIRED": mint(KEY, 2, "user", -1, audience="x")}, "also is for another audience"),
        ({"EARLY": TOKEN}, "has no nbf ahead"),
        ({"EARLY": mint(KEY, 2, "user", -1, starts_in=3)}, "also has expired"),
        ({"ELSEWHERE": TOKEN}, "is for the same audience"),
        ({"ELSEWHERE": mint(KEY, 2, "user", -1, audience="x")}, "also has expired"),
        ({"EXPIRED": "opaque-token-of-somebody"}, "is not a JSON Web Token"),
        ({"EXPIRED": jwt.encode({"exp": 1, "aud": "nox-api", "iss": "x"}, KEY)}, "also is another issuer's"),
    ],
)
def test_a_token_that_is_not_what_it_is_called_proves_nothing(given: dict[str, str], why: str) -> None:
    """The profile is wrong, not the release."""
    with pytest.raises(UnreachableError, match=why):
        bad_tokens(replace(target(), variables={**target().variables, **given}))


def test_named_and_unset_is_could_not_look() -> None:
    unset = replace(target(), variables={"TEST_TOKEN": TOKEN})

    with pytest.raises(UnreachableError, match="EXPIRED is not set"):
        bad_tokens(unset)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_forged_by_another_key_is_signed_rightly_by_it(algorithm: str) -> None:
    """By the algorithm of the token itself; its claims are untouched."""
    token = jwt.encode({"sub": "7", "exp": time.time() + 99}, "k" * 64, algorithm=algorithm)
    made = MADE["another key"](token)

    assert made.rpartition(".")[0] == token.rpartition(".")[0]
    assert len(made) == len(token)
    assert made != token


def test_another_users_token_keeps_its_signature() -> None:
    made = MADE["another user"](TOKEN)

    assert made.rpartition(".")[2] == TOKEN.rpartition(".")[2]
    assert (claims_of(made) or {})["sub"] == "1"
    assert (claims_of(made) or {})["role"] == "admin"


@pytest.mark.parametrize("name", MADE)
def test_the_command_under_repeat_makes_the_same(name: str) -> None:
    """Of the variable; neither token stands in it."""
    (token,) = (one for one in bad_tokens(target()).tried if one.name == name)
    done = subprocess.run(
        [sys.executable, "-m", "nox_service.access.tokens", name, "TEST_TOKEN"],
        env={**os.environ, "TEST_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=True,
    )

    assert claims_of(done.stdout) == claims_of(token.value)
    assert done.stdout.count(".") == 2
    assert token.spelled == f"$(python -m nox_service.access.tokens '{name}' TEST_TOKEN)"
    assert TOKEN[:20] not in repr(token)


def test_subject_is_the_tokens_or_the_profiles() -> None:
    assert subject_of(target()) == "2"
    assert subject_of(replace(target("opaque-token"), test_subject="usr_7")) == "usr_7"
    with pytest.raises(UnreachableError, match=r"staging.toml, test_subject"):
        subject_of(target("opaque-token"))


# ---------------------------------------------------------------- the closed list

BAD = BadToken("expired", "x.y.z", "$EXPIRED")
KNOCKED = [Knock(path, BAD, method) for method, path in KNOCKS]


@pytest.mark.parametrize("knock", [*KNOCKED, Knock(DOOR, None, "POST"), Knock(DOOR, "test_token", "POST")])
def test_what_could_change_something_is_tried_on_staging_alone(knock: Knock) -> None:
    refuse_others(knock, settings.api(target()))

    with pytest.raises(ValueError, match="on staging alone"):
        refuse_others(knock, replace(settings.api(target()), serves=("live",)))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_production_is_asked_by_get_alone(method: str) -> None:
    production = replace(settings.api(target()), serves=("live",))

    refuse_others(Knock(DOOR, BAD), production)
    with pytest.raises(ValueError, match="on staging alone"):
        refuse_others(Knock(DOOR, BAD, method), production)


@pytest.mark.parametrize(
    "knock",
    [
        Knock("/api/user/settings", "test_token", "PUT"),
        Knock(DOOR, "admin_token", "POST"),
        Knock(JOBS, None, "POST"),
        Knock("/api/user/settings", BAD, "DELETE"),
        Knock("/api/user/settings/", BAD, "PUT"),
        Knock("/psi4/v1", BAD, "POST"),
    ],
)
def test_nothing_else_is_tried(knock: Knock) -> None:
    """Least of all by somebody who may be let in."""
    with pytest.raises(ValueError, match=r"closed list|must be refused"):
        refuse_others(knock, settings.api(target()))


# ---------------------------------------------------------------- what opens, and what does not

ROOM = answered({"status": "healthy", "pod": "nox-api-green-1", "uptime_seconds": 3, "failed": []})
PROFILE = answered({"id": 2, "email": "chemist2@nox.example", "display_name": "Chemist 2"})


def test_refused_is_401_without_the_page() -> None:
    assert refused(answered({"error": "invalid token"}, 401), PROFILE) == []
    assert refused(answered({"id": 2}), PROFILE) != []
    assert refused(answered({"error": "forbidden"}, 403), PROFILE) != []
    assert refused(answered({"error": "no", "you": "chemist2@nox.example"}, 401), PROFILE) != []


@pytest.mark.parametrize(
    ("method", "answer", "is_shut"),
    [
        ("GET", answered({"error": "not found"}, 404), True),
        ("GET", answered("", 307), True),
        ("GET", answered("<html>an application of one page", kind="text/html"), True),
        ("GET", answered({"message": "see /docs", "version": "1"}), True),
        ("GET", ROOM, False),
        ("GET", answered({"status": "healthy", "pod": "b", "uptime_seconds": 9}), False),
        ("GET", answered("pod nox-api-green-1 is fine", kind="text/plain"), False),
        ("HEAD", answered("", 401), True),
        ("HEAD", answered("", kind="text/html"), True),
        ("HEAD", answered(""), False),
        ("HEAD", answered("", kind="application/json; charset=utf-8"), False),
        ("OPTIONS", answered("", 204), True),
        ("OPTIONS", answered({"name": "Admin", "renders": ["application/json"], "parses": []}), True),
        ("OPTIONS", ROOM, False),
        ("POST", answered("", 405), True),
        ("POST", answered("", 204), False),
        ("PUT", answered({"settings": {}}, 200), False),
    ],
)
def test_door(method: str, answer: Answer, is_shut: bool) -> None:  # noqa: FBT001
    assert (shut(answer, ROOM, method) == []) is is_shut


def test_spellings_are_other_ways_to_one_place() -> None:
    assert {"/api/admin/health/", "/API/ADMIN/HEALTH", "/api//admin/health", "/api/%61dmin/health"} <= {
        *spellings(DOOR)
    }
    assert DOOR not in spellings(DOOR)


# ---------------------------------------------------------------- whose it is


@pytest.mark.parametrize(
    "profile",
    [
        {"id": 2},
        {"id": "2", "email": "a@b.example"},
        {"data": {"user": {"userId": 2}}},
        {"profile": {"sub": "2", "id": "0193822c"}},
    ],
)
def test_profile_of_the_subject(profile: Any) -> None:
    assert profile_faults(answered(profile), "2") == []


@pytest.mark.parametrize(
    "profile", [{"id": 1}, {"id": 22}, {"organization": {"id": 2}}, {"name": "2"}, {}, [2], {"id": True}]
)
def test_profile_of_somebody_else(profile: Any) -> None:
    (fault,) = profile_faults(answered(profile), "2")

    assert "expected the profile of the token's subject '2'" in fault


JOBS_OF = {"jobs": [{"job_id": "a", "status": "completed"}, {"job_id": "b"}]}


@pytest.mark.parametrize(
    ("history", "others"),
    [
        ({"jobs": []}, {"jobs": []}),
        (JOBS_OF, None),
        (JOBS_OF, {"jobs": [{"job_id": "c"}]}),
        (JOBS_OF, {"jobs": [*JOBS_OF["jobs"], {"job_id": "c"}]}),  # an administrator who sees them all
        ([{"id": "a", "user_id": 2}, {"id": "b", "userId": "2"}], None),
        ([{"id": 1, "user_id": 2}], [{"id": 1, "user_id": 1}]),  # each user's are numbered from one
        ([{"id": 1, "molecule": "water"}], [{"id": 1, "molecule": "benzene"}]),
        ([{"id": "a", "owner": {"id": 2, "name": "x"}}], None),
        ([{"id": "a", "user": "chemist2@nox.example"}], None),
    ],
)
def test_own_history(history: Any, others: Any) -> None:
    other = None if others is None else answered(others)

    assert history_faults(answered(history), PROFILE, "2", other) == []


@pytest.mark.parametrize(
    ("history", "others"),
    [
        (JOBS_OF, JOBS_OF),
        ([{"id": 1, "at": 1}, {"id": 2, "at": 5}], [{"id": 1, "at": 1}, {"id": 2, "at": 6}]),
        (
            [{"id": 1, "molecule": "water", "energy": -5, "link": "/r?t=1"}],  # a link for each answer
            [{"id": 1, "molecule": "water", "energy": -5, "link": "/r?t=2"}],
        ),
        ([{"id": "a", "user_id": 2}, {"id": "b", "user_id": 3}], None),
        ([{"id": "a", "owner": {"id": 1}}], None),
        ({"user_id": 1, "jobs": []}, None),
    ],
)
def test_history_of_somebody_else(history: Any, others: Any) -> None:
    other = None if others is None else answered(others)

    assert history_faults(answered(history), PROFILE, "2", other) != []
