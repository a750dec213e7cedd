"""The logs of a single pod by the stand-in: since a moment, from before a restart, or lost."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests_self.fast.kube_standin.streams.pod_clients import POD, bind, session
from tests_self.kubernetes.servers import Server
from tests_self.kubernetes.workload import Workload

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.systems.kubernetes.pod_logs import PodLogs, containers_of, refuse_lost, together


def logs(server: Server, user: str, seen: list[Observation]) -> PodLogs:
    return PodLogs(session(server, user), seen.append)


def of(nox: Workload) -> dict[str, Any]:
    return {
        "metadata": {"namespace": nox.namespace, "name": POD},
        "spec": {"containers": [{"name": "nox-api"}]},
    }


def test_logs(server: Server, admin: httpx.Client, nox: Workload, seen: list[Observation]) -> None:
    """The last lines and those since the switch; what is recorded of them are counts."""
    bind(admin, nox.namespace)
    nox.log.write_text("2026-01-01T00:00:00Z secret one\n2026-01-01T00:00:02Z ERROR two\n")

    (log,) = logs(server, "reader", seen).of(of(nox), datetime(2026, 1, 1, tzinfo=UTC), 1)

    assert [line.split("Z ")[-1] for line in log.lines] == ["secret one", "ERROR two"]
    assert "1 lines" in seen[0].seen
    assert "2 lines" in seen[1].seen
    assert "1 of an error's level" in seen[1].seen
    assert "secret" not in str(seen)


def restarted(nox: Workload, count: int = 1, began: str = "", ended: str = "") -> dict[str, Any]:
    """The container runs again since 00:10; the moments of the run before."""
    terminated = {"exitCode": 1, "startedAt": began, "finishedAt": ended}
    status = {
        "name": "nox-api",
        "restartCount": count,
        "state": {"running": {"startedAt": "2026-01-01T00:10:00Z"}},
        "lastState": {"terminated": {key: value for key, value in terminated.items() if value}},
    }
    return of(nox) | {"status": {"containerStatuses": [status]}}


SWITCH = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
NOT_ON_THE_NODE = "not on the node"
BEFORE, AFTER = "2026-01-01T00:04:00Z", "2026-01-01T00:06:00Z"


def placed(server: Server, nox: Workload, previous: str | None) -> None:
    place: dict[str, Any] = {"log": str(nox.log)}
    nox.log.write_text("2026-01-01T00:10:00Z INFO started\n")
    if previous is not None:
        path = nox.log.with_name("previous.log")
        place["previous_log"] = str(path)
        if previous != NOT_ON_THE_NODE:
            path.write_text(previous)
    server.put_pod(f"{nox.namespace}/{POD}", **place)


def test_log_of_the_run_before(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """What a container said before it restarted; the command says so, too."""
    placed(
        server,
        nox,
        f"{BEFORE} INFO started\n{AFTER} INFO taken\nTraceback (most recent call last):\nKeyError: 1\n",
    )

    now, before = logs(server, "admin", seen).of(restarted(nox, began=BEFORE, ended=AFTER), SWITCH, 100)

    assert (now.before, [line[21:] for line in now.lines]) == (False, ["INFO started"])
    assert (before.before, before.lost) == (True, "")
    assert before.lines[2:] == ("Traceback (most recent call last):", "KeyError: 1")
    assert [("--previous" in one.repeat, "1 of an error's level" in one.seen) for one in seen].count(
        (True, True)
    ) == 2


def test_no_restart_is_no_log_before(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """Nothing is asked for that cannot be there."""
    placed(server, nox, None)

    (now,) = logs(server, "admin", seen).of(restarted(nox, count=0), SWITCH, 100)[:1]

    assert now.lost == ""
    assert [one.before for one in logs(server, "admin", seen).of(of(nox), SWITCH, 100)] == [False]


@pytest.mark.parametrize(
    ("count", "began", "ended", "previous", "lost"),
    [
        (1, BEFORE, AFTER, None, "what it logged before is gone"),
        (1, "", "", None, "what it logged before is gone"),
        (1, "2026-01-01T00:00:00Z", BEFORE, None, ""),
        (1, AFTER, AFTER, "2026-01-01T00:06:00Z INFO\n", ""),
        (2, BEFORE, AFTER, "2026-01-01T00:04:00Z INFO\n", ""),
        (2, AFTER, AFTER, "2026-01-01T00:06:00Z INFO\n", "restarted 2 times, and only the last log"),
        (1, BEFORE, AFTER, "2026-01-01T00:05:30Z INFO\n", "rotated away"),
        (1, BEFORE, AFTER, NOT_ON_THE_NODE, "is gone"),
    ],
)
def test_log_before_that_nobody_can_read(
    server: Server,
    nox: Workload,
    seen: list[Observation],
    count: int,
    began: str,
    ended: str,
    previous: str | None,
    lost: str,
) -> None:
    """Of the time since the switch: what ended before it is left out."""
    placed(server, nox, previous)

    found = logs(server, "admin", seen).of(restarted(nox, count, began, ended), SWITCH, 100)

    assert lost in found[1].lost
    assert bool(lost) == bool(found[1].lost)
    if lost:
        with pytest.raises(UnreachableError, match=r": look for errors where logs are collected$"):
            refuse_lost(found)
    else:
        refuse_lost(found)


def test_log_that_the_node_no_longer_has(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """The kubelet says so with status 200, as if the container had written it."""
    nox.log.unlink()

    with pytest.raises(UnreachableError, match=r"the log of nox-api-0 nox-api: unable to retrieve"):
        logs(server, "admin", seen).of(of(nox), SWITCH, 100)
    assert "could not look" in seen[0].seen


def test_lines_are_the_containers_own(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """In their order, though many have one moment; what only Unicode calls the end of a line is text."""
    at = "2026-01-01T00:06:00Z"
    lines = [f"{at} b \u2028 one line", "  second", f"{at} a", f"{at} ERROR\r", f"{at} a"]
    nox.log.write_text("\n".join(lines) + "\n")

    (log,) = logs(server, "admin", seen).of(of(nox), SWITCH, 2)

    assert list(log.lines) == [line.removesuffix("\r") for line in lines]


def test_sidecars_are_read_too() -> None:
    """Those among the init containers that run on; the others have ended before."""
    spec = {
        "containers": [{"name": "nox-api"}],
        "initContainers": [{"name": "migrate"}, {"name": "proxy", "restartPolicy": "Always"}],
    }

    assert containers_of({"spec": spec}) == ["nox-api", "proxy"]


@pytest.mark.parametrize(
    ("last", "since", "expected"),
    [
        ("bcd", "cde", "bcde"),
        ("cd", "abcde", "abcde"),
        ("ab", "cd", "abcd"),
        ("ab", "", "ab"),
        ("", "ab", "ab"),
        ("", "", ""),
    ],
)
def test_last_lines_and_all_since(last: str, since: str, expected: str) -> None:
    """Two looks at one log, each line once."""
    assert together(last, since) == list(expected)


def test_logs_without_the_right(server: Server, nox: Workload, seen: list[Observation]) -> None:
    """Nothing is known then, and the reason names the role."""
    with pytest.raises(UnreachableError, match=r"bind the role of docs/roles/look\.yaml"):
        logs(server, "reader", seen).of(of(nox), None, 100)


def test_logs_that_are_too_long(
    server: Server, nox: Workload, seen: list[Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a log without an error does not show that the whole has no error."""
    monkeypatch.setattr("noxgate.systems.kubernetes.pod_logs.MOST_BYTES", 100)
    nox.log.write_text("2026-01-01T00:00:00Z x\n" * 100)

    with pytest.raises(UnreachableError, match="more than 100 bytes"):
        logs(server, "admin", seen).of(of(nox), None, 100)
