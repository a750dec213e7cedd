"""Science that is new on each hold: what a result says of it, and what the check makes of that."""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests_self.building.load_results import RUNBOOK, SLOS, URL, good
from tests_self.simulated import ROOT, simulated

from noxgate.errors import NotMadeError, UnreachableError
from noxgate.look.observation import Observation
from noxgate.slo import ramps
from noxgate.slo.kept.results import LoadResults, LoadSettings
from noxgate.slo.load_results import LoadTest
from noxgate.slo.result import NAME, NewJob, Result, read, write
from noxgate.slo.run import keep
from noxgate.slo.slos import SloOutcome
from noxgate.slo.table import new_job_rows, new_jobs_amiss, table_of, text, verdict

PASSED, UNREACHABLE, FAILED = SloOutcome.PASSED, SloOutcome.UNREACHABLE, SloOutcome.FAILED
METHODS = ramps.read_ramps(ROOT)["full"].methods


def but(change: Callable[[NewJob], NewJob | None], of: Result | None = None) -> Result:
    """A good result, each of its new jobs changed, or left out."""
    result = of or good()
    found = [change(job) for job in result.new_jobs]
    return replace(result, new_jobs=tuple(job for job in found if job is not None))


def failing(method: str, wrong: str, status: int = 500) -> Callable[[NewJob], NewJob]:
    return lambda job: replace(job, wrong=wrong, status=status, value=None) if job.method == method else job


@pytest.mark.parametrize(
    ("result", "outcome", "why"),
    [
        pytest.param(good(), PASSED, "", id="good"),
        pytest.param(but(failing("/xtb/v1", "HTTP 500")), FAILED, "/xtb/v1 on .*HTTP 500", id="500"),
        pytest.param(but(failing("/psi4/v1", "no result", 200)), FAILED, "no result", id="no worker"),
        pytest.param(but(failing("/xtb/v1", "HTTP 429", 429)), UNREACHABLE, "429", id="limiter"),
        pytest.param(
            but(failing("/xtb/v1", "no answer: own limit", 0)), UNREACHABLE, "own limit", id="ours"
        ),
        pytest.param(
            but(failing("/xtb/v1", "no answer: client certificate", 400)), UNREACHABLE, "client", id="mTLS"
        ),
        pytest.param(
            but(failing("/xtb/v1", "no answer: refused", 0)), FAILED, "refused", id="refused"
        ),
        pytest.param(
            but(lambda job: None if job.method == "/psi4/v1" else job), UNREACHABLE,
            "nothing new was asked of /psi4/v1 on", id="not asked",
        ),
        pytest.param(but(lambda _: None), UNREACHABLE, "/xtb/v1, /psi4/v1, /empirical/v1", id="none"),
    ],
)  # fmt: skip
def test_load_test_judges_it(result: Result, outcome: SloOutcome, why: str) -> None:
    """With it the command ends otherwise, though the users saw no failure."""
    judged = verdict(result, SLOS)

    assert judged.outcome is outcome
    assert bool(judged.reasons) == bool(why)
    assert re.search(why, "; ".join(judged.reasons))
    failed, unseen = new_jobs_amiss(result)
    assert (bool(failed), bool(unseen)) == (outcome is FAILED, outcome is UNREACHABLE)


def test_hold_that_did_not_begin_needs_none() -> None:
    """It was interrupted before its first second was over; and one that did needs each method."""
    result = but(lambda _: None)
    (held,) = result.holds

    assert new_jobs_amiss(replace(result, holds=(replace(held, end=held.start),))) == ([], [])
    assert new_jobs_amiss(replace(result, holds=(replace(held, end=held.start + 1),)))[1] != []


def test_table_has_a_row_for_each_method_and_hold() -> None:
    full = ramps.chosen(ROOT, "full")
    short = replace(full, levels=tuple(replace(level, rise=5, hold=20) for level in full.levels))
    result = but(failing("/xtb/v1", "HTTP 500"), simulated(short))

    rows = new_job_rows(result)

    assert len(rows) == len(METHODS) * len(full.levels)
    assert {(row[2], row[-1]) for row in rows} == {
        ("/xtb/v1", "failed"), *((method, "passed") for method in METHODS if method != "/xtb/v1")
    }  # fmt: skip
    assert "new-jobs" in text(table_of(verdict(result, SLOS).judgements, rows))


def looking(folder: Path, result: Result, seen: list[Observation] | None = None) -> LoadTest:
    keep(result, folder)
    of = LoadSettings("rehearsal", "rehearsal", URL, rehearsal=True)
    found = LoadResults(of, folder, ramps.read_ramps(ROOT), lambda *_: "")
    return LoadTest(found, RUNBOOK, (seen if seen is not None else []).append)


def test_check_sees_what_was_asked(tmp_path: Path) -> None:
    seen: list[Observation] = []
    test = looking(tmp_path, good(), seen)

    assert test.new_jobs_amiss(test.quick()) == []
    (one, *_) = [each.seen for each in seen if each.seen.startswith("/xtb/v1")]
    assert one == "/xtb/v1 on '1: 60 users for 20 s', 2 that are new: 2 right, at most 1.0 s: passed"


def test_check_fails_for_what_is_wrong(tmp_path: Path) -> None:
    """Also where something else was not asked."""
    result = but(failing("/xtb/v1", "HTTP 500"), but(lambda job: None if job.method == "/psi4/v1" else job))
    test = looking(tmp_path, result)

    (why, _) = test.new_jobs_amiss(test.quick())
    assert why == "/xtb/v1 on '1: 60 users for 20 s', asked for what is new: HTTP 500"


@pytest.mark.parametrize(
    "change", [lambda _: None, failing("/xtb/v1", "HTTP 429", 429)], ids=["not asked", "limiter"]
)
def test_check_cannot_see_what_was_not_computed(
    change: Callable[[NewJob], NewJob | None], tmp_path: Path
) -> None:
    test = looking(tmp_path, but(change))

    with pytest.raises(UnreachableError, match="not measured: "):
        test.new_jobs_amiss(test.quick())


def test_check_without_a_hold_is_not_green(tmp_path: Path) -> None:
    test = looking(tmp_path, replace(good(), holds=(), new_jobs=()))

    assert test.new_jobs_amiss(test.quick()) != []


def before() -> Result:
    result = good()
    return replace(result, schema=2, new_jobs=(), ramp=replace(result.ramp, new_jobs=0))


def test_result_of_the_schema_before_is_read(tmp_path: Path) -> None:
    """As that gate wrote it: its file has no word of what is new."""
    result = before()
    write(tmp_path / NAME, result)

    document = gunzipped(tmp_path / NAME)
    assert "new_jobs" not in document
    assert "new_jobs" not in document["ramp"]
    assert {"nonce", "sent", "visits"} <= set(document)
    assert read(tmp_path / NAME) == result


def test_result_of_the_schema_before_does_not_count(tmp_path: Path) -> None:
    test = looking(tmp_path, before())

    with pytest.raises(NotMadeError, match="is of schema 2: its science was not new: make load-test"):
        test.quick()


def gunzipped(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found
