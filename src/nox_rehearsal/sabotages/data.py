"""The database and Redis are not as the release needs them."""

from collections.abc import Iterator

from nox_rehearsal.checkout import NOX
from nox_rehearsal.parts import redis, repository
from nox_rehearsal.sabotages.lines import DATABASE, OAUTH
from nox_rehearsal.sabotages.sabotage import Sabotage
from nox_rehearsal.sabotages.ways import redis_is_a_replica, sql


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _database()
    yield from _definitions()
    yield from _indexes_and_trigger()
    yield from _redis()


def _database() -> Iterator[Sabotage]:
    key = "WHERE config_key = 'database_schema_version'"
    good = f"UPDATE system_configuration SET config_value = '\"8.0.0\"' {key}"
    line = "staging.database-schema-version"
    near = {
        "rc1": ("8.0.0-rc1", "8.0.0-rc1"),
        "previous": ("7.9.3", "7.9.3"),
        "quoted": ('\\"8.0.0\\"', "'\"8.0.0\"'"),
    }
    for name, (value, shown) in near.items():
        bad = f"UPDATE system_configuration SET config_value = '\"{value}\"' {key}"
        yield Sabotage(line, name, f"the row says {shown}", sql(bad, good), shown)
    lost = f"UPDATE system_configuration SET config_key = 'lost' {key}"
    found = "UPDATE system_configuration SET config_key = 'database_schema_version' WHERE config_key = 'lost'"
    yield Sabotage(line, "lost", "no such row", sql(lost, found), "[]")

    # PostgreSQL looks first into the schema that has the name of the role: into ours, not the application's
    shadow = (
        "CREATE SCHEMA nox_gate;"
        "CREATE TABLE nox_gate.system_configuration AS SELECT * FROM public.system_configuration;"
        f"{good.replace('8.0.0', '7.9.3')}"
    )
    light = f"DROP SCHEMA nox_gate CASCADE; {good}"
    tables = ("staging.database-tables",)
    yield Sabotage(line, "shadow", "a copy hides the old row", sql(shadow, light), "nox_gate", tables)

    line, table = "staging.database-tables", "rate_limit_buckets"
    away = f"CREATE SCHEMA nox_gate; ALTER TABLE {table} SET SCHEMA nox_gate"
    home = f"ALTER TABLE nox_gate.{table} SET SCHEMA public; DROP SCHEMA nox_gate"
    indexes = ("staging.database-indexes",)
    yield Sabotage(line, "away", "where only our role finds it", sql(away, home), table, indexes)
    first = "ALTER ROLE nox_app IN DATABASE nox {} search_path"
    copy = (
        "CREATE SCHEMA archive; CREATE TABLE archive.migration_log (LIKE public.migration_log);"
        f"{first.format('SET')} = archive, public"
    )
    undo = f"DROP SCHEMA archive CASCADE; {first.format('RESET')}"
    yield Sabotage(line, "copy", "a second one where the API looks first", sql(copy, undo), "archive, ")

    on = "ALTER TABLE rate_limit_buckets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    off = "ALTER TABLE rate_limit_buckets DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY"
    yield Sabotage(line, "hidden", "nobody sees a row of it", sql(on, off), "row security is forced")
    gone, back = f"ALTER TABLE {table} RENAME TO lost", f"ALTER TABLE lost RENAME TO {table}"
    yield Sabotage(
        line, "table", "one table is missing", sql(gone, back), table, ("staging.database-indexes",)
    )
    gone = "ALTER TABLE migration_log RENAME COLUMN step TO lost"
    back = "ALTER TABLE migration_log RENAME COLUMN lost TO step"
    yield Sabotage(line, "column", "one column is missing", sql(gone, back), "step")

    lock = "ALTER DATABASE nox SET default_transaction_read_only = on"
    free = "BEGIN READ WRITE; ALTER DATABASE nox RESET default_transaction_read_only; COMMIT"
    yield Sabotage(DATABASE[0], "read-only", "takes no writes", sql(lock, free), "=on")
    lock = "ALTER ROLE nox_app IN DATABASE nox SET default_transaction_read_only = 1"
    free = "BEGIN READ WRITE; ALTER ROLE nox_app IN DATABASE nox RESET default_transaction_read_only; COMMIT"
    name = "read-only-role"
    yield Sabotage(DATABASE[0], name, "the API's role takes no writes", sql(lock, free), "nox_app")
    refuse = sql("ALTER ROLE nox_gate NOLOGIN", "ALTER ROLE nox_gate LOGIN")
    yield Sabotage(
        DATABASE[0],
        "login",
        "refuses our role",
        refuse,
        "not permitted to log in",
        DATABASE[1:],
        "unreachable",
    )


def _definitions() -> Iterator[Sabotage]:
    line = "staging.database-tables"
    lost = "ALTER TABLE users ALTER mfa_enabled {0} NOT NULL"
    null = sql(lost.format("DROP"), lost.format("SET"))
    yield Sabotage(line, "null", "a column may be NULL", null, "saw boolean DEFAULT false")
    before = "ALTER TABLE users ALTER mfa_enabled "
    without = sql(f"{before} DROP DEFAULT", f"{before} SET DEFAULT false")
    yield Sabotage(line, "default", "a column lost its default", without, "saw boolean NOT NULL")
    lost = "ALTER TABLE system_configuration {0} CONSTRAINT system_configuration_config_key_key {1}"
    key = sql(lost.format("DROP", ""), lost.format("ADD", "UNIQUE (config_key)"))
    yield Sabotage(line, "key", "a key is gone", key, "expected UNIQUE (config_key)")
    asleep = "ALTER TABLE websocket_connections {} TRIGGER ALL"
    idle = sql(asleep.format("DISABLE"), asleep.format("ENABLE"))
    yield Sabotage(line, "asleep", "a foreign key that nothing enforces", idle, "a trigger of it sleeps")
    label = "ALTER TYPE hazard RENAME VALUE '{0}' TO '{1}'"
    labels = sql(label.format("toxic", "poison"), label.format("poison", "toxic"))
    yield Sabotage(line, "label", "an enum without a value", labels, "saw none, irritant, poison")


def _indexes_and_trigger() -> Iterator[Sabotage]:
    line, index = "staging.database-indexes", "idx_webvitals_created"
    flag = "UPDATE pg_index SET indisvalid = {0} WHERE indexrelid = '{1}'::regclass"
    invalid = sql(flag.format("false", index), flag.format("true", index))
    yield Sabotage(line, "invalid", "schema 8.0.0, one index invalid", invalid, index)
    lost = f"ALTER INDEX {index} RENAME TO lost"
    yield Sabotage(
        line, "lost", "one index is missing", sql(lost, f"ALTER INDEX lost RENAME TO {index}"), index
    )

    other = f"DROP INDEX {index}; CREATE INDEX {index} ON webvitals_metrics (page_path)"
    again = f"DROP INDEX {index}; CREATE INDEX {index} ON webvitals_metrics (created_at)"
    yield Sabotage(line, "other", "on another column", sql(other, again), "(page_path)")
    partial = f"DROP INDEX {index}; CREATE INDEX {index} ON webvitals_metrics (created_at) WHERE user_id = 1"
    yield Sabotage(line, "partial", "for one user's rows only", sql(partial, again), "WHERE")

    line, trigger = "staging.database-trigger", "trigger_update_batch_stats"
    off = "ALTER TABLE computational_jobs DISABLE TRIGGER " + trigger
    yield Sabotage(
        line, "disabled", "there, but disabled", sql(off, off.replace("DISABLE", "ENABLE")), trigger
    )
    lost = "ALTER FUNCTION update_batch_job_stats() RENAME TO lost"
    found = "ALTER FUNCTION lost() RENAME TO update_batch_job_stats"
    yield Sabotage(line, "function", "its function is missing", sql(lost, found), "update_batch_job_stats")

    again = (
        f"CREATE OR REPLACE TRIGGER {trigger} AFTER INSERT OR DELETE OR UPDATE OF status, batch_id"
        " ON computational_jobs FOR EACH ROW EXECUTE FUNCTION update_batch_job_stats()"
    )
    idle = "CREATE FUNCTION idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    nothing = sql(
        f"{idle}; {again.replace('update_batch_job_stats', 'idle')}", f"{again}; DROP FUNCTION idle()"
    )
    yield Sabotage(line, "idle", "calls a function that does nothing", nothing, "idle()")
    beside = "CREATE TRIGGER undo BEFORE INSERT ON computational_jobs FOR EACH ROW WHEN (false)"
    undone = sql(f"{idle}; {beside} EXECUTE FUNCTION idle()", "DROP FUNCTION idle() CASCADE")
    yield Sabotage(line, "undone", "another may undo it", undone, "known_triggers, saw undo")
    head = "CREATE OR REPLACE FUNCTION update_batch_job_stats() RETURNS trigger LANGUAGE plpgsql AS "
    emptied = sql(f"{head}'BEGIN RETURN NULL; END'", _function())
    yield Sabotage(line, "emptied", "its function does nothing", emptied, "update_batch_job_stats")
    inserts = again.replace(" OR DELETE OR UPDATE OF status, batch_id", "")
    yield Sabotage(line, "inserts", "fires on inserts only", sql(inserts, again), "AFTER INSERT ON")


def _function() -> str:
    """As the release's migration makes it."""
    text = (NOX / repository.MIGRATION).read_text(encoding="utf-8")
    return text[text.index("CREATE OR REPLACE FUNCTION update") :].partition("\n$$;")[0] + "\n$$"


def _redis() -> Iterator[Sabotage]:
    line = "staging.redis-answers"
    # the API's own looks at Redis fail as well
    others = ("staging.ready", "staging.admin-allows-admin", *OAUTH)
    yield Sabotage(line, "loading", "answers, but is still loading", redis.loading, "oading", others)
    # the API cannot store the states of its logins either
    yield Sabotage(
        "staging.redis-primary", "replica", "a replica answers PING too", redis_is_a_replica, "slave", OAUTH
    )
    full = "its memory is full"
    yield Sabotage("staging.redis-primary", "full", "it takes no more", redis.full, full, OAUTH)
