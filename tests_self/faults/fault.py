"""What a fault is: a system that is replaced or changed while the gate looks, and what must come of it."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests_self.authority import Authority
from tests_self.loopback import Loopback

from nox_rehearsal.world.state import World

GO, NO_GO, INCONCLUSIVE = "GO", "NO-GO", "INCONCLUSIVE"
Changes = Mapping[str, str]


@dataclass(frozen=True)
class Scene:
    """A world that is well, servers that are not, and a folder for one fault."""

    world: World
    servers: Loopback
    authority: Authority
    folder: Path

    @property
    def over(self) -> threading.Event:
        """Set when the fault ends: until then whoever hangs goes on hanging."""
        return self.servers.over


# Text of the profile, of its credentials or of its kubeconfig -> what stands there in its place.
Make = Callable[[Scene], AbstractContextManager[Changes]]


@dataclass(frozen=True)
class Fault:
    """One row of the table. `says` is a regular expression that a reason, or what the load test prints, has.

    `wraps` are words before the gate's command, such as those that give it name servers of its own.
    """

    system: str
    name: str
    make: Make = field(repr=False)
    verdicts: tuple[str, ...]
    says: str
    phase: str = "staging"
    load: bool = False
    wraps: tuple[str, ...] = ()
    root: bool = False  # only root may make it
