"""Narrowed and mistaken runs: no way of asking pytest for less ends in GO."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests_self.conftest import Project

SENTENCE = "VALIDATION PASSED - Ready for production deployment!"
VERSION = "tests_staging/test_version.py"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-k", "version"], id="k"),
        pytest.param(["-k", "staging.version"], id="k-line-id"),
        pytest.param(["-k", "nothing"], id="k-nothing"),
        pytest.param(["-m", "staging and version"], id="m"),
        pytest.param(["-m", "version"], id="m-topic"),
        pytest.param(["-m", "staging and not health"], id="m-not"),
        pytest.param(["-m", "not health and not production"], id="m-only-not"),
        pytest.param([VERSION], id="file"),
        pytest.param([f"{VERSION}::test_version"], id="node-id"),
        pytest.param(["tests_staging", "--deselect", f"{VERSION}::test_version"], id="deselect"),
        pytest.param(["tests_staging", "--ignore", VERSION], id="ignore"),
        pytest.param(["tests_staging", "--ignore-glob", "*_version.py"], id="ignore-glob"),
        pytest.param(["--setup-only"], id="setup-only"),
        pytest.param(["--setup-plan"], id="setup-plan"),
        pytest.param(["-o", "python_files=test_v*.py"], id="python-files"),
        pytest.param(["-o", "python_functions=test_v*"], id="python-functions"),
        pytest.param(["--allure-epics=none"], id="allure-epics"),
    ],
)
def test_narrowed_run_is_never_go(project: "Project", arguments: list[str]) -> None:
    """It is INCONCLUSIVE, and says which lines were not run."""
    phase = [] if "-m" in arguments else ["-m", "staging"]

    result = project.run("--target", "staging", *phase, *arguments)

    assert result.ret == 2
    assert "not run" in project.outcomes().values()
    result.stdout.fnmatch_lines(["not run*", "INCONCLUSIVE  staging, *"])
    result.stdout.no_fnmatch_line(f"*{SENTENCE}*")


def test_deselected_under_xdist_is_never_go(project: "Project") -> None:
    """Workers deselect; the controller still counts every line."""
    result = project.gate("-n", "2", "-k", "version")

    assert result.ret == 2
    assert project.outcomes() == {"version": "passed", "health": "not run"}


def test_file_without_a_selected_check_is_not_imported(project: "Project") -> None:
    """It is said how many are left out; their lines are not run all the same."""
    project.check("health", top="raise RuntimeError('imported')")

    result = project.run("-m", "staging and version", "--target", "staging")

    assert result.ret == 2
    assert project.outcomes() == {"version": "passed", "health": "not run"}
    result.stdout.fnmatch_lines(["-m selects nothing in 1 other check files: 1 checks"])


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-m", "staging"], id="its-phase"),
        pytest.param(["-m", "staging and not version"], id="its-topic"),
        pytest.param(["-m", "version", "tests_staging/test_health.py"], id="named"),
    ],
)
def test_file_that_cannot_be_imported_is_never_go(project: "Project", arguments: list[str]) -> None:
    """As soon as -m could select something there, or it was named."""
    project.check("health", top="raise RuntimeError('imported')")

    result = project.run("--target", "staging", *arguments)

    assert result.ret == 2
    result.stdout.fnmatch_lines(["E   RuntimeError: imported"])


def test_file_that_is_not_imported_keeps_to_the_rules(project: "Project") -> None:
    """All check files are read before any is imported."""
    project.file("health").write_text("def broken(:")

    result = project.run("-m", "staging and version", "--target", "staging")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: tests_staging/test_health.py: invalid syntax*"])


@pytest.mark.parametrize("option", ["-x", "--maxfail=1", "--sw"])
def test_stopping_early_leaves_lines_not_run(project: "Project", option: str) -> None:
    """The first failure ends the run; the rest was not looked at."""
    project.check("health", "assert False")

    result = project.gate(option, "-p", "no:random_order")

    assert result.ret == 1
    assert project.outcomes() == {"version": "not run", "health": "failed"}


@pytest.mark.parametrize("option", ["--lf", "--sw", "--sw-skip"])
def test_only_what_failed_last_time_is_never_go(project: "Project", option: str) -> None:
    """The cure of one line says nothing of the others, even where they passed a minute ago."""
    project.check("version", "assert False")
    project.gate("--sw" if option.startswith("--sw") else "-q")
    project.check("version")

    result = project.gate(option)

    assert result.ret == 2
    assert "not run: staging.health" in result.outlines


@pytest.mark.parametrize(
    "option", ["--setup-show", "-v", "-qq", "-s", "--tb=no", "--no-header", "--nf", "--ff"]
)
def test_other_looks_are_whole_runs(project: "Project", option: str) -> None:
    """What changes the words and not the run does not change the verdict."""
    result = project.gate(option)

    assert result.ret == 0
    assert SENTENCE in result.outlines


@pytest.mark.parametrize("option", ["--collect-only", "--co", "--fixtures-per-test", "--cache-show"])
def test_listing_gives_no_verdict(project: "Project", option: str) -> None:
    """No folder either; and no target is needed to list checks."""
    result = project.run("-m", "staging", option)

    assert result.ret == 0
    assert project.folders() == []
    result.stdout.no_fnmatch_line("*release verdict*")


@pytest.mark.parametrize("option", ["--help", "--version", "--markers", "--fixtures"])
def test_talking_needs_no_target(project: "Project", option: str) -> None:
    """These answer before there is a rehearsal or a profile."""
    (project.path / "targets" / "rehearsal.toml").unlink()

    result = project.run(option)

    assert result.ret == 0
    assert project.folders() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["-m", "stagin"],
            "-m: no marker 'stagin'; did you mean 'staging'? "
            "(markers: staging, live, production, health, version)",
            id="unknown-marker",
        ),
        pytest.param(
            ["-m", "staging and"],
            "-m 'staging and': *",
            id="half-an-expression",
        ),
        pytest.param(["-m", "live and staging"], "-m 'live and staging' selects no phase (*)", id="no-phase"),
        pytest.param(
            ["-m", "live"],
            "target 'staging' does not serve phase 'live' (serves: staging); "
            "name one that does with --target, or a phase that it serves: pytest -m staging --target=staging",
            id="wrong-phase",
        ),
        pytest.param(
            [], "target 'staging' does not serve phase 'live' (serves: staging); *", id="all-phases"
        ),
        pytest.param(["-m", "production"], "target 'staging' does not serve phase 'live' *", id="production"),
        pytest.param(
            ["-m", "staging", "--target", "stagign"],
            "no target 'stagign' (targets: rehearsal, staging); did you mean 'staging'?",
            id="unknown-target",
        ),
        pytest.param(["."], ".: name the check folders or nothing at all; *", id="dot"),
        pytest.param(
            ["tests_staging", "tests_self"], "checks and other tests do not mix in one run: *", id="mixed"
        ),
        pytest.param(["tests_staging/no_such.py"], "file or directory not found: *", id="no-such-file"),
        pytest.param(["tests_staging/test_version.py::test_no"], "not found: *::test_no*", id="no-such-node"),
        pytest.param(
            ["-m", "staging", "-p", "no:html"],
            "the evidence of a run needs pytest's plugin 'html', which is disabled",
            id="no-html",
        ),
        pytest.param(
            ["-m", "staging", "-p", "no:junitxml"], "*plugin 'junitxml', which is disabled", id="no-junit"
        ),
        pytest.param(
            ["-m", "staging", "-p", "no:allure_pytest"],
            "*plugin 'allure_pytest', which is disabled",
            id="no-allure",
        ),
        pytest.param(
            ["-m", "staging", "--reports", "runbook.toml"], "--reports: Not a directory: *", id="reports"
        ),
    ],
)
def test_usage_error_is_one_line(project: "Project", arguments: list[str], message: str) -> None:
    """Exit 4, no verdict, no folder, no traceback."""
    (project.path / "tests_self").mkdir()

    result = project.run("--target", "staging", *arguments)

    assert result.ret == 4
    errors = [line for line in result.errlines + result.outlines if line.startswith("ERROR: ")]
    assert len(errors) == 1
    pytest.LineMatcher(errors).fnmatch_lines([f"ERROR: {message}"])
    assert project.folders() == []
    result.stdout.no_fnmatch_line("*release verdict*")
    result.stdout.no_fnmatch_line("*Traceback*")


def test_no_terminal_is_refused(project: "Project") -> None:
    result = project.pytester.runpytest_subprocess("-m", "staging", "-p", "no:terminal")

    assert result.ret == 4
    assert "-p no:terminal leaves the verdict unsaid" in result.stderr.str()


def test_no_summary_still_has_its_exit_status(project: "Project") -> None:
    """An option that hides the block at the end hides no failure."""
    project.check("health", "assert False")

    assert project.gate("--no-summary").ret == 1


@pytest.mark.parametrize("place", ["tests_staging", "./tests_staging/", "ABSOLUTE", "SUBFOLDER"])
def test_folder_named_in_any_way_is_the_whole_phase(
    project: "Project", place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative, absolute, or from inside."""
    folder = project.path / "tests_staging"
    if place == "SUBFOLDER":
        monkeypatch.chdir(folder)
    arguments = {"ABSOLUTE": [str(folder)], "SUBFOLDER": []}.get(place, [place])

    result = project.run("--target", "staging", *arguments)

    assert result.ret == 0
    assert project.outcomes() == {"version": "passed", "health": "passed"}


def test_linked_folder_is_refused(project: "Project") -> None:
    """Its node ids are not those that a verdict counts."""
    (project.path / "linked").symlink_to("tests_staging")

    result = project.run("--target", "staging", "linked")

    assert result.ret == 4
    assert project.folders() == []


def test_own_tests_are_no_gate_run(project: "Project") -> None:
    """`pytest tests_self` has no verdict, no folder, and needs no runbook in order."""
    (project.path / "tests_self").mkdir()
    (project.path / "tests_self" / "test_own.py").write_text("def test_own():\n    pass\n")
    project.line("staging.version")  # twice: not TOML

    result = project.run("tests_self")

    assert result.ret == 0
    assert project.folders() == []
    result.stdout.no_fnmatch_line("*release verdict*")


def test_broken_runbook_is_a_usage_error(project: "Project") -> None:
    """Nothing can be judged."""
    project.line("staging.version")

    result = project.gate()

    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: runbook.toml: *"])


@pytest.mark.parametrize(
    ("environment", "target"),
    [
        pytest.param({}, "rehearsal", id="nothing"),
        pytest.param({"BASE_URL": "https://127.0.0.1:9"}, "staging", id="base-url"),
        pytest.param({"NOXGATE_TARGET": "staging"}, "staging", id="noxgate-target"),
        pytest.param(
            {"NOXGATE_TARGET": "rehearsal", "BASE_URL": "https://127.0.0.1:9"}, "rehearsal", id="both"
        ),
    ],
)
def test_default_target(
    project: "Project", environment: dict[str, str], target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NOXGATE_TARGET, else staging where the runbook's BASE_URL is set, else the rehearsal; and why."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    result = project.run("-m", "staging")

    assert project.results()["target"]["name"] == target
    assert result.outlines[0].startswith(f"target {target}: ")
    assert next(iter(environment), "nothing names one") in result.outlines[0]


def test_option_beats_variable(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """--target is what the person says now."""
    monkeypatch.setenv("NOXGATE_TARGET", "rehearsal")

    result = project.gate()

    assert project.results()["target"]["name"] == "staging"
    assert result.outlines[0] == "target staging: named by --target"


def test_base_url_replaces_the_profile(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """As the runbook exports it; the header says so, and evidence too."""
    monkeypatch.setenv("BASE_URL", "https://127.0.0.1:9/")

    result = project.gate()

    result.stdout.fnmatch_lines(
        ["https://127.0.0.1:9, *", "instead of staging.toml: base_url from $BASE_URL"]
    )
    assert project.results()["target"]["base_url"] == "https://127.0.0.1:9"
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        [
            "BASE_URL says otherwise than staging.toml, which does not allow it: *",
            "INCONCLUSIVE  staging, release 8.0.0 on staging (BASE_URL=https://127.0.0.1:9): 2 passed",
        ]
    )


def test_base_url_that_the_profile_allows(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on the first line of the verdict; the profile's own value does not override anything."""
    profile = project.path / "targets" / "staging.toml"
    profile.write_text('overrides = ["BASE_URL"]\n' + profile.read_text())
    monkeypatch.setenv("BASE_URL", "https://127.0.0.1:9/")

    result = project.gate()

    assert result.ret == 0
    result.stdout.fnmatch_lines(["GO  staging, release 8.0.0 on staging (BASE_URL=https://127.0.0.1:9): *"])
    monkeypatch.setenv("BASE_URL", "https://localhost:9")
    result = project.gate()
    result.stdout.fnmatch_lines(["GO  staging, release 8.0.0 on staging: 2 passed"])


def test_rehearsal_reads_no_variable(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it would look at the real target whose variables are set."""
    monkeypatch.setenv("BASE_URL", "https://staging.example.com")
    monkeypatch.setenv("TEST_TOKEN", "a-token-of-the-real-target")

    result = project.run("-m", "staging", "--target", "rehearsal")

    assert project.results()["target"]["base_url"] == "https://localhost:9"
    result.stdout.fnmatch_lines(["not read, since this is a rehearsal: BASE_URL, TEST_TOKEN"])


def test_rehearsal_that_is_not_up(project: "Project") -> None:
    """The message tells how."""
    (project.path / "targets" / "rehearsal.toml").unlink()

    result = project.run("-m", "staging")

    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: expected a target, saw none: name it with --target NAME (targets: *staging*), export *"]
    )
    result = project.run("-m", "staging", "--target", "rehearsal")
    result.stderr.fnmatch_lines(
        ["ERROR: target 'rehearsal' is not up: start it with `noxgate rehearse up`, or name --target"]
    )


def test_header_says_which_variables_are_not_set(project: "Project") -> None:
    """Before anything runs."""
    result = project.gate()

    expected = (
        "not set, so lines that need them are unreachable: TEST_TOKEN, ADMIN_TOKEN, DATABASE_URL, REDIS_URL"
    )
    assert expected in result.outlines
