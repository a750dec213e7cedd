"""Reading a table that a person wrote by its keys: the first thing that is wrong, in one line."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from noxgate.errors import NoxgateError
from noxgate.project.keys.key import TABLE, Key


def refuse_others(
    where: str,
    table: Mapping[str, Any],
    keys: Sequence[Key],
    error: type[NoxgateError],
    *,
    inside: str = "",
    shown: bool = True,
    noun: str = "key",
) -> None:
    """Raise `error` for an unknown key, a value of another form, and what is missing.

    `inside` is a table within the file `where`. A value that is not `shown` is left out of the message.
    """
    known = {key.name: key for key in keys}
    place = f"{where}: [{inside}]" if inside else where
    for name, value in table.items():
        if name not in known:
            raise error(f"{place}: unknown {noun} {name!r} ({noun}s: {', '.join(known)}){guess(name, known)}")
        form = known[name].form
        if not form.fits(value):
            seen = repr(value) if shown and form is not TABLE else type(value).__name__
            dotted = f"{inside}.{name}" if inside else name
            raise error(f"{where}: {dotted}: expected {form.words}, saw {seen}")
    missing = [key.name for key in keys if key.required and key.name not in table]
    if missing:
        raise error(f"{place}: missing {', '.join(missing)}")


def guess(word: object, known: Iterable[str]) -> str:
    """What somebody may have meant."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
