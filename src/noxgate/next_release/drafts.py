"""The project's files that name a release, each with the next one in its place."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import ProfileError
from noxgate.project.keys.release import RECORD_FILE
from noxgate.project.profile import read_document
from noxgate.project.runbook import Release

BLANK = "[on-call engineer]"  # as in the record's own template: pre-flight finds it
_VERSION = r"\d+\.\d+\.\d+"
# A key of a profile, also one that is a comment still: what is before its text, the text, and the rest.
_TEXT = r'^((?:# *)?{key} *= *")([^"]*)(".*)$'
_DRAFTED = re.compile(r"(?:# *)?(?:migration|old_queries) *=")


@dataclass(frozen=True)
class Next:
    """The release to come, after the one that runbook.toml names."""

    version: str
    date: dt.date
    before: Release

    @property
    def schema(self) -> str:
        """The catalog's file, named as the last one was."""
        name = self.before.schema.name
        if self.before.version in name:
            return name.replace(self.before.version, self.version)
        return f"{self.version}.toml"


@dataclass(frozen=True)
class Left:
    """What a draft leaves to a person: where, and what."""

    where: str
    what: str


@dataclass(frozen=True)
class Draft:
    """A file's next text, and what is left to do in it."""

    name: str
    text: str
    left: tuple[Left, ...] = ()
    is_new: bool = False  # nothing of that name belongs to the release before


def drafts(root: Path, coming: Next) -> Iterator[Draft]:
    """Everything that names the release, in the order in which a person reads it."""
    runbook = (root / "runbook.toml").read_text(encoding="utf-8")
    schema = coming.before.schema.relative_to(root)
    new_schema = schema.with_name(coming.schema)
    yield Draft("runbook.toml", _runbook(runbook, coming, new_schema.as_posix()))
    yield Draft(
        new_schema.as_posix(),
        _schema((root / schema).read_text(encoding="utf-8"), coming),
        (
            Left(
                new_schema.as_posix(),
                f"add what the migration of {coming.version} adds; `loses` what it takes",
            ),
        ),
        is_new=True,
    )
    records = {}
    for path in sorted((root / "targets").glob("*.toml")):
        try:
            _, document = read_document(root, str(path))
        except ProfileError:
            continue  # a release record, or no file of ours
        if document.get("rehearsal"):
            continue
        record = path.parent / document.get("record", RECORD_FILE)
        if record.is_file() and record.is_relative_to(root):
            records[record] = record.relative_to(root).as_posix()
        draft = _profile(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"), coming)
        if draft is not None:
            yield draft
    for record, name in records.items():
        yield _record(name, record.read_text(encoding="utf-8"), coming)


def _runbook(text: str, coming: Next, schema: str) -> str:
    head, table, rest = text.partition("[release]\n")
    end = re.search(r"^\[", rest, re.MULTILINE)
    facts, others = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    facts = _set(facts, "version", f'"{coming.version}"')
    facts = _set(facts, "date", coming.date.isoformat())
    return head + table + _set(facts, "schema", f'"{schema}"') + others


def _schema(text: str, coming: Next) -> str:
    text = text.replace(f"the {coming.before.version} migration", f"the {coming.version} migration")
    return _set(text, "schema_version", f'"{coming.version}"')


def _record(name: str, text: str, coming: Next) -> Draft:
    text = _set(text, "version", f'"{coming.version}"')
    text = _set(text, "date", coming.date.isoformat())
    text = _set(text, "on_call", f'"{BLANK}"')
    left = [
        Left(name, "`on_call`: who is on call that night"),
        Left(name, f"`planned_minutes`, contacts, people and links are those of {coming.before.version}"),
    ]
    return Draft(name, text, tuple(left))


def _profile(name: str, text: str, coming: Next) -> Draft | None:
    """None if nothing in it is of a release."""
    left: list[Left] = []
    new, old = coming.version, coming.before.version

    def migration(path: str) -> str:
        drafted = _migration(path, new, old)
        guess = f"a guess, {drafted}: as NOX names the file"
        unnamed = f"{path} names no version: which is that of {new}?"
        left.append(Left(name, f"`migration`: {unnamed if drafted == path else guess}"))
        return drafted

    def queries(path: str) -> str:
        drafted = re.sub(_VERSION, old, path)
        left.append(Left(name, f"`old_queries`: {drafted}: what {old} asks, which serves meanwhile"))
        return drafted

    drafted = _each(_each(text, "migration", migration), "old_queries", queries)
    if re.search(r"^(?:# *)?schema *=", text, re.MULTILINE):
        left.append(Left(name, f"`schema`: a new dump of production, which now has {old}"))
    for number, line in enumerate(drafted.splitlines(), start=1):
        if old in line and not _DRAFTED.match(line):
            left.append(Left(f"{name}:{number}", f"names {old} still: {line.strip()}"))
    return Draft(name, drafted, tuple(left)) if left else None


def _migration(path: str, new: str, old: str) -> str:
    """The file's name for the next release: from one version to the other, or with the one in it."""
    folder, slash, file = path.rpartition("/")
    both = re.sub(rf"v[\d.]+_to_v{_VERSION}", f"v{old}_to_v{new}", file)
    return f"{folder}{slash}{both if both != file else file.replace(old, new)}"


def _each(text: str, key: str, change: Callable[[str], str]) -> str:
    pattern = re.compile(_TEXT.format(key=key), re.MULTILINE)
    return pattern.sub(lambda match: f"{match[1]}{change(match[2])}{match[3]}", text)


def _set(text: str, key: str, value: str) -> str:
    """With another value of a key at its first place; what stands behind it on the line stays."""
    pattern = re.compile(rf'^({key} *= *)("[^"]*"|[^\s#]+)', re.MULTILINE)
    return pattern.sub(lambda match: match[1] + value, text, count=1)
