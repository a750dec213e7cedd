# ruff: noqa: ANN001, ANN201, ANN202, ANN204, PTH123, UP031
"""What an interpreter can import and compute, as one JSON document: python3 - [SECONDS] < this file.

The interpreter is the API's own, mostly inside a container, so this needs the standard library alone and
Python 3.6. Older ones, 2.7 too, understand enough to say which they are: hence no annotations, no f-strings.
Each package and each dependency has a process of its own, SECONDS at most. A crash, a hang or noise there
is one result, and the rest of the document is as it would have been.

The document is one line, wherever it stands in the output: MARK, the SHA-256 of the JSON, the JSON.
"""

import contextlib
import hashlib
import importlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MARK = "noxgate-science-document"
OLDEST = (3, 6)
SECONDS = 60.0  # for each process
AT_ONCE = 4  # processes, where there are as many cores
PACKAGES = (
    "numpy", "scipy", "pandas", "matplotlib", "requests", "flask",
    "sqlalchemy", "redis", "psycopg2", "celery", "pytest",
)  # fmt: skip
MOST_OUTPUT = 1000000  # bytes of a program's output that are read
LAST_WORDS = 300  # characters of an error or of noise that are kept

# The input of xtb's own documentation, "Singlepoint Calculations"; bohr.
WATER_BY_XTB = """$coord
 0.00000000000000      0.00000000000000     -0.73578586109551      o
 1.44183152868459      0.00000000000000      0.36789293054775      h
-1.44183152868459      0.00000000000000      0.36789293054775      h
$end
"""
WATER_BY_PSI4 = """
0 1
O
H 1 0.96
H 1 0.96 2 104.5
"""


def rdkit():
    # type: () -> tuple[object, float]
    """The exact mass of ethanol."""
    chem = importlib.import_module("rdkit.Chem")
    descriptors = importlib.import_module("rdkit.Chem.Descriptors")
    version = importlib.import_module("rdkit.rdBase").rdkitVersion
    return version, descriptors.ExactMolWt(chem.MolFromSmiles("CCO"))


def cantera():
    # type: () -> tuple[object, float]
    """The adiabatic flame temperature of methane in air, in kelvin."""
    program = importlib.import_module("cantera")
    gas = program.Solution("gri30.yaml")
    gas.TPX = 300.0, 101325.0, "CH4:1, O2:2, N2:7.52"
    gas.equilibrate("HP")
    return program.__version__, gas.T


def xtb():
    # type: () -> tuple[object, float]
    """The GFN2-xTB energy of water, in hartree."""
    version = re.search(r"xtb version (\S+)", _output(["xtb", "--version"]))
    _writable()
    with open("coord", "w") as file:
        file.write(WATER_BY_XTB)
    said = _output(["xtb", "coord", "--gfn", "2"])
    energies = re.findall(r"^\s*\| TOTAL ENERGY\s+(-?\d+\.\d+) Eh\s*\|\s*$", said, re.MULTILINE)
    if len(energies) != 1:
        raise ValueError("expected one line TOTAL ENERGY, saw %d" % len(energies))
    return version.group(1) if version else "", float(energies[0])


def psi4():
    # type: () -> tuple[object, float]
    """The density-fitted Hartree-Fock energy of water, in hartree, with memory and threads set."""
    _writable()
    program = importlib.import_module("psi4")
    program.core.be_quiet()
    program.set_memory("500 MB")
    program.set_num_threads(2)
    taken = program.core.get_memory(), program.core.get_num_threads()
    if taken != (500000000, 2):
        raise ValueError("set 500000000 bytes and 2 threads, has %s and %s" % taken)
    program.set_num_threads(1)  # on a busy core a second one costs more than it gives
    program.geometry(WATER_BY_PSI4)
    program.set_options({"basis": "cc-pvdz", "scf_type": "df", "e_convergence": 1e-8, "d_convergence": 1e-8})
    return program.__version__, program.energy("hf")


SCIENCE = {"rdkit": rdkit, "cantera": cantera, "xtb": xtb, "psi4": psi4}


def _output(command):
    # type: (list[str]) -> str
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = process.stdout.read(MOST_OUTPUT)
    if len(said) == MOST_OUTPUT:
        raise ValueError("%s prints without end" % " ".join(command))
    status = process.wait()
    text = said.decode("utf-8", "replace")
    if status != 0:
        raise ValueError("%s %s: %s" % (" ".join(command), _ending(status), _last_words(text)))
    return text


def _writable():
    # type: () -> None
    if not os.access(".", os.W_OK):
        raise ValueError("no folder for temporary files can be written: set TMPDIR to one")


# ---------------------------------------------------------------- one process for each


def _package(name):
    # type: (str) -> dict[str, object]
    module = importlib.import_module(name)
    if getattr(module, "__file__", None) is None:  # what is left of it: Python imports any folder
        raise ImportError("a folder without a package in it: %s" % ", ".join(getattr(module, "__path__", ())))
    version = str(getattr(module, "__version__", ""))
    return {"version": version.partition(" ")[0][:40]}


def _dependency(name):
    # type: (str) -> dict[str, object]
    version, value = SCIENCE[name]()
    value = float(value)
    if not abs(value) < float("inf"):  # nor is NaN
        raise ValueError("computes %s" % value)
    return {"version": str(version)[:40], "value": value}


class Child:
    """A process that does one thing, and says what came of it through a pipe of its own."""

    def __init__(self, part, name, folder, limit):
        # type: (str, str, str, float) -> None
        self.part = part
        self.name = name
        self.limit = limit
        self.started = time.monotonic()
        self.reaped = False
        self.pipes = {}  # type: dict[int, bytearray]
        self.said, said = self._pipe()
        self.noise, noise = self._pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _work(part, name, folder, said, noise)
        os.close(said)
        os.close(noise)
        self.open = [self.said, self.noise]

    def _pipe(self):
        # type: () -> tuple[int, int]
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self.pipes[reader] = bytearray()
        return reader, writer

    def read(self, pipe):
        # type: (int) -> None
        """Take in what a pipe holds; of noise, the end alone."""
        try:
            more = os.read(pipe, 65536)
        except BlockingIOError:
            return
        if not more:
            self.open.remove(pipe)
        self.pipes[pipe] += more
        if pipe == self.noise:
            del self.pipes[pipe][: -4 * LAST_WORDS]

    def result(self):
        # type: () -> dict[str, object] | None
        """What came of it; None while it runs."""
        seconds = time.monotonic() - self.started
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        late = pid == 0 and seconds > self.limit
        if pid == 0 and not late:
            return None
        self.reaped = pid != 0
        self.end()
        if late:
            os.waitpid(self.pid, 0)
        for pipe in list(self.open):
            self.read(pipe)
        for pipe in self.pipes:
            os.close(pipe)
        found = {"version": "", "error": None, "seconds": round(seconds, 3)}  # type: dict[str, object]
        said = bytes(self.pipes[self.said])
        if late:
            found["error"] = "no result in %g s" % self.limit
        elif status != 0 or not said:
            words = _last_words(bytes(self.pipes[self.noise]).decode("utf-8", "replace"))
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            ending = ("no result, " if status == 0 else "") + _ending(code)
            found["error"] = ending + (": " + words if words else "")
        else:
            found.update(json.loads(said.decode("ascii")))
        return found

    def end(self):
        # type: () -> None
        """End it, and what it started."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        if not self.reaped:  # it may have no group of its own yet
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)


def _work(part, name, folder, said, noise):
    # type: (str, str, str, int, int) -> None
    """The life of a child; it does not return."""
    status = 1
    try:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(noise, 1)
        os.dup2(noise, 2)
        os.chdir(folder)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.update(PSI_SCRATCH=folder, MPLCONFIGDIR=folder)  # nothing is left behind elsewhere
        sys.dont_write_bytecode = True
        try:
            found = _dependency(name) if part == "science" else _package(name)
        except BaseException as error:  # noqa: BLE001 (every error is the result)
            found = {"error": " ".join(("%s: %s" % (type(error).__name__, error)).split())[:LAST_WORDS]}
        os.write(said, json.dumps(found).encode("ascii"))
        status = 0
    finally:
        os._exit(status)


def _ending(status):
    # type: (int) -> str
    if status >= 0:
        return "ended with status %d" % status
    names = [one.name for one in signal.Signals if one == -status]
    return "killed by %s" % "".join(names[:1] or ["signal %d" % -status])


def _last_words(text):
    # type: (str) -> str
    return " ".join(text.split())[-LAST_WORDS:]


# ---------------------------------------------------------------- the document


def document(limit):
    # type: (float) -> dict[str, object]
    """The whole document."""
    found = {"python": list(sys.version_info[:3]), "executable": sys.executable or ""}  # type: dict[str, object]
    if sys.version_info < OLDEST:
        return found
    try:
        folder = tempfile.mkdtemp(prefix="noxgate-science-")
    except OSError:
        folder = None  # what needs one will say so
    # the slowest first
    tasks = [("science", name) for name in ("psi4", "cantera", "rdkit", "xtb")]
    tasks += [("packages", name) for name in PACKAGES]
    try:
        found.update(_run(tasks, folder, limit))
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    return found


def _run(tasks, folder, limit):
    # type: (list[tuple[str, str]], str | None, float) -> dict[str, dict[str, object]]
    """Every task's result, by part and name; some run at a time."""
    results = {}  # type: dict[str, dict[str, object]]
    running = []  # type: list[Child]
    waiting = list(reversed(tasks))
    at_once = min(AT_ONCE, os.cpu_count() or 1)

    def stop(number, _frame):
        # type: (int, object) -> None
        for child in running:
            child.end()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    while waiting or running:
        while waiting and len(running) < at_once:
            part, name = waiting.pop()
            own = "/" if folder is None else tempfile.mkdtemp(prefix=name + "-", dir=folder)
            running.append(Child(part, name, own, limit))
        pipes = {pipe: child for child in running for pipe in child.open}
        for pipe in select.select(list(pipes), [], [], 0.02)[0]:
            pipes[pipe].read(pipe)
        for child in list(running):
            result = child.result()
            if result is not None:
                running.remove(child)
                results.setdefault(child.part, {})[child.name] = result
    return results


def main(arguments):
    # type: (list[str]) -> None
    """Print the document."""
    text = json.dumps(document(float(arguments[0]) if arguments else SECONDS), sort_keys=True)
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()
    sys.stdout.write("\n%s %s %s\n" % (MARK, digest, text))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.path[:] = [folder for folder in sys.path if folder]  # a module of the working folder shadows nothing
    main(sys.argv[1:])
