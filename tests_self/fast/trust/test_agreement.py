"""A run that was made without a key is sealed only where its files say the same."""

# ruff: noqa: F811 (fixtures of another file)

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_self.building.sealed_runs import Bundle, bundle, made  # noqa: F401 (fixtures)

from noxgate.cli.main import main
from noxgate.run.bundle import write_sums
from noxgate.trust import seal


def in_results(change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change results.json."""

    def on(folder: Path) -> None:
        results = json.loads((folder / "results.json").read_text())
        change(results)
        (folder / "results.json").write_text(json.dumps(results))

    return on


def sum_up(folder: Path) -> None:
    """Make SHA256SUMS anew, as whoever hides a change would."""
    (folder / "SHA256SUMS").unlink()
    write_sums(folder)


def failed(results: Any) -> None:
    results["lines"][0]["outcome"] = results["lines"][0]["checks"][0]["outcome"] = "failed"
    results["verdict"] = "NO-GO"


@pytest.mark.parametrize(
    ("change", "summed", "reason"),
    [
        (in_results(failed), False, "results.json: was changed after the run: SHA256SUMS has another digest"),
        (in_results(failed), True, "test_version: is failed in results.json, and passed in junit.xml"),
        (
            in_results(lambda results: results["lines"][0]["checks"].clear()),
            True,
            "test_version: is passed in junit.xml, and not in results.json",
        ),
        (
            in_results(lambda results: results.update(verdict="NO-GO")),
            True,
            "its verdict is NO-GO, and GO is what its lines come to",
        ),
        (
            in_results(lambda results: results["lines"][0].update(outcome="failed")),
            True,
            "staging.version is failed there, and its worst check passed",
        ),
        (lambda folder: (folder / "staging.x.txt").write_text("passed"), False, "was added after the run"),
        (lambda folder: (folder / "report.html").unlink(), False, "report.html: was removed after the run"),
        (lambda folder: (folder / "SHA256SUMS").unlink(), False, "SHA256SUMS: No such file or directory"),
        (lambda folder: (folder / "junit.xml").write_text("<testsuites"), True, "junit.xml: unclosed token"),
    ],
)
def test_seal_refuses_a_run_that_contradicts_itself(
    bundle: Bundle,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], object],
    summed: bool,  # noqa: FBT001 (a case)
    reason: str,
) -> None:
    """Whoever seals it later was not there."""
    (bundle.folder / seal.ENVELOPE).unlink()
    change(bundle.folder)
    if summed:
        sum_up(bundle.folder)

    assert main(["seal", str(bundle.folder)]) == 4
    said = capsys.readouterr().err
    assert reason in said
    assert not (bundle.folder / seal.ENVELOPE).exists()
