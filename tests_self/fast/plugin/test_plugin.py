"""The plugin in a small project: outcomes, verdict, exit status, and the words in between."""

import re
from typing import TYPE_CHECKING

import pytest

from noxgate.trust.agreement import contradictions

if TYPE_CHECKING:
    from tests_self.conftest import Project

SENTENCE = "VALIDATION PASSED - Ready for production deployment!"

alone_and_xdist = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="xdist")]
)

# What a check may do, and what becomes of its line.
ENDINGS = {
    "fails": ("assert {'a': 1} == {'a': 2}", {}, "failed"),
    "breaks": ("raise RuntimeError('broken')", {}, "failed"),
    "exits": ("raise SystemExit(0)", {}, "failed"),
    "away": ("raise UnreachableError('https://x: connection refused')", {}, "unreachable"),
    # what has no business here: the line is not optional
    "uncounted": ("raise NotCountedError('nothing named')", {}, "failed"),
    "undecided": ("raise UndecidedError('1.1 times (0.9 to 1.3)')", {}, "undecided"),
    "undecided_blind": ("raise UndecidedError('nothing seen')", {"looks": False}, "not run"),
    "blind": ("assert True", {"looks": False}, "not run"),
    "skips": ("pytest.skip('not today')", {}, "not run"),
    "needs": ("pytest.importorskip('no_such_module')", {}, "not run"),
    "skip_mark": ("pass", {"decorator": "@pytest.mark.skip"}, "not run"),
    "skipif_mark": ("pass", {"decorator": "@pytest.mark.skipif(True, reason='no')"}, "not run"),
    "xfails": ("pytest.xfail('known')", {}, "failed"),
    "xfail_mark": ("assert False", {"decorator": "@pytest.mark.xfail"}, "failed"),
    "xpass": ("pass", {"decorator": "@pytest.mark.xfail(strict=False)"}, "not run"),
    "xpass_strict": ("pass", {"decorator": "@pytest.mark.xfail(strict=True)"}, "not run"),
    "no_fixture": ("pass", {"arguments": "observe, no_such_fixture"}, "failed"),
    "property": (
        "request.node.user_properties += [('repeat', 'x'), ('seen', 'x'), ('outcome', 'passed')]",
        {"looks": False, "arguments": "request"},
        "not run",
    ),
    "thread": (
        "import threading; thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()",
        {},
        "failed",
    ),
    "subtest": (
        "with subtests.test('part'):\n    assert False",
        {"arguments": "observe, subtests"},
        "failed",
    ),
}
FIXTURES = {
    "setup_error": ("raise RuntimeError('set-up')\n    yield", "function", "failed"),
    "setup_away": ("raise UnreachableError('no route')\n    yield", "function", "unreachable"),
    "session_away": ("raise UnreachableError('no route')\n    yield", "session", "unreachable"),
    "setup_skip": ("pytest.skip('not today')\n    yield", "function", "not run"),
    "teardown_error": ("yield\n    raise RuntimeError('tear-down')", "function", "failed"),
    "teardown_away": ("yield\n    raise UnreachableError('no route')", "function", "unreachable"),
}


def add(project: "Project", name: str) -> None:
    """Write the check `name` of the tables above."""
    if name in ENDINGS:
        body, options, _ = ENDINGS[name]
        project.check(name, body, **options)  # type: ignore[arg-type]
    else:
        body, scope, _ = FIXTURES[name]
        fixture = f"@pytest.fixture(scope='{scope}')\ndef given():\n    {body}"
        project.check(name, top=fixture, arguments="observe, given")


@alone_and_xdist
def test_each_way_to_end_has_its_outcome(project: "Project", workers: tuple[str, ...]) -> None:
    """And the ordinary checks beside them pass."""
    expected = {name: outcome for name, (_, _, outcome) in (ENDINGS | FIXTURES).items()}
    for name in expected:
        add(project, name)

    result = project.gate(*workers)

    assert project.outcomes() == expected | {"version": "passed", "health": "passed"}
    assert result.ret == 1


@alone_and_xdist
def test_go(project: "Project", workers: tuple[str, ...]) -> None:
    """Every line passed on a real target: exit 0 and the runbook's sentence."""
    result = project.gate(*workers)

    assert result.ret == 0
    assert "GO  staging, release 8.0.0 on staging: 2 passed" in result.outlines
    assert SENTENCE in result.outlines
    assert project.results()["verdict"] == "GO"


@pytest.mark.parametrize("name", [*ENDINGS, *FIXTURES])
def test_nothing_but_passed_is_go(project: "Project", name: str) -> None:
    """One odd check beside passing ones is enough, and the sentence is not said."""
    add(project, name)

    result = project.gate()

    outcome = (ENDINGS | FIXTURES)[name][2]
    assert project.outcomes() == {"version": "passed", "health": "passed", name: outcome}
    assert result.ret == (1 if outcome == "failed" else 2)
    result.stdout.no_fnmatch_line(f"*{SENTENCE}*")


def test_one_failure_is_no_go(project: "Project") -> None:
    """With its reason in the block at the end."""
    project.check("health", "assert 'degraded' == 'healthy'")

    result = project.gate()

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "* release verdict *",
            "failed      staging.health  *expected 'healthy', saw 'degraded'",
            "NO-GO  staging, release 8.0.0 on staging: 1 failed, 1 passed",
            "evidence: reports/8.0.0/*Z-staging-staging",
        ]
    )


def test_failure_tells_why_and_what_next(project: "Project") -> None:
    """Runbook, Expected, Seen, Repeat, Next, also in pytest's own words where they are asked for."""
    project.check("version", "assert '7.9.3' == '8.0.0'")

    result = project.gate("--tb=short")

    result.stdout.fnmatch_lines(
        [
            "E   AssertionError: expected '8.0.0', saw '7.9.3'",
            "*- release check staging.version -*",
            "Runbook   2. Staging > staging.version",
            "Expected  /staging.version is 8.0.0",
            "Seen      saw staging.version",
            "Repeat    curl staging.version",
            "Next      Redeploy 8.0.0, then: pytest -m staging --target staging",
        ],
        consecutive=False,
    )


def test_the_same_look_again_is_one_pair_of_lines(project: "Project") -> None:
    """How often it was made is said; what was seen in between keeps its place."""
    looks = [f"observe(Observation({seen!r}, 'curl it'))" for seen in ("down", "down", "up", "down")]
    project.check("version", "\n".join([*looks, "assert False"]), looks=False)

    result = project.gate()

    seen = [line.strip() for line in result.outlines if line.strip().startswith(("Seen ", "Repeat "))]
    pairs = [[f"Seen      {what}", "Repeat    curl it"] for what in ("down (2 times)", "up", "down")]
    assert seen == [line for pair in pairs for line in pair]


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        (["up in 4 ms: 1", "up in 12 ms: 1", "up in 9 ms: 1"], ["up in 4 to 12 ms: 1 (3 times)"]),
        (["up in 4 ms: 1", "up in 4 ms: 1"], ["up in 4 ms: 1 (2 times)"]),
        (["up in 4 ms: 1", "up in 5 ms: 2"], ["up in 4 ms: 1", "up in 5 ms: 2"]),
        (
            ["up in 4 ms: 7 in 1 ms", "up in 5 ms: 7 in 2 ms"],
            ["up in 4 ms: 7 in 1 ms", "up in 5 ms: 7 in 2 ms"],
        ),
    ],
)
def test_looks_that_differ_in_their_time_alone_are_one(
    project: "Project", looks: list[str], said: list[str]
) -> None:
    """With the quickest and the slowest; another difference is shown."""
    body = "\n".join(f"observe(Observation({seen!r}, 'curl it'))" for seen in looks)
    project.check("version", f"{body}\nassert False", looks=False)

    result = project.gate()

    seen = [line.strip() for line in result.outlines if line.strip().startswith("Seen ")]
    assert seen == [f"Seen      {each}" for each in said]


@alone_and_xdist
@pytest.mark.parametrize("where", ["call", "fixture", "session fixture"])
def test_unreachable_is_one_line_and_no_traceback(
    project: "Project", where: str, workers: tuple[str, ...]
) -> None:
    """Wherever the client was asked."""
    away = "raise UnreachableError('https://x: connection refused')"
    scope = "session" if where == "session fixture" else "function"
    fixture = f"@pytest.fixture(scope='{scope}')\ndef given():\n    {away}"
    for name in ("version", "health"):
        if where == "call":
            project.check(name, away)
        else:
            project.check(name, top=fixture, arguments="observe, given")

    result = project.gate(*workers)

    assert result.ret == 2
    told = [line for line in result.outlines if "connection refused" in line]
    assert told == ["unreachable https://x: connection refused: 2 lines"]
    assert "INCONCLUSIVE  staging, release 8.0.0 on staging: 2 unreachable" in result.outlines
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*test_health.py:*")


def test_one_cause_of_many_lines_is_one_line(project: "Project") -> None:
    """With their number; results.json has each of them."""
    project.line("staging.third")
    project.check("third", "raise UnreachableError('no kubeconfig')", looks=False)
    project.check("version", "raise UnreachableError('no kubeconfig')", looks=False)
    project.check("health", "raise UnreachableError('no database')", looks=False)

    result = project.gate()

    rows = [line for line in result.outlines if line.startswith("unreachable ")]
    assert len(rows) == 2
    assert "unreachable no kubeconfig: 2 lines" in rows
    assert f"{'':<12}staging.version, staging.third" in result.outlines
    assert list(project.outcomes().values()) == ["unreachable"] * 3


def test_one_host_is_one_cause(project: "Project") -> None:
    """With any path."""
    for name in ("version", "health"):
        project.check(name, f"raise UnreachableError('https://x:8/{name}: refused')", looks=False)

    result = project.gate()

    rows = [line for line in result.outlines if line.startswith("unreachable ")]
    assert rows == ["unreachable https://x:8: refused: 2 lines"]


def test_failed_beats_unreachable_beats_not_run(project: "Project") -> None:
    """In the count, in the block and in the verdict."""
    project.check("version", "raise UnreachableError('away')")
    project.check("skipped", "pytest.skip('no')")

    assert project.gate().ret == 2

    project.check("health", "assert False")
    result = project.gate()

    assert result.ret == 1
    assert "NO-GO  staging, release 8.0.0 on staging: 1 failed, 1 unreachable, 1 not run" in result.outlines
    block = [line.split()[0] for line in result.outlines if line.startswith(("failed ", "unreachable "))]
    assert block == ["failed", "unreachable"]


@alone_and_xdist
def test_an_optional_line_may_not_count(project: "Project", workers: tuple[str, ...]) -> None:
    """It says why, and lets the release go; JUnit and results agree, so that it can be sealed."""
    project.line("staging.slower", "optional = true")
    project.check("slower", "raise NotCountedError('nothing is named')")

    result = project.gate(*workers)

    assert result.ret == 0
    assert project.outcomes()["slower"] == "not counted"
    assert "GO  staging, release 8.0.0 on staging: 1 not counted, 2 passed" in result.outlines
    result.stdout.fnmatch_lines(["not counted staging.slower * nothing is named"])
    assert list(contradictions(project.folders()[0])) == []


def test_nothing_that_counts_is_not_go(project: "Project") -> None:
    """Each line optional, and none that was judged."""
    runbook = project.path / "runbook.toml"
    runbook.write_text(runbook.read_text().replace('kind = "auto"', 'kind = "auto"\noptional = true'))
    for name in ("version", "health"):
        project.check(name, "raise NotCountedError('nothing is named')")

    assert project.gate().ret == 2


def test_two_checks_of_a_line_must_both_pass(project: "Project") -> None:
    """The worst of them is the line's outcome."""
    second = '\n@pytest.mark.runbook("staging.health")\ndef test_second():\n    assert False\n'
    project.file("health").write_text(project.file("health").read_text() + second)

    project.gate()

    assert project.outcomes()["health"] == "failed"


def test_line_without_check_is_not_run(project: "Project") -> None:
    """Forgotten is not passed."""
    project.line("staging.forgotten")

    result = project.gate()

    assert result.ret == 2
    result.stdout.fnmatch_lines(["not run * staging.forgotten *"])


def test_line_to_come_is_not_run_on_a_real_target(project: "Project") -> None:
    """A target cannot be GO while a check is missing."""
    project.line("staging.later", "coming = true")

    result = project.gate()

    assert result.ret == 2
    assert project.outcomes()["later"] == "not run"
    result.stdout.no_fnmatch_line(f"*{SENTENCE}*")


def test_rehearsal_counts_lines_to_come(project: "Project") -> None:
    """It may be GO without them, and says so; the sentence is for real targets."""
    project.line("staging.later", "coming = true")

    result = project.run("-m", "staging")

    assert result.ret == 0
    expected = "GO (rehearsal), 1 lines still to come  staging, release 8.0.0 on rehearsal: 2 passed"
    assert expected in result.outlines
    assert project.results()["to_come"] == ["staging.later"]
    result.stdout.no_fnmatch_line(f"*{SENTENCE}*")


def test_rehearsal_is_never_the_real_thing(project: "Project") -> None:
    """Even with nothing to come."""
    result = project.run("-m", "staging", "--target", "rehearsal")

    assert result.ret == 0
    assert "GO (rehearsal)  staging, release 8.0.0 on rehearsal: 2 passed" in result.outlines
    assert project.results()["target"]["rehearsal"] is True
    result.stdout.no_fnmatch_line(f"*{SENTENCE}*")


def test_rehearsal_counts_a_failing_check_of_a_line_to_come(project: "Project") -> None:
    """A check that exists is judged, also if the runbook says that it is still to come."""
    project.line("staging.later", "coming = true")
    project.check("later", "assert False")

    assert project.run("-m", "staging").ret == 1


def test_only_staging_says_the_sentence(project: "Project") -> None:
    """A full GO of another phase is GO, and no more."""
    profile = project.path / "targets" / "staging.toml"
    profile.write_text(profile.read_text().replace('["staging"]', '["staging", "live"]'))
    project.line("live.version")
    text = project.file("version").read_text().replace("staging.version", "live.version")
    (project.path / "tests_production" / "test_version.py").write_text(text)

    result = project.run("-m", "live", "--target", "staging")

    assert result.ret == 0
    assert "GO  live, release 8.0.0 on staging: 1 passed" in result.outlines
    result.stdout.no_fnmatch_line(f"*{SENTENCE}*")


def test_phase_without_lines_is_not_go(project: "Project") -> None:
    """An empty phase proves nothing."""
    runbook = project.path / "runbook.toml"
    runbook.write_text(runbook.read_text().partition("[staging.version]")[0])
    for name in ("version", "health"):
        project.file(name).unlink()

    result = project.gate()

    assert result.ret == 2
    assert "INCONCLUSIVE  staging, release 8.0.0 on staging: no line of the runbook is due" in result.outlines


def test_empty_check_folder_is_not_go(project: "Project") -> None:
    """Every line is named."""
    for name in ("version", "health"):
        project.file(name).unlink()

    result = project.gate()

    assert result.ret == 2
    assert f"{'':<12}staging.version, staging.health" in result.outlines


ACTING = r"\x1b[2J\x1b[1A GO \x00 \r \u202e gnp.exe \u2028 \x9b"
RAISES = {
    "health": f"assert ['{ACTING}'] == []",
    "away": f"raise UnreachableError('{ACTING}')",
    "breaks": f"raise RuntimeError('{ACTING}')",
    "looks": f"observe(Observation('{ACTING}', 'curl {ACTING}'))",
    "says": f"print('{ACTING}'); assert False, '{ACTING}'",
}


@pytest.mark.parametrize("more", [(), ("-v", "--tb=long"), ("-n", "2")])
def test_what_a_target_says_is_shown_and_does_nothing(project: "Project", more: tuple[str, ...]) -> None:
    """No answer moves the cursor of who reads the run, or turns a line around: on no page, and no console."""
    for name, body in RAISES.items():
        project.check(name, body)

    result = project.gate(*more)

    (folder,) = project.folders()
    files = [
        folder / "report.html",
        folder / "junit.xml",
        *folder.glob("allure-results/*"),
        folder / "results.json",
    ]
    texts = [*(path.read_text() for path in files), "\n".join((*result.outlines, *result.errlines))]
    assert [found[0] for text in texts if (found := re.search("[\0\x1b\x9b\u202e\u2028]", text))] == []
    lines = {line["id"]: line for line in project.results()["lines"]}
    assert lines["staging.away"]["reason"] == ACTING
    assert lines["staging.looks"]["checks"][0]["observations"][-1]["seen"] == ACTING


def test_odd_bytes_in_a_failure_do_not_stop_the_reports(project: "Project") -> None:
    """Half a surrogate pair cannot be written as UTF-8; a NUL not as XML."""
    project.check("health", r"raise AssertionError('\ud800 \x00 \x1b[2J')")

    result = project.gate()

    assert result.ret == 1
    assert project.results()["doubts"] == []
