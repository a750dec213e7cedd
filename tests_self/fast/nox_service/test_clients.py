"""The API client against servers that answer well, badly, late or not at all."""

import gzip
import json
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests_self.building.answering import Answer, Looks, http, request_of

from nox_service.access.closed_list import DOOR, SCIENCE, Knock
from nox_service.access.tokens import MARK, BadToken
from nox_service.api import LOOKS, ApiClient
from nox_service.together import Together
from noxgate.errors import UnreachableError
from noxgate.look.http import MOST_BYTES
from noxgate.look.observation import Patience, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from tests_self.authority import Authority
    from tests_self.loopback import Loopback

# ---------------------------------------------------------------- good answers


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


# ---------------------------------------------------------------- the closed list


def test_those_who_are_to_be_refused_ask_together(loopback: "Loopback") -> None:
    """One look is recorded, with the command of who was let in; each bad token is marked."""
    looks = Looks(loopback, http(b'{"pod": "a"}'))
    expired = BadToken("expired", "x.y.z", "$EXPIRED_TOKEN")

    answers = looks.together.knock(
        [Knock(DOOR, expired), Knock(DOOR, None, "HEAD"), Knock(DOOR, expired, "POST")]
    )

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert sorted(request.split()[0] for request in looks.requests) == [b"GET", b"HEAD", b"POST"]
    assert sum(MARK.encode() in request for request in looks.requests) == 2
    (observation,) = looks.observed
    assert observation.seen.startswith("3 requests in ")
    assert f'-H "Authorization: Bearer $EXPIRED_TOKEN" -A {MARK}' in observation.repeat


def test_nobody_knocks_with_what_is_not_on_the_list(loopback: "Loopback") -> None:
    """Nothing at all is sent then."""
    looks = Looks(loopback, http())

    with pytest.raises(ValueError, match="not on the closed list"):
        looks.together.knock([Knock(DOOR), Knock("/api/user/settings", None, "DELETE")])
    with pytest.raises(ValueError, match="starts with /"):
        looks.together.knock([Knock("@elsewhere")])

    assert looks.requests == []


def test_much_is_asked_over_few_connections(loopback: "Loopback") -> None:
    looks = Looks(loopback, http())

    assert [answer.status for answer in looks.together.gather("/x", 30)] == [200] * 30
    assert len(looks.requests) == 30
    assert [observation.seen.partition(" in ")[0] for observation in looks.observed] == ["30 requests"]


@pytest.mark.parametrize("path", SCIENCE)
def test_science_may_be_posted(loopback: "Loopback", path: str) -> None:
    """As JSON, and in the command too."""
    looks = Looks(loopback, http())

    looks.client.post(path, {"smiles": "C'C"}, who="test_token")

    head, _, body = looks.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST {path} HTTP/1.1\r\n".encode())
    assert b"content-type: application/json" in head.lower()
    assert json.loads(body) == {"smiles": "C'C"}
    assert """-d '{"smiles": "C'"'"'C"}'""" in looks.observed[0].repeat


def test_text_is_posted_as_it_is(loopback: "Loopback") -> None:
    """A broken body on purpose."""
    looks = Looks(loopback, http())

    looks.client.post(SCIENCE[0], '{"smiles": ')

    assert looks.requests[0].endswith(b'\r\n\r\n{"smiles": ')


@pytest.mark.parametrize(
    "path", ["/api/admin/health", "/", "", "/empirical/v1/", "/empirical/v1?x=1", "/EMPIRICAL/V1"]
)
def test_no_other_path_may_be_posted(loopback: "Loopback", path: str) -> None:
    """ARCHITECTURE 9: nothing is sent."""
    looks = Looks(loopback, http())

    with pytest.raises(ValueError, match=r"^a check may only POST to /empirical/v1, /predict/cj/v1, not"):
        looks.client.post(path, {})

    assert (looks.requests, looks.observed) == ([], [])


def test_there_are_no_other_methods() -> None:
    """Whoever adds one must come here."""
    public = [name for name in vars(ApiClient) if not name.startswith("_")]
    several = ["get_often", "command", "at_each_pod", "sample"]
    assert public == ["get", *several, "open_without_tls", "get_plain", "post"]
    assert [name for name in vars(Together) if not name.startswith("_")] == ["knock", "gather"]


@pytest.mark.parametrize("path", ["@elsewhere.example.com/", ":9/", ".example.com/", ""])
def test_path_cannot_change_the_host(loopback: "Loopback", path: str) -> None:
    """A token would go elsewhere."""
    looks = Looks(loopback, http())

    with pytest.raises(ValueError, match="expected a path that starts with /"):
        looks.client.get(path, who="test_token")
    with pytest.raises(ValueError, match="expected a path that starts with /"):
        looks.client.get_plain(path)


# ---------------------------------------------------------------- answers that are not valid


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>no</html>", "<html>no</html>"),
        (b"", "an empty body"),
        (b"NaN", "NaN"),
        (b'{"x": Infinity}', '{"x": Infinity}'),
        (b'{"x": 1', '{"x": 1'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[" * 400 + "… (100000 characters)"),
        (b'{"x": ' + b"9" * 5000 + b"}", '{"x": ' + "9" * 394 + "… (5007 characters)"),
    ],
    ids=["html", "empty", "nan", "infinity", "cut", "bytes", "deep", "number"],
)
def test_what_is_not_json_is_a_mismatch(loopback: "Loopback", body: bytes, shown: str) -> None:
    """We looked; it is wrong."""
    answer = Looks(loopback, http(body)).client.get("/x")

    with pytest.raises(AssertionError) as caught:
        answer.json()

    assert str(caught.value) == f"expected JSON, saw {shown}"


def test_huge_body_is_a_mismatch(loopback: "Loopback") -> None:
    """Read no further than the limit, and said so."""
    looks = Looks(loopback, http(b"x" * (MOST_BYTES + 100_000)))

    with pytest.raises(AssertionError, match="expected at most 5000000 bytes, saw more"):
        looks.client.get("/x")

    assert "saw more" in looks.observed[0].seen


def test_endless_body_is_a_mismatch(loopback: "Loopback") -> None:
    """The same holds for a small answer that unpacks to much."""
    body = gzip.compress(b"0" * 50_000_000)
    looks = Looks(loopback, http(body, "Content-Encoding: gzip"))

    with pytest.raises(AssertionError, match="saw more"):
        looks.client.get("/x")


def test_answer_cannot_move_the_cursor(loopback: "Loopback") -> None:
    """Nor print a verdict of its own in green."""
    looks = Looks(loopback, http("\x1b[2J\x1b[32mGO\x07 \u202e\x00 é".encode()))

    looks.client.get("/x")

    assert looks.observed[0].seen.endswith(r" ms: \x1b[2J\x1b[32mGO\x07 \u202e\x00 é")


BROKEN: dict[str, Answer] = {
    "closes at once": b"",
    "closes in the head": b"HTTP/1.1 200 OK\r\nContent-",
    "closes in the body": http(b"x" * 100)[:-50],
    "closes between chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "no http": b"220 ready for mail\r\n",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "bad gzip": http(b"not gzip at all", "Content-Encoding: gzip"),
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000,
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_broken_answer_is_unreachable_in_one_line(loopback: "Loopback", answer: Answer) -> None:
    """The line names the URL; the attempt is recorded with its command."""
    looks = Looks(loopback, answer)

    with pytest.raises(UnreachableError) as caught:
        looks.client.get("/x")

    assert str(caught.value).startswith(f"{looks.target.base_url}/x: ")
    assert "\n" not in str(caught.value)
    assert "[" not in str(caught.value)  # no [Errno 104], [SSL: ...]
    assert looks.observed[0].seen == f"could not look: {caught.value}"
    assert looks.observed[0].repeat.startswith("curl ")


def test_refused_connection(loopback: "Loopback") -> None:
    """In words."""
    looks = Looks.at(loopback, loopback.closed_port())

    with pytest.raises(UnreachableError, match=r"/x: connection refused$"):
        looks.client.get("/x")


@pytest.mark.parametrize(
    ("host", "days", "own", "words"),
    [
        ("localhost", 30, True, "self-signed certificate"),
        ("localhost", -1, False, "certificate has expired"),
        ("elsewhere.example.com", 30, False, "Hostname mismatch, certificate is not valid for 'localhost'."),
    ],
    ids=["self-signed", "expired", "other-host"],
)
def test_bad_certificate_is_unreachable(
    loopback: "Loopback",
    authority: "Authority",
    host: str,
    days: int,
    own: bool,  # noqa: FBT001
    words: str,
) -> None:
    """No token goes to a server that cannot say who it is."""
    received = []
    pair = authority.issue(f"{host}-{days}-{own}", host, days=days, own=own)
    port = loopback.serve_tls(lambda connection: received.append(request_of(connection)), pair)

    with pytest.raises(UnreachableError) as caught:
        Looks.at(loopback, port).client.get("/x", who="test_token")

    assert str(caught.value).endswith(f": certificate verify failed: {words}")
    assert received == []


# ---------------------------------------------------------------- time


def wait(loopback: "Loopback") -> Callable[[socket.socket], None]:
    """Say nothing."""

    def talk(connection: socket.socket) -> None:
        request_of(connection)
        loopback.over.wait(30)

    return talk


def drip(loopback: "Loopback") -> Callable[[socket.socket], None]:
    """One byte after another, each in time."""

    def talk(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not loopback.over.wait(0.02):
            connection.sendall(b"x")

    return talk


@pytest.mark.parametrize("behave", [wait, drip])
def test_a_look_has_a_limit(
    loopback: "Loopback", behave: Callable[["Loopback"], Callable[[socket.socket], None]]
) -> None:
    """However the server spends the time."""
    looks = Looks.at(loopback, loopback.serve_tls(behave(loopback)))
    looks.session.patience = Patience(looks.target.base_url, look=0.3, total=10)
    started = time.monotonic()

    with pytest.raises(UnreachableError, match=r"^https://localhost:\d+: no answer in 0.3 s$"):
        looks.client.get("/x")

    assert time.monotonic() - started < 7  # a read alone may take eight, and all that drips twenty


def test_patience_ends(loopback: "Loopback", monkeypatch: pytest.MonkeyPatch) -> None:
    """After some looks in vain, further ones fail at once: forty checks must not wait forty times."""
    looks = Looks.at(loopback, loopback.serve_tls(wait(loopback)))
    looks.session.patience = Patience(looks.target.base_url, look=0.2, total=0.3)
    for _ in range(2):
        with pytest.raises(UnreachableError, match="no answer"):
            looks.client.get("/x")
    monkeypatch.setattr(looks.session, "http", None)  # whoever tries again needs it

    with pytest.raises(UnreachableError, match="not tried again: it kept earlier looks waiting"):
        looks.client.get("/x")


def test_patience_is_not_lost_on_answers() -> None:
    """Errors and answers that come at once cost nothing."""
    patience = Patience("x", look=5, total=0.01)

    for _ in range(20):
        with pytest.raises(ValueError, match="invalid literal"):
            patience.run(lambda: int("x"))
        assert patience.run(lambda: 1) == 1


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("  one\n two\t", "one two"),
        ("x" * 400, "x" * 400),
        ("x" * 401, "x" * 400 + "… (401 characters)"),
        ("a\x1b[0m\ud800", r"a\x1b[0m\ud800"),
    ],
)
def test_shortened(text: str, short: str) -> None:
    """One line, and how much is left out."""
    assert shortened(text) == short
