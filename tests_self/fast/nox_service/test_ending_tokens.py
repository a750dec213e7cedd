"""A user's token that ends while it is used: what it is refused for then is not the release's fault."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests_self.building.answering import request_of

from nox_rehearsal.api.login.auth import mint
from nox_service.access.closed_list import Knock
from nox_service.access.tokens import Who
from nox_service.first_minutes import FirstMinutes, Rounds
from nox_service.pods.one import PodApi
from nox_service.together import Together
from noxgate.errors import CredentialError, UnreachableError
from noxgate.look.http import Answer
from noxgate.look.observation import Observation
from noxgate.systems import settings
from noxgate.systems.http.session import ApiSession

if TYPE_CHECKING:
    import socket

    from tests_self.loopback import Loopback

    from noxgate.systems.kubernetes.forward import OwnWay
    from noxgate.systems.settings import ApiSettings

KEY = "a key of the tests that is long enough"
SOON, LONG = 30 / 3600, 2  # hours
PATH = "/api/user/profile"
Look = Callable[[Together], object]
LOOKS: dict[str, Look] = {
    "get": lambda api: api.get(PATH, who="test_token"),
    "post": lambda api: api.post("/empirical/v1", {}, who="admin_token"),
    "forged": lambda api: api.get(PATH, who="forged"),
    "get_often": lambda api: api.get_often(PATH, who="test_token"),
    "sample": lambda api: api.sample(PATH, 3, who="test_token"),
    "knock": lambda api: api.knock([Knock(PATH, "forged")]),
    "knock as a user": lambda api: api.knock([Knock(PATH, "test_token")]),
}


def refusing(loopback: "Loopback", token: str, status: int = 401) -> tuple[Together, list[Observation]]:
    """An API that refuses everybody; both of its users have this token."""

    def talk(connection: "socket.socket") -> None:
        request_of(connection)
        connection.sendall(f"HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n".encode())

    target = loopback.target(loopback.serve_tls(talk))
    named = {role: role.upper() for role in ("test_token", "admin_token")}
    target = replace(target, credentials=named, variables=dict.fromkeys(named.values(), token))
    observed: list[Observation] = []
    session = ApiSession(settings.api(target))
    loopback.at_end.append(session.close)
    return Together(settings.api(target), session, observed.append), observed


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("status", [401, 403])
def test_refused_within_a_minute_of_its_end(loopback: "Loopback", look: str, status: int) -> None:
    """By the API's clock it may have ended; what is made of it is refused for that, too."""
    api, observed = refusing(loopback, mint(KEY, 2, "user", SOON), status)

    with pytest.raises(
        CredentialError, match=r"^\$(TEST|ADMIN)_TOKEN was refused, and expires too early: it says exp 20"
    ):
        LOOKS[look](api)

    assert [one.seen[:34] for one in observed[-1:]] == ["could not look: $" + observed[-1].seen[17:34]]


def test_refused_before_it_begins(loopback: "Loopback") -> None:
    """It is tried within a minute of that, since clocks differ."""
    api, _ = refusing(loopback, mint(KEY, 2, "user", LONG, starts_in=SOON))

    with pytest.raises(
        CredentialError, match=r"^\$TEST_TOKEN was refused, and is not valid yet: it says nbf"
    ):
        api.get(PATH, who="test_token")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("token", [mint(KEY, 2, "user", LONG), "an opaque one"], ids=["lasting", "opaque"])
def test_refused_in_its_time(loopback: "Loopback", look: str, token: str) -> None:
    """That is the release's."""
    api, _ = refusing(loopback, token)

    found = LOOKS[look](api)

    answers = cast("list[Answer]", found if isinstance(found, list) else [found])
    assert {answer.status for answer in answers} == {401}


@pytest.mark.parametrize("status", [200, 404, 500])
def test_not_refused_at_its_end(loopback: "Loopback", status: int) -> None:
    api, _ = refusing(loopback, mint(KEY, 2, "user", SOON), status)

    assert api.get(PATH, who="test_token").status == status


@pytest.mark.parametrize("number", [2, 5, 8])
def test_ended_among_many_looks(loopback: "Loopback", number: int) -> None:
    """No look without an answer, which users would see."""
    api, _ = refusing(loopback, "an opaque one", 200)
    given = api._settings.token  # noqa: SLF001
    asked: list[str] = []

    def token(role: str) -> Any:
        asked.append(role)
        if len(asked) >= number:
            raise CredentialError("$TEST_TOKEN has expired")
        return given(role)

    with_end: ApiSettings = replace(api._settings, token=token)  # noqa: SLF001
    ending = Together(with_end, api._session, lambda _: None)  # noqa: SLF001

    with pytest.raises(CredentialError, match="has expired"):
        ending.get_often(PATH, who="test_token", times=8)


@pytest.mark.parametrize("who", ["test_token", "forged", None])
def test_refused_by_one_pod(loopback: "Loopback", who: Who | None) -> None:
    target = loopback.target(9)

    class Way:
        def send(self, _: object) -> Answer:
            return Answer(401, {}, {}, "")

    def asked(token: str) -> Answer:
        at = replace(target, variables={**target.variables, "TEST_TOKEN": token})
        return PodApi(at, cast("OwnWay", Way())).get(PATH, who=who)

    assert asked(mint(KEY, 2, "user", LONG)).status == 401
    if who is None:
        assert asked(mint(KEY, 2, "user", SOON)).status == 401
    else:
        with pytest.raises(CredentialError, match="was refused"):
            asked(mint(KEY, 2, "user", SOON))


def in_rounds(*found: object) -> Callable[[], object]:
    """One outcome a round."""
    left = iter(found)

    def look() -> object:
        if isinstance(one := next(left), Exception):
            raise one
        return one

    return look


class Rounded:
    """An API that a user asks, with one outcome a round."""

    def __init__(self, *found: object) -> None:
        self._look = in_rounds(*found)

    def get_often(self, *_: object, **__: object) -> object:
        return self._look()

    def command(self, path: str, *, who: str | None) -> str:
        return f"curl {path} {who}"


def watched(*found: object, pods: Callable[[], object] = list) -> FirstMinutes:
    api = cast("Any", Rounded(*found))
    return FirstMinutes(Rounds(api, [], pods, during=0.02, every=0.01, signed_in=[PATH]), lambda _: None)


ENDED = CredentialError("$TEST_TOKEN has expired")


def judged(looks: AbstractContextManager[list[Any]], expected: list[Any]) -> None:
    """What a check does: all that was seen, before it is said that some was not."""
    with looks as found:
        assert found == expected


@pytest.mark.parametrize("found", [(["a"], ENDED, ENDED), (["a"], ["b"], ENDED), (ENDED, ENDED, ENDED)])
def test_ended_in_the_first_minutes(found: tuple[object, ...]) -> None:
    """An answer of HTTP 500 before it is the release's all the same."""
    seen = [one for each in found if isinstance(each, list) for one in each]

    with pytest.raises(CredentialError, match="has expired"):
        judged(watched(*found).answers(PATH), seen)
    if seen:
        with pytest.raises(AssertionError, match=r"\['a'"):
            judged(watched(*found).answers(PATH), ["another"])


def test_what_users_saw_besides_is_charged() -> None:
    with pytest.raises(AssertionError, match="round 2 of 3: refused"):
        judged(watched(["a"], UnreachableError("refused"), ENDED).answers(PATH), [])


def test_no_round_with_an_answer() -> None:
    """One in which users saw it is charged, also if it is not the first."""
    half = AssertionError("1 of 2 addresses answer")

    with pytest.raises(AssertionError, match="round 1 of 3: refused"):
        judged(watched(UnreachableError("refused"), half, half).answers(PATH), [])
    with pytest.raises(AssertionError, match="round 2 of 3: 1 of 2 addresses answer"):
        judged(watched(ENDED, half, ENDED).answers(PATH), [])


def test_cluster_that_lets_us_in_no_more() -> None:
    """The rounds that it answered are judged; those that are missing fail nothing."""
    said = UnreachableError("HTTP 401")

    with pytest.raises(UnreachableError, match=r"^round 2 of 3: HTTP 401$"):
        judged(watched(["a"], ["b"], ["c"], pods=in_rounds(["one"], said, said)).pods(), [["one"]])
    with pytest.raises(AssertionError, match=r"\[\['one'\]\]"):
        judged(watched(["a"], ["b"], ["c"], pods=in_rounds(["one"], said, said)).pods(), [["another"]])
    judged(watched(["a"], ["b"], ["c"]).pods(), [[], [], []])


def test_pods_that_are_wrong_in_one_round() -> None:
    """Such as none at all."""
    pods = in_rounds(["one"], UnreachableError("HTTP 401"), AssertionError("no pod"))

    with pytest.raises(AssertionError, match=r"^round 3 of 3: no pod$"):
        judged(watched(["a"], ["b"], ["c"], pods=pods).pods(), [])
