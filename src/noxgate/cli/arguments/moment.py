"""A time that an option gives."""

from datetime import datetime

from noxgate.errors import CommandError


def read_moment(option: str, text: str) -> datetime:
    """The time, with its zone; CommandError without one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError(f"{option}: expected a time such as 2026-01-31T14:00Z, saw {text!r}")
    return moment
