"""What stands between users and the API, judged from answers alone: headers and redirects."""

import pytest

from nox_service.edge import missing, redirects
from noxgate.look.http import Answer
from noxgate.project.profile import DEFAULT_HEADERS

HOST = "https://api.example.com"


def answered(status: int = 200, **values: str | list[str]) -> Answer:
    named = {
        name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in values.items()
    }
    return Answer(status, {name: ", ".join(several) for name, several in named.items()}, named, "")


def test_each_header_has_its_fault() -> None:
    """The rest is as it should be."""
    right = {name: [value] for name, value in DEFAULT_HEADERS.items()}
    worse = right | {"x-frame-options": ["ALLOWALL"], "referrer-policy": []}

    assert missing(Answer(404, {}, right, ""), DEFAULT_HEADERS) == []
    assert [said.partition(":")[0] for said in missing(Answer(404, {}, worse, ""), DEFAULT_HEADERS)] == [
        "x-frame-options",
        "referrer-policy",
    ]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_to_the_same_path(status: int) -> None:
    assert redirects({"/a?b=c": answered(status, location=f"{HOST}/a?b=c")}, HOST) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answered(200), "/a?b=c: HTTP 200, expected a redirect"),
        (answered(304, location=f"{HOST}/a?b=c"), "/a?b=c: HTTP 304, expected a redirect"),
        (answered(308), "saw {'/a?b=c': None}"),
        (answered(308, location=f"{HOST}/a"), f"saw {{'/a?b=c': '{HOST}/a'}}"),
        (answered(308, location="https://staging.example.com/a?b=c"), "staging.example.com"),
        (answered(308, location="/a?b=c"), "saw {'/a?b=c': '/a?b=c'}"),
    ],
)
def test_elsewhere(answer: Answer, said: str) -> None:
    (fault,) = redirects({"/a?b=c": answer}, HOST)

    assert said in fault
