"""The keys of a profile for people: in a terminal, and as docs/PROFILE.md."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noxgate.doctor.keys import every_key
from noxgate.errors import CommandError
from noxgate.project.keys.every import KEYS, TOPICS
from noxgate.project.keys.key import TABLE, Key, names
from noxgate.project.keys.reading import guess

FEW = 8  # lines of the runbook that stand where they are; more are folded
WIDTH = 80
Lines = Mapping[str, Sequence[str]]  # key -> the lines of the runbook that need it
BEGINS = """\
# The profile of a target

Made by `noxgate profile --markdown`; `noxgate profile KEY` shows one key in a terminal.

A profile is `targets/NAME.toml`, in [TOML](https://toml.io). Required are {required}.
All else says where more can be looked at. Nothing that is missing is passed over: lines that cannot be looked
at without it are `unreachable`, and `noxgate doctor --target NAME` lists them in ten seconds.
Editors that know schemas of TOML (taplo, Even Better TOML) complete a profile and check it as it is typed, by
the schema that its first line names: [schema/profile.schema.json](../schema/profile.schema.json).

"Needed by" are the lines whose checks ask the system that a key leads to, or read the key itself, in the
profile of the target or in that of its peer; also where something else is looked at without it.
"""


def toml(name: str, value: Any) -> str:
    """A key or a table as one writes it in a profile."""
    if not isinstance(value, dict):
        table, _, key = name.rpartition(".")
        return (f"[{table}]\n" if table else "") + f"{key} = {_value(value)}"
    if value and all(isinstance(each, dict) for each in value.values()):
        return "\n".join(toml(f"{name}.{key}", each) for key, each in value.items())
    return "\n".join([f"[{name}]", *(f"{key} = {_value(each)}" for key, each in value.items())])


def _value(value: Any) -> str:
    if isinstance(value, str) and '"' in value and "'" not in value:
        return f"'{value}'"  # as it stands
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _default(key: Key) -> str:
    """What holds where a profile does not say it."""
    if key.required:
        return "required"
    if key.default is None:
        return f"without it: {key.without}" if key.without else "no default"
    return f"default: `{_value(key.default)}`" if key.default not in ([], {}) else "default: none"


def _whose(key: Key) -> str:
    return "; a rehearsal's alone" if key.rehearsal else ""


def page(lines: Lines) -> str:
    """docs/PROFILE.md."""
    required = ", ".join(f"`{name}`" for name, key in KEYS.items() if key.required)
    out = [BEGINS.replace("{required}", required)]
    for topic in TOPICS:
        out.append(f"## {topic.title}\n")
        for key in topic.keys:
            out += _section(key, lines)
            out += [part for inner in key.inside() if inner.waits for part in _section(inner, lines)]
    return "\n".join(out)


def _section(key: Key, lines: Lines) -> Iterator[str]:
    yield f"### `{key.name}`\n"
    yield f"{key.meaning}\n"
    yield f"- type: {key.form.words}{_whose(key)}"
    yield f"- {_default(key)}"
    yield f"- needed by {_needed(lines[key.name])}\n"
    yield f"```toml\n{toml(key.name, key.example)}\n```\n"
    if key.keys and not any(inner.waits for inner in key.keys):
        yield "| key | type | default | example | what it is for |\n|---|---|---|---|---|"
        for inner in key.keys:
            cells = (f"`{inner.name}`", inner.form.words, _default(inner), f"`{_value(inner.example)}`")
            yield f"| {' | '.join((*cells, inner.meaning))} |"
        yield ""


def _needed(lines: Sequence[str]) -> str:
    if not lines:
        return "no line by itself"
    named = ", ".join(f"`{line}`" for line in lines)
    counted = "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    return f"{counted}: {named}" if len(lines) <= FEW else _folded(counted, named)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>{text}</details>"


def told(lines: Lines, name: str | None = None) -> Iterator[str]:
    """All keys, a line or two for each; or one key, and the tables and lines that belong to it."""
    if name is None:
        for topic in TOPICS:
            yield f"{topic.title}"
            for key in topic.keys:
                said = f"{key.form.words}; {_default(key)}{_whose(key)}"
                yield from _wrapped(f"  {key.name:<20} {said}", then=" " * 25)
                yield from _wrapped(key.meaning, " " * 23)
            yield ""
        return
    known = {key.name: key for key in every_key()}
    if name not in known:
        raise CommandError(f"no key {name!r} in a profile{guess(name, known)}: noxgate profile lists them")
    key = known[name]
    yield from _wrapped(key.meaning)
    yield f"type:       {key.form.words}{_whose(key)}"
    yield from _wrapped(_default(key), then=" " * 12)
    yield "example:"
    yield textwrap.indent(toml(key.name, key.example), "    ")
    if key.form is TABLE and key.keys:
        yield from _wrapped(f"keys:       {', '.join(names(key.keys))}", then=" " * 12)
    yield from _wrapped(f"needed by:  {', '.join(lines[name]) or 'no line by itself'}", then=" " * 12)


def _wrapped(text: str, indent: str = "", then: str | None = None) -> list[str]:
    return textwrap.wrap(
        text.replace("`", ""),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if then is None else then,
        break_on_hyphens=False,
        break_long_words=False,
    )
