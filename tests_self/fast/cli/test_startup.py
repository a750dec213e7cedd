"""What is imported at the start, which is what starting costs; times would differ between machines."""

import subprocess
import sys
from pathlib import Path

import pytest

# Each takes a command that has no use for it from 20 to 500 ms.
HEAVY = {
    *("allure_commons", "asyncio", "cryptography", "httpx", "importlib.metadata", "jinja2", "kubernetes"),
    *("matplotlib", "numpy", "promql_parser", "psycopg", "pytest", "redis", "rich", "ssl", "typing"),
    *("urllib3", "websocket", "yaml"),
}
# pytest and its reporters bring these themselves.
PYTESTS = {"allure_commons", "importlib.metadata", "jinja2", "pytest", "ssl", "typing"}


@pytest.mark.parametrize("command", ["", "load", "signoff", "verify", "watch"])
def test_help_imports_no_library(pytestconfig: pytest.Config, command: str) -> None:
    """Neither do the commands' own options."""
    imported = modules(pytestconfig.rootpath, "noxgate.cli.main", "main", *command.split(), "--help")

    assert "noxgate.cli.main" in imported
    assert HEAVY & imported == set()


def test_listing_the_checks_imports_no_library(pytestconfig: pytest.Config) -> None:
    """They are read, not imported."""
    imported = modules(pytestconfig.rootpath, "noxgate.cli.main", "main", "checks")

    assert "noxgate.project.checks" in imported
    assert (HEAVY - {"typing"}) & imported == set()


def test_collecting_imports_no_library(pytestconfig: pytest.Config) -> None:
    """Only clients of the systems that are looked at; and of other phases no check at all."""
    arguments = ("--collect-only", "-q", "-m", "staging and not slo")
    imported = modules(pytestconfig.rootpath, "pytest", "main", *arguments)

    assert "nox_service.api" in imported
    assert "tests_staging.test_version" in imported
    assert (HEAVY - PYTESTS) & imported == set()
    assert {name for name in imported if name.startswith("tests_production.test_")} == set()
    assert "tests_staging.test_slo" not in imported


def modules(folder: Path, module: str, function: str, *arguments: str) -> set[str]:
    """What a fresh Python has imported once it has run the command."""
    code = (
        f"import atexit, os, sys; from {module} import {function}; sys.argv[1:] = {list(arguments)}\n"
        "atexit.register(lambda: os.write(2, ' '.join(sys.modules).encode()))\n"
        f"sys.exit({function}())"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.split())
