"""The command noxgate, as a program of its own."""

import subprocess
import sys
from pathlib import Path


def noxgate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "noxgate.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
