"""The ingress controller's nginx: the files that it includes, and having it read them again."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nox_rehearsal.cluster.routes import Routes
from nox_rehearsal.parts.ingress_conf import included


@dataclass
class Nginx:
    """One nginx, whose configuration somebody else writes."""

    home: Path
    is_behind: bool = False  # it may not have read what was written last

    def show(self, site: str, routes: Routes) -> None:
        """Write a site's files where they say something else."""
        upstreams, paths = included(self.home, site)
        for file, text in ((upstreams, routes.upstreams), (paths, routes.paths)):
            if not file.is_file() or file.read_text(encoding="utf-8") != text:
                draft = file.with_suffix(".draft")
                draft.write_text(text, encoding="utf-8")
                draft.replace(file)
                self.is_behind = True

    def reload(self, master: int | None) -> None:
        """Have it read again. One that is just starting would die of it: it is left alone until it can."""
        if self.is_behind and master is not None and self._said() == master:
            with suppress(ProcessLookupError):
                os.kill(master, signal.SIGHUP)
            self.is_behind = False

    def _said(self) -> int | None:
        """The pid that nginx wrote down once it could take signals."""
        try:
            return int((self.home / "nginx.pid").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
