"""The head of the sign-off page says where was looked, and all for which it is not GO."""

# ruff: noqa: F811 (fixtures of another file)
import re
from datetime import timedelta
from typing import Any

import pytest
from tests_self.building.signoffs import Release, of, release  # noqa: F401 (fixtures)

from noxgate.run.results_file import ResultsError, read

ELSEWHERE = "https://elsewhere.test"


def head(release: Release) -> str:
    """What stands above the phases, as text."""
    above = release.html.partition("<body")[2].partition('<h2 id="phases"')[0]
    return " ".join(re.sub("<[^>]+>", " ", above).split())


def test_each_address_of_a_target_is_at_the_head(release: Release) -> None:
    """The profile allows BASE_URL, and only the live run was led elsewhere: a GO of two systems."""
    profile = release.root / "targets" / "production.toml"
    profile.write_text('overrides = ["BASE_URL"]\n' + profile.read_text())
    release.runs("live")
    led = {"overrides": {"BASE_URL": ELSEWHERE}, "base_url": ELSEWHERE}
    release.run("live", change=lambda results: results["target"].update(led))

    status, said = release.sign_off()

    assert status == 0, said
    assert f"production https://production.test production {ELSEWHERE}, with BASE_URL={ELSEWHERE}" in head(
        release
    )
    for address in ("staging.test", "production.test", "elsewhere.test"):
        assert address in release.markdown.partition("## Phases")[0]


def test_the_first_sentence_says_what_the_runs_hold_back(release: Release) -> None:
    """Every line passed, and another sealed run was changed."""
    release.runs()
    older = release.run("staging", began=timedelta(minutes=90)) / "results.json"
    older.write_text(older.read_text() + " ")

    status, _ = release.sign_off()

    assert status == 2
    why = f"The runs themselves hold it back: {older.parent.name}, which does not count: results.json: was"
    assert why in head(release)
    assert "The runs themselves hold it back" in release.markdown.partition("## Phases")[0]


def test_a_line_that_is_unproven_alone_is_not_its_runs_fault(release: Release) -> None:
    """The run is believed, and no check says that one of its lines passed."""

    def change(results: dict[str, Any]) -> None:
        of(results, "staging.rollout")["checks"] = []

    release.runs("staging")
    release.run("staging", change=change)

    release.sign_off()

    assert "passed. 1 more is unproven, though the run is believed. 1 line holds it back." in head(release)
    assert "not believed" not in head(release)


@pytest.mark.parametrize("seconds", [-5000.0, float("inf"), float("nan")])
def test_a_clock_that_was_put_back_times_nothing(release: Release, seconds: float) -> None:
    release.runs("staging")
    release.run("staging", change=lambda results: results.update(seconds=seconds))

    release.sign_off()

    assert "not timed of 15 min" in release.html
    assert "-5000" not in release.html + release.markdown


def test_a_line_that_is_there_twice_is_no_result(release: Release) -> None:
    """Once failed and once passed: whoever reads the lines by their names sees the last."""

    def change(results: dict[str, Any]) -> None:
        results["lines"].insert(0, {**of(results, "staging.rollout"), "outcome": "failed"})

    release.runs("staging")
    with pytest.raises(ResultsError, match=r"staging\.rollout is there twice"):
        read(release.run("staging", change=change, sealed=False))

    status, said = release.sign_off()

    assert status == 2
    assert "staging.rollout is there twice" in said


def test_an_address_without_a_scheme_becomes_no_link(release: Release) -> None:
    """GitHub makes a link of each word that begins with www."""

    def change(results: dict[str, Any]) -> None:
        of(results, "staging.rollout").update(
            outcome="failed", reason="see WWW.example.com, (www.example.com)"
        )
        results["verdict"] = "NO-GO"

    release.runs("staging")
    release.run("staging", change=change)

    release.sign_off()

    assert "example.com" in release.markdown
    assert re.search(r"(?i)\bwww\.", release.markdown) is None
