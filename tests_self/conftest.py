"""What the suite's own tests are given: a small project to run the plugin in."""

import json
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, NamedTuple

import httpcore  # noqa: F401 (httpx imports it late: a run inside this process would take it away again)
import numpy as np  # noqa: F401 (so does the sweep)
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from noxgate.target import Target

pytest_plugins = ["pytester"]

PYPROJECT = """
[tool.pytest]
strict = true
addopts = ["-p", "noxgate.plugin", "-p", "no:locust", "--import-mode=importlib", "--tb=short"]
testpaths = ["tests_staging", "tests_production"]
markers = ["runbook(id): line"]
filterwarnings = ["error", "default::pytest.PytestConfigWarning"]
"""

RUNBOOK = """
[release]
version = "8.0.0"
date = 2025-08-15
schema = "schema.toml"
[phase.staging]
title = "Staging"
budget_minutes = 15
folder = "tests_staging"
[phase.live]
title = "Live"
budget_minutes = 15
folder = "tests_production"
marker = "production"
"""

LINE = """
[{line}]
ref = "RB-2.{number}"
kind = "auto"
section = "2. Staging > {line}"
seed = [{number}]
expected = "/{line} is {{version}}"
next = "Redeploy {{version}}, then: pytest -m staging --target {{target}}"
"""

PROFILE = """
serves = ["staging"]
base_url = "https://localhost:9"
namespace = "nox-staging-green"
[credentials]
test_token = "TEST_TOKEN"
admin_token = "ADMIN_TOKEN"
database_url = "DATABASE_URL"
redis_url = "REDIS_URL"
[oauth.google]
client_id = "client"
"""

CHECK = """
import pytest
from noxgate.clients.observation import Observation
from noxgate.target import UnreachableError
{top}
{decorator}
@pytest.mark.runbook("{line}")
def test_{name}({arguments}):
{body}
"""
LOOK = 'observe(Observation("saw {line}", "curl {line}"))\n'

# What could make a run of the small project look elsewhere, or differently.
VARIABLES = (
    *("BASE_URL", "NAMESPACE", "NOXGATE_TARGET", "DATABASE_URL", "REDIS_URL", "TEST_TOKEN", "ADMIN_TOKEN"),
    "NOXGATE_SIGNING_KEY",
    *("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "PYTEST_XDIST_WORKER_COUNT"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last what brings the rehearsal's worlds up, which stay until the end and take half of a core."""
    items.sort(key=lambda item: (item.path.parent.name == "rehearsal", item.path.name == "test_world.py"))


class Project:
    """Two staging lines with a passing check each, and the targets `staging` and `rehearsal`."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self._lines = 0
        for folder in ("tests_staging", "tests_production", "targets"):
            (self.path / folder).mkdir()
        (self.path / "pyproject.toml").write_text(PYPROJECT)
        (self.path / "runbook.toml").write_text(RUNBOOK)
        (self.path / "targets" / "staging.toml").write_text(PROFILE)
        (self.path / "targets" / "rehearsal.toml").write_text("rehearsal = true\n" + PROFILE)
        self.check("version")
        self.check("health")

    def line(self, line: str, more: str = "") -> None:
        """Add a line to the runbook."""
        self._lines += 1
        with (self.path / "runbook.toml").open("a") as file:
            file.write(LINE.format(line=line, number=self._lines) + more + "\n")

    def check(
        self,
        name: str,
        body: str = "pass",
        *,
        looks: bool = True,
        top: str = "",
        decorator: str = "",
        arguments: str = "observe",
    ) -> None:
        """Write the check of `staging.<name>`, and its line where there is none yet."""
        line = f"staging.{name}"
        if f"[{line}]" not in (self.path / "runbook.toml").read_text():
            self.line(line)
        body = (LOOK.format(line=line) if looks else "") + dedent(body)
        text = CHECK.format(
            line=line, name=name, top=top, decorator=decorator, arguments=arguments, body=indent(body, "    ")
        )
        self.file(name).write_text(text)

    def file(self, name: str) -> Path:
        """The file of a check."""
        return self.path / "tests_staging" / f"test_{name}.py"

    def gate(self, *arguments: str, apart: bool = False) -> pytest.RunResult:
        """Run the staging phase on the target `staging`."""
        return self.run("-m", "staging", "--target", "staging", *arguments, apart=apart)

    def run(self, *arguments: str, apart: bool = False) -> pytest.RunResult:
        """Run pytest in this process; in one of its own if `apart`, or where xdist is asked for."""
        if apart or "-n" in arguments:
            return self.pytester.runpytest_subprocess(*arguments)
        return self.pytester.runpytest_inprocess(*arguments)

    def folders(self) -> list[Path]:
        """The run folders, whole or not, in order of their names."""
        return sorted(self.path.glob("reports/*/*"))

    def results(self) -> Any:
        """The results.json of the one run that there was."""
        (folder,) = self.folders()
        return json.loads((folder / "results.json").read_text())

    def outcomes(self) -> dict[str, str]:
        """Outcome by line of the one run that there was."""
        return {line["id"].partition(".")[2]: line["outcome"] for line in self.results()["lines"]}


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A small project; its checks are files that a test may write over."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return Project(pytester)


# ---------------------------------------------------------------- servers on loopback, for the clients


class Pair(NamedTuple):
    """Files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that clients trust, and certificates of several qualities."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        self.file = self._write("authority", self._certificate("an authority", self._key, ca=True), self._key)
        self.good = self.issue("good", "localhost", days=30)

    def issue(self, name: str, host: str, *, days: float, own: bool = False) -> Pair:
        """Make a certificate for `host` that ends in `days`, signed by the authority or by its own key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(name, self._certificate(host, key, days=days, signer=key if own else None), key)

    def _certificate(
        self,
        host: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        days: float = 30,
        ca: bool = False,
        signer: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if signer else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(signer or self._key, hashes.SHA256())
        )

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return pair


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all tests: keys take a moment."""
    return Authority(tmp_path_factory.mktemp("authority"))


class Loopback:
    """Servers in threads: each connection is handed to `talk`, then closed."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._listeners: list[socket.socket] = []
        self.at_end: list[Callable[[], None]] = []  # such as the close() of a client's session
        self.over = threading.Event()

    def serve(self, talk: Callable[[socket.socket], object]) -> int:
        """Listen; returns the port."""
        listener = socket.create_server(("localhost", 0))
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, talk), daemon=True).start()
        return int(listener.getsockname()[1])

    def serve_tls(
        self,
        talk: Callable[[socket.socket], object],
        pair: Pair | None = None,
        versions: tuple[ssl.TLSVersion, ssl.TLSVersion] = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
    ) -> int:
        """Listen for TLS, with a good certificate unless another is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(pair or self._authority.good))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = versions
        context.set_ciphers("ALL:@SECLEVEL=0")

        def handshake(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                talk(secure)

        return self.serve(handshake)

    def closed_port(self) -> int:
        """A port where nobody listens."""
        with socket.create_server(("localhost", 0)) as listener:
            return int(listener.getsockname()[1])

    def target(self, port: int, *, rehearsal: bool = True, plain_port: int = 9) -> Target:
        """A target whose API is at that port."""
        return Target(
            name="loopback",
            path=Path("loopback.toml"),
            serves=("staging",),
            base_url=f"https://localhost:{port}",
            plain_url=f"http://localhost:{plain_port}",
            namespace="nox",
            rehearsal=rehearsal,
            ca_file=self._authority.file.certificate,
            credentials={
                "test_token": "TEST_TOKEN",
                "database_url": "DATABASE_URL",
                "redis_url": "REDIS_URL",
            },
            variables={
                "TEST_TOKEN": "token-of-the-user",
                "DATABASE_URL": f"postgresql://nox:database-password@127.0.0.1:{port}/nox?sslmode=disable",
                "REDIS_URL": f"redis://:redis-password@127.0.0.1:{port}/0",
            },
        )

    def close(self) -> None:
        """Stop listening, and let those go that wait for the end."""
        self.over.set()
        for close in self.at_end:
            close()
        for listener in self._listeners:
            listener.close()

    def _accept(self, listener: socket.socket, talk: Callable[[socket.socket], object]) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._talk, args=(connection, talk), daemon=True).start()

    def _talk(self, connection: socket.socket, talk: Callable[[socket.socket], object]) -> None:
        with connection, suppress(OSError):  # the other side went away
            talk(connection)


@pytest.fixture
def loopback(authority: Authority) -> Iterator[Loopback]:
    """Servers that end with the test."""
    servers = Loopback(authority)
    yield servers
    servers.close()
