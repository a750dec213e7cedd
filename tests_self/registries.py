"""A client of registries, and one that answers as it is told to, for tests."""

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nox_rehearsal.parts import images
from noxgate.look.observation import Observation, Patience
from noxgate.systems import settings
from noxgate.systems.registry.client import Registry
from noxgate.systems.registry.session import ROLE, RegistrySession

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

COMMIT, COMMIT_BEFORE = "a" * 40, "b" * 40
CREDENTIALS = "release-gate:password-of-the-registry"
Headers = Mapping[str, str]
Reply = tuple[int, Headers, bytes]
GOOD = images.nox_api("8.0.0", revision=COMMIT, on=images.base())
MANIFEST = f"/v2/nox-api/manifests/{GOOD.digest}"
CONFIG = f"/v2/nox-api/blobs/{GOOD.blobs[0].digest}"
TYPE = {"content-type": images.MANIFEST}
HTML = {"content-type": "text/html"}
TAG = "/v2/nox-api/manifests/v8.0.0"


def client(
    loopback: "Loopback",
    home: str | None,
    observed: list[Observation] | None = None,
    *,
    password: str | None = CREDENTIALS,
    ca_file: Path | None = None,
    platform: str | None = "linux/amd64",
) -> Registry:
    """A client with a password for `home`."""
    target = loopback.target(9)
    if password is not None:
        target = replace(
            target, credentials={ROLE: "REGISTRY_PASSWORD"}, variables={"REGISTRY_PASSWORD": password}
        )
    target = replace(target, ca_file=ca_file or target.ca_file, registry=home, platform=platform)
    session = RegistrySession(settings.registry(target))
    session.patience = Patience("the registry", look=60)
    loopback.at_end.append(session.close)
    return Registry(session, (observed if observed is not None else []).append)


class Site:
    """A server that answers as it is told to, by path; and remembers what it was asked."""

    def __init__(self, loopback: "Loopback", replies: Mapping[str, Reply] | None = None) -> None:
        self.replies: dict[str, Reply | Callable[[Headers], Reply]] = {
            MANIFEST: (200, TYPE, GOOD.manifest.content),
            CONFIG: (200, {}, GOOD.blobs[0].content),
            **(replies or {}),
        }
        self.asked: list[tuple[str, Headers]] = []
        self.host = f"localhost:{loopback.serve_tls(self.talk)}"
        self.url = f"https://{self.host}"
        self.name = f"{self.host}/nox-api@{GOOD.digest}"

    def talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            path = stream.readline().split()[1].decode()
            lines = iter(lambda: stream.readline().decode().strip(), "")
            headers: dict[str, str] = {}
            for name, _, value in (line.partition(": ") for line in lines):
                known = headers.get(name.lower())
                headers[name.lower()] = value if known is None else f"{known}, {value}"
        self.asked.append((path, headers))
        reply = self.replies.get(path.partition("?")[0], (404, HTML, b"<h1>not here</h1>"))
        status, more, content = reply(headers) if callable(reply) else reply
        head = {"content-length": str(len(content)), "connection": "close"} | dict(more)
        answer = (f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in head.items()), "", "")
        connection.sendall("\r\n".join(answer).encode() + content)

    def authorizations(self) -> list[tuple[str, str | None]]:
        """Path without query, and what was sent with it."""
        return [(path.partition("?")[0], headers.get("authorization")) for path, headers in self.asked]


def manifest(**changes: Any) -> Reply:
    document = json.loads(GOOD.manifest.content) | changes
    return (200, TYPE, json.dumps(document).encode())


def config(**changes: Any) -> Mapping[str, Reply]:
    """A configuration that is its digest's, in a manifest by tag."""
    content = json.dumps(json.loads(GOOD.blobs[0].content) | changes).encode()
    blob = images.Blob(content, images.CONFIG)
    return {
        "/v2/nox-api/manifests/v8.0.0": manifest(config=blob.descriptor()),
        f"/v2/nox-api/blobs/{blob.digest}": (200, {}, content),
    }
