"""The API client against a server that answers well: what is sent, and what is recorded."""

import socket
from typing import TYPE_CHECKING

import pytest
from tests_self.building.answering import Looks, http, request_of

from nox_service.access.tokens import MARK
from nox_service.api import LOOKS
from noxgate.errors import UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from tests_self.authority import Authority
    from tests_self.loopback import Loopback


def test_get_returns_and_records(loopback: "Loopback", authority: "Authority") -> None:
    """Status, headers in lower case with repeats kept apart, and the command to see it again."""
    looks = Looks(loopback, http(b'{"version": "8.0.0"}', "X-One: a", "X-Two: b", "X-Two: c"))

    answer = looks.client.get("/version")

    assert (answer.status, answer.json()) == (200, {"version": "8.0.0"})
    assert answer.headers["x-one"] == "a"
    assert (answer.headers["x-two"], answer.values["x-two"]) == ("b, c", ["b", "c"])
    (observation,) = looks.observed
    assert observation.seen.startswith("HTTP 200 in ")
    assert observation.seen.endswith(' ms: {"version": "8.0.0"}')
    url = f"{looks.target.base_url}/version"
    assert observation.repeat == f"curl -sS --cacert {authority.file.certificate} {url}"


def test_token_is_sent_and_named_but_not_shown(loopback: "Loopback") -> None:
    """The command says $TEST_TOKEN."""
    looks = Looks(loopback, http())

    looks.client.get("/x", who="test_token")

    assert b"\r\nauthorization: Bearer token-of-the-user\r\n" in looks.requests[0].replace(b"Auth", b"auth")
    assert '-H "Authorization: Bearer ${TEST_TOKEN:?}"' in looks.observed[0].repeat
    assert "token-of-the-user" not in repr(looks.observed)


@pytest.mark.parametrize(
    ("token", "sent", "end"),
    [
        ("token-of-the-user", b"token-of-AAAAAAAA", "A"),
        ("token-of-AAAAAAAA", b"token-of-BBBBBBBB", "B"),
    ],
)
def test_forged_token_has_another_end(loopback: "Loopback", token: str, sent: bytes, end: str) -> None:
    """The command makes it from the variable; neither token is shown."""
    looks = Looks(loopback, http())
    object.__setattr__(looks.target, "variables", {**looks.target.variables, "TEST_TOKEN": token})

    looks.client.get("/x", who="forged")

    assert b"uthorization: Bearer " + sent + b"\r\n" in looks.requests[0]
    assert f"ser-agent: {MARK}\r\n".encode() in looks.requests[0].replace(b"User-Agent", b"user-agent")
    assert f" -A {MARK} " in looks.observed[0].repeat
    assert f'-H "Authorization: Bearer ${{TEST_TOKEN%????????}}{end * 8}"' in looks.observed[0].repeat
    assert "token-of" not in repr(looks.observed)


def test_often_is_more_than_once(loopback: "Loopback") -> None:
    """Each look is recorded."""
    looks = Looks(loopback, http())

    assert {answer.status for answer in looks.client.get_often("/x")} == {200}
    assert (len(looks.requests), len(looks.observed)) == (LOOKS, LOOKS)


def test_key_that_stands_twice_is_a_mismatch(loopback: "Loopback") -> None:
    """Readers differ over which one counts."""
    answer = Looks(loopback, http(b'{"a": 1, "b": {"c": 1, "c": 2}}')).client.get("/x")

    with pytest.raises(AssertionError, match=r'^expected each key once, saw \{"a": 1'):
        answer.json()


def test_unset_token_is_unreachable_and_nothing_is_sent(loopback: "Loopback") -> None:
    """Not a request without it, which would look like a refusal."""
    looks = Looks(loopback, http())

    with pytest.raises(UnreachableError, match="names no variable for admin_token"):
        looks.client.get("/x", who="admin_token")

    assert looks.requests == []


def test_shown_headers_stand_for_the_body(loopback: "Loopback") -> None:
    """With those that are not there."""
    looks = Looks(loopback, http(b"long page", "X-One: a"))

    looks.client.get("/x", show=["X-One", "x-two"])

    assert looks.observed[0].seen.endswith(" ms: X-One: a; x-two: (absent)")
    assert "-o /dev/null -D -" in looks.observed[0].repeat


def test_redirects_are_not_followed(loopback: "Loopback") -> None:
    """Where it leads is for the check to judge."""
    looks = Looks(loopback, http(b"", "Location: https://elsewhere.example.com/", status="302 Found"))

    answer = looks.client.get("/x")

    assert (answer.status, answer.headers["location"]) == (302, "https://elsewhere.example.com/")
    assert len(looks.requests) == 1


def test_plain_get_shows_where_it_redirects(loopback: "Loopback") -> None:
    """Without TLS."""
    received = []

    def talk(connection: socket.socket) -> None:
        received.append(request_of(connection))
        connection.sendall(http(b"", "Location: https://localhost/x", status="308 Permanent Redirect"))

    looks = Looks.at(loopback, 9, plain_port=loopback.serve(talk))

    assert looks.client.get_plain("/x").status == 308
    assert looks.observed[0].seen.endswith("location: https://localhost/x")
    assert "--cacert" not in looks.observed[0].repeat
    assert len(received) == 1


def test_cookies_are_not_sent_back(loopback: "Loopback") -> None:
    """Every look is a stranger's."""
    looks = Looks(loopback, http(b"{}", "Set-Cookie: session=abc; Path=/"))

    for _ in range(3):
        looks.client.get("/x")

    assert [request for request in looks.requests if b"cookie" in request.lower()] == []


def test_netrc_is_not_read(loopback: "Loopback", monkeypatch: pytest.MonkeyPatch, tmp_path: "Path") -> None:
    """A password of the person's own machine has no business in a check."""
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text("machine localhost login me password not-to-be-sent\n")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    looks = Looks(loopback, http(), rehearsal=False)

    looks.client.get("/x")

    assert b"authorization" not in looks.requests[0].lower()


def test_rehearsal_goes_through_no_proxy(loopback: "Loopback", monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lies between a machine and itself."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{loopback.closed_port()}")
    looks = Looks(loopback, http())

    assert looks.client.get("/x").status == 200
