"""Secrets and ConfigMaps that the manifests bring along: they are there once the manifests are applied.

Of what a controller makes of them, such as the External Secrets operator, no value is known before that.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import Reference

Json = Mapping[str, Any]

TLS = frozenset({"tls.crt", "tls.key", "ca.crt"})
_OF_VAULT = {"VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret"}


@dataclass(frozen=True)
class Promise:
    """What will be there, by which manifest, and its keys; None if the manifest leaves them open."""

    kind: str
    name: str
    by: str
    keys: frozenset[str] | None

    def has(self, key: str | None) -> bool:
        return key is None or self.keys is None or key in self.keys


class Promises:
    """What all manifests promise."""

    def __init__(self, manifests: Iterable[Document]) -> None:
        self._found = [promise for each in manifests for promise in _of(each.kind, each.name, each.content)]

    def of(self, reference: Reference) -> Promise | None:
        """The one that a pod's reference waits for; None if none will bring it."""
        return next(
            (
                each
                for each in self._found
                if (each.kind, each.name) == (reference.kind, reference.name) and each.has(reference.key)
            ),
            None,
        )

    def broken(self, absent: Iterable[Reference]) -> list[str]:
        """Of what is absent now, what no manifest brings."""
        return [str(each) for each in absent if self.of(each) is None]

    def refuse_unmade(self, absent: Iterable[Reference]) -> None:
        """Raises UnreachableError if a Secret has yet to be made: nothing can be said of its values."""
        found = {(each.name, made.by): None for each in absent if (made := self.of(each)) is not None}
        secrets = [f"Secret {name} by {by}" for name, by in found if not by.startswith("ConfigMap ")]
        if secrets:
            raise UnreachableError(
                f"not made yet, so that their values are not known: {', '.join(secrets)}: "
                "apply these manifests before the release"
            )


def _of(kind: str, name: str, content: Json) -> Iterator[Promise]:
    spec, by = content.get("spec") or {}, f"{kind} {name}"
    if kind == "ConfigMap":
        yield Promise("ConfigMap", name, by, _keys(content, "data", "binaryData"))
    elif kind == "Secret":
        yield Promise("Secret", name, by, _keys(content, "data", "stringData"))
    elif kind == "ExternalSecret":
        target = spec.get("target") or {}
        template = target.get("template") or {}
        keys = {str(each.get("secretKey")) for each in spec.get("data") or []} | _keys(template, "data")
        is_open = bool(spec.get("dataFrom") or template.get("templateFrom"))
        yield Promise("Secret", target.get("name") or name, by, None if is_open else frozenset(keys))
    elif kind == "SealedSecret":
        made = (spec.get("template") or {}).get("metadata") or {}
        yield Promise("Secret", made.get("name") or name, by, _keys(spec, "encryptedData"))
    elif kind == "SecretProviderClass":
        for each in spec.get("secretObjects") or []:
            keys = {str(item.get("key")) for item in each.get("data") or []}
            yield Promise("Secret", str(each.get("secretName")), by, frozenset(keys))
    elif kind == "Certificate":
        yield Promise("Secret", str(spec.get("secretName")), by, TLS)
    elif kind in _OF_VAULT:
        yield Promise("Secret", str((spec.get("destination") or {}).get("name")), by, None)


def _keys(thing: Json, *parts: str) -> frozenset[str]:
    return frozenset(str(key) for part in parts for key in thing.get(part) or {})
