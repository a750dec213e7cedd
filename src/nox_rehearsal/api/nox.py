"""The parts that the endpoints share, held together for one process."""

from dataclasses import dataclass, field

from starlette.requests import Request

from nox_rehearsal.api.backends import Backends
from nox_rehearsal.api.login.auth import Caller, Verifier
from nox_rehearsal.api.metrics import Metrics
from nox_rehearsal.api.settings import Settings


@dataclass
class Nox:
    """`settings` are those in force: a faults file may replace them between requests."""

    settings: Settings
    backends: Backends = field(default_factory=Backends)
    metrics: Metrics = field(default_factory=Metrics)
    verifier: Verifier = field(default_factory=Verifier)

    def caller(self, request: Request) -> Caller:
        """Who sent the request; TokenError when it does not say so convincingly."""
        return self.verifier.caller(self.settings.secret_key, request.headers.get("authorization"))

    def caller_if_any(self, request: Request) -> Caller | None:
        """As `caller`, but a request without the header is nobody's; a bad token is still a TokenError."""
        return self.caller(request) if "authorization" in request.headers else None
