"""What the migration rehearsal needs of NOX's repository."""

from pathlib import Path

from noxgate.machine.doctor import program

NOX = Path(__file__).parents[2] / "src" / "nox_rehearsal" / "nox"
CATALOG = Path(__file__).parents[2] / "schema" / "8.0.0.toml"
MAJOR = int(program("postgres").parents[1].name)
RESTORE = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", "{database}", "-f", "{file}")
