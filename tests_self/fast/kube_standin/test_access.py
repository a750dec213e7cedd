"""Rights: roles and bindings as they are stored, and what each refusal says."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import TOKENS, Server

Json = dict[str, Any]
Allow = Callable[..., None]
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
def allow(admin: httpx.Client, namespace: str) -> Allow:
    """Bind a role with these rules to the reader."""

    def bind(*rules: Json) -> None:
        for plural, body in (
            ("roles", examples.role("r", *rules)),
            ("rolebindings", examples.binding("b", "r")),
        ):
            assert admin.post(f"{RBAC}/namespaces/{namespace}/{plural}", json=body).status_code == 201

    return bind


def rule(verbs: str, resources: str, *names: str, group: str = "") -> Json:
    made: Json = {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}
    return made | ({"resourceNames": list(names)} if names else {})


def test_a_role_gives_its_verbs_and_no_more(reader: httpx.Client, namespace: str, allow: Allow) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    allow(rule("list create", "configmaps"))

    assert reader.get(path).status_code == 200
    assert reader.post(path, json=examples.config_map()).status_code == 201
    assert reader.get(f"{path}/settings").status_code == 403
    assert reader.get("/api/v1/configmaps").status_code == 403
    assert reader.get("/api/v1/namespaces/default/configmaps").status_code == 403


@pytest.mark.parametrize(
    ("verb", "resource", "part", "name"),
    [
        ("get", "configmaps", "", "mine"),
        ("get", "configmaps", "", "other"),
        ("get", "configmaps", "", ""),
        ("list", "configmaps", "", ""),
        ("get", "pods", "log", ""),
        ("get", "pods", "", ""),
        ("delete", "pods", "", ""),
    ],
)
def test_a_review_says_what_a_request_is_answered(
    verb: str,
    resource: str,
    part: str,
    name: str,
    reader: httpx.Client,
    namespace: str,
    allow: Allow,
) -> None:
    """Of a right to one name, to a part, to a verb that no role has; in the server's own words why."""
    allow(rule("get", "configmaps", "mine"), rule("get", "pods/log"), rule("list", "pods"))
    path = f"/api/v1/namespaces/{namespace}/{resource}/{name or ('' if verb == 'list' else 'a')}".rstrip("/")
    answered = reader.request("DELETE" if verb == "delete" else "GET", f"{path}/{part}".rstrip("/"))
    asked = {"verb": verb, "resource": resource, "subresource": part, "namespace": namespace, "name": name}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
    }

    found = reader.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json=body)

    assert found.status_code == 201
    status = found.json()["status"]
    assert status["allowed"] == (answered.status_code != 403)
    assert status.get("reason", "").startswith("RBAC: allowed by RoleBinding" if status["allowed"] else "")


def test_rights_to_one_name(admin: httpx.Client, reader: httpx.Client, namespace: str, allow: Allow) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("mine", "other"):
        admin.post(path, json=examples.config_map(name))
    allow(rule("get list patch", "configmaps", "mine"))
    by_name = {"fieldSelector": "metadata.name=mine"}

    assert reader.get(f"{path}/mine").status_code == 200
    assert reader.get(f"{path}/other").status_code == 403
    assert reader.get(path).status_code == 403
    assert reader.get(path, params=by_name).status_code == 200


def test_a_subresource_is_a_right_of_its_own(
    admin: httpx.Client, reader: httpx.Client, namespace: str, allow: Allow
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods/nox-api-0"
    admin.post(path.rpartition("/")[0], json=examples.pod())
    allow(rule("get", "pods/log"))
    refused = reader.get(path)

    assert reader.get(f"{path}/log").status_code == 204
    assert refused.json()["message"] == (
        'pods "nox-api-0" is forbidden: User "release-gate" cannot get resource "pods" '
        f'in API group "" in the namespace "{namespace}"'
    )


def test_refusal_of_a_subresource(reader: httpx.Client, namespace: str) -> None:
    answer = reader.get(f"/api/v1/namespaces/{namespace}/pods/x/log")

    assert answer.json()["message"] == (
        'pods "x" is forbidden: User "release-gate" cannot get resource "pods/log" '
        f'in API group "" in the namespace "{namespace}"'
    )
    assert answer.json()["details"] == {"name": "x", "kind": "pods"}


def test_refusal_at_the_cluster_scope(reader: httpx.Client) -> None:
    answer = reader.get("/api/v1/nodes")

    assert answer.json()["message"] == (
        'nodes is forbidden: User "release-gate" cannot list resource "nodes" '
        'in API group "" at the cluster scope'
    )


def test_the_view_role_hides_secrets(admin: httpx.Client, reader: httpx.Client, namespace: str) -> None:
    body = examples.binding("v", "view", kind="ClusterRole")
    admin.post(f"{RBAC}/namespaces/{namespace}/rolebindings", json=body)

    assert reader.get(f"/api/v1/namespaces/{namespace}/pods").status_code == 200
    assert reader.get(f"/api/v1/namespaces/{namespace}/secrets").status_code == 403
    assert reader.delete(f"/api/v1/namespaces/{namespace}/pods/x").status_code == 403


def test_an_apply_that_creates_needs_the_right_to_create(
    reader: httpx.Client, namespace: str, allow: Allow
) -> None:
    allow(rule("patch", "configmaps"))
    answer = reader.patch(
        f"/api/v1/namespaces/{namespace}/configmaps/settings",
        params={"fieldManager": "ops"},
        json=examples.config_map(),
        headers={"content-type": "application/apply-patch+yaml"},
    )

    assert (answer.status_code, "cannot create resource" in answer.text) == (403, True)


def test_nobody_in_particular(server: Server) -> None:
    with server.client("anonymous") as nobody:
        answers = {path: nobody.get(path) for path in ("/version", "/livez", "/apis", "/metrics")}

    assert {path: answer.status_code for path, answer in answers.items()} == {
        "/version": 200,
        "/livez": 200,
        "/apis": 403,
        "/metrics": 403,
    }
    assert answers["/metrics"].json()["message"] == (
        'forbidden: User "system:anonymous" cannot get path "/metrics"'
    )


def test_reviews(reader: httpx.Client, namespace: str, allow: Allow) -> None:
    allow(rule("get", "pods"))
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answers = [
        reader.post(
            path,
            json={"spec": {"resourceAttributes": {"namespace": namespace, "verb": verb, "resource": "pods"}}},
        ).json()["status"]
        for verb in ("get", "delete")
    ]
    rules = reader.post(
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json={"spec": {"namespace": namespace}}
    ).json()["status"]

    assert answers == [
        {
            "allowed": True,
            "reason": f'RBAC: allowed by RoleBinding "b/{namespace}" of Role "r" to User "release-gate"',
        },
        {"allowed": False},
    ]
    assert {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]} in rules["resourceRules"]


def test_a_service_account_has_a_token_and_the_rights_it_is_given(
    admin: httpx.Client, server: Server, namespace: str
) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    admin.post(f"{core}/serviceaccounts", json={"metadata": {"name": "robot"}})
    token = admin.post(f"{core}/serviceaccounts/robot/token", json={}).json()["status"]["token"]
    body = examples.binding("b", "view", kind="ClusterRole")
    body["subjects"] = [{"kind": "ServiceAccount", "name": "robot", "namespace": namespace}]
    admin.post(f"{RBAC}/namespaces/{namespace}/rolebindings", json=body)
    with server.client("anonymous") as robot:
        robot.headers["authorization"] = f"Bearer {token}"
        answers = [robot.get(f"{core}/pods").status_code, robot.get(f"{core}/secrets").status_code]

    assert answers == [200, 403]


def test_tokens_are_nowhere_in_the_answers(admin: httpx.Client) -> None:
    review = admin.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={})

    assert review.json()["status"]["userInfo"]["username"] == "admin"
    assert TOKENS["admin"] not in review.text
