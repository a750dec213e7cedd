"""Who made a load test's result: the command that ran it signs its folder, with the nonce of its run.

It signs with the key of a signer, where one is configured. Otherwise it signs with a key made for this run
and forgotten with it: the public half is kept beside the results before the first request, named after the
nonce. Such a result counts only where the profile names no signers.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from noxgate.look.documents import of_json
from noxgate.project.runbook import Line
from noxgate.run.results import Results
from noxgate.run.verdict import Outcome
from noxgate.slo.generator import NAME as RUN_AGAIN
from noxgate.slo.possible import cannot_be
from noxgate.slo.result import NAME as RESULT
from noxgate.slo.result import Result, ResultError, folder_name, read
from noxgate.slo.slos import resting
from noxgate.trust.keys import Trust
from noxgate.trust.seal import digest
from noxgate.trust.sealed import Refusal
from noxgate.trust.signing import (
    PublicKey,
    SigningError,
    SigningKey,
    key_for_once,
    opened,
    read_public_key,
    sign,
)

NAME = "load.dsse.json"
TYPE = "application/vnd.noxgate.load+json"
EVIDENCE = "load"  # the folder of results in a run's
BEGUN = "begun"  # the folder with the public halves, beside those of the results
SCHEMA_1 = "is of schema 1, from before load tests signed their results: nothing proves that one made it"


@dataclass(frozen=True)
class Making:
    """A load test that is being made: its nonce, and the key that signs what comes of it."""

    nonce: str
    key: SigningKey

    def sign(self, folder: Path, result: Result) -> None:
        """Sign everything that is in a result's folder."""
        payload = {"nonce": self.nonce, "folder": folder_name(result), "files": _files(folder)}
        text = json.dumps(payload, indent=1).encode()
        (folder / NAME).write_bytes(sign(TYPE, text, self.key))


def begin(trust: Trust, environment: Mapping[str, str], results: Path) -> Making:
    """Before the first request.

    Raises SigningError if the key that is configured signs for another target.
    """
    nonce = secrets.token_hex(16)
    if trust.signing_key(environment) is not None:
        return Making(nonce, trust.to_sign(environment))
    key = key_for_once()
    (results / BEGUN).mkdir(parents=True, exist_ok=True)
    (results / BEGUN / f"{nonce}.pub").write_bytes(key.public_pem())
    return Making(nonce, key)


def refused(folder: Path, result: Result, signers: Sequence[PublicKey], *, held: Path | None = None) -> str:
    """Why no load test made this result; empty if its signature says so, and its numbers can be.

    Only `signers` are believed, where there are any; else whose public half lies in the folder `held`.
    """
    return _unproven(folder, result, signers, held) or cannot_be(result)


def _unproven(folder: Path, result: Result, signers: Sequence[PublicKey], held: Path | None) -> str:
    if result.schema == 1:
        return SCHEMA_1
    envelope = folder / NAME
    if not envelope.exists():
        return "is not signed: expected what `noxgate load` itself kept"
    try:
        keys = signers or _made_for(held, result.nonce)
        payload, _ = opened(envelope.read_bytes(), TYPE, keys)
        said = of_json(payload)
        return _otherwise(folder, result, said["nonce"], said["folder"], said["files"])
    except SigningError as error:
        return f"{NAME}: {error}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{NAME}: expected what `noxgate load` signs, saw another form ({type(error).__name__})"


def _otherwise(folder: Path, result: Result, nonce: str, name: str, files: Mapping[str, str]) -> str:
    """What is not as it was signed."""
    if not result.nonce or nonce != result.nonce:
        return f"is of another run than its signature: expected nonce {nonce}, saw {result.nonce or 'none'}"
    there = _files(folder)
    changed = sorted(file for file in files.keys() | there.keys() if files.get(file) != there.get(file))
    if changed:
        return f"was changed after it was signed: {', '.join(changed)}"
    return "" if folder.name == name == folder_name(result) else f"was renamed: it was signed as {name}"


def _made_for(held: Path | None, nonce: str) -> Sequence[PublicKey]:
    """The key that was made for the run of this nonce."""
    if held is None or not nonce.isalnum():
        raise SigningError("signed with an unknown key")
    path = held / f"{nonce}.pub"
    if not path.is_file():
        raise SigningError(f"no load test with the nonce {nonce} was begun here")
    return [read_public_key(path)]


def _files(folder: Path) -> dict[str, str]:
    """The digest of each file; why a result does not count is written into its folder later."""
    return {
        path.name: digest(path)
        for path in sorted(folder.iterdir())
        if path.name not in {NAME, RUN_AGAIN} and path.is_file() and not path.is_symlink()
    }


def against(
    folder: Path,
    results: Results,
    signers: Sequence[PublicKey],
    lines: Mapping[str, Line],
    *,
    signed: bool,
) -> Iterator[Refusal]:
    """What speaks against the load results in a run's folder; `signed`: those of schema 1, too."""
    kept, judged = _kept(folder), resting(lines)
    for line in results.lines:
        if not kept and line.id in judged and line.outcome is Outcome.PASSED:
            yield Refusal("no load test is in the evidence", line=line.id)
    for place in kept:
        name = place.relative_to(folder).as_posix()
        try:
            result = read(place / RESULT)
        except ResultError as error:
            yield Refusal(str(error), file=name)
            continue
        if (result.release, result.base_url) != (results.release, results.target.base_url):
            yield Refusal(f"is of release {result.release} against {result.base_url}", file=name)
        if (signed or result.schema > 1) and (why := refused(place, result, signers)):
            yield Refusal(why, file=name)


def unproven_in(folder: Path) -> Iterator[str]:
    """What a run's load results do not prove: those of schema 1 bear no signature."""
    for place in _kept(folder):
        with suppress(ResultError):
            if read(place / RESULT).schema == 1:
                yield f"{place.name} {SCHEMA_1}"


def _kept(folder: Path) -> list[Path]:
    """The folders of load results in a run's evidence."""
    return sorted(path.parent for path in (folder / EVIDENCE).glob(f"*/{RESULT}"))
