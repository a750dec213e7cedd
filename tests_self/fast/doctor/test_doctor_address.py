"""`noxgate doctor --target`: whether the API is what answers at the address, said once and first."""

import dataclasses
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.doctor import table
from noxgate.doctor.needs import CERTIFICATE, TRUSTED, Need
from noxgate.doctor.seen import Seen, place
from noxgate.doctor.systems.address import address, plain
from noxgate.run.causes import MANY

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback

PATHS = ("/metrics", "/health", "/ready")
PAGE = "<!doctype html><title>a page</title>"
DOCUMENT = '{"status":"healthy"}'
NEEDS = {
    **{f"staging.line-{number}": frozenset({Need("address", TRUSTED)}) for number in range(MANY)},
    "staging.certificate": frozenset({Need("address", CERTIFICATE)}),
}


def answering(answer: Callable[[str], tuple[int, str]]) -> Callable[[socket.socket], None]:
    """To any request."""

    def talk(connection: socket.socket) -> None:
        asked = connection.recv(4096).decode().split(" ")
        if not asked[1:]:
            return  # a handshake alone
        path = asked[1]
        status, body = answer(path)
        head = f"HTTP/1.1 {status} So\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    return talk


def seen_at(loopback: "Loopback", tmp_path: Path, port: int) -> list[Seen]:
    profile = tmp_path / "own.toml"
    profile.write_text(f'serves = ["staging"]\nbase_url = "https://localhost:{port}"\n')
    return list(address(place(dataclasses.replace(loopback.target(port), path=profile)), PATHS))


def said_first(seen: list[Seen]) -> str:
    return " ".join(row.strip() for row in table.first(table.waiting(seen, NEEDS))).strip()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, PAGE, "answers HTTP 404 wherever it is asked: probably not the API: look at base_url"),
        (404, '{"detail":"Not Found"}', "answers HTTP 404 wherever it is asked: probably not the API"),
        (200, PAGE, "answers HTTP 200 and no document wherever it is asked: probably not the API"),
        (302, "", "answers HTTP 302 and no document wherever it is asked: probably not the API"),
        (401, PAGE, "something asks for a sign-in before the API is reached"),
        (503, "", "no pod answers behind the ingress"),
    ],
)
def test_another_server(status: int, body: str, said: str, loopback: "Loopback", tmp_path: Path) -> None:
    port = loopback.serve_tls(answering(lambda _: (status, body)))

    seen = seen_at(loopback, tmp_path, port)

    assert said_first(seen).startswith(f"{MANY} lines have one cause: https://localhost:{port} answers")
    assert said in said_first(seen)
    assert seen[1].said.startswith(f"/metrics HTTP {status}: ")
    assert seen[1].fails == (Need("address", TRUSTED),)  # its certificate is the host's all the same
    (cause,) = table.waiting(seen, NEEDS)
    assert f"curl -sS -i https://localhost:{port}/metrics" in "\n".join(table.causes([cause]))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda _: (200, DOCUMENT), id="all of it"),
        pytest.param(lambda path: (200, DOCUMENT) if path == "/health" else (403, PAGE), id="shut doors"),
        pytest.param(lambda path: (200, "OK") if path == "/ready" else (503, DOCUMENT), id="a plain word"),
        pytest.param(lambda path: (200, "# HELP a b\n") if path == "/metrics" else (404, ""), id="metrics"),
    ],
)
def test_it_may_be_the_api(
    answer: Callable[[str], tuple[int, str]], loopback: "Loopback", tmp_path: Path
) -> None:
    (seen,) = seen_at(loopback, tmp_path, loopback.serve_tls(answering(answer)))

    assert seen.cause is None


def test_nothing_is_said_of_who_says_nothing(loopback: "Loopback", tmp_path: Path) -> None:
    """A handshake, and then no HTTP that is understood here."""
    (seen,) = seen_at(loopback, tmp_path, loopback.serve_tls(lambda connection: connection.recv(4096)))

    assert seen.cause is None


def test_answer_without_an_end(loopback: "Loopback", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table was printed in time, and the program did not end."""
    monkeypatch.setattr("noxgate.doctor.systems.address.LONGEST", 0.5)

    def talk(connection: socket.socket) -> None:
        if connection.recv(4096):
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 80\r\n\r\n")
        for _ in range(80):
            loopback.over.wait(0.05)
            connection.sendall(b"y")

    (seen,) = seen_at(loopback, tmp_path, loopback.serve_tls(talk))

    assert seen.cause is None


def test_a_host_that_refuses(loopback: "Loopback", tmp_path: Path) -> None:
    port = loopback.closed_port()

    seen = seen_at(loopback, tmp_path, port)

    assert said_first(seen).startswith(f"{len(NEEDS)} lines have one cause: base_url: localhost:{port}")
    assert said_first(seen).endswith(": connection refused")


def test_a_certificate_that_nobody_believes(
    loopback: "Loopback", authority: "Authority", tmp_path: Path
) -> None:
    """Of another authority, and of this one but for another host; it fails the line that judges it."""
    own = authority.issue("self-signed", "localhost", days=9, own=True)
    unknown = seen_at(loopback, tmp_path, loopback.serve_tls(answering(lambda _: (200, "")), own))
    pair = authority.issue("elsewhere", "other.example", days=9)
    elsewhere = seen_at(loopback, tmp_path, loopback.serve_tls(answering(lambda _: (200, "")), pair))

    assert "certificates are of an authority that the ca_file of own.toml does not know" in said_first(
        unknown
    )
    assert "is not valid: hostname mismatch" in said_first(elsewhere).lower()
    assert (len(unknown), len(elsewhere)) == (1, 1)


def test_few_lines_have_nothing_in_common(loopback: "Loopback", tmp_path: Path) -> None:
    """Then the cause stands below the settings alone."""
    seen = seen_at(loopback, tmp_path, loopback.closed_port())

    assert list(table.first(table.waiting(seen, {"staging.a": frozenset({Need("address", TRUSTED)})}))) == []


def seen_without_tls(loopback: "Loopback", tmp_path: Path, plain_url: str) -> Seen:
    profile = tmp_path / "own.toml"
    profile.write_text(f'serves = ["staging"]\nplain_url = "{plain_url}"\n')
    (seen,) = plain(place(dataclasses.replace(loopback.target(9), path=profile, plain_url=plain_url)))
    return seen


@pytest.mark.parametrize("status", [301, 200, 503])
def test_plain_http_is_asked(status: int, loopback: "Loopback", tmp_path: Path) -> None:
    """Its line judges the answer."""
    port = loopback.serve(answering(lambda _: (status, "")))

    seen = seen_without_tls(loopback, tmp_path, f"http://localhost:{port}")

    assert (seen.cause, seen.needs) == (None, (Need("plain"),))
    assert seen.said == f"http://localhost:{port} answers HTTP {status}"


def test_plain_http_that_does_not_answer(loopback: "Loopback", tmp_path: Path) -> None:
    """As the run says it, with the command that tries it and the one that says where it is."""
    port = loopback.closed_port()

    seen = seen_without_tls(loopback, tmp_path, f"http://localhost:{port}")

    assert seen.said == f"http://localhost:{port}: connection refused"
    assert seen.cause is not None
    assert seen.cause.remedy[0].startswith(f"curl -sS -i -m 5 http://localhost:{port}/")
    assert "such as http://localhost:8080, or closed" in seen.cause.remedy[1]


def test_plain_http_that_is_closed(loopback: "Loopback", tmp_path: Path) -> None:
    """Whether it is open is for its line to find."""
    assert seen_without_tls(loopback, tmp_path, "").cause is None
