"""What the ingress serves, and the nginx configuration that says so."""

import os
import pwd
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

HEADERS: Mapping[str, str] = {
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "1; mode=block",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'self'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
WORKERS = 2
_WORKER_USER = "www-data"  # as root: Debian's user for nginx


@dataclass(frozen=True)
class Site:
    """One site. A header of None is left out; no redirect: plain HTTP is served as it is.

    Where its paths lead, the ingress controller says, in files that nginx includes.
    """

    name: str
    port: int
    plain_port: int
    redirect: str | None
    headers: Mapping[str, str | None] = field(default_factory=lambda: dict(HEADERS))
    not_on_errors: str | None = None  # this header is left out of answers that are errors
    not_on_api: str | None = None  # this header is left out under /api/
    tls_protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    websocket: bool = True
    certificate: str = "server"  # its files are named so, and then as the site


def render(home: Path, *sites: Site) -> str:
    """The whole of nginx.conf."""
    temporary = "\n".join(
        f"    {kind}_temp_path {home}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    served = "\n".join(_site(home, site) for site in sites)
    return f"""\
{_user()}worker_processes {WORKERS};
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
{served}
}}
"""


def included(home: Path, site: str) -> tuple[Path, Path]:
    """What the ingress controller writes for a site: its upstreams, and its paths."""
    return home / f"upstreams-{site}.conf", home / f"paths-{site}.conf"


def _site(home: Path, site: Site) -> str:
    upstreams, paths = included(home, site.name)
    # Old protocols are refused by OpenSSL itself unless the security level is lowered as well.
    is_old = {"TLSv1", "TLSv1.1"} & set(site.tls_protocols)
    ciphers = "ssl_ciphers DEFAULT@SECLEVEL=0;" if is_old else ""
    serves = f"{_headers(site)}\n        include {paths};"
    plain = f"return 308 {site.redirect}$request_uri;" if site.redirect is not None else f"\n{serves}"
    upgrade, upgraded = ("$http_upgrade", "upgrade") if site.websocket else ('""', '""')
    return f"""\
    map $http_upgrade $upgrade_{site.name} {{
        default {upgrade};
    }}
    map $http_upgrade $connection_{site.name} {{
        default {upgraded};
        "" "";
    }}
    include {upstreams};
    server {{
        listen 127.0.0.1:{site.plain_port};
        server_name localhost;
        {plain}
    }}
    server {{
        listen 127.0.0.1:{site.port} ssl;
        server_name localhost;
        ssl_certificate {home}/{site.certificate}-{site.name}.pem;
        ssl_certificate_key {home}/{site.certificate}-{site.name}.key;
        ssl_protocols {" ".join(site.tls_protocols)};
        {ciphers}
        # As ingress-nginx has it. Who goes on with a session is not shown the certificate anew: of ours only
        # the users of a load test do, on their second connection.
        ssl_session_cache shared:{site.name}:1m;
        ssl_session_tickets off;
{serves}
    }}"""


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
        f'        add_header {name} "{value}"{"" if name == site.not_on_errors else " always"};'
        for name, value in site.headers.items()
        if value is not None and name != site.not_on_api
    ]
    kept = []
    if site.not_on_api is not None:
        kept = [
            f'        set $kept "{site.headers[site.not_on_api]}";',
            '        if ($uri ~ ^/api/) { set $kept ""; }',  # nginx adds no empty header
            f'        add_header {site.not_on_api} "$kept" always;',
        ]
    return "\n".join([*hidden, *added, *kept])
