"""The rehearsal's ingress: nginx before the pods, with TLS, the security headers and the redirect to HTTPS.

A reload keeps the listening sockets and lets the old workers finish what they have; the master ends its
workers when it is told to end, which is also the death signal that the kernel sends it.
"""

import http.client
import os
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TypedDict, Unpack

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.parts import certificates
from nox_rehearsal.parts.ingress_conf import HEADERS, WORKERS, Site, included, render
from nox_rehearsal.world import leftovers
from nox_rehearsal.world.processes import Part
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually
from noxgate.machine import doctor

NAME = "ingress"


def prepare(folder: Path, staging: Site, production: Site, certificate: certificates.Pair) -> Part:
    """Write the configuration and the certificates; no path leads anywhere until the controllers say so."""
    home = folder / NAME
    home.mkdir(mode=0o711)  # nginx's workers, another user, pass through to their temporary files
    home.chmod(0o711)
    certificate.write(home / "usual.pem", home / "usual.key")
    for site in (staging, production):
        upstreams, paths = included(home, site.name)
        upstreams.write_text("", encoding="utf-8")
        paths.write_text("location / { return 503; }\n", encoding="utf-8")
        certificate.write(home / f"server-{site.name}.pem", home / f"server-{site.name}.key")
    _write(home, (staging, production), dict.fromkeys((staging.name, production.name), certificate))
    return Part(
        name=NAME,
        address=f"https://localhost:{staging.port}",
        command=_command(home / "nginx.conf"),
        folder=home,
        serves=partial(_serves, staging.port, folder / "ca.pem"),
        death=signal.SIGTERM,
    )


def wait_until_serving(port: int, ca_file: Path, *, within: float) -> None:
    """Wait until a site leads to pods. Raises RehearsalError if it does not."""

    def serves() -> None:
        status = _answers(port, ca_file)
        assert status == HTTPStatus.OK, f"GET /health: HTTP {status}"

    try:
        eventually(serves, within=within, every=0.05)
    except AssertionError as error:
        raise RehearsalError(f"the ingress leads to no pod after {within:g} s: {error}") from None


class Changes(TypedDict, total=False):
    """The fields of Site that `apply` may change."""

    headers: Mapping[str, str | None]
    not_on_errors: str | None
    not_on_api: str | None
    redirect: str | None
    tls_protocols: tuple[str, ...]
    websocket: bool


def apply(
    world: World,
    *,
    certificate: certificates.Pair | None = None,
    site: str = "staging",
    **changes: Unpack[Changes],
) -> None:
    """Serve a site with these changes, and all else as at the start.

    `headers` are added to the usual ones. Returns when only the changed ingress answers.
    """
    home = world.folder / NAME
    usual = (
        Site("staging", world.port, world.plain_port, redirect=world.base_url),
        Site(
            "production",
            _port(world.production_url),
            _port(world.production_plain_url),
            redirect=world.production_url,
        ),
    )
    sites = [_changed(each, changes) if each.name == site else each for each in usual]
    given = {site: certificate} if certificate is not None else {}
    _write(home, sites, {each.name: given.get(each.name, _usual_certificate(home)) for each in sites})
    _reload(world)


def restore(world: World) -> None:
    """Serve as at the start."""
    apply(world)


@contextmanager
def leading(world: World, change: Callable[[str], str]) -> Iterator[None]:
    """Production's upstreams are otherwise than the controller has written them, which must stand still."""
    file = world.folder / NAME / "upstreams-production.conf"
    before = file.read_text(encoding="utf-8")
    file.write_text(change(before), encoding="utf-8")
    try:
        _reload(world)
        yield
    finally:
        file.write_text(before, encoding="utf-8")
        _reload(world)


def authority(world: World) -> certificates.Pair:
    """The authority that the profile's ca_file names, to issue other certificates for `apply`."""
    return certificates.Pair.read(world.ca_file, world.folder / "ca.key")


def _changed(site: Site, changes: Changes) -> Site:
    changed = replace(site, **changes)
    return replace(changed, headers={**HEADERS, **changed.headers})


def _usual_certificate(home: Path) -> certificates.Pair:
    return certificates.Pair.read(home / "usual.pem", home / "usual.key")


def _write(home: Path, sites: Sequence[Site], served: Mapping[str, certificates.Pair]) -> None:
    """Write what nginx is to read next; RehearsalError, and nothing changed, if it would refuse it."""
    draft = home / "nginx.conf.draft"
    drafts = [replace(site, certificate="draft") for site in sites]
    draft.write_text(render(home, *drafts), encoding="utf-8")
    files: list[Path] = []
    for name, certificate in served.items():
        pair = home / f"draft-{name}.pem", home / f"draft-{name}.key"
        certificate.write(*pair)
        files += pair
    test = subprocess.run([*_command(draft), "-t", "-q"], capture_output=True, text=True, check=False)
    if test.returncode != 0:
        for file in (draft, *files):
            file.unlink()
        raise RehearsalError(f"nginx refuses the configuration: {test.stderr.strip().partition(chr(10))[0]}")
    for file in files:
        file.replace(home / file.name.replace("draft", "server"))
    draft.write_text(render(home, *sites), encoding="utf-8")
    draft.replace(home / "nginx.conf")


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


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
        eventually(only_new_workers_accept, within=30, every=0.02)
    except AssertionError as error:
        log = (world.folder / "log" / f"{NAME}.log").read_text(encoding="utf-8").strip()
        raise RehearsalError(f"the ingress did not reload ({error}): {log.rpartition(chr(10))[2]}") from None


def _serves(port: int, ca_file: Path) -> None:
    _answers(port, ca_file)


def _answers(port: int, ca_file: Path) -> int:
    """The status of any answer with our certificate: the pods may not be there yet."""
    context = ssl.create_default_context(cafile=str(ca_file))
    with closing(http.client.HTTPSConnection("localhost", port, timeout=2, context=context)) as connection:
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise AssertionError(str(error)) from None
        return answer.status
