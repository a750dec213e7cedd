"""The tools client: found on PATH, asked for their versions, and those that cannot say one."""

import time
from pathlib import Path

import pytest

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.programs import tools
from noxgate.systems.programs.tools import Tools


class Bin:
    """A PATH of our own, and the client that looks there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.observed: list[Observation] = []
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def add(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def client(self, **named: str) -> Tools:
        target = Target(
            name="laptop",
            path=Path("laptop.toml"),
            serves=("preflight",),
            base_url="https://localhost",
            plain_url="http://localhost",
            namespace="nox",
            tools=named,
            credentials={"database_url": "DATABASE_URL"},
        )
        return Tools(settings.tools(target), self.observed.append)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bin:
    return Bin(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("name", "says", "version"),
    [
        ("git", "git version 2.39.5", "2.39.5"),
        ("curl", "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.17", "7.88.1"),
        ("psql", "psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"),
        ("pg_dump", "pg_dump (PostgreSQL) 17beta1", "17"),
        ("jq", "jq-1.6", "1.6"),
        ("ssh", "OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17 1 Jul 2025", "9.2"),
        ("python3", "Python 3.11.2", "3.11.2"),
        ("helm", "v3.14.0+g3fc9f4b", "3.14.0"),
        ("kubectl", 'Client Version: version.Info{Major:"1", Minor:"20+", GitVersion:"v1.20.2"}', "1.20.2"),
        ("kubectl", "Client Version: v1.32.4\\nKustomize Version: v5.5.0", "1.32.4"),
    ],
)
def test_versions(path: Bin, name: str, says: str, version: str) -> None:
    """As the programs write them, on either stream."""
    path.add(name, f"printf '{says}\\n'" + (" >&2" if name == "ssh" else ""))

    tool = path.client().find(name)

    assert (tool.version, tool.path, tool.problem) == (version, path.folder / name, None)
    assert path.observed[0].seen == f"{name}: {version}, {path.folder / name}"


def test_how_they_are_asked(path: Bin) -> None:
    """Kubectl is not to ask its server."""
    path.add("kubectl", 'echo "1.0 $*"; echo "$*" > "${0%/*}/asked"')
    path.client().find("kubectl")

    assert (path.folder / "asked").read_text() == "version --client\n"
    assert path.observed[0].repeat == "kubectl version --client"


@pytest.mark.parametrize(
    ("minimum", "lacks"),
    [
        ("", None),
        ("1.32", None),
        ("1.32.0", None),
        ("1", None),
        ("1.32.1", "kubectl: expected 1.32.1 or newer, saw 1.32"),
        ("1.100", "kubectl: expected 1.100 or newer, saw 1.32"),
        ("2", "kubectl: expected 2 or newer, saw 1.32"),
    ],
)
def test_new_enough(path: Bin, minimum: str, lacks: str | None) -> None:
    """By number, not by letter; 1.32 and 1.32.0 are one."""
    path.add("kubectl", "echo Client Version: v1.32")
    tool = path.client().find("kubectl")

    assert tool.lacks(minimum) == lacks
    assert tool.major == 1


def test_not_there(path: Bin) -> None:
    tool = path.client().find("squawk")

    assert tool.lacks("") == tool.lacks("1") == "squawk: not on PATH"
    assert tool.major is None
    assert path.observed == [Observation("squawk: not on PATH", "squawk --version")]


def test_not_executable(path: Bin) -> None:
    """A file of that name that cannot be started does not count."""
    (path.folder / "squawk").write_text("not a program")

    assert path.client().find("squawk").lacks("") == "squawk: not on PATH"


def test_cannot_say_its_version(path: Bin) -> None:
    """Fine where any version will do, and not where one is needed."""
    path.add("nc", "echo 'nc: invalid option' >&2; exit 1")
    tool = path.client().find("nc")

    assert tool.lacks("") is None
    assert tool.lacks("1") == "nc: expected 1 or newer, saw status 1: nc: invalid option"


@pytest.mark.parametrize("script", ["echo 'pyenv: psql: command not found' >&2; exit 127", "exit 126"])
def test_does_not_run(path: Bin, script: str) -> None:
    """A wrapper on PATH around nothing: no version needed, and yet it will not do."""
    path.add("psql", script)

    said = path.client().find("psql").lacks("")
    assert said is not None
    assert said.startswith(f"psql: {path.folder / 'psql'} does not run: status 12")


def test_no_program_at_all(path: Bin) -> None:
    (path.folder / "psql").write_bytes(b"\x7fELF of another machine")
    (path.folder / "psql").chmod(0o755)

    assert "does not run" in str(path.client().find("psql").lacks(""))


def test_keeps_silent(path: Bin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that waits for something else than our question."""
    monkeypatch.setattr(tools, "SECONDS", 0.3)
    path.add("nc", "sleep 60 & wait")
    started = time.monotonic()
    tool = path.client().find("nc")

    assert time.monotonic() - started < 30  # it sleeps for a minute
    assert tool.lacks("") is None
    assert tool.lacks("1") == f"nc: expected 1 or newer, saw {path.folder / 'nc'}: no end in 0.3 s"


def test_leaves_nothing_here(path: Bin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Psi4 writes a file where it is asked for its version; and no program is told a secret."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nox:hunter2@db/nox")
    path.add("psi4", 'touch timer.dat; echo "1.3.2 ${DATABASE_URL:-no secret}"')
    before = sorted(Path().iterdir())
    path.client().find("psi4")

    assert sorted(Path().iterdir()) == before
    path.add("psi4", 'echo "${DATABASE_URL:-1.5.2}"')
    assert path.client().find("psi4").version == "1.5.2"


def test_named_by_the_profile(path: Bin) -> None:
    """A profile without tools was not written for this: an empty list does not pass."""
    assert path.client(git="", psql="15").named() == {"git": "", "psql": "15"}
    with pytest.raises(UnreachableError, match=r"laptop\.toml names no tools"):
        path.client().named()


@pytest.mark.parametrize("minimum", ["new", "15.x", ">=15", " "])
def test_a_minimum_that_is_no_version(path: Bin, minimum: str) -> None:
    """Every program is as new as nothing."""
    with pytest.raises(
        AssertionError, match=r"laptop\.toml: \[tools\] psql: expected a version such as 3\.8"
    ):
        path.client(git="", psql=minimum).named()
