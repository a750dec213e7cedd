"""Ramps, results and verdicts of the load test."""

import gzip
import json
import re
import socket
from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests_self.loopback import Loopback
from tests_self.simulated import new_jobs

from noxgate.errors import UnreachableError
from noxgate.project.runbook import read_runbook
from noxgate.slo import plots, ramps, run
from noxgate.slo.holds import Second
from noxgate.slo.live import shown
from noxgate.slo.plan import CLASSES, Plan, read_plan, write_plan
from noxgate.slo.result import NAME, Held, Problem, Result, ResultError, read, write
from noxgate.slo.slos import Slo, SloOutcome, limits_by_class, read_slos
from noxgate.slo.table import incomplete, table_of, text, verdict

ROOT = Path(__file__).parents[3]
START = 1_700_000_000
SECONDS = 20
JOB = {
    "hold": "1",
    "method": "/xtb/v1",
    "asked": "x",
    "began": START,
    "ended": START + 1.5,
    "low": -5.1,
    "high": -5.0,
    "value": None,
    "status": 200,
    "wrong": "",
}


@pytest.fixture(scope="module")
def slos() -> tuple[Slo, ...]:
    """The runbook's."""
    return read_slos(read_runbook(ROOT / "runbook.toml").lines)


@pytest.fixture
def result(slos: tuple[Slo, ...]) -> Result:
    """Twenty good seconds: fifty requests a second of each class, of 20 ms."""
    limits = limits_by_class(slos, CLASSES)
    ramp = ramps.chosen(ROOT, "smoke")
    held = Held(ramp.levels[0].name(1), 60, "all", SECONDS, START, START + SECONDS)

    def second(name: str) -> Second:
        return Second(array("f", [0.02] * 50), {(200, ""): 50}, dict.fromkeys(limits[name], 0))

    return Result(
        target="staging",
        base_url="https://staging.example.com",
        rehearsal=False,
        release="8.0.0",
        version="8.0.0",
        ramp=ramp,
        started=datetime.fromtimestamp(START, UTC).isoformat(),
        ended=datetime.fromtimestamp(START + SECONDS, UTC).isoformat(),
        processes=1,
        stopped="",
        problems=(),
        holds=(held,),
        classes=CLASSES,
        accepted=7,
        right=7,
        failures=(Problem("data", "/api/public/stats", 500, "status", 1),),
        users=dict.fromkeys(range(START, START + SECONDS), 60),
        seconds={
            name: {moment: second(name) for moment in range(START, START + SECONDS)} for name in CLASSES
        },
        new_jobs=new_jobs(ramp, [held]),
    )


# ---------------------------------------------------------------- ramps


@pytest.mark.parametrize(("text", "seconds"), [("5m", 300), ("300s", 300), ("300", 300), ("1h30m", 5400)])
def test_duration(text: str, seconds: int) -> None:
    assert ramps.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5 minutes", "-5m", "5m300x", "0x10"])
def test_duration_that_is_none(text: str) -> None:
    with pytest.raises(ramps.RampError, match="expected a duration such as 5m"):
        ramps.duration(text)


def test_full_ramp_is_the_runbooks() -> None:
    """The levels and times of the runbook's k6 script: 40 minutes with a minute of rise to each."""
    full = ramps.chosen(ROOT, "full")

    assert [(level.users, level.hold) for level in full.levels] == [
        (10, 120), (100, 300), (500, 300), (1000, 600), (1500, 300), (100, 300)
    ]  # fmt: skip
    assert full.seconds == 40 * 60
    assert [level.judged for level in full.levels] == ["5xx", *["all"] * 5]


def test_ramp_that_is_another() -> None:
    """The time of a single hold may differ, and nothing else."""
    quick, full = ramps.chosen(ROOT, "quick"), ramps.chosen(ROOT, "full")

    assert ramps.is_as(quick.lasting(20), quick)
    assert ramps.is_as(full, full)
    assert not ramps.is_as(replace(quick, think=(10, 40)), quick)
    assert not ramps.is_as(replace(quick, levels=()), quick)
    assert not ramps.is_as(full.lasting(700), full)
    assert not ramps.is_as(quick, full)


def test_ramp_of_another_duration() -> None:
    quick = ramps.chosen(ROOT, "quick")

    assert [level.hold for level in quick.lasting(90).levels] == [90]
    with pytest.raises(ramps.RampError, match="at least 10 s"):
        quick.lasting(9)


def test_unknown_ramp_names_the_near_one() -> None:
    with pytest.raises(ramps.RampError, match=r"no ramp 'ful' .*did you mean 'full'\?"):
        ramps.chosen(ROOT, "ful")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("levels = []", "expected levels with users"),
        ("levels = [{ users = 0, rise = 1, hold = 10 }]", "expected levels with users"),
        ("levels = [{ users = 1, rise = 1, hold = 1 }]", "expected levels with users"),
        ('levels = [{ users = 1, rise = 1, hold = 10, judged = "5xx" }]', "expected levels with users"),
        ("levels = [{ users = 1, rise = 1 }]", "level 1: missing hold"),
        (
            "levels = [{ users = 1, raise = 1, hold = 10 }]",
            "level 1: unknown key 'raise' (keys: users",
        ),
        (
            "levels = [{ users = true, rise = 1, hold = 10 }]",
            "level 1: users: expected a whole number",
        ),
        ("levels = [7]", "level 1: expected a table, saw int"),
        ("levels = 3", "levels: expected a list, saw 3"),
        ('levels = [{ users = 1, rise = 1, hold = 10, judged = "some" }]', "expected levels with users"),
        ("level = []", "unknown key 'level' (keys: what, levels, fall, "),
        ("levels = []\nthink = [1]", "think: expected two numbers, saw [1]"),
        ("levels = []\nrate = '7'", "rate: expected a number, saw '7'"),
        ("levels = []\nrate = inf", "rate: expected 0 to 1000000, saw inf"),
        ("levels = []\nrate = nan", "rate: expected 0 to 1000000, saw nan"),
        (f"levels = []\nrate = {10**400}", "rate: expected 0 to 1000000, saw 1000000000000000000…"),
        (f"levels = []\nthink = [0, {10**400}]", "think: expected two numbers, saw "),
        ("levels = [{ users = 1, rise = inf, hold = 10 }]", "expected levels with users"),
    ],
)
def test_ramp_that_cannot_be(change: str, why: str, tmp_path: Path) -> None:
    """One line that names the ramp."""
    (tmp_path / "load").mkdir()
    rest = 'what = ""\nfall = 1\nwindow = 1\nlag_ms = 5\ncpu_percent = 70\n'
    (tmp_path / ramps.FILE).write_text(f"[mine]\n{change}\n{rest}")

    with pytest.raises(ramps.RampError, match=r"ramps.toml: \[mine\]: " + re.escape(why)) as caught:
        ramps.read_ramps(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fall", ["-1", "nan", "inf"])
def test_ramp_without_an_end(fall: str, tmp_path: Path) -> None:
    """A token that ends within it could not be told."""
    (tmp_path / "load").mkdir()
    text = (Path(__file__).parents[3] / ramps.FILE).read_text()
    (tmp_path / ramps.FILE).write_text(re.sub(r"(?m)^fall = .*", f"fall = {fall}", text))

    with pytest.raises(ramps.RampError, match=f"fall: expected 0 to 1000000, saw {fall}"):
        ramps.read_ramps(tmp_path)


@pytest.mark.parametrize("change", ["lag_ms = 6", "cpu_percent = 71", "think = [1, 5]"])
def test_ramp_that_proves_nothing_must_say_so(change: str, tmp_path: Path) -> None:
    rest = {"lag_ms": "5", "cpu_percent": "70", "think": "[1, 4]"}
    rest[change.partition(" =")[0]] = change.partition("= ")[2]
    lines = ["[mine]", 'what = ""', "fall = 1", "window = 1", "levels = [{ users = 1, rise = 1, hold = 10 }]"]
    lines += [f"{key} = {value}" for key, value in rest.items()]
    (tmp_path / "load").mkdir()
    (tmp_path / ramps.FILE).write_text("\n".join(lines))

    with pytest.raises(ramps.RampError, match="or evidence = false"):
        ramps.read_ramps(tmp_path)
    (tmp_path / ramps.FILE).write_text("\n".join([*lines, "evidence = false"]))
    assert not ramps.read_ramps(tmp_path)["mine"].evidence


# ---------------------------------------------------------------- results


def test_result_is_read_as_it_was_written(result: Result, tmp_path: Path) -> None:
    write(tmp_path / NAME, result)

    assert read(tmp_path / NAME) == result
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_plan_is_read_as_it_was_written(result: Result, tmp_path: Path) -> None:
    plan = Plan(
        "staging", "https://x.example", False, "8.0.0", "8.0.0", Path("/ca.pem"), result.ramp,  # noqa: FBT003
        {"auth": (0.3, 0.5)}, 2, tmp_path / NAME, 7,
    )  # fmt: skip
    write_plan(tmp_path / "plan.json", plan)

    assert read_plan(tmp_path / "plan.json") == plan


def changed(**document: Any) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        return gzip.compress(json.dumps(json.loads(gzip.decompress(content)) | document).encode())

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda content: content[:-20], "ended"),
        (lambda _: b"", "ended|damaged"),
        (lambda _: b"not gzip", "Not a gzipped file"),
        (lambda _: gzip.compress(b"[]"), "damaged"),
        (lambda _: gzip.compress(b"{}"), "damaged"),
        (changed(schema=4), "expected schema 3, saw 4"),
        (changed(seconds={"auth": {"1": ["AAAA", [], []]}}), "damaged"),
        (changed(seconds={"auth": {"1": ["", [[200, "", 5]], []]}}), "damaged"),
        (changed(seconds={"auth": {"1": ["AACAPw==", [[200, "", 1]], [[0.3, 0]]]}}), "over 0.3 s, saw 0"),
        (changed(holds=[{"name": "1"}]), "damaged"),
        (changed(more=1), "damaged"),
        (changed(new_jobs=[JOB | {"hold": []}]), "hold: expected .*str"),
        (changed(new_jobs=[JOB | {"began": "1"}]), "began: expected .*float"),
        (changed(new_jobs=[JOB | {"status": True}]), "status: expected .*int"),
        (changed(generators=[{"cores": "2", "mhz": 0, "processor": ""}]), "cores: expected .*int"),
    ],
    ids=[
        *("cut", "empty", "no gzip", "list", "nothing", "schema", "times", "counts", "over", "hold", "key"),
        *("list for a text", "text for a number", "truth for a number", "text for a count"),
    ],
)
def test_result_that_is_damaged(
    change: Callable[[bytes], bytes], why: str, result: Result, tmp_path: Path
) -> None:
    path = tmp_path / NAME
    write(path, result)
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(ResultError, match=why):
        read(path)


def test_result_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="No such file"):
        read(tmp_path / NAME)


# ---------------------------------------------------------------- verdicts


def test_good_result_passes(result: Result, slos: tuple[Slo, ...]) -> None:
    judged = verdict(result, slos)

    assert (judged.outcome, judged.reasons) == (SloOutcome.PASSED, ())
    table = text(table_of(judged.judgements))
    assert "p95 < 300 ms" in table
    assert len(table.splitlines()) == 1 + len(judged.judgements)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"stopped": "it was interrupted"}, "it was interrupted"),
        ({"problems": ("a worker gave no last report",)}, "a worker gave no last report"),
        ({"holds": ()}, "was not reached"),
    ],
)
def test_result_that_is_not_whole_never_passes(
    change: dict[str, Any], why: str, result: Result, slos: tuple[Slo, ...]
) -> None:
    """With any numbers."""
    judged = verdict(replace(result, **change), slos)

    assert judged.outcome is not SloOutcome.PASSED
    assert any(why in reason for reason in judged.reasons)


def test_hold_that_was_cut_never_passes(result: Result, slos: tuple[Slo, ...]) -> None:
    (held,) = result.holds
    cut = replace(result, holds=(replace(held, end=held.end - 1),))

    assert verdict(cut, slos).outcome is SloOutcome.UNREACHABLE
    assert incomplete(cut) == ["level 1 was held for 19 of 20 s"]


def test_one_server_error_fails(result: Result, slos: tuple[Slo, ...]) -> None:
    """Also on a level that is judged for nothing else."""
    (held,) = result.holds
    bad = Second(result.seconds["data"][START].times, {(200, ""): 49, (503, "status"): 1}, {0.3: 0, 0.5: 0})
    seconds = {**result.seconds, "data": {**result.seconds["data"], START: bad}}
    warm = replace(result, seconds=seconds, holds=(replace(held, judged="5xx"),))

    judged = verdict(warm, slos)

    assert judged.outcome is SloOutcome.FAILED
    assert {judgement.slo.line for judgement in judged.judgements} == {"staging.slo-no-5xx"}


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize(
    ("serves", "load", "why"),
    [
        (["staging"], False, "expected load = true, saw false"),
        (["live"], True, "a load test there is refused"),
        (["prep", "rollback"], True, "a load test there is refused"),
        (["staging"], True, None),
        (["live"], "on production", None),
    ],
)
def test_where_load_is_refused(serves: list[str], load: object, why: str | None) -> None:
    target: Any = SimpleNamespace(name="mine", serves=serves, load=load, path=Path("mine.toml"))
    reason = run.refused(target, read_runbook(ROOT / "runbook.toml"))

    assert (reason is None) == (why is None)
    assert (why or "") in (reason or "")


def test_result_gets_a_folder_of_its_own(result: Result, tmp_path: Path) -> None:
    kept = run.keep(result, tmp_path / "load")

    assert kept.name == "20231114T221320Z-staging-smoke"
    assert read(kept / NAME) == result
    assert [path.name for path in (tmp_path / "load").iterdir()] == [kept.name]


def test_picture_needs_no_network(result: Result, tmp_path: Path) -> None:
    """One SVG file that refers to nothing outside of it, also of a test without a single request."""
    for measured in (result, replace(result, seconds={}, users={}, holds=())):
        content = plots.draw(measured, tmp_path, 300).read_text(encoding="utf-8")
        linked = [part.split('"')[1] for part in content.split("href=")[1:]]
        assert "300 ms" in content
        assert [link for link in linked if not link.startswith("#")] == []


def test_picture_names_the_colours_below_its_panels(result: Result, tmp_path: Path) -> None:
    """Once for all panels, where no curve and no limit is."""
    content = plots.draw(result, tmp_path, 300).read_text(encoding="utf-8")

    _, *legends = content.split('<g id="legend')
    assert len(legends) == 1
    assert [name for name in result.classes if f">{name}</text>" not in legends[0]] == []
    assert content.rindex('<g id="axes_') < content.index('<g id="legend')


def test_progress_in_plain_lines(
    result: Result, slos: tuple[Slo, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no terminal is: a line every five seconds."""
    moments = iter([0.0, 1.0, 6.0, 6.0])
    monkeypatch.setattr("noxgate.slo.live.time.monotonic", lambda: next(moments))
    line = {
        "elapsed": 6.0, "level": 1, "holding": True, "users": 60, "wanted": 60, "rate": 280.0, "failed": 0.01,
        "p95": {"auth": 0.032, "data": None},
    }  # fmt: skip
    with shown(result.ramp, slos) as tell:
        tell(line)
        tell(line)

    (said,) = capsys.readouterr().out.splitlines()
    assert said.endswith("hold  60 users  280 requests/s  slowest p95 32 ms (auth)  1.0% failed")


def test_version_that_is_refused_now_and_then(loopback: Loopback) -> None:
    """What fails once is for the load test to judge; where all fails, the target is not there."""
    answers = [b"404 Not Found", b"404 Not Found", b"200 OK", *[b"404 Not Found"] * run.LOOKS]

    def talk(connection: socket.socket) -> None:
        connection.recv(65_536)
        body = b'{"version": "8.0.0"}'
        head = b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (answers.pop(0), len(body))
        connection.sendall(head + body)

    target: Any = SimpleNamespace(
        base_url=f"http://localhost:{loopback.serve(talk)}", ca_file=None, rehearsal=True
    )
    assert run.answered_version(target) == "8.0.0"
    with pytest.raises(UnreachableError, match="404"):
        run.answered_version(target)
    assert answers == []


def test_ramp_of_other_users() -> None:
    """It is neither evidence nor a ramp of several levels; its own users leave it as it is."""
    quick, full = (ramps.chosen(ROOT, name) for name in ("quick", "full"))
    other = quick.of_users(50)

    assert (other.levels[0].users, other.evidence, ramps.is_as(other, quick)) == (50, False, False)
    assert quick.of_users(100) == quick
    with pytest.raises(ramps.RampError, match="on a ramp of one hold, saw 50 on full"):
        full.of_users(50)
    with pytest.raises(ramps.RampError, match="saw 0 on quick"):
        quick.of_users(0)
