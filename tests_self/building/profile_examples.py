"""Each key of a profile with its example, and the least that a profile says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noxgate.doctor.key_page import toml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "PROFILE.md").read_text(encoding="utf-8")

EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LEAST: Mapping[str, Any] = {
    "serves": ["staging"],
    "base_url": "https://least.nox.io",
    "namespace": "nox-least",
    "credentials": {"test_token": "TEST_TOKEN"},
    "oauth": {"github": {"client_id": "github-client"}},
}


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Tables come last."""
    items = sorted(document.items(), key=lambda item: isinstance(item[1], dict))
    path.write_text("\n".join(toml(name, value) for name, value in items) + "\n", encoding="utf-8")
