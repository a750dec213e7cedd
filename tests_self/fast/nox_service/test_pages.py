"""What users read and have computed: pages, figures, results, an echo; judged alike in every phase."""

import json
from typing import Any

import pytest

from nox_service import calculations, pages
from nox_service.access.tokens import Who
from nox_service.calculations import EMPIRICAL, PREDICT_CJ
from nox_service.faults import content
from nox_service.pages import HISTORY, PROFILE, SETTINGS
from nox_service.websocket import Echo, unlike
from noxgate.look.http import Answer

ADA = {"id": 2, "email": "ada@nox.example"}


def answered(document: Any, status: int = 200, **headers: str) -> Answer:
    """As a client has read it; a text is the body as it is."""
    text = document if isinstance(document, str) else json.dumps(document)
    return Answer(status, headers, {name: [value] for name, value in headers.items()}, text)


REFUSED = answered({"error": "authentication required"}, 401)


class Api:
    """Knows what it answers, and who asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, Who | None]] = []

    def get(self, path: str, *, who: Who | None = None) -> Answer:
        self.asked.append((path, who))
        return self._answers.pop(0)

    def at_each_pod(self, path: str, *, who: Who | None = None) -> list[Answer]:
        """Two of them."""
        return [self.get(path, who=who), self._answers.pop(0)]

    def post(self, path: str, body: object, *, who: Who | None = None) -> Answer:
        assert body
        return self.get(path, who=who)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        *((PROFILE, each) for each in (ADA, {"data": ADA}, {"sub": "u-17", "status": "active"})),
        *((PROFILE, {"error": None, "data": each}) for each in ({"userId": "64ab"}, {"user_name": "ada"})),
        *((PROFILE, each) for each in ({"_id": "64ab"}, {"mail": "ada@nox.example"}, {"UUID": "0d3a"})),
        *((SETTINGS, each) for each in ({"theme": "dark"}, {"settings": {"notify": False}})),
        (SETTINGS, [{"key": "theme", "value": "dark"}]),
        (HISTORY, {"success": True, "errors": [], "items": [{"status": "failed", "error": "scf"}]}),
        (HISTORY, []),
        (HISTORY, {"jobs": []}),
        (HISTORY, {"data": {"items": [{"id": 1}], "total": 1}}),
    ],
)
def test_a_page_with_the_users_own(path: str, document: Any) -> None:
    assert pages.faults(path, answered(document), [REFUSED]) == []


@pytest.mark.parametrize(
    ("path", "mine", "said"),
    [
        (PROFILE, answered(ADA, 500), 'HTTP 500: {"id": 2, "email": "ada@nox.example"}'),
        (PROFILE, answered({}), "expected something, saw {}"),
        (PROFILE, answered({"error": "store", **ADA}), "an error with HTTP 200: 'store'"),
        (PROFILE, answered("<p>ada</p>"), "expected JSON, saw <p>ada</p>"),
        (PROFILE, answered("2"), "expected a JSON object or list, saw 2"),
        (PROFILE, answered({"message": "later"}), 'nothing of the user\'s in {"message": "later"}'),
        (PROFILE, answered(ADA, age="30"), "from a cache: Age 30"),
        (SETTINGS, answered({"theme": None}), 'nothing of the user\'s in {"theme": null}'),
        (HISTORY, answered({"count": 0}), 'nothing of the user\'s in {"count": 0}'),
    ],
)
def test_a_page_that_is_none(path: str, mine: Answer, said: str) -> None:
    assert pages.faults(path, mine, [REFUSED]) == [said]


@pytest.mark.parametrize("status", [200, 204, 302, 403, 404, 500])
def test_strangers_are_refused_by_401(status: int) -> None:
    wrong = pages.faults(PROFILE, answered(ADA), [REFUSED, answered("", status)])

    assert wrong == [f"others than the user: expected HTTP 401, saw {status}"]


def test_a_refusal_shows_nothing_of_the_users() -> None:
    wrong = pages.faults(PROFILE, answered(ADA), [answered({"error": "no", **ADA}, 401)])

    assert wrong == ["others than the user see ada@nox.example"]


def test_all_three_pages_are_asked_as_the_user_and_as_nobody() -> None:
    theme = answered({"theme": None})
    api = Api(
        *[answered(ADA)] * 2,
        *[REFUSED] * 2,
        *[theme] * 2,
        *[REFUSED] * 2,
        *[answered([])] * 2,
        *[REFUSED] * 2,
    )

    assert pages.each(api) == {SETTINGS: ['nothing of the user\'s in {"theme": null}']}
    assert api.asked == [(path, who) for path in (PROFILE, SETTINGS, HISTORY) for who in ("test_token", None)]


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        (answered({"error": "store"}, 500), REFUSED, 'HTTP 500: {"error": "store"}'),
        (answered({"success": False, "id": 2}), REFUSED, "an error with HTTP 200: success False"),
        (answered(ADA, x_cache="HIT"), REFUSED, None),  # no such header
        (answered(ADA), answered(ADA), "others than the user: expected HTTP 401, saw 200"),
    ],
)
def test_the_second_pod_counts(mine: Answer, theirs: Answer, said: str | None) -> None:
    found = pages.look(Api(answered(ADA), mine, REFUSED, theirs), PROFILE)

    assert (found == []) if said is None else (said in found)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (ADA, []),
        ({**ADA, "mfa_enabled": True}, []),
        ({"id": "2", "email": "ada@nox.example", "login": "ada"}, []),
        ({"user": ADA}, []),
        ({"username": "2"}, []),  # under another name, the same
        ({"Id": 2, "eMail": "ada@nox.example"}, []),
        ({"id": 3, "email": "ada@nox.example"}, ["another user: id 3, expected 2"]),
        (
            {"id": 2, "email": "bo@nox.example"},
            ["another user: email bo@nox.example, expected ada@nox.example"],
        ),
        ({"username": "bo"}, ["another user: expected email, id to be told, saw username"]),
    ],
)
def test_the_same_user(seen: dict[str, Any], said: list[str]) -> None:
    assert pages.another_user(answered(ADA), answered(seen)) == said


def test_who_is_refused_is_nobody() -> None:
    assert pages.another_user(answered(ADA), REFUSED) == ['HTTP 401: {"error": "authentication required"}']


@pytest.mark.parametrize("document", [{"users": 0}, {"jobs": {"done": 3}, "note": None}, [1.5]])
def test_figures(document: Any) -> None:
    assert pages.counted(answered(document)) == []


@pytest.mark.parametrize("document", [{"users": None}, {"users": -1}, {"users": "40"}, {"users": True}])
def test_no_figures(document: Any) -> None:
    (said,) = pages.counted(answered(document))

    assert said.startswith("expected a figure, saw {")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answered({"value": 351.4}), []),
        (answered({"job_id": "9d"}, 202), []),
        (answered({"job_id": 7}, 202), []),
        (answered({"job_id": " "}, 202), ["expected the id of a job, saw ' '"]),
        (answered({"job_id": True}, 202), ["expected the id of a job, saw True"]),
        (answered({}, 202), ["expected something, saw {}"]),
        (answered({"value": None}), ["no plausible result: value None"]),
        (answered({"value": 0}), ["no plausible result: value 0.0"]),
        (answered([351.4]), ["expected a JSON object, saw [351.4]"]),
        (answered({"value": 351.4}, 500), ['HTTP 500: {"value": 351.4}']),
        (answered({"value": 351.4, "error": "late"}), ["an error with HTTP 200: 'late'"]),
        (answered('{"value": NaN}'), ['expected JSON, saw {"value": NaN}']),
    ],
)
def test_a_boiling_point(answer: Answer, said: list[str]) -> None:
    assert calculations.computed(answer, EMPIRICAL) == said


def test_what_was_sent_is_no_result() -> None:
    assert calculations.computed(answered({"density": 1.8}), PREDICT_CJ) != []
    assert calculations.computed(answered({"density": 1.8, "velocity": 8.79}), PREDICT_CJ) == []


def test_both_are_computed_as_the_user() -> None:
    api = Api(answered({"value": 351.4}), answered({"velocity": 0}))

    assert calculations.each(api) == {"/predict/cj/v1": ["no plausible result: velocity 0.0"]}
    assert api.asked == [("/empirical/v1", "test_token"), ("/predict/cj/v1", "test_token")]


def test_a_bad_body_is_the_callers_fault() -> None:
    assert calculations.refused([answered("", 400), answered("", 422)]) == []
    assert calculations.refused([answered("", 500)]) == [
        "a bad body: HTTP 500: an empty body, expected 400 or 422"
    ]


@pytest.mark.parametrize(
    ("echo", "said"),
    [
        (Echo(101, "hello", 1000), []),
        (Echo(403, None, None), ["upgrade: expected HTTP 101, saw 403"]),
        (Echo(101, "hullo", 1000), ["expected 'hello' and no more, saw 'hullo'"]),
        (Echo(101, "hello", 1000, ("hello",)), ["expected 'hello' and no more, saw 'hello', and then hello"]),
        (Echo(101, "hello", None), ["close code None, expected 1000"]),
        (Echo(101, "hello", 1011), ["close code 1011, expected 1000"]),
    ],
)
def test_an_echo(echo: Echo, said: list[str]) -> None:
    assert unlike(echo, "hello") == said


def test_another_status_may_be_right() -> None:
    assert content(answered({"a": 1}, 202), 200, 202) == ({"a": 1}, [])
    assert content(answered({"a": 1}, 202))[1] == ['HTTP 202: {"a": 1}']
