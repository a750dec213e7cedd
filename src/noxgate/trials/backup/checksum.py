"""What a record of checksums says of a file: as sha256sum, its --tag, BSD's sha256 and openssl write it."""

import re
from dataclasses import dataclass

_HEX = r"(?P<digest>[0-9A-Fa-f]{64})"
_FORMS = (
    re.compile(rf"\\?{_HEX}(?:\s+\*?(?P<name>.+))?"),
    re.compile(rf"\\?SHA(?:2-)?256 ?\((?P<name>.+)\) ?= ?{_HEX}"),
)
_ESCAPED = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


@dataclass(frozen=True)
class Checksum:
    """One line: a digest, and of which file, without folders; "" where the line is the digest alone."""

    digest: str
    name: str


def checksums(text: str) -> list[Checksum]:
    """Every line that is one; a line of another form, or of another sum such as SHA512, does not count."""
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        match = next(filter(None, (form.fullmatch(line.strip()) for form in _FORMS)), None)
        if match is not None:
            found.append(Checksum(match["digest"].lower(), _plain(match["name"] or "", line)))
    return found


def said_of(text: str, name: str) -> str:
    """The digest of the file of this name; in words what is there in its place."""
    found = checksums(text)
    ours = list(dict.fromkeys(each.digest for each in found if each.name in {name, ""}))
    if ours:
        return " and ".join(ours)
    return f"of {found[0].name}: {found[0].digest}" if found else ""


def _plain(name: str, line: str) -> str:
    """Without its folder; sha256sum begins a line with a backslash where it wrote the name with some."""
    if line.startswith("\\"):
        name = re.sub(r"\\[\\nr]", lambda found: _ESCAPED[found[0]], name)
    return re.split(r"[/\\]", name)[-1]
