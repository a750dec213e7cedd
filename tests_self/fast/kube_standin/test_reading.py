"""Lists, pages, selectors, tables and watches."""

import base64
import json
import threading
from typing import Any

import httpx
import pytest
from tests_self.kubernetes import examples
from tests_self.kubernetes.servers import Server

Json = dict[str, Any]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture
def pods(admin: httpx.Client, namespace: str) -> str:
    """The path of a namespace's five pods."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    for number in range(5):
        body = examples.pod(f"pod-{number}", number=str(number), parity="odd" if number % 2 else "even")
        assert admin.post(path, json=body).status_code == 201
    return path


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["metadata"]["name"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("parity=even", "024"),
        ("parity==odd", "13"),
        ("parity!=odd", "024"),
        ("number in (1,2)", "12"),
        ("number notin (1,2)", "034"),
        ("number", "01234"),
        ("!number", ""),
        ("parity=even,number!=0", "24"),
        ("number>2", "34"),
        ("number<1", "0"),
        ("missing!=x", "01234"),
        ("missing notin (x)", "01234"),
        ("missing=x", ""),
        ("", "01234"),
    ],
)
def test_label_selector(admin: httpx.Client, pods: str, selector: str, expected: str) -> None:
    found = names(admin.get(pods, params={"labelSelector": selector}))

    assert found == [f"pod-{number}" for number in expected]


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        (
            "a ~ b",
            "unable to parse requirement: found '~', expected: in, notin, =, ==, !=, gt, lt",
        ),
    ],
)
def test_wrong_label_selector(admin: httpx.Client, pods: str, selector: str, message: str) -> None:
    answer = admin.get(pods, params={"labelSelector": selector})

    assert (answer.status_code, answer.json()["message"]) == (400, message)


def test_field_selectors(admin: httpx.Client, pods: str) -> None:
    pending = names(admin.get(pods, params={"fieldSelector": "status.phase=Pending,metadata.name!=pod-0"}))
    wrong = admin.get(pods, params={"fieldSelector": "spec.foo=x"})

    assert pending == ["pod-1", "pod-2", "pod-3", "pod-4"]
    assert (wrong.status_code, wrong.json()["message"]) == (400, "field label not supported: spec.foo")


def test_pages_show_the_list_as_it_was(admin: httpx.Client, pods: str) -> None:
    first = admin.get(pods, params={"limit": 2})
    admin.delete(f"{pods}/pod-3")
    second = admin.get(pods, params={"limit": 2, "continue": first.json()["metadata"]["continue"]})
    third = admin.get(pods, params={"limit": 2, "continue": second.json()["metadata"]["continue"]})

    assert [names(each) for each in (first, second, third)] == [
        ["pod-0", "pod-1"],
        ["pod-2", "pod-3"],
        ["pod-4"],
    ]
    assert [each.json()["metadata"].get("remainingItemCount") for each in (first, second, third)] == [
        3,
        1,
        None,
    ]
    assert names(admin.get(pods)) == ["pod-0", "pod-1", "pod-2", "pod-4"]


def test_a_page_of_a_forgotten_list_is_gone(admin: httpx.Client, pods: str) -> None:
    token = base64.urlsafe_b64encode(b'{"v":"meta.k8s.io/v1","rv":1,"start":"x\\u0000"}').decode()
    answer = admin.get(pods, params={"limit": 2, "continue": token})

    assert (answer.status_code, answer.json()["reason"]) == (410, "Expired")


def test_all_namespaces(admin: httpx.Client, pods: str, namespace: str) -> None:
    items = admin.get("/api/v1/pods").json()["items"]

    assert [each["metadata"]["name"] for each in items if each["metadata"]["namespace"] == namespace] == [
        f"pod-{number}" for number in range(5)
    ]
    assert pods.split("/")[4] == namespace


def test_metadata_only(admin: httpx.Client, pods: str) -> None:
    accept = {"accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    answer = admin.get(pods, headers=accept).json()

    assert answer["kind"] == "PartialObjectMetadataList"
    assert {tuple(sorted(item)) for item in answer["items"]} == {("apiVersion", "kind", "metadata")}


@pytest.mark.parametrize(
    ("group", "plural", "body", "columns"),
    [
        (
            "api/v1",
            "services",
            examples.service(),
            ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector"],
        ),
        (
            "apis/networking.k8s.io/v1",
            "ingresses",
            examples.ingress(),
            ["Name", "Class", "Hosts", "Address", "Ports", "Age"],
        ),
        ("api/v1", "configmaps", examples.config_map(a="b"), ["Name", "Data", "Age"]),
        (
            "apis/apps/v1",
            "deployments",
            examples.deployment(),
            ["Name", "Ready", "Up-to-date", "Available", "Age", "Containers", "Images", "Selector"],
        ),
    ],
)
def test_table(
    admin: httpx.Client, namespace: str, group: str, plural: str, body: Json, columns: list[str]
) -> None:
    path = f"/{group}/namespaces/{namespace}/{plural}"
    admin.post(path, json=body)
    table = admin.get(path, headers={"accept": TABLE}).json()

    assert [column["name"] for column in table["columnDefinitions"]] == columns
    assert [len(row["cells"]) for row in table["rows"]] == [len(columns)]


def watch(
    server: Server, path: str, into: list[Json], last: tuple[str, str] = ("", ""), **query: str
) -> threading.Thread:
    """Watch in a thread until the last event, its type and the object's name, or until the time is up."""

    def run() -> None:
        with server.client() as client, client.stream("GET", path, params={"watch": "1", **query}) as answer:
            for line in answer.iter_lines():
                into.append(json.loads(line))
                if (into[-1]["type"], into[-1]["object"]["metadata"].get("name")) == last:
                    return

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_watch(server: Server, admin: httpx.Client, pods: str) -> None:
    """What matches no more is deleted, what now matches is added, as far as this watch goes."""
    version = admin.get(pods).json()["metadata"]["resourceVersion"]
    seen: list[Json] = []
    watching = watch(
        server,
        pods,
        seen,
        ("DELETED", "pod-4"),
        timeoutSeconds="60",
        resourceVersion=version,
        labelSelector="parity=even",
    )
    merge = {"content-type": "application/merge-patch+json"}
    for name, labels in (
        ("pod-1", {"parity": "even"}),
        ("pod-0", {"new": "x"}),
        ("pod-2", {"parity": "odd"}),
        ("pod-3", {"new": "x"}),
    ):
        admin.patch(f"{pods}/{name}", json={"metadata": {"labels": labels}}, headers=merge)
    admin.delete(f"{pods}/pod-4")
    watching.join()

    assert [(event["type"], event["object"]["metadata"]["name"]) for event in seen] == [
        ("ADDED", "pod-1"),
        ("MODIFIED", "pod-0"),
        ("DELETED", "pod-2"),
        ("DELETED", "pod-4"),
    ]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)


def test_watch_begins_with_a_bookmark_after_the_initial_events(server: Server, pods: str) -> None:
    seen: list[Json] = []
    watch(
        server,
        pods,
        seen,
        timeoutSeconds="1",
        sendInitialEvents="true",
        resourceVersionMatch="NotOlderThan",
        allowWatchBookmarks="true",
    ).join()

    assert [event["type"] for event in seen[:6]] == [*["ADDED"] * 5, "BOOKMARK"]
    assert seen[5]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_watch_of_a_table(server: Server, pods: str) -> None:
    seen: list[Json] = []

    def run() -> None:
        query = {"watch": "1", "timeoutSeconds": "1", "fieldSelector": "metadata.name=pod-0"}
        with server.client() as client:
            answer = client.get(pods, params=query, headers={"accept": TABLE})
            seen.extend(json.loads(line) for line in answer.text.splitlines())

    run()

    assert [(event["type"], event["object"]["kind"]) for event in seen] == [("ADDED", "Table")]
    assert seen[0]["object"]["rows"][0]["cells"][:3] == ["pod-0", "0/1", "Pending"]


def test_yaml_answer(admin: httpx.Client, pods: str) -> None:
    answer = admin.get(f"{pods}/pod-0", headers={"accept": "application/yaml"})

    assert answer.headers["content-type"] == "application/yaml"
    assert "kind: Pod" in answer.text.splitlines()


def test_nothing_that_can_be_accepted(admin: httpx.Client, pods: str) -> None:
    answer = admin.get(pods, headers={"accept": "image/png"})

    assert (answer.status_code, answer.json()["reason"]) == (406, "NotAcceptable")
