"""Of which commit a checkout is, and the release: without git, by a manifest, in a larger repository."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from tests_self.fast.run.commit.edited import Checkout, edited

from noxgate.cli.main import main
from noxgate.machine.blobs import blob_id
from noxgate.run import commit
from noxgate.run.commit import MANIFEST, CommitError, decides, head, of


@pytest.fixture
def release(checkout: Checkout) -> Path:
    """A checkout of the release, which the profile names."""
    nox = checkout.root.parent / "nox"
    for name in ("k8s/green/api.yaml", "k8s/base/all.yaml", "alembic/up.sql", "README.md"):
        (nox / name).parent.mkdir(parents=True, exist_ok=True)
        (nox / name).write_text(f"# {name}\n")
    (nox / "k8s/green/all.yaml").symlink_to("../base/all.yaml")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
        subprocess.run(["git", *who, *words], cwd=nox, check=True)
    profile = checkout.root / "targets" / "staging.toml"
    named = 'source = "../../nox"\nmanifests = "k8s/green"\nmigration = "alembic/up.sql"\n'
    profile.write_text(named + profile.read_text())
    checkout.commit()
    return nox


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("k8s/green/api.yaml", "# other\n", "nox/k8s/green/api.yaml (was changed)"),
        ("k8s/base/all.yaml", "# other\n", "nox/k8s/green/all.yaml (was changed)"),  # where a link ends
        ("k8s/green/more.yaml", "# more\n", "nox/k8s/green/more.yaml (is not in the commit)"),
        ("alembic/up.sql", None, "nox/alembic/up.sql (is missing)"),
    ],
)
def test_what_is_checked_of_the_release_is_as_its_commit(
    checkout: Checkout, release: Path, name: str, text: str | None, said: str
) -> None:
    """The seal names that commit: an edited manifest is of none."""
    if text is None:
        (release / name).unlink()
    else:
        (release / name).write_text(text)

    status, out = checkout.gate()

    assert status == 2, out
    assert f"not as committed: {said}: commit or put back what was changed" in out


@pytest.mark.parametrize("changed", [False, True])
def test_a_file_that_git_keeps_elsewhere(checkout: Checkout, release: Path, *, changed: bool) -> None:
    """Healthy and odd: a migration in Git LFS, of which the commit has but the digest."""
    path = release / "alembic" / "up.sql"
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n")
    who = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    subprocess.run(["git", *who, "commit", "-q", "-a", "-m", "x"], cwd=release, check=True)
    path.write_bytes(content + b"-- more\n" * changed)

    status, out = checkout.gate()

    assert status == 2 * changed, out


def test_a_release_of_no_commit(checkout: Checkout, release: Path) -> None:
    """Nothing says what was looked at."""
    shutil.rmtree(release / ".git")

    status, out = checkout.gate()

    assert status == 2, out
    assert "not as committed: nox, the release's checkout (names no commit: " in out


def test_what_the_gate_does_not_look_at_in_the_release(checkout: Checkout, release: Path) -> None:
    """Healthy and odd: somebody works on the documents, and a system leaves its files."""
    (release / "README.md").write_text("new\n")
    (release / "k8s" / "notes.txt").write_text("x\n")
    (release / "k8s" / "green" / ".DS_Store").write_text("x")
    (release / "k8s" / "green" / "api.yaml").write_bytes(b"# k8s/green/api.yaml\r\n")

    status, out = checkout.gate()

    assert status == 0, out


@pytest.mark.parametrize("key", ["record", "log_allow_list"])
def test_a_file_that_decides_and_lies_elsewhere(checkout: Checkout, key: str) -> None:
    """The profile names it, and what is in it was not reviewed."""
    (checkout.root / "ops").mkdir()
    (checkout.root / "ops" / "file.list").write_text('version = "8.0.0"\n')
    profile = checkout.root / "targets" / "staging.toml"
    profile.write_text(f'{key} = "../ops/file.list"\n{profile.read_text()}')
    checkout.git("add", "targets")
    checkout.git("commit", "-q", "-m", "x")

    status, out = checkout.gate()
    assert status == 2, out
    assert "file.list decides, and is not in the commit: git add -f ops/file.list, and commit it" in out

    checkout.commit()
    assert checkout.gate()[0] == 0


def test_a_file_that_git_ignores(checkout: Checkout) -> None:
    """A private authority's certificate is one, by the delivered .gitignore; the command said is enough."""
    with (checkout.root / ".gitignore").open("a") as ignored:
        ignored.write("\n*.list\n")
    profile = checkout.root / "targets" / "staging.toml"
    profile.write_text(f'record = "file.list"\n{profile.read_text()}')
    (checkout.root / "targets" / "file.list").write_text('version = "8.0.0"\n')
    checkout.commit()

    assert "git add -f targets/file.list, and commit it" in checkout.gate()[1]
    checkout.git("add", "-f", "targets/file.list")
    checkout.commit()
    assert checkout.gate()[0] == 0


def test_a_link_to_what_is_not_committed(checkout: Checkout) -> None:
    """Its end decides."""
    checkout.write("config/waivers.txt", "")
    (checkout.root / "waivers.toml").unlink()
    (checkout.root / "waivers.toml").symlink_to("config/waivers.txt")
    checkout.commit()

    assert list(head(checkout.root).different(checkout.root)) == ["waivers.toml (was changed)"]


def test_a_copy_without_git(checkout: Checkout) -> None:
    """Is right with a manifest alone, which names the commit; an edited file shows there, too."""
    commit.write_manifest(checkout.root)
    named = head(checkout.root).id
    manifest = (checkout.root / MANIFEST).read_text()
    (checkout.root / MANIFEST).unlink()
    shutil.rmtree(checkout.root / ".git")

    with pytest.raises(CommitError, match="not a git repository"):
        head(checkout.root)
    status, said = checkout.gate()
    assert status == 2, said
    assert "of no known commit: fatal: not a git repository" in said

    checkout.write(MANIFEST, manifest)
    assert head(checkout.root).id == named
    assert list(head(checkout.root).different(checkout.root)) == []
    expected = edited(checkout)
    assert list(head(checkout.root).different(checkout.root)) == [expected]


def test_a_copy_with_a_manifest_is_go(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the documented command makes it."""
    monkeypatch.chdir(checkout.root)
    assert main(["manifest"]) == 0
    assert capsys.readouterr().out.startswith("manifest: noxgate-manifest.json")
    shutil.rmtree(checkout.root / ".git")

    status, said = checkout.gate()

    assert status == 0, said


def test_no_manifest_of_what_is_not_committed(checkout: Checkout) -> None:
    """Else it would vouch for it."""
    edited(checkout)

    with pytest.raises(CommitError, match=r"^not as committed: tests_staging/test_version\.py"):
        commit.write_manifest(checkout.root)
    assert not (checkout.root / MANIFEST).exists()


def test_a_checkout_of_somebody_else(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git refuses to read it, and says why."""
    monkeypatch.setenv("HOME", str(checkout.root.parent))
    foreign = "GIT_TEST_ASSUME_DIFFERENT_OWNER"  # git's own way to try this
    monkeypatch.setenv(foreign, "1")
    monkeypatch.setattr(commit, "_PASSED_ON", (*commit._PASSED_ON, foreign))  # noqa: SLF001

    with pytest.raises(CommitError, match="dubious ownership"):
        head(checkout.root)
    # as CI servers say that it is meant
    for name, value in {"COUNT": "1", "KEY_0": "safe.directory", "VALUE_0": str(checkout.root)}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    assert list(head(checkout.root).different(checkout.root)) == []


def test_a_folder_of_a_larger_repository(checkout: Checkout) -> None:
    """The gate may live beside other things."""
    (checkout.root / "gate").mkdir()
    for path in list(checkout.root.iterdir()):
        if path.name not in {".git", "gate"}:
            path.rename(checkout.root / "gate" / path.name)
    checkout.commit()
    inner = checkout.root / "gate"

    assert head(inner).blobs.keys() >= {"runbook.toml", "tests_staging/test_version.py"}
    assert list(head(inner).different(inner)) == []
    assert of(inner, "HEAD~1").blobs == {}


@pytest.mark.parametrize("like", ["0" * 40, "0" * 64])
def test_blob_ids_are_gits(checkout: Checkout, like: str) -> None:
    """Of both of its hashes."""
    repository = checkout.root.parent / f"hashed-{len(like)}"
    kind = "sha256" if len(like) == 64 else "sha1"
    subprocess.run(["git", "init", "--quiet", f"--object-format={kind}", repository], check=True)
    (repository / "file").write_bytes(b"content\0\n")
    done = subprocess.run(
        ["git", "hash-object", "file"], cwd=repository, check=True, capture_output=True, text=True
    )

    assert blob_id(b"content\0\n", like) == done.stdout.strip()


@pytest.mark.parametrize(
    ("path", "does"),
    [
        ("runbook.toml", True),
        ("pytest.toml", True),
        (".pytest.ini", True),
        ("setup.cfg", True),
        ("sitecustomize.py", True),
        ("requirements-install.lock", True),
        ("targets/keys/ada.pub", True),
        ("load/ramps.toml", True),
        ("schema/8.0.0.toml", True),
        ("src/noxgate/plugin/gate.py", True),
        ("tests_self/conftest.py", False),
        ("docs/SIGN-OFF.md", False),
        ("targets/rehearsal-production.toml", False),
        ("src/nox_rehearsal/world/build.py", False),
    ],
)
def test_what_decides(path: str, *, does: bool) -> None:
    assert decides(path) is does


def newest(root: Path) -> float:
    """When anything below was changed last."""
    return max(path.lstat().st_ctime for path in root.rglob("*"))


def test_a_folder_that_was_another_one(checkout: Checkout) -> None:
    """Its files are older than the run, and were not there all the time."""
    folder = checkout.root / "tests_staging"
    moment = newest(checkout.root)
    while folder.stat().st_ctime <= moment:  # the clock of a file goes in steps
        folder.rename(checkout.root / "x")
        (checkout.root / "x").rename(folder)

    assert list(commit.written_since(checkout.root, moment)) == [
        "tests_staging/ (was moved, or something in it is gone)"
    ]


def test_a_file_in_a_folder_is_named(checkout: Checkout) -> None:
    """It decides nothing itself; what it took the place of may have."""
    folder = checkout.root / "tests_staging"
    moment = newest(checkout.root)
    while folder.stat().st_ctime <= moment:
        (folder / ".test_version.py.swp").unlink(missing_ok=True)
        (folder / ".test_version.py.swp").write_text("")

    assert list(commit.written_since(checkout.root, moment)) == [
        "tests_staging/ (new in it: .test_version.py.swp)"
    ]


def test_a_folder_in_which_python_compiles(checkout: Checkout) -> None:
    """Healthy: the first run of a checkout."""
    folder = checkout.root / "tests_staging"
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    moment = newest(checkout.root)
    while folder.stat().st_ctime <= moment:
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "test_version.pyc").write_text("")

    assert list(commit.written_since(checkout.root, moment)) == []
