"""The looks: at each system that a profile names, one request or two, and nothing is changed."""

import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from noxgate.doctor.needs import CLIENTS, OF_TOKENS, Need
from noxgate.doctor.seen import Cause, Place, Seen, authority_key, export, unnamed_source
from noxgate.doctor.systems.address import UNKNOWN_AUTHORITY, away, unrecorded
from noxgate.errors import UnreachableError
from noxgate.project.credentials.web_token import subject_of, untimely
from noxgate.project.target import BAD_TOKENS, PROVIDERS, USERS_TOKENS
from noxgate.systems import settings
from noxgate.systems.postgres.database import Database, DatabaseSession
from noxgate.systems.prometheus.client import Prometheus
from noxgate.systems.prometheus.session import PrometheusSession
from noxgate.systems.redis import Cache, CacheSession
from noxgate.systems.registry.session import ROLE as REGISTRY_ROLE
from noxgate.systems.registry.session import RegistrySession
from noxgate.systems.repository.repository import Repository

SUBJECT_OF = "test_token"
Look = Callable[[Place], Iterator[Seen]]
WRONG_PASSWORD = re.compile(r"password authentication failed|WRONGPASS|invalid username-password|NOAUTH|401")
MAY_NOT = re.compile(r"no permissions to run the '([\w|-]+)' command", re.IGNORECASE)
TABLES = """
SELECT current_user, current_setting('server_version'), count(*),
       count(*) FILTER (WHERE has_table_privilege(c.oid, 'SELECT'))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg_toast%'
"""


def database(at: Place) -> Iterator[Seen]:
    """PostgreSQL, and the role that looks."""
    role, need = "database_url", at.need("database")
    if (gone := _without(at, role, need)) is not None:
        yield gone
        return
    session = DatabaseSession(settings.database(at.target))
    try:
        ((user, version, tables, readable),) = Database(session, unrecorded).rows(TABLES)
    except (UnreachableError, AssertionError) as error:
        yield at.seen(role, str(error), need, cause=_of_credential(at, role, error), origin=at.variable(role))
        return
    finally:
        session.close()
    said = f"role {user}, PostgreSQL {version}, reads {readable} of {tables} tables"
    cause = None
    if tables and not readable:
        cause = Cause(
            f"the role {user} of ${at.target.credentials[role]} may read no table",
            (f"""psql "$ADMIN_DATABASE_URL" -c 'GRANT pg_read_all_data TO "{user}"'""",),
        )
    yield at.seen(role, said, need, cause=cause, origin=at.variable(role))


def redis(at: Place) -> Iterator[Seen]:
    """Redis, and what its user may ask."""
    role, need = "redis_url", at.need("redis")
    if (gone := _without(at, role, need)) is not None:
        yield gone
        return
    session = CacheSession(settings.cache(at.target))
    cache = Cache(session, unrecorded)
    try:
        cache.ping()
        says, version = cache.role(), cache.version()
        cache.readable("noxgate:doctor")
    except (UnreachableError, AssertionError) as error:
        yield at.seen(role, str(error), need, cause=_of_credential(at, role, error), origin=at.variable(role))
        session.close()
        return
    yield at.seen(role, f"Redis {version}, role {says}", need, origin=at.variable(role))
    try:
        cache.clients()
    except (UnreachableError, AssertionError) as error:
        cause = _of_credential(at, role, error)
        yield at.seen(role, str(error), at.need("redis", CLIENTS), cause=cause, origin=at.variable(role))
    finally:
        session.close()


def prometheus(at: Place) -> Iterator[Seen]:
    """Prometheus, and its token where the profile names one."""
    needs = [at.need("prometheus"), *([at.need("counters")] if at.target.load_counters else [])]
    if at.target.prometheus_url is None:
        yield at.unnamed("prometheus_url", "Prometheus' address", *needs)
        return
    role = next((each for each in settings.PROMETHEUS_ROLES if each in at.target.credentials), None)
    if role is not None and (gone := _without(at, role, *needs)) is not None:
        yield gone
        return
    session = PrometheusSession(settings.prometheus(at.target))
    try:
        scraped = Prometheus(session, unrecorded).targets()
    except (UnreachableError, AssertionError) as error:
        is_role = role is not None and re.search(r"\b40[13]\b", str(error))
        cause = (
            _of_credential(at, role, error)
            if role is not None and is_role
            else away(at, "prometheus_url", at.target.prometheus_url, error)
        )
        yield at.seen("prometheus_url", str(error), *needs, cause=cause)
        return
    finally:
        session.close()
    yield at.seen("prometheus_url", f"answers, scrapes {len(scraped)} targets", *needs)


def registry(at: Place) -> Iterator[Seen]:
    """The registry of the images, and its password where the profile names one."""
    need = at.need("registry")
    if at.target.registry is None:
        # images may be anybody's: each names its own registry, which is asked without a password
        yield at.seen("registry", "not named: each image's own is asked, without a password", is_set=False)
        return
    if REGISTRY_ROLE in at.target.credentials and (gone := _without(at, REGISTRY_ROLE, need)) is not None:
        yield gone
        return
    session = RegistrySession(settings.registry(at.target))
    try:
        said = session.greet()
    except (UnreachableError, AssertionError) as error:
        url = at.target.registry if "://" in at.target.registry else f"https://{at.target.registry}"
        cause = (
            _of_credential(at, REGISTRY_ROLE, error)
            if "is not taken" in str(error)
            else away(at, "registry", f"{url}/v2/", error, at.target.registry)
        )
        yield at.seen("registry", str(error), need, cause=cause)
        return
    finally:
        session.close()
    yield at.seen("registry", said, need)


def source(at: Place) -> Iterator[Seen]:
    """The checkout of the release repository, and the manifests in it."""
    target = at.target
    needs = [at.need("source"), at.need("manifests")]
    if target.source is None:
        yield unnamed_source(at, *needs)
        return
    try:
        head = Repository(target.source, unrecorded).head()
    except (UnreachableError, AssertionError) as error:
        clone = f"git clone YOUR-NOX-REPOSITORY {target.source}"
        cause = Cause(f"source: {error}", (clone, f"{at.edit('source')}     # where it is said"))
        yield at.seen("source", str(error), *needs, cause=cause)
        return
    yield at.seen("source", f"at commit {(head or 'none')[:12]}", *needs)
    if target.manifests is None:
        yield at.unnamed("manifests", "a folder below source", needs[1])
        return
    if target.render and shutil.which(target.render[0], path=None) is None:
        cause = Cause(f"render needs {target.render[0]}, which is not on this machine", (at.edit("render"),))
        yield at.seen("render", f"no program {target.render[0]}", needs[1], cause=cause)
    elif not target.render and not (target.source / target.manifests).is_dir():
        cause = Cause(f"{target.source / target.manifests} is not a folder", (at.edit("manifests"),))
        yield replace(
            at.seen("manifests", "no such folder below source", cause=cause),
            fails=(needs[1],),
        )
    else:
        yield at.seen("manifests", "made by render" if target.render else "a folder below source", needs[1])


def tokens(at: Place) -> Iterator[Seen]:
    """The users' tokens: that they are set, and that they have not run out."""
    for role in OF_TOKENS:
        need = at.need("token", role)
        if role in settings.PROMETHEUS_ROLES or role in {"grafana_token", "sentry_token"}:
            continue
        if role in BAD_TOKENS and role not in at.target.credentials:
            yield at.seen(role, "not named: tried with those that anybody can make", origin="-", is_set=False)
            continue
        if (gone := _without(at, role, need)) is not None:
            yield gone
            continue
        name, now = at.target.credentials[role], time.time()
        said = untimely(at.target.variables[name], now, now)
        cause = Cause(f"{name} {said}", (export(name),)) if said and role in USERS_TOKENS else None
        yield at.seen(role, said or "set", need, cause=cause, origin=at.variable(role))
        if role == SUBJECT_OF:
            yield from _subject(at)


def oauth(at: Place) -> Iterator[Seen]:
    """The client ids that sign-in URLs must have."""
    for provider in PROVIDERS:
        key, need = f"oauth.{provider}", at.need("oauth", provider)
        try:
            at.target.client_id(provider)
        except UnreachableError as error:
            name = at.target.client_id_variables.get(provider)
            cause = at.unset(name) if name else Cause(str(error), (at.edit(key),))
            said = f"${name} is not set" if name else "not named"
            yield at.seen(key, said, need, cause=cause, is_set=False)
        else:
            yield at.seen(key, "set", need)


def _without(at: Place, role: str, *needs: Need) -> Seen | None:
    """What is said of a credential that is not there; None if it is."""
    name = at.target.credentials.get(role)
    if name is None:
        line = f"""sed -i '/^\\[credentials\\]/a {role} = "{role.upper()}"' {shlex.quote(at.file)}"""
        said = f"{at.target.path.name} names no variable for {role} under [credentials]"
        cause = Cause(said, (line, export(role.upper())))
        return Seen(at.label(role), "not named", "not named", cause, needs, is_set=False)
    if name not in at.target.variables:
        return Seen(at.label(role), at.variable(role), "not set", at.unset(name), needs, is_set=False)
    return None


def _of_credential(at: Place, role: str, error: BaseException) -> Cause:
    """A credential that is refused, or whose user may not do it, or a server that is away."""
    name, text = at.target.credentials[role], str(error)
    if UNKNOWN_AUTHORITY.search(text):
        return Cause(
            f"{text}: {at.target.path.name} names {'a' if at.target.ca_file else 'no'} ca_file",
            (at.edit("ca_file"),),
            key=authority_key(at),
        )
    if denied := MAY_NOT.search(text):
        user = urlsplit(at.target.variables[name]).username or "default"
        grant = f'redis-cli -u "$ADMIN_REDIS_URL" ACL SETUSER {user} "+{denied[1]}"'
        return Cause(f"the user of ${name} may not ask {denied[1]}", (grant,))
    if WRONG_PASSWORD.search(text):
        return Cause(f"{text}", (export(name),))
    return Cause(text, (export(name),))


def _subject(at: Place) -> Iterator[Seen]:
    """Whose the test token is: some lines compare with that."""
    name = at.target.credentials[SUBJECT_OF]
    if at.target.test_subject is None and not subject_of(at.target.variables[name]):
        cause = Cause(
            f"${name} does not say whose it is (no JSON Web Token with a sub)",
            (at.name_it("test_subject", "usr_42"),),
        )
        yield at.seen("test_subject", "not named", at.need("subject"), cause=cause, is_set=False)
