"""Digests of what answers gave to users and must be different each time, such as the state of a sign-in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MOST = 4_000  # of one name: of 20 bits, two of so many are alike with 99.9 %


@dataclass
class States:
    """Those of this process; on a master, of all of its workers. Whether two are alike is judged later."""

    new: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)

    def take(self, name: str, digest: str) -> None:
        """Keep one, while there are not enough of them."""
        taken = self.new.setdefault(name, [])
        if len(taken) + len(self.seen.get(name, ())) < MOST:
            taken.append(digest)

    def drain(self) -> dict[str, list[str]]:
        """Those since the last time, for a master."""
        drained, self.new = self.new, {}
        return drained

    def add(self, drained: Mapping[str, Sequence[str]]) -> None:
        """Take what a worker drained."""
        for name, digests in drained.items():
            kept = self.seen.setdefault(name, [])
            kept += digests[: MOST - len(kept)]
