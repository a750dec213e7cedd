"""The doctor: says what is missing in one line, and leaves a machine's own settings as they were."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from noxgate.machine import doctor

PACKAGED = "apt-get install --no-install-recommends"
READ = ("Makefile", "pyproject.toml")  # by make
Answer = subprocess.CompletedProcess[str]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without nginx and without xtb."""
    honest = doctor.find
    monkeypatch.setattr(doctor, "find", lambda name: None if name in {"nginx", "xtb"} else honest(name))
    here = tuple(component for component in doctor.COMPONENTS if component.name in {"Git", "nginx", "xtb"})
    monkeypatch.setattr(doctor, "COMPONENTS", here)


class Apt:
    """Stands in for apt-get (and sudo): records what it is called with, and answers in turn."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.calls: list[list[str]] = []
        self._answers = list(answers)

    def __call__(self, command: Sequence[str], folder: str = "/") -> Answer:
        if command[0] not in {"apt-get", "sudo"}:
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        self.calls.append(list(command))
        status, said = self._answers.pop(0) if self._answers else (0, "")
        return subprocess.CompletedProcess(command, status, said, "")

    def actions(self) -> list[str]:
        """Such as `update` or `install git xtb`."""
        options = {"-qq", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"}
        return [" ".join(word for word in call[1:] if word not in options) for call in self.calls]


@pytest.fixture
def etc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Debian's settings that an installation touches, in a folder of the test."""
    monkeypatch.setattr(doctor, "SERVICE_POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(doctor, "CLUSTER_SETTINGS", tmp_path / "createcluster.conf")
    monkeypatch.setattr(doctor, "_has_apt", lambda: True)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    return tmp_path


# ---------------------------------------------------------------- looking


def test_every_component_of_the_rehearsal_is_found() -> None:
    """On a machine that `make setup` has prepared, as this one must be to run these tests."""
    findings = [doctor.examine(component) for component in doctor.COMPONENTS]

    assert [(finding.component.name, finding.problem) for finding in findings if finding.problem] == []
    assert [finding.component.name for finding in findings if not finding.version[0].isdigit()] == []


def test_postgresqls_own_programs_come_before_debians_wrappers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And the newest server before older ones, by number: 9 is older than 15."""
    for version in ("9", "15", "14"):
        program = tmp_path / version / "bin" / "psql"
        program.parent.mkdir(parents=True)
        program.touch(mode=0o755)
    monkeypatch.setattr(doctor, "POSTGRESQL", tmp_path)

    assert doctor.find("psql") == tmp_path / "15" / "bin" / "psql"


def test_an_old_version_will_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared by number: 6.10 is older than 7, and 10 is newer."""
    redis = next(component for component in doctor.COMPONENTS if component.name == "Redis")
    problems = {}
    for version in ("6.10.4", "7.0.15", "10.1"):
        monkeypatch.setattr(doctor, "_version", lambda _, version=version: version)
        problems[version] = doctor.examine(redis).problem

    assert problems == {"6.10.4": "6.10.4, but 7 or newer is needed", "7.0.15": None, "10.1": None}


def test_a_program_that_does_not_run_will_not_do() -> None:
    broken = doctor.Component("Broken", ("false",), "coreutils", ("false",), "nothing")

    assert doctor.examine(broken).problem == "does not run"


@pytest.mark.usefixtures("without")
def test_a_missing_program_says_what_to_paste() -> None:
    with pytest.raises(
        doctor.MissingError, match=rf"^no program nginx on this machine: sudo {PACKAGED} nginx-light$"
    ):
        doctor.program("nginx")


@pytest.mark.usefixtures("without")
def test_report_lists_what_is_there_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor.main([])
    printed = capsys.readouterr().out

    assert status == 1
    assert "    Git         2." in printed
    assert "    nginx       MISSING     no nginx\n" in printed
    assert printed.endswith(f"\nMISSING\n    sudo {PACKAGED} nginx-light xtb\n")


# ---------------------------------------------------------------- checking


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize(
    ("has_apt", "expected"),
    [
        (True, f"missing: nginx, xtb. Paste this, then run make again: sudo {PACKAGED} nginx-light xtb\n"),
        (
            False,
            (
                "missing: nginx, xtb. This is not Debian or Ubuntu: install them by your system's own means "
                f"(on Debian: sudo {PACKAGED} nginx-light xtb)\n"
            ),
        ),
    ],
)
def test_check_stops_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, has_apt: bool, expected: str
) -> None:
    """Neither root nor passwordless sudo."""
    monkeypatch.setattr(doctor, "_has_apt", lambda: has_apt)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(doctor, "_quietly", Apt((1, "sudo: a password is required")))

    assert doctor.main(["check"]) == 1
    assert capsys.readouterr() == ("", expected)


@pytest.mark.usefixtures("without", "etc")
def test_check_is_content_where_install_can_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_an_unknown_action_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["instal"]) == 2
    expected = "expected one of report, check, install, install-venv, install-for-tests, saw 'instal'\n"
    assert capsys.readouterr().err == expected


def test_the_doctor_needs_nothing_installed() -> None:
    """No site-packages and no noxgate: it runs before there is an environment."""
    command = [sys.executable, "-I", "-S", doctor.__file__, "check"]

    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""


# ---------------------------------------------------------------- installing


def test_install_says_nothing_where_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apt = Apt()
    monkeypatch.setattr(doctor, "_quietly", apt)
    monkeypatch.setattr(doctor, "missing", lambda _: [])

    assert doctor.main(["install"]) == 0
    assert capsys.readouterr() == ("", "")
    assert apt.calls == []


@pytest.mark.usefixtures("without")
def test_install_fetches_the_lists_where_packages_are_unknown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], etc: Path
) -> None:
    """As on a new machine; and a failure is one line, with apt-get's own reason."""
    apt = Apt(
        (100, "E: Unable to locate package xtb"), (0, ""), (100, "Reading…\nE: No space left on device")
    )
    monkeypatch.setattr(doctor, "_quietly", apt)

    assert doctor.main(["install"]) == 1
    assert apt.actions() == ["install nginx-light xtb", "update", "install nginx-light xtb"]
    assert capsys.readouterr().err == (
        "apt-get could not install nginx-light xtb: E: No space left on device\n"
    )
    assert list(etc.iterdir()) == []


@pytest.mark.usefixtures("etc")
def test_what_makes_an_environment_is_installed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the suite can be installed while all the rest is."""
    apt = Apt()
    monkeypatch.setattr(doctor, "_quietly", apt)
    monkeypatch.setattr(doctor, "_version", lambda command: "" if "ensurepip" in command[-1] else "99.0")

    assert doctor.main(["install-venv"]) == 1
    assert apt.actions() == ["install python3-venv"]


@pytest.mark.usefixtures("without")
def test_a_policy_that_was_there_is_put_back(monkeypatch: pytest.MonkeyPatch, etc: Path) -> None:
    """A machine may have its own rule about which services start."""
    policy = etc / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    during: list[str] = []

    def apt(command: Sequence[str], _: str = "/") -> Answer:
        if command[0] == "apt-get":
            during.append(policy.read_text())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(doctor, "_quietly", apt)
    doctor.main(["install"])

    assert during == ["#!/bin/sh\nexit 101\n"]
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"
    assert [path.name for path in etc.iterdir()] == ["policy-rc.d"]


def test_postgresql_makes_no_cluster(monkeypatch: pytest.MonkeyPatch, etc: Path) -> None:
    """Its settings come with postgresql-common, so that goes first; they are put back."""
    settings = etc / "createcluster.conf"
    during: list[str] = []
    postgresql = next(component for component in doctor.COMPONENTS if component.name == "PostgreSQL")
    lacking = [doctor.Finding(postgresql, "", None, "no postgres")]
    monkeypatch.setattr(doctor, "missing", lambda _: [] if during else lacking)

    def apt(command: Sequence[str], _: str = "/") -> Answer:
        if command[-1] == "postgresql-common":
            settings.write_text("#create_main_cluster = true\n")
        else:
            during.append(settings.read_text())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(doctor, "_quietly", apt)

    assert doctor.main(["install"]) == 0
    assert during == ["#create_main_cluster = true\n\ncreate_main_cluster = false\n"]
    assert settings.read_text() == "#create_main_cluster = true\n"


# ---------------------------------------------------------------- make


def test_make_alone_prints_the_verbs(pytestconfig: pytest.Config) -> None:
    printed = subprocess.run(
        ["make"], cwd=pytestconfig.rootpath, capture_output=True, text=True, check=True
    ).stdout
    verbs = [line.split()[1] for line in printed.splitlines() if line.startswith("  make ")]

    assert verbs[0] == "setup"
    assert {"rehearse", "gate", "checks", "check", "test", "lint"} <= set(verbs)


def test_make_stops_before_it_changes_anything(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """Where the doctor's check fails there is no .venv afterwards."""
    for file in (
        *pytestconfig.rootpath.glob("requirements*.lock"),
        *map(pytestconfig.rootpath.joinpath, READ),
    ):
        (tmp_path / file.name).write_text(file.read_text())
    stand_in = tmp_path / "src" / "noxgate" / "machine" / "doctor.py"
    stand_in.parent.mkdir(parents=True)
    stand_in.write_text("import sys\nprint('missing: everything', file=sys.stderr)\nsys.exit(1)\n")
    made = subprocess.run(
        ["make", "setup"], cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": os.defpath}
    )

    assert made.returncode == 2
    assert made.stderr.startswith("missing: everything\n")
    assert not (tmp_path / ".venv").exists()
