"""[service] of runbook.toml: what the service, its objects and the night's files are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Container:
    """What the application's container is called; `is_named`: by the profile, so that no other will do."""

    name: str
    is_named: bool = False


@dataclass(frozen=True)
class Colour:
    """One of the two: its Deployment and its Service."""

    deployment: str
    service: str


@dataclass(frozen=True)
class Metrics:
    """The service's own series. No user asks for paths of `operators`; those of `slow` have other limits."""

    job: str
    requests: str
    durations: str
    operators: tuple[str, ...]
    slow: tuple[str, ...]

    @property
    def buckets(self) -> str:
        """The histogram's series, by which response times are counted."""
        return f"{self.durations}_bucket"

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """What the series must be labelled with: by these the queries tell users from probes."""
        return {self.requests: ("path", "status"), self.buckets: ("le", "path")}


@dataclass(frozen=True)
class NightFiles:
    """How the files of the night are called, in the folder that a profile names as `backups`."""

    backup: str
    migration_log: str
    rollback_manifests: str
    rollback_times: str
    green_logs: str
    green_pods: str


@dataclass(frozen=True)
class Service:
    """Everything that the engine calls by a name of the service."""

    title: str
    passed: str
    label: str
    container: str
    ingress: str
    monitors: tuple[str, ...]
    green: Colour
    blue: Colour
    metrics: Metrics
    files: NightFiles

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """Of the table, whose keys have been looked at."""
        return cls(
            title=table["title"],
            passed=table["passed"],
            label=table["label"],
            container=table["container"],
            ingress=table["ingress"],
            monitors=tuple(table["monitors"]),
            green=Colour(**table["green"]),
            blue=Colour(**table["blue"]),
            metrics=Metrics(**{key: _whole(value) for key, value in table["metrics"].items()}),
            files=NightFiles(**table["files"]),
        )

    def application(self, named: str | None) -> Container:
        """Its container, which a profile may name otherwise."""
        return Container(named or self.container, is_named=named is not None)

    @property
    def words(self) -> Mapping[str, str]:
        """What a line's texts name in braces."""
        return {
            "ingress": self.ingress,
            "label": self.label,
            "green_deployment": self.green.deployment,
            "green_service": self.green.service,
            "blue_deployment": self.blue.deployment,
            "blue_service": self.blue.service,
        }

    @property
    def colours(self) -> frozenset[str]:
        """The Services between which traffic is switched."""
        return frozenset({self.green.service, self.blue.service})


def _whole(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
