"""Sentry's issues of the service, over its HTTP API, read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observe, shortened
from noxgate.systems.http.tool_api import ToolApi
from noxgate.systems.settings import SentrySettings

MOST = 100  # issues of one page
# What an old issue is that came back, or grew suddenly, and how its history says when.
_AGAIN = {"regressed": "set_regression", "escalating": "set_escalating"}


@dataclass(frozen=True)
class Issue:
    """One issue, by its short name."""

    name: str
    title: str
    first_seen: datetime
    events: int
    again: str = ""  # regressed or escalating, since the switch

    def __str__(self) -> str:
        said = f"{self.again}, " if self.again else ""
        return f"{self.name} {self.title} ({said}{self.events} events)"


class Sentry:
    """Asks Sentry for one check."""

    def __init__(self, settings: SentrySettings, observe: Observe) -> None:
        if settings.project is None:
            raise UnreachableError(
                f"{settings.profile} names no [sentry] with url, organization and project: "
                "a person looks, then attests it"
            )
        self._project = settings.project
        self._profile = settings.profile
        self._api = ToolApi("Sentry", settings.project.url, settings.token, settings.connection, observe)

    def new_issues(self, since: datetime) -> list[Issue]:
        """The unresolved issues of this environment that were first seen since then, or came back."""
        moment = since.astimezone(UTC)
        at = f">={moment:%Y-%m-%dT%H:%M:%S}+00:00"
        found = self._issues(f"is:unresolved lastSeen:{at}")
        if len(found) >= MOST:  # there may be more: those that matter are asked for by themselves
            found += self._issues(f"is:unresolved firstSeen:{at}")
            found += self._issues(f"is:unresolved is:regressed lastSeen:{at}")
        if not found:
            self._check_environment()
        try:
            issues = {str(one["shortId"]): self._issue(one, moment) for one in found}
        except (KeyError, TypeError, ValueError) as error:
            raise UnreachableError(
                f"Sentry: expected a list of issues, saw another form: {error!r}"
            ) from None
        # not what it made of the query
        new = [issue for issue in issues.values() if issue.first_seen >= moment or issue.again]
        self._conclude(new, len(issues), moment, f"is:unresolved lastSeen:{at}")
        return new

    def _conclude(self, new: Sequence[Issue], seen: int, moment: datetime, query: str) -> None:
        """Of the issues, also where an environment or a history was the last that was asked for."""
        named = "; ".join(map(str, new)) or "none"
        said = f"new, or come back, since {moment:%Y-%m-%d %H:%M} UTC in {self._project.environment}: {named}"
        said += f" ({seen} unresolved issues were seen since then)" if seen else ""
        self._api.conclude(said, self._path("issues/"), self._parameters(query))

    def _issues(self, query: str) -> list[Any]:
        found = self._api.get(self._path("issues/"), self._parameters(query), "issues", _issue_names)
        if not isinstance(found, list):
            raise UnreachableError(f"Sentry: expected a list of issues, saw a {type(found).__name__}")
        return found

    def _parameters(self, query: str) -> dict[str, str]:
        return {"query": query, "environment": self._project.environment, "limit": str(MOST)}

    def _issue(self, one: Any, moment: datetime) -> Issue:
        kind = str(one.get("substatus") or "")
        again = kind if kind in _AGAIN and self._came_back(one, _AGAIN[kind], moment) else ""
        return Issue(
            str(one["shortId"]),
            shortened(str(one["title"]), 120),
            datetime.fromisoformat(one["firstSeen"]),
            int(one["count"]),
            again,
        )

    def _came_back(self, one: Any, what: str, moment: datetime) -> bool:
        """Whether an old issue did so since then; yes, where Sentry does not say when."""
        last = one.get("lastSeen")
        if last is not None and datetime.fromisoformat(last) < moment:
            return False
        if one.get("id") is None:
            return True
        try:
            path = f"/api/0/issues/{quote(str(one['id']), safe='')}/"
            details = self._api.get(path, {}, f"history of {one['shortId']}", _activity)
            times = [
                datetime.fromisoformat(each["dateCreated"])
                for each in details["activity"]
                if each["type"] == what
            ]
        except (UnreachableError, KeyError, TypeError, ValueError):
            return True
        return not times or max(times) >= moment

    def _check_environment(self) -> None:
        """Sentry lists no issue of an environment that it does not know: that would prove nothing."""
        found = self._api.get(self._path("environments/"), {}, "environments", _listed)
        known = _names(found)
        if self._project.environment not in known:
            raise UnreachableError(
                f"Sentry: expected the environment {self._project.environment}, saw "
                f"{', '.join(known) or 'none'}: name it as environment under [sentry] in {self._profile}"
            )

    def _path(self, last: str) -> str:
        organization, project = (
            quote(part, safe="") for part in (self._project.organization, self._project.project)
        )
        return f"/api/0/projects/{organization}/{project}/{last}"


def _issue_names(found: Any) -> str:
    return ", ".join(str(one["shortId"]) for one in found) or "none"


def _listed(found: Any) -> str:
    return ", ".join(str(one["name"]) for one in found) or "none"


def _activity(found: Any) -> str:
    """What happened to an issue, the newest first, as Sentry tells it."""
    return ", ".join(f"{one['type']} at {one['dateCreated']}" for one in found["activity"]) or "nothing"


def _names(found: Any) -> Sequence[str]:
    try:
        return [str(one["name"]) for one in found]
    except (KeyError, TypeError) as error:
        raise UnreachableError(
            f"Sentry: expected a list of environments, saw another form: {error!r}"
        ) from None
