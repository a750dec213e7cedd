"""What the API client may ask, one by one or together: all that is not on the closed list is refused."""

import json
from typing import TYPE_CHECKING

import pytest
from tests_self.building.answering import Looks, http

from nox_service.access.closed_list import DOOR, SCIENCE, Knock
from nox_service.access.tokens import MARK, BadToken
from nox_service.api import ApiClient
from nox_service.together import Together

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


def test_those_who_are_to_be_refused_ask_together(loopback: "Loopback") -> None:
    """One look is recorded, with the command of who was let in; each bad token is marked."""
    looks = Looks(loopback, http(b'{"pod": "a"}'))
    expired = BadToken("expired", "x.y.z", "$EXPIRED_TOKEN")

    answers = looks.together.knock(
        [Knock(DOOR, expired), Knock(DOOR, None, "HEAD"), Knock(DOOR, expired, "POST")]
    )

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert sorted(request.split()[0] for request in looks.requests) == [b"GET", b"HEAD", b"POST"]
    assert sum(MARK.encode() in request for request in looks.requests) == 2
    (observation,) = looks.observed
    assert observation.seen.startswith("3 requests in ")
    assert f'-H "Authorization: Bearer $EXPIRED_TOKEN" -A {MARK}' in observation.repeat


def test_nobody_knocks_with_what_is_not_on_the_list(loopback: "Loopback") -> None:
    """Nothing at all is sent then."""
    looks = Looks(loopback, http())

    with pytest.raises(ValueError, match="not on the closed list"):
        looks.together.knock([Knock(DOOR), Knock("/api/user/settings", None, "DELETE")])
    with pytest.raises(ValueError, match="starts with /"):
        looks.together.knock([Knock("@elsewhere")])

    assert looks.requests == []


def test_much_is_asked_over_few_connections(loopback: "Loopback") -> None:
    looks = Looks(loopback, http())

    assert [answer.status for answer in looks.together.gather("/x", 30)] == [200] * 30
    assert len(looks.requests) == 30
    assert [observation.seen.partition(" in ")[0] for observation in looks.observed] == ["30 requests"]


@pytest.mark.parametrize("path", SCIENCE)
def test_science_may_be_posted(loopback: "Loopback", path: str) -> None:
    """As JSON, and in the command too."""
    looks = Looks(loopback, http())

    looks.client.post(path, {"smiles": "C'C"}, who="test_token")

    head, _, body = looks.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST {path} HTTP/1.1\r\n".encode())
    assert b"content-type: application/json" in head.lower()
    assert json.loads(body) == {"smiles": "C'C"}
    assert """-d '{"smiles": "C'"'"'C"}'""" in looks.observed[0].repeat


def test_text_is_posted_as_it_is(loopback: "Loopback") -> None:
    """A broken body on purpose."""
    looks = Looks(loopback, http())

    looks.client.post(SCIENCE[0], '{"smiles": ')

    assert looks.requests[0].endswith(b'\r\n\r\n{"smiles": ')


@pytest.mark.parametrize(
    "path", ["/api/admin/health", "/", "", "/empirical/v1/", "/empirical/v1?x=1", "/EMPIRICAL/V1"]
)
def test_no_other_path_may_be_posted(loopback: "Loopback", path: str) -> None:
    """ARCHITECTURE 9: nothing is sent."""
    looks = Looks(loopback, http())

    with pytest.raises(ValueError, match=r"^a check may only POST to /empirical/v1, /predict/cj/v1, not"):
        looks.client.post(path, {})

    assert (looks.requests, looks.observed) == ([], [])


def test_there_are_no_other_methods() -> None:
    """Whoever adds one must come here."""
    public = [name for name in vars(ApiClient) if not name.startswith("_")]
    several = ["get_often", "command", "at_each_pod", "sample"]
    assert public == ["get", *several, "open_without_tls", "get_plain", "post"]
    assert [name for name in vars(Together) if not name.startswith("_")] == ["knock", "gather"]


@pytest.mark.parametrize("path", ["@elsewhere.example.com/", ":9/", ".example.com/", ""])
def test_path_cannot_change_the_host(loopback: "Loopback", path: str) -> None:
    """A token would go elsewhere."""
    looks = Looks(loopback, http())

    with pytest.raises(ValueError, match="expected a path that starts with /"):
        looks.client.get(path, who="test_token")
    with pytest.raises(ValueError, match="expected a path that starts with /"):
        looks.client.get_plain(path)
