"""Which target a command takes, by one rule for all of them, and why it is that one.

What is said now (--target), what the shell says (NOXGATE_TARGET), what the runbook exports (BASE_URL, which
is staging's), else the rehearsal while it is up. Nothing else is guessed: a line says what to name.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from noxgate.errors import ProfileError
from noxgate.project.keys.release import RECORD_FILE
from noxgate.project.profile import REHEARSALS, read_document

VARIABLE, RUNBOOKS = "NOXGATE_TARGET", "BASE_URL"
STAGING, REHEARSAL = "staging", REHEARSALS[0]
RULE = f"default: ${VARIABLE}; else {STAGING} if {RUNBOOKS} is set; else the rehearsal while it is up"


@dataclass(frozen=True)
class Chosen:
    """A target's name, or the path of its profile, and what named it."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"target {Path(self.name).stem}: {self.why}"


def choose(
    root: Path, given: str | None, environment: Mapping[str, str] = os.environ, *, phase: str = ""
) -> Chosen:
    """The target that is meant. Raises ProfileError if it is not said.

    `phase`: for a command about one phase, such as an attestation, a target that does not serve it is only
    taken if it is named, and the one real target that serves it is taken without a name.
    """
    if given:
        return Chosen(given, "named by --target")
    if named := environment.get(VARIABLE):
        return Chosen(named, f"named by ${VARIABLE}")
    serves = set(_serving(root, phase)) if phase else None
    if environment.get(RUNBOOKS) and (serves is None or STAGING in serves):
        return Chosen(STAGING, f"${RUNBOOKS} is set, as the runbook has it; --target names another")
    is_up = (root / "targets" / f"{REHEARSAL}.toml").is_file()
    if is_up and (serves is None or REHEARSAL in serves):
        return Chosen(REHEARSAL, "nothing names one, and the rehearsal is up")
    real = sorted(serves - set(REHEARSALS)) if serves is not None else []
    if len(real) == 1:
        return Chosen(real[0], f"it alone serves the phase {phase}")
    if serves is not None:
        found = ", ".join(real) or "no target"
        raise ProfileError(f"expected --target: phase {phase!r} is served by {found}")
    known = ", ".join(name for name in _names(root) if name not in REHEARSALS) or "none"
    raise ProfileError(
        f"expected a target, saw none: name it with --target NAME (targets: {known}), "
        f"export {VARIABLE}=NAME, or start the rehearsal: noxgate rehearse up"
    )


def _names(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "targets").glob("*.toml") if path.name != RECORD_FILE)


def _serving(root: Path, phase: str) -> Iterator[str]:
    """The targets whose profile serves a phase."""
    for name in _names(root):
        _, document = read_document(root, name)
        if phase in document["serves"]:
            yield name
