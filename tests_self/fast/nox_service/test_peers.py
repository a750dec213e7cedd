"""Production's checks look for what staging runs where staging's profile has it, and there alone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tests_self.deployed import ROOT
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server, stand_in

from nox_service.clients import Clients, Sessions
from noxgate.blue_green.running import running_images
from noxgate.project.profile import read_peer, read_target
from noxgate.project.runbook import read_runbook

RUNBOOK = read_runbook(ROOT / "runbook.toml")
IMAGES = {
    name: f"registry/nox-api@sha256:{digit * 64}"
    for name, digit in (("staging", "a"), ("staging-green", "b"))
}
PRODUCTION = """\
serves = ["green"]
staging = "staging.toml"
base_url = "https://api.example.com"
namespace = "production"
green_namespace = "production-green"
kubeconfig = "{kubeconfig}"
"""
STAGING = """\
serves = ["staging"]
base_url = "https://staging.example.com"
namespace = "staging"
kubeconfig = "{kubeconfig}"
"""
REST = "[credentials]\n[oauth]\n"


def release(admin: httpx.Client, namespace: str) -> None:
    """A pod of green's Deployment, whose image is the namespace's own."""
    core, apps = f"/api/v1/namespaces/{namespace}", f"/apis/apps/v1/namespaces/{namespace}"
    assert admin.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}).status_code == 201
    deployment = examples.deployment(RUNBOOK.service.green.deployment)
    assert admin.post(f"{apps}/deployments", json=deployment).status_code == 201
    pod = examples.pod(f"{namespace}-0")
    assert admin.post(f"{core}/pods", json=pod).status_code == 201
    status = examples.running()
    status["status"]["containerStatuses"][0]["imageID"] = IMAGES[namespace]
    answer = admin.patch(
        f"{core}/pods/{namespace}-0/status",
        json=status,
        headers={"content-type": "application/merge-patch+json"},
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("peers")) as running_server, running_server.client() as admin:
        for namespace in IMAGES:
            release(admin, namespace)
        yield running_server


@pytest.mark.parametrize(
    ("names_green", "namespace"), [("", "staging"), ('green_namespace = "staging-green"\n', "staging-green")]
)
def test_what_staging_runs(names_green: str, namespace: str, server: Server, tmp_path: Path) -> None:
    """In its green_namespace; without one in its namespace, as staging's own checks have it."""
    for name, text in (("production", PRODUCTION), ("staging", STAGING + names_green)):
        named = text.format(kubeconfig=server.kubeconfig())
        (tmp_path / f"{name}.toml").write_text(named + REST)
    phases = list(RUNBOOK.phases)
    production = read_target(tmp_path, str(tmp_path / "production.toml"), phases)

    peer = read_peer(tmp_path, production, phases, key="staging")

    with closing(Sessions(peer, RUNBOOK)) as sessions:
        staging = Clients(sessions, lambda _: None)
        assert running_images(staging.green) == {f"{namespace}-0": IMAGES[namespace]}
    assert production.green_namespace == "production-green"
