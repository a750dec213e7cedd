"""What the tests of comparisons are given."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests_self.fast.slo.before.measured import LINE, LoadTests, like, measured

from noxgate.project.release_facts import MeasuredBefore
from noxgate.slo.before import checked
from noxgate.slo.result import NAME, Result, folder_name, write


@pytest.fixture(scope="module")
def before() -> Result:
    return measured(like(1), seed=7, version="7.9.3", days=20)


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., list[str]]:
    """What the line says of a new result, with earlier ones in their folder."""

    def look(now: Result, *earlier: Result, refused: str = "", named: bool = True) -> list[str]:
        folder = tmp_path / "load"
        for each in earlier:
            (folder / folder_name(each)).mkdir(parents=True)
            write(folder / folder_name(each) / NAME, each)
        before = MeasuredBefore("7.9.3", folder) if named else None

        def made(name: str) -> Path:
            (tmp_path / name).mkdir()
            return tmp_path / name

        record = checked.Earlier(tmp_path / "release.toml", before, lambda *_: refused)
        tests: Any = LoadTests(now)
        return checked.Slower(tests, record, LINE, lambda _: None, made).found()

    return look
