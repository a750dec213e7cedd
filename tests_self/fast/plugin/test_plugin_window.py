"""What pytest is told of the 48-hour window: a checkpoint, no clock on a real target, and nothing early."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests_self.conftest import CHECK, LOOK, PROFILE, Project

from noxgate.project.runbook import read_runbook
from noxgate.trust.keys import read_trust
from noxgate.trust.signing import SigningKey, new_key, read_signing_key
from noxgate.window.records import open_window

LINES = ("opened", "checkpoint-1h-record", "checkpoint-48h-record", "p95")


@pytest.fixture
def window(project: Project) -> Project:
    """A phase `window` with four lines, on the real target `production` and the rehearsal's."""
    with (project.path / "runbook.toml").open("a") as file:
        file.write('\n[phase.window]\ntitle = "Window"\nfolder = "tests_production"\n')
    new_key(project.path / "ada.pem")
    signers = f'signers = ["{project.path / "ada.pub"}"]\n'
    serves = PROFILE.replace('["staging"]', '["window"]')
    (project.path / "targets" / "production.toml").write_text(signers + serves)
    own = f'rehearsal = true\nsigning_key = "{project.path / "ada.pem"}"\n{signers}'
    (project.path / "targets" / "rehearsal-production.toml").write_text(own + serves)
    for number, name in enumerate(LINES):
        hours = name.partition("-")[2].partition("h")[0]
        more = 'role = "opened"' if name == "opened" else ""
        if hours.isdecimal():
            more = f'role = "checkpoint-record"\ncheckpoint = "{hours}h"\n'
            more += f"limits = {{ hour = {hours}, late_minutes = 30 }}"
        line = f"window.{name}"
        project.line(line, more)
        text = CHECK.format(
            line=line,
            name=f"{number}",
            top="",
            decorator="",
            arguments="observe",
            body=f"    {LOOK.format(line=line)}",
        )
        (project.path / "tests_production" / f"test_topic_{number}.py").write_text(text)
    return project


def begin(project: Project, target: str, ago: timedelta) -> None:
    """A window was opened, so long ago."""
    trust = read_trust(project.path, target)
    runbook = read_runbook(project.path / "runbook.toml")
    key: SigningKey = read_signing_key(Path("ada.pem"))
    chain = trust.chain(project.path / "reports", runbook.release.version)
    open_window(chain, key, runbook, switched=datetime.now(UTC) - ago, by="Ada")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "*-m window: expected --checkpoint 0h|1h|48h, saw none"),
        (("--checkpoint", "6h"), "*-m window: expected --checkpoint 0h|1h|48h, saw '6h'"),
        (
            ("--checkpoint", "1h", "--clock", "2026-01-31T14:00:00Z"),
            "*--clock: production is not a rehearsal*",
        ),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], message: str, window: Project) -> None:
    """Before anything runs: no verdict, no folder."""
    result = window.run("-m", "window", "--target", "production", *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert window.folders() == []


def test_a_checkpoint_belongs_to_the_window(window: Project) -> None:
    result = window.gate("--checkpoint", "1h")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--checkpoint: belongs to the 48-hour window: -m window"])


def test_too_early_is_refused(window: Project) -> None:
    """By the clock on the wall, of a window that is open."""
    begin(window, "production", timedelta(minutes=59))
    result = window.run("-m", "window", "--target", "production", "--checkpoint", "1h")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*checkpoint 1h: too early: due from *"])


def test_each_checkpoint_judges_what_is_due(window: Project) -> None:
    """Lines that are not due yet are neither run nor missed."""
    begin(window, "rehearsal-production", timedelta(minutes=61))
    result = window.run("-m", "window", "--target", "rehearsal-production", "--checkpoint", "1h")

    assert result.ret == 0
    assert window.outcomes() == dict.fromkeys(LINES[:2], "passed")
    assert window.results()["checkpoint"] == "1h"


def test_open_from_the_first_minute_on(window: Project) -> None:
    """Before the first checkpoint is due, for the sign-off page of the evening."""
    begin(window, "rehearsal-production", timedelta(minutes=1))
    result = window.run("-m", "window", "--target", "rehearsal-production", "--checkpoint", "0h")

    assert result.ret == 0
    assert window.outcomes() == {"opened": "passed"}
    assert window.results()["whole"] == ["window"]


def test_its_own_record_may_be_left_out(window: Project) -> None:
    """For the run that the record is made of."""
    clock = f"{datetime.now(UTC) + timedelta(hours=49):%Y-%m-%dT%H:%M:%SZ}"
    options = ("--checkpoint", "48h", "--unrecorded", "--clock", clock)
    begin(window, "rehearsal-production", timedelta(minutes=61))
    result = window.run("-m", "window", "--target", "rehearsal-production", *options)

    assert result.ret == 0
    assert sorted(window.outcomes()) == sorted({*LINES} - {"checkpoint-48h-record"})
