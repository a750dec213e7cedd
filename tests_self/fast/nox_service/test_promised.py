"""What the manifests bring along is not missing; a Secret that a controller has yet to make is not known."""

from typing import Any

import pytest

from nox_service.pods.promised import Promises
from noxgate.errors import UnreachableError
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.pod_spec import Reference

Json = dict[str, Any]
KEY, OTHER = Reference("Secret", "made", "key"), Reference("Secret", "made", "other")
WHOLE = Reference("Secret", "made", None)


def document(kind: str, name: str = "made", **content: Any) -> Document:
    return Document("a.yaml", 1, kind, name, None, {"kind": kind, "metadata": {"name": name}, **content})


def external(name: str = "made", target: Json | None = None, **spec: Any) -> Document:
    return document("ExternalSecret", name, spec={**spec, **({"target": target} if target else {})})


DATA = [{"secretKey": "key", "remoteRef": {"key": "nox", "property": "a"}}]
OBJECTS = [{"secretName": "made", "data": [{"key": "key", "objectName": "a"}]}]


@pytest.mark.parametrize(
    "manifest",
    [
        external(data=DATA),
        external("another", {"name": "made"}, data=DATA),
        external(target={"template": {"data": {"key": "{{ .a }}"}}}, data=[]),
        document("SealedSecret", spec={"encryptedData": {"key": "AgB"}}),
        document(
            "SealedSecret",
            "another",
            spec={"encryptedData": {"key": "AgB"}, "template": {"metadata": {"name": "made"}}},
        ),
        document("SecretProviderClass", "another", spec={"secretObjects": OBJECTS}),
        document("Secret", data={"key": "YQ=="}),
        document("Secret", stringData={"key": "a"}),
    ],
)
def test_a_key_that_a_manifest_names(manifest: Document) -> None:
    """The key that it does not name is missing now, and will be."""
    promises = Promises([document("Service"), manifest])

    assert promises.broken([KEY, WHOLE]) == []
    assert promises.broken([OTHER, KEY]) == ["Secret made key other"]
    with pytest.raises(UnreachableError, match=rf"^not made yet, .*: Secret made by {manifest.kind} "):
        promises.refuse_unmade([KEY])


@pytest.mark.parametrize(
    "manifest",
    [
        external(dataFrom=[{"extract": {"key": "nox"}}]),
        external(target={"template": {"templateFrom": [{}]}}, data=DATA),
        document("VaultStaticSecret", "another", spec={"destination": {"name": "made", "create": True}}),
    ],
)
def test_keys_that_no_manifest_names(manifest: Document) -> None:
    promises = Promises([manifest])

    assert promises.broken([KEY, OTHER, WHOLE]) == []
    with pytest.raises(UnreachableError, match=r"apply these manifests before the release$"):
        promises.refuse_unmade([OTHER])


@pytest.mark.parametrize(
    "manifests",
    [
        [],
        [external("another", data=DATA)],
        [external("made", {"name": "another"}, data=DATA)],
        [document("ConfigMap", data={"key": "a"})],
        [document("SecretProviderClass", spec={"parameters": {}})],  # it is mounted alone
        [document("ExternalSecret", spec=None)],
    ],
)
def test_no_promise(manifests: list[Document]) -> None:
    promises = Promises(manifests)

    assert promises.broken([KEY]) == ["Secret made key key"]
    promises.refuse_unmade([KEY])


def test_a_config_map_is_no_secret() -> None:
    """What is in it is known."""
    promises = Promises([document("ConfigMap", data={"key": "a"}, binaryData={"b": "YQ=="})])
    wanted = [Reference("ConfigMap", "made", key) for key in ("key", "b", None)]

    assert promises.broken([*wanted, Reference("ConfigMap", "made", "c")]) == ["ConfigMap made key c"]
    promises.refuse_unmade(wanted)


def test_a_certificate_has_its_three_keys() -> None:
    promises = Promises([document("Certificate", "another", spec={"secretName": "made"})])

    assert promises.broken([Reference("Secret", "made", "tls.key"), KEY]) == ["Secret made key key"]
