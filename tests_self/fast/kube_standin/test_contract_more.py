"""The stand-in answers as a kube-apiserver 1.36.2 did to requests that are seldom sent, and mostly refused.

`sequence` in the recording is what changes the cluster, in order; each exchange is sent after the first
`after` of it. Compared: the status, the warnings, and the whole body, a Status' reason, message and causes
among it; of a watch, of which the recording keeps the beginning alone, the status. Volatile values are as in
the other contract.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from tests_self.kubernetes.exchanges import body, plain, send
from tests_self.kubernetes.servers import stand_in

CONTRACT = json.loads(Path(__file__).with_name("contract-more.json").read_text())
EXCHANGES = {exchange["name"]: exchange for exchange in CONTRACT["exchanges"]}
NUMBER_OF_EXCHANGES = 63


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, httpx.Response]]:
    """Every exchange's answer, each sent at its place in the sequence."""
    answers = {}
    with stand_in(tmp_path_factory.mktemp("contract-more")) as server:
        for after, step in enumerate([None, *CONTRACT["sequence"]]):
            if step is not None and step["name"] not in answers:  # some steps are recorded as exchanges too
                send(server, step["request"])
            for name, exchange in EXCHANGES.items():
                if exchange["after"] == after:
                    answers[name] = send(server, exchange["request"])
        yield answers


def test_the_contract_is_whole() -> None:
    assert len(CONTRACT["exchanges"]) == len(EXCHANGES) == NUMBER_OF_EXCHANGES


@pytest.mark.parametrize("name", EXCHANGES)
def test_exchange(replayed: dict[str, httpx.Response], name: str) -> None:
    expected, answer = EXCHANGES[name]["response"], replayed[name]

    assert answer.status_code == expected["status"]
    assert answer.headers.get_list("warning") == EXCHANGES[name].get("warnings", [])
    if "watch=1" not in EXCHANGES[name]["request"]["path"] or expected["status"] != HTTPStatus.OK:
        assert plain(body(answer) if answer.text else "") == plain(expected["body"])
