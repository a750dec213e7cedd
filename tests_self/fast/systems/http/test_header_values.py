"""Security headers: other letters with the same meaning, and nearly the same letters with another."""

import pytest

from noxgate.systems.http.header_values import faults

HSTS = "max-age=31536000; includeSubDomains"
XFO, XSS, XCTO = "X-Frame-Options", "X-XSS-Protection", "X-Content-Type-Options"
STS, CSP, REFERRER = "Strict-Transport-Security", "Content-Security-Policy", "Referrer-Policy"
POLICY = "default-src 'self'; img-src 'self' https://Cdn.Example.com/Logo"


@pytest.mark.parametrize(
    ("name", "wanted", "value"),
    [
        (XFO, "SAMEORIGIN", "sameorigin"),
        (XFO.lower(), "deny", " DENY "),
        (XCTO, "nosniff", "NoSniff"),
        (XSS, "1; mode=block", "1;mode=block"),
        (XSS, "1; mode=block", "1; MODE = Block"),
        (STS, HSTS, "includeSubDomains; max-age=31536000"),
        (STS, HSTS, 'max-age="31536000";includesubdomains;'),
        (STS, HSTS, f"{HSTS}; preload"),  # unknown to the RFC
        (STS, f"{HSTS}; preload", f"preload; {HSTS}"),
        (REFERRER, "strict-origin-when-cross-origin", "no-referrer, strict-origin-when-cross-origin"),
        (REFERRER, "same-origin", "Same-Origin"),
        (REFERRER, "same-origin", "same-origin, a-policy-of-2030"),
        (CSP, POLICY, "img-src https://cdn.example.com/Logo 'SELF'; DEFAULT-SRC 'self'"),
        (CSP, POLICY, f"{POLICY}; default-src *"),  # the second of a name does not count
        ("X-Own", "as it is", "as it is"),
    ],
)
def test_same_meaning(name: str, wanted: str, value: str) -> None:
    assert faults(name, wanted, [value]) == []


@pytest.mark.parametrize(
    ("name", "wanted", "value"),
    [
        (XFO, "SAMEORIGIN", "SAMEORIGIN, SAMEORIGIN"),
        (XFO, "DENY", "SAMEORIGIN"),
        (XCTO, "nosniff", "no-sniff"),
        (XSS, "1; mode=block", "1"),
        (XSS, "1; mode=block", "0; mode=block"),
        (STS, HSTS, "max-age=31536000"),
        (STS, HSTS, "max-age=3153600; includeSubDomains"),
        (STS, HSTS, f"{HSTS}; max-age=0"),
        (STS, HSTS, "max-age=31536000, includeSubDomains"),
        (STS, f"{HSTS}; preload", HSTS),
        (REFERRER, "strict-origin-when-cross-origin", "strict-origin-when-cross-origin, unsafe-url"),
        (REFERRER, "same-origin", "same_origin"),
        (CSP, POLICY, "default-src *; default-src 'self'; img-src 'self' https://cdn.example.com/Logo"),
        (CSP, POLICY, "default-src 'self'; img-src 'self' https://cdn.example.com/logo"),
        (CSP, "default-src 'self'", "default-src 'self' 'unsafe-inline'"),
        (CSP, "default-src 'self'", "default-src"),
        (CSP, "script-src 'nonce-aB'", "script-src 'nonce-ab'"),
        ("X-Own", "as it is", "as It is"),
    ],
)
def test_another_meaning(name: str, wanted: str, value: str) -> None:
    assert faults(name, wanted, [value]) == [f"{name}: expected {wanted}, saw {value}"]


@pytest.mark.parametrize(("values", "seen"), [([], "none"), (["DENY", "DENY"], "DENY; DENY")])
def test_once(values: list[str], seen: str) -> None:
    assert faults(XFO, "DENY", values) == [f"{XFO}: expected it once, saw {seen}"]
