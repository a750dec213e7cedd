"""A file of tests as it is written: what promtool reads as text stays text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noxgate.look.observation import shortened
from noxgate.machine.late import late

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")


@dataclass(frozen=True)
class Tests:
    """The file of tests: its text as promtool is to read it, and what we look into."""

    text: str
    content: Mapping[str, Any]


def inputs(test: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return test.get("input_series") or []


def with_files(text: str, names: Sequence[str]) -> str:
    """The tests with these files of rules; all else stays as it is written: 0x20 stays a text."""
    root = yaml.compose(text, yaml.SafeLoader)
    assert root is not None
    for key, value in root.value:
        if key.value == "rule_files":
            value.value = [yaml.ScalarNode("tag:yaml.org,2002:str", name) for name in names]
    return str(yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True, width=10**6))


def read_tests(path: Path, elsewhere: Mapping[str, str]) -> Tests:
    try:
        text = path.read_text(encoding="utf-8")
        for old, new in elsewhere.items():
            text = text.replace(old, new)
        found = yaml.load(text, _loader())
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise AssertionError(f"{path.name}: {shortened(str(error))}") from None
    if not _are_tests(found):
        raise AssertionError(
            f"{path.name}: expected rule_files and tests, as `promtool test rules` reads them"
        )
    return Tests(text, found)


def _are_tests(found: Any) -> bool:
    """Whether they have the form of tests, as far as we look into them."""
    if not isinstance(found, dict):
        return False
    files, tests = found.get("rule_files"), found.get("tests")
    return (
        _are(files, str)
        and all(re.search(r"[^\W\d]", Path(name).name) for name in files or ())
        and _are(tests, dict)
        and all(map(_is_test, tests or ()))
    )


def _is_test(test: Mapping[str, Any]) -> bool:
    by_name, by_series = test.get("alert_rule_test") or [], test.get("promql_expr_test") or []
    return (
        (not by_name or _are(by_name, dict))
        and all(isinstance(each.get("alertname"), str) for each in by_name)
        and all(not each.get("exp_alerts") or _are(each["exp_alerts"], dict) for each in by_name)
        and (not by_series or _are(by_series, dict))
        and all("expr" in each for each in by_series)
        and all(not each.get("exp_samples") or _are(each["exp_samples"], dict) for each in by_series)
        and (not inputs(test) or _are(test["input_series"], dict))
    )


def _are(values: Any, kind: type) -> bool:
    """Whether this is a list of such values, and not an empty one."""
    return isinstance(values, list) and bool(values) and all(isinstance(each, kind) for each in values)


@cache
def _loader() -> "type[yaml.SafeLoader]":
    class Loader(yaml.SafeLoader):
        """Dates, numbers and words such as `on` are text as it is written, which most are to promtool."""

    kept = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:null")
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in kept]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
