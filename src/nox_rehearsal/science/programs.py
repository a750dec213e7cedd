"""xtb and Psi4 as child processes: input files in, energies out; nothing is computed here."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

from nox_rehearsal.science.molecules import geometry

LAST_WORDS = 300  # characters of a program's output that explain a failure


class ProgramError(Exception):
    """The program is missing, failed, took too long, or its answer cannot be read."""


async def run_xtb(job: dict[str, Any], limit: float) -> dict[str, Any]:
    """A single point by xtb: `energy` in Eh, `forces` (minus the gradient) in Eh/bohr, atom by atom."""
    atoms = geometry(job["molecule"]).strip().splitlines()
    level = {"GFN1-xTB": "1", "GFN2-xTB": "2"}[job["method"]]
    with tempfile.TemporaryDirectory(prefix="nox-xtb-") as name:
        folder = Path(name)
        folder.joinpath("input.xyz").write_text("\n".join([str(len(atoms)), "", *atoms, ""]))
        await _run(["xtb", "input.xyz", "--gfn", level, "--grad"], folder, limit)
        numbers = _engrad(_read(folder / "input.engrad"), len(atoms))
    result: dict[str, Any] = {"program": "xtb", "method": job["method"], "atoms": atoms}
    if "energy" in job["properties"]:
        result |= {"energy": numbers[0], "energy_unit": "Eh"}
    if "forces" in job["properties"]:
        forces = [[0.0 - value for value in numbers[i : i + 3]] for i in range(1, len(numbers), 3)]
        result |= {"forces": forces, "forces_unit": "Eh/bohr"}
    return result


async def run_psi4(job: dict[str, Any], limit: float) -> dict[str, Any]:
    """A single point by Psi4, density fitted: `energy` in Eh."""
    atoms = geometry(job["geometry"]).strip().splitlines()
    # every value below comes from a list in jobs.py or is a number: the input file is a program
    script = [
        "memory 500 MB",
        "molecule {",
        "0 1",
        *atoms,
        "units angstrom",
        "}",
        f"set basis {job['basis']}",
        "set scf_type df",
        f"found = energy('{job['method'].lower()}')",
        "import json",
        "json.dump({'energy': found, 'version': psi4.__version__}, open('result.json', 'w'))",
        "",
    ]
    with tempfile.TemporaryDirectory(prefix="nox-psi4-") as name:
        folder = Path(name)
        folder.joinpath("input.dat").write_text("\n".join(script))
        await _run(["psi4", "-n", "1", "-i", "input.dat", "-o", "output.dat"], folder, limit)
        try:
            found = json.loads(_read(folder / "result.json"))
        except ValueError:
            raise ProgramError("psi4 wrote no energy") from None
    return {
        "program": f"psi4 {found['version']}",
        "method": job["method"],
        "basis": job["basis"],
        "atoms": atoms,
        "energy": found["energy"],
        "energy_unit": "Eh",
    }


async def _run(command: list[str], folder: Path, limit: float) -> None:
    """Run in `folder` on one core. Raises ProgramError unless it ends well within `limit` seconds."""
    program = shutil.which(command[0])
    if program is None:
        raise ProgramError(f"{command[0]} is not installed")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "PSI_SCRATCH": str(folder),
        "OMP_NUM_THREADS": "1",
        "OMP_STACKSIZE": "512M",
    }
    said = folder / "said.txt"
    with said.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            *command[1:],
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            raise ProgramError(f"{command[0]} took more than {limit:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
    if status != 0:
        last = " ".join(said.read_text(errors="replace").split())[-LAST_WORDS:]
        raise ProgramError(f"{command[0]} ended with status {status}: {last}")


def _engrad(text: str, atoms: int) -> list[float]:
    """The energy and 3N gradient components of an ORCA engrad file, as xtb writes it."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        numbers = [float(line) for line in lines[1 : 2 + 3 * atoms]]
    except ValueError:
        numbers = []
    if lines[:1] != [str(atoms)] or len(numbers) != 1 + 3 * atoms:
        raise ProgramError("xtb wrote no gradient")
    return numbers


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise ProgramError(f"{path.stem}: the program wrote no result") from None
