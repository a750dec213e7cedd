"""How registries let us in: tokens, passwords, storage elsewhere; and what they say where they do not."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.registries import (
    CONFIG,
    CREDENTIALS,
    GOOD,
    HTML,
    MANIFEST,
    TAG,
    TYPE,
    Headers,
    Reply,
    Site,
    client,
)

from noxgate.errors import UnreachableError
from noxgate.systems import settings
from noxgate.systems.registry.names import named
from noxgate.systems.registry.session import ROLE, RegistrySession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

    from noxgate.look.observation import Observation

BEARER = "token-of-the-registry"
AUTHORIZATION = f"Basic {base64.b64encode(CREDENTIALS.encode()).decode()}"
CHALLENGE = 'Bearer realm="{realm}",service="nox",scope="repository:nox-api:pull,push"'


def _refused(code: str, message: object) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.mark.parametrize(
    ("pair", "body", "why"),
    [
        (
            "AWS:yesterdays-token",
            _refused("DENIED", "Your authorization token has expired. Reauthenticate and try again."),
            r"403: DENIED: Your .* try again\.; \$REGISTRY_PASSWORD has run out: .*password\), .* 12 hours$",
        ),
        (
            "gate:token-of-last-week",
            _refused("UNAUTHORIZED", "token  is\nexpired"),
            r"UNAUTHORIZED: token is expired; \$REG\w+ has run out: sign in again and export it anew$",
        ),
        (
            "AWS:yesterdays-token",
            b"",
            r"403: \$REG\w+ may not read nox-api, or there is none; or it has run out: .* 12 hours$",
        ),
        (
            "gate:another-token",
            _refused("DENIED", "requested access to the resource is denied"),
            r"DENIED: requested access to the resource is denied; \$REG\w+ may not read .* there is none$",
        ),
        ("gate:another-token", _refused("DENIED", 7), r"403: DENIED; \$REGISTRY_PASSWORD may not"),
    ],
)
def test_a_refusal_in_the_registrys_own_words(loopback: "Loopback", pair: str, body: bytes, why: str) -> None:
    """By its code and message, and what to do: sign in again is another errand than asking for rights."""
    site = Site(loopback)
    challenge = {"www-authenticate": 'Basic realm="https://registry.nox.example/",service="registry"'}
    site.replies[TAG] = lambda headers: (
        (403, {"content-type": "application/json"}, body)
        if headers.get("authorization")
        else (401, challenge, b"")
    )

    with pytest.raises(UnreachableError, match=why) as caught:
        client(loopback, site.host, password=pair).image(f"{site.host}/nox-api:v8.0.0")
    assert pair.partition(":")[2] not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_hub_has_one_password_under_all_its_names(loopback: "Loopback") -> None:
    """Under any name that the profile gives it."""
    target = replace(loopback.target(9), credentials={ROLE: "REGISTRY_PASSWORD"})
    for home in ("docker.io", "index.docker.io", "https://Registry-1.docker.io/"):
        session = RegistrySession(replace(settings.registry(target), registry=home))
        loopback.at_end.append(session.close)
        where = named("nox/api:1")
        assert session.url(where, "manifests", "1") == "https://registry-1.docker.io/v2/nox/api/manifests/1"
        assert session._is_for(where.host)  # noqa: SLF001 (a request to the hub would leave this machine)


def guarded(site: Site, realm: str, accepted: Sequence[str] = (BEARER,)) -> None:
    """The site wants one of these tokens, and says where to get it."""
    for path, reply in list(site.replies.items()):
        site.replies[path] = _guard(reply, CHALLENGE.format(realm=realm), accepted)


def _guard(reply: Any, challenge: str, accepted: Sequence[str]) -> Callable[[Headers], Reply]:
    refused: Reply = (401, {"www-authenticate": challenge}, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
    return lambda headers: (
        reply if headers.get("authorization", "").removeprefix("Bearer ") in accepted else refused
    )


def test_a_token_from_whom_the_registry_names(loopback: "Loopback") -> None:
    """Asked for once, to read this one repository only; the password goes nowhere but there."""
    observed: list[Observation] = []
    keeper = Site(loopback, {"/token": (200, {}, json.dumps({"token": BEARER}).encode())})
    site = Site(loopback)
    guarded(site, f"{keeper.url}/token?x=1")
    looking = client(loopback, site.host, observed)
    looking.image(site.name)
    looking.image(site.name)

    ((asked, headers),) = keeper.asked
    assert asked == "/token?x=1&scope=repository%3Anox-api%3Apull&service=nox"
    assert headers["authorization"] == AUTHORIZATION
    assert site.authorizations() == [
        (MANIFEST, None),
        *((path, f"Bearer {BEARER}") for path in (MANIFEST, CONFIG) * 2),
    ]
    assert observed[0].repeat == (
        f'skopeo inspect --raw --creds "${{REGISTRY_PASSWORD:?}}" docker://{site.name}'
    )
    assert BEARER not in repr(observed)
    assert CREDENTIALS not in repr(observed)


def test_a_token_for_everybody(loopback: "Loopback") -> None:
    """Without a password, and beside another registry's: that one is not for these."""
    keeper = Site(loopback, {"/token": (200, {}, json.dumps({"access_token": BEARER}).encode())})
    for home, password in ((None, None), ("registry.nox.example", CREDENTIALS)):
        site = Site(loopback)
        guarded(site, f"{keeper.url}/token")
        assert client(loopback, home, password=password).image(site.name).digest == GOOD.digest
    assert [authorization for _, authorization in keeper.authorizations()] == [None, None]


def test_a_token_that_runs_out(loopback: "Loopback") -> None:
    """The next look gets a new one."""
    keeper = Site(loopback, {"/token": (200, {}, json.dumps({"token": "old"}).encode())})
    site = Site(loopback)
    accepted = ["old"]
    guarded(site, f"{keeper.url}/token", accepted)
    looking = client(loopback, site.host)
    looking.image(site.name)
    accepted[:] = ["new"]
    keeper.replies["/token"] = (200, {}, json.dumps({"token": "new"}).encode())

    assert looking.image(site.name).digest == GOOD.digest


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ((401, {}, b'{"details":"password-of-the-registry"}'), r"saw HTTP 401: \$REGISTRY_PASSWORD may not"),
        ((302, {"location": "https://login.example/"}, b""), "expected a token for nox-api, saw HTTP 302"),
        ((200, HTML, b"<html>"), "expected a token, saw HTTP 200, text/html"),
        ((200, {}, b'{"token": ""}'), "expected a token"),
        ((200, {}, b'{"token": "a\\r\\nx: y"}'), "expected a token"),
        ((200, {}, b'["token"]'), "expected a token"),
        ((200, {}, json.dumps({"token": "not-the-one"}).encode()), "expected to be let in, saw HTTP 401"),
    ],
)
def test_no_token(loopback: "Loopback", reply: Reply, why: str) -> None:
    keeper = Site(loopback, {"/token": reply})
    site = Site(loopback)
    guarded(site, f"{keeper.url}/token")
    observed: list[Observation] = []

    with pytest.raises(UnreachableError, match=why):
        client(loopback, site.host, observed).image(site.name)
    assert "password-of-the-registry" not in repr(observed)
    assert "not-the-one" not in repr(observed)


@pytest.mark.parametrize(
    ("reply", "why", "never"),
    [
        (
            (429, {"retry-after": "60"}, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'),
            "HTTP 429: TOOMANYREQUESTS: slow down; wait, or sign in",
            "may not read",
        ),
        ((503, {}, b"<html>"), "HTTP 503: it is broken: nothing is known of the password", "may not read"),
        ((401, {}, _refused("UNAUTHORIZED", "no")), r"UNAUTHORIZED: no; \$REGISTRY_PASSWORD may not", "wait"),
        ((403, {}, b""), r"HTTP 403: \$REGISTRY_PASSWORD may not read", "wait"),
    ],
)
def test_why_there_is_no_token(loopback: "Loopback", reply: Reply, why: str, never: str) -> None:
    """Who is too busy to say has not said that the password is wrong."""
    keeper = Site(loopback, {"/token": reply})
    site = Site(loopback)
    guarded(site, f"{keeper.url}/token")

    with pytest.raises(UnreachableError, match=why) as caught:
        client(loopback, site.host).image(site.name)
    assert never not in str(caught.value)


def test_storage_that_refuses_its_own_link(loopback: "Loopback") -> None:
    """As S3 does by XML, or a company's proxy by a page: no matter of the registry's password."""
    store = Site(loopback, {"/store": (403, {"content-type": "application/xml"}, b"<Error/>")})
    site = Site(loopback, {CONFIG: (307, {"location": f"{store.url}/store?X-Amz-Signature=ab12"}, b"")})

    with pytest.raises(UnreachableError, match="403: the registry keeps it there, and its link is") as caught:
        client(loopback, site.host).image(site.name)
    assert "REGISTRY_PASSWORD" not in str(caught.value)
    assert "ab12" not in str(caught.value)


@pytest.mark.parametrize(
    "realm",
    ["http://auth.example/token", "https://me:pw@localhost/token", "file:///etc/passwd", "", "https://[x"],
)
def test_a_realm_that_must_not_have_the_password(loopback: "Loopback", realm: str) -> None:
    site = Site(loopback)
    guarded(site, realm)

    with pytest.raises(UnreachableError, match="expected tokens from https://…, saw the realm") as caught:
        client(loopback, site.host).image(site.name)
    assert ":pw" not in str(caught.value)


def test_blobs_that_are_kept_elsewhere(loopback: "Loopback") -> None:
    """The storage gets nothing of ours, even when it sends us back; and may not ask for a password."""
    store = Site(loopback, {"/store": (200, {}, GOOD.blobs[0].content)})
    site = Site(loopback, {"/back": (200, {}, GOOD.blobs[0].content)})
    refused = (401, {"www-authenticate": "Basic realm=x"}, b"")
    site.replies[MANIFEST] = lambda headers: (
        (200, TYPE, GOOD.manifest.content) if headers.get("authorization") == AUTHORIZATION else refused
    )
    site.replies[CONFIG] = (307, {"location": f"{store.url}/store?signature=secret"}, b"")
    observed: list[Observation] = []
    looking = client(loopback, site.host, observed)

    assert looking.image(site.name).digest == GOOD.digest
    store.replies["/store"] = (307, {"location": f"{site.url}/back"}, b"")
    assert looking.image(site.name).digest == GOOD.digest
    store.replies["/store"] = refused
    with pytest.raises(UnreachableError, match="/store: expected to be let in, saw HTTP 401"):
        looking.image(site.name)
    assert {authorization for _, authorization in store.authorizations()} == {None}
    assert ("/back", None) in site.authorizations()
    assert (CONFIG, AUTHORIZATION) in site.authorizations()
    assert "signature" not in repr(observed)


def test_the_host_of_one_registry_is_not_anothers(loopback: "Loopback") -> None:
    """A pod's image may name any registry: it asks for the password in vain."""
    site = Site(loopback)
    for path in (MANIFEST, CONFIG):
        site.replies[path] = (401, {"www-authenticate": 'Basic realm="give me"'}, b"")

    with pytest.raises(UnreachableError, match=r"\$REGISTRY_PASSWORD is for registry\.nox\.example"):
        client(loopback, "registry.nox.example").image(site.name)
    assert site.authorizations() == [(MANIFEST, None)]


def test_plain_http_is_for_loopback_alone(loopback: "Loopback") -> None:
    site = Site(loopback)
    port = loopback.serve(site.talk)
    looking = client(loopback, f"http://localhost:{port}")

    assert looking.image(f"localhost:{port}/nox-api@{GOOD.digest}").digest == GOOD.digest
    elsewhere = client(loopback, "http://registry.nox.example")
    with pytest.raises(UnreachableError, match="expected https; without TLS anybody may answer"):
        elsewhere.image("registry.nox.example/nox-api:v8.0.0")


def test_a_registry_that_is_not_there(loopback: "Loopback") -> None:
    port = loopback.closed_port()
    with pytest.raises(UnreachableError, match="connection refused"):
        client(loopback, None).image(f"localhost:{port}/nox-api:v8.0.0")
