"""Sentry's issues of the service, over its HTTP API, read only."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe, shortened
from noxgate.project.target import Target
from noxgate.systems.http.tool_api import ToolApi


@dataclass(frozen=True)
class Issue:
    """One issue, by its short name."""

    name: str
    title: str
    first_seen: datetime
    events: int

    def __str__(self) -> str:
        return f"{self.name} {self.title} ({self.events} events)"


class Sentry:
    """Asks Sentry for one check."""

    def __init__(self, target: Target, observe: Observe) -> None:
        if target.sentry is None:
            raise UnreachableError(
                f"{target.path.name} names no [sentry] with url, organization and project: "
                "a person looks, then attests it"
            )
        self._project = target.sentry
        self._api = ToolApi("Sentry", target.sentry.url, "sentry_token", target, observe)

    def new_issues(self, since: datetime) -> list[Issue]:
        """The unresolved issues that were first seen since then."""
        organization, project = (
            quote(part, safe="") for part in (self._project.organization, self._project.project)
        )
        moment = since.astimezone(UTC)
        query = f"is:unresolved firstSeen:>={moment:%Y-%m-%dT%H:%M:%S}+00:00"
        found = self._api.get(
            f"/api/0/projects/{organization}/{project}/issues/", {"query": query}, "new issues"
        )
        try:
            issues = [
                Issue(
                    str(one["shortId"]),
                    shortened(str(one["title"]), 120),
                    datetime.fromisoformat(one["firstSeen"]),
                    int(one["count"]),
                )
                for one in found
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise UnreachableError(
                f"Sentry: expected a list of issues, saw another form: {error!r}"
            ) from None
        return [issue for issue in issues if issue.first_seen >= moment]  # whatever it made of the query
