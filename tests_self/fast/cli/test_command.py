"""The command `noxgate`: exit statuses that CI can rely on, and one line where it is used wrongly."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.commands import noxgate

from nox_rehearsal.sabotages import SABOTAGES, UnknownSabotageError, chosen
from noxgate.project.which.rule import choose

if TYPE_CHECKING:
    from tests_self.conftest import Project

_SAYS_GO = "import os; open(os.environ['NOXGATE_VERDICT'], 'w').write('GO\\n'); "


@pytest.mark.parametrize(
    ("body", "options", "status"),
    [
        pytest.param("pass", [], 0, id="go"),
        pytest.param("assert 'rc1' == '8.0.0'", [], 1, id="no-go"),
        pytest.param("raise UnreachableError('no answer')", [], 2, id="inconclusive"),
        pytest.param("pass", ["--", "-k", "health"], 2, id="narrowed"),
        pytest.param("import os; os._exit(0)", [], 2, id="pytest-died-with-status-0"),
        pytest.param(f"{_SAYS_GO}os._exit(0)", [], 2, id="a-word-without-evidence"),
        pytest.param("import os; os.kill(os.getpid(), 9)", [], 2, id="pytest-killed"),
    ],
)
def test_gate_keeps_the_verdict(project: "Project", body: str, options: list[str], status: int) -> None:
    """0 GO, 1 NO-GO, 2 everything else."""
    project.check("version", body)

    done = noxgate(project.path, "gate", "--target", "staging", "--phase", "staging", *options)

    assert done.returncode == status, done.stdout + done.stderr


def test_gate_takes_the_rehearsal_that_is_up(project: "Project") -> None:
    """By the same rule as pytest; its GO is a rehearsal's, and its first line says whose."""
    project.check("version", "pass")

    done = noxgate(project.path, "gate", "--phase", "staging")

    assert done.stdout.splitlines()[0] == "target rehearsal: nothing names one, and the rehearsal is up"
    assert "GO (rehearsal)  staging" in done.stdout


COMMANDS = {"gate": ("gate", "--phase", "staging"), "load": ("load", "--ramp", "smoke")}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_target_at_all(project: "Project", command: str) -> None:
    """Nothing is named, nothing is up: one line says what to name, and no target is asked."""
    (project.path / "targets" / "rehearsal.toml").unlink()

    done = noxgate(project.path, *COMMANDS[command])

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("noxgate")
    assert "expected a target, saw none: name it with --target NAME (targets: " in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "environment", "phase", "name"),
    [
        (None, {}, "", "rehearsal"),
        (None, {"BASE_URL": "https://a.example.com"}, "", "staging"),
        (None, {"NOXGATE_TARGET": "production", "BASE_URL": "https://a.example.com"}, "", "production"),
        ("rehearsal", {"NOXGATE_TARGET": "production"}, "", "rehearsal"),
        (None, {"BASE_URL": "https://a.example.com"}, "live", "production"),
        (None, {}, "live", "production"),
        (None, {}, "staging", "rehearsal"),
        (None, {"NOXGATE_TARGET": "staging"}, "live", "staging"),
    ],
)
def test_one_rule(
    project: "Project", given: str | None, environment: dict[str, str], phase: str, name: str
) -> None:
    """A command about one phase takes, unless one is named, only a target that serves the phase."""
    profile = project.path / "targets" / "staging.toml"
    production = profile.read_text().replace('["staging"]', '["live"]')
    (project.path / "targets" / "production.toml").write_text(production)

    assert choose(project.path, given, environment, phase=phase).name == name


def test_make_says_what_was_said(pytestconfig: pytest.Config) -> None:
    """TARGET, where it is given, and nothing where it is not: then the rule of the others holds."""
    environment = {name: value for name, value in os.environ.items() if name != "TARGET"}
    for verb in ("gate", "load-test", "load-ui"):
        command = ["make", "-n", "-s", "-o", ".venv/.suite", verb]
        said = [
            subprocess.run(
                [*command, *words],
                cwd=pytestconfig.rootpath,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for words in ([], ["TARGET=staging"])
        ]

        assert "--target" not in said[0]
        assert '--target "staging"' in said[1]


def test_gate_with_an_unknown_target(project: "Project") -> None:
    """4: used wrongly, with one line that guesses."""
    done = noxgate(project.path, "gate", "--target", "stagin")

    assert done.returncode == 4
    assert "did you mean 'staging'?" in done.stdout + done.stderr


def test_no_command_shows_all_of_them(tmp_path: Path) -> None:
    done = noxgate(tmp_path)

    assert done.returncode == 4
    assert "gate      GO or NO-GO for one phase" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chekcs"], "did you mean 'checks'?"),
        (["rehearse", "sabotagess"], "did you mean 'sabotages'?"),
        (["xyzzy"], "choose from"),
    ],
)
def test_a_command_that_is_spelled_wrongly(tmp_path: Path, words: list[str], said: str) -> None:
    assert said in noxgate(tmp_path, *words).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["doctor", "--targte", "x"], "doctor: unrecognized arguments: --targte x; did you mean '--target'?"),
        (["gate", "--targte=x"], "gate: unrecognized arguments: --targte=x; did you mean '--target'?"),
        (
            ["rehearse", "--sabotge"],
            "rehearse: unrecognized arguments: --sabotge; did you mean '--sabotage'?",
        ),
        (["--versoin"], "noxgate: unrecognized arguments: --versoin; did you mean '--version'?"),
        (["doctor", "--xyzzy"], "unrecognized arguments: --xyzzy\n"),
        (["doctor", "staging"], "unrecognized arguments: staging\n"),  # this is not an option
    ],
)
def test_an_option_that_is_spelled_wrongly(tmp_path: Path, words: list[str], said: str) -> None:
    """The command itself says so: it knows its options."""
    done = noxgate(tmp_path, *words)

    assert (done.returncode, done.stdout) == (4, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ("stagin", "--phase: no marker 'stagin'"),
        ("live", "or a phase that it serves: noxgate gate --phase staging"),
    ],
)
def test_a_phase_as_gate_is_asked_for_it(project: "Project", phase: str, said: str) -> None:
    done = noxgate(project.path, "gate", "--target", "staging", "--phase", phase)

    assert done.returncode == 4
    assert said in done.stdout + done.stderr


def test_a_phase_may_be_what_an_option_asks_for(project: "Project") -> None:
    project.check("version", "pass")

    done = noxgate(project.path, "gate", "--target", "staging", "--", "-k", "staging")

    assert "alone" not in done.stderr
    assert " passed in " in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["gate", "staging", "--target", "staging"],
            "expected --phase staging, saw 'staging' alone",
        ),
        (["gate", "--target", "none.toml"], "none.toml: no such file: expected the path of a profile"),
        (["verify", "--target", "nope"], "no target 'nope'"),
    ],
)
def test_words_in_a_wrong_place(project: "Project", words: list[str], said: str) -> None:
    done = noxgate(project.path, *words)

    assert done.returncode == 4
    assert said in done.stderr


@pytest.mark.parametrize("words", [[], ["bogus"], ["gate", "--bogus"], ["rehearse", "bogus"]])
def test_wrong_usage_is_no_verdict(tmp_path: Path, words: list[str]) -> None:
    """The status of argparse itself would be that of INCONCLUSIVE."""
    done = noxgate(tmp_path, *words)

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1].startswith("noxgate")


def test_outside_the_project(tmp_path: Path) -> None:
    """One line that says where to call it."""
    done = noxgate(tmp_path, "checks")

    assert done.returncode == 4
    assert done.stderr.startswith("noxgate: no runbook.toml in ")


def test_sabotages_of_a_line_and_one() -> None:
    """A line names all of its faults, an id names one."""
    assert {sabotage.line for sabotage in chosen("staging.version")} == {"staging.version"}
    assert [sabotage.name for sabotage in chosen("staging.version:rc1")] == ["rc1"]
    assert len(SABOTAGES) > 100


def test_unknown_sabotage_says_what_is_near() -> None:
    """A slip of the pen gets a hint."""
    with pytest.raises(UnknownSabotageError, match=r"did you mean .*staging\.version:rc1"):
        chosen("staging.version:rc2")


def test_checks_lists_every_line(pytestconfig: pytest.Config) -> None:
    """With the place of its check, so that it is found in ten seconds."""
    done = noxgate(pytestconfig.rootpath, "checks")

    row = next(line for line in done.stdout.splitlines() if line.strip().startswith("staging.version "))
    assert row.split()[1:] == ["RB-2.6", row.split()[2]]
    file, _, number = row.split()[2].partition(":")
    assert (
        (pytestconfig.rootpath / file)
        .read_text()
        .splitlines()[int(number) - 1]
        .startswith("def test_version")
    )


def test_output_survives_a_closed_pipe(pytestconfig: pytest.Config) -> None:
    """`noxgate checks | head -1` prints no traceback."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "noxgate.cli", "checks"],
        cwd=pytestconfig.rootpath,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    os.close(reading)

    assert "Traceback" not in process.communicate()[1]


def test_rehearse_without_its_packages(pytestconfig: pytest.Config) -> None:
    """After `make install` alone: one line, and what brings them."""
    start = "from noxgate.cli.main import main; sys.exit(main(['rehearse']))"
    code = f"import sys; sys.modules['jwt'] = None\n{start}"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=pytestconfig.rootpath, capture_output=True, text=True, check=False)

    assert done.returncode == 4
    assert done.stderr.startswith("noxgate: rehearse needs more packages than `make install` brings (")
    assert done.stderr.count("\n") == 1
