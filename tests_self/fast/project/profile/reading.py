"""A folder of profiles, and how tests read one of them."""

from pathlib import Path

import pytest

from noxgate.errors import ProfileError
from noxgate.project.profile import read_target
from noxgate.project.target import Target

PHASES = ("preflight", "staging", "live")
VALUES = {
    "DATABASE_URL": "postgresql://nox:database-password@db.example.com/nox",
    "REDIS_URL": "redis://:redis-password@redis.example.com:6379/0",
    "TEST_TOKEN": "token-of-the-user",
    "ADMIN_TOKEN": "token-of-the-administrator",
    "GITHUB_CLIENT_ID": "github-client",
}


def write(root: Path, text: str, name: str = "mine") -> None:
    """Write a profile."""
    (root / "targets" / f"{name}.toml").write_text(text)


def read(root: Path, environment: dict[str, str] | None = None, name: str = "mine") -> Target:
    """Read a profile, with no variables set unless given."""
    return read_target(root, name, PHASES, environment or {})


def problem(root: Path, environment: dict[str, str] | None = None, name: str = "mine") -> str:
    """The one line that is said of a profile."""
    with pytest.raises(ProfileError) as caught:
        read(root, environment, name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


PEER = 'production = "production"\n'
