"""The closed list of requests that are not reads: every other request is a GET."""

from dataclasses import dataclass

from nox_service.access.tokens import BadToken, Who, is_bad
from noxgate.systems.settings import ApiSettings

# Anywhere: they compute and store nothing.
SCIENCE = ("/empirical/v1", "/predict/cj/v1")

# On staging alone, and only as somebody who must be refused: what could change something if a door were open.
DOOR = "/api/admin/health"  # the administrator's
JOBS = "/xtb/v1"
KNOCKS = (
    ("POST", JOBS),
    ("POST", DOOR),
    ("PUT", "/api/user/settings"),
    ("POST", "/api/user/settings"),
    ("POST", "/api/user/profile"),
    ("POST", "/api/user/history"),
)
SAFE = ("GET", "HEAD", "OPTIONS")  # RFC 9110, 9.2.1


@dataclass(frozen=True)
class Knock:
    """A request of somebody who is to be refused."""

    path: str
    who: Who | BadToken | None = None
    method: str = "GET"
    body: str = ""

    def __str__(self) -> str:
        who = self.who.name if isinstance(self.who, BadToken) else self.who or "a stranger"
        return f"{who}, {self.method} {self.path}"


def refuse_others(knock: Knock, settings: ApiSettings) -> None:
    """Raises ValueError for one that may not be tried on this target."""
    tried = f"{knock.method} {knock.path}"
    if knock.method != "GET" and "staging" not in settings.serves:
        raise ValueError(f"{tried} is tried on staging alone, not on {settings.name}")
    if knock.method in SAFE:
        return
    if (knock.method, knock.path) not in KNOCKS:
        raise ValueError(f"a check may not try {tried}: it is not on the closed list")
    nobody = knock.who is None and knock.path != JOBS  # which may be open to strangers
    if not (nobody or is_bad(knock.who) or (knock.who, knock.path) == ("test_token", DOOR)):
        raise ValueError(f"{tried} is for those who must be refused, not for {knock.who}")
