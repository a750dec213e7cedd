"""One JSON object on each line of standard output; no secret is ever in it."""

import json
import logging
import sys
from datetime import UTC, datetime

from nox_rehearsal.api.settings import Settings

log = logging.getLogger("nox")


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `message`, `pod`, and `exception` where there is one."""

    def __init__(self, pod: str, secrets: list[str]) -> None:
        super().__init__()
        self._pod = pod
        self._secrets = sorted(secrets, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": self._clean(record.getMessage()),
            "pod": self._pod,
        }
        if record.exc_info:
            line["exception"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def start_logging(settings: Settings) -> None:
    """Send every logger's lines to standard output; uvicorn only speaks when something is wrong."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(settings.pod, settings.secrets()))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)
