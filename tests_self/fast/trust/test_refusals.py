"""`noxgate verify` and the sign-off page refuse the same folders, for the same reasons."""

# ruff: noqa: F811 (fixtures of another file)

import html
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests_self.building.signoffs import Release, outcome, release  # noqa: F401 (a fixture)

from noxgate.cli.main import main
from noxgate.trust import seal, signing

LINE = "staging.version"  # a line of the runbook, and a file's name as good as any other


def envelope(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    """Change the envelope."""

    def on(folder: Path) -> None:
        document = json.loads((folder / seal.ENVELOPE).read_text())
        change(document)
        (folder / seal.ENVELOPE).write_text(json.dumps(document))

    return on


def sealed_by_another(folder: Path) -> None:
    """Sealed anew with a key that the profile does not name."""
    signing.new_key(folder.parent / "eve.pem")
    (folder / seal.ENVELOPE).unlink()
    root = folder.parents[2]
    seal.seal(
        folder, root, root / "targets" / "staging.toml", signing.read_signing_key(folder.parent / "eve.pem")
    )


def in_a_folder(folder: Path) -> None:
    (folder / LINE).mkdir()
    (folder / LINE / "x").write_text("x")


def renamed(folder: Path) -> None:
    (folder / "load" / "quick" / "table.json").rename(folder / "live.version")


def replaced_by_a_link(folder: Path) -> None:
    place = folder / "environment.json"
    place.rename(folder.parent / "moved.json")
    place.symlink_to(folder.parent / "moved.json")


TAMPERED: dict[str, Callable[[Path], object]] = {
    "added": lambda folder: (folder / "notes.txt").write_text("x"),
    "added, named like a line": lambda folder: (folder / LINE).write_text("passed"),
    "added, named like a refusal of a line": lambda folder: (folder / f"{LINE}: x").write_text("passed"),
    "added, named like a rehearsal": lambda folder: (folder / "is a rehearsal").write_text("x"),
    "added, hidden": lambda folder: (folder / ".x").write_text("x"),
    "added in a folder that is named like a line": in_a_folder,
    "changed": lambda folder: (folder / "environment.json").write_text("{}"),
    "removed": lambda folder: (folder / "environment.json").unlink(),
    "renamed to a line": renamed,
    "a link": replaced_by_a_link,
    "a folder less": lambda folder: shutil.rmtree(folder / "load"),
    "another key": sealed_by_another,
    "unsealed": lambda folder: (folder / seal.ENVELOPE).unlink(),
    "no envelope": lambda folder: (folder / seal.ENVELOPE).write_text("[]"),
    "no signature": envelope(lambda document: document.update(signatures=[])),
    "another kind": envelope(lambda document: document.update(payloadType="text/plain")),
}


@pytest.mark.parametrize("way", TAMPERED)
def test_the_page_refuses_what_verify_refuses(release: Release, way: str) -> None:
    release.runs("staging")
    folder = release.run("staging")
    TAMPERED[way](folder)

    refusals = said_by_verify(release, folder)
    status, _ = release.sign_off()

    assert refusals != []
    assert status != 0
    assert {seen for line, seen in release.outcomes().items() if line.startswith("staging.")} == {"unproven"}
    page = html.unescape(release.html)
    if way != "unsealed":  # the page has a word for it
        assert [why for why in refusals if why not in page] == []


def test_what_speaks_against_a_line_speaks_against_that_line_alone(release: Release) -> None:
    release.runs("staging")
    folder = release.run("staging", change=outcome(LINE, "failed"))

    assert said_by_verify(release, folder) == [f"{LINE}: failed: it broke"]
    release.sign_off()
    outcomes = release.outcomes()
    assert outcomes[LINE] == "failed"
    assert {seen for line, seen in outcomes.items() if line.startswith("staging.") and line != LINE} == {
        "passed"
    }


def said_by_verify(release: Release, folder: Path) -> list[str]:
    """Why `noxgate verify` refuses a run."""
    release.read()
    status = main(["verify", str(folder)])
    rows = release.read().splitlines()
    reasons = [row.partition(f"{folder.name}: ")[2] for row in rows if row.startswith("refused ")]
    assert status == bool(reasons)
    return reasons
