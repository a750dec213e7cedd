"""What a profile says about evidence: whose signatures count, and for how long a run does."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import ProfileError
from noxgate.project import overrides
from noxgate.project.profile import REHEARSALS, read_document, said
from noxgate.project.which.world import rehearsed
from noxgate.trust.records import Chain, chain_folder
from noxgate.trust.signing import VARIABLE as KEY_VARIABLE
from noxgate.trust.signing import (
    PublicKey,
    SigningError,
    SigningKey,
    configured_key,
    read_public_key,
    read_signing_key,
)


@dataclass(frozen=True)
class Trust:
    """One target, as evidence sees it. `key_file` is a rehearsal's own private key."""

    target: str
    path: Path
    rehearsal: bool
    serves: tuple[str, ...]
    signers: tuple[PublicKey, ...]
    hours: int
    key_file: Path | None
    record: Path  # the release record, which names the people
    branch: str | None = None  # on which a commit has been reviewed

    def chain(self, reports: Path, release: str) -> Chain:
        """The target's records of a release. A rehearsal keeps its own, and they go when it ends.

        Those of a profile that names a rehearsal's world lie beside the evidence, apart from the target's.
        """
        if not self.rehearsal:
            folder = chain_folder(reports, release, self.target)
        elif self.target in REHEARSALS:
            folder = self.path.parent / "records" / self.target
        else:
            folder = chain_folder(reports, release, f"{self.target}-rehearsal")
        return Chain(folder, release, self.target, self.rehearsal, self.signers)

    def signing_key(self, environment: Mapping[str, str]) -> SigningKey | None:
        """The private key to sign with, if one is configured. A rehearsal has its own and takes no other."""
        if self.rehearsal:
            return read_signing_key(self.key_file) if self.key_file else None
        return configured_key(environment)

    def to_sign(self, environment: Mapping[str, str]) -> SigningKey:
        """The same where there must be one, and one whose signatures count here."""
        key = self.signing_key(environment)
        if key is None:
            where = f"{self.path.name}: signing_key" if self.rehearsal else f"${KEY_VARIABLE}"
            raise SigningError(f"no key to sign with: {where} is not set; noxgate keygen makes one")
        if key.id not in {signer.id for signer in self.signers}:
            known = ", ".join(map(str, self.signers)) or "none"
            raise SigningError(
                f"key {key.id[:12]} does not sign for {self.target}; {self.path.name} has as signers: {known}"
            )
        return key


def read_trust(root: Path, name: str) -> Trust:
    """What the profile `name` says; ProfileError with one line."""
    path, document = read_document(root, name)
    rehearsal = bool(said(document, "rehearsal"))
    if rehearsal and path.stem not in REHEARSALS:
        raise ProfileError(f"{path.name}: rehearsal = true belongs in a rehearsal's own rehearsal.toml")
    named = dict(document)
    if not rehearsal:
        overrides.apply(path, named, os.environ)
    names_one = not rehearsal and bool(rehearsed(path, named))
    if "signing_key" in document and not rehearsal:
        raise ProfileError(f"{path.name}: signing_key: only a rehearsal has one: export {KEY_VARIABLE}=FILE")
    hours = said(document, "evidence_hours")
    if isinstance(hours, bool) or hours < 1:
        raise ProfileError(f"{path.name}: evidence_hours: expected a whole number from 1, saw {hours!r}")
    signs = said(document, "signers")
    if not all(isinstance(each, str) for each in signs):
        raise ProfileError(f'{path.name}: signers: expected files such as ["keys/ada.pub"], saw {signs!r}')
    try:
        signers = tuple(read_public_key(path.parent / Path(each).expanduser()) for each in signs)
    except SigningError as error:
        raise ProfileError(f"{path.name}: signers: {error}") from None
    return Trust(
        target=path.stem,
        path=path,
        rehearsal=rehearsal or names_one,
        serves=tuple(document["serves"]),
        signers=signers,
        hours=hours,
        key_file=path.parent / document["signing_key"] if "signing_key" in document else None,
        record=path.parent / said(document, "record"),
        branch=document.get("branch"),
    )


def refuse_other_phase(trust: Trust, phase: str) -> None:
    """A line belongs to the targets that serve its phase."""
    if phase not in trust.serves:
        raise ProfileError(
            f"target {trust.target!r} does not serve phase {phase!r} (serves: {', '.join(trust.serves)})"
        )
