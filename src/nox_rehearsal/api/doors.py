"""Doors that a fault leaves open: to whom the honest application would never see."""

from starlette.types import Scope

from nox_rehearsal.api.login.auth import mint
from nox_rehearsal.api.settings import Settings

DOOR = "/api/admin/health"
ADMIN = 1  # of the seed's users
# What `rule_off` says -> whether this request gets in as an administrator's plain GET.
METHODS = ("HEAD", "OPTIONS", "POST")


def opened(scope: Scope, settings: Settings) -> Scope:
    """The request as an administrator's, where the rule that would stop it is off; else as it is."""
    rule, path = settings.rule_off, scope.get("path", "")
    by_path = {"slash": f"{DOOR}/", "case": DOOR.upper()}
    if scope["type"] != "http" or not (
        (rule in METHODS and (scope["method"], path) == (rule, DOOR))
        or (scope["method"] == "GET" and path == by_path.get(rule))
    ):
        return scope
    token = mint(settings.secret_key, ADMIN, "admin", 1)
    headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
    return {
        **scope,
        "method": "HEAD" if rule == "HEAD" else "GET",
        "path": DOOR,
        "raw_path": DOOR.encode(),
        "headers": [*headers, (b"authorization", f"Bearer {token}".encode())],
    }
