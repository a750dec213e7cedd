"""What a sign-off page is asked of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from noxgate.project.runbook import Runbook
from noxgate.trust.keys import Trust


@dataclass(frozen=True)
class Asked:
    """What the page is to be made of. `trusts` are what the profiles of the targets say, by name."""

    root: Path
    runbook: Runbook
    reports: Path
    release: str
    rehearsal: bool
    trusts: Mapping[str, Trust]
    now: datetime
    targets: Sequence[str] | None = None  # None for all
    addresses: Mapping[str, str] = field(default_factory=dict)  # of a rehearsal: others have the same names
    serving: Mapping[str, str] = field(default_factory=dict)  # phase: a target that serves it
    unknown: Mapping[str, str] = field(default_factory=dict)  # why a target has no trust
    head: str | None = None  # the digest of the last record that is known
