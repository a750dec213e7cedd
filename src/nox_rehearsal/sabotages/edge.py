"""The ingress serves wrongly."""

from collections.abc import Iterator

from nox_rehearsal.parts import certificates
from nox_rehearsal.sabotages.lines import HTTPS
from nox_rehearsal.sabotages.sabotage import Sabotage
from nox_rehearsal.sabotages.ways import at_ingress, certificate, redirects_without_query


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    yield from _headers()
    yield from _tls()


def _headers() -> Iterator[Sabotage]:
    wrong = {
        "frame-options": ("X-Frame-Options", "ALLOWALL"),
        "xss-protection": ("X-XSS-Protection", "0"),
        "content-type-options": ("X-Content-Type-Options", "no-sniff"),
        "hsts": ("Strict-Transport-Security", "max-age=31536"),
        "csp": ("Content-Security-Policy", "default-src *"),
        "referrer-policy": ("Referrer-Policy", "unsafe-url"),
    }
    for name, (header, value) in wrong.items():
        line = f"staging.header-{name}"
        yield Sabotage(line, "wrong", f"{header}: {value}", at_ingress(headers={header: value}), value)
        yield Sabotage(line, "absent", f"no {header}", at_ingress(headers={header: None}), "saw none")
        not_api = at_ingress(not_on_api=header)
        yield Sabotage(line, "not-on-api", f"no {header} under /api/", not_api, "/api/public/stats: ")
        only_good = at_ingress(not_on_errors=header)
        yield Sabotage(line, "not-on-errors", f"no {header} on an error page", only_good, "saw none")


def _tls() -> Iterator[Sabotage]:
    line = "staging.tls-certificate"
    yield Sabotage(line, "3-days", "3 days left", certificate(days=3), "3.00 days left")
    yield Sabotage(line, "14-days", "14 days left, and not more", certificate(days=14), "14.00 days left")
    other = certificate(names=("staging-api.example.com",))
    yield Sabotage(line, "other-host", "another host's certificate", other, "Hostname mismatch", HTTPS)
    unknown = certificate(authority=certificates.authority())
    yield Sabotage(line, "unknown-authority", "a chain that ends nowhere", unknown, "unable to get", HTTPS)
    old = at_ingress(tls_protocols=("TLSv1.1", "TLSv1.2", "TLSv1.3"))
    yield Sabotage("staging.tls-version", "1.1", "TLS 1.1 is still spoken", old, "TLSv1_1")
    alone = at_ingress(tls_protocols=("TLSv1.1",))
    also = (*HTTPS, "staging.tls-certificate")
    yield Sabotage("staging.tls-version", "1.1-alone", "TLS 1.1 and no other", alone, "neither", also)
    line = "staging.https-redirect"
    yield Sabotage(line, "plain", "answers without TLS", at_ingress(redirect=None), "200")
    elsewhere = at_ingress(redirect="https://api.example.com")
    yield Sabotage(line, "elsewhere", "redirects to another host", elsewhere, "api.example.com")
    yield Sabotage(line, "query", "loses the query", redirects_without_query, "stats'")
