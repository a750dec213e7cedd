"""The API client against answers that are not valid or break off, and bad certificates."""

import gzip
from typing import TYPE_CHECKING

import pytest
from tests_self.building.answering import Answer, Looks, http, request_of

from noxgate.errors import UnreachableError
from noxgate.look.http import MOST_BYTES
from noxgate.look.observation import shortened

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback


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
