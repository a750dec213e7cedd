"""Whether alert rules can fire: Prometheus' own unit tests (promtool), run on the rules as shipped."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from noxgate.clients.observation import Observation, Observe, shortened
from noxgate.target import Target, UnreachableError

SECONDS = 60
_NAME = re.compile(r'alertname="(\w+)"')
_PENDING = 'alertstate="pending"'


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

    def run(self, groups: Sequence[Any]) -> Trial:
        """Try these groups of rules; UnreachableError without tests, or without promtool."""
        path = self._target.alert_tests
        if path is None:
            raise UnreachableError(f"{self._target.path.name} names no alert_tests for the shipped rules")
        promtool = shutil.which("promtool")
        if promtool is None:
            raise UnreachableError("promtool is not on PATH: it comes with Prometheus (Debian: prometheus)")
        tests = _tests(path)
        repeat = f"promtool test rules {path}"
        with tempfile.TemporaryDirectory() as folder:
            # under the name that the tests know it by, whatever it is called where it is shipped
            for name in tests["rule_files"]:
                (Path(folder) / Path(name).name).write_text(json.dumps({"groups": groups}), encoding="utf-8")
            content = tests | {"rule_files": [Path(name).name for name in tests["rule_files"]]}
            file = Path(folder) / "tests.json"
            file.write_text(json.dumps(content), encoding="utf-8")
            command = [promtool, "test", "rules", str(file)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            except subprocess.TimeoutExpired:
                raise UnreachableError(f"{repeat}: no end in {SECONDS} s") from None
        failed = None if done.returncode == 0 else shortened(done.stderr + done.stdout)
        alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        fires, quiet = _expected(tests, alerts)
        self._observe(Observation(failed or f"{len(tests['tests'])} tests hold", repeat))
        return Trial(failed, frozenset(fires), frozenset(quiet))


def _expected(tests: dict[str, Any], alerts: set[str]) -> tuple[set[str], set[str]]:
    """The alerts that the tests expect to fire, and those that they expect not to, at some time.

    By name (alert_rule_test), or all at once by the series ALERTS (promql_expr_test): what it does not name
    then is quiet.
    """
    fires: set[str] = set()
    quiet: set[str] = set()
    for test in tests["tests"]:
        for each in test.get("alert_rule_test") or []:
            (fires if each.get("exp_alerts") else quiet).add(each["alertname"])
        for each in test.get("promql_expr_test") or []:
            if "ALERTS" in each["expr"]:
                labels = [str(sample.get("labels", "")) for sample in each.get("exp_samples") or []]
                named = set(_NAME.findall(" ".join(labels)))
                pending = set(_NAME.findall(" ".join(text for text in labels if _PENDING in text)))
                fires |= named - pending
                quiet |= alerts - named
    return fires, quiet


def _tests(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AssertionError(f"{path.name}: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict) or not found.get("rule_files") or not found.get("tests"):
        raise AssertionError(
            f"{path.name}: expected rule_files and tests, as `promtool test rules` reads them"
        )
    return found
