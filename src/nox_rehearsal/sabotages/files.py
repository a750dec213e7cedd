"""Ways to spoil the files that were saved on the evening of the release."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from nox_rehearsal.day import saving
from nox_rehearsal.sabotages.sabotage import Switch
from nox_rehearsal.world.state import World
from noxgate.look.waiting import pause

BACKUP = "backup_pre_v*.sql"
MANIFESTS = "rollback_manifests_*.yaml"
OUTPUT = "migration_v*.log"


def saved(world: World, pattern: str) -> Path:
    """The one file of this pattern."""
    (file,) = saving.folder(world).glob(pattern)
    return file


def spoiled(change: Callable[[bytes], bytes], pattern: str = BACKUP, *, sealed: bool = True) -> Switch:
    """Other content in a file of the same time; `sealed`: and its checksum recorded as if it were right."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        file = saved(world, pattern)
        with _kept(file, _beside(file, ".sha256")):
            before = file.stat()
            file.write_bytes(change(file.read_bytes()))
            if sealed:
                saving.seal(file)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            yield

    return on


def recorded(suffix: str, change: Callable[[Path], str | None]) -> Switch:
    """What stands beside the backup says something else, or is not there."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        file = saved(world, BACKUP)
        record = _beside(file, suffix)
        with _kept(record):
            text = change(file)
            if text is None:
                record.unlink()
            else:
                record.write_text(text, encoding="utf-8")
            yield

    return on


def aged(minutes: float, pattern: str = BACKUP) -> Switch:
    """A file was written so much earlier."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        file = saved(world, pattern)
        before = file.stat()
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns - int(minutes * 60e9)))
        try:
            yield
        finally:
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    return on


def named(stamp: str) -> Switch:
    """The backup, and what stands beside it, is called as one of another day."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        file = saved(world, BACKUP)
        other = file.with_name(f"backup_pre_v{world.version}_{stamp}.sql")
        pairs = [(_beside(file, each), _beside(other, each)) for each in ("", ".sha256", ".tables")]
        try:
            for old, new in pairs:
                old.rename(new)
            record = _beside(other, ".sha256")
            before = record.read_text(encoding="ascii")
            record.write_text(before.replace(file.name, other.name), encoding="ascii")
            yield
        finally:
            record.write_text(before, encoding="ascii")
            for old, new in pairs:
                new.rename(old)

    return on


def newer(make: Callable[[World, Path], object], *, just_then: bool = False) -> Switch:
    """Another file is the newest; `just_then`: by a moment, and there before the migration, too."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        file = first = saved(world, BACKUP)
        while file == first:  # a name has seconds: the first may be of this very one
            pause(0.05)
            file = first.with_name(f"backup_pre_v{world.version}_{saving.stamp()}.sql")
        make(world, file)
        if just_then:
            time = first.stat().st_mtime_ns + 1_000_000
            os.utime(file, ns=(time, time))
        try:
            yield
        finally:
            for suffix in ("", ".sha256", ".tables"):
                _beside(file, suffix).unlink(missing_ok=True)

    return on


def resaved(change: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> Switch:
    """The rollback manifests hold other objects."""

    def changed(content: bytes) -> bytes:
        document = yaml.safe_load(content)
        document["items"] = change(document["items"])
        return yaml.safe_dump(document, sort_keys=False).encode()

    return spoiled(changed, MANIFESTS, sealed=False)


@contextmanager
def _kept(*files: Path) -> Iterator[None]:
    """These files are as before at the end, their times too."""
    before = {file: (file.read_bytes(), file.stat()) for file in files if file.exists()}
    try:
        yield
    finally:
        for file in files:
            if file not in before:
                file.unlink(missing_ok=True)
                continue
            content, status = before[file]
            file.write_bytes(content)
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)
