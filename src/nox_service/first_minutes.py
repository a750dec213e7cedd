"""The first minutes after the switch: all that must hold for ten minutes, looked at side by side, once.

Four checks of ten minutes each would take forty, one after another.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from nox_service.api import LOOKS, ApiClient
from noxgate.errors import CredentialError, UnreachableError
from noxgate.look.http import Answer
from noxgate.look.observation import Observation, Observe
from noxgate.look.waiting import repeatedly

Json = Mapping[str, Any]
# Looks as one user in a round: few, since a service may well limit how often one user asks.
AS_A_USER = 4
Round = Mapping[str, Any]  # path, or "pods" -> what was seen, or why nothing was


class Rounds:
    """What was seen, for the whole run; the first check that asks has to wait for it."""

    def __init__(
        self,
        api: ApiClient,
        paths: Sequence[str],
        pods: Callable[[], Any],
        *,
        during: float,
        every: float,
        signed_in: Sequence[str] = (),
        get_pods: str = "kubectl get pods",
    ) -> None:
        """`get_pods` is the command that shows what `pods` looks at."""
        self._api = api
        self._signed_in = signed_in
        self._get_pods = get_pods
        self._looks: dict[str, Callable[[], Any]] = {
            **{path: partial(api.sample, path, LOOKS) for path in paths},
            **{path: partial(api.get_often, path, who="test_token", times=AS_A_USER) for path in signed_in},
            "pods": pods,
        }
        self._during = during
        self._every = every
        self._found: list[Round] | None = None

    def command(self, name: str) -> str:
        """The command that looks at one thing once."""
        if name == "pods":
            return self._get_pods
        return self._api.command(name, who="test_token" if name in self._signed_in else None)

    def of(self, name: str) -> list[Any]:
        """One thing's looks, in order."""
        if self._found is None:
            self._found = repeatedly(
                self._round, during=self._during, every=self._every, hopeless=_unreachable
            )
        return [each[name] for each in self._found]

    def _round(self) -> Round:
        return {name: _caught(look) for name, look in self._looks.items()}


@dataclass(frozen=True)
class _Lost:
    error: Exception
    said: str


class FirstMinutes:
    """The rounds, for one check."""

    def __init__(self, rounds: Rounds, observe: Observe) -> None:
        self._rounds = rounds
        self._observe = observe

    @contextmanager
    def answers(self, path: str) -> Iterator[list[Answer]]:
        """Every answer to GET `path`, to be judged in the block.

        Raises AssertionError if one is missing in between: users saw that, too; but UnreachableError, after
        the others were judged, if it is for want of a token that holds.
        """
        looks, lost = self._looks(path, CredentialError)
        yield [answer for look in looks for answer in look]
        if lost:
            raise lost[0].error

    @contextmanager
    def pods(self) -> Iterator[list[list[Json]]]:
        """The pods, as each look saw them that the cluster answered, to be judged in the block.

        Raises UnreachableError after it if a look had no answer: users do not ask the cluster.
        """
        looks, lost = self._looks("pods", UnreachableError)
        yield looks
        if lost:
            raise UnreachableError(lost[0].said)

    def _looks(self, name: str, excuse: type[Exception]) -> tuple[list[Any], list[_Lost]]:
        """What was seen, and what could not be for this reason.

        Raises UnreachableError if nothing was seen, AssertionError if a look failed for another reason.
        """
        rounds = self._rounds.of(name)
        lost = [
            _Lost(each, f"round {number} of {len(rounds)}: {each}")
            for number, each in enumerate(rounds, 1)
            if isinstance(each, Exception)
        ]
        seen = f"{name}: {len(rounds)} looks"
        if lost:
            seen += f", {len(lost)} of them in vain, the first in {lost[0].said}"
        self._observe(Observation(seen, self._rounds.command(name)))
        if len(lost) == len(rounds) and all(isinstance(each.error, UnreachableError) for each in lost):
            raise lost[0].error
        if charged := [each for each in lost if not isinstance(each.error, excuse)]:
            raise AssertionError(charged[0].said)
        return [each for each in rounds if not isinstance(each, Exception)], lost


def _unreachable(seen: Round) -> bool:
    """If nothing at all can be looked at, that is said at once, and not after ten minutes."""
    return all(isinstance(each, UnreachableError) for each in seen.values())


def _caught(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except (UnreachableError, AssertionError) as error:
        return error
