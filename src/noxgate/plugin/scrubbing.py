"""Redacts secrets in what pytest reports apart from checks: collection, warnings, internal errors."""

import warnings
from collections.abc import Generator

import pytest
from _pytest._code.code import ExceptionRepr
from _pytest.reports import CollectErrorRepr

from noxgate.look.secret import Scrubber


class Scrubbing:
    """Registered wherever a gate run happens, xdist workers included."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost: after capture has added what was printed
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if report.failed:
            report.longrepr = CollectErrorRepr(self._scrubber.scrub(str(report.longrepr)))
        report.sections = [(name, self._scrubber.scrub(text)) for name, text in report.sections]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Once more: other plugins have added the reason of an xfail, a subtest's name, extras."""
        for name in ("longrepr", "sections", "wasxfail", "context", "extras"):
            if hasattr(report, name):
                setattr(report, name, self._scrubber.scrub_tree(getattr(report, name)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        if isinstance(warning_message.message, Warning):
            arguments = warning_message.message.args
            warning_message.message.args = tuple(map(self._scrubber.scrub_tree, arguments))

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: ExceptionRepr) -> None:
        self._scrubber.scrub_tree(excrepr)
