"""The release is not what its record, its repository or its migration should be."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from nox_rehearsal.day.record import PEOPLE
from nox_rehearsal.parts import repository
from nox_rehearsal.sabotages.in_cluster import added
from nox_rehearsal.sabotages.release_edits import in_production, migrated, profiled, recorded, replaced_once
from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.profile import RESTORE
from nox_rehearsal.world.state import World
from noxgate.project.keys.release import RUNBOOKS_RESTORE

LINT, RUN, TWICE, BLUE = (
    f"preflight.{name}"
    for name in ("migration-lint", "migration-rehearsal", "migration-idempotent", "blue-on-new-schema")
)

_NOTHING = ["psql", "-X", "-v", "backup={file}", "-d", "{database}", "-f", "/dev/null"]
_LESS = [*RESTORE, "-c", "ALTER TABLE public.users DROP CONSTRAINT users_email_key"]
_ELSEWHERE = [*RESTORE, "-h", "db.production.nox.example"]


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _record()
    yield from _code()
    yield from _migration()
    yield from _restore()


def _record() -> Iterator[Sabotage]:
    line = "preflight.release-identity"
    on_call = f'on_call = "{PEOPLE["on_call"][0]}"'
    blank = recorded(on_call, 'on_call = "[on-call name]"')
    yield Sabotage(line, "placeholder", "nobody is on call", blank, "on_call")
    other = recorded('version = "8.0.0"', 'version = "7.9.3"')
    yield Sabotage(line, "version", "the record of the last release", other, "7.9.3")
    long = recorded("planned_minutes = 60", "planned_minutes = 90")
    yield Sabotage(line, "long", "half an hour too long", long, "expected <= 60, saw 90")
    _, telephone, slack = PEOPLE["devops_lead"]
    line = "preflight.contacts"
    number = recorded(telephone, "+1 555 0100")
    yield Sabotage(line, "number", "a number out of an example", number, "devops_lead.telephone")
    handle = recorded(f'slack = "{slack}"', 'slack = "@your-handle"')
    yield Sabotage(line, "handle", "a handle as in the template", handle, "devops_lead.slack")
    line = "preflight.slack-channels"
    yield Sabotage(line, "hyphen", "with another hyphen", recorded('"#dev-team"', '"#dev_team"'), "#dev-team")
    line = "preflight.reference-links"
    yield Sabotage(line, "gone", "a page that moved", recorded("/sentry", "/sentry-old"), "HTTP 404")
    yield Sabotage(line, "blank", "a link as in the template", recorded("/wiki", "/[wiki-page]"), "blank")
    signed_in = recorded("http://127.0.0.1", "http://ada:V4mGq0sLx8@127.0.0.1")
    yield Sabotage(line, "password", "a link with a password in it", signed_in, "user name or password")
    line = "preflight.release-checklist"
    other = recorded(repository.CHECKLIST, f"docs/{repository.CHECKLIST}")
    yield Sabotage(line, "moved", "it is somewhere else", other, "saw None")
    folder = recorded(f'checklist = "{repository.CHECKLIST}"', 'checklist = "k8s"')
    yield Sabotage(line, "folder", "the name of a folder", folder, "saw None")
    yield Sabotage(line, "empty", "it is empty", added(repository.CHECKLIST, " \n"), "''")


def _code() -> Iterator[Sabotage]:
    line, tree = "preflight.branch-in-sync", "preflight.working-tree-clean"
    yield Sabotage(line, "ahead", "one commit ahead", _ahead, ", saw ")
    yield Sabotage(line, "behind", "one commit behind", _behind, ", saw ")
    branch = _git_says(
        ("checkout", "-q", "-b", "hotfix"), ("checkout", "-q", "main"), ("branch", "-D", "hotfix")
    )
    yield Sabotage(line, "branch", "another branch at the same commit", branch, "hotfix")
    yield Sabotage(line, "two", "production's manifests are another checkout's", _two_checkouts, "saw two")
    yield Sabotage(tree, "untracked", "one untracked file", _lying_there, "notes.txt")
    file = "k8s/staging/service.yaml"
    hidden = _git_says(
        ("update-index", "--assume-unchanged", file), ("update-index", "--no-assume-unchanged", file)
    )
    yield Sabotage(
        tree, "ignored", "a manifest that git ignores, and kubectl applies", _ignored, "canary.yaml"
    )
    yield Sabotage(tree, "hidden", "a file that git does not look at", hidden, file)


def _migration() -> Iterator[Sabotage]:
    after = (RUN, TWICE, BLUE)
    index = "CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_last_login ON users (last_login_at);"
    yield Sabotage(
        LINT,
        "in-transaction",
        "CONCURRENTLY in a transaction",
        migrated(lambda sql: replaced_once(sql, index, f"BEGIN;\n{index}\nCOMMIT;")),
        "cannot run inside a transaction",
        after,
    )
    early = "INSERT INTO migration_log (migration, step) VALUES ('8.0.0', 'asked');\n"
    yield Sabotage(
        LINT, "too-early", "a table created later", migrated(lambda sql: early + sql), "migration_log", after
    )
    lost = migrated(lambda sql: f"{sql}\nDROP INDEX IF EXISTS idx_jobs_queue;\n")
    yield Sabotage(RUN, "lost-index", "the version row is set, an index is lost", lost, "idx_jobs_queue")
    # not a key: those are in the release's catalog, which says so before
    check = "users_oauth_provider_check"
    taken = migrated(lambda sql: f"{sql}\nALTER TABLE users DROP CONSTRAINT IF EXISTS {check};\n")
    yield Sabotage(RUN, "taken", "any provider may be written to users now", taken, f"users.{check}")
    files = migrated(lambda sql: f"{sql}\nCREATE EXTENSION IF NOT EXISTS file_fdw;\n")
    yield Sabotage(RUN, "superuser", "only a superuser may do it", files, "permission denied", (TWICE, BLUE))
    held = "BEGIN;\nLOCK TABLE users;\nSELECT pg_sleep(5.2);\nCOMMIT;\n"
    long = migrated(lambda sql: held + sql)
    yield Sabotage(RUN, "long-lock", "nobody reads users for five seconds", long, "users: ACCESS EXCLUSIVE")
    what = "an index of millions of users, tried on a few, while writers wait"
    yield Sabotage(RUN, "millions", what, _millions, "cannot be told", outcome="unreachable")
    hotfix = in_production(
        "ALTER TABLE users ADD COLUMN mfa_enabled boolean", "ALTER TABLE users DROP COLUMN mfa_enabled"
    )
    yield Sabotage(RUN, "by-hand", "a column that production has already", hotfix, "mfa_enabled: only there")
    name = "CREATE INDEX computational_jobs_user ON"
    stale = added(
        repository.SCHEMA,
        lambda world: replaced_once(
            (world.source / repository.SCHEMA).read_text(encoding="utf-8"),
            name,
            name.replace("_user", "_mine"),
        ),
    )
    yield Sabotage(RUN, "stale", "tried on another schema than production's", stale, "jobs_mine: only here")
    deletes = migrated(lambda sql: f"{sql}\nDELETE FROM daily_usage WHERE user_id = 20;\n")
    yield Sabotage(RUN, "deletes", "some of the rows are taken away", deletes, "daily_usage: 10 of 200 rows")
    other = migrated(lambda sql: f"{sql}\nUPDATE molecules SET name = upper(name) WHERE carbons = 2;\n")
    yield Sabotage(RUN, "rewrites", "old rows become other ones", other, "molecules: 3 of 60 rows")
    unread = migrated(lambda sql: f"{sql}\nALTER TABLE molecules DROP COLUMN IF EXISTS formula;\n")
    yield Sabotage(RUN, "unread", "a column that no query reads is gone", unread, "molecules.formula")
    denied = "REVOKE INSERT ON websocket_connections FROM nox_production_app;"
    right = migrated(lambda sql: f"{sql}\n{denied}\n")
    yield Sabotage(RUN, "no-right", "the API may not use a new table", right, "no right to INSERT")
    table = "CREATE TABLE IF NOT EXISTS rate_limit_buckets"
    once = migrated(lambda sql: replaced_once(sql, table, "CREATE TABLE rate_limit_buckets"))
    yield Sabotage(TWICE, "once", "fails the second time", once, "already exists")
    grows = migrated(lambda sql: f"{sql}\nALTER TABLE users ADD CHECK (ai_daily_quota >= 0);\n")
    yield Sabotage(TWICE, "grows", "a constraint more each time", grows, "users_ai_daily_quota_check1")
    column = migrated(lambda sql: f"{sql}\nALTER TABLE users DROP COLUMN IF EXISTS display_name;\n")
    yield Sabotage(BLUE, "column", "a column that blue reads", column, "display_name", (RUN,))
    revoked = "REVOKE UPDATE ON computational_jobs FROM nox_production_app;"
    right = migrated(lambda sql: f"{sql}\n{revoked}\n")
    yield Sabotage(BLUE, "right", "a right that blue has", right, "permission denied for table", (RUN,))


def _restore() -> Iterator[Sabotage]:
    line = "preflight.restore-rehearsal"
    own = profiled(json.dumps(RESTORE), json.dumps(RUNBOOKS_RESTORE))
    yield Sabotage(line, "runbook", "the runbook's own command", own, "text format dump")
    for name, what, words, because in (
        ("nothing", "restores another file, without an error", _NOTHING, "(320, 0)"),
        ("index", "an index gets lost on the way", _LESS, "users_email_key"),
        ("elsewhere", "to the live server, as the rollback plan has it", _ELSEWHERE, "no other server"),
    ):
        other = profiled(json.dumps(RESTORE), json.dumps(words))
        yield Sabotage(line, name, what, other, because)


@contextmanager
def _millions(world: World) -> Iterator[None]:
    """Production says that it has so many; to make them would take minutes."""
    index = "CREATE INDEX IF NOT EXISTS users_upper ON users (upper(email));"
    many = "UPDATE pg_class SET reltuples = 9000000 WHERE oid = 'users'::regclass"
    with (
        migrated(lambda sql: f"{sql}\n{index}\n")(world),
        in_production(many, "ANALYZE users")(world),
    ):
        yield


@contextmanager
def _ahead(world: World) -> Iterator[None]:
    before = repository.head(world.source)
    repository.git(world.source, "commit", "--quiet", "--allow-empty", "--message=not pushed")
    try:
        yield
    finally:
        repository.back_to(world.source, before)


@contextmanager
def _behind(world: World) -> Iterator[None]:
    before = repository.head(world.source)
    repository.commit(world.source, "somebody else's")
    repository.git(world.source, "reset", "--quiet", "--hard", before)
    try:
        yield
    finally:
        repository.back_to(world.source, before)


@contextmanager
def _lying_there(world: World) -> Iterator[None]:
    path = world.source / "notes.txt"
    path.write_text("try again with the old image?\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def _two_checkouts(world: World) -> Iterator[None]:
    other = world.folder / "source-of-last-week"
    shutil.copytree(world.source, other)
    profile = world.profile.with_name("rehearsal-production.toml")
    before = profile.read_text(encoding="utf-8")
    profile.write_text(
        replaced_once(before, f'source = "{world.source}"', f'source = "{other}"'), encoding="utf-8"
    )
    try:
        yield
    finally:
        profile.write_text(before, encoding="utf-8")
        shutil.rmtree(other)


@contextmanager
def _ignored(world: World) -> Iterator[None]:
    exclude = world.source / ".git" / "info" / "exclude"
    before = exclude.read_text(encoding="utf-8")
    path = world.source / "k8s" / "staging" / "canary.yaml"
    exclude.write_text(f"{before}canary.yaml\n", encoding="utf-8")
    path.write_text("# nothing yet\n", encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()
        exclude.write_text(before, encoding="utf-8")


def _git_says(do: tuple[str, ...], *undo: tuple[str, ...]) -> Switch:
    @contextmanager
    def on(world: World) -> Iterator[None]:
        repository.git(world.source, *do)
        try:
            yield
        finally:
            for words in undo:
                repository.git(world.source, *words)

    return on
