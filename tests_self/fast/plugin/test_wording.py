"""The first line of a failed check says in words what was expected and what was seen."""

import re
from typing import TYPE_CHECKING

import pytest

from noxgate.look.secret_forms import redacted
from noxgate.look.wording import in_words

if TYPE_CHECKING:
    from tests_self.conftest import Project

FAILS = {
    "assert {'ok'} == {'ready'}": "expected (ready), saw (ok)",
    "assert [None] == []": "expected none, saw [None]",
    "assert {'a': 1} == {}": "expected none, saw a=1",
    "assert ['gap', 'gap', 'rc1'] == []": "expected none, saw gap (2 times); rc1",
    "assert ['gap', 'rc1'] == []": "expected none, saw gap; rc1",
    """assert ['nobody\\'s: {"id": 1}'] == []""": """expected none, saw nobody's: {"id": 1}""",
    r"assert ['a\nb', '\x1b[2J', ' ', ''] == []": r"expected none, saw 'a\nb'; '\x1b[2J'; ' '; ''",
    r"assert ['a\nb', 'a\nb'] == []": r"expected none, saw 'a\nb' (2 times)",
    "assert [('users', 'id')] == []": "expected none, saw [(users, id)]",
    "assert {'a': 1, 'b': {'c': None}} == {'a': 1}": "expected a=1, saw a=1, b=(c=None)",
    "assert {'/x': ['HTTP 500: no', 'slow']} == {}": "expected none, saw /x: HTTP 500: no; slow",
    "assert {'/x': 'not 200', '/y': ''} == {}": "expected none, saw /x: not 200; /y=''",
    "assert {'users': ['public', 'old']} == {'users': ['public']}": (
        "expected users=[public], saw users=[public, old]"
    ),
    "assert ('a', ()) == ('b', ('1', None))": "expected (b, ('1', None)), saw (a, nothing)",
    "assert {'a': '1'} == {'a': 1}": "expected a=1, saw a='1'",
    "assert [('a b',)] == [(u'a\u00a0b',)]": r"expected [('a\xa0b')], saw [(a b)]",
    "assert (1,) == [1]": "expected [1], saw (1)",
    "assert {'/x': [('a', 1)]} == {}": "expected none, saw /x: (a, 1)",
    "a = []; a.append(a); assert a == 1": "expected 1, saw [[...]]",
    "assert ['-1.5e3', '1.2.3', 'None', '[x]'] == [1]": "expected [1], saw ['-1.5e3', 1.2.3, 'None', '[x]']",
    "assert [('x-api-key', 'none')] == 1": "expected 1, saw [(x-api-key, none)]",
    "assert {} != {}": "expected something, saw nothing",
    "found = {}\nassert found != {}": "found: expected something, saw nothing",
    "assert ['nothing'] == [()]": "expected [nothing], saw ['nothing']",
    "assert ['a', 1, 'a'] == []": "expected none, saw a (2 times); 1",
    "assert '' == []": "expected none, saw ''",
    "assert [] != []": "expected something, saw []",
    "assert None is not None": "expected something, saw None",
    "found = None; assert found is not None": "expected something, saw None",
    "found = None\nassert found is not None": "found: expected something, saw None",
    "class Seen:\n    ready = False\nassert Seen.ready is True": "Seen.ready: expected True, saw False",
    "found = []\nassert found": "found: expected something, saw []",
    "assert (\n  0\n  > 1)": "expected > 1, saw 0",
    "assert 1 != 1": "expected other than 1, saw 1",
    "assert 1 is None": "expected None, saw 1",
    "assert 512.5 < 300": "expected < 300, saw 512.5",
    "assert 'x' in ['a', 'b']": "expected one of [a, b], saw 'x'",
    "assert 'a' not in 'cat'": "expected none of 'cat', saw 'a'",
    "assert []": "expected something, saw []",
    "assert not ['gap']": "expected nothing, saw ['gap']",
    "assert isinstance(3, str)": "expected something, saw False, which is isinstance(3, str)",
    "assert all(x for x in [0])": "expected something, saw False, which is all(",
    "assert 1 == 2 and 2 == 2": "expected something, saw (",
    "assert 'a == b' == 'c'": "expected 'c', saw 'a == b'",
    "assert 'a\\nb' == 'c'": r"expected 'c', saw 'a\nb'",
    "assert '100 %' == '%s'": "expected '%s', saw '100 %'",
    "assert 1 == 2, 'blue still serves'": "blue still serves",
    "assert False, ''": "expected something, saw False",
    "raise AssertionError": "expected otherwise; the check does not say what",
    "{}['groups']": "expected another form of what was seen: 'groups' is not there (KeyError, test_he",
    "[].pop()": "expected another form of what was seen: pop from empty list (IndexError, test_health.py:",
    "None.strip()": "expected another form of what was seen: 'NoneType' object has no attribute 'strip' (",
}
ODD = """
class Odd:
    def __repr__(self):
        raise ValueError("no")
assert Odd() == 1
"""


@pytest.mark.parametrize("code", FAILS)
def test_the_first_line(project: "Project", code: str) -> None:
    project.check("health", code)

    result = project.gate()

    assert result.ret == 1
    (reason,) = reasons(project)
    assert reason.startswith(FAILS[code])
    assert re.match(r"assert\b|\w+Error\b|$", reason) is None
    assert any(line.endswith(reason[:40]) or reason[:40] in line for line in result.outlines)


def test_what_cannot_be_shown(project: "Project") -> None:
    project.check("health", ODD)

    project.gate()

    assert reasons(project) == ["expected 1, saw a Odd that cannot be shown (ValueError)"]


def test_what_looks_like_a_secret_stays_as_it_is_known() -> None:
    """By its quotes, among other things; whoever writes it down redacts it."""
    said = in_words([("x-api-key", "q8Zk3nVt7LwPz2RmYb5H")])

    assert said == "[('x-api-key', 'q8Zk3nVt7LwPz2RmYb5H')]"
    assert "q8Zk3" not in redacted(said)


def test_under_xdist(project: "Project") -> None:
    """The same words."""
    project.check("health", "assert 512 < 300")

    project.gate("-n", "2")

    assert reasons(project) == ["expected < 300, saw 512"]


def test_pytests_own_explanation_follows(project: "Project") -> None:
    project.check("health", "assert {'a': 1, 'b': 2} == {'a': 1, 'b': 3}")

    result = project.gate("--tb=short")

    assert any("Differing items" in line for line in result.outlines)
    assert not any("assert expected" in line for line in result.outlines)


def reasons(project: "Project") -> list[str]:
    return [line["reason"] for line in project.results()["lines"] if line["outcome"] == "failed"]
