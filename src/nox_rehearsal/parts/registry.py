"""The rehearsal's OCI registry: the real one, with TLS and a password, on loopback."""

import base64
import ctypes
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import httpx

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import images
from nox_rehearsal.parts.certificates import Pair
from nox_rehearsal.parts.images import Blob, BuiltImage
from nox_rehearsal.world.processes import Part
from noxgate.machine import doctor
from noxgate.machine.tls import trusting

NAME = "registry"
USER = "release-gate"
BASE = "node:20-bookworm-slim"
_BCRYPT = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class RegistryServer:
    """Where it is, whom it trusts and how it is asked."""

    port: int
    ca_file: Path
    password: str = field(repr=False)

    @property
    def host(self) -> str:
        """As in the name of an image: HOST/nox-api:v8.0.0."""
        return f"localhost:{self.port}"

    @property
    def credentials(self) -> str:
        """USER:PASSWORD."""
        return f"{USER}:{self.password}"

    def connect(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://{self.host}",
            auth=(USER, self.password),
            verify=trusting(self.ca_file),
            trust_env=False,
            timeout=10,
        )


def prepare(folder: Path, registry: RegistryServer, certificate: Pair) -> Part:
    """Write its configuration and the password's hash; it keeps its images beside them."""
    home = folder / NAME
    home.mkdir()
    certificate.write(home / "tls.pem", home / "tls.key")
    passwords = home / "htpasswd"
    passwords.touch(mode=0o600)
    passwords.write_text(f"{USER}:{_hashed(registry.password)}\n", encoding="ascii")
    configuration = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(home / "data")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {
            "addr": f"127.0.0.1:{registry.port}",
            "secret": secrets.token_hex(16),
            "tls": {"certificate": str(home / "tls.pem"), "key": str(home / "tls.key")},
        },
        "auth": {"htpasswd": {"realm": "NOX rehearsal", "path": str(passwords)}},
    }
    file = home / "config.yml"
    file.touch(mode=0o600)
    file.write_text(json.dumps(configuration, indent=2), encoding="utf-8")  # which is YAML
    return Part(
        name=NAME,
        address=f"https://{registry.host}",
        command=(str(doctor.program("docker-registry")), "serve", str(file)),
        folder=home,
        serves=lambda: _answers(registry),
        environment={"GOMAXPROCS": "1"},
    )


def stock(registry: RegistryServer, commits: Mapping[str, str]) -> dict[str, BuiltImage]:
    """Push the application in each version, and the base that all are built on; the images by version."""
    base = images.base()
    base_name = f"{registry.host}/{BASE}"
    push(registry, base, *BASE.split(":"))
    pushed = {}
    for version, commit in commits.items():
        pushed[version] = images.nox_api(version, revision=commit, on=base, base_name=base_name)
        push(registry, pushed[version], images.REPOSITORY, f"v{version}")
    return pushed


def push(registry: RegistryServer, image: BuiltImage, repository: str, *tags: str) -> str:
    """Send an image with everything that it points at; returns its digest."""
    with registry.connect() as http:
        _push(http, image, repository)
        for tag in tags:
            _put_manifest(http, image.manifest, repository, tag)
    return image.digest


def _push(http: httpx.Client, image: BuiltImage, repository: str) -> None:
    for part in image.images:
        _push(http, part, repository)
    for blob in image.blobs:
        _put_blob(http, blob, repository)
    _put_manifest(http, image.manifest, repository, image.digest)


def _put_blob(http: httpx.Client, blob: Blob, repository: str) -> None:
    begun = _expect(http.post(f"/v2/{repository}/blobs/uploads/"), HTTPStatus.ACCEPTED)
    where = httpx.URL(urljoin(str(begun.url), begun.headers["location"]))
    ended = http.put(where.copy_add_param("digest", blob.digest), content=blob.content)
    _expect(ended, HTTPStatus.CREATED)


def _put_manifest(http: httpx.Client, manifest: Blob, repository: str, reference: str) -> None:
    where = f"/v2/{repository}/manifests/{reference}"
    headers = {"content-type": manifest.media_type}
    _expect(http.put(where, content=manifest.content, headers=headers), HTTPStatus.CREATED)


def _expect(response: httpx.Response, status: HTTPStatus) -> httpx.Response:
    if response.status_code != status:
        said = " ".join(response.text.split())[:200]
        raise RehearsalError(
            f"the registry refuses {response.request.method} {response.url.path}: "
            f"HTTP {response.status_code} {said}"
        )
    return response


def _answers(registry: RegistryServer) -> None:
    with registry.connect() as http:
        try:
            status = http.get("/v2/").status_code
        except httpx.TransportError as error:
            raise AssertionError(str(error)) from None
    assert status == HTTPStatus.OK, f"GET /v2/: HTTP {status}"


def _hashed(password: str) -> str:
    """The bcrypt hash, the one kind that the registry takes; from the system's libcrypt."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    salt = base64.b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    # the lowest cost: the password is as long as a key, and each request costs it again
    setting = f"$2b$04${salt.translate(str.maketrans(usual, _BCRYPT))}"
    hashed: bytes | None = library.crypt(password.encode(), setting.encode())
    if hashed is None or not hashed.startswith(b"$2b$"):
        raise RehearsalError("libcrypt makes no bcrypt hash: the registry's password cannot be kept")
    return hashed.decode("ascii")
