"""The command `noxgate manifest`: what vouches for a copy of the gate that has no git, such as an image's."""

import argparse
import os

from noxgate.errors import Exit
from noxgate.project.here import Project
from noxgate.run.commit import CommitError, write_manifest

ERRORS = (CommitError,)


def manifest(given: argparse.Namespace) -> int:
    """Write it into the checkout, which has to be as committed."""
    path = write_manifest(Project.of(given).root)
    print(f"manifest: {os.path.relpath(path)}   copy it with the checkout, as its build's last step")
    return Exit.DONE
