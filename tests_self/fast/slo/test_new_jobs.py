"""Science that is new on each hold: what is drawn, how it is followed and judged, what a result says."""

import asyncio
import gzip
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from load.answers import JOB_SECONDS, within
from load.drawn import Question, drawn, prepared
from load.new_jobs import TRIES, Ended, answered
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula
from tests_self.building.load_results import RUNBOOK, URL, good
from tests_self.simulated import ROOT, simulated

from nox_rehearsal.science.boiling import boiling_point
from nox_rehearsal.science.detonation import detonation
from nox_rehearsal.science.jobs import psi4_input, xtb_input
from nox_rehearsal.science.programs import run_psi4, run_xtb
from noxgate.errors import NotMadeError, UnreachableError
from noxgate.look.observation import Observation
from noxgate.slo import ramps
from noxgate.slo.kept.results import LoadResults, LoadSettings
from noxgate.slo.load_results import LoadTest
from noxgate.slo.result import NAME, NewJob, Result, read, write
from noxgate.slo.run import keep
from noxgate.slo.slos import SloOutcome, read_slos
from noxgate.slo.table import new_job_rows, new_jobs_amiss, table_of, text, verdict

SMOKE = ramps.chosen(ROOT, "smoke")
SLOS = read_slos(RUNBOOK.lines)
PASSED, UNREACHABLE, FAILED = SloOutcome.PASSED, SloOutcome.UNREACHABLE, SloOutcome.FAILED
METHODS = ramps.read_ramps(ROOT)["full"].methods
DRAWS = 300

# ---------------------------------------------------------------- what is drawn


def draws(method: str) -> list[Question]:
    rng = random.Random(7)  # noqa: S311
    return [drawn(method, turn, rng) for turn in range(DRAWS)]


@pytest.mark.parametrize("method", METHODS)
def test_each_draw_is_another_one(method: str) -> None:
    questions = draws(method)

    assert {question.method for question in questions} == {method}
    assert len({question.text for question in questions}) == DRAWS


def test_database_has_none_of_them() -> None:
    """A job is known by its input, however it is written."""
    xtb = {xtb_input(question.body).hash for question in draws("/xtb/v1")}
    psi4 = {psi4_input(question.body).hash for question in draws("/psi4/v1")}
    smiles = {
        Chem.MolToSmiles(Chem.MolFromSmiles(question.body["smiles"])) for question in draws("/empirical/v1")
    }

    assert (len(xtb), len(psi4)) == (DRAWS, DRAWS)
    assert len(smiles) > 0.99 * DRAWS


def test_boiling_points_are_those_of_known_molecules() -> None:
    """RDKit reads each as one of five, but for its isotopes, and finds its boiling point."""
    formulas = set()
    for question in draws("/empirical/v1"):
        formulas.add(CalcMolFormula(Chem.MolFromSmiles(question.body["smiles"])))
        _, kelvin = boiling_point(question.body["smiles"])
        assert within({"value": kelvin}, question.bounds), question
    assert formulas == {"C6H14O", "C6H12O2", "C7H14O", "C7H8", "C8H10"}


def test_velocities_are_those_of_known_explosives() -> None:
    for question in draws("/predict/cj/v1"):
        found = detonation(question.body["composition"], question.body["density"])
        low, high = question.bounds
        assert low <= found.velocity <= high, question


def test_energies_are_those_of_the_real_programs() -> None:
    """Each molecule once, turned anyhow: far nearer than must be."""
    for turn in range(4):
        rng = random.Random(turn)  # noqa: S311
        by_xtb, by_psi4 = drawn("/xtb/v1", turn, rng), drawn("/psi4/v1", turn, rng)
        xtb = asyncio.run(run_xtb(xtb_input(by_xtb.body).input, 60))
        psi4 = asyncio.run(run_psi4(psi4_input(by_psi4.body).input, 60))
        for question, result in ((by_xtb, xtb), (by_psi4, psi4)):
            assert result["energy"] == pytest.approx(sum(question.bounds) / 2, abs=0.00002)
            assert within(result, question.bounds)


@pytest.mark.parametrize("method", ["/xtb/v1", "/psi4/v1"])
def test_no_energy_is_right_for_two_in_a_row(method: str) -> None:
    """So that a constant is found where a ramp asks twice."""
    for one, two in pairwise(draws(method)):
        assert one.bounds[1] < two.bounds[0] or two.bounds[1] < one.bounds[0]


@pytest.mark.parametrize("name", ["smoke", "quick", "full", "rate"])
def test_ramp_asks_each_method_on_each_hold(name: str) -> None:
    ramp = ramps.chosen(ROOT, name)

    found = prepared(ramp, random.Random(1))  # noqa: S311

    assert list(found) == [level.name(number) for number, level in enumerate(ramp.levels, 1)]
    for level, asked in zip(ramp.levels, found.values(), strict=True):
        assert [question.method for _, question in asked] == [*METHODS] * ramp.new_jobs
        assert [at for at, _ in asked] == sorted(at for at, _ in asked)
        assert asked[0][0] == 0
        assert asked[-1][0] < level.hold
    assert ramp.new_jobs >= 2


@pytest.mark.parametrize("count", ["0", "-1", "1.5", '"2"'])
def test_ramp_that_asks_for_nothing_new(count: str, tmp_path: Path) -> None:
    """Nor one that is not evidence."""
    (tmp_path / "load").mkdir()
    lines = ["[mine]", 'what = ""', "fall = 1", "window = 1", "lag_ms = 5", "cpu_percent = 70"]
    lines += ["levels = [{ users = 1, rise = 1, hold = 10 }]", "evidence = false", f"new_jobs = {count}"]
    (tmp_path / ramps.FILE).write_text("\n".join(lines))

    with pytest.raises(ramps.RampError, match=r"new_jobs( of 1 or more|: expected a whole number)"):
        ramps.read_ramps(tmp_path)


# ---------------------------------------------------------------- how it is followed and judged


@dataclass
class Said:
    """One answer."""

    status: int = 200
    document: Any = None
    error: str = ""
    date: str = ""

    def json(self) -> Any:
        if self.document is None:
            raise ValueError
        return self.document

    def header(self, name: str) -> str | None:
        return {"date": self.date}.get(name) or None


@dataclass
class Target:
    """Answers to one request after the other, the last for ever; a pause takes a quarter of a second."""

    posts: list[Said]
    looks: list[Said] = field(default_factory=list)
    posted: int = 0
    looked: int = 0
    seconds: float = 100.0

    def post(self, _: Question) -> Said:
        self.posted += 1
        return self.posts.pop(0) if self.posts[1:] else self.posts[0]

    def look(self, _: str) -> Said:
        self.looked += 1
        return self.looks.pop(0) if self.looks[1:] else self.looks[0]

    def pause(self) -> None:
        self.seconds += 0.25

    def now(self) -> float:
        return self.seconds


QUESTION = Question("/xtb/v1", {"molecule": "3\n"}, (-5.072, -5.068))
RIGHT = {"status": "completed", "result": {"energy": -5.0704}}
TAKEN = Said(202, {"job_id": "7", "status": "queued"})
QUEUED = Said(200, {"job_id": "7", "status": "queued"})


def ask(*posts: Said, looks: tuple[Said, ...] = ()) -> Ended:
    """Of a test that began a minute and 40 seconds ago."""
    return answered(QUESTION, Target(list(posts), list(looks)), 0.0)


def completed(**more: object) -> Said:
    return Said(200, RIGHT | more)


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("posts", "looks"),
    [
        pytest.param([completed()], [], id="at once"),
        pytest.param([Said(200, {"energy": -5.07})], [], id="no job at all"),
        pytest.param([TAKEN], [QUEUED, Said(200, {"status": "running"}), completed()], id="followed"),
        pytest.param([TAKEN], [Said(404, {"error": "no such job"}), completed()], id="not there yet"),
        pytest.param([TAKEN], [Said(0, error="reset"), completed()], id="a look that failed"),
        pytest.param([Said(404, {"error": "?"}), Said(0, error="timeout"), TAKEN], [completed()], id="third"),
        pytest.param([completed(finished_at="2026-01-01T00:00:00")], [], id="of a zone that nobody knows"),
        pytest.param([completed(finishedAt="yesterday", created_at=None)], [], id="no time"),
        pytest.param([completed(error=None, created_at=10**400)], [], id="nothing said"),
        pytest.param([completed(user={"joined_at": "2020-01-01T00:00:00Z"})], [], id="another time"),
        pytest.param(
            [replace(completed(created_at="2031-05-05T12:00:00Z"), date="Mon, 05 May 2031 12:00:09 GMT")],
            [], id="by the target's clock",
        ),
    ],
)  # fmt: skip
def test_right(posts: list[Said], looks: list[Said]) -> None:
    assert ask(*posts, looks=tuple(looks)).wrong == ""


@pytest.mark.parametrize(("time", "seconds"), [("finished_at", 3), ("created_at", 130)])
def test_right_by_its_time(time: str, seconds: float) -> None:
    """A moment ago, or by another clock; as of now, and not of when the tests were collected."""
    assert ask(completed(**{time: ago(seconds=seconds)})).wrong == ""


OLD = ago(hours=26)
EPOCH = datetime.now(UTC).timestamp() - 90000


@pytest.mark.parametrize(
    ("posts", "looks", "why"),
    [
        pytest.param([Said(500, {"error": "no"})], [], 'HTTP 500: {"error": "no"}', id="500"),
        pytest.param([Said(500), TAKEN], [completed()], "HTTP 500", id="500, and not the next time"),
        pytest.param([Said(429, {})], [], "HTTP 429", id="limiter"),
        pytest.param(
            [Said(400, error="client certificate")], [], "no answer: client certificate", id="mTLS"
        ),
        pytest.param([Said(422, {"error": "no XYZ"})], [], "HTTP 422", id="422"),
        pytest.param([Said(0, error="refused")], [], "no answer: refused", id="no answer"),
        pytest.param([TAKEN], [QUEUED], "no result within 60 s: its job is queued", id="no worker"),
        pytest.param([TAKEN], [Said(404)], "no result within 60 s: HTTP 404", id="never there"),
        pytest.param([TAKEN], [Said(503)], "HTTP 503", id="look 503"),
        pytest.param([TAKEN], [Said(429)], "HTTP 429", id="look 429"),
        pytest.param(
            [TAKEN], [Said(200, {"status": "failed", "error": "xtb is not installed"})],
            "its job ended otherwise: .*xtb is not installed", id="failed",
        ),
        pytest.param([TAKEN], [Said(200)], "its job ended otherwise", id="no JSON"),
        pytest.param([TAKEN], [Said(200, {"status": ["completed"]})], "ended otherwise", id="a list"),
        pytest.param([Said(202, {"job_id": "../x"})], [], "accepted without a job_id", id="no id"),
        pytest.param([Said(202)], [], "accepted without a job_id", id="no document"),
        pytest.param([Said(200, {"energy": -4.4262})], [], "-5.072 to -5.068, saw -4.4262", id="wrong"),
        pytest.param([Said(200, {"energy": 0})], [], "saw 0", id="nothing"),
        pytest.param([Said(200, {"energy": "-5.07"})], [], "saw None", id="a text"),
        pytest.param([Said(200, {"energy": True})], [], "saw None", id="no number"),
        pytest.param([Said(200, {"energy": -(10**400)})], [], "saw None", id="too large"),
        pytest.param([completed(error="did not converge")], [], "it says error: did not", id="error"),
        pytest.param(
            [completed(finished_at=OLD)], [], r"computed (9[3-9]|1\d\d)\d\d\d s before", id="yesterday"
        ),
        pytest.param([completed(job={"createdAt": OLD})], [], "before the test began", id="created"),
        pytest.param([TAKEN], [completed(queued_at=EPOCH)], "before the test began", id="seconds"),
        pytest.param([completed(startedAt=EPOCH * 1000)], [], "before the test began", id="milliseconds"),
        pytest.param(
            [replace(completed(ended_at="2031-05-05T12:00:00Z"), date="Mon, 05 May 2031 13:00:00 GMT")],
            [], "computed 3500 s before", id="by the target's clock",
        ),
    ],
)  # fmt: skip
def test_wrong(posts: list[Said], looks: list[Said], why: str) -> None:
    ended = ask(*posts, looks=tuple(looks))

    assert ended.wrong
    assert re.search(why, ended.wrong), ended


def test_secrets_of_an_answer_are_not_kept() -> None:
    ended = ask(Said(500, {"error": "postgresql://nox:hunter2hunter2@db/nox refused"}))

    assert "hunter2" not in ended.wrong


def test_no_worker_is_waited_for_a_minute() -> None:
    target = Target([TAKEN], [QUEUED])

    answered(QUESTION, target, 0.0)

    assert target.seconds - 100 == pytest.approx(JOB_SECONDS, abs=0.5)


def test_refusals_are_asked_again_a_few_times() -> None:
    target = Target([Said(404)])
    answered(QUESTION, target, 0.0)

    assert target.posted == TRIES


# ---------------------------------------------------------------- what a result says of it


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


# ---------------------------------------------------------------- what the check makes of it


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


# ---------------------------------------------------------------- results from before


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
