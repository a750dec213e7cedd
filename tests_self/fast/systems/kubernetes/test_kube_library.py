"""Importing Kubernetes' client takes no part of the time that an API server has to answer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# The first look of a new process, at a closed port; it prints what is imported while the time runs.
SCRIPT = """
import json, sys
from pathlib import Path
from noxgate.systems import settings
from noxgate.systems.kubernetes.forward import Forward
from noxgate.systems.kubernetes.session import KubeSession
from noxgate.errors import UnreachableError
from noxgate.project.target import Target

class Watched:
    late = []
    def run(self, function):
        before = set(sys.modules)
        try:
            return function()
        finally:
            self.late += [name for name in set(sys.modules) - before if name.startswith("kubernetes")]

session = KubeSession(settings.cluster(Target(
    name="staging", path=Path("staging.toml"), serves=("staging",), base_url="https://localhost",
    plain_url="http://localhost", namespace="nox", kubeconfig=sys.argv[1],
)))
session.patience = Watched()
forward = Forward(session, lambda _: None)
forward._may_proxy = lambda _: False
def by_forward():
    with forward.to_pod("nox", "pod", 80) as way:
        way.get("/health")
looks = {
    "ask": lambda: session.ask("GET", "/version", {}),
    "read": lambda: session.read("/version", {}, 100),
    "forward": lambda: session.forward("nox", "pod", 80),
    "to_pod": by_forward,
}
try:
    looks[sys.argv[2]]()
except UnreachableError as error:
    print(json.dumps([str(error), sorted(Watched.late)]))
"""
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "one", "user": {"token": "t"}}],
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
    "current-context": "one",
}


@pytest.mark.parametrize("look", ["ask", "read", "forward", "to_pod"])
def test_client_is_imported_before_the_time_runs(look: str, tmp_path: Path) -> None:
    """On a busy machine a port-forward's import alone took longer than the ten seconds of a look."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(KUBECONFIG))
    command = [sys.executable, "-c", SCRIPT, str(kubeconfig), look]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    said, late = json.loads(done.stdout)
    assert "127.0.0.1:9" in said
    assert late == []
