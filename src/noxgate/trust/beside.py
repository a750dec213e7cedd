"""The runs of a release that do not count: whether one was changed so that it does not."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from noxgate.errors import ProfileError
from noxgate.trust.keys import read_trust
from noxgate.trust.runs import runs_of
from noxgate.trust.sealed import altered, sealed_by
from noxgate.trust.signing import PublicKey


def everybody(root: Path) -> Sequence[PublicKey]:
    """Whose signatures count on any target of the project."""
    found: dict[str, PublicKey] = {}
    for path in sorted((root / "targets").glob("*.toml")):
        try:
            trust = read_trust(root, path.stem)
        except ProfileError:
            continue
        found |= {} if trust.rehearsal else {signer.id: signer for signer in trust.signers}
    return tuple(found.values())


def beside(place: Path, chosen: Collection[Path], signers: Sequence[PublicKey]) -> Iterator[str]:
    """What was changed in runs that do not count: another date or name must not hide a NO-GO."""
    known = {signer.id for signer in signers}
    for run in runs_of(place):
        # a rehearsal has a key of its own, which is gone with it
        if run.folder in chosen or (run.rehearsal and sealed_by(run.folder) not in known):
            continue
        for reason in altered(run.folder, signers):
            yield f"{run.folder.name}, which does not count: {reason}"
