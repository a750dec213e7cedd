"""What the tests of the client are given."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import yaml
from prometheus_client import start_http_server
from tests_self.building.metrics import client
from tests_self.fast.systems.prometheus.client.serving import (
    ALERTMANAGER,
    MONITOR,
    PODS,
    RULES,
    Running,
    registry,
    world,
)

from nox_rehearsal.parts import prometheus
from nox_rehearsal.parts.monitoring.configuration import Scraped
from nox_rehearsal.world.ports import reserved
from nox_rehearsal.world.processes import Crew
from nox_rehearsal.world.state import StartedPart
from noxgate.systems.prometheus.client import Prometheus

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One for all tests, with two small exporters in place of pods; each test leaves it as it was."""
    folder = tmp_path_factory.mktemp("prometheus")
    crew = Crew(folder)
    with reserved(1) as (port,):
        registries = {pod: registry() for pod in PODS}
        exporters = [start_http_server(0, "127.0.0.1", registry) for registry in registries.values()]
        scraped = [
            Scraped(f"127.0.0.1:{server.server_port}", "nox-staging-green", pod, "nox-api-service-green")
            for pod, (server, _) in zip(PODS, exporters, strict=True)
        ]
        groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
        try:
            started = datetime.now(UTC)
            crew.launch(prometheus.prepare(folder, port, {MONITOR: scraped}, groups, ALERTMANAGER))
            crew.wait_for(prometheus.NAME)
            prometheus.wait_until_scraped(port, PODS, within=60)
            seconds = (datetime.now(UTC) - started).total_seconds()
            server = StartedPart(prometheus.NAME, f"127.0.0.1:{port}", crew.pids()[prometheus.NAME], None)
            yield Running(world(folder, f"http://127.0.0.1:{port}", server), seconds, registries)
        finally:
            crew.stop_all()
            for exporter, thread in exporters:
                exporter.shutdown()
                exporter.server_close()
                thread.join()


@pytest.fixture
def looking(loopback: "Loopback", running: Running) -> Prometheus:
    """A client of the Prometheus that runs."""
    return client(loopback, running.world.prometheus_url)
