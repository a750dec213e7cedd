"""Sealing a run: an in-toto Statement over every file of its folder, in a DSSE envelope.

The predicate, in-toto's test-result, knows passed, warned and failed: a waived line is warned, and one that
was not run or could not be looked at has failed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from noxgate.look.documents import of_json
from noxgate.project.runbook import read_runbook
from noxgate.project.waivers import FILE as WAIVERS
from noxgate.run import results_file
from noxgate.run.results import Results
from noxgate.run.verdict import Outcome, Verdict
from noxgate.trust.signing import SigningError, SigningKey, sign

ENVELOPE = "evidence.dsse.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
RUNBOOK = "runbook.toml"
FILES = "run/"  # before the name of each file of the run
COMMITS = {"commit:source": "source_commit", "commit:gate": "commit"}  # subject: key of environment.json
IMAGE = "image:"  # before the name of the service's container
# a node may name an image by its index or by its platform's manifest: a run knows one of them, or both
IMAGES = {"": "image", "/manifest": "image-manifest"}  # the subject's end: name of the fact
_RESULT = {Verdict.GO: "PASSED", Verdict.GO_WITH_WAIVERS: "WARNED"}


def seal(folder: Path, root: Path, profile: Path, key: SigningKey) -> Path:
    """Sign what lies in a run's folder. Raises SigningError if that is not a run, or is sealed already."""
    envelope = folder / ENVELOPE
    if envelope.exists():
        raise SigningError(f"{folder.name}: is sealed already: a seal is not made anew")
    try:
        statement = _statement(folder, root, profile)
        text = json.dumps(statement, indent=1, ensure_ascii=False, allow_nan=False).encode()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SigningError(
            f"{folder.name}: expected a run's results.json, saw another form ({error})"
        ) from None
    try:
        envelope.write_bytes(sign(PAYLOAD_TYPE, text, key))
    except OSError as error:
        raise SigningError(f"{envelope}: {error.strerror}") from None
    return envelope


def entries(folder: Path) -> Iterator[Path]:
    """Everything in a folder but folders and the envelope, hidden files too, in order."""
    for path in sorted(folder.rglob("*")):
        if path != folder / ENVELOPE and (path.is_symlink() or not path.is_dir()):
            yield path


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def runbook_digest(root: Path) -> str:
    """The SHA-256 of the runbook, the same for all line ends that a checkout may give it."""
    return hashlib.sha256((root / RUNBOOK).read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def results_of(folder: Path) -> Results:
    """What a run found; SigningError in one line where that cannot be read."""
    try:
        return results_file.read(folder)
    except results_file.ResultsError as error:
        raise SigningError(str(error)) from None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a run's folder; SigningError in one line."""
    try:
        document = of_json(path.read_bytes())
    except OSError as error:
        raise SigningError(f"{path.name}: {error.strerror}") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise SigningError(f"{path.name}: expected a JSON object")
    return document


def _statement(folder: Path, root: Path, profile: Path) -> dict[str, Any]:
    results, environment = results_of(folder), read_json(folder / "environment.json")
    runbook = {"name": RUNBOOK, "digest": {"sha256": runbook_digest(root)}}
    outcomes = {line.id: line.outcome for line in results.lines}
    document = results_file.document(results)
    return {
        "_type": STATEMENT,
        "subject": [
            *_facts(results.facts, environment, read_runbook(root / RUNBOOK).service.container),
            runbook,
            *(
                {
                    "name": f"{FILES}{path.relative_to(folder).as_posix()}",
                    "digest": {"sha256": digest(path)},
                }
                for path in entries(folder)
            ),
        ],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": _RESULT.get(results.verdict, "FAILED"),
            "configuration": [
                runbook,
                *(
                    {"name": path.name, "digest": {"sha256": digest(path)}}
                    for path in (root / WAIVERS, profile)
                    if path.is_file()
                ),
            ],
            "passedTests": [line for line, outcome in outcomes.items() if outcome == Outcome.PASSED],
            "warnedTests": [line for line, outcome in outcomes.items() if outcome == Outcome.WAIVED],
            "failedTests": [
                line
                for line, outcome in outcomes.items()
                if outcome not in {Outcome.PASSED, Outcome.WAIVED, Outcome.NOT_COUNTED}
            ],
            # for people; what counts is in results.json
            "noxgate": {
                key: document[key] for key in ("verdict", "release", "target", "phases", "started", "ended")
            },
        },
    }


def _facts(facts: Mapping[str, str], environment: Mapping[str, Any], called: str) -> Iterator[dict[str, Any]]:
    for name, key in COMMITS.items():
        if environment.get(key):
            yield {"name": name, "digest": {"gitCommit": environment[key]}}
    for end, key in IMAGES.items():
        if facts.get(key):
            yield {"name": f"{IMAGE}{called}{end}", "digest": {"sha256": facts[key].removeprefix("sha256:")}}
