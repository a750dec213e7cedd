"""The first minutes after the switch: every look counts, and one in vain is a failure."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

import pytest

from nox_service.first_minutes import FirstMinutes, Rounds
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation

if TYPE_CHECKING:
    from nox_service.api import ApiClient


class Sampled:
    """An API that gives these answers, one list after another."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)

    def sample(self, _: str, __: int) -> Any:
        found = self._answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def command(self, path: str, *, who: str | None) -> str:
        return f"curl {path} {who}"


def first_minutes(*answers: object) -> tuple[FirstMinutes, list[Observation]]:
    seen: list[Observation] = []
    api = cast("ApiClient", Sampled(*answers))
    return FirstMinutes(Rounds(api, ["/health"], list, during=0.02, every=0.01), seen.append), seen


def judged(looks: AbstractContextManager[list[Any]]) -> list[Any]:
    with looks as found:
        return found


def test_all_looks_count() -> None:
    """Of the whole time, though only one check waited for it."""
    watched, seen = first_minutes(["a"], ["b"], ["c"])

    twice: list[list[Any]] = [judged(watched.answers("/health")) for _ in range(2)]
    assert twice == [["a", "b", "c"]] * 2
    assert judged(watched.pods()) == [[], [], []]
    assert seen[1:] == [
        Observation("/health: 3 looks", "curl /health None"),
        Observation("pods: 3 looks", "kubectl get pods"),
    ]


def test_the_gates_own_user_is_watched_too() -> None:
    """A few looks in a round, with the token."""
    asked: list[tuple[str, object, int]] = []

    class AsAUser(Sampled):
        def get_often(self, path: str, *, who: object, times: int) -> Any:
            asked.append((path, who, times))
            return self.sample(path, times)

    api = cast("ApiClient", AsAUser("a", "b"))
    rounds = Rounds(api, [], list, during=0.01, every=0.01, signed_in=["/api/user/profile"])

    found = judged(FirstMinutes(rounds, lambda _: None).answers("/api/user/profile"))
    assert found == ["a", "b"]
    assert asked == [("/api/user/profile", "test_token", 4)] * 2


def test_one_look_in_vain_is_a_failure() -> None:
    """Users could not reach it either."""
    watched, _ = first_minutes([1], UnreachableError("refused"), [3])

    with pytest.raises(AssertionError, match="round 2 of 3: refused"):
        judged(watched.answers("/health"))


def test_no_look_at_all_is_no_failure() -> None:
    """It may be us."""
    refused = UnreachableError("refused")
    watched, _ = first_minutes(refused, refused, refused)

    with pytest.raises(UnreachableError):
        judged(watched.answers("/health"))


def test_nobody_waits_where_nothing_can_be_looked_at() -> None:
    """An empty answer beside it would be a look."""
    api = cast("ApiClient", Sampled(UnreachableError("refused"), UnreachableError("nor this")))
    rounds = Rounds(api, ["/health"], lambda: api.sample("", 0), during=9, every=9)

    with pytest.raises(UnreachableError, match="refused"):
        judged(FirstMinutes(rounds, lambda _: None).answers("/health"))
