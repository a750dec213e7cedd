"""What the server says when it refuses: Status objects with the words of the real one."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from kube_standin.wire.causes import Cause

Json = dict[str, Any]


UNPROCESSABLE = "the server rejected our request due to an error in our request"


NOT_ALLOWED = "the server does not allow this method on the requested resource"


class RefusedError(Exception):
    """The request is answered with a Status of failure."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    def status(self) -> Json:
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}

    def headers(self) -> dict[str, str]:
        seconds = (self.details or {}).get("retryAfterSeconds")
        return {} if seconds is None else {"retry-after": str(seconds)}


class PlainError(Exception):
    """Answered with plain text, as the server's router does for a path that it does not know."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def unknown_path() -> PlainError:
    return PlainError(HTTPStatus.NOT_FOUND, "404 page not found\n")


def qualified(group: str, name: str) -> str:
    """A resource or kind with its group, as messages name it."""
    return f"{name}.{group}" if group else name


def details(group: str, kind: str, name: str = "", **more: Any) -> Json:
    """Only what is not empty, as Go leaves it out."""
    return {
        key: value for key, value in {"name": name, "group": group, "kind": kind, **more}.items() if value
    }


def not_found(group: str, plural: str, name: str) -> RefusedError:
    message = f'{qualified(group, plural)} "{name}" not found'
    return RefusedError(404, "NotFound", message, details(group, plural, name))


def already_exists(group: str, plural: str, name: str) -> RefusedError:
    message = f'{qualified(group, plural)} "{name}" already exists'
    return RefusedError(409, "AlreadyExists", message, details(group, plural, name))


def conflict(group: str, plural: str, name: str, why: str) -> RefusedError:
    message = f'Operation cannot be fulfilled on {qualified(group, plural)} "{name}": {why}'
    return RefusedError(409, "Conflict", message, details(group, plural, name))


def modified(group: str, plural: str, name: str) -> RefusedError:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(group, plural, name, why)


def apply_conflict(message: str, causes: Iterable[Cause]) -> RefusedError:
    return RefusedError(409, "Conflict", message, {"causes": [cause.body() for cause in causes]})


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> RefusedError:
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))  # each said once
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f'{qualified(group, kind)} "{name}" is invalid: {listed}'
    bodies = [cause.body() for cause in causes]
    return RefusedError(422, "Invalid", message, details(group, kind, name, causes=bodies))


def forbidden(group: str, plural: str, name: str, why: str, causes: Sequence[Cause] = ()) -> RefusedError:
    subject = f'{qualified(group, plural)} "{name}" is' if name else f"{qualified(group, plural)} is"
    message = f"{subject} forbidden: {why}" if plural else f"forbidden: {why}"
    bodies = [cause.body() for cause in causes]
    return RefusedError(403, "Forbidden", message, details(group, plural, name, causes=bodies))


def unauthorized() -> RefusedError:
    return RefusedError(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> RefusedError:
    return RefusedError(400, "BadRequest", message)


def unpatchable() -> RefusedError:
    """A JSON patch that does not fit the object: the real server drops why."""
    return RefusedError(422, "Invalid", UNPROCESSABLE, {})


def unsupported_media_type() -> RefusedError:
    return RefusedError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def method_not_allowed() -> RefusedError:
    return RefusedError(405, "MethodNotAllowed", NOT_ALLOWED, {})


def not_acceptable(offered: Sequence[str]) -> RefusedError:
    message = f"only the following media types are accepted: {', '.join(offered)}"
    return RefusedError(406, "NotAcceptable", message)


def too_large(limit: int) -> RefusedError:
    message = f"Request entity too large: limit is {limit}"
    return RefusedError(413, "RequestEntityTooLarge", message)


def unavailable(message: str) -> RefusedError:
    return RefusedError(503, "ServiceUnavailable", message)


def unknown_resource() -> RefusedError:
    """No resource of that name in a group that is served."""
    return RefusedError(404, "NotFound", "the server could not find the requested resource", {})


def unknown_here(what: str) -> RefusedError:
    """What a real server may do and this one does not know how to: never a success."""
    message = f"the stand-in does not know {what}: try it on a real API server"
    return RefusedError(501, "NotImplemented", message)


def failed(message: str) -> RefusedError:
    """An error that the server passes on as it is, without a reason."""
    return RefusedError(500, "", message)


def internal(message: str) -> RefusedError:
    causes = {"causes": [{"message": message}]}
    return RefusedError(500, "InternalError", f"Internal error occurred: {message}", causes)


def expired(message: str) -> RefusedError:
    return RefusedError(410, "Expired", message)


def version_too_large(wanted: int, current: int) -> RefusedError:
    """The client has seen a resourceVersion that this server has not."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return RefusedError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def success(about: Mapping[str, Any]) -> Json:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": dict(about),
    }
