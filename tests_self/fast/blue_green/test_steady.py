"""Green's pods through the first minutes: an autoscaler may add and take away, and nothing else."""

from typing import Any

import pytest

from noxgate.blue_green.steady import has_changed, looks_at, unsteady

Json = dict[str, Any]
OLD = ("a", "b", "c")


def pod(called: str, *, ready: bool = True, phase: str = "Running", keeper: str = "ReplicaSet") -> Json:
    return {
        "metadata": {
            "name": called,
            "ownerReferences": [{"kind": keeper, "name": "nox-api-5d9c", "controller": True}],
        },
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def seen(*looks: str) -> list[list[Json]]:
    """A pod for each letter: a capital one is starting; behind one, - is ending, ! unready, / evicted."""
    found = []
    for look in looks:
        pods = []
        for at, letter in enumerate(look):
            if not letter.isalpha():
                continue
            behind = look[at + 1 : at + 2]
            starting = letter.isupper()
            one = pod(
                letter.lower(),
                ready=not starting and behind != "!",
                phase="Pending" if starting else "Failed" if behind == "/" else "Running",
            )
            if behind == "-":
                one["metadata"]["deletionTimestamp"] = "2026-12-01T20:00:00Z"
            pods.append(one)
        found.append(pods)
    return found


@pytest.mark.parametrize(
    "looks",
    [
        ("abc", "abc", "abc"),
        ("abc", "abcD", "abcd!", "abcd"),  # one more, for more users
        ("abc", "abcDE", "abcDe", "abcde"),
        ("abc", "abcD"),  # at the end it is not there yet: whether it comes is looked at afterwards
        ("abcde", "abcd-e-", "abc"),  # fewer, since there are fewer users
        ("abcde", "abc", "abc", "abc", "abcF", "abcf"),
    ],
)
def test_what_an_autoscaler_does(looks: tuple[str, ...]) -> None:
    found = looks_at(seen(*looks))

    assert unsteady(found) == []
    assert has_changed(found) == any("".join(filter(str.isalpha, look)) != "abc" for look in looks)


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        (("abc", "ab!c", "abc"), "look 2: b: Ready=False"),
        (("a!bc", "abc"), "look 1: a: Ready=False"),
        (("abc", "abD", "abd"), "look 2: d in place of c"),
        (("abc", "abc-D", "abd"), "look 2: d in place of c"),
        (("abc", "abc/", "abd"), "look 2: d in place of c"),  # evicted
        (("abc", "ab", "abD"), "look 2: d in place of c"),
        (("abc", "abcd", "abcd!", "abcd"), "look 3: d: Ready=False"),  # it had been ready
        (("abc", "", "abc"), "look 2: no pod"),
        (("", ""), "look 1: no pod"),
    ],
)
def test_what_is_no_scaling(looks: tuple[str, ...], said: str) -> None:
    assert unsteady(looks_at(seen(*looks)))[0].startswith(said)


def test_pods_of_jobs_are_not_the_applications() -> None:
    """One starts and ends within the time, though it has the application's labels."""
    job = pod("migrate", ready=False, keeper="Job")
    ended = pod("migrate", ready=False, phase="Succeeded", keeper="Job")
    every = [pod(one) for one in OLD]
    found = looks_at([[*every, job], [*every, job], [*every, ended]])

    assert unsteady(found) == []
    assert not has_changed(found)
