"""examples/ci/: what each tool makes of the gate's exit status, as far as that runs here; 2 is a failure."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests_self.building.overlays import HOME, apply
from tests_self.deployed import DEPLOY, ROOT, Object, rendered
from tests_self.kubernetes.servers import Server, stand_in

CI = ROOT / "examples" / "ci"
STATUSES = {0: "GO", 1: "NO-GO", 2: "INCONCLUSIVE", 4: "wrong usage", 137: "killed"}
STUB = """#!/bin/sh
echo "$@" >> "$SAID"
case "$1" in load) exit 1;; esac
exit "$STATUS"
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A noxgate that ends with $STATUS, and a git that does nothing."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in (("noxgate", STUB), ("git", "#!/bin/sh\n"), ("make", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def ended(script: str, programs: Path, status: int, shell: tuple[str, ...]) -> tuple[int, list[str]]:
    """How a script ends where the gate ends so; and what the gate was asked."""
    said = programs / "said"
    said.write_text("")
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "STATUS": str(status), "SAID": str(said)}
    environment |= {"NOX_BRANCH": "main", "NOX_REPOSITORY": "x", "PHASE": "preflight or staging"}
    done = subprocess.run(
        [*shell, "-c", script], cwd=programs, env=environment, check=False, capture_output=True
    )
    return done.returncode, said.read_text().splitlines()


def documents(*names: str) -> list[Any]:
    return [each for each in yaml.safe_load_all((CI.joinpath(*names)).read_text()) if each]


def keys(document: Any) -> Iterator[str]:
    """All of them, at any depth."""
    if isinstance(document, dict):
        yield from document
        document = list(document.values())
    for each in document if isinstance(document, list) else ():
        yield from keys(each)


# ---------------------------------------------------------------- GitLab


def test_gitlab_by_its_schema() -> None:
    """That which check-jsonschema brings; and it refuses a misspelt key."""
    file = CI / "gitlab" / ".gitlab-ci.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]

    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = file.read_text().replace("allow_failure: false", "allow_failure: {exit_code: 2}")
    done = subprocess.run([*command, "-"], input=wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize("status", STATUSES)
def test_gitlab_fails_unless_it_is_go(programs: Path, status: int) -> None:
    """Its runner writes all lines into one script, which ends with the first that fails."""
    (job,) = [each for each in documents("gitlab", ".gitlab-ci.yml")[0].values() if isinstance(each, dict)]
    assert job["allow_failure"] is False
    assert {"rules", "only", "except", "when", "needs"} & job.keys() == set()
    assert job["retry"] == 0
    script = "\n".join(["set -eo pipefail", *job["script"]]).replace("cd /gate\n", "")

    got, asked = ended(script, programs, status, ("bash",))

    assert (got == 0) is (status == 0), STATUSES[status]
    assert asked[-1] == "gate --target staging --phase preflight or staging"


# ---------------------------------------------------------------- Jenkins


@pytest.mark.parametrize("status", STATUSES)
def test_jenkins_fails_unless_it_is_go(programs: Path, status: int) -> None:
    """`sh` is `sh -xe`; nothing in the file catches what it throws."""
    text = re.sub(r"(?m)^ *//.*$|(?<= )//.*$", "", (CI / "jenkins" / "Jenkinsfile").read_text())
    assert not re.search(
        r"\b(returnStatus|catchError|warnError|unstable|UNSTABLE|currentBuild|try|when)\b", text
    )
    assert text.count("{") == text.count("}")
    (script,) = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)

    got, asked = ended(script, programs, status, ("sh", "-xe"))

    assert (got == 0) is (status == 0), STATUSES[status]
    assert asked[-1] == "gate --target staging --phase preflight or staging"


# ---------------------------------------------------------------- Argo Rollouts


def test_argo_asks_once_and_waits() -> None:
    """One measurement that may not fail, before the promotion; no Inconclusive, which a person resumes."""
    (template,) = documents("argo-rollouts", "analysis-template.yaml")
    (metric,) = template["spec"]["metrics"]
    job = metric["provider"]["job"]["spec"]

    assert (metric["count"], metric["failureLimit"], metric["consecutiveErrorLimit"]) == (1, 0, 0)
    unwanted = {
        "dryRun",
        "inconclusiveLimit",
        "successCondition",
        "failureCondition",
        "interval",
        "podFailurePolicy",
    }
    assert unwanted & set(keys(template)) == set()
    assert (job["backoffLimit"], job["template"]["spec"]["restartPolicy"]) == (0, "Never")
    assert job["activeDeadlineSeconds"] == 3600
    (rollout,) = documents("argo-rollouts", "rollout.yaml")
    strategy = rollout["spec"]["strategy"]["blueGreen"]
    assert strategy["prePromotionAnalysis"]["templates"] == [{"templateName": template["metadata"]["name"]}]
    assert rollout["metadata"]["namespace"] == template["metadata"]["namespace"] == HOME
    assert "analysis" not in set(keys(rollout))  # that of a canary in the background


def test_argos_pod_is_the_phases() -> None:
    """One source: the template's pod is that of deploy/overlays/staging."""
    (template,) = documents("argo-rollouts", "analysis-template.yaml")
    (job,) = [each for each in rendered(DEPLOY / "overlays/staging") if each["kind"] == "Job"]

    assert template["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"] == job["spec"]["template"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with stand_in(tmp_path_factory.mktemp("examples")) as running, running.client() as admin:
        assert admin.post("/api/v1/namespaces", json={"metadata": {"name": HOME}}).status_code == 201
        yield running


def test_what_kubernetes_itself_knows_is_accepted(server: Server) -> None:
    """Strictly: Argo's Job, and the webhook's own objects. The two other kinds are their tools'."""
    (template,) = documents("argo-rollouts", "analysis-template.yaml")
    job: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "argo", "namespace": HOME},
        "spec": template["spec"]["metrics"][0]["provider"]["job"]["spec"],
    }
    with server.client() as admin:
        for obj in (job, *rendered(CI / "flagger")):
            answer = apply(admin, obj)
            assert answer.status_code == 201, answer.text


# ---------------------------------------------------------------- Flagger


@pytest.fixture
def webhook(programs: Path) -> Iterator[tuple[str, Path]]:
    """The script as it runs in its pod, before a noxgate that ends as `status` says; the URL."""
    (programs / "noxgate").write_text('#!/bin/sh\necho "$@" > "$SAID"\nexit "$(cat "$STATUS")"\n')
    environment = os.environ | {"TARGET": "staging", "RELEASE": "8.0.0", "PHASES": "preflight staging"}
    environment |= {"HOST": "127.0.0.1", "PORT": "0", "NOXGATE": str(programs / "noxgate")}
    environment |= {"STATUS": str(programs / "status"), "SAID": str(programs / "said")}
    script = CI / "flagger" / "webhook.py"
    process = subprocess.Popen(
        [sys.executable, str(script)], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    port = process.stderr.readline().rpartition(" ")[2].strip()
    reading = threading.Thread(target=process.stderr.read)
    reading.start()
    try:
        yield f"http://127.0.0.1:{port}", programs
    finally:
        process.terminate()
        process.wait(timeout=60)
        reading.join()
        process.stderr.close()


CANARY = {
    "name": "nox-api",
    "namespace": "nox-production",
    "phase": "Progressing",
    "checksum": "1",
    "metadata": {},
}
TAKEN_FOR_YES = range(100, 203)  # by Flagger


@pytest.mark.parametrize(("status", "answer"), [(0, 200), (1, 403), (2, 503), (4, 503), (137, 503)])
def test_flagger_is_told_yes_for_go_alone(webhook: tuple[str, Path], status: int, answer: int) -> None:
    """Neither 201 nor 202 for what is under way: Flagger takes them for a yes."""
    url, programs = webhook
    (programs / "status").write_text(str(status))

    got = httpx.post(f"{url}/gate", json=CANARY, timeout=60)

    assert got.status_code == answer
    assert (got.status_code in TAKEN_FOR_YES) is (status == 0), STATUSES[status]
    asked = (programs / "said").read_text().split()
    assert asked == ["verify", "8.0.0", "--target", "staging", "--phase", "preflight", "--phase", "staging"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"{", b"x" * 70_000, b'{"name": 1}'])
def test_flagger_gets_no_yes_for_nonsense(webhook: tuple[str, Path], body: bytes) -> None:
    url, programs = webhook
    (programs / "status").write_text("0")

    assert httpx.post(f"{url}/gate", content=body, timeout=60).status_code == 400
    assert httpx.post(f"{url}/other", json=CANARY, timeout=60).status_code == 400
    assert httpx.get(f"{url}/alive", timeout=60).status_code == 200
    assert httpx.get(f"{url}/gate", timeout=60).status_code == 404


def test_flagger_gets_no_yes_without_a_noxgate(webhook: tuple[str, Path]) -> None:
    url, programs = webhook
    (programs / "noxgate").unlink()

    assert httpx.post(f"{url}/gate", json=CANARY, timeout=60).status_code == 503


def test_the_canary_asks_and_skips_nothing() -> None:
    """Before it starts and before it stays; the script ends before Flagger stops waiting."""
    (canary,) = documents("flagger", "canary.yaml")
    hooks = canary["spec"]["analysis"]["webhooks"]
    text = (CI / "flagger" / "webhook.py").read_text()

    assert canary["spec"]["skipAnalysis"] is False
    assert [hook["type"] for hook in hooks] == ["confirm-rollout", "confirm-promotion"]
    (seconds,) = re.findall(r"^SECONDS = (\d+)", text, re.MULTILINE)
    assert all(int(hook["timeout"].removesuffix("s")) > int(seconds) for hook in hooks)
    service = next(each for each in rendered(CI / "flagger") if each["kind"] == "Service")
    name = f"{service['metadata']['name']}.{service['metadata']['namespace']}"
    assert {hook["url"] for hook in hooks} == {f"http://{name}/gate"}


def test_the_webhook_says_what_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(CI / "flagger" / "webhook.py")],
        env={"TARGET": "staging"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("expected $RELEASE, saw none")


# ---------------------------------------------------------------- GitHub, and the documents


def test_github_is_in_one_place() -> None:
    """The workflow and its document: no second one."""
    folder = CI / "github"

    assert [path.name for path in folder.iterdir()] == ["README.md"]
    links = re.findall(r"\]\(([^)]+)\)", (folder / "README.md").read_text())
    assert len(links) == 3
    assert all((folder / link).resolve().is_file() for link in links)


def test_each_example_is_documented() -> None:
    """With what could not be run here."""
    text = (ROOT / "docs" / "DEPLOY.md").read_text()

    assert [path.name for path in sorted(CI.iterdir()) if f"examples/ci/{path.name}" not in text] == []
    assert json.dumps(sorted(path.name for path in CI.iterdir())) == (
        '["argo-rollouts", "flagger", "github", "gitlab", "jenkins"]'
    )
