"""deploy/ in a rehearsal: its objects are run as they stand in the cluster, with the documented roles alone.

The image is made by the Dockerfile's own steps. No container runtime is here: tests_self/pods.py says what
that leaves out.
"""

import base64
import json
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests_self.building.overlays import HOME, apply, place
from tests_self.deployed import DEPLOY, Object, rendered
from tests_self.pods import Ended, Node, build, rehearsals_place

from nox_rehearsal.science import environment
from nox_rehearsal.world.state import World
from noxgate.run import commit

ROOT = Path(__file__).parents[3]
JOBS = ("noxgate-phase", "noxgate-load-master", "noxgate-load-worker")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/gate of the image, of the commit that is checked out here."""
    return build(ROOT, tmp_path_factory.mktemp("image"))


class Cluster:
    """The rehearsal's, with deploy/ applied to it."""

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
            timeout=30,
        )
        self.place = folder / "rehearsal"
        rehearsals_place(world.profile.parent, self.place)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.settings = {"TARGET": str(self.place / "rehearsal.toml"), "PHASE": "staging"}
        self.settings |= {"NOX_REPOSITORY": str(self.place / "source.git")}
        self.settings |= {"RAMP": "smoke", "USERS": "ramp", "WORKERS": "2"}
        self._server = said["server"]
        self._before: dict[str, Object | None] = {}  # of the world's own objects, by their paths
        science = environment.interpreter(ROOT)
        also = [self.place, science.parents[1]]
        addresses = {f"{name}:5557": f"127.0.0.1:{port}" for name in ("0.0.0.0", "noxgate-load-master")}  # noqa: S104
        self.node = Node(self.admin, self.authority, image, folder, also, addresses)
        self._secrets(world)

    def apply(self, **settings: str) -> None:
        """Both overlays, as an overlay of the rehearsal would have them: its cluster, its target."""
        for name in JOBS:  # a Job's pod cannot be changed
            self.admin.delete(f"/apis/batch/v1/namespaces/{HOME}/jobs/{name}")
        for obj in (*rendered(DEPLOY / "overlays/staging"), *rendered(DEPLOY / "overlays/load")):
            if obj["kind"] == "Namespace":
                obj["metadata"].pop("labels")
            if obj["metadata"]["name"] == "noxgate-settings":
                obj["data"] |= self.settings | settings
            if obj["metadata"]["name"] == "noxgate-kubeconfig":
                text = obj["data"]["kubeconfig"]
                obj["data"]["kubeconfig"] = text.replace("https://kubernetes.default.svc", self._server)
            if (obj["kind"], obj["metadata"]["name"]) == ("Job", "noxgate-load-worker"):
                obj["spec"] |= {"parallelism": 2, "completions": 2}
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

    def run(self, name: str = "noxgate-phase") -> Ended:
        return self.node.run("Job", name, HOME)

    def load(self) -> list[Ended]:
        """The master and its workers at once; how each ended."""
        names = ("noxgate-load-master", "noxgate-load-worker", "noxgate-load-worker")
        started = [next(self.node.containers("Job", name, HOME)) for name in names]
        said = [process.communicate(timeout=300)[0].decode() for process in started]
        return [Ended(process.returncode, text) for process, text in zip(started, said, strict=True)]

    def results(self) -> Any:
        """Of the newest run, in the volume of the evidence."""
        found = sorted((self.node.folder / "noxgate-reports").glob("8.0.0/2*/results.json"))
        return json.loads(found[-1].read_text())

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


@pytest.fixture
def cluster(world: World, tmp_path: Path, image: Path) -> Iterator[Cluster]:
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    made = Cluster(world, tmp_path, image)
    yield made
    made.restore()
    made.admin.close()


def without_look(cluster: Cluster) -> None:
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/nox-staging-green/rolebindings/noxgate-look"
    assert cluster.admin.delete(path).status_code == 200


def test_go_from_the_deployed_objects(cluster: Cluster, image: Path) -> None:
    """The load test by its master and workers, then both phases: GO, and nothing but volumes is written."""
    cluster.apply(PHASE="preflight or staging")
    master, *workers = cluster.load()
    assert (master.status, "PASSED" in master.output) in {(0, True), (2, False)}, master.output
    assert "kept in reports/8.0.0/load/" in master.output
    assert [each.status for each in workers] == [0, 0], workers[0].output
    assert all("the master has the result" in each.output for each in workers)

    done = cluster.run()

    lines = cluster.results()["lines"]
    late = {line["id"] for line in lines if line["outcome"] not in {"passed", "not counted"}}
    # a generator on a busy machine is late, and then its lines are undecided: nothing else may be
    assert {name for name in late if not name.startswith(("staging.slo-", "staging.load-"))} == set(), (
        done.output
    )
    assert done.status == (2 if late else 0), done.output
    assert len(cluster.node.tokens) > 1  # the kubelet wrote another one meanwhile
    assert list(commit.head(image).different(image)) == []
    written = {each.name for each in (cluster.node.folder / "noxgate-reports" / "8.0.0").iterdir()}
    assert written


def test_without_its_role_nothing_is_passed_over(cluster: Cluster) -> None:
    """Without a load test it is INCONCLUSIVE, and so is a look that no role allows: status 2."""
    cluster.apply()
    without_look(cluster)

    done = cluster.run()

    assert done.status == 2, done.output
    assert "bind the role of docs/roles/look.yaml" in done.output
    outcomes = {line["outcome"] for line in cluster.results()["lines"]}
    assert "failed" not in outcomes


def test_a_target_that_is_none(cluster: Cluster) -> None:
    """Wrong usage is a failure, too."""
    cluster.apply(TARGET="stagin")

    assert cluster.run().status == 4


def changed(cluster: Cluster, command: Sequence[str], **more: object) -> Ended:
    """The phase's pod with another command: what its container can do."""
    cluster.apply()
    path = f"/apis/batch/v1/namespaces/{HOME}/jobs/noxgate-phase"
    job: Object = cluster.admin.get(path).json()
    cluster.admin.delete(path)
    spec = job["spec"]["template"]["spec"]
    spec["containers"][0] |= {"command": list(command), **more}
    body = {"metadata": {"name": "noxgate-phase"}, "spec": {"template": job["spec"]["template"]}}
    labels = job["spec"]["template"]["metadata"]["labels"]
    for name in [name for name in labels if "controller-uid" in name or "job-name" in name]:
        del labels[name]
    answer = cluster.admin.post(f"/apis/batch/v1/namespaces/{HOME}/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return cluster.run()


def test_nothing_but_volumes_can_be_written(cluster: Cluster) -> None:
    """No root, and a root file system that is read-only: /tmp, /var/tmp and the evidence are written."""
    closed = (
        "/x",
        "/gate/x",
        "/gate/src/x",
        "/gate/targets/staging.toml",
        "/usr/x",
        "/etc/x",
        "/etc/noxgate/x",
    )
    volumes = ("/nox/.git/x", "/tmp/x", "/var/tmp/x", "/gate/reports/x")  # noqa: S108 (the pod's)
    places = " ".join((*closed, *volumes))
    script = f"id -u; for file in {places}; do touch $file 2>/dev/null && echo $file; done; true"

    done = changed(cluster, ["sh", "-c", script])

    assert done.output.split() == ["65532", *volumes]


def test_an_image_without_git_counts_as_committed(cluster: Cluster, image: Path) -> None:
    """A real target, of which nothing can be looked at: the run names the commit, and has no doubt of it."""
    settings = {"KUBECONFIG": "", "PRODUCTION_KUBECONFIG": "", "TARGET": "staging"}
    cluster.settings |= settings
    done = changed(cluster, ["noxgate", "gate", "--target", "staging", "--phase", "staging"], env=[])

    assert done.status == 2, done.output
    results = cluster.results()
    run = max((cluster.node.folder / "noxgate-reports").glob("8.0.0/2*/environment.json"))
    assert not (image / ".git").exists()
    assert json.loads(run.read_text())["commit"] == commit.head(image).id
    assert commit.head(image) == commit.of(ROOT, commit.head(image).id)  # what git itself has
    # that of a report is about what was shown, and no commit
    assert [doubt for doubt in results["doubts"] if not doubt.startswith("report.html ")] == []
