"""Waivers (`waivers.toml`): what is accepted, each with an owner and the last day on which it counts.

What failed is, and what is undecided: looked at, and too near its limit to tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from noxgate.errors import NoxgateError
from noxgate.look.documents import of_toml
from noxgate.project.keys.reading import guess, refuse_others
from noxgate.project.keys.record import WAIVER
from noxgate.project.placeholder import is_placeholder
from noxgate.project.runbook import Line, Runbook

FILE = "waivers.toml"


class WaiverError(NoxgateError):
    """`waivers.toml` cannot be used: one line saying what was expected, what was seen, what to do."""


@dataclass(frozen=True)
class Waiver:
    """Somebody answers for one line, failed or undecided, until the end of the day `expires` (UTC)."""

    line: str
    owner: str
    reason: str
    expires: date

    def __str__(self) -> str:
        return f"waived by {self.owner} until {self.expires}: {self.reason}"


def read_waivers(path: Path, runbook: Runbook, today: date) -> dict[str, Waiver]:
    """The waivers by line id; empty without a file. Raises WaiverError for the first that does not count."""
    try:
        document = of_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WaiverError(f"{path.name}: {error.strerror}") from None
    except ValueError as error:
        raise WaiverError(f"{path.name}: {error}") from None
    unknown = [key for key in document if key != "waiver"]
    tables = document.get("waiver", [])
    if unknown or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        seen = f", saw {unknown[0]}" if unknown else ""
        raise WaiverError(f"{path.name}: expected nothing but [[waiver]] tables{seen}")
    waivers: dict[str, Waiver] = {}
    for number, table in enumerate(tables, start=1):
        refuse_others(f"{path.name}: waiver {number}", table, WAIVER, WaiverError)
        waiver = Waiver(**table)
        where = f"{path.name}: waiver {number} ({waiver.line})"
        if waiver.line in waivers:
            raise WaiverError(f"{where}: a second waiver of this line: keep one")
        if problem := refusal(waiver, runbook.lines, today):
            raise WaiverError(f"{where}: {problem}")
        waivers[waiver.line] = waiver
    return waivers


def refusal(waiver: Waiver, lines: Mapping[str, Line], today: date) -> str | None:
    """Why this waiver does not count, or None."""
    line = lines.get(waiver.line)
    if line is None:
        return f"no such runbook line{guess(waiver.line, lines)}"
    if line.kind == "derived":
        return f"this line follows from others: waive one of those ({', '.join(line.derived_from)})"
    if not line.waivable:
        return "this line cannot be waived (waivable = false in runbook.toml): mend what failed"
    if waiver.expires < today:
        return f"expired on {waiver.expires}: mend what failed, or have {waiver.owner} decide anew"
    return _blank("owner", "a name", waiver.owner) or _blank("reason", "why it is accepted", waiver.reason)


def _blank(key: str, expected: str, value: str) -> str | None:
    if not value.strip() or is_placeholder(value) or not value.isprintable():
        return f"{key}: expected {expected}, in one line, saw {value!r}"
    return None
