"""`noxgate doctor --target` of a profile that no run begins with: each fault is a row, and it goes on."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.commands import noxgate

from noxgate.doctor.reading import NOBODY, read_in_spite
from noxgate.errors import ProfileError

if TYPE_CHECKING:
    from tests_self.conftest import Project

ROOT = Path(__file__).parents[3]
HEAD = 'serves = ["staging"]\nbase_url = "https://localhost:1"\nnamespace = "own"\n'
CREDENTIALS = '[credentials]\ntest_token = "T"\ndatabase_url = "D"\n'
GOOD = {"T": "a-long-enough-token", "D": "postgresql://u:long-enough@h/n"}


def read(tmp_path: Path, text: str, **environment: str) -> dict[str, str]:
    """Setting -> what is wrong with it."""
    profile = tmp_path / "own.toml"
    profile.write_text(text)
    _, faults = read_in_spite(ROOT, str(profile), ["staging"], {**GOOD, **environment})
    return {fault.setting: fault.said for fault in faults}


@pytest.mark.parametrize(
    ("text", "environment", "setting", "said"),
    [
        ('kubeconfig = "no/such"\n', {}, "kubeconfig", "no such file"),
        ('ca_file = "no/such"\n', {}, "ca_file", "no such file"),
        ('env_file = "no/such"\n', {}, "env_file", "no/such"),
        ('ca_fiel = "x"\n', {}, "ca_fiel", "no such key; did you mean 'ca_file'?"),
        ('wait_seconds = "long"\n', {}, "wait_seconds", "expected a number"),
        ('production = "nobody"\n', {}, "production", "no target 'nobody'"),
        ('quiet = { hours = ["noon"] }\n', {}, "quiet", "noon"),
        ("", {"T": "short"}, "test_token", "fewer than 8 characters"),
        ("", {"T": "with a blank"}, "test_token", "visible ASCII"),
        ("", {"D": "mysql://h/n"}, "database_url", "expected postgresql://"),
    ],
)
def test_each_fault_is_found_where_it_is(
    tmp_path: Path, text: str, environment: dict[str, str], setting: str, said: str
) -> None:
    found = read(tmp_path, f"{HEAD}{text}{CREDENTIALS}[oauth]\n", **environment)

    assert list(found) == [setting]
    assert said in found[setting]


def test_what_is_well_has_no_fault(tmp_path: Path) -> None:
    assert read(tmp_path, f"{HEAD}{CREDENTIALS}[oauth]\n") == {}


def test_many_at_once_and_what_is_missing(tmp_path: Path) -> None:
    """No first one hides the others."""
    text = 'serves = ["nothing"]\nbase_url = "http:/x"\nkubeconfig = "no/such"\nload = 7\n'
    found = read(tmp_path, text + '[credentials]\ntest_token = "T"\nnobody = "N"\n', T="short")

    assert set(found) == {
        *("namespace", "oauth", "serves", "base_url", "kubeconfig", "load", "nobody", "test_token"),
    }
    assert (found["namespace"], found["oauth"]) == ("missing", "missing")


def test_no_toml_is_told_as_ever(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"own\.toml: "):
        read(tmp_path, "serves = [")


@pytest.mark.usefixtures("quick_start")
def test_it_goes_on_and_nothing_is_shown(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of faults beside those of looks, every line waits, and the command mends what it names."""
    monkeypatch.setenv("T", "hunter2")
    text = f'{HEAD}kubeconfig = "no/such"\nload = 7\n{CREDENTIALS}'
    (project.path / "targets" / "own.toml").write_text(text)

    fixture = "import pytest\n@pytest.fixture\ndef database_session(target): ...\n"
    (project.path / "tests_staging" / "conftest.py").write_text(fixture)
    project.check("version", arguments="observe")
    project.check("health", arguments="database_session, observe")

    done = noxgate(project.path, "doctor", "--target", "own")

    assert (done.returncode, done.stderr) == (2, "")
    assert "hunter2" not in done.stdout
    for said in (
        "!! kubeconfig             own.toml:4",
        "!! oauth                  default                    missing",
        "!! database_url",
        "wait for what no run begins with in own.toml:",
        "wait for variables that no run begins with:",
        "printf '\\n[%s]\\n' oauth >> targets/own.toml",
    ):
        assert said in done.stdout, said
    assert NOBODY not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if line[:4].strip()) <= 80
