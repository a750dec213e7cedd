"""The profile, the release record, the migration or production says something else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from nox_rehearsal.parts import repository
from nox_rehearsal.sabotages.in_cluster import added
from nox_rehearsal.sabotages.sabotage import Switch
from nox_rehearsal.world.state import World


def profiled(old: str, new: str) -> Switch:
    """The profile says something else."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        before = world.profile.read_text(encoding="utf-8")
        world.profile.write_text(replaced_once(before, old, new), encoding="utf-8")
        try:
            yield
        finally:
            world.profile.write_text(before, encoding="utf-8")

    return on


def recorded(old: str, new: str) -> Switch:
    """The release record says something else."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        path = world.folder / "release.toml"
        before = path.read_text(encoding="utf-8")
        path.write_text(replaced_once(before, old, new), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")

    return on


def migrated(change: Callable[[str], str]) -> Switch:
    """The release's migration says something else."""
    return added(
        repository.MIGRATION,
        lambda world: change((world.source / repository.MIGRATION).read_text(encoding="utf-8")),
    )


def in_production(do: str, undo: str) -> Switch:
    """Production's database is changed, and changed back."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        with psycopg.connect(world.production_dsn, autocommit=True) as connection:
            connection.execute(do.encode())
            try:
                yield
            finally:
                connection.execute(undo.encode())

    return on


def replaced_once(text: str, old: str, new: str) -> str:
    assert old in text, f"nothing says {old!r}"
    return text.replace(old, new, 1)
