"""allure-results: labels from the runbook, and no secret in any file."""

from typing import Any

import allure_commons
import pytest

from noxgate.plugin.gate import Gate


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


class Scrubbing:
    """Allure takes messages from the exception, past the report that we scrubbed."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        self._gate.scrubber.scrub_tree(result)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        self._gate.scrubber.scrub_tree(container)


def install(config: pytest.Config, gate: Gate) -> None:
    """Scrub for as long as this session lasts."""
    scrubbing = Scrubbing(gate)
    allure_commons.plugin_manager.register(scrubbing)
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(scrubbing))
