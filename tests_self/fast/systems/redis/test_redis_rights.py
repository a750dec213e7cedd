"""A real Redis with users of few rights, and with TLS."""

import ssl
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from tests_self.building.redis_servers import Server, server

from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.systems import settings
from noxgate.systems.redis import Cache, CacheSession

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback

__all__ = ["server"]

PASSWORD = "a-password-of-some-length"  # noqa: S105
LOOKS = ("+ping", "+role", "+info", "+exists", "+dbsize", "+config|get")
KEY = "noxgate:no-such-key"


def looked(server: Server, *rules: str) -> tuple[bool, str, bool, list[str]]:
    """All that a phase asks, as a user of these rights."""
    server.admin.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", "gate", "reset", "on", f">{PASSWORD}", *rules
    )
    url = f"redis://gate:{PASSWORD}@127.0.0.1:{server.port}/0"
    object.__setattr__(server.target, "variables", {"REDIS_URL": url})
    with closing(CacheSession(settings.cache(server.target))) as session:
        cache = Cache(session, lambda _: None)
        return cache.ping(), cache.role(), cache.readable(KEY), cache.refuses_writes()


@pytest.mark.parametrize(
    "rules",
    [
        ("~noxgate:*", "-@all", *LOOKS),
        ("~nox:*", "-@all", *LOOKS),  # the application's own keys
        ("-@all", *LOOKS),  # none
        ("~session:*", "+@all", "-@dangerous", "+info", "+role"),
        ("%R~*", "+@read", "+ping", "+info", "+role"),
    ],
)
def test_rights_that_will_do(server: Server, rules: tuple[str, ...]) -> None:
    assert looked(server, *rules) == (True, "master", True, [])


@pytest.mark.parametrize("missing", ["+ping", "+role", "+info", "+exists"])
def test_right_that_is_missing_is_named(server: Server, missing: str) -> None:
    rules = [rule for rule in LOOKS if rule != missing]
    with pytest.raises(UnreachableError, match=rf"REDIS_URL: .*'{missing[1:]}'"):
        looked(server, "~*", "-@all", *rules)


def test_only_tls(server: Server, authority: "Authority", loopback: "Loopback") -> None:
    """With the authority of the profile, and a host name that the certificate has."""
    port = loopback.closed_port()
    pair = authority.good
    for key, value in (
        ("tls-cert-file", pair.certificate),
        ("tls-key-file", pair.key),
        ("tls-ca-cert-file", authority.file.certificate),
        ("tls-auth-clients", "no"),
        ("tls-port", port),
    ):
        server.admin.config_set(key, str(value))

    def serves() -> None:
        with socket_of(port, authority.file.certificate) as client:
            assert client.ping()

    eventually(serves, within=60, every=0.1)
    object.__setattr__(server.target, "variables", {"REDIS_URL": f"rediss://localhost:{port}/0"})
    with closing(CacheSession(settings.cache(server.target))) as session:
        cache = Cache(session, lambda _: None)
        assert (cache.ping(), cache.role(), cache.readable(KEY)) == (True, "master", True)

    object.__setattr__(server.target, "ca_file", None)
    with (
        closing(CacheSession(settings.cache(server.target))) as session,
        pytest.raises(UnreachableError, match="ertificate"),
    ):
        Cache(session, lambda _: None).ping()


def socket_of(port: int, ca_file: Path) -> redis.Redis:
    """A client that trusts that authority."""
    return redis.Redis(
        host="localhost", port=port, ssl=True, ssl_ca_certs=str(ca_file), ssl_cert_reqs=ssl.CERT_REQUIRED
    )
