"""The 48-hour window as its records have it, for one check."""

import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.project.schedule import Made, Window


@dataclass(frozen=True)
class Watching:
    """What was read of the chain of records: the open window, or why the records do not give one."""

    found: Window | str
    folder: Path
    now: datetime
    observe: Observe

    def opened(self) -> Window:
        """The open window. Raises AssertionError if it does not exist."""
        window = self._seen()
        assert isinstance(window, Window), window
        return window

    def window(self) -> Window:
        """The same, for a check that is about something else: without it nothing says where to look."""
        window = self._seen()
        if isinstance(window, str):
            raise UnreachableError(f"nothing says when the window began: {window}")
        return window

    def record(self, checkpoint: str) -> Made:
        """A checkpoint's record. Raises AssertionError if it does not exist."""
        window = self.opened()
        due = window.checkpoints[checkpoint]
        made = window.made.get(checkpoint)
        assert made is not None, f"no record of checkpoint {checkpoint}, due {due.due:%Y-%m-%d %H:%M} UTC"
        when = f"due {due.due:%Y-%m-%d %H:%M} UTC, made {made.at:%Y-%m-%d %H:%M} UTC"
        seen = f"checkpoint {checkpoint}, {when} by {made.by}: {made.seen}"
        self.observe(Observation(seen, self._repeat()))
        assert made.at >= due.due, f"the record of checkpoint {checkpoint} was made before it was due"
        return made

    def _seen(self) -> Window | str:
        found = self.found
        if isinstance(found, Window):
            done = ", ".join(found.made) or "none yet"
            # the switch has one time wherever it is told: the cluster's, which a rehearsal's clock is behind
            switched = f"switched {found.switched + found.shift:%Y-%m-%d %H:%M:%S} UTC"
            clock = "; by the clock of the day that is played " if found.shift else ", "
            seen = (
                f"{switched}{clock}opened {found.opened:%Y-%m-%d %H:%M} UTC, "
                f"{found.watcher} watches; recorded checkpoints: {done}"
            )
        else:
            seen = found
        self.observe(Observation(seen, self._repeat()))
        return found

    def _repeat(self) -> str:
        decode = "import base64, json, sys; print(base64.b64decode(json.load(sys.stdin)['payload']).decode())"
        return f'for each in {shlex.quote(str(self.folder))}/*.json; do python3 -c "{decode}" < "$each"; done'
