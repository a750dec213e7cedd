"""A stand-in of Python for the runs that tests make: forked from a process that has imported everything.

Starting Python, pytest and what the gate imports costs more than most runs themselves, and there are many
hundreds of runs. `interpreter(folder)` starts that process and writes a program to call in place of Python.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
VARIABLE = "NOXGATE_TESTS_PYTHON"  # where it is, for xdist's workers


@contextmanager
def interpreter(folder: Path) -> Iterator[Path]:
    """The program, which is there until the block ends; what it does not know, the real Python does."""
    address, program = folder / "forks", folder / "python"
    shim = (HERE / "shim.py").read_text(encoding="utf-8")
    (folder / "real").symlink_to(sys.executable)
    for beside in Path(sys.executable).parent.iterdir():  # such as squawk, which is looked for there
        if not beside.name.startswith("python"):
            (folder / beside.name).symlink_to(beside)
    program.write_text(f"#!{sys.executable} -IS\n{shim}", encoding="utf-8")
    program.chmod(0o755)
    command = [sys.executable, "-m", "tests_self.forked.server", str(address), str(program)]
    with subprocess.Popen(
        command,
        cwd=HERE.parents[1],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # it forks, for which it must have one thread
        stdin=subprocess.PIPE,
        start_new_session=True,
    ):
        yield program  # leaving closes the process's standard input, which ends it
