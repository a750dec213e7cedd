"""`noxgate attest`: a person's record of a line that no machine can check, and the verdict on it."""

# ruff: noqa: F811 (fixtures of another file)

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from tests_self.building.people import people, say  # noqa: F401 (fixtures)

from nox_rehearsal.people import persons
from noxgate.cli.main import main
from noxgate.errors import ProfileError
from noxgate.project.runbook import Line, read_runbook
from noxgate.trust import signing
from noxgate.trust.keys import read_trust
from noxgate.trust.persons import attest
from noxgate.trust.persons.people import Person
from noxgate.trust.records import OPENED, Chain, RecordError
from noxgate.trust.signing import SigningKey

if TYPE_CHECKING:
    from tests_self.conftest import Project

    from nox_rehearsal.world.state import World

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_an_attested_line_is_passed(people: "Project", capsys: pytest.CaptureFixture[str]) -> None:
    """GO, and the verdict says who saw what, and when; so does the report."""
    assert say() == 0
    assert "staging.announced  passed, Ada Lindqvist, " in capsys.readouterr().out

    result = people.gate()

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["attested    staging.announced * Ada Lindqvist, 20* UTC: https://chat.nox.io/p1 posted"]
    )
    (run,) = people.path.glob("reports/8.0.0/2*")
    (line,) = (
        line for line in json.loads((run / "results.json").read_text())["lines"] if line["attestation"]
    )
    assert line["id"] == "staging.announced"
    assert line["attestation"]["by"] == "Ada Lindqvist"
    assert line["attestation"]["seen"] == "https://chat.nox.io/p1 posted"
    assert "Ada Lindqvist, 20" in (run / "report.html").read_text()
    copy = run / "records" / "0001.json"
    assert copy.read_bytes() == (people.path / "reports/8.0.0/records/staging/0001.json").read_bytes()


def test_a_line_that_nobody_attested_is_not_run(people: "Project") -> None:
    """INCONCLUSIVE, with what to do."""
    result = people.gate()

    assert result.ret == 2
    result.stdout.fnmatch_lines(["not run * staging.announced *"])


NO_TOOL = "raise UnreachableError('staging.toml names no Grafana')"


def test_a_person_stands_in_for_a_tool_that_is_not_there(people: "Project") -> None:
    """Its check could not look, and the record says what was seen: that leaves no doubt."""
    people.check("announced", NO_TOOL, looks=False)
    say()

    result = people.gate()

    assert result.ret == 0
    assert [line for line in result.outlines if "besides" in line or "explains" in line] == []


def test_without_a_record_the_tool_is_missed(people: "Project") -> None:
    """The same, and it was not attested."""
    people.check("announced", NO_TOOL, looks=False)

    assert people.gate().ret == 2


def test_a_person_who_saw_it_fail(people: "Project") -> None:
    """NO-GO; and the newest word counts."""
    say()
    main(["attest", "staging.announced", "--by", "Bram Okafor", "--saw", "the channel is empty", "--failed"])

    result = people.gate()

    assert result.ret == 1
    result.stdout.fnmatch_lines(["failed      staging.announced * Bram Okafor saw: the channel is empty"])


def test_records_that_were_changed_make_no_go(people: "Project") -> None:
    """Nothing in a broken chain counts, and the run says so."""
    say()
    path = people.path / "reports/8.0.0/records/staging/0001.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("payload", "payl0ad", 1))

    result = people.gate()

    assert result.ret == 2
    assert "records of staging: 0001.json: is not a signed envelope, or was changed" in result.outlines


def test_an_old_attestation_does_not_count(people: "Project") -> None:
    """That of the first attempt does not count for the second."""
    say()
    trust = read_trust(people.path, "staging")
    chain = trust.chain(people.path / "reports", "8.0.0")
    (record,) = chain.read()

    assert attest.attestations(chain, 24, record.at + timedelta(hours=24)) == {"staging.announced": record}
    assert attest.attestations(chain, 24, record.at + timedelta(hours=24, seconds=1)) == {}
    with pytest.raises(RecordError, match="record 1 is from the future"):
        attest.attestations(chain, 24, record.at - timedelta(minutes=6))


def test_a_rehearsal_attests_with_its_own_key(people: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Its records are stamped, lie with it, and do not count for a real target."""
    monkeypatch.delenv(signing.VARIABLE)

    assert say("--by", "rehearsal", "--target", "rehearsal") == 0

    assert read_trust(people.path, "rehearsal").chain(Path("reports"), "8.0.0").read()[0].rehearsal
    assert people.run("-m", "staging", "--target", "rehearsal").ret == 0
    assert people.gate().ret == 2


@pytest.mark.parametrize(
    ("arguments", "line", "message"),
    [
        ((), "staging.anounced", "no runbook line 'staging.anounced'; did you mean 'staging.announced'?"),
        (
            (),
            "staging.version",
            "staging.version is not a person's to attest: a check proves it: noxgate gate",
        ),
        ((), "staging.sum", "staging.sum is not a person's to attest: it follows from other lines"),
        (
            ("--target", "staging"),
            "live.sentry",
            "target 'staging' does not serve phase 'live' (serves: staging)",
        ),
        (("--target", "stagin"), "staging.announced", "no target 'stagin' (targets: "),
        (("--by", ""), "staging.announced", "--by: expected words of your own, saw ''"),
        (("--by", "[name]"), "staging.announced", "--by: expected words of your own, saw '[name]'"),
        (
            ("--by", "rehearsal"),
            "staging.announced",
            "--by: expected somebody of release.toml (Ada Lindqvist, ",
        ),
        (("--by", "x"), "staging.announced", "--by: expected somebody of release.toml (Ada Lindqvist, Bram "),
        (("--by", "Ada"), "staging.announced", "--by: expected somebody of release.toml"),
        (("--saw", " "), "staging.announced", "--saw: expected words of your own, saw ' '"),
        (("--saw", "TBD"), "staging.announced", "--saw: expected words of your own, saw 'TBD'"),
        (("--saw", "Done."), "staging.announced", "--saw: expected what was seen"),
        (("--saw", "The team knows."), "staging.announced", "--saw: expected what was seen"),
        (("--saw", "a\x1b[2J b"), "staging.announced", "--saw: expected one line of at most"),
        (("--saw", "a b " * 400), "staging.announced", "--saw: expected one line of at most"),
    ],
)
def test_what_cannot_be_attested(
    people: "Project",
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    line: str,
    message: str,
) -> None:
    """One line, exit status 4, and nothing is written."""
    assert say(*arguments, line=line) == 4

    error = capsys.readouterr().err
    assert error.startswith(f"noxgate: {message}")
    assert error.count("\n") == 1
    assert not (people.path / "reports").exists()


def test_without_words_or_a_key(
    people: "Project", capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Says what is missing."""
    assert main(["attest", "staging.announced"]) == 4
    assert "missing: by, saw" in capsys.readouterr().err
    signing.new_key(people.path / "bram.pem")
    for key, message in (
        ("", "is not set; noxgate keygen makes one"),
        ("bram.pem", "does not sign for staging"),
    ):
        monkeypatch.setenv(signing.VARIABLE, key)
        assert say() == 4
        assert message in capsys.readouterr().err


def test_a_secret_is_not_attested(
    people: "Project", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record cannot be changed, and its envelope hides it from a search: so it is refused."""
    monkeypatch.setenv("TEST_TOKEN", "tKq7Zx-tWm3Vy-tRp9Hd")

    assert say("--saw", "curl -H 'Bearer tKq7Zx-tWm3Vy-tRp9Hd' answers 200") == 4

    error = capsys.readouterr().err
    assert error == "noxgate: --by, --saw: would show $TEST_TOKEN in every bundle: say it without\n"
    assert list(people.path.glob("reports/**/*.json")) == []


@pytest.mark.usefixtures("people")
def test_a_word_is_for_the_target_that_is_named_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the rule of every command; if no target serves the phase, one line says so."""
    monkeypatch.delenv("NOXGATE_TARGET")
    monkeypatch.setenv("BASE_URL", "https://staging.example.com")
    assert say() == 0
    assert capsys.readouterr().out.startswith("target staging: $BASE_URL is set")
    assert say(line="live.sentry") == 4
    assert "expected --target: phase 'live' is served by no target" in capsys.readouterr().err


def test_the_list_of_what_is_owed(
    people: "Project", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before and after."""
    assert main(["attest", "--list", "--target", "staging"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "release 8.0.0: 1 of 1 still owed"
    say()

    assert main(["attest", "--list", "--target", "staging"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "release 8.0.0: 0 of 1 still owed"
    monkeypatch.delenv("NOXGATE_TARGET")
    assert main(["attest", "--list"]) == 4  # no profile serves live
    assert people.path == Path.cwd()


# ---------------------------------------------------------------- lines that are due at an hour


def hourly(**limits: float) -> Line:
    """A human line of the window."""
    return Line("window.reports", "RB-6", "window", "human", "6", (1,), "quiet", "ask", limits=limits)


@pytest.mark.parametrize(
    ("minutes", "message"),
    [
        pytest.param(48 * 60 - 1, "window.reports: too early: due from 2026-11-26 12:00 UTC", id="early"),
        pytest.param(48 * 60, None, id="due"),
        pytest.param(49 * 60, None, id="last-moment"),
        pytest.param(49 * 60 + 1, "window.reports: too late: was due until 2026-11-26 13:00 UTC", id="late"),
    ],
)
def test_a_line_is_due_for_a_time(tmp_path: Path, minutes: int, message: str | None) -> None:
    """Counted from the window's opening; afterwards it cannot be made up for."""
    chain, key = window(tmp_path)
    chain.append(key, kind=OPENED, line="window.opened", by="noxgate", seen="the switch", now=NOON)
    line, now = hourly(hour=48, late_minutes=60), NOON + timedelta(minutes=minutes)

    if message is None:
        assert attest.attest(chain, key, line, by=Person("Ada"), saw="0 tickets", now=now).at == now
    else:
        with pytest.raises(attest.AttestationError, match=message):
            attest.attest(chain, key, line, by=Person("Ada"), saw="0 tickets", now=now)


def test_a_window_that_nobody_opened(tmp_path: Path) -> None:
    """Nothing in it is due."""
    chain, key = window(tmp_path)

    with pytest.raises(attest.AttestationError, match="it has not been opened"):
        attest.attest(
            chain, key, hourly(hour=1, late_minutes=30), by=Person("Ada"), saw="0 tickets", now=NOON
        )


def window(tmp_path: Path) -> tuple[Chain, SigningKey]:
    """A rehearsal's chain and its key."""
    public = signing.new_key(tmp_path / "ada.pem")
    chain = Chain(tmp_path / "records", "8.0.0", "production", rehearsal=True, signers=(public,))
    return chain, signing.read_signing_key(tmp_path / "ada.pem")


def test_a_rehearsal_attests_every_human_line_of_a_phase(people: "Project") -> None:
    """Of production, in the rehearsal's own folder, stamped."""
    profile = people.path / "targets" / "rehearsal-production.toml"
    text = (people.path / "targets" / "rehearsal.toml").read_text()
    profile.write_text(text.replace('["staging"]', '["prep", "live"]'))
    root = Path(__file__).parents[3]

    persons.attest_all(cast("World", SimpleNamespace(production_profile=profile)), "live")

    records = read_trust(root, str(profile)).chain(Path("reports"), "8.0.0").read()
    human = [
        line.id for line in attest.human_lines(read_runbook(root / "runbook.toml")) if line.phase == "live"
    ]
    assert [record.line for record in records] == human != []
    assert {(record.by, record.rehearsal) for record in records} == {("rehearsal", True)}
    assert (profile.parent / "records" / "rehearsal-production" / "0001.json").is_file()


# ---------------------------------------------------------------- what a profile says about evidence


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("staging", 'signing_key = "x.pem"', "staging.toml: signing_key: only a rehearsal has one"),
        ("staging", 'signers = ["keys/nobody.pub"]', "staging.toml: signers: .*nobody.pub: No such file"),
        ("staging", "signers = [1]", "staging.toml: signers: expected files such as"),
        ("staging", 'signers = ["staging.toml"]', "staging.toml: signers: .*expected an Ed25519 public key"),
        (
            "staging",
            "evidence_hours = 0",
            "staging.toml: evidence_hours: expected a whole number from 1, saw 0",
        ),
        ("staging", "evidence_hours = true", "staging.toml: evidence_hours: expected a whole number"),
        ("staging", "evidence_hours = 1.5", "staging.toml: evidence_hours: expected a whole number, saw 1.5"),
        ("staging", "rehearsal = true", "staging.toml: rehearsal = true belongs in a rehearsal's own"),
    ],
)
def test_profile_that_cannot_be_trusted(project: "Project", name: str, line: str, message: str) -> None:
    """One line, and no run."""
    profile = project.path / "targets" / f"{name}.toml"
    profile.write_text(f"{line}\n{profile.read_text()}")

    with pytest.raises(ProfileError, match=message):
        read_trust(project.path, name)
    assert project.gate().ret == 4


def test_a_key_that_does_not_sign_for_the_target_stops_a_run(
    people: "Project", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first check, not after the last."""
    signing.new_key(people.path / "bram.pem")
    monkeypatch.setenv(signing.VARIABLE, str(people.path / "bram.pem"))

    result = people.gate()

    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["*ERROR: key * does not sign for staging; staging.toml has as signers: ada.pub*"]
    )


def test_the_signing_key_gets_into_no_report(people: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Although a check prints its environment."""
    pem = (people.path / "targets" / "keys" / "ada.pem").read_text()
    monkeypatch.setenv(signing.VARIABLE, pem)
    say()
    people.check("health", "import os\nassert os.environ['NOXGATE_SIGNING_KEY'] == 'x'")

    result = people.gate()

    body = pem.splitlines()[1]
    texts = [
        result.stdout.str(),
        *(path.read_text() for path in people.path.glob("reports/**/*") if path.is_file()),
    ]
    assert result.ret == 1
    assert not any(body[at : at + 8] in text for text in texts for at in range(22, len(body) - 8))
    assert os.environ[signing.VARIABLE] == pem
