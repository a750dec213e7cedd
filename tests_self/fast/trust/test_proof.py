"""What a person's record must hold, and who may make one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.people import HUMAN, PEOPLE, people, say  # noqa: F401 (a fixture)

from noxgate.project.keys.runbook import PROOF
from noxgate.project.runbook import RunbookError, read_runbook
from noxgate.trust.persons.people import Person
from noxgate.trust.persons.proof import PROOFS, Said, lacking

if TYPE_CHECKING:
    from tests_self.conftest import Project

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).astimezone()
ADA = Person("Ada Lindqvist", "ada.pub", ("Bram Okafor", "Edgar Codd"))
LATER = f"{NOW + timedelta(hours=1):%H:%M}"
EARLIER = f"{NOW - timedelta(minutes=30):%H:%M}"

HOLDS = {
    "link": [
        "posted: https://chat.nox.io/archives/C1/p17",
        "https://chat.nox.io/p1, and http://localhost/x",
        "(see <https://nox.atlassian.net/browse/OPS-12>).",
    ],
    "ticket": ["NOX-812 is open", "incident #4711", "INC0012345 was opened", "OPS2-9 for it"],
    "number": ["0 tickets", "3 new issues, none of users", "saw 12 of 12 panels"],
    "time": [
        f"no new issue at {EARLIER}",
        "2026-11-24 11:59 UTC all quiet",
        "2026-11-24T11:59:30Z",
        "since 11:30 am UTC",
        "posted 13:30+02:00",
        "asked 06:10-05:00",
        f"looked at {EARLIER}: the deployment ends at {LATER}",
    ],
    "person": ["called Bram Okafor", "told edgar codd and the rest", "Bram  Okafor knows"],
}
LACKS = {
    "link": [
        "posted it",
        "chat.nox.io/p1",
        "https://",
        "https://example.com/p1",
        "https://[URL]",
        "ftp://nox.io/x",
    ],
    "ticket": ["a ticket is open", "number 812", "#", "https://tickets.nox.io/NOX-812x", "nox 812", "v8.0.0"],
    "number": [
        "none",
        "no tickets",
        f"at {EARLIER}",
        "NOX-812",
        "https://tickets.nox.io/3",
        "v8.0.0",
    ],
    "time": [
        "just now",
        "31:00",
        "12:60",
        f"posted {LATER}",
        "2026-11-25 10:00",
        "2099-01-01 10:00 UTC",
        "at 13:30 UTC",
        "10:00-12:00",
        "https://chat.nox.io/p1?t=10:00",
        "ratio 1:10",
    ],
    "person": ["called Ada Lindqvist", "everybody knows", "Bram", "Bram Okaforsson", "the product owner"],
}


@pytest.mark.parametrize(("kind", "saw"), [(kind, saw) for kind, each in HOLDS.items() for saw in each])
def test_what_a_record_may_say(kind: str, saw: str) -> None:
    assert lacking([kind], Said(saw, ADA, NOW)) is None


@pytest.mark.parametrize(("kind", "saw"), [(kind, saw) for kind, each in LACKS.items() for saw in each])
def test_what_a_record_lacks(kind: str, saw: str) -> None:
    assert lacking([kind], Said(saw, ADA, NOW))


def test_each_word_of_the_runbook_has_its_meaning() -> None:
    assert set(PROOFS) == set(PROOF) == set(HOLDS) == set(LACKS)


def test_each_human_line_says_what_its_record_holds(pytestconfig: pytest.Config) -> None:
    lines = read_runbook(pytestconfig.rootpath / "runbook.toml").lines.values()

    assert [line.id for line in lines if line.kind == "human" and not line.proof] == []


@pytest.mark.parametrize("proof", ['["links"]', '"link"', "[1]"])
def test_a_proof_that_nobody_knows(tmp_path: Path, proof: str) -> None:
    assert "proof" in refusal_of(tmp_path, f'kind = "human"\nproof = {proof}')


def test_a_machine_owes_no_proof(tmp_path: Path) -> None:
    assert "on a human line" in refusal_of(tmp_path, 'kind = "auto"\nproof = ["link"]')


def refusal_of(folder: Path, kind: str) -> str:
    """Why a runbook whose first human line is like this is refused."""
    (folder / "runbook.toml").write_text(
        '[release]\nversion = "8.0.0"\ndate = 2026-01-31\nschema = "x"\n'
        '[phase.staging]\ntitle = "Staging"\n[phase.live]\ntitle = "Live"\n'
        '[staging.version]\nref = "R"\nkind = "auto"\nsection = "s"\nseed = [1]\nexpected = "e"\nnext = "n"\n'
        + HUMAN.replace('kind = "human"', kind, 1)
    )
    with pytest.raises(RunbookError) as refused:
        read_runbook(folder / "runbook.toml")
    return str(refused.value)


@pytest.fixture
def demanding(people: "Project") -> "Project":  # noqa: F811
    """A project whose human line wants a link."""
    path = people.path / "runbook.toml"
    path.write_text(path.read_text().replace('kind = "human"', 'kind = "human"\nproof = ["link"]', 1))
    return people


def test_a_record_is_held_to_its_line(demanding: "Project", capsys: pytest.CaptureFixture[str]) -> None:
    assert say("--saw", "lgtm") == 4
    assert capsys.readouterr().err == (
        "noxgate: --saw: staging.announced needs the link of what was seen, as https://…; saw 'lgtm'\n"
    )
    assert not list(demanding.path.glob("reports/**/0001.json"))
    assert say() == 0


@pytest.mark.usefixtures("demanding")
def test_a_person_in_a_rehearsal_is_held_to_it_too() -> None:
    assert say("--saw", "lgtm", "--target", "rehearsal") == 4
    assert say("--saw", "nobody looked", "--by", "rehearsal", "--target", "rehearsal") == 0


@pytest.mark.usefixtures("demanding")
def test_the_name_is_as_the_release_record_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert say("--by", "ada  LINDQVIST") == 0
    assert "passed, Ada Lindqvist, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (None, "--by: expected somebody of the release record; the release record "),
        ("", "release.toml (it names no person yet: fill in [contacts]), saw 'Ada Lindqvist'"),
        (PEOPLE.replace("Ada Lindqvist", "[name]"), "(Bram Okafor, Edgar Codd), saw 'Ada Lindqvist'"),
        ("on_call = 1", "release.toml: on_call: expected text, saw int"),
        ("people = [1]", 'release.toml: people: expected texts such as "Ada Lindqvist"'),
    ],
)
def test_a_release_record_that_names_nobody(
    demanding: "Project", record: str | None, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = demanding.path / "targets" / "release.toml"
    path.unlink()
    if record is not None:
        path.write_text(record)

    assert say() == 4
    assert reason in capsys.readouterr().err


def test_whose_key_signed(demanding: "Project") -> None:
    """The results say whether the release record gives the key to the person."""
    found = []
    for name in ("Ada Lindqvist", "Bram Okafor"):
        say("--by", name)
        demanding.gate()
        results = json.loads(max(demanding.path.glob("reports/8.0.0/2*/results.json")).read_text())
        found += [line["attestation"] for line in results["lines"] if line["attestation"]]

    assert [(one["by"], one["signed_by"], one["own_key"]) for one in found] == [
        ("Ada Lindqvist", "ada.pub", True),
        ("Bram Okafor", "ada.pub", False),
    ]
