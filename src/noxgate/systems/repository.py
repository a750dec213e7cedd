"""The release's git repository: what is checked out, what its remote has, and what only the checkout has."""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, few, shortened
from noxgate.look.samples import Samples

_FILES = ("100644 blob ", "100755 blob ")
_SAMPLE = re.compile(r"\.env|example|sample|dist\b|template|compose|default|values|config|settings|README")
_MOST_OF_ONE, _MOST_OF_SAMPLES = 512 * 1024, 64 * 1024 * 1024
LOCAL, REMOTE = 30.0, 20.0  # seconds that one look may take
UNSHALLOW = "git fetch --unshallow"
# Looking must not run what the repository's own configuration names, nor write the index anew.
_QUIETLY = (
    *("--no-pager", "--no-optional-locks"),
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"),
    # nor may that say how closely git looks
    *("-c", "core.trustctime=true", "-c", "core.checkStat=default", "-c", "core.untrackedCache=false"),
)
# What a remote may need; everything of git's own is left out: GIT_DIR and its like would lead elsewhere.
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|XDG_CONFIG_HOME|SSH_AUTH_SOCK|SSL_CERT_\w+|(?i:(https?|all|no)_proxy)"
)


@dataclass(frozen=True)
class Tree:
    """What lies in the working tree: `changes` as `git status --porcelain` writes them.

    `hidden` are files that git was told not to look at (assume-unchanged, skip-worktree): they may differ
    from the commit and status says nothing.
    """

    tracked: int
    changes: tuple[str, ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class Tag:
    """A tag: of the type `tag` where it is annotated, else of that of what it points at."""

    type: str
    object: str
    commit: str
    message: str


class Repository:
    """Looks at one checkout, and asks its remote `origin`. Nothing is fetched."""

    def __init__(self, folder: Path, observe: Observe) -> None:
        self._folder = folder
        self._observe = observe

    def branch(self) -> str | None:
        """The branch that is checked out; None if HEAD is detached, as on a tag."""
        name = self._git("symbolic-ref", "--quiet", "HEAD", absent=1)
        branch = None if name is None else name.strip().removeprefix("refs/heads/")
        self._saw(f"on branch {branch}" if branch else "on no branch", "symbolic-ref HEAD")
        return branch

    def head(self) -> str | None:
        """The commit that is checked out; None before the first one."""
        commit = self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}", absent=1)
        self._saw(f"HEAD is {commit.strip() if commit else 'no commit'}", "rev-parse HEAD")
        return commit.strip() if commit else None

    def remote_head(self, branch: str = "main") -> str | None:
        """The commit that `origin` has on this branch, None without it: the remote itself is asked."""
        wanted = f"refs/heads/{branch}"
        lines = (self._git("ls-remote", "origin", wanted, within=REMOTE) or "").splitlines()
        found = {name: commit for commit, _, name in (line.partition("\t") for line in lines)}
        commit = found.get(wanted)  # the pattern also fits other/refs/heads/main
        if commit is None:
            self._saw(f"origin has no branch {branch}", f"ls-remote origin {wanted}")
        else:
            where = (self._git("remote", "get-url", "origin", absent=2) or "").strip()
            seen = f"origin/{branch} is {commit}{self._distance(commit)}, at {_without_secrets(where)}"
            self._saw(seen, f"ls-remote origin {wanted}")
        return commit

    def tree(self, *used: Path) -> Tree:
        """Changed, staged and untracked files, and those that git was told not to look at.

        What a sparse checkout leaves out is not there, and hides nothing, but below the paths that are used.
        """
        status = self._git("status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none")
        files = self._git("ls-files", "-v", "-z")
        changes = tuple(few(_entries(status or "")))
        entries = [entry for entry in (files or "").split("\0") if entry]
        named = [(entry[0], entry[2:]) for entry in entries if entry[0] in "Ss" or entry[0].islower()]
        left_out = set(self._left_out([name for flag, name in named if flag == "S"], used))
        hidden = tuple(few([name for _, name in named if name not in left_out]))
        seen = f"{len(entries)} tracked files; changes: {', '.join(changes) or 'none'}"
        if left_out:
            seen += f"; a sparse checkout without {len(left_out)} of them"
        if hidden:
            seen += f"; not looked at by git: {', '.join(hidden)}"
        self._saw(seen, "status --porcelain --untracked-files=all")
        return Tree(len(entries), changes, hidden)

    def _left_out(self, names: list[str], used: Sequence[Path]) -> list[str]:
        if (
            not names
            or (self._git("config", "--bool", "core.sparseCheckout", absent=1) or "").strip() != "true"
        ):
            return []
        there = [name for name in names if os.path.lexists(self._folder / name)]
        inside = [name for name in names if any((self._folder / name).is_relative_to(each) for each in used)]
        return sorted({*names} - {*there, *inside})

    def strays(self, *paths: Path) -> list[str]:
        """What lies at these paths below the checkout and is in no commit, also where it is to be ignored."""
        names = [str(path.relative_to(self._folder)) for path in paths if path.is_relative_to(self._folder)]
        words = ("ls-files", "--others", "-z", "--", *names)
        found = few(_entries(self._git(*words) or "")) if names else []
        seen = f"in no commit: {', '.join(found) or 'nothing'}, of {', '.join(names) or 'no path'}"
        self._saw(seen, shlex.join(word for word in words if word != "-z"))
        return found

    def file(self, path: str) -> str | None:
        """The content of a file as HEAD has it; None if HEAD lacks it. A folder or a link does not count."""
        listed = self._git("ls-tree", "-z", "--full-tree", "HEAD", "--", path) or ""
        about, _, name = listed.removesuffix("\0").partition("\t")
        is_file = about.startswith(_FILES) and name == str(PurePosixPath(path))
        content = self._git("show", "--no-textconv", f"HEAD:{name}") if is_file else None
        seen = f"{len(content)} characters" if content is not None else "no file" if listed else "not in HEAD"
        self._saw(f"{path}: {seen}", f"show {shlex.quote(f'HEAD:{path}')}")
        return content

    def samples(self) -> Samples:
        """The tracked files as they lie in the checkout; without large ones, and those that are not text."""
        names = [name for name in (self._git("ls-files", "-z") or "").split("\0") if name]
        texts, left = {}, _MOST_OF_SAMPLES
        for name in sorted(names, key=lambda each: (_SAMPLE.search(each) is None, each)):
            path = self._folder / name
            with suppress(OSError):
                if path.is_symlink() or not path.is_file() or path.stat().st_size > min(left, _MOST_OF_ONE):
                    continue
                content = path.read_bytes()
                if b"\0" not in content:
                    texts[name] = content
                    left -= len(content)
        self._saw(f"{len(texts)} of {len(names)} tracked files are texts that may hold samples", "ls-files")
        return Samples(texts)

    def tag(self, name: str) -> Tag | None:
        """The checkout's tag of that name, without its signature; None if it does not exist."""
        fields = "%(refname)%00%(objecttype)%00%(objectname)%00%(contents:subject)%00%(contents:body)"
        ref = f"refs/tags/{name}"
        found = self._git("for-each-ref", f"--format={fields}", ref) or ""
        commit = self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", absent=1)
        show = f"for-each-ref --format='%(objecttype) %(objectname) %(contents)' {ref}"
        if commit is None or found.partition("\0")[0] != ref:  # the pattern also fits tags below that name
            self._saw(f"the checkout has no tag {name} of a commit", show)
            if self._is_shallow() and self.remote_tag(name) is not None:
                raise self._too_shallow(f"origin has {name}", f"{UNSHALLOW} --tags", show)
            return None
        _, kind, object_, subject, body = found.removesuffix("\n").split("\0")
        message = f"{subject}\n\n{body}".strip()
        self._saw(f"{name} is a {kind}, {object_}, of {commit.strip()}: {message}", show)
        return Tag(kind, object_, commit.strip(), message)

    def remote_tag(self, name: str) -> str | None:
        """The object that `origin` has under this tag, None without it: the remote itself is asked."""
        wanted = f"refs/tags/{name}"
        lines = (self._git("ls-remote", "origin", wanted, within=REMOTE) or "").splitlines()
        found = {ref: object_ for object_, _, ref in (line.partition("\t") for line in lines)}
        seen = f"origin has {name} as {found[wanted]}" if wanted in found else f"origin has no tag {name}"
        self._saw(seen, f"ls-remote origin {wanted}")
        return found.get(wanted)

    def has(self, commit: str, of: str) -> bool:
        """Whether the commit `of` is this one, or came after it; it has to be in the checkout.

        Raises UnreachableError if the checkout is shallow, and the way between them may be in what it lacks.
        """
        found = self._leads(commit, of)
        command = f"merge-base --is-ancestor {commit} {of}"
        if not found and not self._leads(of, commit) and any(self._leads(end, of) for end in self._ends()):
            raise self._too_shallow(f"{of} may come after {commit} all the same", UNSHALLOW, command)
        self._saw(f"{commit} is {'' if found else 'not '}in {of}", command)
        return found

    def _leads(self, commit: str, of: str) -> bool:
        return self._git("merge-base", "--is-ancestor", commit, of, absent=1) is not None

    def _is_shallow(self) -> bool:
        return (self._git("rev-parse", "--is-shallow-repository") or "").strip() == "true"

    def _ends(self) -> list[str]:
        """The commits whose parents are elsewhere; empty if the history is whole."""
        if not self._is_shallow():
            return []
        path = self._folder / (self._git("rev-parse", "--git-path", "shallow") or "").removesuffix("\n")
        try:
            return path.read_text("ascii").split()
        except (OSError, ValueError) as error:
            raise UnreachableError(f"git in {self._folder}: {path.name} cannot be read: {error}") from None

    def _too_shallow(self, may_be: str, mend: str, command: str) -> UnreachableError:
        words = f"{self._folder} is a shallow checkout, and {may_be}: {mend}"
        self._saw(f"could not look: {words}", command)
        return UnreachableError(words)

    def _distance(self, commit: str) -> str:
        """How far HEAD is from a commit, if that is here at all."""
        words = self._git("rev-list", "--left-right", "--count", f"HEAD...{commit}", absent=128)
        if words is None:
            return " (not here: fetch it)"
        ahead, behind = words.split()
        if ahead == behind == "0":
            return ""
        if self._is_shallow():
            return " (not HEAD; how far, a shallow checkout cannot count)"
        return f" (HEAD is {ahead} ahead, {behind} behind)"

    def _git(self, *arguments: str, within: float = LOCAL, absent: int | None = None) -> str | None:
        """What git prints; None if it ends with the status `absent`, which says that it is missing."""
        try:
            status, out, err = self._run(arguments, within)
        except subprocess.TimeoutExpired:
            reason = f"no answer in {within:g} s"
        except FileNotFoundError:
            reason = "git is not installed" if self._folder.is_dir() else "no such folder"
        except OSError as error:
            reason = str(error.strerror)
        except ValueError:  # half a character, or one that ends a text in C
            reason = "no name that a file can have"
        else:
            if status == 0:
                return out
            if status == absent:
                return None
            reason = _reason(err) or f"exit status {status}"
        words = f"git {arguments[0]} in {self._folder}: {reason}"
        self._saw(f"could not look: {words}", shlex.join(arguments))
        raise UnreachableError(words)

    def _run(self, arguments: tuple[str, ...], within: float) -> tuple[int, str, str]:
        process = subprocess.Popen(
            ["git", *_QUIETLY, *arguments],
            cwd=self._folder,
            env=_environment(self._folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no terminal: ssh cannot ask for a password either
            encoding="utf-8",
            errors="surrogateescape",
        )
        try:
            out, err = process.communicate(timeout=within)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # its ssh, too
            process.communicate()
            raise
        return process.returncode, out, err

    def _saw(self, seen: str, command: str) -> None:
        self._observe(Observation(shortened(seen), f"git -C {shlex.quote(str(self._folder))} {command}"))


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    return kept | {
        "LC_ALL": "C.UTF-8",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_WORK_TREE": str(folder.resolve()),  # in place of core.worktree
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        # the folder itself must be the checkout: one around it is another
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
    }


def _entries(status: str) -> list[str]:
    """Each entry of `status -z`; the second name of a renamed file follows as an entry of its own."""
    found: list[str] = []
    entries = iter(status.split("\0"))
    for entry in entries:
        if entry:
            renamed = {"R", "C"} & set(entry[:2])
            found.append(f"{entry} (from {next(entries, '')})" if renamed else entry)
    return ["".join(one if one.isprintable() else ascii(one)[1:-1] for one in entry) for entry in found]


def _reason(err: str) -> str:
    """Git's own words, without what may be a password or a token in a remote's address."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    fatal = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else ""
    )
    return shortened(_without_secrets(fatal))


def _without_secrets(text: str) -> str:
    text = re.sub(r"(\w+://).*@", r"\1***@", text)  # a password may hold anything, up to the last @
    return re.sub(r"(://[^\s?#]*)[?#][^\s'\"]*", r"\1?***", text)
