"""Expressions of PromQL: what they select, and that two spellings of one mean the same."""

import pytest

from noxgate.errors import UnreachableError
from noxgate.look.promql.durations import seconds
from noxgate.look.promql.identity import identity, presence
from noxgate.look.promql.selectors import Matcher, Selector, selectors, shape


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("up == 0", ["up{}"]),
        ('sum by (up) (rate(up{a="b"}[5m] offset 1h)) / on () y > bool 2', ['up{a="b"}', "y{}"]),
        ('label_replace(up, "a", "x{b}", "c", "(.*)")', ["up{}"]),
        ('{__name__="up",job="a"}', ['up{job="a"}']),
        ('{__name__=~"up|down"}', ['{__name__=~"up|down"}']),
        ('x{path=~"/a{1,2}",quote="\\"}"}', ['x{path=~"/a{1,2}",quote="\\"}"}']),
        ("max_over_time(rate(x[5m])[1h:1m]) unless absent(y)", ["x{}", "y{}"]),
        ("vector(1) > time()", []),
        ("a{b='c'} and a{b=`c`}", ['a{b="c"}', 'a{b="c"}']),
    ],
)
def test_selectors(expression: str, found: list[str]) -> None:
    """By the grammar: names of labels and of functions, and strings, are left out."""
    assert [str(each) for each in selectors(expression)] == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sum(x) by (a)", "sum by (a) (x)"),
        ("sum(x) by ()", "sum(x)"),
        ("x{b='c',a=\"d\"} > 6e1", 'x{a="d",b="c"}>60'),
        ("rate(x[90s])", "rate( x [1m30s] )"),
        ("a+b", "a  +\n b # why"),
        ("x == 0x20", "x == 32"),
    ],
)
def test_spellings_of_one_expression(one: str, other: str) -> None:
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x > 1", "x >= 1"),
        ('x{a="b"}', 'x{a=~"b"}'),
        ("rate(x[5m])", "increase(x[5m])"),
        ("rate(x[5m])", "rate(x[5m] offset 5m)"),
        ("a + b * c", "(a + b) * c"),
        ("sum by (a) (x)", "sum without (a) (x)"),
        ("a / on (x) b", "a / ignoring (x) b"),
        ("x > bool 1", "x > 1"),
    ],
)
def test_expressions_that_mean_otherwise(one: str, other: str) -> None:
    assert shape(one) != shape(other)


@pytest.mark.parametrize("expression", ["sum(", "", "up ==", "nosuch(x)", "a{b}", "x > 1 > "])
def test_what_is_no_promql(expression: str) -> None:
    """Or is newer than the grammar here: nothing is known of it."""
    with pytest.raises(UnreachableError, match=r"\A.*expected PromQL as the parser here reads it[^\n]*\Z"):
        selectors(expression)


@pytest.mark.parametrize(
    ("how", "value", "given", "fits"),
    [
        ("=", "a", "a", True),
        ("=", "a", "ab", False),
        ("!=", "a", "b", True),
        ("!=", "a", "a", False),
        ("=~", "a|b", "b", True),
        ("=~", "a", "ab", False),
        ("!~", "a.*", "ab", False),
        ("!~", "a.*", "b", True),
    ],
)
def test_matchers(how: str, value: str, given: str, fits: bool) -> None:  # noqa: FBT001
    """Patterns stand for the whole value."""
    assert Matcher("x", how, value).takes(given) is fits
    assert Selector("up", (Matcher("x", how, value),)).takes("x", given) is fits
    assert Selector("up", (Matcher("x", how, value),)).takes("y", given)


def test_a_pattern_that_only_prometheus_reads() -> None:
    with pytest.raises(UnreachableError, match="pattern"):
        Matcher("x", "=~", "(?P<a").takes("b")


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('up{job="a",status="5.."}', 'up{job="a"}'),
        ('{job="a",status="5.."}', '{job="a"}'),
        ('{__name__=~"x.+",status="5.."}', '{__name__=~"x.+"}'),
        ('{status="500",job!="a"}', '{status="500",job!="a"}'),
    ],
)
def test_identity(expression: str, found: str) -> None:
    """Never everything, which Prometheus refuses to select."""
    assert [str(identity(each)) for each in selectors(expression)] == [found]


def test_presence() -> None:
    """With the times that are looked at."""
    assert presence('sum(rate(x{status="5"}[2m] offset 1h)) / y offset -5m > 1') == (
        "group(present_over_time(x{}[2m] offset 1h)) or group(y{} offset -5m)"
    )
    assert presence("max_over_time(y[1h:1m])") == "group(present_over_time((group(y{}))[1h:1m]))"
    assert presence("vector(1)") == "vector(1)"


def test_durations() -> None:
    assert [seconds(each) for each in ("1m30s", "0s", 0, "1d", "500ms", "")] == [90, 0, 0, 86400, 0.5, 0]
