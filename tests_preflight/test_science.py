"""Runbook 1, environment dependencies: the image's own Python imports and computes, and computes rightly.

One script is fed to the interpreter that the profile names, once for all of these checks.
"""

import pytest

from nox_service.science import Science
from noxgate.project.runbook import Limits


@pytest.mark.runbook("preflight.science-rdkit")
def test_rdkit_knows_ethanol(science: Science, limits: Limits) -> None:
    """The mass of CCO, from the isotopes' masses in RDKit's own table."""
    assert science.value("rdkit") == pytest.approx(limits["mass"], rel=0, abs=limits["tolerance"])


@pytest.mark.runbook("preflight.science-psi4")
def test_psi4_computes_water(science: Science, limits: Limits) -> None:
    """An import alone proves little: 500 MB and two threads are set and read back, then water is computed."""
    assert science.value("psi4") == pytest.approx(limits["hartree"], rel=0, abs=limits["tolerance"])


@pytest.mark.runbook("preflight.science-cantera")
def test_cantera_burns_methane(science: Science, limits: Limits) -> None:
    """The runbook's gri30.yaml and TPX line, then equilibrium at constant enthalpy and pressure."""
    assert science.value("cantera") == pytest.approx(limits["kelvin"], rel=0, abs=limits["tolerance"])


@pytest.mark.runbook("preflight.science-xtb")
def test_xtb_computes_water(science: Science, limits: Limits) -> None:
    """The runbook's `xtb --version`, then a single point on the geometry of xtb's own documentation."""
    assert science.value("xtb") == pytest.approx(limits["hartree"], rel=0, abs=limits["tolerance"])


@pytest.mark.runbook("preflight.python-version")
def test_python_is_new_enough(science: Science, limits: Limits) -> None:
    """The image's Python, not that of the machine where this runs."""
    python = science.python()

    assert python[:2] >= (limits["major"], limits["minor"])


@pytest.mark.runbook("preflight.python-packages")
def test_every_package_imports(science: Science, limits: Limits) -> None:
    """Each in a process of its own: a package that kills its process is named, and the others are judged."""
    packages = science.packages()

    assert {name: found.error for name, found in packages.items() if found.error is not None} == {}
    assert len(packages) == limits["packages"]
