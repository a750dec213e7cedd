"""What the tests of reports are given."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.fast.systems.registry.vulnerabilities.scanned import Read

from noxgate.systems.registry.vulnerabilities import ScanReport, Vulnerabilities

if TYPE_CHECKING:
    from noxgate.look.observation import Observation


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a document, or a text as it is."""

    def read_it(document: object) -> ScanReport:
        path = tmp_path / "scan.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        seen: list[Observation] = []
        try:
            return Vulnerabilities("mine.toml", path, seen.append).report()
        finally:
            assert len(seen) == 1, "what was seen is recorded, whatever it was"

    return read_it
