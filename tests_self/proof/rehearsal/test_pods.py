"""deploy/ in a rehearsal: its objects are run as they stand in the cluster, with the documented roles alone.

The image is made by the Dockerfile's own steps. No container runtime is here: tests_self/pods.py says what
that leaves out.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tests_self.building.overlays import HOME
from tests_self.deployed_rehearsal import Cluster
from tests_self.pods import Ended

from noxgate.run import commit

ROOT = Path(__file__).parents[3]


def test_go_from_the_deployed_objects(cluster: Cluster, image: Path) -> None:
    """The load test by its master and workers, then both phases: GO, and nothing but volumes is written."""
    cluster.apply(PHASE="preflight or staging")
    master, *workers = cluster.load()
    assert (master.status, "PASSED" in master.output) in {(0, True), (2, False)}, master.output
    assert "kept in reports/8.0.0/load/" in master.output
    assert [each.status for each in workers] == [0, 0], workers[0].output
    assert all("the master has the result" in each.output for each in workers)

    done = cluster.run(rotates=True)

    lines = cluster.results()["lines"]
    late = {line["id"] for line in lines if line["outcome"] not in {"passed", "not counted"}}
    # a generator on a busy machine is late, and then its lines are undecided: nothing else may be
    assert {name for name in late if not name.startswith(("staging.slo-", "staging.load-"))} == set(), (
        done.output
    )
    assert done.status == (2 if late else 0), done.output
    sent = [account for account, method in cluster.asked() if method == "PATCH"]
    assert sent == sorted(sent)  # none with the token of before once there was another
    assert set(sent) == {"release-gate-dry-run", "release-gate-dry-run-next"}
    assert list(commit.head(image).different(image)) == []
    written = {each.name for each in (cluster.node.folder / "noxgate-reports" / "8.0.0").iterdir()}
    assert written


def test_without_its_role_nothing_is_passed_over(cluster: Cluster) -> None:
    """Without a load test it is INCONCLUSIVE, and so is a look that no role allows: status 2."""
    cluster.apply()
    cluster.without_look("nox-staging-green")

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
    job = cluster.admin.get(path).json()
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
