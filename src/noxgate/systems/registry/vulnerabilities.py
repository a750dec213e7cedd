"""The report of an image scanner: of which image it is, when it was made, and what is critical in it."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.registry.answers import Image
from noxgate.systems.registry.clair import clair, is_clair
from noxgate.systems.registry.foreign import foreign
from noxgate.systems.registry.grype import grype, is_grype
from noxgate.systems.registry.sarif import is_sarif, sarif
from noxgate.systems.registry.scan import GRADES, NotWholeError, Scan
from noxgate.systems.registry.trivy import is_trivy, trivy

MOST_BYTES = 200_000_000
MOST_SHOWN = 2000  # characters: every finding that does not count is named
AHEAD = 300  # seconds that the scanner's clock may be ahead of ours
_READERS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any], Scan]]] = {
    "trivy": (is_trivy, trivy),
    "grype": (is_grype, grype),
    "Clair": (is_clair, clair),
    "SARIF": (is_sarif, sarif),
}


@dataclass(frozen=True)
class ScanReport:
    """A scan, and how old it is: by its own word, or by its file if the format does not say."""

    format: str
    scan: Scan
    made: datetime
    age_hours: float

    @property
    def database_hours(self) -> float | None:
        """How old the scanner's list of vulnerabilities was when it was used; None if it does not say."""
        if self.scan.database is None:
            return None
        return max((self.made - self.scan.database).total_seconds(), 0.0) / 3600

    def is_of(self, image: Image) -> bool:
        """Whether it is of these bytes, and of this platform's."""
        return self.scan.identity.contradiction(image) is None

    def __str__(self) -> str:
        scan = self.scan
        grades = ", ".join(f"{scan.grades[name]} {name}" for name in GRADES if name in scan.grades)
        own = "" if scan.made else f" (its file's time: {self.format} writes none)"
        unsaid = [
            *(["how old its database was"] if scan.database is None else []),
            *(["whether its system is past its end of life"] if not scan.tells_support else []),
        ]
        database = [f"a database of {scan.database:%Y-%m-%d %H:%M} UTC"] if scan.database else []
        nothing = [f"nothing on {' and '.join(unsaid)}"] if unsaid else []
        excused = f"; not counted: {', '.join(scan.excused)}" if scan.excused else ""
        head = [f"{self.format} report of {self.made:%Y-%m-%d %H:%M} UTC{own}", *database, *nothing]
        return (
            f"{', '.join(head)}: "
            f"{scan.findings} findings in {scan.sections}{f' ({grades})' if grades else ''}, "
            f"critical: {', '.join(scan.critical) or 'none'}{excused}; "
            f"of {', '.join(sorted(scan.digests)) or 'no digest'} {scan.identity.platform}"
        ).rstrip()


class Vulnerabilities:
    """Reads the report that the profile names, for one check."""

    def __init__(self, profile: str, path: Path | None, observe: Observe) -> None:
        self._profile = profile
        self._path = path
        self._observe = observe

    def report(self) -> ScanReport:
        """Raises UnreachableError if the file is missing, AssertionError if it is not a whole report."""
        path = self._path
        if path is None:
            raise UnreachableError(
                f"{self._profile} names no vulnerabilities = FILE, "
                "the report of trivy, grype, Clair or docker scout"
            )
        repeat = f"python3 -m json.tool {shlex.quote(str(path))}"
        try:
            found = _read(path)
        except (UnreachableError, AssertionError) as error:
            self._observe(Observation(str(error), repeat))
            raise
        self._observe(Observation(shortened(str(found), MOST_SHOWN), repeat))
        return found


def _read(path: Path) -> ScanReport:
    expected = f"{path.name}: expected a report of trivy, grype, Clair or docker scout in JSON, saw"
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
            written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError as error:
        raise UnreachableError(
            f"{path}: {error.strerror}: scan the image and save the report there"
        ) from None
    if len(content) > MOST_BYTES:
        raise AssertionError(f"{expected} more than {MOST_BYTES} bytes")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        seen = shortened(content[:200].decode("utf-8", "replace"), 60) or "an empty file"
        raise AssertionError(f"{expected} {seen}") from None
    for name, (is_this, read) in _READERS.items():
        if not is_this(document):
            continue
        try:
            scan = read(document)
        except (NotWholeError, KeyError, TypeError, AttributeError, ValueError) as error:
            said = shortened(str(error), 160)
            what = said if isinstance(error, NotWholeError) else f"{type(error).__name__}: {said}"
            raise AssertionError(f"{path.name}: not a whole {name} report: {what}") from None
        made = scan.made or written
        age = (datetime.now(UTC) - made).total_seconds()
        if age < -AHEAD:
            raise AssertionError(f"{path.name}: made in the future: {made.isoformat()}")
        if scan.database is not None and (scan.database - made).total_seconds() > AHEAD:
            raise AssertionError(f"{path.name}: made at {made.isoformat()}, with a database of after that")
        return ScanReport(name, scan, made, max(age, 0.0) / 3600)
    other = foreign(document)
    if other is not None:
        raise UnreachableError(
            f"{path.name}: is {other}, which is not read here: scan with trivy (docs/SCANS.md)"
        )
    keys = ", ".join(list(document)[:8]) if isinstance(document, dict) else type(document).__name__
    raise AssertionError(f"{expected} another document ({shortened(keys, 120) or 'empty'})")
