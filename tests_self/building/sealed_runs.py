"""A sealed run, its checkout, and what may be done to both."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.building.people import HUMAN, PEOPLE, say
from tests_self.service import sign_off

from noxgate.cli.main import main
from noxgate.run import commit as commits
from noxgate.run.verdict import Outcome
from noxgate.trust import seal, signing

if TYPE_CHECKING:
    from tests_self.conftest import Project


IMAGE = "sha256:" + "ab" * 32

WAIVER = {"owner": "Deniz Aydin", "reason": "NOX-7", "expires": "2099-01-01"}

STATUS = sign_off("staging", "live")


class Bundle:
    """A project with one sealed run of staging, GO; and the ways to look at it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys
        self.key = root / "keys" / "ada.pem"

    @property
    def folder(self) -> Path:
        """The one run that there is."""
        (folder,) = self.root.glob("reports/8.0.0/2*")
        return folder

    def verify(self, *arguments: str, what: str | None = None) -> tuple[int, list[str]]:
        """Exit status, and what was said, without the folder's name."""
        self._capsys.readouterr()
        status = main(["verify", what or str(self.folder), *arguments])
        out, err = self._capsys.readouterr()
        return status, [line.replace(f"{self.folder.name}: ", "") for line in (out + err).splitlines()]

    def refused(self, *arguments: str, what: str | None = None) -> list[str]:
        """Why it is refused; empty if it is not."""
        status, lines = self.verify(*arguments, what=what)
        reasons = [line.removeprefix("refused   ") for line in lines if line.startswith("refused ")]
        assert status == (1 if reasons else 0), lines
        assert lines[-1] == f"{'REFUSED' if reasons else 'VERIFIED'}  release 8.0.0"
        return reasons

    def results(self) -> Any:
        """Its results.json."""
        return json.loads((self.folder / "results.json").read_text())

    def resign(self, change: Callable[[Any], object]) -> None:
        """Change the results, and seal the run again with the very key."""
        results = self.results()
        change(results)
        (self.folder / "results.json").write_text(json.dumps(results))
        (self.folder / seal.ENVELOPE).unlink()
        profile = self.root / "targets" / "staging.toml"
        seal.seal(self.folder, self.root, profile, signing.read_signing_key(self.key))

    def rejudge(self) -> None:
        """Commit what lies here, and have the run be of that commit."""
        git(self.root, "add", ".")
        git(self.root, "commit", "-q", "--allow-empty", "-m", "y")
        (self.folder / "decided.json").write_text(json.dumps(commits.head(self.root).document()))
        path = self.folder / "environment.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "commit": head(self.root)}))
        self.resign(lambda _: None)

    def waive(self) -> None:
        """Have a commit accept all that the results say it accepts."""
        waived = [line for line in self.results()["lines"] if line["outcome"] == Outcome.WAIVED]
        tables = [f'[[waiver]]\nline = "{line["id"]}"\n{_toml(line["waiver"])}' for line in waived]
        (self.root / "waivers.toml").write_text("".join(tables))
        self.rejudge()


def _toml(waiver: Mapping[str, str]) -> str:
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in waiver.items() if name != "expires")
    return f"{text}expires = {waiver['expires']}\n"


@pytest.fixture(scope="module")
def made() -> dict[str, Path]:
    """The project with its run, which is made once."""
    return {}


@pytest.fixture
def bundle(
    made: dict[str, Path],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Bundle:
    """A copy of the project for each test."""
    if not made:
        project: Project = request.getfixturevalue("project")
        with (project.path / "runbook.toml").open("a") as file:
            file.write(STATUS)
        make(project, monkeypatch)
        made["root"] = tmp_path_factory.mktemp("made") / "project"
        shutil.copytree(project.path, made["root"])
    root = tmp_path / "copy"
    shutil.copytree(made["root"], root)
    monkeypatch.chdir(root)
    monkeypatch.setenv(signing.VARIABLE, str(root / "keys" / "ada.pem"))
    return Bundle(root, capsys)


def make(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Attest the human line, then run staging, with a key; NOX and the gate are git checkouts."""
    root = project.path
    signing.new_key(root / "keys" / "ada.pem")
    (root / "targets" / "release.toml").write_text(PEOPLE)
    with (root / "runbook.toml").open("a") as file:
        file.write(HUMAN)
    profile = root / "targets" / "staging.toml"
    profile.write_text(
        'branch = "main"\nsigners = ["../keys/ada.pub"]\nsource = "../nox"\n' + profile.read_text()
    )
    project.check("version", f"fact('image', '{IMAGE}')", arguments="observe, fact")
    (root / ".gitignore").write_text("/reports/\n/nox/\nkeys/*.pem\n__pycache__/\n")
    (root / "nox").mkdir()
    (root / "nox" / "README").write_text("NOX")
    for folder in (root / "nox", root):
        commit(folder)
    monkeypatch.chdir(root)
    monkeypatch.setenv(signing.VARIABLE, str(root / "keys" / "ada.pem"))
    assert say("--target", "staging") == 0
    result = project.gate("-p", "no:cacheprovider")
    assert result.ret == 0
    assert any(line.startswith("signed with key ") for line in result.outlines)


def commit(folder: Path) -> None:
    """Commit everything in a folder."""
    who = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def git(folder: Path, *words: str) -> None:
    """Do something in a checkout."""
    who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def head(folder: Path) -> str:
    """The commit of a checkout."""
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def another(bundle: Bundle, name: str = "20990101T000000Z-staging-staging", **changes: Any) -> Path:
    """One more run, later than the one there is, and not sealed; its results differ by `changes`."""
    run = bundle.folder.with_name(name)
    shutil.copytree(min(bundle.root.glob("reports/8.0.0/2*")), run)
    (run / seal.ENVELOPE).unlink()
    results = json.loads((run / "results.json").read_text())
    results |= {"started": "2099-01-01T00:00:00+00:00", **changes}
    (run / "results.json").write_text(json.dumps(results))
    return run
