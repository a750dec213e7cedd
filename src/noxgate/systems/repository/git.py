"""Git as a program that only looks: what it prints, within a time, without what a configuration would run."""

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.repository.working_tree import WITHOUT_LFS

LOCAL, REMOTE = 30.0, 20.0  # seconds that one look may take
# Looking must not run what the repository's own configuration names, nor write the index anew.
_QUIETLY = (
    *("--no-pager", "--no-optional-locks"),
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"),
    # nor may that say how closely git looks
    *WITHOUT_LFS,
    *("-c", "core.trustctime=true", "-c", "core.checkStat=default", "-c", "core.untrackedCache=false"),
)
# What a remote may need; everything of git's own is left out: GIT_DIR and its like would lead elsewhere.
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|XDG_CONFIG_HOME|SSH_AUTH_SOCK|SSL_CERT_\w+|(?i:(https?|all|no)_proxy)"
)


class Git:
    """Asks one checkout, and its remote. What it could not look at is observed, too."""

    def __init__(self, folder: Path, observe: Observe) -> None:
        self._folder = folder
        self._observe = observe

    def read(self, *arguments: str, within: float = LOCAL, absent: int | None = None) -> str | None:
        """What git prints; None if it ends with the status `absent`, which says that it is missing."""
        try:
            status, out, err = self._run(arguments, within)
        except subprocess.TimeoutExpired:
            reason = f"no answer in {within:g} s"
        except FileNotFoundError:
            reason = "git is not installed" if self._folder.is_dir() else "no such folder"
        except OSError as error:
            reason = str(error.strerror)
        except ValueError:  # half a character, or one that ends a text in C
            reason = "no name that a file can have"
        else:
            if status == 0:
                return out
            if status == absent:
                return None
            reason = _reason(err) or f"exit status {status}"
        words = f"git {arguments[0]} in {self._folder}: {reason}"
        self.saw(f"could not look: {words}", shlex.join(arguments))
        raise UnreachableError(words)

    def _run(self, arguments: tuple[str, ...], within: float) -> tuple[int, str, str]:
        process = subprocess.Popen(
            ["git", *_QUIETLY, *arguments],
            cwd=self._folder,
            env=_environment(self._folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no terminal: ssh cannot ask for a password either
            encoding="utf-8",
            errors="surrogateescape",
        )
        try:
            out, err = process.communicate(timeout=within)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # its ssh, too
            process.communicate()
            raise
        return process.returncode, out, err

    def saw(self, seen: str, command: str) -> None:
        self._observe(Observation(shortened(seen), f"git -C {shlex.quote(str(self._folder))} {command}"))


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    return kept | {
        "LC_ALL": "C.UTF-8",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_WORK_TREE": str(folder.resolve()),  # in place of core.worktree
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        # the folder itself must be the checkout: one around it is another
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
    }


def _reason(err: str) -> str:
    """Git's own words, without what may be a password or a token in a remote's address."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    fatal = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else ""
    )
    return shortened(without_secrets(fatal))


def without_secrets(text: str) -> str:
    text = re.sub(r"(\w+://).*@", r"\1***@", text)  # a password may hold anything, up to the last @
    return re.sub(r"(://[^\s?#]*)[?#][^\s'\"]*", r"\1?***", text)
