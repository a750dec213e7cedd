"""What decides a verdict is as committed, or there is no GO: files, settings, modules, and git itself."""

import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from tests_self.conftest import LOOK, PROFILE, PYPROJECT, RUNBOOK

from noxgate.cli.main import main
from noxgate.run import commit, loaded
from noxgate.run.commit import MANIFEST, CommitError, blob_id, decides, head, of

ROOT = Path(__file__).parents[1]
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


def with_engine(root: Path) -> None:
    """Give a project an engine of its own, which PYTHONPATH then leads to."""
    for package in ("noxgate", "nox_service"):
        shutil.copytree(
            ROOT / "src" / package, root / "src" / package, ignore=shutil.ignore_patterns("__pycache__")
        )


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
    """Each is named, whatever git thinks of it."""
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


@pytest.mark.parametrize(
    "words",
    [["--noconftest"], ["--confcutdir=tests_staging"], ["-W", "ignore"], ["-o", "filterwarnings=ignore"]],
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


def test_an_installed_copy_of_the_gate(site: Path, tmp_path: Path) -> None:
    """Whatever its RECORD says: it was made of another checkout, or of a dirty one."""
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
