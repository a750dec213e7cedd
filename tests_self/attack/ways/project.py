"""What decides is otherwise than the reviewed commit has it: checks, settings, engine, git itself."""

import json
import os
import shutil
from collections.abc import Callable

from tests_self.attack.attempt import Attempt, Way

from noxgate.machine.blobs import blob_id

CHECK = "tests_staging/test_health.py"
# A conftest or plugin that makes a failed check passed.
BLIND = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except AssertionError:
        return True
"""


def weaken(at: Attempt) -> None:
    at.edit(CHECK, "faults.health(answers) == []", "faults.health(answers) != 'degraded'")


def edited(at: Attempt) -> None:
    weaken(at)
    at.gate()


def overlooked(flag: str) -> Callable[[Attempt], None]:
    def play(at: Attempt) -> None:
        at.git("update-index", flag, CHECK)
        edited(at)

    return play


def put_back_after(at: Attempt) -> None:
    edited(at)
    at.git("checkout", "--", ".")


def put_back_meanwhile(at: Attempt) -> None:
    """The check itself puts the commit's text back when it is loaded."""
    path = at.file(CHECK)
    text = path.read_text()
    weaken(at)
    path.write_text(path.read_text() + f"\nimport pathlib\npathlib.Path(__file__).write_text({text!r})\n")
    at.gate()


def sparse(at: Attempt) -> None:
    """Git is told to leave the check's folder out of the checkout."""
    at.git("status")  # its index knows the copies
    at.git("sparse-checkout", "set", "--no-cone", "/*", "!/tests_staging/test_health.py")
    at.gate()


def without_git(at: Attempt) -> None:
    shutil.rmtree(at.file(".git"))
    edited(at)


def own_manifest(at: Attempt) -> None:
    """A copy of an edited checkout, whose manifest was made for another commit of its own."""
    weaken(at)
    at.git("commit", "-q", "-a", "-m", "x")
    at.noxgate("manifest")
    shutil.rmtree(at.file(".git"))
    at.gate()


def forged_manifest(at: Attempt) -> None:
    """It names the reviewed commit, and the blob of the edited check."""
    head = at.git("rev-parse", "HEAD").strip()
    own_manifest(at)
    path = at.file("noxgate-manifest.json")
    text = path.read_text()
    path.write_text(text.replace(text.split('"commit": "')[1].partition('"')[0], head))
    at.gate()


def image(at: Attempt) -> None:
    """What deploy/Dockerfile leaves: the reviewed commit, its manifest, and no git."""
    at.noxgate("manifest")
    shutil.rmtree(at.file(".git"))


def edited_in_the_image(at: Attempt) -> None:
    image(at)
    edited(at)


def blinded_in_the_image(at: Attempt) -> None:
    """A layer on top brings another conftest."""
    image(at)
    at.write("tests_staging/conftest.py", BLIND)
    at.gate()


def taken_out_of_the_manifest(at: Attempt) -> None:
    """It says nothing of the edited check any more."""
    image(at)
    weaken(at)
    path = at.file("noxgate-manifest.json")
    document = json.loads(path.read_text())
    del document["blobs"][CHECK]
    path.write_text(json.dumps(document))
    at.gate()


def written_into_the_manifest(at: Attempt) -> None:
    """It names the other conftest by its own blob."""
    image(at)
    path = at.write("tests_staging/conftest.py", BLIND)
    manifest = at.file("noxgate-manifest.json")
    document = json.loads(manifest.read_text())
    document["blobs"]["tests_staging/conftest.py"] = blob_id(path.read_bytes(), document["blobs"][CHECK])
    manifest.write_text(json.dumps(document))
    at.gate()


def mounted_over(at: Attempt) -> None:
    """A volume with another profile lies over the image's, as deploy/ mounts it."""
    image(at)
    at.edit("targets/staging.toml", f":{at.world.service.port}", f":{at.world.double.port}")
    at.gate()


def folder_mounted_over(at: Attempt) -> None:
    """A ConfigMap in place of a folder: its files are links."""
    image(at)
    folder = at.file("tests_staging")
    behind = at.beside / "..data"
    shutil.move(folder, behind)
    folder.mkdir()
    for path in behind.iterdir():
        (folder / path.name).symlink_to(path)
    text = (behind / "test_health.py").read_text()
    (behind / "test_health.py").write_text(text.replace("== []", "!= 'degraded'"))
    at.gate()


def other_repository(at: Attempt) -> None:
    """`.git` leads to another repository, whose HEAD has the edited check."""
    other = at.beside / "other"
    shutil.copytree(at.root, other, symlinks=True)
    weaken(at)
    shutil.copy(at.file(CHECK), other / CHECK)
    at.world.git(other, "commit", "-q", "-a", "-m", "x")
    shutil.rmtree(at.file(".git"))
    at.write(".git", f"gitdir: {other / '.git'}\n")
    at.gate()


def git_variables(at: Attempt) -> None:
    other = at.beside / "other"
    shutil.copytree(at.root, other, symlinks=True)
    at.env |= {"GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other)}
    edited(at)


def git_settings(at: Attempt) -> None:
    """The work tree is another folder, by variables that CI servers set."""
    other = at.beside / "other"
    shutil.copytree(at.root, other, symlinks=True)
    at.env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.worktree"}
    at.env["GIT_CONFIG_VALUE_0"] = str(other)
    at.git("config", "core.worktree", str(other))
    edited(at)


def other_git(at: Attempt) -> None:
    """A program named git that says of the edited check what the commit's has."""
    evil = at.git("hash-object", CHECK).strip()
    weaken(at)
    new = at.git("hash-object", CHECK).strip()
    real = shutil.which("git")
    program = at.beside / "git"
    program.write_text(f'#!/bin/sh\n{real} "$@" | sed s/{evil}/{new}/\n')
    program.chmod(0o755)
    at.env["PATH"] = f"{at.beside}:{at.env['PATH']}"
    at.gate()


def replaced(at: Attempt) -> None:
    """`git replace` gives the reviewed commit another tree."""
    head = at.git("rev-parse", "HEAD").strip()
    weaken(at)
    at.git("commit", "-q", "-a", "-m", "x")
    new = at.git("rev-parse", "HEAD").strip()
    at.git("replace", head, new)
    at.git("update-ref", "HEAD", head)
    at.gate()


def local_commit(at: Attempt) -> None:
    weaken(at)
    at.git("commit", "-q", "-a", "-m", "x")
    at.gate()


def local_branch(at: Attempt) -> None:
    """The commit is on what this clone says that the remote's branch is."""
    local_commit(at)
    at.git("update-ref", "refs/remotes/origin/main", "HEAD")


def pushed_elsewhere(at: Attempt) -> None:
    """It is in the remote's repository, on another branch."""
    weaken(at)
    at.git("commit", "-q", "-a", "-m", "x")
    at.gate()
    at.git("push", "-q", "origin", f"HEAD:refs/heads/x-{at.name}")


def older_commit(at: Attempt) -> None:
    """The reviewed branch had a weaker check for a while, and has its commit for ever."""
    pushed = at.beside / "pushed"
    at.world.git(at.beside, "clone", "-q", str(at.world.folder / "origin.git"), str(pushed))
    path = pushed / CHECK
    text = path.read_text()
    weaken(at)
    for content in (at.file(CHECK).read_text(), text):
        path.write_text(content)
        at.world.git(pushed, "commit", "-q", "-a", "-m", "x")
    at.world.git(pushed, "push", "-q", "origin", "main")
    at.git("checkout", "--", ".")
    at.git("pull", "-q", "origin", "main")
    at.git("reset", "-q", "--hard", "HEAD~1")
    at.gate()


def file(name: str, text: str) -> Callable[[Attempt], None]:
    """A file that is not in the commit, and that git ignores."""

    def play(at: Attempt) -> None:
        at.write(".git/info/exclude", "*\n")
        at.write(name, text)
        at.gate()

    return play


def above(at: Attempt) -> None:
    """Settings and a conftest in the folder above, which the run is told to start from."""
    folder = at.beside
    (folder / "conftest.py").write_text(BLIND)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p noxgate.plugin\n")
    at.gate(words=(f"--rootdir={folder}", f"--confcutdir={folder}"))


def linked_folder(at: Attempt) -> None:
    """The folder of the checks is a link to an edited copy."""
    shutil.copytree(at.file("tests_staging"), at.beside / "tests_staging")
    weaken(at)
    at.file("tests_staging").rename(at.beside / "weak")
    at.file("tests_staging").symlink_to(at.beside / "weak")
    at.gate()


def project_inside(at: Attempt) -> None:
    """A whole edited project in a folder of the checkout, where the command is called."""
    inside = at.file("notes/gate")
    shutil.copytree(at.root, inside, ignore=shutil.ignore_patterns(".git", "notes", "reports"))
    weaken(at)
    shutil.copy(at.file(CHECK), inside / CHECK)
    at.git("checkout", "--", ".")
    at.env["PYTHONPATH"] = str(inside / "src")
    outer, at.root = at.root, inside
    at.gate(words=(f"--reports={outer / 'reports'}",))
    at.root = outer


def engine(at: Attempt) -> None:
    at.edit("src/noxgate/run/verdict.py", 'FAILED = "failed"', 'FAILED = "passed"')
    at.gate()


def other_engine(at: Attempt) -> None:
    """PYTHONPATH leads to an engine beside the checkout."""
    shutil.copytree(at.file("src"), at.beside / "src")
    path = at.beside / "src" / "nox_service" / "api.py"
    path.write_text(path.read_text().replace("def get_often", "def get_seldom") + HEALTHY)
    at.env["PYTHONPATH"] = str(at.beside / "src")
    at.gate()


HEALTHY = """

def _get_often(self, path, **options):
    answers = self.get_seldom(path, **options)
    for answer in answers:
        object.__setattr__(answer, "text", answer.text.replace("degraded", "healthy"))
    return answers

ApiClient.get_often = _get_often
"""


def stale_bytecode(at: Attempt) -> None:
    """What was compiled of the edited check stays, for a file of the same size and time."""
    path = at.file(CHECK)
    text, stat = path.read_text(), path.stat()
    at.edit(CHECK, "faults.health(answers) == []", "faults.health(answers) != []")
    assert path.stat().st_size == stat.st_size
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    at.gate(words=("--reports=elsewhere",))
    path.write_text(text)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    at.gate()


PROJECT = (
    Way("edited check", edited),
    Way("edited check, assume-unchanged", overlooked("--assume-unchanged")),
    Way("edited check, skip-worktree", overlooked("--skip-worktree")),
    Way("edited check, put back after the run", put_back_after),
    Way("edited check, puts itself back", put_back_meanwhile),
    Way("check left out by sparse-checkout", sparse),
    Way("edited check, compiled and put back", stale_bytecode),
    Way("no .git", without_git),
    Way("no .git, manifest of a commit of one's own", own_manifest),
    Way("no .git, forged manifest", forged_manifest),
    Way("image: check edited", edited_in_the_image),
    Way("image: another conftest", blinded_in_the_image),
    Way("image: check taken out of the manifest", taken_out_of_the_manifest),
    Way("image: another conftest, and its blob in the manifest", written_into_the_manifest),
    Way("image: another profile mounted over its own", mounted_over),
    Way("image: a folder of links mounted over its own", folder_mounted_over),
    Way(".git leads to another repository", other_repository),
    Way("GIT_DIR and GIT_WORK_TREE", git_variables),
    Way("core.worktree, GIT_CONFIG_COUNT", git_settings),
    Way("another program named git", other_git),
    Way("git replace", replaced),
    Way("local commit", local_commit),
    Way("local commit, said to be the remote's", local_branch),
    Way("commit on another branch of the remote", pushed_elsewhere),
    Way("older commit of the branch", older_commit),
    Way("untracked pytest.ini", file("pytest.ini", "[pytest]\naddopts = -p noxgate.plugin\n")),
    Way("untracked .pytest.toml", file(".pytest.toml", '[pytest]\naddopts = ["-p", "noxgate.plugin"]\n')),
    Way("untracked tox.ini", file("tox.ini", "[pytest]\naddopts = -p noxgate.plugin\n")),
    Way("untracked setup.cfg", file("setup.cfg", "[tool:pytest]\naddopts = -p noxgate.plugin\n")),
    Way("untracked conftest.py beside", file("tests_staging/deeper/conftest.py", BLIND)),
    Way("edited conftest.py", file("tests_staging/conftest.py", BLIND)),
    Way("conftest.py and pytest.ini above", above),
    Way("untracked module in place of a package", file("httpx.py", "")),
    Way("untracked package in place of a package", file("httpx/__init__.py", "")),
    Way("folder of checks is a link", linked_folder),
    Way("a project inside the project", project_inside),
    Way("edited engine", engine),
    Way("engine beside the checkout", other_engine),
)
