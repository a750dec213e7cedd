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
    """One configuration. A header of None is left out; no redirect: plain HTTP is served as it is."""

    port: int
    plain_port: int
    upstreams: tuple[int, ...]
    redirect: str | None
    headers: Mapping[str, str | None] = field(default_factory=lambda: dict(HEADERS))
    not_on_errors: str | None = None  # this header is left out of answers that are errors
    not_on_api: str | None = None  # this header is left out under /api/
    tls_protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    websocket: bool = True


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
        else f"\n{_headers(site)}\n{_locations(site)}"
    )
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
{_locations(site)}
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


def _locations(site: Site) -> str:
    if not site.upstreams:
        return "        location / { return 503; }"
    forwarded = """\
            proxy_pass http://nox_api;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;"""
    upgraded = f"""\
        location /ws {{
{forwarded}
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 1h;
        }}"""
    return f"""\
        location / {{
{forwarded}
            proxy_set_header Connection "";
        }}
{upgraded if site.websocket else ""}"""
