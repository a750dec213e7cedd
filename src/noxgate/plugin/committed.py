"""Whether what judges is as committed: looked at before anything is checked, and once more at the end."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from _pytest.assertion.rewrite import PYC_TAIL, AssertionRewritingHook, _rewrite_test, get_cache_dir

from noxgate.project.target import Target
from noxgate.run.commit import Commit, CommitError, different_below, dropped, has, head, written_since
from noxgate.run.compiled import foreign, functions, of_file, of_source
from noxgate.run.loaded import NOT_OF_SOURCE, strangers
from noxgate.run.native import SYSTEMS

SETTINGS = "pyproject.toml"
FROM_WORKERS = "noxgate_committed"
STARTING = 0.05  # seconds in which Python comes to no file of ours; clocks count in hundredths
_STARTED = time.time()  # where the system does not say when this process began


@dataclass(frozen=True)
class CommittedLook:
    """What was found at one moment. Without a commit, `why` says what is missing."""

    commit: Commit | None
    why: str
    different: tuple[str, ...]


@dataclass
class Workers:
    """What the workers of xdist said of themselves; and those that said nothing, with the reason."""

    told: list[Mapping[str, Any]] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    def heard(self, node: Any, error: object) -> None:
        """A worker has ended."""
        said = getattr(node, "workeroutput", {}).get(FROM_WORKERS)
        if said is not None:
            self.told.append(said)
        elif not error:  # one that died has left checks that are not run
            self.silent.append(node.gateway.id)


def look(root: Path, target: Target) -> CommittedLook:
    """Compare what lies in `root` with its commit, and what is checked of the release with its own."""
    try:
        commit = head(root)
        different = [*commit.different(root), *_of_release(target)]
        return CommittedLook(commit, "", tuple(different))
    except CommitError as error:
        return CommittedLook(None, str(error), ())


def _of_release(target: Target) -> Iterator[str]:
    """What the profile names of the release's checkout, and is not as that is committed."""
    source = target.source
    if source is None:
        return
    files = [target.migration, target.schema, target.old_queries, target.alert_tests]
    below = [str(file.relative_to(source)) for file in files if file and file.is_relative_to(source)]
    named = [name for name in (target.manifests, target.switch_patch, target.rollback_patch) if name]
    try:
        for found in different_below(source, [*named, *below]):
            yield f"{source.resolve().name}/{found}"
    except CommitError as error:
        yield f"{source.resolve().name}, the release's checkout (names no commit: {error})"


def _not_committed(root: Path, commit: Commit, target: Target) -> Iterator[str]:
    """What decides, is named by the profile, and lies where no commit has it, nor the machine's keeper."""
    for path in (target.record, target.ca_file, target.log_allow_list):
        real = path and path.resolve()
        if real and real.exists() and not str(real).startswith(SYSTEMS) and not has(root, commit, real):
            yield f"{path} decides, and is not in the commit: {_to_commit(root, real)}"


def _to_commit(root: Path, path: Path) -> str:
    """Git adds a file that .gitignore names, such as any *.pem, where it is told to."""
    if not path.is_relative_to(root):
        return "put it into targets/ and commit it"
    return f"git add -f {shlex.quote(path.relative_to(root).as_posix())}, and commit it"


def doubts(config: pytest.Config, before: CommittedLook, target: Target, workers: Workers) -> Iterator[str]:
    """Why the commit does not vouch for the code of this verdict, in one line each; empty if it does."""
    root, profile = config.rootpath, target.path.resolve()
    now = look(root, target)
    if before.commit is None or now.commit is None:
        yield f"of no known commit: {before.why or now.why}: run the gate in a checkout that git can read"
        return
    if before.commit.id != now.commit.id:
        yield f"another commit was checked out meanwhile: {before.commit.id[:12]}, then {now.commit.id[:12]}"
    different = dict.fromkeys([*before.different, *now.different])
    if different:
        yield f"not as committed: {', '.join(different)}: commit or put back what was changed"
    if written := list(written_since(root, started() + STARTING)):
        yield f"written while the gate ran: {', '.join(written)}: run it again, and leave the checkout alone"
    yield from _settings(config)
    here = root.resolve()
    name = profile.relative_to(here).as_posix() if profile.is_relative_to(here) else ""
    if name not in now.commit.blobs and not any(each.startswith(f"{name} (") for each in different):
        yield f"the profile {profile} is not in the commit: {_to_commit(here, profile)}"
    yield from _not_committed(here, now.commit, target)
    own = told(config, now.commit)
    yield from _other_workers(own, workers)
    found = [*own["strangers"], *(name for each in workers.told for name in each["strangers"])]
    if found:
        names = ", ".join(dict.fromkeys(found))
        yield f"loaded and of no known origin: {names}: make install makes a clean environment"
    if not getattr(sys.modules["__main__"], "__file__", None):
        yield "pytest was started by a program without a file: call pytest, or noxgate gate"


def _settings(config: pytest.Config) -> Iterator[str]:
    """Where pytest has other settings than those of the commit."""
    root, option = config.rootpath, config.option
    if config.inipath != root / SETTINGS:
        yield f"pytest took its settings from {config.inipath}, not from {root / SETTINGS}: take it away"
    given = [f"-o {one}" for one in option.override_ini or ()]
    given += [f"-W {one}" for one in option.pythonwarnings or ()]
    given += ["--noconftest"] if option.noconftest else []
    # at a prompt, and in a .pdbrc, anybody says anything to the process that judges
    given += [name for name, on in (("--pdb", option.usepdb), ("--trace", option.trace)) if on]
    # a worker of another environment, program or machine looks at something else
    given += [f"--tx={one}" for one in getattr(option, "tx", ()) if one.rpartition("*")[2] != "popen"]
    if option.confcutdir and Path(option.confcutdir).resolve() != root.resolve():
        given.append(f"--confcutdir={option.confcutdir}")
    if given:
        yield f"pytest was told otherwise than {SETTINGS} says: {', '.join(given)}: run without"


def told(config: pytest.Config, commit: Commit) -> dict[str, Any]:
    """What a process says of itself."""
    root = config.rootpath
    plugins = [*(config.option.plugins or ()), *os.environ.get("PYTEST_PLUGINS", "").split(",")]
    begun = started() + STARTING

    @cache
    def rewritten(file: Path) -> CodeType:
        """What pytest makes of a source: once for what is compared twice."""
        return _rewrite_test(file, config)[1]

    return {
        "root": os.path.realpath(root),
        "commit": commit.id,
        "python": sys.executable,
        "strangers": [
            *strangers(root, commit, begun=begun, asked=filter(None, plugins)),
            *_rewritten_otherwise(rewritten),
            *_in_memory_otherwise(root, commit, rewritten),
        ],
    }


def _rewritten_otherwise(rewritten: Callable[[Path], CodeType]) -> Iterator[str]:
    """Checks and plugins whose compiled file is not what pytest makes of their source."""
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or not isinstance(spec.loader, AssertionRewritingHook) or not spec.origin:
            continue
        source = Path(spec.origin)
        compiled = get_cache_dir(source) / f"{source.stem}{PYC_TAIL}"
        code = of_source(compiled, source)
        if code is not None and code != rewritten(source):
            yield f"{name} ({compiled}: {NOT_OF_SOURCE})"


def _in_memory_otherwise(root: Path, commit: Commit, rewritten: Callable[[Path], CodeType]) -> Iterator[str]:
    """What was loaded from files of the project while they, or the folder around them, were others."""
    for file, codes in sorted(functions(root, commit.blobs).items()):
        plain = of_file(file)
        if plain is None:
            continue  # it is gone, which is said
        left = list(foreign(codes, [plain]))
        left = list(foreign(left, [rewritten(file)])) if left else []
        for code in left[:1]:
            yield f"{code.co_qualname} ({file}: is in memory otherwise than it stands there: run it again)"


def _other_workers(own: Mapping[str, Any], workers: Workers) -> Iterator[str]:
    """Workers that judge elsewhere, or by another Python."""
    for each in workers.told:
        for what in ("root", "commit", "python"):
            if each[what] != own[what]:
                yield f"a worker of xdist has another {what}: {each[what]}, not {own[what]}: use plain -n"
    if workers.silent:
        yield f"workers of xdist said nothing of what they loaded: {', '.join(workers.silent)}"


def header() -> list[str]:
    """What of the environment is not passed on to git."""
    names = dropped()
    return [f"not passed on to git: {', '.join(names)}"] if names else []


def started() -> float:
    """When this process began, in seconds since 1970."""
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return _STARTED
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


class OfWorker:
    """Registered in an xdist worker of a real target: it tells the controller what it is."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        root = self._config.rootpath
        try:
            said = told(self._config, head(root))
        except CommitError as error:
            said = {"root": str(root), "commit": str(error), "python": sys.executable, "strangers": []}
        self._config.workeroutput[FROM_WORKERS] = said  # type: ignore[attr-defined]
