"""Whether a sealed run is as it was sealed: who signed what, and each file that is otherwise.

Why evidence does not count is one value, which `noxgate verify` prints and the sign-off page shows. What it
is about is a field and never read out of its words: a file may have any name, that of a line, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noxgate.look.documents import of_json
from noxgate.trust import seal
from noxgate.trust.signing import PublicKey, SigningError, opened


@dataclass(frozen=True)
class Refusal:
    """Why evidence does not count: a line, where one is named, else a run; `file` is what it is about."""

    why: str
    line: str = ""
    file: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.line, self.file, self.why) if part)


REHEARSAL = Refusal("is a rehearsal: it does not count for a release")


def altered(folder: Path, signers: Sequence[PublicKey]) -> tuple[Refusal, ...]:
    """What is not as it was sealed, of a run that is sealed; nothing of one that is not."""
    if not (folder / seal.ENVELOPE).exists():
        return ()
    try:
        subjects, _ = statement(folder, signers)
    except SigningError as error:
        return (Refusal(str(error)),)
    return tuple(changed(folder, subjects))


def sealed_by(folder: Path) -> str | None:
    """The id of the key that a run says it was sealed with; None if it says nothing that can be read."""
    try:
        (signature,) = seal.read_json(folder / seal.ENVELOPE)["signatures"]
        return str(signature["keyid"])
    except (SigningError, KeyError, TypeError, ValueError):
        return None


def statement(folder: Path, signers: Sequence[PublicKey]) -> tuple[dict[str, str], PublicKey]:
    """What was signed, and by whom. Raises SigningError if it cannot be believed."""
    try:
        content = (folder / seal.ENVELOPE).read_bytes()
    except FileNotFoundError:
        raise SigningError(f"{seal.ENVELOPE}: not there: the run is not sealed") from None
    except OSError as error:
        raise SigningError(f"{seal.ENVELOPE}: {error.strerror}") from None
    try:
        payload, signer = opened(content, seal.PAYLOAD_TYPE, signers)
        return _subjects(payload), signer
    except SigningError as error:
        raise SigningError(f"{seal.ENVELOPE}: {error}") from None


def _subjects(payload: bytes) -> dict[str, str]:
    """The digest of each subject of the statement."""
    try:
        said = of_json(payload)
        kind, predicate = said["_type"], said["predicateType"]
        pairs = [(each["name"], *each["digest"].values()) for each in said["subject"]]
        subjects: dict[str, str] = dict(pairs)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SigningError("expected an in-toto statement") from None
    if (kind, predicate) != (seal.STATEMENT, seal.TEST_RESULT) or len(subjects) != len(pairs):
        raise SigningError(f"expected an in-toto statement with a {seal.TEST_RESULT}")
    return subjects


def changed(folder: Path, subjects: Mapping[str, str]) -> Iterator[Refusal]:
    """Each file that is not as it was sealed."""
    sealed = {
        name.removeprefix(seal.FILES): value
        for name, value in subjects.items()
        if name.startswith(seal.FILES)
    }
    there: dict[str, str | None] = {}
    for path in seal.entries(folder):
        name = path.relative_to(folder).as_posix()
        there[name] = None
        if path.is_symlink() or not path.is_file():
            yield Refusal("is not a regular file", file=_shown(name))
            continue
        try:
            there[name] = seal.digest(path)
        except OSError as error:
            yield Refusal(str(error.strerror), file=_shown(name))
    added = {name: value for name, value in there.items() if value and name not in sealed}
    for name, value in sealed.items():
        if name not in there:
            new = next((other for other, same in added.items() if same == value), None)
            if new is not None:
                del added[new]
            yield Refusal(f"was renamed to {_shown(new)}" if new else "was removed", file=name)
        elif there[name] not in {value, None}:
            yield Refusal("was changed", file=name)
    yield from (Refusal("was added", file=_shown(name)) for name in added)


def _shown(name: str) -> str:
    """A file's name, which anybody may have chosen, as a terminal can show it."""
    return name if name.isprintable() else ascii(name)
