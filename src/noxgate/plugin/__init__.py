"""All pytest hooks of the release gate, loaded by `-p noxgate.plugin`: the one place that imports pytest."""

from noxgate.plugin.facts import fact
from noxgate.plugin.looking import (
    observe,
    pytest_assertrepr_compare,
    pytest_collection_modifyitems,
    pytest_report_teststatus,
    pytest_runtest_makereport,
)
from noxgate.plugin.options import (
    pytest_addoption,
    pytest_configure,
    pytest_report_header,
    pytest_sessionstart,
    pytest_unconfigure,
)
from noxgate.plugin.selection import pytest_ignore_collect, pytest_report_collectionfinish

__all__ = [
    "fact",
    "observe",
    "pytest_addoption",
    "pytest_assertrepr_compare",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_ignore_collect",
    "pytest_report_collectionfinish",
    "pytest_report_header",
    "pytest_report_teststatus",
    "pytest_runtest_makereport",
    "pytest_sessionstart",
    "pytest_unconfigure",
]
