"""Before anything runs: which target, which phases, where the evidence goes. All that is wrong ends here."""

import difflib
import logging
import os
import re
import shlex
import shutil
import sys
import warnings
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from noxgate.errors import ProfileError
from noxgate.plugin import allure, checkpoint, committed, html, progress
from noxgate.plugin.ending import Ending
from noxgate.plugin.gate import ALLURE_RESULTS, GATE, Gate, gate_of
from noxgate.plugin.scrubbing import Scrubbing
from noxgate.plugin.terminal import once
from noxgate.project.checks import Check, CheckError, find_checks
from noxgate.project.overrides import OVERRIDES
from noxgate.project.profile import read_target
from noxgate.project.runbook import Runbook, RunbookError, read_runbook
from noxgate.project.target import Target
from noxgate.project.waivers import WaiverError
from noxgate.project.which.rule import RULE, Chosen, choose
from noxgate.run.pytest_program import LAST_WORD
from noxgate.trust.signing import SigningError

# They log URLs, headers and cookies below WARNING.
REPORTERS = ("html", "junitxml", "allure_pytest")
CHOSEN = pytest.StashKey[Chosen]()
TALKATIVE = ("asyncio", "httpcore", "httpx", "kubernetes", "psycopg", "redis", "urllib3", "websockets")
# A socket that a library left open is told, and changes no outcome. A dot is the colon, which ends a pattern.
LEFT_OPEN = r"default:(?s).*\nResourceWarning. :pytest.PytestUnraisableExceptionWarning"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("release gate")
    group.addoption(
        "--target",
        metavar="NAME",
        help=f"the target to check: a profile in targets/, or --target=PATH.toml ({RULE})",
    )
    group.addoption(
        "--reports", metavar="DIR", default="reports", help="where the evidence goes (default: reports)"
    )
    group.addoption(
        "--switched-at",
        metavar="TIME",
        help="when traffic was switched, such as 2026-01-31T14:03:05Z, where the Ingress cannot say it",
    )
    checkpoint.add_options(group)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    once.settle(config)
    try:
        runbook = read_runbook(config.rootpath / "runbook.toml")
        checks = find_checks(config.rootpath, runbook)
    except (RunbookError, CheckError) as error:
        if _within_check_folders(config, None):
            raise pytest.UsageError(str(error)) from None
        return
    _register_markers(config, runbook, checks)
    if not _within_check_folders(config, runbook) or _only_talks(config):
        return
    _refuse_unsafe(config)
    phases = _phases_asked(config, runbook, checks)
    gate = Gate(config.rootpath, runbook, checks, None, phases)
    if not config.option.collectonly:
        try:
            gate = Gate(config.rootpath, runbook, checks, _target(config, runbook, phases), phases)
        except (ProfileError, SigningError, WaiverError) as error:
            raise pytest.UsageError(str(error)) from None
        assert gate.target is not None
        gate.now = checkpoint.asked(config, runbook, phases, gate.trust, rehearsal=gate.target.rehearsal)
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        if hasattr(config, "workerinput"):
            config.option.allure_report_dir = config.workerinput[ALLURE_RESULTS]
            if not gate.target.rehearsal:
                _register(config, committed.OfWorker(config), "noxgate-committed")
        else:
            _prepare_reports(config, gate)
            config.add_cleanup(
                lambda: shutil.rmtree(str(gate.folder), ignore_errors=True)
            )  # if it has no name
            _register(config, Ending(config, gate), "noxgate-ending")
            _register(config, html.HtmlReport(gate), "noxgate-html")
            config.pluginmanager.register(once.Once(), "noxgate-once")
            if progress.allowed(config):
                config.pluginmanager.register(progress.Bars(config, gate), "noxgate-progress")
        config.addinivalue_line("filterwarnings", LEFT_OPEN)
        allure.install(config, gate)
        _register(config, Scrubbing(gate.scrubber), "noxgate-scrubbing")
    config.stash[GATE] = gate


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The verdict stands: pytest would make an error, and its exit status, of what was left open."""
    if gate_of(config) is not None:
        warnings.simplefilter("ignore")


def _refuse_unsafe(config: pytest.Config) -> None:
    """Settings under which a check cannot fail, or a secret gets out."""
    if sys.flags.optimize or config.option.assertmode == "plain":
        raise pytest.UsageError(
            "python -O (PYTHONOPTIMIZE) and --assert=plain switch checks off: run without them"
        )
    if config.option.debug:
        raise pytest.UsageError(
            "--debug writes what the checks saw to a file of its own, secrets too: run without"
        )


def _register(config: pytest.Config, plugin: object, name: str) -> None:
    if config.pluginmanager.register(plugin, name) is None:
        raise pytest.UsageError(f"-p no:{name}: without it there is no verdict")


def pytest_sessionstart(session: pytest.Session) -> None:
    """The first line of a run: which target, and what named it."""
    chosen = session.config.stash.get(CHOSEN, None)
    if chosen is not None and not hasattr(session.config, "workerinput"):
        writer, gate = session.config.get_terminal_writer(), gate_of(session.config)
        writer.line(str(chosen))
        if gate is not None and gate.target is not None and (why := gate.target.rehearsed_by):
            writer.line(f"a rehearsal, though {gate.target.path.name} does not say so: {why}")


def pytest_report_header(config: pytest.Config) -> list[str]:
    gate = gate_of(config)
    if gate is None or gate.target is None:
        return []
    target = gate.target
    kind = " (rehearsal)" if target.rehearsal else ""
    lines = [
        f"release {gate.runbook.release.version}, phase {'+'.join(gate.phases)}, target {target.name}{kind}",
        f"{target.base_url}, namespace {target.namespace}",
    ]
    if gate.now is not None:
        lines.append(checkpoint.header(gate.now))
    overridden = [f"{key} from ${origin}" for key, origin in target.origins.items() if origin.isupper()]
    if overridden:
        lines.append(f"instead of {target.path.name}: {', '.join(overridden)}")
    if unset := target.unset():
        lines.append(f"not set, so lines that need them are unreachable: {', '.join(unset)}")
    lines += committed.header()
    if gate.skips_load_test:
        lines.append("SKIP_LOAD_TEST: the load test's lines are not run, so there is no GO")
    own = [*OVERRIDES, "SKIP_LOAD_TEST", *target.credentials.values()]
    reads_none = target.rehearsal and not target.rehearsed_by
    if reads_none and (ignored := [name for name in own if os.environ.get(name)]):
        lines.append(f"not read, since this is a rehearsal: {', '.join(ignored)}")
    return lines


def _within_check_folders(config: pytest.Config, runbook: Runbook | None) -> bool:
    """Whether the arguments name check folders. Mixing them with the suite's own tests is refused."""
    folders = {phase.folder for phase in runbook.phases.values() if phase.folder} if runbook else set()
    places = [
        config.rootpath / folder
        for folder in folders or {"tests_preflight", "tests_staging", "tests_production"}
    ]
    paths = [(config.invocation_params.dir / str(arg).split("::")[0]).resolve() for arg in config.args]
    inside = [any(path.is_relative_to(place) for place in places) for path in paths]
    around = [any(place.is_relative_to(path) for place in places) for path in paths]
    if any(around) and not any(inside):
        raise pytest.UsageError(
            f"{', '.join(map(str, config.args))}: name the check folders or nothing at all; "
            "the suite's own tests run apart: pytest tests_self"
        )
    if any(inside) and not all(inside):
        raise pytest.UsageError(
            "checks and other tests do not mix in one run: a verdict is about checks alone"
        )
    return any(inside)


def _only_talks(config: pytest.Config) -> bool:
    """--help, --markers, --fixtures and --cache-show run no check and need no target."""
    option = config.option
    talks = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow")
    return any(getattr(option, name, None) for name in talks)


def _register_markers(config: pytest.Config, runbook: Runbook, checks: Sequence[Check]) -> None:
    """Register the markers that follow from ids and file names; refuse an -m that names no marker."""
    phases = {phase.name: f"phase: {phase.title}" for phase in runbook.phases.values() if phase.folder}
    groups = {
        phase.marker: f"phases with marker {phase.marker}"
        for phase in runbook.phases.values()
        if phase.marker
    }
    topics = {check.topic: f"topic: {check.file}" for check in checks}
    if clash := topics.keys() & (phases | groups).keys():
        raise pytest.UsageError(f"test_{min(clash)}.py: a topic cannot have the name of a phase")
    markers = phases | groups | topics
    for name, meaning in markers.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    for name in re.findall(r"[\w-]+", config.option.markexpr or ""):
        if name not in {*markers, "and", "or", "not"}:
            close = difflib.get_close_matches(name, markers, n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            word = "--phase" if os.environ.get(LAST_WORD) else "-m"  # as whoever asked wrote it
            raise pytest.UsageError(f"{word}: no marker {name!r}{guess} (markers: {', '.join(markers)})")


def _phases_asked(config: pytest.Config, runbook: Runbook, checks: Sequence[Check]) -> tuple[str, ...]:
    """The phases that this run is about: those of every check that -m selects, and those -m names alone."""
    paths = [(config.invocation_params.dir / str(arg).split("::")[0]).resolve() for arg in config.args]
    everywhere = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    # a phase that -m names counts even where the paths leave it out: what was asked for is not forgotten
    named = set(re.findall(r"[\w-]+", config.option.markexpr or ""))
    phases = [
        phase
        for phase in runbook.phases.values()
        if phase.folder
        and (
            everywhere
            or named & {phase.name, phase.marker}
            or any(path.is_relative_to(config.rootpath / phase.folder) for path in paths)
        )
    ]
    try:
        expression = Expression.compile(config.option.markexpr) if config.option.markexpr else None
    except SyntaxError as error:
        raise pytest.UsageError(f"-m {config.option.markexpr!r}: {error}") from None

    def selected(names: Collection[str]) -> bool:
        return expression is None or expression.evaluate(lambda name, /, **_: name in names)

    asked = []
    for phase in phases:
        own = {phase.name, phase.marker or phase.name}
        topics = {check.topic for check in checks if runbook.lines[check.line_id].phase == phase.name}
        if selected(own) or any(selected({*own, topic}) for topic in topics):
            asked.append(phase.name)
    if not asked:
        raise pytest.UsageError(
            f"-m {config.option.markexpr!r} selects no phase ({', '.join(runbook.phases)})"
        )
    return tuple(asked)


def _narrowed(target: Target) -> str:
    """The command for the first phase of a target, as whoever asked would write it."""
    gate = os.environ.get(LAST_WORD)
    named = f" --target={shlex.quote(target.called)}"
    return f"{gate} --phase {target.serves[0]}{named}" if gate else f"pytest -m {target.serves[0]}{named}"


def _target(config: pytest.Config, runbook: Runbook, phases: Sequence[str]) -> Target:
    names = [phase.name for phase in runbook.phases.values() if phase.folder]
    try:
        chosen = choose(config.rootpath, config.option.target)
        target = read_target(config.rootpath, chosen.name, names)
    except ProfileError as error:
        raise pytest.UsageError(str(error)) from None
    wrong = [phase for phase in phases if phase not in target.serves]
    if wrong:
        raise pytest.UsageError(
            f"target {target.name!r} does not serve phase {wrong[0]!r} (serves: {', '.join(target.serves)}); "
            f"name one that does with --target, or a phase that it serves: {_narrowed(target)}"
        )
    config.stash[CHOSEN] = chosen
    return target


def _prepare_reports(config: pytest.Config, gate: Gate) -> None:
    """Point every report plugin into one folder, which gets its name when it is complete."""
    for name in REPORTERS:
        if not config.pluginmanager.hasplugin(name):
            raise pytest.UsageError(
                f"the evidence of a run needs pytest's plugin {name!r}, which is disabled"
            )
    reports = config.rootpath / config.option.reports / gate.runbook.release.version
    gate.folder = reports / f".running-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
    try:
        reports.mkdir(parents=True, exist_ok=True)
        for stale in reports.glob(".running-*"):
            if not Path(f"/proc/{stale.name.rpartition('-')[2]}").exists():
                shutil.rmtree(stale, ignore_errors=True)  # a run that was killed; it has no verdict
        gate.folder.mkdir(mode=0o700)
    except OSError as error:
        raise pytest.UsageError(f"--reports: {error.strerror}: {error.filename}") from None
    config.option.xmlpath = str(gate.folder / "junit.xml")
    config.option.htmlpath = str(gate.folder / "report.html")
    config.option.self_contained_html = True
    config.option.css = [str(html.CSS)]
    config.option.allure_report_dir = str(gate.folder / "allure-results")
