"""The profile of a rehearsal: where the checks are to look, and the file with its credentials."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PHASES = ("preflight", "staging", "prep", "green", "live", "window", "rollback")
NAMESPACE = "nox-staging-green"


@dataclass(frozen=True)
class Profile:
    """The facts of the profile; `path` is where it is written."""

    path: Path
    base_url: str
    plain_url: str
    ca_file: Path
    env_file: Path
    client_ids: Mapping[str, str]

    def write(self, credentials: Mapping[str, str]) -> None:
        """Write the credentials, for their owner alone, then the profile that names them."""
        with os.fdopen(os.open(self.env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in credentials.items())
        self.path.write_text(self.text(), encoding="utf-8")

    def text(self) -> str:
        serves = ", ".join(f'"{phase}"' for phase in PHASES)
        oauth = "\n".join(
            f'\n[oauth.{provider}]\nclient_id = "{client_id}"'
            for provider, client_id in self.client_ids.items()
        )
        return f"""\
# Written by the rehearsal; gone when it ends.
serves = [{serves}]
rehearsal = true
base_url = "{self.base_url}"
plain_url = "{self.plain_url}"
ca_file = "{self.ca_file}"
namespace = "{NAMESPACE}"
env_file = "{self.env_file}"
load = true

[credentials]
database_url = "DATABASE_URL"
redis_url = "REDIS_URL"
test_token = "TEST_TOKEN"
admin_token = "ADMIN_TOKEN"
{oauth}
"""
