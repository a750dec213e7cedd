"""The Allure report of a release: built by the npm package `allure`, and made to open without a network.

Beside the runs, not in them: what is sealed stays as it is. It decides nothing: results.json does.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import NoxgateError
from noxgate.trust.runs import Run, newest

FOLDER = "allure"
PAGE, HISTORY = "index.html", "history.jsonl"
RESULTS = "allure-results"
NODE = 20
MOST = 20  # runs in the history
NEEDS = f"the Allure report needs Node.js {NODE} or newer with npm"
INSTEAD = "each run's report.html says the same without"
OPTIONS = {"singleFile": True, "reportLanguage": "en", "groupBy": ["epic", "feature", "story"]}
# The browser sends no request: neither by what we know of, nor by what a later version brings.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data:; "
    'img-src data: blob:; font-src data:; media-src data: blob:; connect-src data: blob:; worker-src blob:">'
)
_ANALYTICS = re.compile(
    r"<script\b[^>]*\bsrc=[\"'](?:https?:)?//[^>]*>\s*</script>"
    r"(?:\s*<script>(?:(?!</script>).)*?\bgtag\((?:(?!</script>).)*</script>)?",
    re.DOTALL | re.IGNORECASE,
)
_LOADS = re.compile(
    r"<(?!a\b)\w+\b[^>]*\b(?:src|href|data|action)\s*=\s*[\"']?(?:https?:)?//[^>]*>"
    r"|url\(\s*[\"']?(?:https?:)?//[^)]*\)|@import\b[^;]*;",
    re.IGNORECASE,
)


class ReportError(NoxgateError):
    """Why the Allure report was not made: one line that says what is missing, and what to do."""


@dataclass(frozen=True)
class Allure:
    """The installed package."""

    program: Path

    def page(self, results: Sequence[Path], name: str, history: Path) -> str:
        """The page over these results; the run `name` is added to the history."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out"
            config = Path(folder) / "allurerc.json"
            config.write_text(
                json.dumps(
                    {
                        "name": name,
                        "output": str(output),
                        "historyPath": str(history.resolve()),
                        "plugins": {"awesome": {"options": OPTIONS}},
                    }
                ),
                encoding="utf-8",
            )
            places = [str(path.resolve()) for path in results]
            _run([str(self.program), "generate", "--config", str(config), *places], Path(folder))
            found = sorted(output.rglob(PAGE))
            if not found:
                raise ReportError(f"allure generate left no {PAGE}: its version changed")
            return found[0].read_text(encoding="utf-8")


def install(root: Path, place: Path) -> Allure:
    """The package in `place`, installed as the lock file in tools/allure has it."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise ReportError(f"{NEEDS}; not there: {', '.join(missing)}; {INSTEAD}")
    version = _run(["node", "--version"], root).strip()
    if int(version.removeprefix("v").partition(".")[0] or 0) < NODE:
        raise ReportError(f"{NEEDS}; saw {version}; {INSTEAD}")
    lock = root / "tools" / "allure" / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = place / "installed"
    if not stamp.is_file() or stamp.read_text() != digest:
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(lock.with_name(name), place / name)
        options = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
        _run(["npm", "ci", *options], place)
        stamp.write_text(digest)
    return Allure(place / "node_modules" / ".bin" / "allure")


def build(allure: Allure, release: Path, runs: Sequence[Run], service: str) -> Path:
    """The page over the newest whole run of each phase, with the history of `runs`, which are in order."""
    folder = release / FOLDER
    folder.mkdir(exist_ok=True)
    history = folder / HISTORY
    runs = [run for run in runs if (run.folder / RESULTS).is_dir()][-MOST:]
    known = _names(history)
    if not set(known) <= {run.folder.name for run in runs}:
        history.unlink(missing_ok=True)  # it is of runs that are gone, or of too many
        known = []
    for run in runs:
        if run.folder.name not in known:
            allure.page([run.folder / RESULTS], run.folder.name, history)
    phases = dict.fromkeys(phase for run in runs for phase in run.whole)
    chosen = dict.fromkeys(found.folder for phase in phases if (found := newest(runs, phase)))
    results = [path / RESULTS for path in chosen or [runs[-1].folder]]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / HISTORY  # the page itself is not a run
        if history.is_file():
            shutil.copy(history, copy)
        played = " (rehearsal)" if all(run.rehearsal for run in runs) else ""
        name = f"{service} release {release.name}{played}: what was looked at (no verdict)"
        page = allure.page(results, name, copy)
    path = folder / PAGE
    path.write_text(offline(page), encoding="utf-8")
    return path


def offline(page: str) -> str:
    """The page without what it would load from the network. Raises ReportError if something would be left."""
    cleaned = _ANALYTICS.sub("", page)
    if left := _LOADS.search(_without_data(cleaned)):
        raise ReportError(f"the Allure page would load from the network: {left[0][:120]!r}: not written")
    head = re.search(r"<head\b[^>]*>", cleaned, re.IGNORECASE)
    if head is None:
        raise ReportError("the Allure page has no head: its version changed")
    return f"{cleaned[: head.end()]}{POLICY}{cleaned[head.end() :]}"


def _without_data(page: str) -> str:
    """The page without what its scripts say: they are text to the browser, and held by the policy."""
    return re.sub(r"(<script\b[^>]*>).*?(</script>)", r"\1\2", page, flags=re.DOTALL | re.IGNORECASE)


def _names(history: Path) -> list[str]:
    try:
        entries = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
        return [str(entry["name"]) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError):
        history.unlink(missing_ok=True)
        return []


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=600, env=variables
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReportError(f"{command[0]}: {error}") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise ReportError(f"{' '.join(command[:2])} ended with {done.returncode}: {said}; {INSTEAD}")
    return done.stdout
