"""The NOX API's processes: pods that serve, and the worker that computes their jobs."""

import http.client
import signal
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path

from nox_rehearsal.error import RehearsalError
from nox_rehearsal.world.forks import Module
from nox_rehearsal.world.processes import Part
from noxgate.look.waiting import eventually

WORKER = "nox-worker"


@dataclass(frozen=True)
class Deployment:
    """One version of the application: `pods` by name with their ports, and what their environment says."""

    namespace: str
    colour: str
    version: str
    repository: str  # of its image: HOST/NAME
    pods: Mapping[str, int]
    environment: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The Deployment's, in the cluster."""
        return f"nox-api-deployment-{self.colour}"

    @property
    def image(self) -> str:
        return f"{self.repository}:v{self.version}"

    def image_id(self, digests: Mapping[str, str]) -> str:
        """The image by its digest; `digests` by version, as the registry has them."""
        return f"{self.repository}@{digests[self.version]}"


def pod_names(colour: str, count: int) -> list[str]:
    return [f"nox-api-{colour}-{number}" for number in range(1, count + 1)]


def prepare(folder: Path, deployment: Deployment) -> list[Part]:
    """A part for each pod."""
    return [
        Part(
            name=name,
            address=f"http://127.0.0.1:{port}",
            command=Module("nox_rehearsal.api.__main__"),
            folder=folder,
            serves=partial(_answers, port),
            environment={
                **deployment.environment,
                "NOX_VERSION": deployment.version,
                "POD_NAME": name,
                "PORT": str(port),
            },
        )
        for name, port in deployment.pods.items()
    ]


def prepare_worker(folder: Path, deployment: Deployment) -> Part:
    """The worker has no port: it serves as long as it runs."""
    return Part(
        name=WORKER,
        address="",
        command=Module("nox_rehearsal.science.worker"),
        folder=folder,
        serves=lambda: None,
        environment={
            **deployment.environment,
            "NOX_VERSION": deployment.version,
            "POD_NAME": WORKER,
        },
        death=signal.SIGTERM,  # so that it also ends the program that computes its job
    )


def wait_until_ready(ports: Mapping[str, int], *, within: float) -> None:
    """Wait until every pod says that it can reach its database and Redis.

    Raises RehearsalError if one does not.
    """
    for name, port in ports.items():
        try:
            eventually(partial(_is_ready, port), within=within, every=0.02)
        except AssertionError as error:
            raise RehearsalError(f"{name} is not ready after {within:g} s: {error}") from None


def _answers(port: int) -> None:
    _get(port, "/health")


def _is_ready(port: int) -> None:
    status, body = _get(port, "/ready")
    assert status == HTTPStatus.OK, f"GET /ready: HTTP {status}: {body}"


def _get(port: int, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=3)) as connection:
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise AssertionError(f"GET {path}: {error}") from None
