"""A failure is said once: pytest's tracebacks and its list of failures are for whoever asks for them."""

from collections.abc import Generator

import pytest

STYLE = "short"  # of tracebacks, in reports and where they are asked for
PYTESTS = "auto", "fE"  # what --tb and -r are to pytest where they are not given
ASKED = pytest.StashKey[bool]()


def settle(config: pytest.Config) -> None:
    """Take down what was asked for, before the style is set for reports.

    Raises UsageError without a terminal: nothing would say the verdict.
    """
    option = config.option
    if not hasattr(option, "tbstyle"):
        raise pytest.UsageError("-p no:terminal leaves the verdict unsaid: run without it")
    config.stash[ASKED] = bool(
        option.tbstyle != PYTESTS[0] or option.verbose > 0 or option.showlocals or option.fulltrace
    )
    if option.tbstyle == PYTESTS[0]:
        option.tbstyle = STYLE


def is_pytests_asked(config: pytest.Config) -> bool:
    """Whether --tb, -v, -l or --full-trace was given."""
    return config.stash.get(ASKED, False)


class Once:
    """Keeps pytest's own sections back; they stay where a file could not be collected."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> Generator[None]:
        errors = terminalreporter.stats.get("error", ())
        if is_pytests_asked(config) or any(isinstance(each, pytest.CollectReport) for each in errors):
            return (yield)
        style, listed = config.option.tbstyle, terminalreporter.reportchars
        config.option.tbstyle = "no"
        if config.option.reportchars == PYTESTS[1]:
            terminalreporter.reportchars = listed.translate(str.maketrans("", "", PYTESTS[1]))
        try:
            return (yield)
        finally:
            config.option.tbstyle, terminalreporter.reportchars = style, listed
