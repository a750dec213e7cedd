"""A target whose database is at an address, and sessions of that database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from noxgate.systems.postgres.database import Database
from noxgate.systems.postgres.sessions import Session, idle_in_transaction, sessions
from noxgate.trials.scratch import ScratchServer

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

    from noxgate.project.target import Target


def target_at(loopback: "Loopback", url: str) -> "Target":
    target = loopback.target(9)
    object.__setattr__(target, "variables", {"DATABASE_URL": url})
    return target


LIMIT = 0.5  # seconds


@contextmanager
def named(server: ScratchServer, name: str, *, autocommit: bool = False) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.url("postgres"), application_name=name, autocommit=autocommit) as connection:
        yield connection
        connection.rollback()


def seen(looking: Database, of: Callable[[list[Session], float], list[Session]], limit: float) -> list[str]:
    return [one.application for one in of(sessions(looking), limit)]


def is_seen(looking: Database, expected: list[str]) -> None:
    assert seen(looking, idle_in_transaction, LIMIT) == expected
