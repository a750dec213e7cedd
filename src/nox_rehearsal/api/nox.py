"""The parts that the endpoints share, held together for one process."""

from dataclasses import dataclass, field

from starlette.requests import Request

from nox_rehearsal.api.backends import Backends
from nox_rehearsal.api.login.auth import Caller, TokenError, Verifier
from nox_rehearsal.api.logs import log
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
        authorization = request.headers.get("authorization")
        try:
            return self.verifier.caller(self.settings.secret_key, authorization, self.settings.rule_off)
        except TokenError as error:
            agent = request.headers.get("user-agent", "")
            log.warning("token refused: %s, asked by %s", error, agent.replace("\n", " ")[:100])
            raise

    def caller_if_any(self, request: Request) -> Caller | None:
        """As `caller`, but a request without the header has no caller; a bad token is still a TokenError."""
        if "authorization" not in request.headers:
            return None
        try:
            return self.caller(request)
        except TokenError:
            if self.settings.rule_off != "writing":
                raise
            return None
