"""`noxgate doctor --target` of a profile that no run begins with: each fault is a row, and it goes on."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.commands import noxgate

from noxgate.doctor.reading import NOBODY, read_in_spite
from noxgate.errors import ProfileError

if TYPE_CHECKING:
    from tests_self.conftest import Project
    from tests_self.loopback import Loopback

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
        ('load = "yes"\nplain_url = "http://localhost:2"\n', {}, "load", "expected true, false or"),
        ('plain_url = "http://elsewhere"\n', {}, "plain_url", "expected the host of base_url"),
        ('sauce = "x"\n', {}, "sauce", "no such key; did you mean 'source'?"),
        ('nothing_near = "x"\n', {}, "nothing_near", "no such key: `noxgate profile` lists them"),
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
        "!! oauth                  own.toml                   missing",
        "!! database_url",
        "wait for what no run begins with in own.toml:",
        "wait for variables that no run begins with:",
        "printf '\\n[%s]\\n' oauth >> targets/own.toml",
    ):
        assert said in done.stdout, said
    assert NOBODY not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if line[:4].strip()) <= 80


@pytest.mark.parametrize(
    ("pattern", "by", "setting", "said"),
    [
        (r"^base_url = .*", 'plain_url = "http://localhost:2"', "base_url", "missing"),
        (
            r'"https://localhost:1"',
            '"localhost"\nplain_url = "http://localhost:2"',
            "base_url",
            "mean https:",
        ),
        (r"serves = .*\n", "", "serves", "missing"),
        (r"\[credentials\]", "[credential]", "credential", "did you mean 'credentials'?"),
        (r"^test_token", "test_tokne", "test_tokne", "did you mean 'test_token'?"),
        (r"^test_token", "neither", "neither", "no such key: `noxgate profile credentials` lists them"),
        (r"^namespace", "neither", "neither", "no such key; did you mean 'namespace', which is missing?"),
        (r"\[oauth\]", "[neither]", "neither", "did you mean 'oauth', which is missing?"),
        (r"^serves", "phase", "phase", "did you mean 'serves', which is missing?"),
        (r"\[oauth\]", '[oauth.gogle]\nclient_id = "x"', "oauth.gogle", "did you mean 'google'?"),
    ],
)
def test_one_wrong_key_is_one_fault(tmp_path: Path, pattern: str, by: str, setting: str, said: str) -> None:
    """What is judged by another key, or is read by its right name, is not a second fault."""
    found = read(tmp_path, re.sub(pattern, by, f"{HEAD}{CREDENTIALS}[oauth]\n", flags=re.MULTILINE))

    assert list(found) == [setting]
    assert said in found[setting]


@pytest.mark.parametrize(
    ("pattern", "by", "settings"),
    [
        (r"^namespace = .*", "neither = 7", ["neither", "namespace"]),  # no namespace is a number
        (r"^namespace", 'another = "x"\nneither', ["another", "neither", "namespace"]),
        (r"^base_url = .*\nnamespace", "neither", ["neither", "base_url", "namespace"]),
    ],
)
def test_two_faults_are_two(tmp_path: Path, pattern: str, by: str, settings: list[str]) -> None:
    """An unknown key is taken for a missing one only where one of each is there, and the form fits."""
    text = re.sub(pattern, by, f"{HEAD}{CREDENTIALS}[oauth]\n", flags=re.MULTILINE)

    assert list(read(tmp_path, text)) == settings


@pytest.mark.parametrize("serves", ['"staging"', '["stagign", "staging"]'])
def test_phases_that_can_be_told_are_looked_at(tmp_path: Path, serves: str) -> None:
    profile = tmp_path / "own.toml"
    profile.write_text(f"{HEAD}{CREDENTIALS}[oauth]\n".replace('["staging"]', serves))

    target, faults = read_in_spite(ROOT, str(profile), ["preflight", "staging"], GOOD)

    assert target.serves == ("staging",)
    assert [fault.setting for fault in faults] == ["serves"]


def marked(project: "Project", text: str, client: str = "api_session") -> tuple[list[str], str]:
    """The settings that the doctor marks where a check needs this client, and all that it says."""
    (project.path / "targets" / "own.toml").write_text(text)
    (project.path / "tests_staging" / "conftest.py").write_text(
        f"import pytest\n@pytest.fixture\ndef {client}(target): ...\n"
    )
    project.check("version", arguments=f"{client}, observe")
    done = noxgate(project.path, "doctor", "--target", "own")

    assert (done.returncode, done.stderr) == (2, "")
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("!!")], done.stdout


def test_no_served_phase(project: "Project") -> None:
    """Nothing is asked for that another phase would need, and no verdict is told."""
    rows, said = marked(project, re.sub("serves.*\n", "", f"{HEAD}{CREDENTIALS}[oauth]\n"))

    assert rows == ["base_url", "serves"]  # port 1 has no server
    assert ", serves no phase that is known\n" in said
    assert "No verdict can be told: " in said


def test_a_ca_file_that_is_missing(project: "Project", loopback: "Loopback") -> None:
    """What is not believed without it has that cause; the address itself is as it should be."""
    port = loopback.serve_tls(lambda _: None)
    head = HEAD.replace(":1", f":{port}")
    rows, said = marked(project, f'{head}ca_file = "no/such.pem"\n{CREDENTIALS}[oauth]\n')

    assert rows == ["base_url", "ca_file"]
    assert f"; https://localhost:{port}, serves staging" in said
    assert "certificates are of an authority" not in said
    assert said.count(" ca_file: no such file") == 1


def test_what_hinges_on_a_wrong_key_is_not_looked_at(project: "Project") -> None:
    """This machine's own kubeconfig would lead elsewhere."""
    text = f'{HEAD}kubeconfig = "no/such"\n{CREDENTIALS}[oauth]\n'

    rows, said = marked(project, text, "kube_sessions")

    assert rows == ["kubeconfig"]
    assert "name it in" not in said


@pytest.mark.parametrize("key", ["base_url", "namespace", "serves", "oauth"])
def test_a_key_that_stands_for_another_is_one_row(project: "Project", key: str) -> None:
    """Nothing is asked with its value, which may be meant otherwise."""
    text = re.sub(rf"^(\[?){key}\b", r"\1neither", f"{HEAD}{CREDENTIALS}[oauth]\n", flags=re.MULTILINE)

    rows, said = marked(project, text, "oauth_session")

    assert rows == ["neither"] if key == "base_url" else ["base_url", "neither"]  # port 1 has no server
    assert f"no such key; did you mean '{key}', which is missing?" in " ".join(said.split())
