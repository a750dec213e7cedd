"""The rehearsal's ingress: nginx before the pods, with TLS, the security headers and the redirect to HTTPS.

A reload keeps the listening sockets and lets the old workers finish what they have; the master ends its workers
when it is told to end, which is also the death signal that the kernel sends it.
"""

import http.client
import os
import pwd
import signal
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from noxgate import doctor
from noxgate.rehearsal import certificates, leftovers
from noxgate.rehearsal.error import RehearsalError
from noxgate.rehearsal.processes import Part
from noxgate.rehearsal.state import World
from noxgate.waiting import eventually

NAME = "ingress"
HEADERS: Mapping[str, str] = {
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "1; mode=block",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'self'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
_WORKERS = 2
_WORKER_USER = "www-data"  # as root: Debian's user for nginx


@dataclass(frozen=True)
class Site:
    """What the ingress serves. A header of None is left out; no redirect: plain HTTP is served as it is."""

    port: int
    plain_port: int
    upstreams: tuple[int, ...]
    redirect: str | None
    headers: Mapping[str, str | None] = field(default_factory=lambda: dict(HEADERS))
    tls_protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")


@dataclass(frozen=True)
class _Unchanged:
    pass


_UNCHANGED = _Unchanged()


def prepare(folder: Path, site: Site, certificate: certificates.Pair) -> Part:
    """Write the configuration and the certificate."""
    home = folder / NAME
    home.mkdir(mode=0o711)  # nginx's workers, another user, pass through to their temporary files
    home.chmod(0o711)
    certificate.write(home / "usual.pem", home / "usual.key")
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


def apply(
    world: World,
    *,
    headers: Mapping[str, str | None] | None = None,
    certificate: certificates.Pair | None = None,
    tls_protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3"),
    redirect: str | None | _Unchanged = _UNCHANGED,
    pods: tuple[str, ...] | None = None,
) -> None:
    """Serve with these changes, and otherwise as at the start; returns when only the changed ingress answers.

    `headers` are added to the usual ones (None drops one); `redirect` is the scheme and host to send plain HTTP
    to (None: serve it); `pods` are those that get traffic.
    """
    site = Site(
        port=world.port,
        plain_port=world.plain_port,
        upstreams=tuple(world.pods[pod] for pod in (world.pods if pods is None else pods)),
        redirect=world.base_url if isinstance(redirect, _Unchanged) else redirect,
        headers={**HEADERS, **(headers or {})},
        tls_protocols=tls_protocols,
    )
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
    certificate.write(home / "server.pem", home / "server.key")
    draft = home / "nginx.conf.draft"
    draft.write_text(render(home, site), encoding="utf-8")
    draft.replace(home / "nginx.conf")


def _reload(world: World) -> None:
    master = World.load(world.folder).pids.get(NAME)
    if master is None or leftovers.look(master) is None:
        raise RehearsalError("the ingress is not running: nothing to reload")
    before = set(leftovers.children(master))
    os.kill(master, signal.SIGHUP)

    def only_new_workers_accept() -> None:
        after = leftovers.children(master)
        accepting = {pid for pid in after if "shutting down" not in leftovers.title(pid)}
        assert len(accepting - before) == _WORKERS, "no new workers"
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


def render(home: Path, site: Site) -> str:
    """The whole of nginx.conf."""
    servers = "\n".join(f"        server 127.0.0.1:{port} fail_timeout=1s;" for port in site.upstreams)
    temporary = "\n".join(
        f"    {kind}_temp_path {home}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Old protocols are refused by OpenSSL itself unless the security level is lowered as well.
    is_old = {"TLSv1", "TLSv1.1"} & set(site.tls_protocols)
    ciphers = "ssl_ciphers DEFAULT@SECLEVEL=0;" if is_old else ""
    plain = (
        f"return 308 {site.redirect}$request_uri;"
        if site.redirect is not None
        else f"\n{_headers(site)}\n{_locations(servers)}"
    )
    return f"""\
{_user()}worker_processes {_WORKERS};
worker_rlimit_nofile 16384;
daemon off;
pid {home}/nginx.pid;
error_log stderr warn;
events {{
    worker_connections 8192;
}}
http {{
    access_log off;
    server_tokens off;
{temporary}
    keepalive_requests 1000000;
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        "" "";
    }}
    {_upstream(servers)}
    server {{
        listen 127.0.0.1:{site.plain_port};
        server_name localhost;
        {plain}
    }}
    server {{
        listen 127.0.0.1:{site.port} ssl;
        server_name localhost;
        ssl_certificate {home}/server.pem;
        ssl_certificate_key {home}/server.key;
        ssl_protocols {" ".join(site.tls_protocols)};
        {ciphers}
        # A resumed session would show the certificate of before a reload.
        ssl_session_tickets off;
{_headers(site)}
{_locations(servers)}
    }}
}}
"""


def _user() -> str:
    if os.getuid() != 0:
        return ""
    with suppress(KeyError):
        return f"user {pwd.getpwnam(_WORKER_USER).pw_name};\n"
    return ""


def _headers(site: Site) -> str:
    # The ingress alone decides: the application's own header of that name would make two.
    hidden = [f"        proxy_hide_header {name};" for name in site.headers]
    added = [
        f'        add_header {name} "{value}" always;'
        for name, value in site.headers.items()
        if value is not None
    ]
    return "\n".join([*hidden, *added])


def _upstream(servers: str) -> str:
    if not servers:
        return ""
    # Idle connections are given up before uvicorn does (5 s): one closed at the wrong moment would be a 502.
    return f"""upstream nox_api {{
{servers}
        keepalive 128;
        keepalive_requests 1000000;
        keepalive_timeout 2s;
    }}"""


def _locations(servers: str) -> str:
    if not servers:
        return "        location / { return 503; }"
    forwarded = """\
            proxy_pass http://nox_api;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;"""
    return f"""\
        location / {{
{forwarded}
            proxy_set_header Connection "";
        }}
        location /ws {{
{forwarded}
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 1h;
        }}"""
