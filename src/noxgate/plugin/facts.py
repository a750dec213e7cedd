"""What checks find out about the release itself, such as its image's digest; it is signed, too."""

from collections.abc import Iterable

import pytest

from noxgate.look.observation import Fact
from noxgate.plugin.gate import Gate

PROPERTY = "fact"  # of a check's reports: it travels from xdist workers


@pytest.fixture
def fact(request: pytest.FixtureRequest) -> Fact:
    """For a check to say a name and a value, such as image and its digest."""

    def say(name: str, value: str) -> None:
        request.node.user_properties.append((PROPERTY, {name: value}))

    return say


def facts(gate: Gate, reports: Iterable[pytest.TestReport]) -> dict[str, str]:
    """Each fact that was found; checks that disagree put the run in doubt."""
    found: dict[str, str] = {}
    for report in reports:
        said = [fact for key, fact in report.user_properties if key == PROPERTY and isinstance(fact, dict)]
        for name, value in (pair for fact in said for pair in fact.items()):
            if found.setdefault(name, value) != value:
                gate.doubt(f"checks saw different {name}s: {found[name]} and {value}")
    return found
