"""The rehearsal's ingress: nginx before the pods, with TLS, the security headers and the redirect to HTTPS.

A reload keeps the listening sockets and lets the old workers finish what they have; the master ends its
workers when it is told to end, which is also the death signal that the kernel sends it.
"""

import http.client
import os
import signal
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

from noxgate import doctor
from noxgate.rehearsal import certificates, leftovers
from noxgate.rehearsal.error import RehearsalError
from noxgate.rehearsal.ingress_conf import HEADERS, WORKERS, Site, render
from noxgate.rehearsal.processes import Part
from noxgate.rehearsal.state import World
from noxgate.waiting import eventually

NAME = "ingress"


def prepare(folder: Path, site: Site, certificate: certificates.Pair) -> Part:
    """Write the configuration and the certificate."""
    home = folder / NAME
    home.mkdir(mode=0o711)  # nginx's workers, another user, pass through to their temporary files
    home.chmod(0o711)
    for name in ("usual", "server"):
        certificate.write(home / f"{name}.pem", home / f"{name}.key")
    _write(home, site, certificate)
    return Part(
        name=NAME,
        address=f"https://localhost:{site.port}",
        command=(
            str(doctor.program("nginx")),
            "-e",
            "stderr",
            "-p",
            str(home),
            "-c",
            str(home / "nginx.conf"),
        ),
        folder=home,
        serves=lambda: _answers(site.port, folder / "ca.pem"),
        death=signal.SIGTERM,
    )


class Changes(TypedDict, total=False):
    """The fields of Site that `apply` may change."""

    headers: Mapping[str, str | None]
    not_on_errors: str | None
    not_on_api: str | None
    redirect: str | None
    tls_protocols: tuple[str, ...]
    upstreams: tuple[int, ...]
    websocket: bool


def apply(world: World, *, certificate: certificates.Pair | None = None, **changes: Unpack[Changes]) -> None:
    """Serve with these changes, and otherwise as at the start; returns when only the changed ingress answers.

    `headers` are added to the usual ones.
    """
    usual = Site(world.port, world.plain_port, tuple(world.pods.values()), redirect=world.base_url)
    changed = replace(usual, **changes)
    site = replace(changed, headers={**HEADERS, **changed.headers})
    home = world.folder / NAME
    _write(home, site, certificate or _usual_certificate(home))
    _reload(world)


def restore(world: World) -> None:
    """Serve as at the start."""
    apply(world)


def authority(world: World) -> certificates.Pair:
    """The authority that the profile's ca_file names, to issue other certificates for `apply`."""
    return certificates.Pair.read(world.ca_file, world.folder / "ca.key")


def _usual_certificate(home: Path) -> certificates.Pair:
    return certificates.Pair.read(home / "usual.pem", home / "usual.key")


def _write(home: Path, site: Site, certificate: certificates.Pair) -> None:
    """Write what nginx is to read next; RehearsalError, and nothing written, if it would refuse it."""
    draft = home / "nginx.conf.draft"
    draft.write_text(render(home, site), encoding="utf-8")
    test = subprocess.run([*_command(draft), "-t", "-q"], capture_output=True, text=True, check=False)
    if test.returncode != 0:
        raise RehearsalError(f"nginx refuses the configuration: {test.stderr.strip().partition(chr(10))[0]}")
    certificate.write(home / "server.pem", home / "server.key")
    draft.replace(home / "nginx.conf")


def _command(configuration: Path) -> tuple[str, ...]:
    home = str(configuration.parent)
    return (str(doctor.program("nginx")), "-e", "stderr", "-p", home, "-c", str(configuration))


def _reload(world: World) -> None:
    master = World.load(world.folder).pids.get(NAME)
    if master is None or leftovers.look(master) is None:
        raise RehearsalError("the ingress is not running: nothing to reload")
    before = set(leftovers.children(master))
    os.kill(master, signal.SIGHUP)

    def only_new_workers_accept() -> None:
        after = leftovers.children(master)
        accepting = {pid for pid in after if "shutting down" not in leftovers.title(pid)}
        assert len(accepting - before) == WORKERS, "no new workers"
        assert accepting & before == set(), "the old workers still accept connections"

    try:
        eventually(only_new_workers_accept, within=10, every=0.02)
    except AssertionError as error:
        log = (world.folder / "log" / f"{NAME}.log").read_text(encoding="utf-8").strip()
        raise RehearsalError(f"the ingress did not reload ({error}): {log.rpartition(chr(10))[2]}") from None


def _answers(port: int, ca_file: Path) -> None:
    """Any answer with our certificate will do: the pods may not be there yet."""
    context = ssl.create_default_context(cafile=str(ca_file))
    with closing(http.client.HTTPSConnection("localhost", port, timeout=2, context=context)) as connection:
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            raise AssertionError(str(error)) from None
