"""The secrets in a kubeconfig: what reports must not show, in addition to what the profile names."""

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noxgate.look.secret import Secret
from noxgate.look.written.spellings import FRAGMENT
from noxgate.project.credentials.in_files import of_pod, token_in

DEFAULT = "~/.kube/config"
NAME = "KUBECONFIG's credentials"  # as "would have shown $…"; no variable's name, since it is in a file
KEYS = ("token", "password", "client-key-data")
ENOUGH = 200  # characters of a key, from its middle: its beginning is that of every key


def kubeconfig_secrets(files: str | None) -> list[Secret]:
    """Tokens, passwords and keys of every user in these files; nothing of a file that cannot be read.

    What cannot be read here cannot be used either: the lines that need the cluster are unreachable.
    """
    found: dict[str, Secret] = {}
    if pod := of_pod():
        with suppress(OSError, ValueError):
            token = token_in(pod.token)
            found[token] = Secret(NAME, token)
    for name in (files or str(Path(DEFAULT).expanduser())).split(os.pathsep):
        for user in _users(Path(name)):
            for value in _values(user, Path(name).parent):
                found[value] = Secret(NAME, value)
    return list(found.values())


@dataclass(frozen=True)
class Cluster:
    """Where an API server is, and the proxy that a kubeconfig names on the way to it."""

    server: str
    proxy: str = ""


def clusters(files: Sequence[str]) -> Mapping[str | None, Cluster]:
    """The API server of each context, of the current one under None; nothing of a broken file.

    Without any file, the one that a pod is given.
    """
    import yaml  # noqa: PLC0415 (as below)

    if (pod := of_pod()) and not any(Path(name).is_file() for name in files):
        return {None: Cluster(pod.server)}
    servers: dict[str, Cluster] = {}
    contexts: dict[str, str] = {}
    current: str | None = None
    for name in files:
        try:
            document = yaml.safe_load(Path(name).read_bytes())
            here = {
                each["name"]: Cluster(
                    str(each["cluster"]["server"]), str(each["cluster"].get("proxy-url") or "")
                )
                for each in document["clusters"] or ()
            }
            led = {each["name"]: str(each["context"]["cluster"]) for each in document["contexts"] or ()}
        except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError):
            continue
        servers, contexts = here | servers, led | contexts  # of several files, the first counts
        current = current or document.get("current-context")
    found: dict[str | None, Cluster] = {
        context: servers[cluster] for context, cluster in contexts.items() if cluster in servers
    }
    if current in found:
        found[None] = found[current]
    return found


def authorities(files: Sequence[Path]) -> Mapping[str | None, str]:
    """What vouches for the API server of each context, in PEM form; of the current one under None."""
    import yaml  # noqa: PLC0415 (as below)

    if (pod := of_pod()) and not any(file.is_file() for file in files):
        with suppress(OSError, ValueError):
            return {None: pod.authority.read_text(encoding="utf-8")}
    known: dict[str, str] = {}
    contexts: dict[str, str] = {}
    current: str | None = None
    for file in files:
        try:
            document = yaml.safe_load(file.read_bytes())
            here = {
                each["name"]: _authority(each["cluster"], file.parent) for each in document["clusters"] or ()
            }
            led = {each["name"]: str(each["context"]["cluster"]) for each in document["contexts"] or ()}
        except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError):
            continue
        known, contexts = here | known, led | contexts  # of several files, the first counts
        current = current or document.get("current-context")
    found: dict[str | None, str] = {
        context: known[cluster] for context, cluster in contexts.items() if cluster in known
    }
    return found | ({None: found[current]} if current in found else {})


def _authority(cluster: Mapping[str, Any], folder: Path) -> str:
    if isinstance(data := cluster.get("certificate-authority-data"), str):
        return base64.b64decode(data).decode("ascii", "replace")
    if isinstance(file := cluster.get("certificate-authority"), str):
        return (folder / file).read_text(encoding="utf-8")
    return ""


def _users(path: Path) -> Iterator[Mapping[str, Any]]:
    import yaml  # noqa: PLC0415 (not for those who only ask for help)

    try:
        document = yaml.safe_load(path.read_bytes())
        users = [entry["user"] for entry in document["users"] or ()]
    except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError):
        return
    yield from (user for user in users if isinstance(user, Mapping))


def _values(user: Mapping[str, Any], folder: Path) -> Iterator[str]:
    texts = [user[key] for key in KEYS if isinstance(user.get(key), str)]
    if isinstance(user.get("tokenFile"), str):
        with suppress(OSError, ValueError):
            texts.append((folder / user["tokenFile"]).read_text(encoding="utf-8").strip())
    for text in texts:
        middle = max(0, (len(text) - ENOUGH) // 2)
        value = text if len(text) <= 2 * ENOUGH else text[middle : middle + ENOUGH]
        if len(value) >= FRAGMENT:
            yield value
