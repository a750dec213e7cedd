"""Persons who sign, and what they say: keys and a project that knows them."""

from typing import TYPE_CHECKING

import pytest

from noxgate.cli.main import main
from noxgate.trust import signing

if TYPE_CHECKING:
    from tests_self.conftest import Project


HUMAN = """
[staging.announced]
ref = "RB-9"
kind = "human"
section = "2. Staging > Announcement"
seed = [9]
expected = "The team knows."
next = "Tell it."

[live.sentry]
ref = "RB-10"
kind = "human"
section = "5. Live > Sentry"
seed = [10]
expected = "No new issue."
next = "Look."

[staging.sum]
ref = "RB-11"
kind = "derived"
section = "2. Staging"
seed = [11]
expected = "All is well."
derived_from = ["staging.version"]
"""

PEOPLE = """
on_call = "Ada Lindqvist"
people = ["Edgar Codd"]
[contacts.on_call]
name = "Ada Lindqvist"
key = "keys/ada.pub"
[contacts.product_owner]
name = "Bram Okafor"
"""


@pytest.fixture
def people(project: "Project", monkeypatch: pytest.MonkeyPatch) -> "Project":
    """A project with a human line in staging, where ada.pem signs for both targets."""
    with (project.path / "runbook.toml").open("a") as file:
        file.write(HUMAN)
    signing.new_key(project.path / "targets" / "keys" / "ada.pem")
    (project.path / "targets" / "release.toml").write_text(PEOPLE)
    for name in ("staging", "rehearsal"):
        profile = project.path / "targets" / f"{name}.toml"
        own = 'signers = ["keys/ada.pub"]\n' + (
            'signing_key = "keys/ada.pem"\n' if name == "rehearsal" else ""
        )
        profile.write_text(own + profile.read_text())
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("NOXGATE_TARGET", "staging")
    monkeypatch.setenv(signing.VARIABLE, str(project.path / "targets" / "keys" / "ada.pem"))
    return project


def say(*arguments: str, line: str = "staging.announced") -> int:
    """Attest the line, with what is usual unless something else is given."""
    given = {"--by": "Ada Lindqvist", "--saw": "https://chat.nox.io/p1 posted"}
    given |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    return main(["attest", line, *(word for pair in given.items() for word in pair)])
