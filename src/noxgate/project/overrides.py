"""What the environment says otherwise than a profile: only what the profile allows by name may count."""

from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from noxgate.errors import ProfileError
from noxgate.project import profile_values as values
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.evidence import OVERRIDABLE

# The runbook's own variables and the setting that each replaces. Credentials come by variable already.
OVERRIDES = {variable: variable.lower() for variable in OVERRIDABLE}


def apply(
    path: Path, document: MutableMapping[str, Any], environment: Mapping[str, str]
) -> Mapping[str, str]:
    """Replace settings of a profile; variable -> value, of those that say something else than the profile."""
    found = {}
    for variable, key in OVERRIDES.items():
        given = environment.get(variable)
        if given and not _is_same(path, key, document.get(key), given):
            found[variable] = given
            document[key] = given
    return found


def allowed(path: Path, document: Mapping[str, Any]) -> tuple[str, ...]:
    """The variables that may say something else than the profile; ProfileError with one line.

    Where it names no kubeconfig, KUBECONFIG contradicts nothing.
    """
    named = document.get("overrides", KEYS["overrides"].default)
    if not all(isinstance(each, str) and each in OVERRIDES for each in named):
        raise ProfileError(f"{path.name}: overrides: expected some of {', '.join(OVERRIDES)}, saw {named!r}")
    return (*named, *(() if "kubeconfig" in document else ("KUBECONFIG",)))


def _is_same(path: Path, key: str, named: Any, given: str) -> bool:
    """Whether the environment says what the profile does."""
    if key == "base_url" and isinstance(named, str):
        with suppress(ProfileError):  # which is said when it is read
            return values.url(path, key, named, "https") == values.url(path, key, given, "https")
    if key == "kubeconfig" and isinstance(named, str):
        return str(Path(named).expanduser()) == str(Path(given).expanduser())
    return bool(named == given)
