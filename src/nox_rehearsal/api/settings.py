"""What the application reads from its environment, under the application's own names."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SHORTEST_SECRET_KEY = 32  # characters: HS256 wants a key as long as its hash


class SettingsError(Exception):
    """A variable is missing or bad; the message is one line that names it and never its value."""


@dataclass(frozen=True)
class Settings:
    """One process's settings. The fields after `pod` are behaviours that only a faults file turns on."""

    version: str
    public_url: str
    port: int
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    google_client_id: str
    google_client_secret: str = field(repr=False)
    github_client_id: str
    github_client_secret: str = field(repr=False)
    microsoft_client_id: str
    microsoft_client_secret: str = field(repr=False)
    host: str = "127.0.0.1"
    pod: str = "nox-api"
    faults: str = ""
    reuse_oauth_state: bool = False
    admin_for_everyone: bool = False
    anonymous_reads_profile: bool = False
    websocket_silent: bool = False
    websocket_answer: str = "{}"
    websocket_twice: bool = False
    signature_ignored: bool = False
    refusal_shows_profile: bool = False
    oauth_state_counts: bool = False
    admin_unwell: bool = False
    rule_off: str = ""  # the one of the rules for tokens and doors that is not kept
    state_bits: int = 0  # of which OAuth states are made; 0: of as many as they have

    @property
    def schema_is_8(self) -> bool:
        """Whether this version may touch what the 8.0.0 migration adds."""
        major = re.match(r"\d+", self.version)
        return major is not None and int(major[0]) >= 8  # noqa: PLR2004

    def client_id(self, provider: str) -> str:
        """The OAuth client id of `google`, `github` or `microsoft`."""
        return {
            "google": self.google_client_id,
            "github": self.github_client_id,
            "microsoft": self.microsoft_client_id,
        }[provider]

    def secrets(self) -> list[str]:
        """Every value that a log line must never show."""
        passwords = [urlsplit(url).password or "" for url in (self.database_url, self.redis_url)]
        keys = [
            self.secret_key,
            self.google_client_secret,
            self.github_client_secret,
            self.microsoft_client_secret,
        ]
        return [value for value in [self.database_url, self.redis_url, *passwords, *keys] if value]


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Settings from variables. Raises SettingsError for the first one that is missing or bad."""
    return Settings(
        version=_matching(environment, "NOX_VERSION", r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", "such as 8.0.0"),
        public_url=_matching(environment, "PUBLIC_URL", r"https?://[^/\s]+/?", "https://host").rstrip("/"),
        port=_port(environment),
        database_url=_matching(environment, "DATABASE_URL", r"postgres(ql)?://\S+", "postgresql://…"),
        redis_url=_matching(environment, "REDIS_URL", r"(rediss?|unix)://\S+", "redis://…"),
        secret_key=_matching(
            environment,
            "SECRET_KEY",
            rf".{{{SHORTEST_SECRET_KEY},}}",
            f"{SHORTEST_SECRET_KEY} characters or more",
        ),
        google_client_id=_required(environment, "GOOGLE_CLIENT_ID"),
        google_client_secret=_required(environment, "GOOGLE_CLIENT_SECRET"),
        github_client_id=_required(environment, "GITHUB_CLIENT_ID"),
        github_client_secret=_required(environment, "GITHUB_CLIENT_SECRET"),
        microsoft_client_id=_required(environment, "MICROSOFT_CLIENT_ID"),
        microsoft_client_secret=_required(environment, "MICROSOFT_CLIENT_SECRET"),
        host=_loopback(environment),
        pod=environment.get("POD_NAME") or "nox-api",
        faults=environment.get("NOX_FAULTS", ""),
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _matching(environment: Mapping[str, str], name: str, pattern: str, wanted: str) -> str:
    value = _required(environment, name)
    if re.fullmatch(pattern, value) is None:
        raise SettingsError(f"{name} must be {wanted}")
    return value


def _port(environment: Mapping[str, str]) -> int:
    value = environment.get("PORT", "").strip() or "3000"
    if not re.fullmatch(r"\d{1,5}", value) or not 0 < int(value) < 2**16:
        raise SettingsError("PORT must be a number from 1 to 65535")
    return int(value)


def _loopback(environment: Mapping[str, str]) -> str:
    """The address to listen on: the reference API is for one machine and refuses any other."""
    value = environment.get("HOST", "").strip() or "127.0.0.1"
    try:
        loopback = ipaddress.ip_address(value).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SettingsError("HOST must be a loopback address, such as 127.0.0.1")
    return value
