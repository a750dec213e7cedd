"""noxgate seal, wrong usage, and an auditor without any of our code."""

# ruff: noqa: F811 (fixtures of another file)

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.sealed_runs import Bundle, bundle, made, make  # noqa: F401 (fixtures)

from noxgate.cli.main import main
from noxgate.trust import seal

if TYPE_CHECKING:
    from tests_self.conftest import Project


def test_seal_a_run_that_was_made_without_a_key(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, and only by a key that signs for the target."""
    (bundle.folder / seal.ENVELOPE).unlink()

    assert main(["seal", str(bundle.folder)]) == 0
    assert bundle.refused() == []
    assert main(["seal", str(bundle.folder)]) == 4
    assert "is sealed already" in capsys.readouterr().err


def test_seal_refuses_a_run_that_shows_a_secret(
    bundle: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and not shown."""
    monkeypatch.setenv("TEST_TOKEN", "a-t0ken-of-gr8-l3ngth")
    (bundle.folder / seal.ENVELOPE).unlink()
    (bundle.folder / "notes.txt").write_text("curl -H 'Bearer a-t0ken-of-gr8-l3ngth'")

    assert main(["seal", str(bundle.folder)]) == 4
    assert capsys.readouterr().err.startswith("noxgate: notes.txt shows $TEST_TOKEN: not sealed")
    assert not (bundle.folder / seal.ENVELOPE).exists()


def test_a_run_in_which_a_secret_got_out_is_not_sealed(
    project: "Project", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leak means no evidence, in addition to no GO."""
    make(project, monkeypatch)
    monkeypatch.setenv("TEST_TOKEN", "a-t0ken-of-gr8-l3ngth")
    (project.path / "tests_staging" / "conftest.py").write_text(
        "import pathlib, pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n"
        "    for folder in pathlib.Path('reports').glob('8.0.0/.running*'):\n"
        "        (folder / 'notes.txt').write_text('a-t0ken-of-gr8-l3ngth')\n"
    )

    result = project.gate("-p", "no:cacheprovider")

    run = max(project.path.glob("reports/8.0.0/2*"))
    assert result.ret == 2
    assert "notes.txt would have shown $TEST_TOKEN: the file was removed" in result.outlines
    assert not (run / seal.ENVELOPE).exists()


def test_checks_that_saw_different_images(project: "Project") -> None:
    """It would be unknown which of them is released."""
    for name, digest in (("version", "1"), ("health", "2")):
        project.check(name, f"fact('image', 'sha256:{digest}')", arguments="observe, fact")

    result = project.gate()

    assert result.ret == 2
    assert "checks saw different images: " in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["8.0"], "expected the folder of a run, or a release such as 8.0.0; saw '8.0'"),
        (["8.0.0", "--phase", "stagin"], "--phase: no phase 'stagin'; did you mean 'staging'?"),
        (["8.0.0", "--at", "noon"], "--at: expected a time such as 2026-01-31T14:00Z, saw 'noon'"),
        (["8.0.0", "--at", "2026-01-31T14:00"], "--at: expected a time such as"),
        (["8.0.0", "--key", "nobody.pub"], "nobody.pub: No such file or directory"),
        (["FOLDER", "--target", "nowhere"], "no target 'nowhere'"),
    ],
)
def test_wrong_usage(
    bundle: Bundle, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Exit status 4, one line."""
    words = [str(bundle.folder) if word == "FOLDER" else word for word in arguments]

    assert main(["verify", *words]) == 4
    error = capsys.readouterr().err
    assert error.startswith(f"noxgate: {message}")
    assert error.count("\n") == 1


def test_a_folder_that_is_no_run(bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is refused."""
    assert main(["verify", str(tmp_path)]) == 1
    assert "results.json: No such file or directory" in capsys.readouterr().out
    assert bundle.folder.is_dir()
    assert datetime.fromisoformat(bundle.results()["ended"]) <= datetime.now(UTC)


def audit(bundle: Bundle, root: Path) -> subprocess.CompletedProcess[str]:
    """Run the code of docs/SIGN-OFF.md, which is all that an auditor needs."""
    (code,) = re.findall(r"```python\n(.*?)```", (root / "docs" / "SIGN-OFF.md").read_text(), re.DOTALL)
    command = [sys.executable, "-I", "-c", code, str(bundle.folder), str(bundle.key.with_suffix(".pub"))]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_auditor_needs_nothing_of_ours(bundle: Bundle, pytestconfig: pytest.Config) -> None:
    """The page's own code accepts what was sealed, and nothing else."""
    done = audit(bundle, pytestconfig.rootpath)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["result"] == "PASSED"

    for name in ("junit.xml", "records/0001.json", seal.ENVELOPE):
        path = bundle.folder / name
        content = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content.replace(b"e", b"f", 1))
        done = audit(bundle, pytestconfig.rootpath)
        assert done.returncode != 0, name
        path.write_bytes(content)
    (bundle.folder / "notes.txt").write_text("x")
    done = audit(bundle, pytestconfig.rootpath)
    assert done.returncode == 1
    assert done.stderr.startswith("NOT AS SIGNED: [('notes.txt', ")
