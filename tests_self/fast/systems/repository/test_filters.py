"""Files of Git LFS and of other filters, with real git: what counts as changed, and what is run for it."""

import hashlib
import os
from pathlib import Path

import pytest
from tests_self.building.checkouts import Checkout

from noxgate.systems.repository.working_tree import changed


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
