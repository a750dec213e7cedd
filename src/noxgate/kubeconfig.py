"""The secrets in a kubeconfig: what no report may show, besides what the profile names."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from noxgate.secret import FRAGMENT, Secret

DEFAULT = "~/.kube/config"
NAME = "KUBECONFIG's credentials"  # as "would have shown $…"; no variable's name, since it is in a file
KEYS = ("token", "password", "client-key-data")
ENOUGH = 200  # characters of a key, from its middle: its beginning is that of every key


def kubeconfig_secrets(files: str | None) -> list[Secret]:
    """Tokens, passwords and keys of every user in these files; nothing of a file that cannot be read.

    What cannot be read here cannot be used either: the lines that need the cluster are unreachable.
    """
    found: dict[str, Secret] = {}
    for name in (files or str(Path(DEFAULT).expanduser())).split(os.pathsep):
        for user in _users(Path(name)):
            for value in _values(user, Path(name).parent):
                found[value] = Secret(NAME, value)
    return list(found.values())


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
