"""What a profile says of credentials: variables and where they lead, OAuth, headers; no value is shown."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from noxgate.errors import ProfileError
from noxgate.look.database_url import is_database_url
from noxgate.look.written.spellings import FRAGMENT
from noxgate.project.keys import evidence
from noxgate.project.keys.evidence import CLUSTER_KEY, PROMPT, SCOPE, TENANT
from noxgate.project.keys.key import VARIABLE, names
from noxgate.project.keys.reading import guess
from noxgate.project.target import (
    BAD_TOKENS,
    CREDENTIALS,
    PROVIDERS,
    USERS_TOKENS,
    ProviderRequest,
    Target,
)

IDS = ("client_id", "client_id_variable")  # of [oauth.PROVIDER]: one of them
PLACES = names(evidence.PLACES)  # what credentials point at


def points_at(path: Path, table: object) -> Mapping[str, str]:
    """Where credentials must lead, as a run spells it."""
    if not isinstance(table, dict) or not all(
        key in PLACES and isinstance(value, str) for key, value in table.items()
    ):
        raise ProfileError(
            f"{path.name}: points_at: expected some of {', '.join(PLACES)}, "
            f'as database_url = "HOST:PORT/NAME"; saw {table!r}'
        )
    return {key: value.lower().rstrip("/") if key == CLUSTER_KEY else value for key, value in table.items()}


def oauth(
    path: Path, table: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str], dict[str, ProviderRequest]]:
    """Client ids, their variables, and what is asked for, by provider."""
    ids: dict[str, str] = {}
    variables: dict[str, str] = {}
    asks: dict[str, ProviderRequest] = {}
    for provider, entry in table.items():
        where = f"{path.name}: [oauth.{provider}]"
        if provider not in PROVIDERS:
            raise ProfileError(f"{where}: no such provider (providers: {', '.join(PROVIDERS)})")
        known = {key for each in evidence.PROVIDERS if each.name == provider for key in names(each.keys)}
        if not isinstance(entry, dict) or not entry.keys() <= known or len(entry.keys() & set(IDS)) != 1:
            seen = ", ".join(entry) or "nothing" if isinstance(entry, dict) else type(entry).__name__
            raise ProfileError(  # no values: a client secret may stand here by mistake
                f'{where}: expected client_id = "…" or client_id_variable = "NAME", saw {seen}'
            )
        (key,) = entry.keys() & set(IDS)
        value = entry[key]
        if not isinstance(value, str) or not value.strip():
            raise ProfileError(f"{where} {key}: expected text, saw {value!r}")
        if key == "client_id_variable" and not re.fullmatch(VARIABLE, value):
            raise ProfileError(
                f"{where} {key}: expected the NAME of an environment variable (capitals, digits, _)"
            )
        (ids if key == "client_id" else variables)[provider] = value
        asks[provider] = _asked(where, entry)
    return ids, variables, asks


def _asked(where: str, entry: Mapping[str, Any]) -> ProviderRequest:
    scopes, prompt, tenant = (entry.get(key) for key in ("scopes", "prompt", "tenant"))
    if scopes is not None and not (isinstance(scopes, list) and all(_is(SCOPE, one) for one in scopes)):
        raise ProfileError(f'{where} scopes: expected a list such as ["openid", "email"], saw {scopes!r}')
    if prompt is not None and not _is(PROMPT, prompt):
        expected = 'such as "select_account", or "" for none'
        raise ProfileError(f"{where} prompt: expected {expected}, saw {prompt!r}")
    if tenant is not None and not _is(TENANT, tenant):
        raise ProfileError(f'{where} tenant: expected such as "common", an id or a domain, saw {tenant!r}')
    return ProviderRequest(None if scopes is None else tuple(scopes), prompt, tenant)


def _is(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def headers(path: Path, table: Mapping[str, Any]) -> dict[str, str]:
    for name, value in table.items():
        if not isinstance(value, str) or not value:
            raise ProfileError(
                f"{path.name}: [security_headers] {name}: expected the header's value, saw {value!r}"
            )
    return {name.lower(): value for name, value in table.items()}


def credential_variables(path: Path, table: Mapping[str, Any]) -> dict[str, str]:
    for role, name in table.items():
        if role not in CREDENTIALS:
            raise ProfileError(
                f"{path.name}: [credentials]: unknown key {role!r} (keys: {', '.join(CREDENTIALS)})"
                f"{guess(role, CREDENTIALS)}"
            )
        if not isinstance(name, str) or not re.fullmatch(VARIABLE, name):
            raise ProfileError(  # the value may be a secret put here by mistake: never show it
                f"{path.name}: [credentials] {role}: expected the NAME of an environment variable "
                "(capitals, digits, _), never the value itself"
            )
    if {"prometheus_token", "prometheus_password"} <= table.keys():
        raise ProfileError(
            f"{path.name}: [credentials]: expected prometheus_token or prometheus_password, saw both"
        )
    return dict(table)


def check_secrets(target: Target) -> None:
    for role, is_one, form in (
        ("database_url", is_database_url, "postgresql://USER:PASSWORD@HOST:PORT/NAME"),
        ("redis_url", is_redis_url, "redis://USER:PASSWORD@HOST:PORT/NAME"),
    ):
        name = target.credentials.get(role, "")
        value = target.variables.get(name)
        if value is not None and not is_one(value):
            raise ProfileError(
                f"{name}: expected {form}, saw another form ({len(value)} characters, not shown); "
                "in a password @ : / % and a blank are written as %40 %3A %2F %25 %20"
            )
    for role in (*USERS_TOKENS, *BAD_TOKENS):
        name = target.credentials.get(role, "")
        if not re.fullmatch(r"[!-~]+", target.variables.get(name, "-")):
            raise ProfileError(f"{name}: expected a token of visible ASCII characters without spaces")
    for secret in target.secrets():
        if len(secret.reveal()) < FRAGMENT:
            raise ProfileError(
                f"{secret.name}: a token or password of fewer than {FRAGMENT} characters "
                "cannot be kept out of the reports: use a longer one"
            )


def is_redis_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    # An @ further on is the end of a password with a /, ? or # that was not quoted: we would not know it.
    rest = parts.path + parts.query + parts.fragment
    is_text = value.isprintable()  # an environment may hold bytes that are not text
    return (
        parts.scheme in {"redis", "rediss"}
        and bool(parts.hostname)
        and port_is_fine
        and "@" not in rest
        and is_text
    )
