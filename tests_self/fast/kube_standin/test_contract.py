"""The stand-in answers as the recorded kube-apiserver did: all exchanges, in their order, on a fresh server.

Compared for each: the status, the media type, the warnings, and the whole body. Left out of both bodies,
because the recording left them out: managedFields, storageVersionHash, the descriptions of table columns.
Given a placeholder, because they change with each run: uids, times, resourceVersions, addresses, ages, the
version in a continue token. Compared another way, each in a test of its own:

- discovery: the recording names the resources that it used, and a server may serve more of them;
- `watch`: the recorded server's watch cache had fallen behind, and it said so in an ERROR event. That is
  about that moment, not about the request; a server that is up to date sends the pods.
"""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests_self.kubernetes.exchanges import Json, body, plain, send
from tests_self.kubernetes.servers import Server, available, real, stand_in

CONTRACT = json.loads(Path(__file__).with_name("contract.json").read_text())
EXCHANGES = {exchange["name"]: exchange for exchange in CONTRACT["exchanges"]}
SERVERS = {"stand-in": stand_in, "kube-apiserver": real}
APART = {"watch", *(name for name in EXCHANGES if name.startswith("discovery "))}


@pytest.fixture(scope="module", params=available())
def replayed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, httpx.Response]]:
    """Every exchange's answer, after all were sent in order."""
    with SERVERS[request.param](tmp_path_factory.mktemp("contract")) as server:
        answers = {}
        for name, exchange in EXCHANGES.items():
            answers[name] = send(server, exchange["request"])
            if name == "pod 0 status":
                _send_unrecorded(server)
        yield answers


def test_the_contract_is_whole() -> None:
    assert len(CONTRACT["exchanges"]) == len(EXCHANGES) == 61


@pytest.mark.parametrize("name", [name for name in EXCHANGES if name not in APART])
def test_exchange(replayed: dict[str, httpx.Response], name: str) -> None:
    expected, answer = EXCHANGES[name]["response"], replayed[name]

    assert answer.status_code == expected["status"]
    assert answer.headers.get("content-type") == expected["content_type"]
    assert answer.headers.get("warning") == expected["warning"]
    assert plain(body(answer)) == plain(expected["body"])


@pytest.mark.parametrize("name", sorted(APART - {"watch"}))
def test_discovery(replayed: dict[str, httpx.Response], name: str) -> None:
    """Each recorded resource is served just so."""
    expected = plain(EXCHANGES[name]["response"]["body"])
    served = plain(replayed[name].json())
    by_name = {resource["name"]: resource for resource in served.pop("resources")}
    recorded = {resource["name"]: resource for resource in expected.pop("resources")}

    assert replayed[name].status_code == 200
    assert {each: by_name.get(each) for each in recorded} == recorded
    assert served == expected


def test_watch(replayed: dict[str, httpx.Response]) -> None:
    """One JSON object a line: the pods there are, each as the list shows it and as what it is."""
    answer = replayed["watch"]
    listed = [plain(pod) for pod in EXCHANGES["pods by label"]["response"]["body"]["items"]]
    events = [plain(json.loads(line)) for line in answer.text.splitlines()]

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert [event["type"] for event in events] == ["ADDED", "ADDED", "ADDED"]
    assert [event["object"] for event in events][:2] == [
        {"kind": "Pod", "apiVersion": "v1", **pod} for pod in listed
    ]


def test_watch_from_a_version_that_is_still_to_come(server: Server) -> None:
    """The recorded ERROR event, where its cause can be had: the client has seen more than the server."""
    recorded = EXCHANGES["watch"]["response"]["body"]
    query = {"watch": "true", "timeoutSeconds": "1", "resourceVersion": "1000000"}
    with server.client() as client:
        events = client.get("/api/v1/pods", params=query).text.splitlines()

    assert [_without_numbers(json.loads(event)) for event in events] == [_without_numbers(recorded)]


def _send_unrecorded(server: Server) -> None:
    """Pods 1 and 2 were made as pod 0 was; the recording shows them only in its lists."""
    for number in (1, 2):
        created = copy.deepcopy(EXCHANGES["pod 0 created"]["request"])
        created["body"]["metadata"]["name"] = f"nox-api-{number}"
        status = copy.deepcopy(EXCHANGES["pod 0 status"]["request"])
        status["path"] = status["path"].replace("nox-api-0", f"nox-api-{number}")
        status["body"]["status"]["podIP"] = f"10.1.0.{number + 1}"
        status["body"]["status"]["containerStatuses"][0]["restartCount"] = number
        assert [send(server, each).status_code for each in (created, status)] == [201, 200]


def _without_numbers(event: Json) -> Json:
    message = re.sub(r"\d+", "<rv>", event["object"]["message"])
    return event | {"object": event["object"] | {"message": message}}
