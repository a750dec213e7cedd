"""What runs of the gate import, sooner or later."""

import contextlib
import gc
import importlib
import io
import os
import pkgutil
import string
import sys
from pathlib import Path
from typing import Any

import pytest

import nox_service
import noxgate
from kube_standin.objects.schema import Schemas
from nox_rehearsal.world.build import PRELOADED
from nox_service.access import guessing
from noxgate.look.secret import Scrubber, Secret
from noxgate.look.secret_forms import FORMS
from noxgate.project.which.world import rehearsed

OTHERS = (
    *("allure_commons.logger", "allure_pytest.listener", "cryptography.hazmat.primitives.serialization"),
    *("execnet", "httpcore", "httpx", "jinja2.ext", "kubernetes.client", "kubernetes.config"),
    *("kubernetes.stream", "matplotlib.figure", "numpy", "promql_parser", "psycopg.sql"),
    *("psycopg_binary", "pytest_html.selfcontained_report", "redis", "rich.progress", "websocket"),
    *("xdist.remote", "xdist.workermanage", "yaml"),
)


class _Imports:
    """While pytest is at work: it minds a module that a plugin owns and that came without its knowledge."""

    def pytest_collection_finish(self) -> None:
        modules()


def everything() -> None:
    """Import it, the plugins as pytest does, which rewrites their asserts; and do what is slow at first."""
    for name in [name for name in os.environ if name.startswith("PYTEST")]:
        del os.environ[name]
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", "-q"], plugins=[_Imports()])
    for name in [name for name in sys.modules if name.startswith(("tests_p", "tests_staging", "conftest"))]:
        del sys.modules[name]  # a run's own are its own, in another folder
    for name in PRELOADED:
        importlib.import_module(name)
    Schemas().warm_up()  # which imports the client's models
    Scrubber([Secret("", string.printable)]).scrub(string.printable)  # how each character may be written
    for form in FORMS:
        for hint in form.hints:
            list(form.spans(hint, hint))  # which compiles its pattern
    guessing.prepare()
    rehearsed(Path("none.toml"), {})  # which reads whom OpenSSL trusts
    as_committed()
    freeze()


def modules() -> None:
    """The engine's own modules, and those of others that it imports late."""
    own = [
        module.name
        for package in (noxgate, nox_service)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith(".__main__")
    ]
    for name in [*OTHERS, *own]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def as_committed() -> None:
    """A test's small project is not a checkout of this suite: tests_self/fast/run/commit has such ones."""
    committed: Any = importlib.import_module(
        "noxgate.plugin.committed"
    )  # not sooner: pytest rewrites plugins
    committed.doubts = committed.strangers = lambda *_: iter(())


def freeze() -> None:
    """What is here stays, and pytest looks through all that may go five times at its end."""
    gc.collect()
    gc.freeze()
