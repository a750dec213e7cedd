"""The links of the release record: asked without raising, and shown without what may be secret in them."""

import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.look.http import asked
from noxgate.look.observation import Observation
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.http.links import Links

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback

TARGET = Target(
    name="rehearsal",
    path=Path("rehearsal.toml"),
    serves=("preflight",),
    base_url="https://localhost",
    plain_url="http://localhost",
    namespace="nox",
    rehearsal=True,
)


def ask(url: str) -> tuple[str | None, Observation]:
    """What is wrong with it, and what was recorded."""
    observed: list[Observation] = []
    problem = Links(settings.connection(TARGET), observed.append).problem(url)
    (observation,) = observed
    return problem, observation


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("200 OK", None),
        ("401 Unauthorized", None),
        ("403 Forbidden", None),
        ("404 Not Found", "HTTP 404"),
        ("502 Bad Gateway", "HTTP 502"),
        ("302 Found\r\nLocation: /", "expected at most 20 redirects, saw more"),
        ("302 Found\r\nLocation: ftp://elsewhere/", "Request URL has an unsupported protocol 'ftp://'."),
    ],
)
def test_answers(loopback: "Loopback", answer: str, problem: str | None) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    assert ask(f"http://localhost:{loopback.serve(talk)}/d/release")[0] == problem


def hello(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def test_authority_of_the_profile(loopback: "Loopback", authority: "Authority") -> None:
    """The one that Grafana's own client believes; without it the server's certificate is not believed."""
    url = f"https://localhost:{loopback.serve_tls(hello, authority.good)}/"
    links = Links(settings.connection(replace(TARGET, ca_file=authority.file.certificate)), lambda _: None)

    assert links.problem(url) is None
    assert "CERTIFICATE_VERIFY_FAILED" in str(Links(settings.connection(TARGET), lambda _: None).problem(url))


@pytest.mark.parametrize("rehearsal", [True, False])
def test_authority_of_the_machine(
    loopback: "Loopback",
    authority: "Authority",
    monkeypatch: pytest.MonkeyPatch,
    rehearsal: bool,  # noqa: FBT001
) -> None:
    """A company's own, which its machines know; browsers, curl and the clients of the API ask them, too."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file.certificate))
    url = f"https://localhost:{loopback.serve_tls(hello, authority.good)}/"
    target = replace(TARGET, rehearsal=rehearsal)

    assert Links(settings.connection(target), lambda _: None).problem(url) is None
    assert asked(url, None, proxies=not rehearsal).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://a..b/",
        f"https://{'a' * 70}.nox.internal/",
        "https://[::1",
        "https://localhost:99999/",
        "http://localhost:1/\0",
        f"http://localhost:1/{'a' * 70_000}",
        "http://\ud800.nox.internal/",
        "http://localhost:1/\ud800",
        "nothing",
        "",
    ],
)
def test_what_is_no_address(url: str) -> None:
    """One line that says so, and no more than a line of it."""
    problem, observation = ask(url)

    assert problem
    assert "\n" not in problem
    assert observation.seen.startswith("no answer: ")
    assert len(observation.repeat) < 300


@pytest.mark.parametrize(
    "url",
    [
        "http://ada:hunter2hunter2@localhost:1/d",
        "http://hunter2hunter2@localhost:1/d",
        "http://localhost:1/d?token=hunter2hunter2",
        "http://localhost:1/d#key=hunter2hunter2",
        "http://ada:hunter2hunter2@[localhost:1/d",
    ],
)
def test_secrets_of_a_link_stay_in_the_record(url: str) -> None:
    """It is not ours to know which word of an address is a secret."""
    problem, observation = ask(url)

    assert problem
    assert "hunter2" not in problem + observation.seen + observation.repeat
