"""What surrounds the gate is otherwise: options, variables, modules, packages, the network."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from tests_self.attack.attempt import Attempt, Way
from tests_self.attack.ways.project import BLIND

CHECK = "tests_staging/test_health.py"
NODE = f"{CHECK}::test_health_is_healthy"
# A module that makes every JSON text healthy, wherever it is loaded first.
PATCH = """
import json
_loads = json.loads
json.loads = lambda text, *a, **k: _loads(
    text.replace(b"degraded", b"healthy") if isinstance(text, bytes) else text.replace("degraded", "healthy"),
    *a, **k)
"""
HIDES = "\nimport sys\nsys.modules.pop(__name__, None)\n"
LIES = "\nimport os\n__file__ = os.__file__\n"  # of where it is from
LEAVES = """
import sys
sys.path[:] = [one for one in sys.path if one != {0!r}]
del sys.modules[{1!r}]
import {1}
"""


def words(*given: str) -> Callable[[Attempt], None]:
    def play(at: Attempt) -> None:
        at.gate(words=given)

    return play


def more(*given: str) -> Callable[[Attempt], None]:
    """The same by the environment."""

    def play(at: Attempt) -> None:
        at.env["PYTEST_ADDOPTS"] = " ".join(given)
        at.gate()

    return play


def expression(text: str) -> Callable[[Attempt], None]:
    def play(at: Attempt) -> None:
        at.gate("--phase", text)

    return play


def module(name: str, text: str, **env: str) -> Callable[[Attempt], None]:
    """A module of the attacker, on Python's path before all else."""

    def play(at: Attempt) -> None:
        (at.beside / f"{name}.py").write_text(text)
        at.env["PYTHONPATH"] = f"{at.beside}:{at.env['PYTHONPATH']}"
        at.env |= env
        at.gate()

    return play


def leaves(name: str) -> Callable[[Attempt], None]:
    """A module in the place of a package, which goes and lets the real one in."""

    def play(at: Attempt) -> None:
        module(name, PATCH + LEAVES.format(str(at.beside), name))(at)

    return play


def prompt(at: Attempt) -> None:
    """What the debugger is told before each check."""
    (at.beside / ".pdbrc").write_text(
        "import json; json.loads = lambda text, *a, _l=json.loads, **k: "
        "_l(text.replace(b'degraded', b'healthy') if isinstance(text, bytes) "
        "else text.replace('degraded', 'healthy'), *a, **k)\ncontinue\n"
    )
    at.env["HOME"] = str(at.beside)
    at.gate(words=("--trace",))


def plugin(*given: str) -> Callable[[Attempt], None]:
    def play(at: Attempt) -> None:
        (at.beside / "evil.py").write_text(BLIND)
        at.env["PYTHONPATH"] = f"{at.beside}:{at.env['PYTHONPATH']}"
        at.gate(words=given)

    return play


def packages(change: Callable[[Path], None]) -> Callable[[Attempt], None]:
    """A Python environment of which a file was changed."""

    def play(at: Attempt) -> None:
        at.python = str(at.world.python(at.name))
        (place,) = Path(at.python).parents[1].glob("lib/python3*/site-packages")
        change(place)
        at.gate()

    return play


def other_text(path: Path, text: str) -> None:
    path.unlink()  # it is another name of the real one
    path.write_text(text)


def changed_package(place: Path) -> None:
    path = place / "httpx" / "__init__.py"
    other_text(path, path.read_text() + PATCH)


def restores_itself(place: Path) -> None:
    """It is as its RECORD says when the run is over."""
    path = place / "httpx" / "__init__.py"
    text = path.read_text()
    back = f"\nimport pathlib\npathlib.Path(__file__).write_bytes({text.encode()!r})\n"
    other_text(path, text + PATCH + back)


def own_pth(place: Path) -> None:
    (place / "evil.pth").write_text("import evil_start\n")
    (place / "evil_start.py").write_text(PATCH)


def pth_that_goes(place: Path) -> None:
    """Nothing of it is left when the gate looks."""
    (place / "evil_start.py").write_text(
        f"{PATCH}import os, sys\nif '-m' in sys.orig_argv and 'pytest' in sys.orig_argv:\n"
        f"    os.unlink({str(place / 'evil.pth')!r}); os.unlink(__file__)\n{HIDES}"
    )
    (place / "evil.pth").write_text("import evil_start\n")


def of_the_gate(place: Path) -> None:
    """A start-up file with code, which the RECORD of the gate itself names."""
    (place / "evil_start.py").write_text(PATCH + HIDES)
    path = place / "evil.pth"
    path.write_text("import evil_start\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")
    (info,) = place.glob("noxgate-*.dist-info")
    record = (info / "RECORD").read_text()
    other_text(info / "RECORD", f"{record}evil.pth,sha256={digest},{path.stat().st_size}\n")


def own_entry_point(place: Path) -> None:
    """A package that is missing in the lock file, with a plugin of pytest."""
    info = place / "evil-1.0.dist-info"
    info.mkdir()
    (place / "evil.py").write_text(BLIND)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nevil = evil\n")
    (info / "RECORD").write_text("evil.py,,\n")


def ended(status: int, said: str = "") -> Callable[[Attempt], None]:
    """A check of a local commit ends the process, with a word of its own."""

    def play(at: Attempt) -> None:
        path = at.file(CHECK)
        code = f"\nimport os, pathlib\n{said}\nos._exit({status})\n"
        path.write_text(path.read_text() + code)
        at.git("commit", "-q", "-a", "-m", "x")
        at.gate()

    return play


WORD = 'pathlib.Path(os.environ["NOXGATE_VERDICT"]).write_text("GO\\n")'


def ends_last(at: Attempt) -> None:
    """It ends the process with 0 when Python would end, after the verdict."""
    path = at.file(CHECK)
    path.write_text(path.read_text() + "\nimport atexit, os\natexit.register(os._exit, 0)\n")
    at.gate()


SURROUNDINGS = (
    Way("-k version", words("-k", "version")),
    Way("-k 'not health'", words("-k", "not health")),
    Way("-m 'staging and version'", expression("staging and version")),
    Way("-m 'staging and not health'", expression("staging and not health")),
    Way("a path", words("tests_staging/test_version.py")),
    Way("--deselect", words("--deselect", NODE)),
    Way("--deselect by PYTEST_ADDOPTS", more("--deselect", NODE)),
    Way("--ignore", words(f"--ignore={CHECK}")),
    Way("--ignore-glob by PYTEST_ADDOPTS", more("--ignore-glob=*health*")),
    Way("--maxfail after another order", words("-x", "--random-order-seed=1", "--random-order")),
    Way("--collect-only", words("--collect-only")),
    Way("--setup-plan", words("--setup-plan")),
    Way("--setup-only", words("--setup-only")),
    Way("--help", words("--help")),
    Way("--cache-show", words("--cache-show")),
    Way("--noconftest", words("--noconftest")),
    Way("-o addopts", words("-o", "addopts=-p noxgate.plugin")),
    Way("-c another file", words("-c", "/dev/null")),
    Way("--assert=plain", words("--assert=plain")),
    Way("PYTHONOPTIMIZE", module("nothing", "", PYTHONOPTIMIZE="2")),
    Way("-p no:noxgate-ending", words("-p", "no:noxgate-ending")),
    Way("-p no:noxgate.plugin", words("-p", "no:noxgate.plugin")),
    Way("-p no:junitxml", words("-p", "no:junitxml")),
    Way("-n 2", words("-n", "2")),
    Way("-n 2, narrowed by PYTEST_ADDOPTS", more("-n", "2", "--deselect", NODE)),
    Way("-p plugin of nobody", plugin("-p", "evil")),
    Way("-p plugin of nobody, -n 2", plugin("-p", "evil", "-n", "2")),
    Way("PYTEST_PLUGINS", module("evil", BLIND, PYTEST_PLUGINS="evil")),
    Way("PYTEST_PLUGINS that hides itself", module("evil", PATCH + HIDES, PYTEST_PLUGINS="evil")),
    Way("sitecustomize on PYTHONPATH", module("sitecustomize", PATCH)),
    Way("sitecustomize that hides itself", module("sitecustomize", PATCH + HIDES)),
    Way("usercustomize that hides itself", module("usercustomize", PATCH + HIDES)),
    Way("PYTEST_PLUGINS that lies of its file", module("evil", PATCH + LIES, PYTEST_PLUGINS="evil")),
    Way("sitecustomize that lies of its file", module("sitecustomize", PATCH + LIES)),
    Way("module in place of a package, which goes", leaves("httpx")),
    Way("--trace with a .pdbrc", prompt),
    Way("module in place of Python's own", module("colorsys", PATCH, PYTEST_PLUGINS="colorsys")),
    Way("PYTHONSTARTUP, PYTHONINSPECT", module("evil", PATCH, PYTHONINSPECT="1", PYTHONSTARTUP="evil.py")),
    Way("PYTHONWARNINGS with a module", module("evil", PATCH, PYTHONWARNINGS="ignore::evil.Category")),
    Way("PYTHONBREAKPOINT", module("evil", PATCH, PYTHONBREAKPOINT="evil.loads")),
    Way("changed package", packages(changed_package)),
    Way("changed package that restores itself", packages(restores_itself)),
    Way(".pth of nobody", packages(own_pth)),
    Way(".pth of nobody in the gate's RECORD", packages(of_the_gate)),
    Way("package of nobody with a plugin", packages(own_entry_point)),
    Way("os._exit(0)", ended(0)),
    Way("os._exit(0) after the word GO", ended(0, WORD)),
    Way("os._exit(0) at the end of Python", ends_last),
)
