"""How a runbook is read, and the one line that each mistake in it is."""

from pathlib import Path

import pytest

from noxgate.project.runbook import RunbookError, read_runbook

SMALL = """\
[release]
version = "8.0.0"
date = 2025-08-15
schema = "schema/8.0.0.toml"

[phase.staging]
title = "Staging validation"
folder = "tests_staging"

[phase.signoff]
title = "Sign-off"

[staging.version]
ref = "RB-2.6"
kind = "auto"
section = "2. Staging validation"
seed = [131, 133]
expected = 'GET /version answers {"version": "{version}"}'
next = "Deploy {version} again."

[signoff.staging]
ref = "RB-2.4"
kind = "derived"
section = "2. Staging validation"
seed = [112]
expected = "Every staging line passed."
derived_from = ["staging"]
"""
LINE_KEYS = (
    "ref, kind, section, seed, expected, next, coming, derived_from, limits, role, "
    "checkpoint, metric, slo, waivable, optional, proof"
)


def test_small_runbook(tmp_path: Path) -> None:
    """What is left out has its default, {version} is the release's, and derived lines are not counted."""
    runbook = read_runbook(write(tmp_path, SMALL))
    line = runbook.lines["staging.version"]

    assert runbook.release.schema == tmp_path / "schema/8.0.0.toml"
    assert runbook.phases["staging"].budget_minutes is None
    assert line.phase == "staging"
    assert line.seed == (131, 133)
    assert line.expected == 'GET /version answers {"version": "8.0.0"}'
    assert line.next == "Deploy 8.0.0 again."
    assert (line.coming, line.derived_from, line.limits, line.waivable) == (False, (), {}, True)
    assert runbook.lines["signoff.staging"].derived_from == ("staging",)
    assert runbook.of_phase("staging", "signoff") == [line]


def test_missing_file(tmp_path: Path) -> None:
    """The message names the folder that was searched."""
    with pytest.raises(RunbookError) as caught:
        read_runbook(tmp_path / "runbook.toml")

    assert str(caught.value) == f"runbook.toml: not found in {tmp_path}"


def test_file_that_is_not_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8."""
    path = tmp_path / "runbook.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(RunbookError) as caught:
        read_runbook(path)

    assert str(caught.value) == (
        "runbook.toml: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "[release]",
            "[release",
            "Expected ']' at the end of a table declaration (at line 1, column 9)",
            id="broken TOML",
        ),
        pytest.param(
            "[signoff.staging]",
            "[staging.version]",
            "Cannot declare ('staging', 'version') twice (at line 21, column 17)",
            id="duplicate entry",
        ),
        pytest.param("[release]", "[phase.x]", "expected a table [release]", id="no release"),
        pytest.param(
            'schema = "schema/8.0.0.toml"\n', "", "[release]: missing schema", id="release: missing key"
        ),
        pytest.param(
            "date = 2025-08-15",
            'date = "15 August"',
            "[release] date: expected date, saw '15 August'",
            id="release: wrong type",
        ),
        pytest.param(
            'version = "8.0.0"',
            'version = "8.0.0"\ncommit = "abc"',
            "[release]: unknown key commit (keys: version, date, schema)",
            id="release: unknown key",
        ),
        pytest.param(
            "[phase.staging]",
            "[phases.staging]",
            "[phases]: no such phase (phases: signoff)",
            id="phase: misspelt table",
        ),
        pytest.param(
            "[phase.staging]",
            "[phase]\nlive = 1\n[phase.staging]",
            "[phase]: expected tables such as [phase.NAME]",
            id="phase: not a table",
        ),
        pytest.param(
            'folder = "tests_staging"',
            "minutes = 15",
            "[phase.staging]: unknown key minutes (keys: title, budget_minutes, folder, marker, "
            "serves_users, validates, peer)",
            id="phase: unknown key",
        ),
        pytest.param('title = "Sign-off"', "", "[phase.signoff]: missing title", id="phase: missing key"),
        pytest.param(
            'title = "Sign-off"',
            'title = "Sign-off"\nbudget_minutes = "5"',
            "[phase.signoff] budget_minutes: expected int, saw '5'",
            id="phase: wrong type",
        ),
        pytest.param(
            "[staging.version]",
            "[stagng.version]",
            "[stagng]: no such phase (phases: staging, signoff)",
            id="unknown phase",
        ),
        pytest.param(
            "[staging.version]",
            "[staging]\nversion = 1\n[staging.health]",
            "[staging]: expected tables such as [staging.NAME]",
            id="entry is not a table",
        ),
        pytest.param(
            "seed = [131, 133]",
            "seed = [131, 133]\nowner = 'me'",
            f"[staging.version]: unknown key owner (keys: {LINE_KEYS})",
            id="unknown key",
        ),
        pytest.param("seed = [131, 133]\n", "", "[staging.version]: missing seed", id="missing key"),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nrole = "judge"\n',
            "[staging.version] role: expected switch, switch-back, opened, checkpoint-record, key-metric, "
            "load-test, validated, overview, engineer, status, next-review, saw 'judge'",
            id="role: unknown",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nrole = "key-metric"\n',
            '[staging.version]: role = "key-metric" and metric belong together',
            id="role: no metric",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nrole = "checkpoint-record"\n',
            "[staging.version]: missing checkpoint: which one it records",
            id="role: no checkpoint",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nslo = { measure = "failed", limit = "percent" }\n',
            "[staging.version] limits: expected percent, which it is about",
            id="slo: no limit",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nslo = { measure = "slow", limit = "ms" }\nlimits = { ms = 3 }\n',
            '[staging.version] slo: measure = "slow" and quantile belong together',
            id="slo: no quantile",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nslo = { measure = "slow", limit = "ms", quantile = 95.0 }\nlimits = { ms = 3 }\n',
            "[staging.version] slo: quantile: expected such as 0.95, saw 95.0",
            id="slo: quantile 95.0",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nslo = { measure = "slow", limit = "ms", quantile = -0.5 }\nlimits = { ms = 3 }\n',
            "[staging.version] slo: quantile: expected such as 0.95, saw -0.5",
            id="slo: quantile -0.5",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nslo = { measure = "slow", limit = "ms", quantile = nan }\nlimits = { ms = 3 }\n',
            "[staging.version] slo: quantile: expected such as 0.95, saw nan",
            id="slo: quantile nan",
        ),
        pytest.param(
            "seed = [131, 133]\n",
            'seed = [131]\nrole = "key-metric"\nlimits = { ms = 3 }\n'
            'metric = { name = "p95", unit = "ms", limit = "ms", bound = "target" }\n',
            "metric 'p95': expected a target and a critical line, saw target",
            id="metric: no critical limit",
        ),
        pytest.param(
            'ref = "RB-2.6"\nkind = "auto"\n', "", "[staging.version]: missing ref, kind", id="missing keys"
        ),
        pytest.param(
            'ref = "RB-2.6"', "ref = 2.6", "[staging.version] ref: expected str, saw 2.6", id="wrong type"
        ),
        pytest.param(
            "seed = [131, 133]",
            'seed = [131, "133"]',
            "[staging.version] seed: expected line numbers, saw [131, '133']",
            id="seed of text",
        ),
        pytest.param(
            "seed = [131, 133]",
            'seed = [131]\nlimits = { p95_ms = "300" }',
            "[staging.version] limits: expected numbers, saw {'p95_ms': '300'}",
            id="limit of text",
        ),
        pytest.param(
            'kind = "auto"',
            'kind = "automatic"',
            "[staging.version] kind: expected auto, mutate, human, derived, saw 'automatic'",
            id="unknown kind",
        ),
        pytest.param(
            'derived_from = ["staging"]',
            "",
            '[signoff.staging]: kind = "derived" and derived_from belong together',
            id="derived without derived_from",
        ),
        pytest.param(
            'kind = "auto"',
            'kind = "auto"\nderived_from = ["staging"]',
            '[staging.version]: kind = "derived" and derived_from belong together',
            id="derived_from without derived",
        ),
        pytest.param(
            'derived_from = ["staging"]',
            'derived_from = ["staging", "live", "staging.versio"]',
            "[signoff.staging] derived_from names no line or phase: live, staging.versio",
            id="derived_from unknown",
        ),
        pytest.param(
            'next = "Deploy {version} again."',
            "",
            "[staging.version]: missing next: what to do when it fails",
            id="missing next",
        ),
        pytest.param(
            'next = "Deploy {version} again."',
            'next = ""',
            "[staging.version]: missing next: what to do when it fails",
            id="empty next",
        ),
    ],
)
def test_message(tmp_path: Path, old: str, new: str, message: str) -> None:
    """One fault in a good file, and the one line that says where it is and what was expected."""
    assert SMALL.count(old) == 1
    path = write(tmp_path, SMALL.replace(old, new))

    with pytest.raises(RunbookError) as caught:
        read_runbook(path)

    assert str(caught.value) == f"runbook.toml: {message}"


def test_no_phase_at_all(tmp_path: Path) -> None:
    """A file with a release and nothing else."""
    path = write(tmp_path, SMALL.partition("[phase.staging]")[0])

    with pytest.raises(RunbookError) as caught:
        read_runbook(path)

    assert str(caught.value) == "runbook.toml: expected at least one [phase.NAME] table"


def write(folder: Path, text: str) -> Path:
    path = folder / "runbook.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_role_is_somebodys(tmp_path: Path) -> None:
    """Where the engine asks for one that no line has, or that two have, it says so and goes no further."""
    path = tmp_path / "runbook.toml"
    path.write_text(SMALL)
    without = read_runbook(path)
    one = SMALL.replace("seed = [131, 133]", 'seed = [131, 133]\nrole = "status"')
    path.write_text(one)
    with_one = read_runbook(path)
    path.write_text(one + 'role = "status"\n')
    with_two = read_runbook(path)

    assert with_one.one("status").id == "staging.version"
    with pytest.raises(RunbookError, match='expected a line with role = "status", saw none'):
        without.one("status")
    with pytest.raises(RunbookError, match=r"expected one line .*, saw staging.version, signoff.staging"):
        with_two.one("status")
    with pytest.raises(RunbookError, match=r"missing \[service\]: what its Deployments and files are called"):
        assert without.service
