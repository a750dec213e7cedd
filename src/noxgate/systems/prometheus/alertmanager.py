"""What an Alertmanager says of itself."""

import json
from typing import TYPE_CHECKING

from noxgate.errors import UnreachableError
from noxgate.look.observation import shortened

if TYPE_CHECKING:
    import httpx


def alertmanager_version(response: "httpx.Response", text: str) -> str:
    """Of /api/v2/status. Raises UnreachableError, in one line, if that is not an Alertmanager."""
    try:
        document = json.loads(text)
        version = document["versionInfo"]["version"]
    except (ValueError, RecursionError, TypeError, KeyError):
        version = None
    if not response.is_success or not isinstance(version, str):
        raise UnreachableError(
            f"{response.url}: expected the status of an Alertmanager, saw HTTP {response.status_code}: "
            f"{shortened(text, 120) or 'an empty body'}"
        )
    return version
