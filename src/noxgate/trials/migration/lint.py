"""What is wrong with a migration before it runs: what PostgreSQL refuses where it stands.

Three look, and each sees what the others cannot:
- squawk knows PostgreSQL's grammar and many habits. Only the rules in DECIDING say that a statement is
  refused; the others are shown. It knows no other command than CREATE INDEX that no transaction may hold, and
  does not see that ROLLBACK ends one.
- `refused` knows all commands that no transaction may hold, and every way to begin and end one.
- `used_too_early` knows which table is used before the script makes it, by PostgreSQL's own parser. What it
  cannot read (names in strings, a search path), the run on a scratch server finds.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.look.observation import cut
from noxgate.trials import sql_meaning
from noxgate.trials.sql_meaning import Meaning
from noxgate.trials.sql_script import Script, Statement

DECIDING = frozenset({"ban-concurrent-index-creation-in-transaction"})
TIMEOUT = 60

# What PostgreSQL's own PreventInTransactionBlock guards; ALTER TYPE … ADD VALUE is free since 12.
_OUTSIDE_ONLY = re.compile(
    r"""(
      (?:create|drop)\ (?:unique\ )?index\ concurrently
    | reindex\b.*\bconcurrently
    | reindex\b(?:\ \(.*?\))?\ (?:database|system|schema)
    | vacuum
    | cluster$
    | (?:create|drop)\ (?:database|tablespace)
    | alter\ database\b.*\bset\ tablespace
    | alter\ system
    | alter\ table\b.*\bdetach\ partition\b.*\bconcurrently
    | (?:create|drop)\ subscription
    | (?:commit|rollback)\ prepared
    | discard\ all
    )(?![\w$])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class LintFinding:
    """One finding of squawk."""

    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.rule}: {self.message}"


def refused(script: Script) -> dict[int, str]:
    """By line: each statement inside a transaction that PostgreSQL runs outside of any only."""
    found: dict[int, str] = {}
    for statement in script.statements:
        command = _OUTSIDE_ONLY.match(statement.words)
        if command and statement.begun is not None:
            found[statement.line] = (
                f"line {statement.line}: {_spoken(command[1])} cannot run inside a transaction: "
                f"one is open since line {statement.begun}"
            )
    return found


def must_stand_alone(statement: Statement) -> bool:
    """Whether PostgreSQL runs it outside of transactions only."""
    return _OUTSIDE_ONLY.match(statement.words) is not None


def used_too_early(script: Script, existing: Collection[str]) -> dict[int, str]:
    """By line: each statement that names a table or view which only a later one makes.

    `existing` are those that are there before the script runs.
    """
    read = [(statement, sql_meaning.of(script, statement) or Meaning()) for statement in script.statements]
    found: dict[int, str] = {}
    for statement, meant in read:
        for name in meant.uses:
            makers = [later for later, other in read if any(name.may_be(made) for made in other.makes)]
            if name.name not in existing and makers and makers[0].start > statement.start:
                found.setdefault(
                    statement.line,
                    f"line {statement.line}: {_spoken(statement.words)} uses {name}, "
                    f"which line {makers[0].line} creates",
                )
    return found


def squawk(script: Script, name: str, version: str) -> list[LintFinding]:
    """What squawk says. Raises UnreachableError if it cannot be asked. `version`: such as 15.18."""
    command = [str(_squawk()), "--reporter", "json", "--pg-version", version, "--stdin-filepath", name]
    try:
        answer = subprocess.run(
            command, input=script.sql, cwd="/", capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
        findings = json.loads(answer.stdout)
        # its lines count from 0
        return [
            LintFinding(one["line"] + 1, one["rule_name"], " ".join(one["message"].split()))
            for one in findings
        ]
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"squawk: no answer in {TIMEOUT} s") from None
    except OSError as error:
        raise UnreachableError(f"squawk cannot be started: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        words = cut(answer.stderr or answer.stdout, 200) or "nothing"
        raise UnreachableError(f"squawk: expected findings as JSON, saw {words}") from None


def deciding(findings: Collection[LintFinding], script: Script) -> dict[int, str]:
    """By line: squawk's findings that mean that PostgreSQL refuses a statement."""
    found: dict[int, str] = {}
    for finding in findings:
        statement = script.at(finding.line)
        if finding.rule in DECIDING and statement is not None and statement.begun is not None:
            found[statement.line] = f"line {statement.line}: {finding.message}"
    return found


def _spoken(words: str) -> str:
    """The beginning of a statement, as people write it."""
    return " ".join(word.upper() if word.isalpha() else word for word in words.split()[:3])


def _squawk() -> Path:
    beside = Path(sys.executable).parent / "squawk"  # where pip put it, also if PATH does not say so
    found = beside if beside.is_file() else shutil.which("squawk")
    if found is None:
        raise UnreachableError("squawk is not installed: pip install squawk-cli")
    return Path(found)
