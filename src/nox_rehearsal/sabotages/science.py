"""The image's Python does not import, or does not compute rightly; a program of the day is missing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nox_rehearsal.sabotages.sabotage import Sabotage, Switch
from nox_rehearsal.world.profile import TOOLS
from nox_rehearsal.world.state import World

XTB_HANGS = {"xtb": "#!/bin/sh\nexec sleep 600\n"}  # red after 20 s: "xtb: no result in 20 s"
XTB_MISSING = {
    "xtb": "#!/bin/sh\necho 'xtb: error while loading shared libraries: libgfortran.so.5' >&2\nexit 127\n"
}
PSI4_SEGFAULT = {"psi4.py": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"}
PSI4_MEMORY = {  # the real one, its memory setting refused as verify_env.py saw it
    "psi4.py": "raise ValueError('set_memory(): Requested 100000000 bytes, minimum 262144000 (250 MiB)')\n"
}
RDKIT_SIXTH_DIGIT = {
    "rdkit/__init__.py": "",
    "rdkit/rdBase.py": "rdkitVersion = '2026.09.1'\n",
    "rdkit/Chem/__init__.py": "def MolFromSmiles(smiles):\n    return smiles\n",
    "rdkit/Chem/Descriptors.py": "def ExactMolWt(molecule):\n    return 46.041866\n",
}
RDKIT_MISSING = {"rdkit.py": "raise ImportError('libRDKitGraphMol.so.1: cannot open shared object file')\n"}
CANTERA_DATA = {
    "cantera.py": "def Solution(name):\n    raise RuntimeError('Input file gri30.yaml not found')\n"
}
CANTERA_VALUE = {
    "cantera.py": """
__version__ = "3.2.0"
class Solution:
    T = 2227.0
    def __init__(self, name): pass
    def equilibrate(self, what): pass
"""
}
CELERY = {"celery.py": "import os\nos.abort()\n"}  # "celery": "killed by SIGABRT"
FOLDER = {"celery/__init__.py": "del __file__\n"}  # as of a folder that has no such file any more
# For the script itself alone: what imports and computes is as it was.
OLDER = {
    "sitecustomize.py": """import os, sys
real = sys.version_info
sys.version_info = (3, 7, 16, "final", 0)
os.register_at_fork(after_in_child=lambda: setattr(sys, "version_info", real))
"""
}

CASES = (
    ("preflight.science-xtb", "hangs", "xtb starts and never ends", XTB_HANGS, "no result in 20 s"),
    ("preflight.science-xtb", "does-not-load", "a library is missing", XTB_MISSING, "libgfortran"),
    ("preflight.science-psi4", "segfault", "Psi4 dies at import", PSI4_SEGFAULT, "SIGSEGV"),
    ("preflight.science-psi4", "memory", "Psi4 refuses the memory", PSI4_MEMORY, "250 MiB"),
    ("preflight.science-rdkit", "sixth-digit", "wrong in the sixth digit", RDKIT_SIXTH_DIGIT, "46.041866"),
    ("preflight.science-rdkit", "does-not-load", "a library is missing", RDKIT_MISSING, "libRDKit"),
    ("preflight.science-cantera", "no-data", "without its data", CANTERA_DATA, "gri30.yaml"),
    ("preflight.science-cantera", "warmer", "1.5 K too hot", CANTERA_VALUE, "2227"),
    ("preflight.python-packages", "dies", "one package kills its process", CELERY, "celery"),
    ("preflight.python-packages", "folder", "an empty folder is left of one", FOLDER, "without a package"),
    ("preflight.python-version", "older", "the base image has 3.7", OLDER, "7"),
)


def sabotages() -> Iterator[Sabotage]:
    """All of this topic."""
    for line, name, what, files, because in CASES:
        yield Sabotage(line, name, what, in_the_image(files), because)
    line = "preflight.tools"
    yield Sabotage(
        line, "missing", "a program is not there", tools('squawk-of-nobody = ""'), "squawk-of-nobody"
    )
    yield Sabotage(line, "old", "a program is too old", tools('psql = "99"'), "expected 99 or newer")


def in_the_image(files: Mapping[str, str]) -> Switch:
    """The image has these files, before its own."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        paths = [world.folder / "image" / name for name in files]
        for path, text in zip(paths, files.values(), strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        try:
            yield
        finally:
            for path in paths:
                path.unlink()

    return on


def tools(entry: str) -> Switch:
    """The profile asks for another program."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        before = world.profile.read_text(encoding="utf-8")
        assert TOOLS in before
        world.profile.write_text(before.replace(TOOLS, f"[tools]\n{entry}\n"), encoding="utf-8")
        try:
            yield
        finally:
            world.profile.write_text(before, encoding="utf-8")

    return on
