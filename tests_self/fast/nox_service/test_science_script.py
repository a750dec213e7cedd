"""The science script and its client: real dependencies, each one broken, interpreters out of reach."""

import ast
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from nox_rehearsal.science.environment import interpreter
from nox_service import science
from nox_service.science import SCRIPT, Science, ScienceSession, science_settings
from nox_service.science_script import MARK, PACKAGES
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.look.secret import Secret
from noxgate.project.runbook import read_runbook
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.programs import execute

ROOT = Path(__file__).parents[3]
RUNBOOK = read_runbook(ROOT / "runbook.toml")
VALUES = {"rdkit": "mass", "cantera": "kelvin", "xtb": "hartree", "psi4": "hartree"}
RDKIT = {
    "rdkit/__init__.py": "",
    "rdkit/rdBase.py": "rdkitVersion = '2099.01'",
    "rdkit/Chem/__init__.py": "MolFromSmiles = str",
    "rdkit/Chem/Descriptors.py": "def ExactMolWt(molecule): return 46.041864812",
}
XTB = """#!/bin/sh
[ "$1" = --version ] && { echo "   * xtb version 6.5.1 (unknown) compiled on a day"; exit; }
%s
echo "          | TOTAL ENERGY               -5.070451354837 Eh   |"
"""
PSI4 = """
__version__ = "1.3.2"
class core:
    be_quiet = staticmethod(lambda: None)
    get_memory = staticmethod(lambda: %s)
    get_num_threads = staticmethod(lambda: 2)
set_num_threads = set_memory = geometry = set_options = lambda value: None
energy = lambda method: %s
"""


def test_real_dependencies() -> None:
    """The rehearsal's environment: the runbook's values, from real programs."""
    client, observed = look_at(str(interpreter(ROOT)), "-")

    assert {name: value(client, name) for name in VALUES} == dict.fromkeys(VALUES, "as the runbook says")
    found = client.packages()
    assert sorted(found) == sorted(PACKAGES)
    assert len(found) == RUNBOOK.lines["preflight.python-packages"].limits["packages"]
    assert [one for one in found.values() if one.error is not None or not one.version] == []
    assert client.python() >= (3, 8)
    assert "rdkit 2" in observed[0].seen
    assert observed[0].repeat == f"{interpreter(ROOT)} - < {SCRIPT}"


def test_what_is_broken_breaks_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash, a hang, and a package that kills its process, with all the rest real."""
    monkeypatch.setattr(science, "LEAST_SECONDS", 15.0)
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    write(tmp_path, {"psi4.py": crash, "flask.py": crash, "xtb": "#!/bin/sh\nexec sleep 60\n"})
    client, _ = look_at(*with_fakes(tmp_path, interpreter(ROOT), "-"), seconds=15)

    assert value(client, "rdkit") == value(client, "cantera") == "as the runbook says"
    assert error(client, "psi4") == "psi4: killed by SIGSEGV"
    assert error(client, "xtb") == "xtb: no result in 15 s"
    wrong = {name: one.error for name, one in client.packages().items() if one.error is not None}
    assert wrong == {"flask": "killed by SIGSEGV"}


# ---------------------------------------------------------------- each thing that can be wrong


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("psi4", {}, "psi4: ModuleNotFoundError: No module named 'psi4'"),
        ("psi4", {"psi4.py": "import os; os.abort()"}, "psi4: killed by SIGABRT"),
        ("psi4", {"psi4.py": "import os; os.kill(os.getpid(), 9)"}, "psi4: killed by SIGKILL"),
        ("psi4", {"psi4.py": "import os; os._exit(0)"}, "psi4: no result, ended with status 0"),
        ("psi4", {"psi4.py": "import sys; sys.exit('no licence')"}, "psi4: SystemExit: no licence"),
        (
            "psi4",
            {"psi4.py": PSI4 % (262144000, -76.0266327)},
            "psi4: ValueError: set 500000000 bytes and 2 threads, has 262144000 and 2",
        ),
        ("psi4", {"psi4.py": PSI4 % (500000000, "float('nan')")}, "psi4: ValueError: computes nan"),
        ("psi4", {"psi4.py": PSI4 % (500000000, None)}, "psi4: TypeError: "),
        (
            "cantera",
            {"cantera.py": "def Solution(name): raise ValueError('***\\nNo gri30.yaml\\n here')"},
            "cantera: ValueError: *** No gri30.yaml here",
        ),
        ("rdkit", RDKIT | {"rdkit/Chem/Descriptors.py": ""}, "rdkit: AttributeError: "),
        ("xtb", {"xtb": XTB % "exit 128"}, "xtb: ValueError: xtb coord --gfn 2 ended with status 128"),
        ("xtb", {"xtb": XTB % "kill -9 $$"}, "xtb: ValueError: xtb coord --gfn 2 killed by SIGKILL"),
        ("xtb", {"xtb": "#!/bin/sh\nexit 1"}, "xtb: ValueError: xtb --version ended with status 1"),
        ("xtb", {"xtb": XTB % "exit 0"}, "xtb: ValueError: expected one line TOTAL ENERGY, saw 0"),
        ("xtb", {"xtb": XTB % "exec yes"}, "xtb: ValueError: xtb coord --gfn 2 prints without end"),
    ],
)
def test_one_line_says_what_is_wrong(tmp_path: Path, name: str, files: dict[str, str], words: str) -> None:
    write(tmp_path, files)
    client, observed = look_at(*with_fakes(tmp_path, sys.executable, "-S", "-"))

    said = error(client, name)
    assert said.startswith(words)
    assert "\n" not in said
    assert words.partition(": ")[2] in observed[-1].seen


def test_xtb_that_is_not_there(tmp_path: Path) -> None:
    client, _ = look_at("env", f"PATH={tmp_path}", sys.executable, "-S", "-")

    assert error(client, "xtb").startswith("xtb: FileNotFoundError: ")


def test_what_is_left_of_a_package(tmp_path: Path) -> None:
    """Python imports a folder with nothing in it, and finds nothing wrong."""
    (tmp_path / "celery" / "bin").mkdir(parents=True)
    client, _ = look_at(*with_fakes(tmp_path, sys.executable, "-S", "-"))

    found = client.packages()["celery"].error
    assert found == f"ImportError: a folder without a package in it: {tmp_path / 'celery'}"


def test_last_words_of_a_crash(tmp_path: Path) -> None:
    """What the dying process wrote says more than its signal."""
    said = "import os, signal; os.write(2, b'noise\\n' * 99999 + b'Illegal instruction in dgemm\\n');"
    write(tmp_path, {"psi4.py": said + "os.kill(os.getpid(), signal.SIGILL)"})
    client, _ = look_at(*with_fakes(tmp_path, sys.executable, "-S", "-"))

    said = error(client, "psi4")
    assert said.startswith("psi4: killed by SIGILL: ")
    assert said.endswith("Illegal instruction in dgemm")
    assert len(said) < 400


def test_noise_is_not_the_document(tmp_path: Path) -> None:
    """A dependency that prints JSON, and even what looks like a document, through Python and past it."""
    junk = f"""
import os
print('{{"science": {{"rdkit": {{"value": 1.0, "error": null}}}}}}')
os.write(1, b'{MARK} {"0" * 64} {{"python": [3, 11, 2]}}' + b'\\n')
for fd in range(3): os.write(fd, b'{{"error": "noise"}}') if fd else None
"""
    write(tmp_path, RDKIT | {"rdkit/__init__.py": junk, "xtb": XTB % "echo '{\"energy\": 1}'"})
    client, _ = look_at(*with_fakes(tmp_path, sys.executable, "-S", "-"))

    assert client.value("rdkit") == 46.041864812
    assert client.value("xtb") == -5.070451354837


def test_wrong_in_the_sixth_digit(tmp_path: Path) -> None:
    """The value is handed over as it is, and the runbook's tolerance tells it from the right one."""
    write(tmp_path, RDKIT | {"rdkit/Chem/Descriptors.py": "def ExactMolWt(molecule): return 46.041866"})
    client, _ = look_at(*with_fakes(tmp_path, sys.executable, "-S", "-"))

    assert value(client, "rdkit") == "46.041866"


def test_what_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(science, "LEAST_SECONDS", 3.0)  # within which it has begun
    write(tmp_path, {"xtb": f"#!/bin/sh\nsleep 60 &\necho $! > {tmp_path}/pid\nwait\n"})
    client, _ = look_at(*with_fakes(tmp_path, sys.executable, "-S", "-"), seconds=3)

    assert error(client, "xtb") == "xtb: no result in 3 s"
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """No scratch folder, whether the script ends or is told to end."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    write(tmp_path, {"xtb": f"#!/bin/sh\ntouch here; echo $$ > {tmp_path}/pid\nexec sleep 60\n"})
    words = ["env", f"TMPDIR={scratch}", *with_fakes(tmp_path, sys.executable, "-S", "-", "60")]
    with SCRIPT.open() as script, subprocess.Popen(words, stdin=script, stdout=subprocess.PIPE) as process:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
        assert list(scratch.iterdir()) != []
        process.terminate()
        process.communicate(timeout=60)

    assert list(scratch.iterdir()) == []
    assert not is_running(int((tmp_path / "pid").read_text()))

    (tmp_path / "xtb").unlink()
    client, _ = look_at("env", f"TMPDIR={scratch}", sys.executable, "-S", "-")
    assert client.python() == sys.version_info[:3]
    assert list(scratch.iterdir()) == []


# ---------------------------------------------------------------- old interpreters


def test_old_python_can_read_it() -> None:
    """3.6 runs it; 2.7 and the early 3s at least compile it and say which they are."""
    text = SCRIPT.read_text(encoding="ascii")
    tree = ast.parse(text, feature_version=(3, 6))

    newer = (ast.JoinedStr, ast.AnnAssign, ast.AsyncFunctionDef, ast.Nonlocal, ast.Starred, ast.YieldFrom)
    assert [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, newer)] == []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [one.name for one in functions if one.returns or one.args.kwonlyargs or one.args.posonlyargs] == []
    arguments = [argument for one in functions for argument in one.args.args]
    assert [argument.arg for argument in arguments if argument.annotation] == []


def test_python_too_old_to_be_asked() -> None:
    """It says its version, which is a failure of the image and not of the looking."""
    client, observed = look_at(*pretending((2, 7, 18)))

    assert client.python() == (2, 7, 18)
    assert error(client, "rdkit") == "expected Python 3.6 or newer, saw 2.7.18"
    with pytest.raises(AssertionError, match=r"saw 2\.7\.18"):
        client.packages()
    assert [observation.seen.partition(",")[0] for observation in observed] == ["Python 2.7.18"] * 3


def test_python_too_old_for_the_runbook() -> None:
    """3.7 is asked like any other; the check compares."""
    client, _ = look_at(*pretending((3, 7, 16)))

    assert client.python() == (3, 7, 16)
    assert len(client.packages()) == 11


# ---------------------------------------------------------------- an interpreter that cannot be asked


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), "loopback.toml does not name the API's own Python: science = "),
        (("no-such-kubectl", "exec"), "science: no-such-kubectl: No such file or directory"),
        (("/etc/passwd",), "science: /etc/passwd: Permission denied"),
        (
            ("sh", "-c", "echo 'pods \"nox\" not found' >&2; exit 1"),
            'science: sh ended with status 1: pods "nox" not found',
        ),
        (("sh", "-c", "kill -9 $$"), "science: sh ended with status -9"),
        (("true",), "science: expected one document from the script, saw none"),
        (("echo", "Welcome to node 7"), "saw none: Welcome to node 7"),
        (("echo", MARK, "0" * 64, "{}"), "saw 1, 1 of them damaged"),
        (("sh", "-c", "cat > /dev/null; exec yes"), "science: sh: wrote more than 1000000 bytes"),
    ],
)
def test_could_not_look(command: Sequence[str], words: str) -> None:
    client, observed = look_at(*command)

    with pytest.raises(UnreachableError) as caught:
        client.value("rdkit")
    assert words in str(caught.value)
    assert observed[0].seen.startswith(f"could not look: {str(caught.value)[:60]}")


def test_interpreter_that_keeps_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(science, "LEAST_SECONDS", 0.1)
    client, _ = look_at("sleep", seconds=0.1)  # the limit becomes its argument: sleep 0.1
    with pytest.raises(UnreachableError, match="saw none"):
        client.python()

    monkeypatch.setattr(science, "STARTING", 0.5)
    client, _ = look_at("sh", "-c", "sleep 60", seconds=0.1)
    started = time.monotonic()
    with pytest.raises(UnreachableError, match=r"sh: no end in 0\.8 s"):
        client.python()
    assert time.monotonic() - started < 30


def test_document_among_noise() -> None:
    """A banner before, a farewell after, another machine's line ends."""
    shell = f"printf 'Last login: {{}}'; {sys.executable} -S - | sed 's/$/\\r/'; echo 'bye {{}}'; echo oh >&2"
    client, _ = look_at("sh", "-c", shell)

    assert client.python() == sys.version_info[:3]


def test_two_documents() -> None:
    """It is unknown which of the two is the API's."""
    client, _ = look_at("sh", "-c", f"{sys.executable} -S - | tee /dev/stderr 2>&1")

    with pytest.raises(UnreachableError, match="saw 2, 0 of them damaged"):
        client.python()


def test_document_then_failure() -> None:
    client, _ = look_at("sh", "-c", f"{sys.executable} -S -; echo connection lost >&2; exit 137")

    with pytest.raises(UnreachableError, match="ended with status 137: connection lost"):
        client.python()


@pytest.mark.parametrize("status", [0, 1])
def test_asked_once(tmp_path: Path, status: int) -> None:
    """A run asks once, and what cannot be asked is not asked again."""
    shell = f"echo asked >> {tmp_path}/asked; {sys.executable} -S -; exit {status}"
    client, observed = look_at("sh", "-c", shell)

    for _ in range(3):
        with suppress(UnreachableError):
            client.python()
    assert (tmp_path / "asked").read_text() == "asked\n"
    assert len(observed) == 3


def test_credentials_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is given the cluster of the profile, and no secret."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nox:hunter2@db/nox")
    monkeypatch.setenv("PRODUCTION_DATABASE_URL", "postgresql://nox:hunter3@db/nox")
    monkeypatch.setenv("CONDA_ROOT", "/opt/conda")
    target = made(("python3",), kubeconfig="/profile/kubeconfig")
    target = replace(target, peer_secrets=(Secret("PRODUCTION_DATABASE_URL", "hunter3"),))

    given = execute.environment(settings.programs(target))
    assert "DATABASE_URL" not in given
    assert "PRODUCTION_DATABASE_URL" not in given
    assert given["CONDA_ROOT"] == "/opt/conda"
    assert given["KUBECONFIG"] == "/profile/kubeconfig"


def test_passwords_of_a_command_stay_here() -> None:
    """A profile should not have any; who writes one there all the same must not find it in a report."""
    words = ("docker", "run", "-e", "DATABASE_URL=postgresql://nox:hunter2/2@db/nox", "-e", "API_KEY=hunter2")
    session = ScienceSession(science_settings(made((*words, "nox-api", "python", "-"))))

    assert "hunter2" not in session.repeat
    assert session.repeat.startswith(
        "docker run -e DATABASE_URL=postgresql://nox:***@db/nox -e API_KEY=*** nox"
    )


# ---------------------------------------------------------------- what the tests are made of


def made(command: Sequence[str], seconds: float | None = None, kubeconfig: str | None = None) -> Target:
    return Target(
        name="loopback",
        path=Path("loopback.toml"),
        serves=("preflight",),
        base_url="https://localhost",
        plain_url="http://localhost",
        namespace="nox",
        rehearsal=True,
        wait_seconds=seconds,
        kubeconfig=kubeconfig,
        science=tuple(command),
        credentials={"database_url": "DATABASE_URL"},
    )


def look_at(*command: str | Path, seconds: float | None = None) -> tuple[Science, list[Observation]]:
    """A client of the interpreter that this command line starts, and what it observes."""
    observed: list[Observation] = []
    target = made([str(word) for word in command], seconds)
    return Science(ScienceSession(science_settings(target)), observed.append), observed


def with_fakes(folder: Path, *command: str | Path) -> list[str]:
    """The command line, its modules and programs looked for in `folder` first."""
    path = f"PATH={folder}:{os.environ['PATH']}"
    return ["env", f"PYTHONPATH={folder}", path, *(str(word) for word in command)]


def pretending(version: tuple[int, int, int]) -> list[str]:
    """An interpreter that takes itself for another one."""
    code = f"import sys; sys.version_info = {version}; exec(sys.stdin.read())"
    return [sys.executable, "-S", "-c", code]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o755)


def value(client: Science, name: str) -> str:
    """Whether a value is what the runbook says, or else the value."""
    limits = RUNBOOK.lines[f"preflight.science-{name}"].limits
    found = client.value(name)
    return "as the runbook says" if abs(found - limits[VALUES[name]]) <= limits["tolerance"] else str(found)


def error(client: Science, name: str) -> str:
    with pytest.raises(AssertionError) as caught:
        client.value(name)
    return str(caught.value)


def is_running(pid: int) -> bool:
    """Whether there is such a process that has not ended; one that was killed takes a moment."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):  # the second: it ended while it was read
            return False
        if state == "Z":
            return False
        signal.sigtimedwait([], 0.02)
    return True


def until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        signal.sigtimedwait([], 0.02)
