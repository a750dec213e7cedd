"""The release record: what it says, what is not filled in yet, and what is not valid as a record."""

from datetime import date
from pathlib import Path

import pytest
from tests_self.building.release_records import GOOD

from noxgate.errors import UnreachableError
from noxgate.project.release_facts import FactsError, ReleaseFacts, read_release_facts


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "staging.toml"


def read(profile: Path, text: str) -> ReleaseFacts:
    (profile.parent / "release.toml").write_text(text)
    return read_release_facts(profile.parent / "release.toml")


def gaps(facts: ReleaseFacts) -> list[str]:
    return [*facts.gaps(), *facts.contact_gaps(), *facts.channel_gaps(), *facts.link_gaps()]


def test_record_that_is_filled_in(profile: Path) -> None:
    facts = read(profile, GOOD)

    assert (facts.version, facts.date, facts.planned_minutes) == ("8.0.0", date(2025, 8, 15), 50)
    assert facts.channels == ("#ops-alerts", "#nox-releases", "#dev-team")
    assert facts.checklist == "docs/STAGING_VALIDATION_RELEASE_CHECKLIST.md"
    assert facts.contacts["devops_lead"]["slack"] == "@grace.m"
    assert facts.links["elk"] == "https://elk.nox.internal:5601/app/discover"
    assert gaps(facts) == []
    assert "960001" not in repr(facts)
    assert "wiki.nox" not in repr(facts)  # pytest shows it where a field of it is wrong


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('on_call = "Ada Byron"', "", ["on_call"]),
        ('on_call = "Ada Byron"', 'on_call = "  "', ["on_call"]),
        ('on_call = "Ada Byron"', 'on_call = "[Name]"', ["on_call"]),
        ('version = "8.0.0"', "", ["version"]),
        ("date = 2025-08-15", "", ["date"]),
        ("planned_minutes = 50", "", ["planned_minutes"]),
        ('name = "Edgar Codd", ', "", ["database_administrator.name: is blank"]),
        ('"Edgar Codd"', '"[DBA Name]"', ["database_administrator.name: is blank"]),
        ('"@codd"', '"codd"', ["database_administrator.slack: is not a Slack handle, as @name"]),
        (
            '"+44 1632 960002"',
            '"+1 202 555-0123"',
            ["devops_lead.telephone: is not a usable telephone number"],
        ),
        (
            '"+44 1632 960002"',
            '"000-000-0000"',
            ["devops_lead.telephone: is not a usable telephone number"],
        ),
        (
            '"+44 1632 960002"',
            '"ask Grace"',
            ["devops_lead.telephone: is not a usable telephone number"],
        ),
        ('"#dev-team"', '"dev-team"', ["dev-team"]),
        ('wiki = "https://wiki.nox.internal/release/8.0.0"', "", ["wiki: is blank"]),
        ("https://wiki.nox.internal/release/8.0.0", "[wiki URL]", ["wiki: is blank"]),
        ("https://wiki", "wiki", ["wiki: is not a URL of http or https"]),
        ("https://wiki", "ftp://wiki", ["wiki: is not a URL of http or https"]),
        ("https://wiki.nox.internal", "https://[wiki", ["wiki: is not a URL"]),
        (
            "wiki.nox.internal",
            "wiki.yourdomain.com",
            ["wiki: is at wiki.yourdomain.com, which is an example"],
        ),
        ("wiki.nox.internal", "example.com", ["wiki: is at example.com, which is an example"]),
        (
            "https://wiki",
            "https://ada:hunter2hunter2@wiki",
            ["wiki: has a user name or password in it: links are for everybody"],
        ),
        ("/release/8.0.0", "/[page]", ["wiki: has a blank in it"]),
    ],
)
def test_gaps(profile: Path, old: str, new: str, expected: list[str]) -> None:
    """Each by its own name."""
    assert old in GOOD

    assert gaps(read(profile, GOOD.replace(old, new, 1))) == expected


def test_contact_that_is_missing(profile: Path) -> None:
    """All three of its fields."""
    lines = [line for line in GOOD.splitlines() if not line.startswith("product_owner")]

    assert read(profile, "\n".join(lines)).contact_gaps() == [
        "product_owner.name: is blank",
        "product_owner.telephone: is blank",
        "product_owner.slack: is blank",
    ]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("version = ", "verison = ", "release.toml: unknown key 'verison' (keys: version, date, "),
        ("version = ", "verison = ", "measured_before); did you mean 'version'?"),
        ("wiki", "wikki", "elk, wiki); did you mean 'wiki'?"),
        ("date = 2025-08-15", 'date = "2025-08-15"', "date: expected a date, as 2025-08-15, saw str"),
        ("date = 2025-08-15", "date = 2025-08-15T10:00:00", "date: expected a date, as 2025-08-15, saw"),
        ("= 50", "= true", "planned_minutes: expected a whole number, saw bool"),
        ("= 50", '= "50"', "planned_minutes: expected a whole number, saw str"),
        ('"#dev-team"', "7", 'channels: expected texts such as "#ops-alerts"'),
        ("devops_lead", "devops", "[contacts]: unknown role 'devops' (roles: on_call, devops_lead, "),
        ("slack", "slak", "[contacts.on_call]: unknown key 'slak' (keys: name, telephone, slack, key)"),
        ('"@ada"', "7", "contacts.on_call.slack: expected text, saw int"),
        ("wiki", "wikki", "[links]: unknown key 'wikki' (keys: grafana, sentry, elk, wiki)"),
        ("[links]", "[links", "release.toml: "),
    ],
)
def test_what_is_no_record(profile: Path, old: str, new: str, reason: str) -> None:
    """One line: wrong, not unreachable."""
    with pytest.raises(FactsError) as caught:
        read(profile, GOOD.replace(old, new, 1))

    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_record(profile: Path) -> None:
    with pytest.raises(UnreachableError, match=r"the release record .*/release\.toml: No such file"):
        read_release_facts(profile.parent / "release.toml")


def test_record_that_is_not_text(profile: Path) -> None:
    (profile.parent / "release.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(FactsError, match=r"release\.toml: .*utf-8"):
        read_release_facts(profile.parent / "release.toml")
