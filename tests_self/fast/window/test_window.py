"""The 48-hour window: when checkpoints are due, and which records are refused, late, or none at all."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests_self.service import queries

from noxgate.blue_green.rolled_back import log_lines, steps
from noxgate.cli.watch import table
from noxgate.errors import UnreachableError
from noxgate.project import schedule as windows
from noxgate.project.runbook import Runbook, read_runbook
from noxgate.project.schedule import Window
from noxgate.systems.prometheus.stretches import STEP, stretches
from noxgate.systems.prometheus.window_metrics import WindowMetrics
from noxgate.trust.records import CHECKPOINT, Chain, RecordError
from noxgate.trust.signing import SigningKey, new_key, read_public_key, read_signing_key
from noxgate.window.records import WindowError, moment, open_window, read_window, record_checkpoint, refusal

RUNBOOK = read_runbook(Path(__file__).parents[3] / "runbook.toml")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """The release engineer's."""
    new_key(tmp_path / "ada.pem")
    return read_signing_key(tmp_path / "ada.pem")


@pytest.fixture
def chain(tmp_path: Path, key: SigningKey) -> Chain:  # noqa: ARG001 (its public half)
    """The chain of a rehearsal, which takes a clock."""
    return Chain(
        tmp_path / "records",
        "8.0.0",
        "production",
        rehearsal=True,
        signers=(read_public_key(tmp_path / "ada.pub"),),
    )


def opened(chain: Chain, key: SigningKey, switched: datetime = NOON, after: timedelta = MINUTE) -> Window:
    """Ada opens the window."""
    return open_window(chain, key, RUNBOOK, switched=switched, by="Ada", clock=switched + after)


def make(chain: Chain, key: SigningKey, name: str, after: timedelta, why: str = "") -> windows.Made:
    """Record a checkpoint, so long after the switch."""
    return record_checkpoint(
        chain, key, RUNBOOK, name, seen="GO, 2 of 2 lines passed", data={}, why=why, clock=NOON + after
    )


def test_due_times(chain: Chain, key: SigningKey) -> None:
    """Counted from the switch, whenever the window was opened."""
    found = opened(chain, key, after=40 * MINUTE)

    assert {name: each.due for name, each in found.checkpoints.items()} == {
        "1h": NOON + HOUR,
        "6h": NOON + 6 * HOUR,
        "24h": NOON + 24 * HOUR,
        "48h": NOON + 48 * HOUR,
    }
    assert found.promised == {name: each.due for name, each in found.checkpoints.items()}
    assert (found.watcher, found.switched, found.ends) == ("Ada", NOON, NOON + 48 * HOUR)


def test_too_early_is_refused(chain: Chain, key: SigningKey) -> None:
    opened(chain, key)
    with pytest.raises(WindowError, match=r"^checkpoint 1h: too early: due from 2026-11-24 13:00 UTC"):
        make(chain, key, "1h", HOUR - timedelta(seconds=1))

    assert make(chain, key, "1h", HOUR).minutes_late == 0


def test_late_is_marked(chain: Chain, key: SigningKey) -> None:
    """To the minute, and rounded up; with the reason that was given."""
    opened(chain, key)

    assert make(chain, key, "1h", HOUR + 30 * MINUTE).minutes_late == 0
    made = make(chain, key, "6h", 7 * HOUR + timedelta(seconds=1), why="nobody was awake")
    assert (made.minutes_late, made.why) == (61, "nobody was awake")
    assert "61 min late" in "".join(table(read(chain), NOON + 8 * HOUR))


def test_missed_is_not_made_up_for(chain: Chain, key: SigningKey) -> None:
    """Once the next one is due; and the clock of the chain does not go back."""
    opened(chain, key)
    with pytest.raises(WindowError, match=r"^checkpoint 1h was missed: it was due 2026-11-24 13:00 UTC"):
        make(chain, key, "1h", 6 * HOUR)
    make(chain, key, "6h", 6 * HOUR)
    with pytest.raises(RecordError, match=r"^the clock goes back"):
        make(chain, key, "1h", 2 * HOUR)

    assert list(read(chain).made) == ["6h"]
    assert "MISSED" in table(read(chain), NOON + 7 * HOUR)[1]


def test_made_once(chain: Chain, key: SigningKey) -> None:
    """The first record counts, also of two that were written at the same time."""
    opened(chain, key)
    make(chain, key, "1h", HOUR)
    with pytest.raises(WindowError, match=r"^checkpoint 1h is recorded already"):
        make(chain, key, "1h", HOUR + MINUTE)
    again = {"kind": CHECKPOINT, "line": "x", "by": "Bram", "seen": "GO", "data": {"checkpoint": "1h"}}
    chain.append(key, now=NOON + 2 * HOUR, **again)  # type: ignore[arg-type]

    assert read(chain).made["1h"].by == "Ada"


def test_no_real_target_takes_a_clock(tmp_path: Path, key: SigningKey) -> None:
    """Neither to open a window nor to make a checkpoint; nothing is written."""
    signers = (read_public_key(tmp_path / "ada.pub"),)
    real = Chain(tmp_path / "records", "8.0.0", "production", rehearsal=False, signers=signers)
    refused = r"^--clock: production is not a rehearsal"
    with pytest.raises(WindowError, match=refused):
        opened(real, key)
    with pytest.raises(WindowError, match=refused):
        make(real, key, "1h", HOUR)

    assert real.read() == []


def test_a_rehearsals_window_is_none_of_a_real_target(chain: Chain, key: SigningKey) -> None:
    """Its records are stamped, and a chain of a real target refuses them, as noxgate verify does."""
    opened(chain, key)
    real = Chain(chain.folder, chain.release, chain.target, rehearsal=False, signers=chain.signers)

    with pytest.raises(RecordError, match=r"belongs to release 8\.0\.0 on production"):
        real.read()


def test_opened_once_for_each_switch(chain: Chain, key: SigningKey) -> None:
    """A later switch begins anew: what was recorded of the window before does not count."""
    opened(chain, key)
    make(chain, key, "1h", HOUR)
    with pytest.raises(WindowError, match=r"^the window of the switch at 2026-11-24 12:00 UTC is open"):
        open_window(chain, key, RUNBOOK, switched=NOON, by="Bram", clock=NOON + 2 * HOUR)
    opened(chain, key, switched=NOON + 3 * HOUR)

    assert read(chain).switched == NOON + 3 * HOUR
    assert read(chain).made == {}


@pytest.mark.parametrize("by", ["", " ", "[name]", "a\x1b[2J"])
def test_somebody_watches(by: str, chain: Chain, key: SigningKey) -> None:
    with pytest.raises(WindowError, match=r"^--by: expected who watches the window"):
        open_window(chain, key, RUNBOOK, switched=NOON, by=by, clock=NOON)


def test_nothing_before_it_is_open() -> None:
    assert read_window([], RUNBOOK) is None
    assert refusal(None, "1h", NOON) == "the window has not been opened: noxgate watch"


def test_lines_of_each_checkpoint() -> None:
    """Each judges its own and all before; what is said of 48 hours is due with the last."""
    due = {name: {line.id for line in windows.due_at(RUNBOOK, name)} for name in windows.names(RUNBOOK)}

    assert due["1h"] == {
        "window.opened",
        "window.checkpoint-1h-record",
        "window.checkpoint-1h-metrics",
    }
    assert due["1h"] < due["6h"] < due["24h"] < due["48h"]
    assert due["48h"] == {line.id for line in RUNBOOK.of_phase("window")}
    without = {line.id for line in windows.due_at(RUNBOOK, "6h", unrecorded=True)}
    assert due["6h"] - without == {"window.checkpoint-6h-record"}


@pytest.mark.parametrize("text", ["noon", "2026-11-24", "2026-11-24T12:00:00", ""])
def test_a_clock_has_a_zone(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time such as"):
        moment(text)


def test_stretches() -> None:
    """Minutes that follow each other are one, with the worst value in them."""
    values = {NOON + n * MINUTE: float(n) for n in (1, 2, 3, 7)}

    assert list(map(str, stretches(values, max))) == [
        "2026-11-24 12:01 to 12:03 UTC (3 min, worst 3)",
        "2026-11-24 12:07 to 12:07 UTC (1 min, worst 7)",
    ]


class Measured:
    """A Prometheus that answers a query at a time with a function of both, and keeps what it was asked."""

    def __init__(self, value: Callable[[str, datetime], float | None]) -> None:
        self.value = value
        self.asked: list[tuple[datetime, datetime]] = []

    def range(self, promql: str, start: datetime, end: datetime, step: float) -> list[object]:
        from noxgate.systems.prometheus.answers import Series  # noqa: PLC0415

        self.asked.append((start, end))
        times = [
            start + n * timedelta(seconds=step) for n in range(int((end - start).total_seconds() // step) + 1)
        ]
        points = [(at, value) for at in times if (value := self.value(promql, at)) is not None]
        return [Series({}, points)] if points else []


def metrics(measured: Measured, hours: float = 48) -> WindowMetrics:
    end = NOON + hours * HOUR
    return WindowMetrics(measured, queries("green"), NOON, end, 90, 5)  # type: ignore[arg-type]


def test_every_minute_is_asked_for_once() -> None:
    """In parts that a server answers, without a minute lost or twice between them."""
    measured = Measured(lambda *_: 1.0)

    assert metrics(measured).coverage().percent == 100
    assert len(measured.asked) == 4
    ends = [end + STEP * timedelta(seconds=1) for _, end in measured.asked]
    assert ends[:-1] == [start for start, _ in measured.asked[1:]]


def test_a_gap_is_not_green() -> None:
    """A quarter of an hour without samples among 48 hours: 99.5 % are covered, and nothing is said of p95."""
    dark = Measured(lambda _, at: None if 20 * HOUR < at - NOON <= 20 * HOUR + 15 * MINUTE else 1.0)
    found = metrics(dark).coverage()

    assert [gap.minutes for gap in found.gaps] == [15]
    assert found.percent > 99
    with pytest.raises(
        UnreachableError, match=r"no gap of 5 min, saw 99\.5 %: 2026-11-25 08:01 to 08:15 UTC"
    ):
        metrics(dark).p95_over(300)


def test_a_share_of_what_is_not_known_is_not_green() -> None:
    """The memory is measured all the time, and its limit for a minute: nothing is known of the others."""

    def memory(promql: str, at: datetime) -> float | None:
        return 12.0 if "count_over_time" in promql or at - NOON == 20 * MINUTE else None

    with pytest.raises(UnreachableError, match=r"expected samples in 90 % of the minutes .* saw 0\.0 %"):
        metrics(Measured(memory)).memory_over(80)


@pytest.mark.parametrize(
    ("ask", "series"),
    [
        (lambda found: found.memory_over(80), "container_memory_working_set_bytes"),
        (lambda found: found.cpu_over(80), "container_cpu_usage_seconds_total"),
        (lambda found: found.restarts(0), "kube_pod_container_status_restarts_total"),
    ],
)
def test_one_pod_that_is_not_measured_is_not_green(
    ask: Callable[[WindowMetrics], object], series: str
) -> None:
    """All were scraped; what others say of one is missing."""
    measured = Measured(lambda promql, _: None if "and on (pod)" in promql else 1.0)

    with pytest.raises(UnreachableError, match=rf"^{series}.*, of each pod: .* saw 0\.0 %"):
        ask(metrics(measured))


def test_a_percentile_of_no_buckets_is_not_green() -> None:
    """Pods were scraped, and their histogram was gone until the end."""

    def gone(promql: str, at: datetime) -> float | None:
        return 1.0 if "up{" in promql or at - NOON == 48 * HOUR else None

    with pytest.raises(UnreachableError, match=r"http_request_duration_seconds_bucket.* saw 0"):
        metrics(Measured(gone)).p95_over(300)


def test_a_rollbacks_record() -> None:
    """Times with a zone, one for each line."""
    found = steps("2026-11-24T12:00:00Z decided\n\n2026-11-24T13:00:05+01:00  all users have blue \n")

    assert [(one.at - NOON, one.what) for one in found] == [
        (timedelta(), "decided"),
        (timedelta(seconds=5), "all users have blue"),
    ]
    with pytest.raises(AssertionError, match=r"^line 1: expected a time such as"):
        steps("12:00 decided")


def test_kept_logs() -> None:
    """As kubectl logs --prefix writes them; lines without a pod belong to no pod."""
    text = "[pod/a/nox-api] one\n[pod/a/nox-api] two\n[pod/b/sidecar] three\nerror: no such pod\n"

    assert log_lines(text) == {"a": 2, "b": 1}


def read(chain: Chain, runbook: Runbook = RUNBOOK) -> Window:
    found = read_window(chain.read(), runbook)
    assert found is not None
    return found
