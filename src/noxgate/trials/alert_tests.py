"""Whether alert rules can fire: Prometheus' own unit tests (promtool), run on the rules as shipped."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.machine.late import late
from noxgate.project.target import Target
from noxgate.systems.programs.execute import ProgramError, environment, run

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")

SECONDS = 60
_NAME = re.compile(r'alertname="(\w+)"')
# The series of all alerts, or their number by name: what is asked otherwise says little of one alert.
_ASKED = re.compile(
    r"(?:(?:count|sum|max|group) by ?\((?P<by>[^()]*)\) ?\( ?)?ALERTS ?(?:\{(?P<where>[^{}]*)\})?(?: ?\))?"
)
_MATCHER = re.compile(r'(\w+) ?(=~|!~|!=|=) ?"([^"]*)"')
_FIRING = 'alertstate="firing"'


@dataclass(frozen=True)
class Trial:
    """What the tests came to: `failed` is promtool's words, None where every test passed."""

    failed: str | None
    fires: frozenset[str]  # the alerts that some test expects to fire
    stays_quiet: frozenset[str]  # the alerts that some test expects not to


class AlertTests:
    """Runs the tests that the profile names, for one check."""

    def __init__(self, target: Target, observe: Observe) -> None:
        self._target = target
        self._observe = observe

    def run(self, groups: Sequence[Any], elsewhere: Mapping[str, str] | None = None) -> Trial:
        """Try these groups of rules; UnreachableError without tests, or without promtool.

        `elsewhere`: words of the tests, such as a namespace, and what is said where the rules are shipped.
        """
        path = self._target.alert_tests
        if path is None:
            raise UnreachableError(f"{self._target.path.name} names no alert_tests for the shipped rules")
        promtool = shutil.which("promtool")
        if promtool is None:
            raise UnreachableError("promtool is not on PATH: it comes with Prometheus (Debian: prometheus)")
        tests = _tests(path, elsewhere or {})
        repeat = f"promtool test rules {path}"
        with tempfile.TemporaryDirectory() as folder:
            # under the name that the tests know it by, whatever it is called where it is shipped
            names = [Path(name).name for name in tests["rule_files"]]
            for name in names:
                (Path(folder) / name).write_text(json.dumps({"groups": groups}), encoding="utf-8")
            file = Path(folder) / "tests.json"
            file.write_text(json.dumps(tests | {"rule_files": names}), encoding="utf-8")
            try:
                done = run([promtool, "test", "rules", str(file)], SECONDS, environment(self._target))
            except ProgramError as error:
                raise UnreachableError(f"{repeat}: {error}") from None
        failed = None if done.status == 0 else shortened(done.err + done.out) or f"status {done.status}"
        alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        fires, quiet = _expected(tests["tests"], alerts)
        self._observe(Observation(failed or f"{len(tests['tests'])} tests hold", repeat))
        return Trial(failed, frozenset(fires), frozenset(quiet))


def _expected(tests: Sequence[Mapping[str, Any]], alerts: set[str]) -> tuple[set[str], set[str]]:
    """The alerts that the tests expect to fire, and those that they expect not to, at some time.

    By name (alert_rule_test), or all at once by the series ALERTS (promql_expr_test): what it does not name
    then is quiet. Where there is no series, all is quiet, and that says nothing.
    """
    fires: set[str] = set()
    quiet: set[str] = set()
    for test in tests:
        still: set[str] = set()
        for each in test.get("alert_rule_test") or []:
            (fires if each.get("exp_alerts") else still).add(each["alertname"])
        for each in test.get("promql_expr_test") or []:
            asked = _asked(str(each["expr"]), alerts)
            if asked is not None:
                firing, scope = asked
                labels = [str(sample.get("labels", "")) for sample in each.get("exp_samples") or []]
                fires.update(*(_NAME.findall(text) for text in labels if firing or _FIRING in text))
                still |= scope - set(_NAME.findall(" ".join(labels)))
        if test.get("input_series"):
            quiet |= still
    return fires, quiet


def _asked(expr: str, alerts: set[str]) -> tuple[bool, set[str]] | None:
    """Whether an expression asks for firing alerts alone, and of which it says that they are quiet."""
    found = _ASKED.fullmatch(" ".join(expr.split()))
    if found is None or (found["by"] is not None and "alertname" not in re.findall(r"\w+", found["by"])):
        return None
    scope, firing = alerts, False
    for label, how, value in _MATCHER.findall(found["where"] or ""):
        if (label, how, value) == ("alertstate", "=", "firing"):
            firing = True
        elif (label, how) == ("alertname", "="):
            scope = scope & {value}
        else:
            scope = set()
    return firing, scope


def _tests(path: Path, elsewhere: Mapping[str, str]) -> dict[str, Any]:
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
    return dict(found)


def _are_tests(found: Any) -> bool:
    """Whether they have the form of tests, as far as we look into them."""
    if not isinstance(found, dict):
        return False
    files, tests = found.get("rule_files"), found.get("tests")
    return (
        _are(files, str)
        and not {Path(name).name for name in files or ()} & {"", "..", "tests.json"}
        and _are(tests, dict)
        and all(map(_is_test, tests or ()))
    )


def _is_test(test: Mapping[str, Any]) -> bool:
    by_name, by_series = test.get("alert_rule_test") or [], test.get("promql_expr_test") or []
    return (
        (not by_name or _are(by_name, dict))
        and all(isinstance(each.get("alertname"), str) for each in by_name)
        and (not by_series or _are(by_series, dict))
        and all("expr" in each for each in by_series)
        and all(not each.get("exp_samples") or _are(each["exp_samples"], dict) for each in by_series)
    )


def _are(values: Any, kind: type) -> bool:
    """Whether this is a list of such values, and not an empty one."""
    return isinstance(values, list) and bool(values) and all(isinstance(each, kind) for each in values)


@cache
def _loader() -> "type[yaml.SafeLoader]":
    class Loader(yaml.SafeLoader):
        """A date is text to promtool."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
