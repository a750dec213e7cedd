"""What a scanner's report says, whichever scanner wrote it: of which image, when, and what was found.

A reader raises NotWholeError if a part is missing without which "no finding" would mean nothing, or if the
report itself says that the scanner could not see. docs/SCANS.md has what is read of each format.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from noxgate.errors import NoxgateError
from noxgate.systems.registry.answers import Image
from noxgate.systems.registry.names import DIGEST
from noxgate.systems.registry.platforms import agree

CRITICAL, UNKNOWN = "CRITICAL", "UNKNOWN"
GRADES = (CRITICAL, "HIGH", "MEDIUM", "LOW", "NEGLIGIBLE", UNKNOWN)
# A statement of VEX that a finding does not count: only with the reason why.
HARMLESS = frozenset({"not_affected", "fixed"})
_FRACTION = re.compile(r"(\.\d{6})\d+")  # Go writes nanoseconds
_NEVER = 1  # the year of Go's zero time


class NotWholeError(NoxgateError):
    """A part of the report is missing, or it was made with closed eyes; the message says which."""


@dataclass(frozen=True)
class Identity:
    """What a report calls its image, the closest first: its own id, its manifest, names in repositories.

    The id is the digest of the configuration; where Docker keeps its images in containerd, the manifest's.
    The names in repositories may be of an index, which holds other platforms' images, too.
    """

    image_id: str | None = None
    manifest: str | None = None
    repositories: frozenset[str] = frozenset()
    platform: str = ""

    @property
    def all(self) -> frozenset[str]:
        return self.repositories | {each for each in (self.image_id, self.manifest) if each}

    def contradiction(self, image: Image) -> str | None:
        """Why this is not the image; None if it is. Of several names the closest must agree, not any."""
        if self.platform and image.platform and not agree(self.platform, image.platform):
            return (
                f"the report is of an image for {self.platform}, not of {image.digest} for {image.platform}"
            )
        closest = self.image_id or self.manifest
        names = self.repositories | ({closest} if closest == image.digest else set())
        if closest is not None and closest != image.digest:
            names = frozenset({closest})
        if names & {image.manifest_digest, image.config_digest}:
            return None
        if image.digest not in names:
            seen = closest or ", ".join(sorted(names)) or "no digest"
            return f"the report is of {seen}, not of {image.digest}"
        if not self.platform:
            return (
                f"the report is of an index, not of {image.digest} for {image.platform}: it names no platform"
            )
        return None


@dataclass(frozen=True)
class Scan:
    """What was looked at and found. `sections` says in which parts of the image."""

    identity: Identity
    made: datetime | None  # None if this format does not say
    findings: int
    critical: tuple[str, ...]
    sections: str
    grades: Mapping[str, int] = field(default_factory=dict)
    excused: tuple[str, ...] = ()  # what was found and does not count, each with who says so
    database: datetime | None = None  # when the scanner's list of vulnerabilities was made, where it says so
    tells_support: bool = True  # whether it would say that the system is past its end of life

    @property
    def digests(self) -> frozenset[str]:
        return self.identity.all


@dataclass(frozen=True)
class ScanFinding:
    """A vulnerability or a secret, and how grave it is."""

    name: str
    grade: str


def grade(value: Any, name: str) -> str:
    """A severity's name in one spelling; one that is missing does not count as low."""
    found = str(value or "").upper()
    if found not in GRADES:
        raise NotWholeError(f"nothing says how grave {name} is (severity {value!r})")
    return found


def scan(
    identity: Identity,
    made: datetime | None,
    found: Iterable[ScanFinding],
    sections: str,
    excused: Iterable[str] = (),
    database: datetime | None = None,
    *,
    tells_support: bool = True,
) -> Scan:
    """The sums of what was found."""
    findings = tuple(found)
    return Scan(
        identity=identity,
        made=made,
        findings=len(findings),
        critical=tuple(dict.fromkeys(each.name for each in findings if each.grade == CRITICAL)),
        sections=sections,
        grades=dict(Counter(each.grade for each in findings)),
        excused=tuple(dict.fromkeys(excused)),
        database=database,
        tells_support=tells_support,
    )


def digests(texts: Iterable[Any]) -> frozenset[str]:
    return frozenset(found for text in texts if text for found in DIGEST.findall(str(text)))


def one_digest(text: Any) -> str | None:
    """The digest that a text names; None without one."""
    return next(iter(digests([text])), None)


def time(text: Any, where: str) -> datetime:
    """A moment as Go, Java and people write it. Raises NotWholeError if it is missing."""
    found = time_or_none(text)
    if found is None:
        raise NotWholeError(f"nothing says when it was made ({where})")
    return found


def time_or_none(text: Any) -> datetime | None:
    if not text:
        return None
    found = datetime.fromisoformat(_FRACTION.sub(r"\1", str(text)))
    if found.year == _NEVER:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
