"""Load results in a sealed run: `noxgate verify` and the sign-off page believe what the gate believes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests_self.building.sealed_runs import Bundle, bundle, made  # noqa: F401 (fixtures)
from tests_self.conftest import LINE
from tests_self.simulated import ROOT, simulated

from noxgate.slo.ramps import read_ramps
from noxgate.slo.result import NAME as RESULT
from noxgate.slo.result import Result, folder_name, write
from noxgate.trust.loads import EVIDENCE, NAME, Making
from noxgate.trust.signing import key_for_once, read_signing_key

SMOKE = read_ramps(ROOT)["smoke"]
NONCE = "0" * 32

Change = Callable[[Result], Result]


def same(result: Result) -> Result:
    return result


def sealed(run: Bundle, change: Change = same, afterwards: Callable[[Path], object] = lambda _: None) -> Path:
    """A load result is in the run's folder, signed; then the run is sealed with it, by the very key."""
    result = change(replace(simulated(SMOKE), base_url="https://localhost:9", nonce=NONCE))
    place = run.folder / EVIDENCE / folder_name(result)
    place.mkdir(parents=True)
    write(place / RESULT, result)
    Making(NONCE, read_signing_key(run.key)).sign(place, result)
    afterwards(place)
    run.resign(lambda _: None)
    return place


def again(place: Path) -> None:
    write(place / RESULT, replace(simulated(SMOKE, seed=2), base_url="https://localhost:9", nonce=NONCE))


def by_another(place: Path) -> None:
    Making(NONCE, key_for_once()).sign(place, simulated(SMOKE))


def test_result_of_a_load_test(bundle: Bundle) -> None:  # noqa: F811
    sealed(bundle)

    assert bundle.refused() == []


@pytest.mark.parametrize(
    ("change", "afterwards", "why"),
    [
        (same, lambda place: (place / NAME).unlink(), "is not signed"),
        (same, again, "was changed after it was signed: result.json.gz"),
        (same, by_another, "signed with another key"),
        (same, lambda place: (place / RESULT).write_bytes(b"?"), "result.json.gz"),
        (lambda one: replace(one, visits={}), lambda _: None, "they do not meet"),
        (lambda one: replace(one, release="7.9.3"), lambda _: None, "is of release 7.9.3 against"),
        (
            lambda one: replace(one, base_url="https://localhost:8"),
            lambda _: None,
            "against https://localhost:8",
        ),
    ],
    ids=["unsigned", "altered", "other-key", "damaged", "impossible", "other-release", "other-address"],
)
def test_what_the_gate_would_refuse(
    bundle: Bundle,  # noqa: F811
    change: Change,
    afterwards: Callable[[Path], object],
    why: str,
) -> None:
    """Whoever sealed it."""
    place = sealed(bundle, change, afterwards)

    (reason,) = bundle.refused()
    assert reason.startswith(f"load/{place.name}: ")
    assert why in reason


def test_result_of_schema_1_is_said(bundle: Bundle) -> None:  # noqa: F811
    """It is read, for a release of that time."""
    sealed(bundle, lambda one: replace(one, schema=1), lambda place: (place / NAME).unlink())

    status, lines = bundle.verify()
    assert status == 0
    assert [line for line in lines if line.startswith("note ") and "is of schema 1" in line] != []


def test_line_that_rests_on_a_load_test_that_is_not_there(bundle: Bundle) -> None:  # noqa: F811
    """What it was judged by cannot be looked at."""

    def passed(results: dict[str, list[dict[str, object]]]) -> None:
        results["lines"].append({**results["lines"][0], "id": "staging.slo-p95", "outcome": "passed"})

    with (bundle.root / "runbook.toml").open("a") as file:
        file.write(LINE.format(line="staging.slo-p95", number=9))
        file.write('slo = { measure = "failed", limit = "percent" }\nlimits = { percent = 1 }\n')
    bundle.resign(passed)

    assert "staging.slo-p95: no load test is in the evidence" in bundle.refused()
