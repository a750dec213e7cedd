"""The report of an image scanner: of which image it is, when it was made, and what is critical in it."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from noxgate.clients import scan_formats as formats
from noxgate.clients.observation import Observation, Observe, shortened
from noxgate.clients.registry_answers import Image
from noxgate.clients.scan_formats import NotWholeError, Scan
from noxgate.target import UnreachableError

MOST_BYTES = 200_000_000
AHEAD = 300  # seconds that the scanner's clock may be ahead of ours
_READERS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any], Scan]]] = {
    "trivy": (formats.is_trivy, formats.trivy),
    "grype": (formats.is_grype, formats.grype),
    "SARIF": (formats.is_sarif, formats.sarif),
}


@dataclass(frozen=True)
class Report:
    """A scan, and how old it is."""

    format: str
    scan: Scan
    age_hours: float

    def is_of(self, image: Image) -> bool:
        """Whether it is of these bytes: by the digest that was pulled, or the image's own id."""
        return bool(self.scan.digests & {image.digest, image.manifest_digest, image.config_digest})


class Vulnerabilities:
    """Reads the report that the profile names, for one check."""

    def __init__(self, profile: str, path: Path | None, observe: Observe) -> None:
        self._profile = profile
        self._path = path
        self._observe = observe

    def report(self) -> Report:
        """UnreachableError where there is no file; AssertionError where it is no whole report."""
        path = self._path
        if path is None:
            raise UnreachableError(
                f"{self._profile} names no vulnerabilities = FILE, the report of trivy, grype or docker scout"
            )
        repeat = f"python3 -m json.tool {shlex.quote(str(path))}"
        try:
            found = _read(path)
        except (UnreachableError, AssertionError) as error:
            self._observe(Observation(str(error), repeat))
            raise
        scan = found.scan
        seen = (
            f"{found.format} report of {scan.made:%Y-%m-%d %H:%M} UTC, {scan.findings} findings in "
            f"{scan.sections}, critical: {', '.join(scan.critical) or 'none'}; "
            f"of {', '.join(sorted(scan.digests)) or 'no digest'}"
        )
        self._observe(Observation(shortened(seen), repeat))
        return found


def _read(path: Path) -> Report:
    expected = f"{path.name}: expected a report of trivy, grype or docker scout in JSON, saw"
    try:
        content = path.read_bytes()[: MOST_BYTES + 1]
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
        age = (datetime.now(UTC) - scan.made).total_seconds()
        if age < -AHEAD:
            raise AssertionError(f"{path.name}: made in the future: {scan.made.isoformat()}")
        return Report(name, scan, max(age, 0.0) / 3600)
    keys = ", ".join(list(document)[:8]) if isinstance(document, dict) else type(document).__name__
    raise AssertionError(f"{expected} another document ({shortened(keys, 120) or 'empty'})")
