"""What the migration rehearsal needs of NOX's repository."""

from pathlib import Path

from noxgate.machine.doctor import program
from noxgate.project.target import Target

NOX = Path(__file__).parents[2] / "src" / "nox_rehearsal" / "nox"
CATALOG = Path(__file__).parents[2] / "schema" / "8.0.0.toml"
MAJOR = int(program("postgres").parents[1].name)
TARGET = Target(
    name="target",
    path=Path("target.toml"),
    serves=("preflight",),
    base_url="https://localhost",
    plain_url="http://localhost",
    namespace="nox",
)

RESTORE = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", "{database}", "-f", "{file}")
