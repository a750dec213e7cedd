"""The objects in examples/ci/ whose kinds are not Kubernetes' own: a key that the tool lacks is found.

An API server that knows Argo's kinds refuses it. No package carries Flagger's: its keys are listed here.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml
from tests_self.building.overlays import HOME
from tests_self.deployed import ROOT, Object
from tests_self.kubernetes import argo_rollouts
from tests_self.kubernetes.servers import stand_in

CI = ROOT / "examples" / "ci"
PLURALS = argo_rollouts.KINDS | {"Deployment": "deployments", "Job": "jobs"}
Way = tuple[str | int, ...]


def example(*names: str) -> Object:
    obj: Object = yaml.safe_load(CI.joinpath(*names).read_text())
    return obj


TEMPLATE = example("argo-rollouts", "analysis-template.yaml")
ROLLOUT = example("argo-rollouts", "rollout.yaml")
JOB: Object = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "argo", "namespace": HOME},
    "spec": TEMPLATE["spec"]["metrics"][0]["provider"]["job"]["spec"],
}
DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": ROLLOUT["metadata"],
    "spec": {name: value for name, value in ROLLOUT["spec"].items() if name != "strategy"},
}
OF_KUBERNETES = {  # left open by Argo's kinds, and tried as these
    ("AnalysisTemplate", ("spec", "metrics", 0, "provider", "job", "spec")): JOB,
    ("Rollout", ("spec", "template")): DEPLOYMENT,
    ("Rollout", ("spec", "selector")): DEPLOYMENT,
}


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with stand_in(tmp_path_factory.mktemp("kinds")) as running, running.client() as client:
        assert client.post("/api/v1/namespaces", json={"metadata": {"name": HOME}}).status_code == 201
        for definition in json.loads(argo_rollouts.FILE.read_text()):
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            answer = client.post(path, json=definition)
            assert answer.status_code == 201, answer.text
        yield client


def tried(admin: httpx.Client, obj: Object) -> httpx.Response:
    """As `kubectl create --dry-run=server --validate=strict` sends it."""
    path = f"/apis/{obj['apiVersion']}/namespaces/{HOME}/{PLURALS[obj['kind']]}"
    return admin.post(path, json=obj, params={"fieldValidation": "Strict", "dryRun": "All"})


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """To each key of a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        if isinstance(name, str):
            yield (*way, name)
        yield from ways(each, (*way, name))


def misspelt(obj: Object, way: Way) -> Object:
    changed = copy.deepcopy(obj)
    place: Any = changed
    for part in way[:-1]:
        place = place[part]
    place[f"{way[-1]}s"] = place.pop(way[-1])
    return changed


@pytest.mark.parametrize("obj", [TEMPLATE, ROLLOUT, JOB, DEPLOYMENT], ids=lambda obj: obj["kind"])
def test_each_key_is_one_that_is_known(admin: httpx.Client, obj: Object) -> None:
    """Accepted as it stands; with any one of its keys misspelt it is refused."""
    answer = tried(admin, obj)
    assert answer.status_code == 201, answer.text

    opened = [way for kind, way in OF_KUBERNETES if kind == obj["kind"]]
    free = {("metadata", "labels"), ("template", "metadata", "labels"), ("selector", "matchLabels")}
    asked = [
        way
        for way in ways(obj["spec"], ("spec",))
        if not any(way[: len(each)] == each and way != each for each in opened)
        and not any(way[-len(each) - 1 : -1] == each for each in free)  # anybody's own words
    ]
    assert len(asked) >= {"AnalysisTemplate": 8, "Rollout": 8, "Job": 60, "Deployment": 10}[obj["kind"]]
    passed = [way for way in asked if tried(admin, misspelt(obj, way)).status_code == 201]
    assert passed == []


def test_argos_own_values(admin: httpx.Client) -> None:
    """A type that is another, and a field that is missing."""
    wrong = copy.deepcopy(ROLLOUT)
    wrong["spec"]["strategy"]["blueGreen"]["autoPromotionEnabled"] = "yes"
    assert "must be of type boolean" in tried(admin, wrong).text
    wrong = copy.deepcopy(ROLLOUT)
    del wrong["spec"]["strategy"]["blueGreen"]["activeService"]
    assert "activeService" in tried(admin, wrong).json()["message"]


def test_a_type_that_is_not_understood_is_an_error() -> None:
    text = 'export interface IRollout extends TypeMeta {\n    "spec": Map<string>;\n}\n'

    with pytest.raises(AssertionError, match="expected a type that is known here, saw Map<string>"):
        argo_rollouts.definitions({"AnalysisTemplate": text.replace("Rollout", "AnalysisTemplate")})
    with pytest.raises(KeyError):
        argo_rollouts.definitions({"Rollout": text})


# Flagger's kind Canary: the keys that the example may have. Whoever adds one looks it up, as these were on
# 2026-12-01, in the definition that Flagger 1.44.0 installs, by which the example was accepted strictly.
HOOK = ("spec", "analysis", "webhooks", 0)
OF_FLAGGER = {
    *(
        ("spec", name)
        for name in ("provider", "targetRef", "ingressRef", "skipAnalysis", "service", "analysis")
    ),
    *(("spec", ref, name) for ref in ("targetRef", "ingressRef") for name in ("apiVersion", "kind", "name")),
    *(("spec", "service", name) for name in ("port", "targetPort")),
    *(("spec", "analysis", name) for name in ("interval", "threshold", "iterations", "webhooks")),
    *((*HOOK, name) for name in ("name", "type", "url", "timeout")),
}
HOOKS = {  # what Flagger calls them
    *("confirm-rollout", "pre-rollout", "rollout", "confirm-promotion", "post-rollout", "event", "rollback"),
    "confirm-traffic-increase",
}


def not_looked_up(canary: Object) -> set[Way]:
    """The keys in the spec of a Canary that are in no list here."""
    found = ways(canary["spec"], ("spec",))
    return {tuple(0 if isinstance(part, int) else part for part in way) for way in found} - OF_FLAGGER


def test_flaggers_keys_are_listed() -> None:
    canary = example("flagger", "canary.yaml")

    assert set(canary) == {"apiVersion", "kind", "metadata", "spec"}
    assert (canary["apiVersion"], canary["kind"]) == ("flagger.app/v1beta1", "Canary")
    assert not_looked_up(canary) == set()
    assert {hook["type"] for hook in canary["spec"]["analysis"]["webhooks"]} <= HOOKS
    for way in ways(canary["spec"], ("spec",)):
        assert not_looked_up(misspelt(canary, way)) != set(), way
