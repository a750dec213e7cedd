"""JSON in and out: bounded bodies, one shape for every error."""

import json
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

LARGEST_BODY = 1_000_000  # bytes


def encoded(content: Any) -> bytes:
    """Compact JSON; dates as ISO 8601, ids as text; never NaN."""
    return _ENCODER.encode(content).encode()


def answer(content: Any, status: int = 200) -> Response:
    return Response(encoded(content), status, media_type="application/json")


def encoded_answer(content: bytes, status: int = 200) -> Response:
    """An answer from JSON that is encoded already."""
    return Response(content, status, media_type="application/json")


def error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """The one shape of an error: `{"error": "..."}`."""
    return Response(encoded({"error": message}), status, headers, "application/json")


async def json_object(request: Request) -> dict[str, Any]:
    """The request's JSON object; HTTPException 413 for a huge body, 400 for anything else."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, "request body too large")
    try:
        content = json.loads(body, parse_constant=_not_json)
    except (ValueError, RecursionError):  # bad syntax, bad UTF-8, NaN, or nested too deeply
        raise HTTPException(400, "the body is not valid JSON") from None
    if not isinstance(content, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return content


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _not_json(constant: str) -> Any:
    raise ValueError(constant)


_ENCODER = json.JSONEncoder(default=_text, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
