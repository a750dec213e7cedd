"""A target whose database is at an address."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

    from noxgate.project.target import Target


def target_at(loopback: "Loopback", url: str) -> "Target":
    target = loopback.target(9)
    object.__setattr__(target, "variables", {"DATABASE_URL": url})
    return target
