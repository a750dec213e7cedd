"""The repository client, with real git: in sync, ahead, behind, dirty, and where it cannot look."""

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests_self.building.checkouts import Checkout

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.systems.repository import repository
from noxgate.systems.repository.working_tree import changed


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


# ---------------------------------------------------------------- branch and remote


def test_in_sync(checkout: Checkout) -> None:
    """What it says, and the commands to see it again."""
    client = checkout.client()

    assert client.branch() == "main"
    assert client.head() == client.remote_head() == checkout.git("rev-parse", "HEAD")
    assert "ahead" not in checkout.seen()
    assert [observation.repeat.partition(" -C ")[0] for observation in checkout.observed] == ["git"] * 3
    assert checkout.observed[2].repeat.endswith("ls-remote origin refs/heads/main")


def test_one_commit_ahead(checkout: Checkout) -> None:
    checkout.commit("README", "8.0.1\n")
    client = checkout.client()

    assert client.head() != client.remote_head()
    assert "(HEAD is 1 ahead, 0 behind)" in checkout.seen()


def test_remote_is_asked_not_remembered(checkout: Checkout, tmp_path: Path) -> None:
    """Somebody else has pushed; origin/main here still says what it was."""
    other = tmp_path / "other"
    checkout.git("clone", "--quiet", str(checkout.remote), str(other))
    (other / "README").write_text("8.0.1\n")
    checkout.git("commit", "--quiet", "-am", "theirs", folder=other)
    checkout.git("push", "--quiet", folder=other)
    client = checkout.client()

    assert checkout.git("rev-parse", "HEAD") == checkout.git("rev-parse", "origin/main")
    assert client.remote_head() == checkout.git("rev-parse", "HEAD", folder=other)
    assert client.head() != client.remote_head()
    assert "(not here: fetch it)" in checkout.seen()


def test_branches_that_are_not_main(checkout: Checkout) -> None:
    """A detached HEAD, as on a tag, and a branch whose name ends in the same way."""
    checkout.git("checkout", "--quiet", "--detach")
    assert checkout.client().branch() is None

    checkout.git("checkout", "--quiet", "-b", "hotfix/main")
    assert checkout.client().branch() == "hotfix/main"


def test_remote_without_main(checkout: Checkout) -> None:
    """Another branch of a like name is not it: that is seen, and wrong."""
    checkout.git("push", "--quiet", "origin", "main:refs/heads/x/refs/heads/main")
    checkout.git("update-ref", "-d", "refs/heads/main", folder=checkout.remote)

    assert checkout.client().remote_head() is None
    assert "origin has no branch main" in checkout.seen()


def test_no_commit_yet(tmp_path: Path, checkout: Checkout) -> None:
    checkout.git("init", "--quiet", "--initial-branch=main", str(tmp_path / "empty"))
    client = checkout.client(tmp_path / "empty")

    assert client.branch() == "main"
    assert client.head() is None


# ---------------------------------------------------------------- the tree


def test_clean_tree(checkout: Checkout) -> None:
    """What .gitignore names does not count as a change: that is what the repository says itself."""
    checkout.commit(".gitignore", "*.log\n")
    (checkout.folder / "day.log").write_text("x")

    tree = checkout.client().tree()

    assert (tree.tracked, tree.changes, tree.hidden) == (2, (), ())
    assert "2 tracked files; changes: none" in checkout.seen()


def make_untracked(checkout: Checkout) -> None:
    (checkout.folder / "new folder").mkdir()
    (checkout.folder / "new folder" / "notes.txt").write_text("x")


def make_untracked_unshown(checkout: Checkout) -> None:
    checkout.git("config", "status.showUntrackedFiles", "no")
    make_untracked(checkout)


def make_changed(checkout: Checkout) -> None:
    (checkout.folder / "README").write_text("8.0.0-rc1\n")


def make_staged(checkout: Checkout) -> None:
    make_changed(checkout)
    checkout.git("add", "README")
    (checkout.folder / "README").write_text("8.0.0\n")


def make_renamed(checkout: Checkout) -> None:
    checkout.git("mv", "README", "READ")


def make_mode(checkout: Checkout) -> None:
    (checkout.folder / "README").chmod(0o755)


def make_odd_name(checkout: Checkout) -> None:
    (checkout.folder / "line\nbreak").write_text("x")


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (make_untracked, ("?? new folder/notes.txt",)),
        (make_untracked_unshown, ("?? new folder/notes.txt",)),
        (make_changed, (" M README",)),
        (make_staged, ("MM README",)),
        (make_renamed, ("R  READ (from README)",)),
        (make_mode, (" M README",)),
        (make_odd_name, (r"?? line\nbreak",)),
    ],
)
def test_changes(checkout: Checkout, make: Callable[[Checkout], None], changes: tuple[str, ...]) -> None:
    make(checkout)

    assert checkout.client().tree().changes == changes


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_not_to_look_at(checkout: Checkout, flag: str) -> None:
    """Status says that all is well."""
    checkout.git("update-index", flag, "README")
    make_changed(checkout)

    tree = checkout.client().tree()

    assert (tree.changes, tree.hidden) == ((), ("README",))
    assert "not looked at by git: README" in checkout.seen()


def test_sparse_checkout(checkout: Checkout) -> None:
    """What it leaves out is not there; what is used tonight may not be left out, nor changed and hidden."""
    for folder in ("k8s", "docs"):
        (checkout.folder / folder).mkdir()
        checkout.commit(f"{folder}/one.yaml", "kind: A\n")
    checkout.git("sparse-checkout", "set", "k8s")
    client = checkout.client()

    assert not (checkout.folder / "docs").exists()
    assert client.tree(checkout.folder / "k8s") == client.tree()
    assert (client.tree().changes, client.tree().hidden) == ((), ())
    assert "a sparse checkout without 1 of them" in checkout.seen()
    assert client.tree(checkout.folder / "docs").hidden == ("docs/one.yaml",)

    checkout.git("update-index", "--assume-unchanged", "k8s/one.yaml")
    assert client.tree().hidden == ("k8s/one.yaml",)
    checkout.git("update-index", "--no-assume-unchanged", "k8s/one.yaml")
    checkout.git("config", "--worktree", "core.sparseCheckout", "false")
    assert client.tree().hidden == ("docs/one.yaml",)


def test_how_closely_git_looks_is_not_the_repositorys_word(checkout: Checkout) -> None:
    """Another working tree that is clean, or a change that only the time of the change gives away."""
    copy = checkout.folder.parent / "copy"
    shutil.copytree(checkout.folder, copy)
    make_changed(checkout)
    checkout.git("config", "core.worktree", str(copy))

    assert checkout.client().tree().changes == (" M README",)

    checkout.git("config", "--unset", "core.worktree")
    checkout.git("checkout", "--", "README")
    checkout.git("config", "core.trustctime", "false")
    checkout.git("config", "core.checkStat", "minimal")
    file = checkout.folder / "README"
    os.utime(file, (10**9, 10**9))  # else git looks into it because it is as young as the index
    checkout.git("update-index", "--refresh")
    before = file.stat()

    def a_second_later() -> None:  # git may be built to look at whole seconds
        assert int(time.time()) > int(before.st_ctime)

    eventually(a_second_later, within=30)
    file.write_text("8.0.1\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert checkout.client().tree().changes == (" M README",)


@pytest.mark.parametrize("where", [".git/info/exclude", "k8s/.gitignore", ".gitignore"])
def test_strays(checkout: Checkout, where: str) -> None:
    """What is ignored is applied all the same."""
    checkout.commit("k8s/service.yaml", "kind: Service\n")
    (checkout.folder / "k8s" / "canary.yaml").write_text("kind: Service\n")
    (checkout.folder / where).parent.mkdir(exist_ok=True)
    (checkout.folder / where).write_text("*\n")
    client = checkout.client()

    assert client.tree().changes == ()
    found = client.strays(checkout.folder / "k8s", checkout.folder / "not-there", Path("/outside"))
    assert found == (["k8s/.gitignore"] if where.startswith("k8s") else []) + ["k8s/canary.yaml"]
    assert "in no commit: " in checkout.seen()
    assert "canary.yaml, of k8s, not-there" in checkout.seen()
    assert client.strays(checkout.folder / "k8s" / "service.yaml") == []
    assert client.strays(Path("/outside")) == []


def test_what_is_no_file_of_head(checkout: Checkout) -> None:
    """A folder has a listing, a link has a text: neither is the file that it should be."""
    checkout.commit("docs/CHECKLIST.md", "- [ ] all\n")
    (checkout.folder / "CHECKLIST.md").symlink_to("/nowhere")
    checkout.git("add", "CHECKLIST.md")
    checkout.git("commit", "--quiet", "-m", "a link")
    client = checkout.client()

    assert [client.file(path) for path in ("docs", "docs/", ".", "CHECKLIST.md")] == [None] * 4
    assert client.file("./docs/CHECKLIST.md") == "- [ ] all\n"
    for path in ("", "../README", "/etc/passwd", "a\0b", "a\ud800"):
        with pytest.raises(UnreachableError):
            client.file(path)


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hunter2hunter2@127.0.0.1:1/nox.git",
        "https://hunter2hunter2@127.0.0.1:1/nox.git",
        "https://ada:hunter2/hunter2@127.0.0.1:1/nox.git",
        "https://ada:hunter2'/\"hunter2@127.0.0.1:1/nox.git",
        "https://127.0.0.1:1/nox.git?private_token=hunter2hunter2",
        "https://127.0.0.1:1/nox.git#hunter2hunter2",
        "ssh://ada:hunter2hunter2@127.0.0.1:1/nox.git",
        "foo://ada:hunter2hunter2@127.0.0.1:1/nox.git",
    ],
)
def test_secrets_in_the_remotes_address(checkout: Checkout, url: str) -> None:
    """Git says again what it was told."""
    checkout.git("remote", "set-url", "origin", url)

    with pytest.raises(UnreachableError) as raised:
        checkout.client().remote_head()

    assert "hunter2" not in str(raised.value) + checkout.seen()


def test_many_changes(checkout: Checkout) -> None:
    """A folder that should have been ignored does not fill the report."""
    for number in range(30):
        (checkout.folder / f"{number:02}.js").write_text("x")

    changes = checkout.client().tree().changes
    assert changes[18:] == ("?? 18.js", "?? 19.js", "… and 10 more: git status names them")


def test_file_of_head(checkout: Checkout) -> None:
    """As it was committed, not as it lies there."""
    make_changed(checkout)
    make_untracked(checkout)
    client = checkout.client()

    assert client.file("README") == "8.0.0\n"
    assert client.file("new folder/notes.txt") is None


# ---------------------------------------------------------------- only looking


def test_nothing_of_the_repository_is_run_or_written(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a hook, nor a monitor, nor a pager; and the caller's own GIT_DIR leads nowhere."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.editor", "core.askPass"):
        checkout.git("config", key, str(trap))
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        (checkout.folder / ".git" / "hooks" / hook).symlink_to(trap)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    (checkout.folder / "README").write_text("8.0.0\n")  # the same bytes later: status would refresh the index
    index = (checkout.folder / ".git" / "index").stat()
    client = checkout.client()

    assert client.branch() == "main"
    assert client.head() == client.remote_head()
    assert client.tree().changes == ()
    assert client.file("README") == "8.0.0\n"
    assert (checkout.folder / ".git" / "index").stat().st_mtime_ns == index.st_mtime_ns
    assert not (tmp_path / "sprung").exists()


# ---------------------------------------------------------------- Git LFS


def kept_elsewhere(checkout: Checkout, name: str, content: bytes) -> Path:
    """A file as Git LFS has it: the commit has its digest, and a program that must not be run compares."""
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    checkout.commit(name, pointer)
    checkout.commit(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    for kind in ("clean", "smudge", "process"):
        checkout.git("config", f"filter.lfs.{kind}", f"touch {checkout.folder.parent}/sprung; cat")
    checkout.git("config", "filter.lfs.required", "true")
    path = checkout.folder / name
    path.write_bytes(content)
    return path


def test_a_file_that_git_keeps_elsewhere(checkout: Checkout) -> None:
    """Healthy and odd: only its digest is in the commit. No program is run to see that it is this one."""
    kept_elsewhere(checkout, "k8s/a b\n.bin", b"large\0")

    assert checkout.client().tree().changes == ()
    assert not (checkout.folder.parent / "sprung").exists()


@pytest.mark.parametrize("content", [b"Large\0", b"large\0 and more", b"", None])
def test_a_file_kept_elsewhere_that_was_changed(checkout: Checkout, content: bytes | None) -> None:
    """Its digest tells, and no program."""
    path = kept_elsewhere(checkout, "one.bin", b"large\0")
    if content is None:
        path.chmod(0o755)
    else:
        path.write_bytes(content)

    assert checkout.client().tree().changes == (" M one.bin",)
    assert not (checkout.folder.parent / "sprung").exists()


def test_what_is_staged_of_it_is_a_change() -> None:
    """The name before a change of names is not an entry, though it may look like one."""
    status = "MM one.bin\0 M one.bin.txt\0R  new\0 M one.bin\0RM one.bin\0old\0"

    assert [str(entry) for entry in changed(status, {"one.bin"})] == [
        "M  one.bin",
        " M one.bin.txt",
        "R  new (from  M one.bin)",
        "R  one.bin (from old)",
    ]


def test_another_filter_is_run(checkout: Checkout) -> None:
    """Healthy and odd: of what git-crypt keeps, its program alone tells whether it is as committed."""
    checkout.git("config", "filter.rot.clean", "tr a-z n-za-m")
    checkout.commit(".gitattributes", "*.secret filter=rot\n")
    checkout.commit("one.secret", "kept\n")
    os.utime(checkout.folder / "one.secret", (10**9, 10**9))

    assert checkout.git("show", "HEAD:one.secret") == "xrcg"
    assert checkout.client().tree().changes == ()


# ---------------------------------------------------------------- could not look


def remote_is_gone(checkout: Checkout) -> None:
    checkout.git("remote", "set-url", "origin", "/nonexistent/remote.git")


def no_remote(checkout: Checkout) -> None:
    checkout.git("remote", "remove", "origin")


def remote_with_password(checkout: Checkout) -> None:
    checkout.git("remote", "set-url", "origin", "https://someone:token-in-url@127.0.0.1:9/remote.git")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (remote_is_gone, "'/nonexistent/remote.git' does not appear to be a git repository"),
        (no_remote, "'origin' does not appear to be a git repository"),
        (remote_with_password, "unable to access"),
    ],
)
def test_remote_that_cannot_be_asked(
    checkout: Checkout, spoil: Callable[[Checkout], None], reason: str
) -> None:
    """Nothing is known then; one line, without the password of its address."""
    spoil(checkout)

    with pytest.raises(UnreachableError, match=reason) as caught:
        checkout.client().remote_head()

    assert "\n" not in str(caught.value)
    assert "token-in-url" not in str(caught.value) + checkout.seen()
    assert checkout.observed[0].seen == f"could not look: {caught.value}"


def test_silent_remote(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its program is ended, with what that has started."""
    monkeypatch.setattr(repository, "REMOTE", 2.0)  # within which its program has begun
    slow = tmp_path / "ssh"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 60\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    checkout.git("config", "core.sshCommand", str(slow))
    checkout.git("remote", "set-url", "origin", "ssh://git.nox.example/remote.git")
    started = time.monotonic()

    with pytest.raises(UnreachableError, match=r"git ls-remote in .*: no answer in 2 s"):
        checkout.client().remote_head()

    assert time.monotonic() - started < 30  # it sleeps for a minute
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/cwd").exists()


def test_folders_that_are_no_repository(checkout: Checkout, tmp_path: Path) -> None:
    """Also one inside another repository: that one is not meant."""
    (checkout.folder / "inside").mkdir()

    for folder in (checkout.folder / "inside", tmp_path):
        with pytest.raises(UnreachableError, match="not a git repository"):
            checkout.client(folder).head()
    with pytest.raises(UnreachableError, match="no such folder"):
        checkout.client(tmp_path / "nowhere").tree()


def test_no_git(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(UnreachableError, match="git is not installed"):
        checkout.client().head()
