"""The commit that a run is made of, and what decides here without being as that commit has it.

Git is asked for the commit's own blobs, and for nothing else: what lies here is hashed by us. So what git
was told to overlook is hashed, too, and variables of the environment cannot lead it elsewhere.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noxgate.errors import NoxgateError
from noxgate.look.documents import of_json
from noxgate.machine.blobs import blob_id, is_kept_elsewhere

MANIFEST = "noxgate-manifest.json"  # of a copy without git, such as a container image's
FOLDERS = (
    *("src", "load", "schema", "targets"),
    *("tests_preflight", "tests_staging", "tests_production"),
)
FILES = ("runbook.toml", "waivers.toml", "pyproject.toml", "conftest.py")
# What pytest would take for its settings, and what says which packages judge.
_AT_THE_ROOT = re.compile(r"\.?pytest\.(ini|toml)|tox\.ini|setup\.cfg|requirements[\w-]*\.lock|[\w.]+\.py")
_DECIDING = re.compile(r".*\.(py|pyc|so|pth|toml|ini|cfg|ya?ml|json|p?sql|pub|crt|pem|txt|css|html)")
_MAY_BE_PRIVATE = ".pem"  # a certificate that was committed decides; a key that was not does not

# What no run of a real target reads.
_OF_REHEARSALS = re.compile(r"targets/rehearsal[\w-]*\.toml|src/(nox_rehearsal|kube_standin)/.*")
_PASSED_ON = ("PATH", "HOME", "XDG_CONFIG_HOME", "SUDO_UID")  # to git
_SECONDS = 30


class CommitError(NoxgateError):
    """No commit can be named: what was expected, what was seen, what to do."""


@dataclass(frozen=True)
class Commit:
    """A commit, and the blob ids of what decides in it, by path."""

    id: str
    blobs: Mapping[str, str]

    @classmethod
    def of_document(cls, document: Any) -> "Commit":
        """As `document` wrote it. Raises KeyError, TypeError or AttributeError for another form."""
        return cls(str(document["commit"]), {str(name): str(id_) for name, id_ in document["blobs"].items()})

    def document(self) -> dict[str, Any]:
        """For a JSON file."""
        return {"commit": self.id, "blobs": dict(self.blobs)}

    def different(self, root: Path) -> Iterator[str]:
        """What decides in `root` and is not as it is here, each with what it is."""
        there = dict(_deciding(root))
        for name in sorted(self.blobs.keys() - there.keys()):
            yield f"{name} (is missing)"
        for name, path in sorted(there.items()):
            if name not in self.blobs:
                if not name.endswith(_MAY_BE_PRIVATE):
                    yield f"{name} (is not in the commit)"
            elif not self.has_content(name, path, root):
                yield f"{name} (was changed)"

    def has_content(self, name: str, path: Path, root: Path) -> bool:
        """Whether a file has its blob's content; the end of a link must be a file of the commit, too."""
        try:
            if path.is_symlink():
                end, here = path.resolve(), root.resolve()
                name_of_end = end.relative_to(here).as_posix() if end.is_relative_to(here) else ""
                if name_of_end not in self.blobs or not self.has_content(name_of_end, end, here):
                    return False
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        except OSError:
            return False
        blob = self.blobs[name]
        # a checkout may have the line ends of another system
        return blob in {blob_id(content, blob), blob_id(content.replace(b"\r\n", b"\n"), blob)}


def head(root: Path) -> Commit:
    """What is checked out in `root`, or what the manifest of a copy without git says; else CommitError."""
    return _read(root / MANIFEST) if _is_a_copy(root) else of(root, "HEAD")


def named(root: Path, name: str = "HEAD") -> str:
    """The id of a commit that the repository of `root` has. Raises CommitError if it does not have it."""
    if name == "HEAD" and _is_a_copy(root):
        return _read(root / MANIFEST).id
    return _git(root, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}").strip()


def of(root: Path, name: str) -> Commit:
    """A commit with what decides in it. Raises CommitError if the repository of `root` does not have it."""
    found = named(root, name)
    blobs = {}
    for entry in _git(root, "ls-tree", "-r", "-z", found).split("\0"):
        facts, _, path = entry.partition("\t")
        if path and decides(path):
            blobs[path] = facts.split()[2]
    return Commit(found, blobs)


def content(root: Path, commit: str, path: str) -> str:
    """A text file of a commit. Raises CommitError if it does not have the file."""
    return _git(root, "show", f"{commit}:./{path}")


def is_part_of(root: Path, commit: str, branch: str) -> bool:
    """Whether a branch has a commit, as the remote had it when it was fetched last; else as it is here."""
    for ref in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"):
        try:
            _git(root, "rev-parse", "--verify", "--quiet", ref)
        except CommitError:
            continue
        try:
            _git(root, "merge-base", "--is-ancestor", commit, ref)
        except CommitError:
            if _git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
                raise CommitError(
                    f"{root} is a shallow clone: git fetch --unshallow tells of {branch}"
                ) from None
            return False
        return True
    fetch = f"git fetch origin {branch}:refs/remotes/origin/{branch}"
    raise CommitError(f"no branch {branch!r} in {root}: {fetch}")


def write_manifest(root: Path) -> Path:
    """Write down the commit of a checkout, for a copy of it without git.

    Raises CommitError if it is not clean.
    """
    commit = of(root, "HEAD")
    if different := list(commit.different(root)):
        raise CommitError(f"not as committed: {', '.join(different)}: commit or put back what was changed")
    path = root / MANIFEST
    path.write_text(json.dumps(commit.document(), indent=1) + "\n", "utf-8")
    return path


def decides(path: str) -> bool:
    """Whether a file of the project takes part in a verdict."""
    top, _, below = path.partition("/")
    if not below:
        return path in FILES or _AT_THE_ROOT.fullmatch(path) is not None
    if top not in FOLDERS or any(part.startswith(".") for part in below.split("/")):
        return False  # what is hidden is an editor's, or a system's
    return _DECIDING.fullmatch(path) is not None and not _OF_REHEARSALS.fullmatch(path)


def dropped() -> list[str]:
    """The variables that are set for git, by a hook or on purpose, and that we do not pass on to it."""
    leading = re.compile(r"GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_|ALTERNATE_|NAMESPACE|CONFIG)")
    return sorted(name for name in os.environ if leading.match(name))


def different_below(root: Path, names: Iterable[str]) -> Iterator[str]:
    """What lies in these files and folders of a repository and is not as its commit has it; CommitError."""
    commit = named(root)
    entries = _git(root, "ls-tree", "-r", "-z", commit).split("\0")
    blobs = {
        path: facts.split()[2] for facts, _, path in (entry.partition("\t") for entry in entries) if path
    }
    known = Commit(commit, blobs)
    for name in dict.fromkeys(Path(name).as_posix() for name in names):
        within = re.compile(rf"{re.escape(name)}(/.*)?")
        there = [root / name, *(root / name).rglob("*")] if (root / name).exists() else []
        files = {path.relative_to(root).as_posix(): path for path in there if not path.is_dir()}
        for file in sorted(files.keys() | {path for path in blobs if within.fullmatch(path)}):
            if file not in files:
                yield f"{file} (is missing)"
            elif file not in blobs and not Path(file).name.startswith("."):
                yield f"{file} (is not in the commit)"
            elif file in blobs and not (
                known.has_content(file, files[file], root) or _is_kept_elsewhere(files[file], blobs[file])
            ):
                yield f"{file} (was changed)"


def _is_kept_elsewhere(path: Path, blob: str) -> bool:
    """Whether Git LFS has it; what cannot be read differs, in any case."""
    try:
        return not path.is_symlink() and is_kept_elsewhere(path, blob)
    except OSError:
        return False


def has(root: Path, commit: Commit, path: Path) -> bool:
    """Whether a commit has this file, under any name; of a copy without git, what its manifest says."""
    if not path.is_relative_to(root):
        return False
    name = path.relative_to(root).as_posix()
    if name in commit.blobs or _is_a_copy(root):
        return name in commit.blobs
    return not any(different_below(root, [name]))


def written_since(root: Path, moment: float) -> Iterator[str]:
    """What decides in `root` and was written after a moment: it may have been otherwise before."""
    for name, path in sorted(_deciding(root)):
        if path.lstat().st_ctime > moment:
            yield name
    for top in FOLDERS:  # another folder may have been in its place
        for folder in (path for path in (root / top, *(root / top).rglob("*/")) if _is_moved(path, moment)):
            yield f"{folder.relative_to(root).as_posix()}/ ({_what_moved(folder, moment)})"


def _is_moved(folder: Path, moment: float) -> bool:
    """Whether a folder itself was moved since, or what is in it but for what Python compiles."""
    if folder.name == "__pycache__" or not folder.is_dir() or folder.is_symlink():
        return False
    stat = folder.stat()
    if stat.st_ctime <= moment:
        return False
    compiled = folder / "__pycache__"
    is_made = compiled.is_dir() and all(path.stat().st_ctime > moment for path in compiled.iterdir())
    return not (is_made and stat.st_ctime_ns == stat.st_mtime_ns)


def _what_moved(folder: Path, moment: float) -> str:
    """What somebody would look for there; what is gone has no name any more."""
    new = [path.name for path in folder.iterdir() if path.lstat().st_ctime > moment]
    names = sorted(name for name in new if name != "__pycache__")
    return f"new in it: {', '.join(names)}" if names else "was moved, or something in it is gone"


def _deciding(root: Path) -> Iterator[tuple[str, Path]]:
    for path in root.iterdir():
        if decides(path.name) and not path.is_dir():
            yield path.name, path
    for top in FOLDERS:
        for folder, names, files in os.walk(root / top):
            names[:] = [name for name in names if name != "__pycache__"]
            links = [name for name in names if Path(folder, name).is_symlink()]
            for file in (*files, *links):
                path = Path(folder, file)
                name = path.relative_to(root).as_posix()
                if decides(name) or file in links:
                    yield name, path


def _read(path: Path) -> Commit:
    try:
        return Commit.of_document(of_json(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommitError(f"{path.name}: expected what `noxgate manifest` writes ({error})") from None


def _is_a_copy(root: Path) -> bool:
    """Whether it has a manifest in place of git; a .git further up may be anybody's."""
    return (root / MANIFEST).is_file() and not (root / ".git").exists()


def _git(root: Path, *arguments: str) -> str:
    kept = {name: value for name in _PASSED_ON if (value := os.environ.get(name))}
    # nothing that this repository alone believes may put a commit where it is not
    own = {"LC_ALL": "C.UTF-8", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
    options = ["--no-pager", "-c", "core.commitGraph=false", *_safe_directories()]
    try:
        done = subprocess.run(
            ["git", *options, *arguments],
            cwd=root,
            env=kept | own,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommitError(f"git cannot be asked: {error}") from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = lines[0] if lines else f"git {arguments[0]} ended with {done.returncode}"
        raise CommitError(f"{said} ({root})")
    return done.stdout.decode("utf-8", "surrogateescape")


def _safe_directories() -> Iterator[str]:
    """The one setting of the environment that git itself asks for: whose folders it may read."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() else 0):
        if os.environ.get(f"GIT_CONFIG_KEY_{number}", "").lower() == "safe.directory":
            yield from ("-c", f"safe.directory={os.environ.get(f'GIT_CONFIG_VALUE_{number}', '')}")
