"""Secrets inside other texts: connection strings of all forms, JSON, files of names and values."""

import json
import re
from collections.abc import Iterator
from typing import Any

from noxgate.project.target import passwords
from noxgate.systems.kubernetes.secrets.settings import is_setting, looks_random, names_a_secret

DEEPEST = 5
_LINE = 4096  # characters; of more, nobody makes a connection string
_PAIR = re.compile(r"""\s*(?:export\s+)?["']?([\w.-]+)["']?\s*[=:]\s*(.*?)\s*[,;]?""")
_COMMENT = re.compile(r"\s*([#;!].*|---)?")
# host=db password=x, and Server=db;Password=x;
_OF_A_STRING = re.compile(
    r"""(?:^|[;\s])\s*([A-Za-z][\w ]*?)\s*=\s*('(?:[^'\\]|\\.)*'|"[^"]*"|[^;\s]+)(?=[;\s]|$)"""
)


def inside(text: str, depth: int = 0) -> list[str] | None:
    """The secrets that a text holds; None where it is no text that holds others."""
    if depth > DEEPEST:
        return []
    for read in (_of_json, _of_addresses, _of_lines, _of_string):
        pairs = read(text)
        if pairs is not None:
            return list(
                dict.fromkeys(secret for key, value in pairs for secret in _of_pair(key, value, depth))
            )
    return None


def _of_pair(key: str, value: str, depth: int) -> Iterator[str]:
    held = inside(value, depth + 1)
    if held is not None:
        yield from held
    elif value and not is_setting(key, value) and (names_a_secret(key) or looks_random(value)):
        yield value.strip()


def _of_json(text: str) -> list[tuple[str, str]] | None:
    if not text.strip().startswith(("{", "[")):
        return None
    try:
        return list(_leaves("", json.loads(text)))
    except (ValueError, RecursionError):
        return None


def _leaves(key: str, document: Any) -> Iterator[tuple[str, str]]:
    rows: list[tuple[Any, Any]] = list(document.items()) if isinstance(document, dict) else []
    if isinstance(document, list):
        rows = [(key, each) for each in document]
    for name, value in rows:
        if isinstance(value, str):
            yield str(name), value
        else:
            yield from _leaves(str(name), value)


def _of_addresses(text: str) -> list[tuple[str, str]] | None:
    """Of each address its passwords; an address without one holds nothing by this rule."""
    if "://" not in text or len(text) > _LINE:
        return None
    pieces = re.split(r"[,\s]+(?=[\w+.:-]+://)", text.strip())
    found: list[str] = []
    for piece in pieces:
        try:
            found += passwords(piece.removeprefix("jdbc:"))
        except ValueError:
            return None
    return [("password", each) for each in found] or None


def _of_lines(text: str) -> list[tuple[str, str]] | None:
    """A file of settings: each line has a name and a value, or is a comment."""
    lines = [line for line in text.splitlines() if not _COMMENT.fullmatch(line)]
    if len(text.splitlines()) < 2 or not lines:  # noqa: PLR2004 (one line is no file)
        return None
    pairs = [_PAIR.fullmatch(line) if len(line) <= _LINE else None for line in lines]
    if not all(pairs):
        return None
    return [(pair[1], pair[2].strip("\"'")) for pair in pairs if pair]


def _of_string(text: str) -> list[tuple[str, str]] | None:
    """A connection string of names and values in one line."""
    found = _OF_A_STRING.findall(text) if len(text) <= _LINE else []
    if len(found) < 2:  # noqa: PLR2004 (a = in a password is no string)
        return None
    return [(name, value.strip("\"'")) for name, value in found]
