"""Signed records of what people and machines saw, each naming the one before: a chain that only grows.

A chain belongs to one release on one target. Each record is a file of its own, `0001.json` and so on, a DSSE
envelope. What was written cannot be changed, taken out of the middle or put in later without it being seen;
that the newest were taken away is seen by a run's sealed evidence, which holds a copy of the chain.
"""

import contextlib
import getpass
import hashlib
import json
import os
import re
import socket
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from noxgate.errors import NoxgateError
from noxgate.look.documents import of_json
from noxgate.look.secret_forms import form_in
from noxgate.run.record import Record
from noxgate.trust.signing import PublicKey, SigningError, SigningKey, opened, sign

SCHEMA = 1
PAYLOAD_TYPE = "application/vnd.noxgate.record+json"
ATTESTATION, OPENED, CHECKPOINT, RUN = "attestation", "opened", "checkpoint", "run"
SKEW = timedelta(minutes=5)  # how far two machines' clocks may differ


class RecordError(NoxgateError):
    """A chain that cannot be believed, or a record that cannot be added: one line."""


@dataclass(frozen=True)
class Chain:
    """The records of one release on one target, and the keys whose signatures count there."""

    folder: Path
    release: str
    target: str
    rehearsal: bool
    signers: Sequence[PublicKey]

    def read(self) -> list[Record]:
        """Every record, oldest first. Raises RecordError for the first that does not belong where it is."""
        try:
            paths = sorted(path for path in self.folder.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RecordError(f"{self.folder}: {error.strerror}") from None
        records: list[Record] = []
        for number, path in enumerate(paths, start=1):
            if path.name != _name(number):
                raise RecordError(f"{self._place(path.name)}: expected {_name(number)}: a record is missing")
            records.append(self._read(path, records[-1] if records else None))
        return records

    def name_of(self, key: SigningKey) -> str | None:
        """What the target calls a key; None for one whose signatures do not count."""
        return next((signer.name for signer in self.signers if signer.id == key.id), None)

    def append(
        self,
        key: SigningKey,
        *,
        kind: str,
        line: str,
        by: str,
        seen: str,
        data: Mapping[str, Any] | None = None,
        now: datetime | None = None,
    ) -> Record:
        """Add a record. `now` is the clock of a rehearsal, which plays days in minutes: no other has one."""
        if now is not None and not self.rehearsal:
            raise RecordError(f"{self.target} is not a rehearsal: its records bear the time of the clock")
        if key.id not in {signer.id for signer in self.signers}:
            known = ", ".join(map(str, self.signers)) or "none"
            raise RecordError(f"key {key.id[:12]} does not sign for {self.target}; those that do: {known}")
        said = json.dumps([by, seen, dict(data or {})], ensure_ascii=False)
        if form := form_in(said):  # it cannot be changed, and is copied into every bundle
            raise RecordError(f"a record would show {form} in every bundle: say it without")
        while True:
            before = self.read()
            at = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
            if before and at < before[-1].at:
                raise RecordError(
                    f"the clock goes back: it is {_time(at)}, and record {before[-1].number} "
                    f"is of {_time(before[-1].at)}"
                )
            payload = {
                "schema": SCHEMA,
                "number": len(before) + 1,
                "previous": before[-1].digest if before else None,
                "kind": kind,
                "release": self.release,
                "target": self.target,
                "rehearsal": self.rehearsal,
                "line": line,
                "by": by,
                "account": f"{_account()}@{socket.gethostname()}",
                "at": at.isoformat(),
                "seen": seen,
                "data": dict(data or {}),
            }
            text = json.dumps(payload, indent=1, ensure_ascii=False, allow_nan=False).encode()
            if self._write(self.folder / _name(len(before) + 1), sign(PAYLOAD_TYPE, text, key)):
                return self.read()[len(before)]

    def _write(self, path: Path, content: bytes) -> bool:
        """Write a file whole, under a name that was free; False where another was quicker."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".new-") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o444)
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(file.name)
                    return True
        except OSError as error:
            raise RecordError(f"{path}: {error.strerror}") from None
        return False

    def _read(self, path: Path, before: Record | None) -> Record:
        place = self._place(path.name)
        try:
            content = path.read_bytes()
            payload, signer = opened(content, PAYLOAD_TYPE, self.signers)
            fields = of_json(payload)
            record = Record(
                number=fields["number"],
                kind=fields["kind"],
                line=fields["line"],
                by=fields["by"],
                at=_moment(fields["at"]),
                seen=fields["seen"],
                rehearsal=fields["rehearsal"],
                account=fields["account"],
                data=fields["data"],
                signed_by=signer.name,
                digest=hashlib.sha256(content).hexdigest(),
            )
            schema, belongs = fields["schema"], (fields["release"], fields["target"], fields["rehearsal"])
            previous = fields["previous"]
        except OSError as error:
            raise RecordError(f"{place}: {error.strerror}") from None
        except SigningError as error:
            raise RecordError(f"{place}: {error}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise RecordError(f"{place}: expected a record, saw another form ({error})") from None
        if schema != SCHEMA:
            raise RecordError(f"{place}: expected schema {SCHEMA}, saw {schema!r}")
        if belongs != (self.release, self.target, self.rehearsal):
            raise RecordError(f"{place}: belongs to release {belongs[0]} on {belongs[1]}")
        expected = (before.number + 1, before.digest) if before else (1, None)
        if (record.number, previous) != expected:
            raise RecordError(f"{place}: does not follow the record before it: the chain is broken")
        if before and record.at < before.at:
            raise RecordError(f"{place}: is older than the record before it: the chain is broken")
        return record

    def _place(self, name: str) -> str:
        return f"records of {self.target}: {name}"


def chain_folder(reports: Path, release: str, target: str) -> Path:
    """Where the records of a release on a target are."""
    return reports / release / "records" / target


def latest(records: Sequence[Record], kind: str) -> dict[str, Record]:
    """The newest record of a kind for each line."""
    return {record.line: record for record in records if record.kind == kind}


def _name(number: int) -> str:
    return f"{number:04}.json"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() != timedelta(0):
        raise ValueError(f"expected a time in UTC, saw {text}")
    return moment


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _account() -> str:
    try:
        return re.sub(r"\s", "_", getpass.getuser())
    except (KeyError, OSError):  # in a container, a user id need not have a name
        return str(os.getuid())
