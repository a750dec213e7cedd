"""Whether alert rules can fire, and can be quiet: Prometheus' own unit tests, run on the rules as shipped."""

import json
import re
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.look.promql.identity import presence
from noxgate.project.target import Target
from noxgate.systems import settings
from noxgate.systems.programs.execute import Ended, environment
from noxgate.systems.settings import ProgramSettings
from noxgate.trials.alerting import promtool, rule_files
from noxgate.trials.alerting.claims import StaysQuiet, claims
from noxgate.trials.alerting.written import Tests, inputs, read_tests, with_files

_CLAIM = re.compile(r"claim_(\d+)")


@dataclass(frozen=True)
class AlertTestSettings:
    """The file of tests, None if `profile` lacks it, and what promtool is started with."""

    profile: str
    tests: Path | None
    programs: ProgramSettings


def alert_test_settings(target: Target) -> AlertTestSettings:
    """What this target's profile says of them."""
    return AlertTestSettings(target.path.name, target.alert_tests, settings.programs(target))


@dataclass(frozen=True)
class AlertTrial:
    """What the tests came to: `failed` is promtool's words, None if every test passed."""

    failed: str | None
    fires: frozenset[str]  # the alerts of which each rule is expected to fire, by some test
    stays_quiet: frozenset[str]  # and to be quiet, where an alert that always fires would fire


class AlertTests:
    """Runs the tests that the profile names, for one check."""

    def __init__(self, settings: AlertTestSettings, observe: Observe) -> None:
        self._settings = settings
        self._observe = observe

    def run(self, groups: Sequence[Any], elsewhere: Mapping[str, str] | None = None) -> AlertTrial:
        """Try these groups of rules; UnreachableError without tests, or without a promtool that reads them.

        `elsewhere`: words of the tests, such as a namespace, and what is said where the rules are shipped.
        """
        path = self._settings.tests
        if path is None:
            raise UnreachableError(f"{self._settings.profile} names no alert_tests for the shipped rules")
        program = promtool.promtool()
        tests = read_tests(path, elsewhere or {})
        files = rule_files.files(groups)
        repeat = f"promtool test rules {shlex.quote(str(path))}"
        with tempfile.TemporaryDirectory() as folder:
            failed = self._failed(program, Path(folder), tests, files, repeat)
        rules = [rule for file in files for group in file for rule in group["rules"] if "alert" in rule]
        fires, quiet = claims(tests.content["tests"], {rule["alert"] for rule in rules})
        self._observe(Observation(failed or f"{len(tests.content['tests'])} tests hold", repeat))
        shown = set() if failed else self._shown(program, tests.content, files, rules, quiet, repeat)
        return AlertTrial(
            failed,
            _of_every_rule(rules, lambda _, rule: any(one.fits(rule) for one in fires)),
            _of_every_rule(rules, lambda number, _: number in shown),
        )

    def _failed(
        self, program: str, folder: Path, tests: Tests, files: Sequence[Sequence[Any]], repeat: str
    ) -> str | None:
        """Why a test does not hold. Raises UnreachableError if promtool is too old to say."""
        text, content = tests.text, tests.content
        histograms = any("{{" in str(each.get("values")) for one in content["tests"] for each in inputs(one))
        ended = self._tried(program, folder, text, files, repeat)
        left_out = promtool.unknown(ended)[0] & {"query_offset"}
        if left_out:  # tests hold for most offsets all the same
            ended = self._tried(
                program, folder, text, [rule_files.without(file, left_out) for file in files], repeat
            )
        if ended.status == 0:
            return None
        why = promtool.too_old(program, ended, environment(self._settings.programs), histograms=histograms)
        if why is not None:
            raise UnreachableError(f"{repeat}: {why}")
        said = shortened((ended.err + ended.out).replace(f"{folder}/", "")) or f"status {ended.status}"
        if left_out:
            raise UnreachableError(f"{repeat}: promtool here does not know query_offset, without it: {said}")
        return said

    def _shown(
        self,
        program: str,
        content: Mapping[str, Any],
        files: Sequence[Sequence[Any]],
        rules: Sequence[Mapping[str, Any]],
        quiet: Sequence[StaysQuiet],
        repeat: str,
    ) -> set[int]:
        """The rules, by number, with a claim of quiet that says something.

        A rule that always fires is quiet, too, while it waits to fire, and where no series has a sample.
        """
        asked = [
            (claim, number)
            for claim in quiet
            for number, rule in enumerate(rules)
            if rule["alert"] == claim.alert and inputs(content["tests"][claim.test])
        ]
        if not asked:
            return set()
        tests = [
            {name: value for name, value in test.items() if name != "alert_rule_test"}
            | {
                "promql_expr_test": [
                    _probe(index, claim, number, rules[number])
                    for index, (claim, number) in enumerate(asked)
                    if claim.test == at
                ]
            }
            for at, test in enumerate(content["tests"])
        ]
        with tempfile.TemporaryDirectory() as folder:
            text = json.dumps({**content, "tests": tests})
            ended = self._tried(program, Path(folder), text, _copies(files, rules), repeat)
        found = {int(number) for number in _CLAIM.findall(ended.err + ended.out)}
        if ended.status != 0 and not found:
            raise UnreachableError(f"{repeat}, asked what the rules look at: {shortened(ended.err)}")
        return {asked[index][1] for index in found}

    def _tried(
        self, program: str, folder: Path, text: str, files: Sequence[Sequence[Any]], repeat: str
    ) -> Ended:
        """Run tests on rules, under the names that the tests give to their files."""
        names = [f"rules-{number}.json" for number in range(len(files))]
        for name, groups in zip(names, files, strict=True):
            (folder / name).write_text(json.dumps({"groups": groups}), encoding="utf-8")
        file = folder / "tests.yaml"
        file.write_text(with_files(text, names), encoding="utf-8")
        return promtool.tried(program, file, repeat, environment(self._settings.programs))


def _of_every_rule(
    rules: Sequence[Mapping[str, Any]], holds: Callable[[int, Mapping[str, Any]], bool]
) -> frozenset[str]:
    """The alerts of which this holds for each rule: one name may stand for several."""
    missing = {rule["alert"] for number, rule in enumerate(rules) if not holds(number, rule)}
    return frozenset(rule["alert"] for rule in rules) - missing


def _copies(
    files: Sequence[Sequence[Mapping[str, Any]]], rules: Sequence[Mapping[str, Any]]
) -> list[list[Mapping[str, Any]]]:
    """The rules, and beside each alert one that is alike, under a name of its own: some share theirs."""
    numbers = {id(rule): number for number, rule in enumerate(rules)}

    def copied(group: Mapping[str, Any]) -> Mapping[str, Any]:
        more = [{**rule, "alert": f"copy_{numbers[id(rule)]}"} for rule in group["rules"] if "alert" in rule]
        (plain,) = rule_files.without([group], {"query_offset"})
        return {**plain, "rules": [*group["rules"], *more]}

    return [[copied(group) for group in file] for file in files]


def _probe(index: int, claim: StaysQuiet, number: int, rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Expects nothing to look at, or a rule that waits to fire; promtool names a claim that is better."""
    waits = f'ALERTS{{alertname="copy_{number}",alertname!="claim_{index}"}}'
    return {
        "expr": f"({presence(str(rule['expr']))}) unless on () {waits}",
        "eval_time": claim.at,
        "exp_samples": [],
    }
