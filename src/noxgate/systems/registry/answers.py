"""Container images as a registry describes them, read strictly: manifests, configurations, bases."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from noxgate.look.observation import shortened
from noxgate.systems.registry.names import DIGEST
from noxgate.systems.registry.platforms import closeness, platform_of, runs_on

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
CONFIGURATIONS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
BASE_DIGEST = "org.opencontainers.image.base.digest"
REVISION = "org.opencontainers.image.revision"
_ATTESTS = "vnd.docker.reference.type"

_ENDS_A_BASE = re.compile(r"\b(CMD|ENTRYPOINT)\b")  # as `docker history` shows instructions
_NEVER = 1  # the year of Go's zero time


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says of a blob, or an index of a manifest."""

    digest: str
    size: int
    media_type: str
    platform: str = ""  # linux/amd64; "" where the index does not say
    is_attestation: bool = False  # what a builder says of an image, beside it in the index


@dataclass(frozen=True)
class Manifest:
    """An image's manifest; an index has `images` instead of the rest."""

    is_index: bool
    config: Descriptor | None = None
    layers: tuple[str, ...] = ()
    images: tuple[Descriptor, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Image:
    """One platform's image. `digest` is what the reference names: where that is an index, the index's.

    `history` has the instructions that made it, each with whether it made a layer.
    """

    digest: str
    manifest_digest: str
    config_digest: str
    created: datetime | None
    architecture: str
    os: str
    layers: tuple[str, ...]
    diff_ids: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    labels: Mapping[str, str] = field(repr=False)
    annotations: Mapping[str, str] = field(repr=False)
    history: tuple[tuple[str, bool], ...] = field(repr=False)
    variant: str = ""

    @property
    def platform(self) -> str:
        """As its own configuration says: linux/amd64."""
        return platform_of({"os": self.os, "architecture": self.architecture, "variant": self.variant})


def bases(images: Sequence[Image]) -> dict[str, str]:
    """The bases of images, by their digests: as all of them say, or where one does not, by all their layers.

    What a label says and what stands for layers are never equal, though the base may be.
    """
    by_layers = any(_named_base(image) is None for image in images)
    return {image.digest: base(image, by_layers=by_layers) for image in images}


def base(image: Image, *, by_layers: bool = False) -> str:
    """The digest of the base image, as the image says itself; else what stands for its leading layers.

    Nothing marks where a base ends. A base usually ends with its own CMD or ENTRYPOINT: the layers before the
    last of these that a layer follows are taken. They are named by their chain id, one digest for layers in a
    row (OCI image specification, Layer ChainID). An image that names its ENTRYPOINT before it copies the
    application has no base in common with any other by this rule, so the label is better. Where there is
    neither, an AssertionError: the first layer alone is the same in many bases.
    """
    named = _named_base(image)
    if named is not None and not by_layers:
        if not DIGEST.fullmatch(named):
            seen = shortened(named, 80) or "nothing"
            raise AssertionError(f"{BASE_DIGEST} of {image.digest}: expected sha256:…, saw {seen}")
        return named
    leading = _leading(image)
    if leading is None:
        raise AssertionError(
            f"the base of {image.digest}: expected the label {BASE_DIGEST}, or a history in which the base "
            "ends with a CMD or ENTRYPOINT, saw neither"
        )
    return leading


def _leading(image: Image) -> str | None:
    layers = end = 0
    for instruction, makes_layer in image.history:
        if makes_layer:
            layers += 1
        elif _ENDS_A_BASE.search(instruction) and layers < len(image.diff_ids):
            end = layers
    if not end:
        return None
    chain = image.diff_ids[0]
    for diff_id in image.diff_ids[1:end]:
        chain = digest_of(f"{chain} {diff_id}".encode())
    return chain


def _named_base(image: Image) -> str | None:
    """By a label of its configuration, or where buildah and crane write it: an annotation of its manifest."""
    return image.labels.get(BASE_DIGEST, image.annotations.get(BASE_DIGEST))


def digest_of(content: bytes, like: str = "sha256:") -> str:
    """By the algorithm of another digest."""
    algorithm = hashlib.sha512 if like.startswith("sha512:") else hashlib.sha256
    return f"{algorithm().name}:{algorithm(content).hexdigest()}"


def summary(image: Image) -> str:
    """For people. Of the variables only versions: the others may be secret."""
    versions = [
        f"{name}={value}"
        for name, value in image.environment.items()
        if name.endswith("_VERSION") and re.fullmatch(r"[\w.+-]{1,40}", value)
    ]
    revision = image.labels.get(REVISION)
    leading, named = _leading(image), _named_base(image)
    by_layers = f"base {leading} (by its layers)" if leading else "no base to be told from the rest"
    return "; ".join(
        [
            f"{image.os}/{image.architecture}, {len(image.layers)} layers",
            f"created {image.created:%Y-%m-%d %H:%M} UTC" if image.created else "no date",
            ", ".join(versions) or "no version of a runtime",
            by_layers if named is None else f"base {named}",
            f"revision {revision}" if revision else "no revision",
        ]
    )


def read_manifest(content: bytes, content_type: str) -> Manifest:
    """A manifest or an index.

    Raises ValueError if it is neither, or says of itself that it is something else.
    """
    document = _object(json.loads(content))
    served = content_type.partition(";")[0].strip().lower()
    own = document.get("mediaType")
    kind = served if served in MANIFESTS + INDEXES else str(own or _shape(document) or served)
    if document.get("schemaVersion") != 2:  # noqa: PLR2004 (what both specifications say)
        raise ValueError(f"schema version {document.get('schemaVersion')!r}, not 2")
    if kind not in MANIFESTS + INDEXES:
        raise ValueError(f"the type {kind or 'of nothing'}")
    if own is not None and (own in INDEXES, own in MANIFESTS) != (kind in INDEXES, kind in MANIFESTS):
        raise ValueError(f"{own} served as {served}")
    is_index = kind in INDEXES
    if is_index == ("layers" in document or "config" in document) or is_index != ("manifests" in document):
        raise ValueError("a manifest and an index in one")
    if is_index:
        return Manifest(is_index=True, images=tuple(map(_descriptor, document["manifests"])))
    return Manifest(
        is_index=False,
        config=_descriptor(document["config"]),
        layers=tuple(_descriptor(layer).digest for layer in document["layers"]),
        annotations=_texts(document.get("annotations")),
    )


def candidates(entries: Sequence[Descriptor], wanted: str, known: set[str]) -> list[Descriptor]:
    """The entries of an index that may be for a platform, the closest first; `known` gets the others'.

    An unknown type is ignored, as the specification wants it.
    """
    images = [each for each in entries if each.media_type in MANIFESTS + INDEXES and not each.is_attestation]
    ours = [each for each in images if not each.platform or runs_on(each.platform, wanted)]
    known |= {each.platform for each in images if each.platform and each not in ours}
    return sorted(ours, key=lambda each: closeness(each.platform, wanted), reverse=True)


def _shape(document: Mapping[str, Any]) -> str | None:
    """The type by what it has, where neither it nor the registry says: OCI's manifests need not."""
    if "manifests" in document:
        return INDEXES[0]
    return MANIFESTS[0] if {"config", "layers"} <= document.keys() else None


def is_image(manifest: Manifest) -> bool:
    """Whether it is of a container image, and not of a chart, a signature or an attestation."""
    return manifest.config is not None and manifest.config.media_type in CONFIGURATIONS


def read_image(digest: str, manifest_digest: str, manifest: Manifest, content: bytes) -> Image:
    """What an image's configuration says. Raises ValueError if it does not go with the manifest."""
    document = _object(json.loads(content))
    settings = _object(document.get("config") or {})
    diff_ids = tuple(_digest(one) for one in document["rootfs"]["diff_ids"])
    if len(diff_ids) != len(manifest.layers) or not diff_ids:
        raise ValueError(f"{len(diff_ids)} diff ids for {len(manifest.layers)} layers")
    pairs = [str(entry).partition("=") for entry in settings.get("Env") or []]
    created = datetime.fromisoformat(document["created"]) if document.get("created") else None
    return Image(
        digest=digest,
        manifest_digest=manifest_digest,
        config_digest=digest_of(content),
        created=None if created is None or created.year == _NEVER else created,
        architecture=str(document.get("architecture") or ""),
        os=str(document.get("os") or ""),
        layers=manifest.layers,
        diff_ids=diff_ids,
        environment={name: value for name, _, value in pairs},
        labels=_texts(settings.get("Labels")),
        annotations=manifest.annotations,
        history=tuple(
            (str(step.get("created_by", "")), not step.get("empty_layer", False))
            for step in document.get("history") or []
        ),
        variant=str(document.get("variant") or ""),
    )


def _descriptor(document: Any) -> Descriptor:
    platform = platform_of(document.get("platform") or {})
    is_attestation = _texts(document.get("annotations")).get(_ATTESTS) == "attestation-manifest"
    return Descriptor(
        _digest(document["digest"]), int(document["size"]), document["mediaType"], platform, is_attestation
    )


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise ValueError(f"{shortened(str(value), 80)} in place of a digest")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{type(value).__name__} in place of an object")  # noqa: TRY004 (one kind for the caller)
    return value


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in _object(value or {}).items()}
