"""A rehearsal with deploy/ applied to its cluster, and its pods run from the objects that the cluster has."""

import base64
import json
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml
from tests_self.building.overlays import HOME, apply, place
from tests_self.deployed import DEPLOY, Object, rendered
from tests_self.pods import OTHER_TOKEN, TOKEN, Ended, Node, rehearsals_place

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.cluster import objects, server
from nox_rehearsal.day import saving
from nox_rehearsal.science import environment
from nox_rehearsal.world.ports import free_ports
from nox_rehearsal.world.state import World
from noxgate.look.waiting import eventually

NEXT = "-next"  # the accounts of the tokens that come later
OVERLAYS = ("staging", "load")
JOBS = ("noxgate-phase", "noxgate-load-master", "noxgate-load-worker")
LOOK = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings/noxgate-look"


class Cluster:
    """The rehearsal's, with deploy/ applied to it, and a machine that runs its pods."""

    def __init__(self, world: World, folder: Path, image: Path) -> None:
        folder.chmod(0o755)
        config = yaml.safe_load(world.profile.with_name("kubeconfig").read_text())
        said = config["clusters"][0]["cluster"]
        self.authority = folder / "ca.crt"
        self.authority.write_bytes(base64.b64decode(said["certificate-authority-data"]))
        (admin,) = [each["user"]["token"] for each in config["users"] if each["name"] == "admin"]
        self.admin = httpx.Client(
            base_url=said["server"],
            verify=ssl.create_default_context(cafile=str(self.authority)),
            headers={"authorization": f"Bearer {admin}"},
            timeout=120,
        )
        self.place = folder / "rehearsal"
        rehearsals_place(world.profile.parent, self.place)
        (port,) = free_ports(1)
        self.settings = {"TARGET": str(self.place / "rehearsal.toml"), "PHASE": "staging"}
        self.settings |= {"NOX_REPOSITORY": str(self.place / "source.git")}
        self.settings |= {"RAMP": "smoke", "USERS": "ramp", "WORKERS": "2"}
        self._server = said["server"]
        self._audit = world.folder / server.NAME / server.AUDIT_LOG
        self._audited = len(self._audit.read_text().splitlines())  # of earlier tests
        self._before: dict[str, Object | None] = {}  # of the world's own objects, by their paths
        science = environment.interpreter(ROOT)
        also = [self.place, science.parents[1]]
        addresses = {f"{name}:5557": f"127.0.0.1:{port}" for name in ("0.0.0.0", "noxgate-load-master")}  # noqa: S104
        self.node = Node(self.admin, self.authority, image, folder, also, addresses)
        self._secrets(world)

    def apply(self, *overlays: str, also: Callable[[Object], None] = lambda _: None, **settings: str) -> None:
        """Overlays, as an overlay of the rehearsal would have them: its cluster, its target, and `also`."""
        for name in JOBS:  # a Job's pod cannot be changed
            self.admin.delete(f"/apis/batch/v1/namespaces/{HOME}/jobs/{name}")
        for obj in (each for name in overlays or OVERLAYS for each in rendered(DEPLOY / "overlays" / name)):
            if obj["kind"] == "Namespace":
                obj["metadata"].pop("labels")
            if obj["metadata"]["name"] == "noxgate-settings":
                obj["data"] |= self.settings | settings
            if obj["metadata"]["name"] == "noxgate-kubeconfig":
                text = obj["data"]["kubeconfig"]
                obj["data"]["kubeconfig"] = text.replace("https://kubernetes.default.svc", self._server)
            if (obj["kind"], obj["metadata"]["name"]) == ("Job", "noxgate-load-worker"):
                obj["spec"] |= {"parallelism": 2, "completions": 2}
            obj.get("subjects", []).extend(
                [one | {"name": f"{one['name']}{NEXT}"} for one in obj.get("subjects", ())]
            )
            also(obj)
            path = place(obj)
            if path not in self._before:
                found = self.admin.get(path)
                self._before[path] = found.json() if found.status_code == 200 else None
            answer = apply(self.admin, obj)
            assert answer.status_code in {200, 201}, answer.text

    def restore(self) -> None:
        """The world as it was: its own bindings have the names of those that deploy/ has."""
        for path, before in self._before.items():
            self.admin.delete(path)
            if before is not None:
                del before["metadata"]["resourceVersion"], before["metadata"]["uid"]
                answer = self.admin.post(path.rpartition("/")[0], json=before)
                assert answer.status_code == 201, answer.text
        self.admin.delete(f"/api/v1/namespaces/{HOME}")

    def without_look(self, namespace: str) -> None:
        assert self.admin.delete(LOOK.format(namespace)).status_code == 200

    def run(self, kind: str = "Job", name: str = "noxgate-phase", *, rotates: bool = False) -> Ended:
        """How its pod ended; where `rotates`, both tokens are others from its first write or stream on."""
        return self.node.run(kind, name, HOME, self._rotate if rotates else lambda _: None)

    def asked(self) -> list[tuple[str, str]]:
        """Which of the gate's accounts sent each dry run (PATCH) and port-forward (WEBSOCKET), in order."""
        lines = map(json.loads, self._audit.read_text().splitlines()[self._audited :])
        accounts = f"system:serviceaccount:{HOME}:"
        return [
            (line["user"].removeprefix(accounts), line["method"])
            for line in lines
            if line["user"].startswith(accounts) and line["method"] in {"PATCH", "WEBSOCKET"}
        ]

    def _rotate(self, process: subprocess.Popen[bytes]) -> None:
        """Others of the same roles, so that the audit log tells which token was sent."""
        before = len(self.asked())

        def has_asked() -> None:
            assert len(self.asked()) > before or process.poll() is not None, "no dry run and no port-forward"

        eventually(has_asked, within=120, every=0.02)
        if process.poll() is not None:  # the init container, say
            return
        main = psutil.Process(process.pid)
        running = [main, *main.children(recursive=True)]
        for each in running:
            each.suspend()
        self.node.write_token(TOKEN, f"release-gate{NEXT}", HOME)
        self.node.write_token(OTHER_TOKEN, f"release-gate-dry-run{NEXT}", HOME)
        for each in running:
            each.resume()

    def profile(self, of_world: Path) -> str:
        """As a pod has a profile of the world."""
        return str(self.place / of_world.name)

    def load(self) -> list[Ended]:
        """The master and its workers at once; how each ended."""
        names = ("noxgate-load-master", "noxgate-load-worker", "noxgate-load-worker")
        started = [next(self.node.containers("Job", name, HOME)) for name in names]
        said = [process.communicate(timeout=300)[0].decode() for process in started]
        return [Ended(process.returncode, text) for process, text in zip(started, said, strict=True)]

    def runs(self) -> list[Path]:
        """Of all that ended, in the volume of the evidence."""
        return sorted((self.node.folder / "noxgate-reports").glob("8.0.0/2*/results.json"))

    def results(self) -> Any:
        """Of the newest run."""
        return json.loads(self.runs()[-1].read_text())

    def save_manifests(self, world: World) -> None:
        """What a rollback would put back, of the cluster as it is now; only the pods have it."""
        with objects.administrator(world) as api:
            saved = saving.save_manifests(world, api)
        shutil.chown(shutil.move(saved, self.place / "backups"), 65532, 65532)

    def _secrets(self, world: World) -> None:
        """What a person makes, and what the cluster writes into the Secret of the other account."""
        namespace = {"metadata": {"name": HOME}}
        self.admin.post("/api/v1/namespaces", json=namespace)
        self.apply()
        key = world.profile.with_name("signing.pem").read_text()
        core = f"/api/v1/namespaces/{HOME}"
        secrets = {
            "noxgate-credentials": {"TEST_TOKEN": "not-of-a-rehearsal"},
            "noxgate-signing": {"signing.pem": key},
        }
        for account in ("release-gate", "release-gate-dry-run"):
            self.admin.post(f"{core}/serviceaccounts", json={"metadata": {"name": f"{account}{NEXT}"}})
        for name, data in secrets.items():
            self.admin.post(f"{core}/secrets", json={"metadata": {"name": name}, "stringData": data})
        path = f"{core}/serviceaccounts/release-gate-dry-run/token"
        token = self.admin.post(path, json={}).json()["status"]["token"]
        answer = self.admin.patch(
            f"{core}/secrets/noxgate-dry-run",
            json={"stringData": {"token": token}},
            headers={"content-type": "application/merge-patch+json"},
        )
        assert answer.status_code == 200, answer.text
