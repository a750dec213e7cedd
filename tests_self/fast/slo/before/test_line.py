"""The line about the version before: what it compares, and what the record has to name."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests_self.fast.slo.before.measured import LIMITS, LINE, like, measured

from noxgate.errors import NotCountedError, NotMadeError, UndecidedError, UnreachableError
from noxgate.project.release_facts import FactsError, MeasuredBefore, read_release_facts
from noxgate.project.runbook import RunbookError
from noxgate.slo.before.judging import (
    Limits,
    limits_of,
)
from noxgate.slo.result import Result


def test_a_healthy_release_beside_the_one_before(
    found: Callable[..., list[str]], before: Result, tmp_path: Path
) -> None:
    """With a picture and a row for each measure; the newest of several earlier results is taken."""
    older = measured(like(9), seed=3, version="7.9.3", days=30)
    now = measured(like(1))

    assert found(now, older, before) == []
    (folder,) = tmp_path.glob("*-beside-7.9.3")
    picture = (folder / "slower.svg").read_text(encoding="utf-8")
    assert all(text in picture for text in ("8.0.0", "7.9.3", "health", "websocket"))
    assert "p50" in (folder / "slower.txt").read_text(encoding="utf-8")


def test_a_slower_release_is_named_class_by_class(found: Callable[..., list[str]], before: Result) -> None:
    said = found(measured(like(3)), before)

    assert any(one.startswith("data on") and "3." in one and "at most 1.20" in one for one in said)


def test_no_version_before_is_not_counted(found: Callable[..., list[str]]) -> None:
    with pytest.raises(NotCountedError, match="names no earlier version that was measured"):
        found(measured(like(1)), named=False)


def test_a_version_before_without_its_result_is_not_run(
    found: Callable[..., list[str]], before: Result
) -> None:
    """Missing, not sealed, of another release: each says what lies there."""
    with pytest.raises(NotMadeError, match=r"expected its sealed result .*saw none is there"):
        found(measured(like(1)))
    other = replace(before, release="7.9.2")
    with pytest.raises(NotMadeError, match=r"is of release 7\.9\.2"):
        found(measured(like(1)), other)


def test_a_version_before_that_nobody_sealed_is_not_run(
    found: Callable[..., list[str]], before: Result
) -> None:
    with pytest.raises(NotMadeError, match="is not signed"):
        found(measured(like(1)), before, refused="is not signed")


def test_what_cannot_be_compared_is_undecided(found: Callable[..., list[str]], before: Result) -> None:
    """Which somebody may accept, such as a new machine for the generator."""
    with pytest.raises(UndecidedError, match=r"cannot be compared, or .* waive .*only one of them says"):
        found(measured(like(1)), replace(before, generators=()))


def test_what_is_not_decided_says_what_to_do(found: Callable[..., list[str]], before: Result) -> None:
    """In the beginning, as a terminal cuts the rest."""
    with pytest.raises(UndecidedError, match=r"^not decided: .*the limit is within") as raised:
        found(measured(like(1.2)), before)
    advice = str(raised.value).partition(": data")[0].partition(": health")[0]
    assert re.fullmatch(
        r"not decided: (hold [\d.]+ times as long|too close.*), or let .* waive the line", advice
    )


def test_what_was_not_measured_nobody_can_accept(found: Callable[..., list[str]], before: Result) -> None:
    """A new load test that was stopped, or lacks a class, is not undecided, but not compared at all."""
    cut = replace(measured(like(1)), stopped="it was interrupted")
    with pytest.raises(UnreachableError, match=r"cannot be compared: .*it was interrupted"):
        found(cut, before)
    silent = replace(measured(like(1)), seconds={**cut.seconds, "auth": {}})
    with pytest.raises(UnreachableError, match=r"cannot be compared: auth on"):
        found(silent)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('version = "7.9.3"', "load_results is blank"),
        ('version = "[version]"\nload_results = "x"', "version is blank"),
        ('version = "7.9.3"\nload_results = "x"\nsince = "y"', "unknown key 'since'"),
        ('version = "8.0.0"\nload_results = "x"', "expected a release before 8.0.0, saw itself"),
    ],
)
def test_a_record_that_names_it_wrongly(table: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "release.toml"
    path.write_text(f'version = "8.0.0"\n[measured_before]\n{table}\n', encoding="utf-8")

    with pytest.raises(FactsError, match=why.replace("[", r"\[")):
        read_release_facts(path)


def test_a_record_that_names_it(tmp_path: Path) -> None:
    """Seen from the record."""
    path = tmp_path / "release.toml"
    path.write_text('[measured_before]\nversion = "7.9.3"\nload_results = "../old"\n', encoding="utf-8")

    assert read_release_facts(path).before == MeasuredBefore("7.9.3", tmp_path / "../old")


@pytest.mark.parametrize("key", ["slower_at_most", "p95_samples"])
def test_limits_that_cannot_be_held_to(key: str) -> None:
    for limits in ({**LINE.limits, key: 0}, {name: one for name, one in LINE.limits.items() if name != key}):
        with pytest.raises(RunbookError, match="slower-than-before"):
            limits_of(replace(LINE, limits=limits))
    assert isinstance(LIMITS, Limits)
