"""An edge that asks who comes for a certificate: the gate lacks one, so that it is unreachable."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.answering import Looks, http, refusing

from nox_rehearsal.world.ports import reserved
from nox_service.websocket import WebSocketClient
from noxgate.errors import UnreachableError
from noxgate.look.waiting import eventually
from noxgate.machine.doctor import program
from noxgate.systems import settings
from noxgate.systems.http.session import ApiSession

if TYPE_CHECKING:
    from tests_self.authority import Authority
    from tests_self.loopback import Loopback

CONFIGURATION = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};
    ssl_client_certificate {authority}; ssl_verify_client on;
    location / {{ return 200 "{{}}"; }}
  }}
}}
"""
SAID = "expects a client's certificate, and the gate has none$"


@pytest.fixture
def port(tmp_path: Path, authority: "Authority") -> Iterator[int]:
    """A real nginx that asks for one."""
    with reserved(1) as (port,):
        text = CONFIGURATION.format(
            folder=tmp_path, port=port, pair=authority.good, authority=authority.file.certificate
        )
        (tmp_path / "nginx.conf").write_text(text)
        command = [
            str(program("nginx")),
            "-e",
            str(tmp_path / "error.log"),
            "-c",
            str(tmp_path / "nginx.conf"),
        ]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as nginx:
            try:
                eventually(lambda: _listens(port), within=60, every=0.05)
                yield port
            finally:
                nginx.terminate()


def _listens(port: int) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == 0


def test_nginx_asks_for_a_certificate(loopback: "Loopback", port: int) -> None:
    """It answers 400 over HTTP, also where a WebSocket is wanted."""
    looks = Looks.at(loopback, port)
    session = ApiSession(settings.api(looks.target))
    loopback.at_end.append(session.close)

    with pytest.raises(UnreachableError, match=SAID):
        looks.client.get("/health")
    with pytest.raises(UnreachableError, match=SAID):
        looks.client.sample("/health", 2)
    with pytest.raises(UnreachableError, match=SAID):
        WebSocketClient(settings.tls(looks.target), session, looks.observed.append).echo("/ws", "hello")
    assert all(each.seen.startswith("could not look: ") for each in looks.observed)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_others_end_the_handshake(
    loopback: "Loopback", authority: "Authority", version: ssl.TLSVersion
) -> None:
    """With TLS 1.3 after it, so that the first answer is the alert."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.good)
    context.load_verify_locations(authority.file.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            refusing(secure)

    looks = Looks.at(loopback, loopback.serve(talk))
    with pytest.raises(UnreachableError):
        looks.client.get("/health")


def test_the_alert_of_tls_1_3_says_it(loopback: "Loopback") -> None:
    looks = Looks.at(loopback, loopback.serve_tls(refusing, clients=True))

    with pytest.raises(UnreachableError, match=SAID):
        looks.client.get("/health")


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden"])
def test_the_applications_own_refusal_is_an_answer(loopback: "Loopback", status: str) -> None:
    answer = http(b'{"error": "expected a certificate"}', status=status)

    assert Looks(loopback, answer).client.get("/health").status == int(status[:3])
