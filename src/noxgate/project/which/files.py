"""The file of a profile, found by its name and read, and the variables of the file beside it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from noxgate.errors import ProfileError
from noxgate.look.documents import of_toml
from noxgate.project.keys.reading import guess
from noxgate.project.keys.release import RECORD_FILE
from noxgate.project.profile_values import file


def file_of(root: Path, name: str, beside: Path | None = None) -> Path:
    """The file of a profile; a path in another profile is seen from there."""
    folder = root / "targets"
    path = folder / f"{name}.toml"
    if name.endswith(".toml"):
        path = Path(name) if beside is None else beside.parent / name
    with suppress(OSError):  # such as a name that is too long
        if path.is_file():
            return path
    known = sorted(found.stem for found in folder.glob("*.toml") if found.name != RECORD_FILE)
    if name == "rehearsal":
        raise ProfileError(
            "target 'rehearsal' is not up: start it with `noxgate rehearse up`, or name --target"
        )
    if name.endswith(".toml"):
        raise ProfileError(f"{path}: no such file: expected the path of a profile, or its name in targets/")
    listed = f"targets: {', '.join(known)}" if known else f"{folder} has no profiles"
    raise ProfileError(f"no target {name!r} ({listed}){guess(name, known)}")


def document_of(path: Path) -> dict[str, Any]:
    try:
        return of_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path.name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path.name}: expected UTF-8 text: {error.reason}") from None
    except ValueError as error:
        raise ProfileError(f"{path.name}: {error}") from None


def variables_of(
    path: Path, document: Mapping[str, Any], environment: Mapping[str, str], prefix: str, *, rehearsal: bool
) -> dict[str, str]:
    """Variables by name. A rehearsal reads its own file only, lest its checks look at a real target."""
    given = {} if rehearsal else {name: value for name, value in environment.items() if value}
    if "env_file" not in document:
        return given
    found = file(path, "env_file", document["env_file"])
    try:
        lines = found.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ProfileError(f"{path.name}: env_file: {found} cannot be read as UTF-8 text") from None
    from_file = {}
    for number, line in enumerate(lines, start=1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or name.startswith("#"):
            continue
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ProfileError(f"{found.name}:{number}: expected NAME=value")
        if value:
            from_file[prefix + name] = value
    return from_file | given
