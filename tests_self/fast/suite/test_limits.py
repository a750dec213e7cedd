"""The numbers that tell a healthy target from a sick one: whoever loosens one has to change it here, too.

A busy machine makes it tempting. What helps there is to wait for samples, or to run a spoilt load test again.
"""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

from noxgate.project.runbook import read_runbook
from noxgate.slo.slos import Slo, read_slos

ROOT = Path(__file__).parents[3]

# Of the load test's generator: the milliseconds that 99 % of its timers may be late, and percent of a core.
RAMPS: dict[str, dict[str, object]] = {
    "smoke": {"lag_ms": 50, "cpu_percent": 95, "evidence": False},
    "quick": {"lag_ms": 5, "cpu_percent": 70},
    "full": {"lag_ms": 5, "cpu_percent": 70},
    "rate": {"lag_ms": 5, "cpu_percent": 70},
}
CONSTANTS: dict[str, dict[str, object]] = {
    "src/noxgate_load/health.py": {"EVERY": 0.01, "ON_TIME": 0.99, "LONGEST_HELD_UP": 1.0, "EDGE": 1},
    "src/noxgate/slo/ramps.py": {"MOST_LAG_MS": 5, "MOST_CPU_PERCENT": 70, "MOST_THINK": 4},
    "src/noxgate/slo/confidence.py": {"CONFIDENCE": 0.95},
    "src/noxgate/slo/holds.py": {"CHANCE": 0.001},
    "src/noxgate/slo/before/ratio.py": {"LEAST": 8},
    # shares of samples, and what they are shares of
    "src/noxgate/systems/prometheus/coverage.py": {"COVERED": 0.9, "SAMPLES": 4, "PARTS": 6},
    "src/noxgate/systems/prometheus/client.py": {"TOO_OFTEN": 1.2},
    "src/noxgate/systems/prometheus/counting.py": {"RECENT": 3},
    "src/noxgate/systems/prometheus/stretches.py": {"STEP": 60},
    "src/noxgate/systems/prometheus/window_metrics.py": {
        "RATE": 300,
        "SEEN": 120,
        "MISSED": 3600,
    },
    "src/nox_rehearsal/day/loading.py": {"TRIES": 3},
}
SLOWER = {
    "slower_at_most": 1.2,
    "slower_by_ms": 2,
    "rehearsal_by_ms": 40,
    "errors_percent": 1,
    "errors_samples": 600,
    "p50_samples": 300,
    "p95_samples": 1000,
    "p99_samples": 4000,
}
RUNBOOK = {
    "staging.load-quick": {"plateau_seconds": 300, "age_hours": 24},
    "staging.load-full": {"peak_users": 1500},
    "staging.slo-p95": {"p95_ms": 300, "samples": 300},
    "staging.slo-p99": {"p99_ms": 500, "samples": 400},
    "staging.slo-science-p95": {"p95_ms": 2000, "samples": 300},
    "staging.slo-errors": {"errors_percent": 5, "samples": 300},
    "staging.slo-api-errors": {"api_errors_percent": 2, "samples": 300},
    "staging.slo-auth-success": {"success_percent": 98, "samples": 300},
    "staging.slo-no-5xx": {"errors_5xx": 0},
    "staging.slower-than-before": {**SLOWER, "clock_percent": 10},
    "staging.prometheus-targets-up": {"seconds": 120},
    "staging.prometheus-rules-loaded": {"seconds": 120},
    "prep.monitoring-active": {"seconds": 120},
    "live.health": {"observe_seconds": 600, "every_seconds": 10},
    "live.version": {"observe_seconds": 600, "every_seconds": 10},
    "live.ready": {"observe_seconds": 600, "every_seconds": 10},
    "live.alerts-quiet": {"firing": 0},
    "live.alert-rules-loaded": {"seconds": 120},
    "live.p95-within-target": {"p95_ms": 300, "observe_seconds": 1800, "coverage_seconds": 60},
    "live.p95-below-critical": {"p95_ms": 500, "observe_seconds": 1800},
    "live.slower-than-before": {
        **SLOWER,
        "rehearsal_samples": 16,
        "paths": 10,
        "requests_times": 2,
        "observe_seconds": 1800,
    },
    "live.errors-within-target": {"errors_percent": 1, "observe_seconds": 1800},
    "live.errors-below-critical": {"errors_percent": 5, "observe_seconds": 1800},
    "live.signed-in-errors": {"errors_percent": 1, "observe_seconds": 1800},
    "live.memory-within-target": {"percent": 70, "observe_seconds": 1800},
    "live.memory-below-critical": {"percent": 90, "observe_seconds": 1800},
    "live.cpu-within-target": {"percent": 50, "observe_seconds": 1800},
    "live.cpu-below-critical": {"percent": 80, "observe_seconds": 1800},
    "live.pods-within-target": {"pods": 3, "observe_seconds": 1800},
    "live.pods-above-critical": {"pods": 2, "observe_seconds": 1800},
    "window.checkpoint-1h-metrics": {"hours": 1},
    "window.checkpoint-6h-traffic": {"hours": 6, "percent_min": 50, "percent_max": 200},
    "window.checkpoint-24h-stability": {"hours": 24, "restarts": 0, "memory_growth_percent": 10},
    "window.critical-alerts": {"hours": 48, "fired": 0},
    "window.prometheus-coverage": {"hours": 48, "coverage_percent": 90, "gap_minutes": 5},
    "window.p95": {"p95_ms": 300, "hours": 48},
    "window.errors": {"errors_percent": 1, "hours": 48},
}
SHARES = {  # of requests that may be bad: the SLOs as they are judged
    "staging.slo-p95": 0.05,
    "staging.slo-p99": 0.01,
    "staging.slo-science-p95": 0.05,
    "staging.slo-errors": 0.05,
    "staging.slo-api-errors": 0.02,
    "staging.slo-auth-success": 0.02,
    "staging.slo-no-5xx": 0,
}
# Here the check itself sends the requests, or looks at the pods, and all must be right.
NOT_MEASURED = {"live.health-every-replica", "live.version-converged", "live.pods-steady", "rollback.version"}
KINDS = ("observe_seconds", "coverage_percent", "p95_ms", "p99_ms", "samples")
SAY = "expected the committed number: put it back, or change it in test_limits.py and say why"


def test_generators_limits_are_the_committed_ones() -> None:
    """Of every ramp, one that is new among them."""
    document = tomllib.loads((ROOT / "load" / "ramps.toml").read_text(encoding="utf-8"))
    limits = ("lag_ms", "cpu_percent", "evidence")
    found = {name: {key: table[key] for key in limits if key in table} for name, table in document.items()}

    assert found == RAMPS, SAY


@pytest.mark.parametrize("file", CONSTANTS)
def test_constants_are_the_committed_ones(file: str) -> None:
    found = constants(ROOT / file)

    assert {name: found.get(name) for name in CONSTANTS[file]} == CONSTANTS[file], SAY


def test_runbooks_limits_are_the_committed_ones() -> None:
    """A limit that is new on one of these lines is a number that is judged by, too."""
    lines = read_runbook(ROOT / "runbook.toml").lines

    assert {line: dict(lines[line].limits) for line in RUNBOOK} == RUNBOOK, SAY


def test_slos_are_judged_by_the_committed_shares() -> None:
    slos = read_slos(read_runbook(ROOT / "runbook.toml").lines)

    assert {slo.line: share(slo) for slo in slos} == SHARES, SAY


def test_every_metric_and_slo_of_the_runbook_is_listed() -> None:
    """A line of these kinds that is added is compared from then on."""
    lines = read_runbook(ROOT / "runbook.toml").lines
    judged = {
        line
        for line, each in lines.items()
        if line.startswith("staging.slo-") or any(kind in each.limits for kind in KINDS)
    }

    assert judged - RUNBOOK.keys() == NOT_MEASURED


def test_guide_names_these_kinds() -> None:
    """Whoever writes a line with one has to add it here."""
    guide = (ROOT / "docs" / "WRITING-A-CHECK.md").read_text(encoding="utf-8")

    assert [kind for kind in KINDS if f"`{kind}`" not in guide] == []


def constants(path: Path) -> dict[str, Any]:
    """The plain values that a module gives names to, read without running it."""
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Assign):
            continue
        (target,) = node.targets
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for name, value in zip(names, values, strict=False):
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                found[name.id] = value.value
    return found


def share(slo: Slo) -> float:
    """Without the noise of a division."""
    return round(slo.share, 9)
