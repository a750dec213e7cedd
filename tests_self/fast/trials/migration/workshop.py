"""A migration tried on a scratch server, as small as a test wants it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from tests_self.building.migrations import MAJOR, RESTORE

from noxgate.systems.postgres.database import Database, Value
from noxgate.trials.migration.files import MigrationFiles
from noxgate.trials.migration.release import Migration
from noxgate.trials.migration.trial import Trial
from noxgate.trials.scratch import ScratchServer

if TYPE_CHECKING:
    from noxgate.look.observation import Observation


SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, age integer);
ALTER TABLE users OWNER TO nox_app;
INSERT INTO users SELECT n, 'user ' || n, n FROM generate_series(1, 9) AS n;
"""
GOOD = """
SET lock_timeout = '5s';
BEGIN;
CREATE TABLE IF NOT EXISTS settings (key text PRIMARY KEY, value jsonb);
ALTER TABLE users ADD COLUMN IF NOT EXISTS quota bigint NOT NULL DEFAULT 100;
COMMIT;
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users (name);
INSERT INTO settings VALUES ('schema_version', '"8.0.0"') ON CONFLICT DO NOTHING;
"""
QUERIES = """
SELECT id, name FROM users WHERE id = 2;
INSERT INTO users (id, name) VALUES (10, 'ten');
UPDATE users SET age = 11 WHERE id = 10 RETURNING id;
"""


class Asked(Database):
    """In place of the target's database: it only says which version it has, and its roles."""

    def __init__(self) -> None:
        pass

    def rows(self, query: LiteralString, **_: Value) -> list[tuple[Any, ...]]:
        if "reltuples" in query:
            return []
        return [(f"{MAJOR}0004" if query == "SHOW server_version_num" else "nox_app",)]


class Workshop:
    """Makes migrations of scripts; all of them on one server."""

    def __init__(self, server: ScratchServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.trials: list[Trial] = []
        self.observed: list[Observation] = []

    def migration(
        self,
        text: str | Path = GOOD,
        *,
        schema: str | Path = SCHEMA,
        queries: str | Path = QUERIES,
        limit: float = 60,
        restore: tuple[str, ...] = RESTORE,
        target: Database | None = None,
    ) -> Migration:
        files = MigrationFiles(
            "target.toml",
            self._file("migration.sql", text),
            self._file("schema.sql", schema),
            self._file("queries.sql", queries),
            restore=restore,
        )
        trial = Trial(files, limit=limit, server=self._server)
        self.trials.append(trial)
        return Migration(trial, target or Asked(), self.observed.append)

    def seen(self) -> str:
        return "\n".join(observation.seen for observation in self.observed)

    def _file(self, name: str, content: str | Path) -> Path:
        if isinstance(content, Path):
            return content
        path = self._folder / name
        path.write_text(content, newline="")
        return path
