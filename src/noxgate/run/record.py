"""What a person or a machine vouches for: one record, as `noxgate.trust.records` signs and reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Record:
    """One thing that was seen. `by` says who, `account` who was logged in where, `signed_by` whose key."""

    number: int
    kind: str
    line: str
    by: str
    at: datetime
    seen: str
    rehearsal: bool
    account: str
    data: Mapping[str, Any] = field(default_factory=dict)
    signed_by: str = ""
    digest: str = ""  # of its file
