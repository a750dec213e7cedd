"""Commands that people repeat: a shell reads each name as that name, with any characters in it."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from noxgate.look.observation import exported
from noxgate.systems.kubernetes.manifests import COMMAND, read_file
from noxgate.systems.postgres import by_hand

ODD = 'it\'s $(one) `two`; "three" & *'  # as far as a file may be called


def manifest(*names: str) -> str:
    made = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in names]
    return "\n---\n".join(map(json.dumps, made))


def ran(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **environment}
    return subprocess.run(["bash", "-c", command], env=words, capture_output=True, text=True, check=False)


def test_an_unset_variable_stops_the_command() -> None:
    """`psql ""` would ask a server of its own choice."""
    done = ran(f'echo "{exported("DATABASE_URL")}" went on')

    assert (done.returncode != 0, done.stdout) == (True, "")
    assert "DATABASE_URL: parameter null or not set" in done.stderr
    assert ran(f'echo "{exported("DATABASE_URL")}"', DATABASE_URL=ODD).stdout == f"{ODD}\n"


def test_a_manifest_that_stands_alone(tmp_path: Path) -> None:
    """Its file is named, as the runbook does."""
    file = tmp_path / f"{ODD}.yaml"
    file.write_text(manifest("a"), encoding="utf-8")

    (document,) = read_file(file)
    assert shlex.split(document.origin) == [COMMAND, "-f", str(file)]


@pytest.mark.parametrize("name", ["a", "b", ODD])
def test_a_manifest_among_others(name: str, tmp_path: Path) -> None:
    """It alone is handed on, as JSON."""
    file = tmp_path / f"{ODD}.yaml"
    file.write_text(manifest("a", "b", ODD), encoding="utf-8")

    (origin,) = (each.origin for each in read_file(file) if each.name == name)
    done = ran(origin.replace(f"{COMMAND} -f -", "cat"))
    assert json.loads(done.stdout)["metadata"] == {"name": name}
    gone = ran(origin.replace(f"{COMMAND} -f -", "cat").replace("ConfigMap", "Secret"))
    assert "expected a Secret" in gone.stderr


def test_restoring_by_hand() -> None:
    """The two places of the profile's command are filled, also within a word."""
    words = ("pg_restore", "--dbname={database}", "--no-owner", "{file}", "a b")

    command = by_hand.restoring(words, ODD)
    named = command.replace("${EMPTY_DATABASE_URL:?}", "URL")
    assert shlex.split(named) == ["pg_restore", "--dbname=URL", "--no-owner", ODD, "a b"]
