"""The modules that a run has loaded are those of the locked packages."""

import importlib.util
import os
import sys
import sysconfig
import time
from pathlib import Path
from types import ModuleType

import pytest
from tests_self.fast.run.commit.edited import found, module

from noxgate.run import loaded, native


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
