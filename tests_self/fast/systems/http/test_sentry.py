"""Sentry's issues, new and come back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.fast.systems.http.loopback_tools import serving

from noxgate.errors import UnreachableError
from noxgate.systems import settings
from noxgate.systems.http.sentry import Sentry

if TYPE_CHECKING:
    from noxgate.look.observation import Observation

ISSUES, ENVIRONMENTS = "/api/0/projects/nox/api/issues/", "/api/0/projects/nox/api/environments/"
SWITCHED = datetime(2026, 1, 1, 10, tzinfo=UTC)
BEFORE, AFTER = "2026-01-01T09:00:00Z", "2026-01-01T11:00:00Z"


def issue(**changes: str) -> dict[str, str]:
    found = {"id": "7", "shortId": "NOX-7", "title": "KeyError", "firstSeen": BEFORE, "lastSeen": AFTER}
    return found | {"count": "3", "status": "unresolved", "substatus": "ongoing"} | changes


def history(*activity: tuple[str, str]) -> dict[str, Any]:
    return {"activity": [{"type": kind, "dateCreated": at} for kind, at in activity]}


SINCE = "new, or come back, since 2026-01-01 10:00 UTC in production"
GIVEN = "unresolved issues were seen since then"
TWICE = history(("set_regression", BEFORE), ("set_regression", AFTER))


@pytest.mark.parametrize(
    ("found", "details", "said"),
    [
        (issue(), None, []),
        (issue(firstSeen=AFTER), None, ["NOX-7 KeyError (3 events)"]),
        (issue(substatus="regressed"), None, ["NOX-7 KeyError (regressed, 3 events)"]),
        (issue(substatus="escalating"), None, ["NOX-7 KeyError (escalating, 3 events)"]),
        (issue(substatus="regressed", lastSeen=BEFORE), None, []),
        (issue(substatus="regressed"), history(("set_regression", BEFORE)), []),
        (issue(substatus="regressed"), TWICE, ["NOX-7 KeyError (regressed, 3 events)"]),
        (issue(substatus="regressed"), history(("note", BEFORE)), ["NOX-7 KeyError (regressed, 3 events)"]),
        (issue(substatus="archived_until_escalating"), None, []),
    ],
)
def test_issues_that_come_back_count(found: object, details: object, said: list[str]) -> None:
    """Since the switch, by their history; where Sentry does not say when, they do."""
    with serving({ISSUES: [found], "/api/0/issues/7/": details}) as (target, _):
        assert [
            str(each) for each in Sentry(settings.sentry(target), lambda _: None).new_issues(SWITCHED)
        ] == said


@pytest.mark.parametrize(
    ("found", "details", "looks"),
    [
        ([], None, ["issues: none", "environments: production, staging", f"{SINCE}: none"]),
        (
            [issue(firstSeen=AFTER), issue(shortId="NOX-8")],
            None,
            ["issues: NOX-7, NOX-8", f"{SINCE}: NOX-7 KeyError (3 events) (2 {GIVEN})"],
        ),
        (
            [issue(substatus="regressed")],
            history(("set_regression", BEFORE)),
            [
                "issues: NOX-7",
                f"history of NOX-7: set_regression at {BEFORE}",
                f"{SINCE}: none (1 {GIVEN})",
            ],
        ),
    ],
    ids=["none", "new", "not-since"],
)
def test_what_was_seen_last_is_about_issues(found: object, details: object, looks: list[str]) -> None:
    """The sign-off page shows that, also after it asked for another thing."""
    environments = [{"name": "production"}, {"name": "staging"}]
    seen: list[Observation] = []
    with serving({ISSUES: found, "/api/0/issues/7/": details, ENVIRONMENTS: environments}) as (target, _):
        Sentry(settings.sentry(target), seen.append).new_issues(SWITCHED)

    assert [one.seen for one in seen] == looks
    assert f"{ISSUES} --data-urlencode" in seen[-1].repeat


def test_issues_of_staging_do_not_count() -> None:
    """Sentry is asked for those of the environment that the profile names."""
    environments = [{"name": "prod"}, {"name": "staging"}]
    answers = {
        ISSUES: lambda asked: [issue(firstSeen=AFTER)] if asked["environment"] == "staging" else [],
        ENVIRONMENTS: environments,
    }
    with serving(answers) as (target, asked):
        assert target.sentry is not None
        prod = replace(target, sentry=replace(target.sentry, environment="prod"))
        assert Sentry(settings.sentry(prod), lambda _: None).new_issues(SWITCHED) == []

        with pytest.raises(
            UnreachableError, match=r"environment production, saw prod, staging: name it .*loopback\.toml"
        ):
            Sentry(settings.sentry(target), lambda _: None).new_issues(SWITCHED)
    assert asked[0][1]["query"] == "is:unresolved lastSeen:>=2026-01-01T10:00:00+00:00"


def test_a_page_that_is_full_may_hide_some() -> None:
    """The new ones and those that came back are asked for by themselves."""
    many = [issue(id=str(number), shortId=f"NOX-{number}") for number in range(100)]
    new = issue(id="200", shortId="NOX-200", firstSeen=AFTER)

    def answer(asked: Mapping[str, str]) -> object:
        return [new] if "firstSeen" in asked["query"] or "regressed" in asked["query"] else many

    with serving({ISSUES: answer}) as (target, asked):
        found = Sentry(settings.sentry(target), lambda _: None).new_issues(SWITCHED)

    assert [one.name for one in found] == ["NOX-200"]
    assert len(asked) == 3
