"""What pip is told on this machine about indexes, in the words of uv, which does not read pip's settings.

Standard library alone: it runs before any package is there. An index may have a password in its URL: nothing
here prints one, and `without_passwords` takes them out of what other programs print.
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Where one of these is set, uv was told by its own means which indexes to ask.
INDEXES_OF_UV = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
TRUE = {"y", "yes", "t", "true", "on", "1"}  # for pip


def environment(pip: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """`given`, and the settings with which uv asks the indexes that `pip` would ask."""
    return {**from_settings(_settings(pip, given), given), **given}


def from_settings(settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Pip's settings as variables of uv; none about indexes if `given` has some already."""
    names = {
        "SSL_CERT_FILE": settings.get("cert", ""),
        "SSL_CLIENT_CERT": settings.get("client-cert", ""),
        "ALL_PROXY": settings.get("proxy", ""),
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
    }
    if not any(given.get(name) for name in INDEXES_OF_UV):
        names |= {
            "UV_DEFAULT_INDEX": settings.get("index-url", ""),
            "UV_INDEX": " ".join(_there(settings.get("extra-index-url", ""))),
            "UV_FIND_LINKS": ",".join(_there(settings.get("find-links", ""))),
            "UV_OFFLINE": "1" if settings.get("no-index", "").lower() in TRUE else "",
            # as pip does: whichever index has the release; the hashes say which file it is
            "UV_INDEX_STRATEGY": "unsafe-best-match",
        }
    return {name: value for name, value in names.items() if value}


def without_passwords(text: str) -> str:
    """The text, and *** where a URL in it has a user or a password."""
    return re.sub(r"(?<=://)[^/\s'\"]*@", "***@", text)


def _there(words: str) -> list[str]:
    """Places of packages, without folders that do not exist: pip passes over them, uv fails."""
    return [word for word in words.split() if _is_there(word)]


def _is_there(place: str) -> bool:
    address = urlsplit(place)
    if address.scheme in {"", "file"}:
        return Path(unquote(address.path)).expanduser().exists()
    return True


def _settings(pip: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """What holds for `pip install`, of its files and of its variables: in pip's own words, if it has any."""
    said = subprocess.run(
        [*pip, "config", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=dict(given),
        check=False,
    )
    return read(said.stdout)


def read(listed: str) -> dict[str, str]:
    """The lines of `pip config list`, such as global.index-url='…': a variable counts more than a file."""
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            name, equals, value = line.partition("=")
            if equals and name.startswith(f"{section}."):
                settings[name[len(section) + 1 :]] = str(ast.literal_eval(value))
    return settings
