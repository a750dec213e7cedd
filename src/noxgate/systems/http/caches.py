"""Whether a cache gave an answer: then it says how things were, and not how they are."""

import re
from collections.abc import Iterator

from noxgate.look.http import Answer
from noxgate.look.observation import shortened

# X-Cache, X-Cache-Status, CF-Cache-Status, Cache-Status (RFC 9211), X-Cache-Hits, CDN-Cache …
_SAYS = re.compile(r"(?:[\w-]+-)?cache(?:-status|-hits)?")
_HITS = "-hits"
# A whole word, or the end of one as Akamai and Squid have them: TCP_MEM_HIT.
_STORED = re.compile(r"(?<![^\W_])(?:hit|stale|updating|revalidated|fresh)(?![\w.-])", re.IGNORECASE)
_NOT_STORED = re.compile(
    r"(?<![\w-])no[-_]hit|fwd\s*=\s*[\w-]+", re.IGNORECASE
)  # fwd=stale: it was asked anew
_VARNISH = re.compile(r"\d+\s+\d+")  # the request, and the one whose answer was kept
_TIMED = re.compile(r"cdn-cache\s*;\s*desc=\"?hit", re.IGNORECASE)
_WARNED = re.compile(r"(?:^|,)\s*11[01]\s")  # RFC 7234, 5.5: stale


def cached(answer: Answer) -> list[str]:
    """What says so (RFC 9111, 5.1; RFC 9211); some caches say `Age: 0` of what they have just fetched.

    Where several caches stand in a row, each may have said its own.
    """
    return [f"from a cache: {said}" for said in _said(answer)]


def _said(answer: Answer) -> Iterator[str]:
    headers = answer.headers
    ages = [each.strip() for each in headers.get("age", "").split(",")]
    if old := [each for each in ages if re.fullmatch(r"\d+", each, re.ASCII) and int(each)]:
        yield f"Age {old[0]}"
    for name, value in headers.items():
        if _SAYS.fullmatch(name) and _is_hit(name, value):
            yield f"{name}: {shortened(value, 60)}"
    for name, sign in (("x-varnish", _VARNISH), ("server-timing", _TIMED), ("warning", _WARNED)):
        if sign.search(headers.get(name, "")):
            yield f"{name}: {shortened(headers[name], 60)}"


def _is_hit(name: str, value: str) -> bool:
    if name.endswith(_HITS):
        return any(int(number) for number in re.findall(r"\d+", value, re.ASCII))
    return _STORED.search(_NOT_STORED.sub("", value)) is not None
