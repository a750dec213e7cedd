"""When was the switch: by the field that changed, also if the same manager writes something else later."""

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from noxgate.blue_green.switch_time import last_change, time_of_switch
from noxgate.errors import UnreachableError

Json = dict[str, Any]
SWITCHED = "2026-01-31T17:13:00Z"
LATER = "2026-01-31T17:13:03Z"
AT = datetime(2026, 1, 31, 17, 13, tzinfo=UTC)
RULES: Json = {"f:spec": {"f:rules": {}}}
DEFAULT: Json = {"f:spec": {"f:defaultBackend": {}}}
NOTE: Json = {"f:metadata": {"f:annotations": {"f:note": {}}}}


def entry(manager: str, time: str, *fields: Json, **more: str) -> Json:
    merged: Json = {}
    for each in fields:
        merged |= each
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": merged, **more}


def ingress(*entries: Json, generation: int = 2, service: str = "green") -> Json:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "metadata": {"uid": "u", "generation": generation, "managedFields": list(entries)},
        "spec": {"rules": [{"host": "nox.example", "http": {"paths": paths}}]},
    }


def test_a_manager_that_wrote_the_routes_alone_says_it_exactly() -> None:
    found = last_change(ingress(entry("kubectl-patch", SWITCHED, RULES)))

    assert found is not None
    assert (found.at, found.exact) == (AT, True)


@pytest.mark.parametrize(
    "other",
    [
        entry("kubectl-annotate", LATER, NOTE),
        entry("kubectl-edit", LATER, {"f:spec": {"f:tls": {}}}),
        entry("kubectl-edit", LATER, {"f:spec": {"f:ingressClassName": {}}}),
        entry("nginx", LATER, {"f:status": {}}, subresource="status"),
    ],
)
def test_what_others_write_moves_nothing(other: Json) -> None:
    found = last_change(ingress(entry("kubectl-patch", SWITCHED, RULES), other))

    assert found is not None
    assert (found.at, found.exact) == (AT, True)


def test_of_several_owners_of_the_routes_the_last_counts() -> None:
    """Two who own one value are two who wrote it; an apply on the server, too."""
    found = last_change(ingress(entry("a", SWITCHED, RULES), entry("b", LATER, DEFAULT)))

    assert found is not None
    assert found.at == AT + timedelta(seconds=3)


def test_written_again_before_the_first_look_is_at_the_latest() -> None:
    found = last_change(ingress(entry("kubectl-patch", LATER, RULES, NOTE)))

    assert found is not None
    assert not found.exact
    assert "17:13:03 UTC at the latest: kubectl-patch has one time for them and for annotations" in str(found)
    assert "--switched-at" in str(found)


def test_the_first_look_is_kept(tmp_path: Path) -> None:
    """The same manager's annotation, three seconds after the switch, and after the first look."""
    place = tmp_path / "records" / "production.switch.json"
    first = time_of_switch(ingress(entry("kubectl-patch", SWITCHED, RULES)), place)
    again = time_of_switch(ingress(entry("kubectl-patch", LATER, RULES, NOTE)), place)

    assert (first.at, again.at) == (AT, AT)
    assert again.exact


@pytest.mark.parametrize(
    "later",
    [
        ingress(entry("kubectl-patch", LATER, RULES), generation=3),
        ingress(entry("kubectl-patch", LATER, RULES), generation=4, service="blue"),
    ],
)
def test_another_change_of_the_spec_is_looked_at_anew(tmp_path: Path, later: Json) -> None:
    place = tmp_path / "kept.json"
    time_of_switch(ingress(entry("kubectl-patch", SWITCHED, RULES)), place)

    assert time_of_switch(later, place).at == AT + timedelta(seconds=3)


def test_another_ingress_of_the_name_is_looked_at_anew(tmp_path: Path) -> None:
    place = tmp_path / "kept.json"
    time_of_switch(ingress(entry("kubectl-patch", SWITCHED, RULES)), place)
    other = copy.deepcopy(ingress(entry("kubectl-patch", LATER, RULES)))
    other["metadata"]["uid"] = "another"

    assert time_of_switch(other, place).at == AT + timedelta(seconds=3)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"uid": "u"}', '{"at": 3}'])
def test_what_was_kept_badly_is_no_record(tmp_path: Path, text: str) -> None:
    place = tmp_path / "kept.json"
    place.write_text(text)

    assert time_of_switch(ingress(entry("kubectl-patch", SWITCHED, RULES)), place).at == AT


def test_what_was_kept_moves_nothing_that_the_cluster_says(tmp_path: Path) -> None:
    """The file bears no signature: with an earlier time in it, old traffic would speak for the release."""
    place = tmp_path / "kept.json"
    exactly = ingress(entry("kubectl-patch", SWITCHED, RULES))
    time_of_switch(exactly, place)
    place.write_text(place.read_text().replace("2026-01-31", "2026-01-01"))

    assert time_of_switch(exactly, place).at == AT


def test_the_operator_says_it() -> None:
    found = time_of_switch(ingress(entry("kubectl-patch", LATER, RULES, NOTE)), None, AT)

    assert (found.at, found.exact) == (AT, True)


@pytest.mark.parametrize(
    ("said", "entries"),
    [
        (AT + timedelta(minutes=1), [entry("kubectl-patch", LATER, RULES, NOTE)]),  # after "at the latest"
        (AT - timedelta(minutes=1), [entry("kubectl-patch", SWITCHED, RULES)]),  # it is known, and later
        (datetime.now(UTC) + timedelta(hours=24), []),  # from when it is collected
    ],
)
def test_what_the_operator_says_must_be_able_to_be(said: datetime, entries: list[Json]) -> None:
    with pytest.raises(UnreachableError, match="--switched-at"):
        time_of_switch(ingress(*entries), None, said)


def test_nothing_says_it() -> None:
    with pytest.raises(UnreachableError, match="does not say when it was switched; say when it was"):
        time_of_switch(ingress(), None)
