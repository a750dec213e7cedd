"""allure-results: labels from the runbook, what was seen and where, and no secret in any file."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import allure_commons
import pytest
from allure_commons.model2 import Attachment, Label, Link, Status, StatusDetails, TestResult

from noxgate.plugin.gate import Gate
from noxgate.run.verdict import WAS_NOT_RUN, LineResult, Outcome

ENVIRONMENT = "environment.properties"
_ADDRESS = re.compile(r"\bcurl\b[^|;&]*?\s['\"]?(https?://[^\s'\"]+)")
# Our words in Allure's: what was not looked at, or is not decided, is broken there.
_STATUS = {Outcome.FAILED: Status.FAILED, Outcome.NOT_COUNTED: Status.SKIPPED}
_KEPT = {".svg": "image/svg+xml", ".txt": "text/plain"}  # of a load test: its plots and its table


def mark(item: pytest.Item, gate: Gate) -> None:
    """Label a check as Allure groups them: runbook section, topic, line."""
    line = gate.line(item.nodeid)
    labels = {
        "epic": line.section,
        "feature": gate.by_node[item.nodeid].topic,
        "story": f"{line.ref} {line.id}",
    }
    for kind, text in labels.items():
        item.add_marker(pytest.mark.allure_label(text, label_type=kind))


class AllureScrubbing:
    """Allure takes messages from the exception, past the report that we scrubbed.

    What the gate says of a check is put beside them here, since only here the check is over.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._said: dict[str, tuple[str, tuple[Path, ...]]] = {}
        self._outcomes: dict[str, tuple[Outcome, str]] = {}

    def explain(self, node: str, text: str, kept: Iterable[Path], became: tuple[Outcome, str]) -> None:
        """What is to stand beside a check: the text, and the files of the folders that it keeps.

        `became` is its outcome and the reason: Allure has them from pytest, which knows fewer words.
        """
        self._said[_name(node)] = (text, tuple(kept))
        self._outcomes[_name(node)] = became

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        text, kept = self._said.pop(result.fullName, ("", ()))
        outcome, reason = self._outcomes.pop(result.fullName, (Outcome.PASSED, ""))
        if outcome is not Outcome.PASSED:
            result.status = _status(outcome)
            trace = result.statusDetails.trace if result.statusDetails else None
            result.statusDetails = StatusDetails(message=f"{outcome}: {reason}", trace=trace)
        if text:
            result.description = text.partition("\nSeen ")[0]
            result.attachments.append(_attached("what the gate saw", text.encode("utf-8", "replace"), ".txt"))
        for folder in kept:
            result.attachments += [
                _attached(f"{folder.name} {path.name}", path.read_bytes(), path.suffix)
                for path in sorted(folder.iterdir())
                if path.suffix in _KEPT
            ]
        result.links += [Link("link", address, name) for name, address in self._links(text)]
        self._gate.scrubber.scrub_tree(result)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        self._gate.scrubber.scrub_tree(container)

    def _links(self, text: str) -> Sequence[tuple[str, str]]:
        """The target, and what was asked there, each once."""
        target = self._gate.target
        first = {target.base_url: target.name} if target else {}
        asked = {address: address.partition("://")[2] for address in _ADDRESS.findall(text)}
        return [(name, address) for address, name in ({**asked, **first}).items()]


def describe(folder: Path, gate: Gate) -> None:
    """Say of which run the results are, and of each open line that is missing in them."""
    assert gate.target is not None
    told = {json.loads(path.read_bytes()).get("fullName") for path in folder.glob("*-result.json")}
    for result in gate.judgement.lines if gate.judgement else ():
        open_ = {_name(check.node) for check in result.checks if check.outcome is not Outcome.PASSED}
        if result.outcome is not Outcome.PASSED and result.reason != WAS_NOT_RUN and not open_ & told:
            allure_commons.plugin_manager.hook.report_result(result=_untold(gate, result))
    said = {
        "target": f"{gate.target.name}{' (rehearsal)' if gate.target.rehearsal else ''}",
        "address": gate.target.base_url,
        "release": gate.runbook.release.version,
        "phase": "+".join(gate.phases),
        "verdict": str(gate.judgement.verdict) if gate.judgement else "none",
    }
    if folder.is_dir():
        lines = [gate.scrubber.scrub(f"{name} = {value}\n") for name, value in said.items()]
        (folder / ENVIRONMENT).write_text("".join(lines), encoding="utf-8")


def install(config: pytest.Config, gate: Gate) -> None:
    """Scrub for as long as this session lasts."""
    scrubbing = gate.allure = AllureScrubbing(gate)
    allure_commons.plugin_manager.register(scrubbing)
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(scrubbing))


def _untold(gate: Gate, result: LineResult) -> TestResult:
    """A line that is open, and whose results in Allure are green or missing.

    allure-pytest passes over a check whose xdist worker died. What a person saw fail has no result there.
    """
    line = result.line
    labels = {"epic": line.section, "story": f"{line.ref} {line.id}"}
    now = int(gate.started.timestamp() * 1000)
    return TestResult(
        uuid=str(uuid4()),
        name=line.id,
        fullName=line.id,
        historyId=line.id,
        testCaseId=line.id,
        status=_status(result.outcome),
        statusDetails=StatusDetails(message=f"{result.outcome}: {result.reason}"),
        description=f"Runbook   {line.section} > {line.id}\nExpected  {line.expected}",
        labels=[Label(name, value) for name, value in labels.items()],
        start=now,
        stop=now,
    )


def _status(outcome: Outcome) -> str:
    return _STATUS.get(outcome, Status.BROKEN)


def _attached(name: str, body: bytes, suffix: str) -> Attachment:
    source = f"{uuid4()}-attachment{suffix}"
    allure_commons.plugin_manager.hook.report_attached_data(body=body, file_name=source)
    return Attachment(name, source, _KEPT[suffix])


def _name(node: str) -> str:
    """A check's id as allure-pytest writes it."""
    file, _, function = node.partition("::")
    return f"{file.removesuffix('.py').replace('/', '.')}#{function}"
