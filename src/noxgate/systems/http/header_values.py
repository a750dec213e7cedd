"""Security headers compared by what they mean to a browser, not by their letters."""

import re
from collections.abc import Callable, Mapping, Sequence

_POLICIES = frozenset(
    {"no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin"}
    | {"strict-origin", "strict-origin-when-cross-origin", "unsafe-url"}
)
_DEFINED = frozenset({"max-age", "includesubdomains"})  # of HSTS: browsers pass over all others


def faults(name: str, wanted: str, values: Sequence[str]) -> list[str]:
    """What is wrong with a header of one answer: it must be there once, and mean what is wanted."""
    if len(values) != 1:
        return [f"{name}: expected it once, saw {'; '.join(values) or 'none'}"]
    (value,) = values
    meaning = _MEANINGS.get(name.lower(), _plain)
    if meaning(value) == meaning(wanted) and _beside(name, wanted) <= _beside(name, value):
        return []
    return [f"{name}: expected {wanted}, saw {value}"]


def _word(value: str) -> object:
    """One keyword in any case (RFC 7034, 2.1; Fetch, 3.6)."""
    return value.strip().casefold()


def _hsts(value: str) -> object:
    """Directives in any order and case, quoted or not; unknown ones do not count (RFC 6797, 6.1)."""
    found = _directives(value)
    return None if found is None else {key: found[key] for key in found.keys() & _DEFINED}


def _xss(value: str) -> object:
    """A switch, and parameters in any order."""
    switch, *parameters = value.casefold().split(";")
    return switch.strip(), frozenset("".join(one.split()) for one in parameters if one.strip())


def _referrer(value: str) -> object:
    """The last policy that browsers know (Referrer Policy, 8.1)."""
    known = [token for token in re.split(r"[\s,]+", value.casefold()) if token in _POLICIES]
    return known[-1] if known else None


def _csp(value: str) -> object:
    """Directives in any order, the first of a name, each a set of sources (CSP 3, 2.2.1).

    Sources whose case counts (paths, nonces, hashes) are compared as they are.
    """
    found: dict[str, frozenset[str]] = {}
    for directive in value.split(";"):
        if words := directive.split():
            found.setdefault(words[0].casefold(), frozenset(map(_source, words[1:])))
    return found


def _source(word: str) -> str:
    if word.startswith("'"):
        return word if re.match(r"'(?:nonce|sha\d+)-", word, re.IGNORECASE) else word.casefold()
    scheme, separator, rest = word.rpartition("://")
    host, slash, path = rest.partition("/")
    return scheme.casefold() + separator + host.casefold() + slash + path


def _directives(value: str) -> Mapping[str, str] | None:
    """None if one stands twice, which makes a browser pass over the whole header."""
    found: dict[str, str] = {}
    for directive in value.split(";"):
        key, _, given = directive.partition("=")
        key, given = key.strip().casefold(), given.strip()
        if not key:
            continue
        if key in found:
            return None
        found[key] = given[1:-1] if re.fullmatch(r'"[^"]*"', given) else given
    return found


def _beside(name: str, value: str) -> frozenset[str]:
    """What a profile may want and no RFC knows, such as `preload`."""
    if name.lower() != "strict-transport-security":
        return frozenset()
    return frozenset(_directives(value) or {}) - _DEFINED


def _plain(value: str) -> object:
    return value.strip()


_MEANINGS: Mapping[str, Callable[[str], object]] = {
    "x-frame-options": _word,
    "x-content-type-options": _word,
    "x-xss-protection": _xss,
    "strict-transport-security": _hsts,
    "referrer-policy": _referrer,
    "content-security-policy": _csp,
}
