"""What decides a verdict is as committed, or there is no GO: files, settings, modules, and git itself."""

import hashlib
import importlib.util
import marshal
import math
import os
import py_compile
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
from tests_self.building.checkouts import with_engine
from tests_self.conftest import LOOK, PROFILE, PYPROJECT, RUNBOOK

from noxgate.cli.main import main
from noxgate.run import commit, compiled, loaded, native
from noxgate.run.commit import MANIFEST, CommitError, blob_id, decides, head, of

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv" / "bin" / "python"
CHECK = f"""
import pytest
from noxgate.look.observation import Observation

@pytest.mark.runbook("staging.{{name}}")
def test_{{name}}(observe):
    {LOOK.strip().replace("{line}", "{name}")}
"""
LINE = """
[staging.{name}]
ref = "RB-2.{number}"
kind = "auto"
section = "2. Staging"
seed = [{number}]
expected = "all is well"
next = "mend it"
"""


class Checkout:
    """A small project with the engine of its own, in git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("GIT", "PYTEST"))
        }
        self.env |= {"PYTHONPATH": str(root / "src"), "HOME": str(root.parent), "TEST_TOKEN": "x" * 20}

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.root, env=self.env, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=all")

    def gate(self, *words: str, **env: str) -> tuple[int, str]:
        """Run staging, by a Python that starts from nothing; its exit status and what it said."""
        done = subprocess.run(
            [PYTHON, "-m", "pytest", "-m", "staging", "--target=staging", *words],
            cwd=self.root,
            env=self.env | env,
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "gate"
    made = Checkout(root)
    with_engine(root)
    made.write("pyproject.toml", PYPROJECT)
    made.write(
        "runbook.toml", RUNBOOK + LINE.format(name="version", number=1) + LINE.format(name="health", number=2)
    )
    made.write("targets/staging.toml", PROFILE)
    made.write("waivers.toml", "")
    made.write(".gitignore", "__pycache__/\n/reports/\n*.ini\n")
    for name in ("version", "health"):
        made.write(f"tests_staging/test_{name}.py", CHECK.format(name=name))
    (root / "tests_production").mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit()
    return root


@pytest.fixture
def checkout(made: Path, tmp_path: Path) -> Checkout:
    """A copy for each test; git takes it for unchanged."""
    shutil.copytree(made, tmp_path / "gate", symlinks=True)
    found = Checkout(tmp_path / "gate")
    found.git("status")  # the index learns of the copies
    return found


WEAK = CHECK.format(name="version") + "    return\n"


def edited(checkout: Checkout) -> str:
    checkout.write("tests_staging/test_version.py", WEAK)
    return "tests_staging/test_version.py (was changed)"


def overlooked(flag: str) -> Callable[[Checkout], str]:
    def change(checkout: Checkout) -> str:
        checkout.git("update-index", flag, "tests_staging/test_version.py")
        return edited(checkout)

    change.__name__ = flag.strip("-")
    return change


def excluded(checkout: Checkout) -> str:
    """Git was told to ignore it, in this clone alone."""
    checkout.write(".git/info/exclude", "conftest.py\n")
    checkout.write("tests_staging/conftest.py", "")
    return "tests_staging/conftest.py (is not in the commit)"


def other_settings(checkout: Checkout) -> str:
    checkout.write(
        "pytest.ini",
        PYPROJECT.replace("[tool.pytest]", "[pytest]")
        .replace("strict = true", "")
        .replace(
            'addopts = ["-p", "noxgate.plugin", "-p", "no:locust", "--import-mode=importlib", "--tb=short"]',
            "addopts = -p noxgate.plugin -p no:locust --import-mode=importlib --tb=short",
        )
        .split("testpaths")[0],
    )
    return "pytest.ini (is not in the commit)"


def weaker_profile(checkout: Checkout) -> str:
    checkout.write("targets/staging.toml", PROFILE + '[security_headers]\n"content-security-policy" = "*"\n')
    return "targets/staging.toml (was changed)"


def waived(checkout: Checkout) -> str:
    checkout.write("waivers.toml", "# none\n")
    return "waivers.toml (was changed)"


def sourceless(checkout: Checkout) -> str:
    checkout.write("src/noxgate/extra.pyc", "")
    return "src/noxgate/extra.pyc (is not in the commit)"


def linked(checkout: Checkout) -> str:
    (checkout.root.parent / "elsewhere").mkdir()
    (checkout.root / "tests_staging" / "more").symlink_to(checkout.root.parent / "elsewhere")
    return "tests_staging/more (is not in the commit)"


def removed(checkout: Checkout) -> str:
    (checkout.root / "tests_staging" / "test_health.py").unlink()
    return "tests_staging/test_health.py (is missing)"


FILES = [
    edited,
    overlooked("--assume-unchanged"),
    overlooked("--skip-worktree"),
    excluded,
    other_settings,
    weaker_profile,
    waived,
    sourceless,
    linked,
    removed,
]


@pytest.mark.parametrize("change", FILES, ids=lambda change: change.__name__)
def test_what_is_not_as_committed(checkout: Checkout, change: Callable[[Checkout], str]) -> None:
    """Each is named, also if git thinks it unchanged."""
    assert list(head(checkout.root).different(checkout.root)) == []

    expected = change(checkout)

    assert list(head(checkout.root).different(checkout.root)) == [expected]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "changed"),
        ("tests_staging/.test_version.py.swp", "an editor's"),
        ("tests_staging/test_version.py~", "an editor's"),
        ("tests_staging/._test_version.py", "a system's"),
        ("tests_staging/__pycache__/test_version.cpython-311.pyc", "Python's own"),
        ("targets/rehearsal.toml", "rehearsal = true"),
        ("targets/keys/ada.pem", "a key that git ignores"),
        ("notes.txt", "mine"),
    ],
)
def test_what_decides_nothing(checkout: Checkout, name: str, text: str) -> None:
    """Healthy and odd."""
    checkout.write(name, text)

    assert list(head(checkout.root).different(checkout.root)) == []


def test_line_ends_of_another_system(checkout: Checkout) -> None:
    """As git may have checked them out."""
    path = checkout.root / "runbook.toml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert list(head(checkout.root).different(checkout.root)) == []


def test_a_clean_checkout_is_go(checkout: Checkout) -> None:
    """With what git hooks set, too, which is said; and the run names what decided."""
    status, said = checkout.gate(GIT_DIR="/nowhere", GIT_INDEX_FILE=".git/index.lock")

    assert status == 0, said
    assert "not passed on to git: GIT_DIR, GIT_INDEX_FILE" in said
    (run,) = checkout.root.glob("reports/8.0.0/2*")
    assert f'"commit": "{checkout.git("rev-parse", "HEAD").strip()}"' in (run / "decided.json").read_text()


def test_a_clean_checkout_by_another_way_is_go(checkout: Checkout) -> None:
    """A link leads to it, and its name has a space."""
    link = checkout.root.parent / "the gate"
    link.symlink_to(checkout.root)
    checkout.root = link

    status, said = checkout.gate(PYTHONPATH=str(link / "src"))

    assert status == 0, said


def test_a_clean_checkout_is_go_under_xdist(checkout: Checkout) -> None:
    """Whose workers load more."""
    status, said = checkout.gate("-n", "2")

    assert status == 0, said


def test_an_edited_check_is_not_go(checkout: Checkout) -> None:
    """The whole way."""
    overlooked("--assume-unchanged")(checkout)

    status, said = checkout.gate()

    assert status == 2, said
    assert "not as committed: tests_staging/test_version.py (was changed): commit or put back" in said


def test_a_check_that_was_put_back_meanwhile_is_not_go(checkout: Checkout) -> None:
    """What was loaded is what counts, not what lies there at the end."""
    path = checkout.root / "tests_staging" / "test_version.py"
    restores = f"\nimport pathlib\npathlib.Path({str(path)!r}).write_text({path.read_text()!r})\n"
    path.write_text(path.read_text() + restores)

    status, said = checkout.gate()

    assert status == 2, said
    assert path.read_text() == CHECK.format(name="version")
    assert "not as committed: tests_staging/test_version.py (was changed)" in said


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        (lambda root: (root.parent / "evil.py").write_text(""), "of no locked package"),
        (lambda root: (root / "evil.py").write_text(""), "evil.py (is not in the commit)"),
    ],
    ids=["beside", "inside"],
)
def test_a_plugin_of_nobody_is_not_go(checkout: Checkout, way: Callable[[Path], object], reason: str) -> None:
    """A module that the environment brings in."""
    way(checkout.root)
    path = f"{checkout.root / 'src'}:{checkout.root.parent}"

    status, said = checkout.gate(PYTEST_PLUGINS="evil", PYTHONPATH=path)

    assert status == 2, said
    assert reason in said


@pytest.mark.parametrize("name", ["sitecustomize", "evil"])
def test_a_module_that_hides_is_not_go(checkout: Checkout, name: str) -> None:
    """It has changed something, and left sys.modules."""
    hides = f"import sys\nsys.modules.pop({name!r}, None)\n"
    later = f"def pytest_collection_finish():\n    import sys\n    sys.modules.pop({name!r})\n"
    (checkout.root.parent / f"{name}.py").write_text(later if name == "evil" else hides)
    path = f"{checkout.root.parent}:{checkout.root / 'src'}"

    status, said = checkout.gate(PYTEST_PLUGINS="evil" if name == "evil" else "", PYTHONPATH=path)

    assert status == 2, said
    assert f"loaded and of no known origin: {name} (" in said


@pytest.mark.parametrize("name", ["sitecustomize", "evil"])
def test_a_module_that_lies_of_its_file_is_not_go(checkout: Checkout, name: str) -> None:
    """It says that it is one of Python's own."""
    (checkout.root.parent / f"{name}.py").write_text("import os\n__file__ = __spec__.origin = os.__file__\n")
    path = f"{checkout.root.parent}:{checkout.root / 'src'}"

    status, said = checkout.gate(PYTEST_PLUGINS="evil" if name == "evil" else "", PYTHONPATH=path)

    assert status == 2, said
    assert f"loaded and of no known origin: {name} (" in said


def test_a_compiled_check_of_another_source_is_not_go(checkout: Checkout) -> None:
    """Pytest takes it for one of the committed text, whose hash it has."""
    assert checkout.gate(PYTHONDONTWRITEBYTECODE="")[0] == 0
    (compiled,) = checkout.root.glob("tests_staging/__pycache__/test_version*.pyc")
    head = compiled.read_bytes()[:16]
    text = CHECK.format(name="version").replace(
        "def test_version(observe):", "def test_version(observe):\n    1"
    )
    code = compile(text, str(compiled), "exec")
    compiled.write_bytes(head + marshal.dumps(code))

    status, said = checkout.gate()

    assert status == 2, said
    assert f"{compiled.resolve()}: says something else than the source" in said


@pytest.mark.parametrize(
    "words",
    [
        ["--noconftest"],
        ["--confcutdir=tests_staging"],
        ["-W", "ignore"],
        ["-o", "filterwarnings=ignore"],
        ["--pdb"],
        ["-d", "--tx=popen//env:PGHOSTADDR=127.0.0.1"],
        ["-d", "--tx=2*popen//nice=1"],
    ],
    ids=" ".join,
)
def test_other_settings_than_the_commits_are_not_go(checkout: Checkout, words: list[str]) -> None:
    """By options; PYTEST_ADDOPTS gives the same ones."""
    status, said = checkout.gate(PYTEST_ADDOPTS=" ".join(words))

    assert status == 2, said
    assert "pytest was told otherwise than pyproject.toml says: " in said


def test_a_conftest_that_puts_itself_back_is_not_go(checkout: Checkout) -> None:
    """Before anything was looked at."""
    path = checkout.root / "conftest.py"
    path.write_text("# committed\n")
    checkout.commit()
    path.write_text(f"import pathlib\npathlib.Path({str(path)!r}).write_text('# committed\\n')\n")

    status, said = checkout.gate()

    assert status == 2, said
    assert "written while the gate ran: conftest.py" in said


def test_a_worker_that_judges_elsewhere_is_not_go(checkout: Checkout) -> None:
    """It starts as a worker of this checkout, and goes to another."""
    other = checkout.root.parent / "other"
    shutil.copytree(checkout.root, other, symlinks=True)
    python = checkout.root.parent / "python"
    python.write_text(f'#!/bin/sh\ncd {other}\nexec {PYTHON} "$@"\n')
    python.chmod(0o755)

    status, said = checkout.gate("-d", "--tx", f"popen//python={python}")

    assert status == 2, said
    assert f"a worker of xdist has another root: {other.resolve()}, not " in said


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
    assert "file.list decides, and is not in the commit: put it into targets/ and commit it" in out

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


# ---------------------------------------------------------------- modules


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages with one that is as its RECORD says."""
    folder = tmp_path / "lib" / "site-packages"
    (folder / "fine-1.0.dist-info").mkdir(parents=True)
    (folder / "fine.py").write_text("VALUE = 42\n")
    digest = loaded._digest(folder / "fine.py", 0)  # noqa: SLF001
    (folder / "fine-1.0.dist-info" / "RECORD").write_text(
        f"fine.py,sha256={digest},11\nfine-1.0.dist-info/RECORD,,\n"
    )
    loaded._digest.cache_clear()  # noqa: SLF001
    monkeypatch.setattr(native, "MAPS", folder / "none")  # this process has libraries of its own
    monkeypatch.setattr(loaded, "_given", dict)
    monkeypatch.setattr(sys, "path", [str(folder)])
    monkeypatch.setattr(sys, "modules", {"fine": module("fine", folder / "fine.py")})
    return folder


def module(name: str, file: Path) -> ModuleType:
    found = ModuleType(name)
    found.__file__ = str(file)
    return found


def found(
    root: Path,
    lock: str | None = "fine==1.0 \\\n    --hash=sha256:0\n",
    begun: float = math.inf,
    asked: tuple[str, ...] = (),
) -> list[str]:
    root.mkdir(exist_ok=True)
    if lock is not None:
        (root / "requirements-install.lock").write_text(lock)
    loaded._records.cache_clear()  # noqa: SLF001
    return list(loaded.strangers(root, commit.Commit("0" * 40, {}), begun=begun, asked=asked))


def test_a_package_as_it_was_installed(site: Path, tmp_path: Path) -> None:
    """Python's own modules, too, and those without a file."""
    sys.modules |= {"json": __import__("json"), "sys": sys, "nowhere": ModuleType("nowhere")}

    assert site.is_dir()
    assert found(tmp_path / "root") == []


def test_a_command_of_a_package(site: Path, tmp_path: Path) -> None:
    """It lies beside the packages, often within the checkout: `.venv/bin/pytest` is the main module."""
    root = tmp_path / "lib"
    (root / "bin").mkdir()
    (root / "bin" / "tool").write_text("import fine\n")
    sys.modules["__main__"] = module("__main__", root / "bin" / "tool")
    digest = loaded._digest(root / "bin" / "tool", 0)  # noqa: SLF001
    record = site / "fine-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + f"../bin/tool,sha256={digest},12\n")

    assert found(root) == []
    (root / "bin" / "tool").write_text("import coarse\n")
    assert len(found(root)) == 1


def test_a_changed_file_of_a_package(site: Path, tmp_path: Path) -> None:
    (site / "fine.py").write_text("VALUE = 43\n")

    (said,) = found(tmp_path / "root")
    assert said.endswith("is not as the RECORD of fine 1.0 has it)")


def test_a_file_that_no_package_brought(site: Path, tmp_path: Path) -> None:
    (site / "other.py").write_text("")
    sys.modules["other"] = module("other", site / "other.py")

    (said,) = found(tmp_path / "root")
    assert said.endswith("other.py: no package's RECORD names it)")


def test_a_start_up_file_that_no_package_brought(site: Path, tmp_path: Path) -> None:
    """Python runs it before everything else."""
    (site / "zz.pth").write_text("import os\n")

    (said,) = found(tmp_path / "root")
    assert said.startswith("zz.pth (")


@pytest.mark.parametrize("lock", ["fine==1.1 \\\n", "coarse==1.0 \\\n"])
def test_a_package_that_is_not_locked(site: Path, tmp_path: Path, lock: str) -> None:
    assert site.is_dir()
    (said,) = found(tmp_path / "root", lock)
    assert said.endswith("fine 1.0 is in no lock file)")


def test_a_module_that_is_gone(site: Path, tmp_path: Path) -> None:
    """It is not passed over."""
    (site / "fine.py").unlink()

    (said,) = found(tmp_path / "root")
    assert said.endswith("cannot be read: No such file or directory)")


def test_a_package_that_puts_itself_back(site: Path, tmp_path: Path) -> None:
    """It is as its RECORD says when somebody looks."""
    written = (site / "fine.py").stat().st_mtime

    (said,) = found(tmp_path / "root", begun=written - 1)
    assert said.endswith("fine.py: was written while the gate ran)")
    assert found(tmp_path / "root", begun=written + 1) == []


def test_a_package_of_a_clock_that_was_wrong(site: Path, tmp_path: Path) -> None:
    """Healthy and odd: an image was built in the future."""
    now = time.time()
    os.utime(site / "fine.py", (now + 9999, now + 9999))

    assert found(tmp_path / "root", begun=now - 1) == []


@pytest.mark.parametrize("name", ["sitecustomize", "evil", "evil.plugin"])
def test_a_module_that_hides(site: Path, tmp_path: Path, name: str) -> None:
    """What Python starts with, and plugins that somebody asked for: not in sys.modules any more."""
    top = name.partition(".")[0]
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / f"{top}.py").write_text("")
    sys.path.insert(0, str(tmp_path / "path"))

    assert site.is_dir()
    (said,) = found(tmp_path / "root", asked=("no:cacheprovider", "fine", "nowhere", name))
    assert said == f"{top} ({tmp_path / 'path' / top}.py: is of no locked package)"


@pytest.mark.parametrize("at", ["__file__", "origin", "path"])
def test_a_module_that_lies_of_its_file(site: Path, tmp_path: Path, at: str) -> None:
    """One of the places that say it is forgotten."""
    file = tmp_path / "evil.py"
    file.write_text("")
    spec = importlib.util.spec_from_file_location("evil", file)
    assert spec is not None
    evil = importlib.util.module_from_spec(spec)
    evil.__file__ = spec.origin = str(site / "fine.py")
    spec.loader.path = str(site / "fine.py")  # type: ignore[union-attr]
    if at == "__file__":
        evil.__file__ = str(file)
    else:
        setattr(spec if at == "origin" else spec.loader, at, str(file))
    sys.modules["evil"] = evil

    (said,) = found(tmp_path / "root")
    assert said == f"evil ({file}: is of no locked package)"


def test_a_module_in_the_place_of_a_package(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood on PYTHONPATH, did what it wanted and let the real one in: nothing here tells of it."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "fine.py").write_text("")
    monkeypatch.setattr(loaded, "_given", lambda: {"PYTHONPATH": f":{tmp_path / 'path'}"})

    assert site.is_dir()
    (said,) = found(tmp_path / "root")
    assert said == f"fine ({tmp_path / 'path' / 'fine.py'}: is of no locked package)"


def test_modules_on_pythonpath_that_nobody_imports(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Healthy and odd: a machine on which other things are done, too."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "other.py").write_text("")
    given = {"PYTHONPATH": f"{tmp_path / 'path'}:{tmp_path / 'none'}:{site}"}
    monkeypatch.setattr(loaded, "_given", lambda: given)

    assert found(tmp_path / "root") == []


def imported(site: Path) -> tuple[Path, Path]:
    """The module of the package, as Python imports it; its source, and what it was compiled to."""
    spec = importlib.util.spec_from_file_location("fine", site / "fine.py")
    assert spec is not None
    assert spec.loader is not None
    assert spec.cached is not None
    sys.modules["fine"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["fine"])
    if not Path(spec.cached).exists():
        py_compile.compile(str(site / "fine.py"))
    return site / "fine.py", Path(spec.cached)


def test_a_compiled_file_of_its_source(site: Path, tmp_path: Path) -> None:
    imported(site)

    assert found(tmp_path / "root") == []


@pytest.mark.parametrize(
    "mode",
    [
        py_compile.PycInvalidationMode.TIMESTAMP,
        py_compile.PycInvalidationMode.UNCHECKED_HASH,
        py_compile.PycInvalidationMode.CHECKED_HASH,
    ],
)
def test_a_compiled_file_of_another_source(
    site: Path, tmp_path: Path, mode: py_compile.PycInvalidationMode
) -> None:
    """Of the same size and time, or of its hash: also by accident, where a file is put back in a second."""
    source, compiled = imported(site)
    py_compile.compile(str(source), invalidation_mode=mode)
    head = compiled.read_bytes()[:16]
    compiled.write_bytes(head + marshal.dumps(compile("VALUE = 43\n", str(source), "exec")))

    (said,) = found(tmp_path / "root")
    assert said == f"fine ({compiled}: {loaded.NOT_OF_SOURCE})"


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 40, importlib.util.MAGIC_NUMBER + b"\0" * 12 + marshal.dumps(compile("1", "", "eval"))],
)
def test_a_compiled_file_that_python_does_not_take(site: Path, tmp_path: Path, content: bytes) -> None:
    """Healthy and odd: of another Python, broken off, or of a source that is older."""
    _, compiled = imported(site)
    compiled.write_bytes(content)

    assert found(tmp_path / "root") == []


def code(text: str) -> CodeType:
    return compile(text, "x.py", "exec")


ONE = """
def one(a, b=1):
    return a in {"x", "y"} and (lambda: b)

class Two:
    @property
    def three(self):
        return [x for x in (1, 2)]
"""


def functions_of(text: str) -> list[CodeType]:
    """As they are in memory once they have run so often that Python has adapted them."""
    said: dict[str, Any] = {}
    exec(code(text), said)  # noqa: S102
    for _ in range(99):
        said["one"](0)
        assert said["Two"]().three
    return [said["one"].__code__, said["Two"].three.fget.__code__]


def test_functions_of_their_source() -> None:
    assert list(compiled.foreign(functions_of(ONE), [code("0"), code(ONE)])) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(('"y"', '"z"'), ("b=1", "c=1"), (" and ", " or ")),
        *(("(1, 2)", "(1, 3)"), ("def one", "\ndef one")),
    ],
)
def test_functions_of_another_source(old: str, new: str) -> None:
    """A name, a constant deep inside, a line."""
    changed = ONE.replace(old, new).replace(": b)", ": c)" if "c=" in new else ": b)")

    assert len(list(compiled.foreign(functions_of(changed), [code(ONE)]))) in {1, 2}


def test_functions_are_found_by_their_file(tmp_path: Path) -> None:
    """By any way that led to it; the packages of an environment in the checkout are not the project's."""
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    said: dict[str, Any] = {}
    exec(compile("def one(): pass\n", str(tmp_path / "link" / "x.py"), "exec"), said)  # noqa: S102
    exec(compile("def two(): pass\n", "<string>", "exec"), said)  # noqa: S102

    exec(compile("def three(): pass\n", str(tmp_path / "here" / ".venv" / "x.py"), "exec"), said)  # noqa: S102
    (found_,) = compiled.functions(tmp_path / "here", {"x.py"}).items()
    assert (found_[0], [each.co_name for each in found_[1]]) == (tmp_path / "here" / "x.py", ["one"])


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

    assert list(commit.written_since(checkout.root, moment)) == ["tests_staging"]


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


def test_a_start_up_file_of_the_gate(site: Path, tmp_path: Path) -> None:
    """It names the folder of the gate, and does nothing else."""
    sys.modules.pop("fine")
    (site / "fine-1.0.dist-info").rename(site / "noxgate-1.0.dist-info")
    path = site / "gate.pth"
    for text, wrong in (("/somewhere/src\n", False), ("/somewhere/src\nimport evil\n", True)):
        path.write_text(text)
        loaded._digest.cache_clear()  # noqa: SLF001
        digest = loaded._digest(path, 0)  # noqa: SLF001
        (site / "noxgate-1.0.dist-info" / "RECORD").write_text(f"gate.pth,sha256={digest},1\n")

        said = found(tmp_path / "root")
        assert [one for one in said if "does more than to name the folder" in one] == said
        assert bool(said) is wrong


MAPS = """\
55d0-55d1 r--p 00000000 08:01 1  {root}/a.so
55d0-55d1 r-xp 00000000 08:01 1  {file}
55d0-55d1 r-xp 00000000 08:01 1  /usr/lib/x86_64-linux-gnu/libc.so.6
55d0-55d1 r-xp 00000000 00:00 0
55d0-55d1 r-xp 00000000 00:00 0  [vdso]
55d0-55d1 r-xp 00000000 00:01 7  /memfd:libffi (deleted)
55d0-55d1 r-xp 00000000 08:01 1  {python}/lib-dynload/_x.so
"""


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("evil.so", True), ("evil.so (deleted)", True), ("my evil.so", True), ("fine.libs/x.so.5.1", False)],
)
def test_a_library_of_nobody(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, wrong: bool
) -> None:
    """LD_PRELOAD loads it, and no module tells of it."""
    file = site / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    digest = loaded._digest(file, 1)  # noqa: SLF001
    with (site / "fine-1.0.dist-info" / "RECORD").open("a") as record:
        record.write(f"fine.libs/x.so.5.1,sha256={digest},0\n")
    maps = tmp_path / "maps"
    maps.write_text(MAPS.format(root=tmp_path, file=file, python=sysconfig.get_path("stdlib")))
    monkeypatch.setattr(native, "MAPS", maps)

    said = found(tmp_path / "root")
    assert len(said) == wrong, said
    assert all("evil.so" in one for one in said)


def test_an_installed_copy_of_the_gate(site: Path, tmp_path: Path) -> None:
    """With any RECORD: it was made of another checkout, or of a dirty one."""
    (site / "fine-1.0.dist-info").rename(site / "noxgate-1.0.dist-info")

    (said,) = found(tmp_path / "root")
    assert said.endswith("fine.py: is an installed copy of the gate, which is of no commit)")


def test_a_record_without_digests(site: Path, tmp_path: Path) -> None:
    """It vouches for nothing."""
    (site / "fine-1.0.dist-info" / "RECORD").write_text("fine.py,,\n")

    (said,) = found(tmp_path / "root")
    assert said.endswith("no package's RECORD names it)")


def test_a_start_up_file_where_no_package_is(site: Path, tmp_path: Path) -> None:
    """Python reads it there, too."""
    (tmp_path / "users").mkdir()
    (tmp_path / "users" / "x.pth").write_text("import os\n")
    sys.path.append(str(tmp_path / "users"))

    assert site.is_dir()
    (said,) = found(tmp_path / "root")
    assert said.startswith("x.pth (")


@pytest.mark.parametrize("name", loaded.ELSEWHERE)
def test_a_variable_that_leads_python_elsewhere(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")

    assert site.is_dir()
    assert found(tmp_path / "root") == [f"${name} (leads Python elsewhere)"]


def test_one_of_pythons_own_that_is_a_link(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Debian has its sitecustomize."""
    (tmp_path / "python").mkdir()
    (tmp_path / "settings.py").write_text("")
    (tmp_path / "python" / "sitecustomize.py").symlink_to(tmp_path / "settings.py")
    sys.modules["sitecustomize"] = module("sitecustomize", tmp_path / "python" / "sitecustomize.py")
    monkeypatch.setattr(loaded, "_pythons_own", lambda: (tmp_path / "python",))

    assert site.is_dir()
    assert found(tmp_path / "root") == []
