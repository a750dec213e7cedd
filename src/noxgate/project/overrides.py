"""What the environment says otherwise than a profile: only what the profile allows by name may count."""

import os
import re
import ssl
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from noxgate.errors import ProfileError
from noxgate.project import profile_values as values
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.evidence import AUTHORITIES, OVERRIDABLE, PROXY

# The runbook's own variables and the setting that each replaces. Credentials come by variable already.
OVERRIDES = {variable: variable.lower() for variable in OVERRIDABLE}
_TOOLS = ("prometheus_url", "alertmanager_url", "grafana")
_SYSTEMS = ("/etc/", "/usr/", "/nix/store/")  # where an administrator, or the distribution, puts authorities


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
    known = (*OVERRIDES, *AUTHORITIES, PROXY)
    if not all(isinstance(each, str) and each in known for each in named):
        raise ProfileError(f"{path.name}: overrides: expected some of {', '.join(known)}, saw {named!r}")
    return (*named, *(() if "kubeconfig" in document else ("KUBECONFIG",)))


def believed(document: Mapping[str, Any], environment: Mapping[str, str]) -> Mapping[str, str]:
    """Variables that say whose answers are believed, with what they say; those of the system say nothing."""
    found: dict[str, str] = {}
    for variable in AUTHORITIES if "ca_file" not in document else ():
        others = [one for one in environment.get(variable, "").split(os.pathsep) if one and not _systems(one)]
        found |= {variable: os.pathsep.join(others)} if others else {}
    addresses = [document.get(name) for name in _TOOLS]
    urls = [str(one.get("url") if isinstance(one, Mapping) else one) for one in addresses]
    plain = [url for url in urls if url.startswith("http://") and not values.is_loopback(url)]
    proxies = getproxies()
    asked = [url for url in plain if not proxy_bypass(urlsplit(url).hostname or "")]
    if asked and (proxy := proxies.get("http") or proxies.get("all")):
        found[PROXY] = re.sub(r"//[^/]*@", "//", proxy)
    return found


def _systems(path: str) -> bool:
    """Whether the machine's administrator put it there."""
    paths = ssl.get_default_verify_paths()
    real = os.path.realpath(path)
    return f"{real}/".startswith(_SYSTEMS) or path in {paths.openssl_cafile, paths.openssl_capath}


def _is_same(path: Path, key: str, named: Any, given: str) -> bool:
    """Whether the environment says what the profile does."""
    if key == "base_url" and isinstance(named, str):
        with suppress(ProfileError):  # which is said when it is read
            return values.url(path, key, named, "https") == values.url(path, key, given, "https")
    if key == "kubeconfig" and isinstance(named, str):
        return str(Path(named).expanduser()) == str(Path(given).expanduser())
    return bool(named == given)
