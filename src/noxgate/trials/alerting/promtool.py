"""promtool, Prometheus' own program for tests of rules: run, and its words read."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.look.observation import shortened
from noxgate.systems.programs.execute import Ended, ProgramError, run

SECONDS = 60
# What a later promtool reads, of tests and of rules, and Debian's 2.42 does not.
_LATER_FIELDS = {
    *("fuzzy_compare", "histogram", "keep_firing_for", "labels", "query_offset", "start_timestamp"),
}
_LATER_FUNCTIONS = {
    *("double_exponential_smoothing", "first_over_time", "histogram_avg", "histogram_quantiles"),
    *("histogram_stddev", "histogram_stdvar", "info", "limit_ratio", "limitk", "mad_over_time", "max_of"),
    *("min_of", "sort_by_label", "sort_by_label_desc", "start_timestamp", "ts_of_first_over_time"),
    *("ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time"),
}
_FIELD = re.compile(r"field (\S+) not found in type ")
_FUNCTION = re.compile(r'unknown function with name \\?"(\w+)')


def promtool() -> str:
    """Where the program is. Raises UnreachableError if it is not."""
    found = shutil.which("promtool")
    if found is None:
        raise UnreachableError("promtool is not on PATH: it comes with Prometheus (Debian: prometheus)")
    return found


def tried(program: str, tests: Path, repeat: str, environment: Mapping[str, str]) -> Ended:
    """What the program said of a file of tests. Raises UnreachableError if it did not come to its end."""
    try:
        return run([program, "test", "rules", str(tests)], SECONDS, environment)
    except ProgramError as error:
        raise UnreachableError(f"{repeat}: {error}") from None


def unknown(ended: Ended) -> tuple[set[str], set[str]]:
    """The fields and the functions that this promtool does not know."""
    text = ended.err + ended.out
    return set(_FIELD.findall(text)), set(_FUNCTION.findall(text))


def too_old(program: str, ended: Ended, environment: Mapping[str, str], *, histograms: bool) -> str | None:
    """Why a promtool that failed could not judge: it is older than what it reads; None if it could."""
    fields, functions = unknown(ended)
    later = (fields & _LATER_FIELDS) | (functions & _LATER_FUNCTIONS)
    if histograms and ended.status != 0 and "parse" in ended.err + ended.out:
        later |= {"{{…}}, a native histogram"}
    if not later or fields - _LATER_FIELDS or functions - _LATER_FUNCTIONS:
        return None
    named = ", ".join(sorted(later))
    return (
        f"promtool here is {_version(program, environment)} and does not know {named}: "
        "expected the one that the rules and tests were written for; install it and put it first on PATH"
    )


def _version(program: str, environment: Mapping[str, str]) -> str:
    try:
        said = run([program, "--version"], SECONDS, environment)
    except ProgramError:
        return "of an unknown version"
    found = re.search(r"version (\S+)", said.out + said.err)
    return found[1] if found else shortened(said.out, 40)
