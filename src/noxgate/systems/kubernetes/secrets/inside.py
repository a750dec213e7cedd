"""Secrets inside other texts: connection strings, files, private keys, what is sent to sign in."""

import re
from collections.abc import Iterator

from noxgate.project.target import passwords
from noxgate.systems.kubernetes.secrets import files
from noxgate.systems.kubernetes.secrets.files import LINE, Pairs, of_basic
from noxgate.systems.kubernetes.secrets.public import blocks, is_of_ssh, private_keys
from noxgate.systems.kubernetes.secrets.settings import is_setting, looks_random, names_a_secret, words

DEEPEST = 5
_ONE_WORD = re.compile(r"[\w-]*")
# host=db password=x, and Server=db;Password=x;
_OF_A_STRING = re.compile(
    r"""(?:^|[;\s])\s*([A-Za-z][\w ]*?)\s*=\s*('(?:[^'\\]|\\.)*'|"[^"]*"|[^;\s]+)(?=[;\s]|$)"""
)


def inside(text: str, depth: int = 0) -> list[str] | None:
    """The secrets that a text holds; None if its form cannot hold any."""
    if depth > DEEPEST:
        return []
    if _ONE_WORD.fullmatch(text):
        return None
    pairs = next((found for read in _READERS if (found := read(text)) is not None), None)
    if pairs is None:
        return None
    once = dict.fromkeys(pairs)
    return list(dict.fromkeys(secret for key, value in once for secret in _of_pair(key, value, depth)))


def _of_pair(key: str, value: str, depth: int) -> Iterator[str]:
    held = inside(value, depth + 1)
    if held is None and words(key)[-1:] == ["auth"] and (password := of_basic(value)):
        held = [password]  # as Docker keeps it, beside the same in words
    if held is not None:
        yield from held
    elif value and not is_setting(key, value) and (names_a_secret(key) or looks_random(value)):
        yield value.strip()


def _of_keys(text: str) -> Pairs | None:
    """Of PEM the private keys, and what stands around them; of public ones nothing."""
    if is_of_ssh(text.strip()):
        return []
    if "-----BEGIN " not in text or text.strip().startswith(("{", "[")):
        return None
    private = private_keys(text)
    if private is None:
        return None
    around = blocks(text)[1]
    return [("private_key", each) for each in private] + (
        files.of_lines(around) or files.of_yaml(around) or []
    )


def _of_addresses(text: str) -> Pairs | None:
    """Of each address its passwords; an address without one holds nothing by this rule."""
    if "://" not in text or len(text) > LINE:
        return None
    pieces = re.split(r"[,\s]+(?=[\w+.:-]+://)", text.strip())
    found: list[str] = []
    for piece in pieces:
        try:
            found += passwords(piece.removeprefix("jdbc:"))
        except ValueError:
            return None
    return [("password", each) for each in found] or None


def _of_string(text: str) -> Pairs | None:
    """A connection string of names and values in one line."""
    found = _OF_A_STRING.findall(text) if len(text) <= LINE else []
    if len(found) < 2:  # noqa: PLR2004 (a = in a password does not count)
        return None
    return [(name, value.strip("\"'")) for name, value in found]


_READERS = (
    *(_of_keys, files.of_json, files.of_header, files.of_users, _of_addresses, files.of_lines, files.of_xml),
    *(files.of_yaml, _of_string),
)
