"""The release's git repository: what is checked out, what its remote has, and what only the checkout has."""

import os
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe, few
from noxgate.look.samples import Samples
from noxgate.systems.repository.git import REMOTE, Git, without_secrets
from noxgate.systems.repository.working_tree import Entry, changed, entries, kept_elsewhere, shown

_FILES = ("100644 blob ", "100755 blob ")
_SAMPLE = re.compile(r"\.env|example|sample|dist\b|template|compose|default|values|config|settings|README")
_MOST_OF_ONE, _MOST_OF_SAMPLES = 512 * 1024, 64 * 1024 * 1024
SHOWN = 20  # files of a kind
UNSHALLOW = "git fetch --unshallow"


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
        git = Git(folder, observe)
        self._git, self._saw = git.read, git.saw

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
            seen = f"origin/{branch} is {commit}{self._distance(commit)}, at {without_secrets(where)}"
            self._saw(seen, f"ls-remote origin {wanted}")
        return commit

    def tree(self, *used: Path) -> Tree:
        """Changed, staged and untracked files, and those that git was told not to look at.

        What a sparse checkout leaves out is not there, and hides nothing, but below the paths that are used.
        """
        status = self._git("status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=none")
        files = self._git("ls-files", "-v", "-z")
        changes = tuple(
            few([str(entry) for entry in self._changed(status or "")], SHOWN, "git status names them")
        )
        entries = [entry for entry in (files or "").split("\0") if entry]
        named = [(entry[0], entry[2:]) for entry in entries if entry[0] in "Ss" or entry[0].islower()]
        left_out = set(self._left_out([name for flag, name in named if flag == "S"], used))
        hidden = tuple(
            few([name for _, name in named if name not in left_out], SHOWN, "git ls-files -v names them")
        )
        seen = f"{len(entries)} tracked files; changes: {', '.join(changes) or 'none'}"
        if left_out:
            seen += f"; a sparse checkout without {len(left_out)} of them"
        if hidden:
            seen += f"; not looked at by git: {', '.join(hidden)}"
        self._saw(seen, "status --porcelain --untracked-files=all")
        return Tree(len(entries), changes, hidden)

    def _changed(self, status: str) -> list[Entry]:
        """What git found, but for what Git LFS keeps elsewhere and is as it has it."""
        seeming = {entry.name for entry in entries(status) if entry.there == "M"}
        index = self._git("ls-files", "--stage", "-z") if seeming else ""
        return list(changed(status, set(kept_elsewhere(self._folder, seeming, index or ""))))

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
        there = [shown(name) for name in (self._git(*words) or "").split("\0") if name] if names else []
        found = few(there, SHOWN, "git ls-files --others names them")
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
