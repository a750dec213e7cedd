"""The rehearsal's container images, made by hand: small, but whole as the OCI image specification wants them.

Nothing runs in them: the pods are processes. They exist so that what is said of an image can be looked up in
a registry: which bytes, on which base, of which commit, with which Node.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nox_rehearsal.checkout import HERE

NODE = "20.19.5"
REPOSITORY = "nox-api"
PLATFORM = "amd64"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_LABEL = "org.opencontainers.image."
_BASE_BUILT = datetime(2025, 7, 22, 1, 30, tzinfo=UTC)  # as everybody's base: some days before the release


@dataclass(frozen=True)
class Blob:
    """Some bytes that a registry keeps under their digest."""

    content: bytes = field(repr=False)
    media_type: str

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class Layer:
    """A layer as it is kept, and the digest of what it unpacks to."""

    blob: Blob
    diff_id: str


@dataclass(frozen=True)
class BuiltImage:
    """A manifest with all that it points at; of an index, those are images."""

    manifest: Blob
    blobs: tuple[Blob, ...] = ()
    images: tuple["BuiltImage", ...] = ()
    layers: tuple[Layer, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> str:
        """What `IMAGE@sha256:…` names."""
        return self.manifest.digest


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def base(*, node: str | None = NODE, built: datetime = _BASE_BUILT) -> BuiltImage:
    """The image that the others are built on; built at another time it has another digest."""
    release = f'PRETTY_NAME="NOX rehearsal base"\nBUILD_ID={built:%Y%m%d%H%M%S}\n'.encode()
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin"} | ({} if node is None else {"NODE_VERSION": node})
    return _image(
        [_layer({"etc/os-release": release})],
        {"Env": [f"{name}={value}" for name, value in variables.items()], "Cmd": ["node"], "Labels": {}},
        [
            _step(built, "ADD rootfs.tar.xz / # buildkit"),
            *([] if node is None else [_step(built, f"ENV NODE_VERSION={node}", empty=True)]),
            _step(built, 'CMD ["node"]', empty=True),
        ],
        built,
    )


def nox_api(
    version: str,
    *,
    revision: str,
    on: BuiltImage,
    base_name: str = "",
    created: datetime | None = None,
    labels: Mapping[str, str | None] | None = None,
    architecture: str = PLATFORM,
) -> BuiltImage:
    """The application's image, of the reference API's own files; `labels` are changed, or left out (None)."""
    created = created or datetime.now(UTC)
    sources = sorted(file for folder in ("api", "science") for file in (HERE / folder).rglob("*.py"))
    files = {f"app/{file.relative_to(HERE)}": file.read_bytes() for file in sources}
    layer = _layer(files | {"app/VERSION": f"{version}\n".encode()})
    usual = {
        f"{_LABEL}version": version,
        f"{_LABEL}revision": revision,
        f"{_LABEL}base.digest": on.digest,
        f"{_LABEL}base.name": base_name,
    }
    shown = {name: value for name, value in (usual | dict(labels or {})).items() if value}
    inherited = on.config["config"]
    return _image(
        [*on.layers, layer],
        {
            **inherited,
            "Env": [*inherited["Env"], f"NOX_VERSION={version}"],
            "Labels": shown,
            "WorkingDir": "/app",
            "Cmd": ["nox-api"],
            "ExposedPorts": {"3000/tcp": {}},
        },
        [
            *on.config["history"],
            _step(created, "WORKDIR /app", empty=True),
            _step(created, "COPY . /app # buildkit"),
            _step(created, 'CMD ["nox-api"]', empty=True),
        ],
        created,
        architecture,
    )


def index(images: Mapping[str, BuiltImage]) -> BuiltImage:
    """An image for several platforms, such as linux/amd64, in one."""
    entries = []
    for platform, image in images.items():
        system, _, architecture = platform.partition("/")
        entries.append(
            image.manifest.descriptor() | {"platform": {"os": system, "architecture": architecture}}
        )
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return BuiltImage(Blob(_json(document), INDEX), images=tuple(images.values()))


def _image(
    layers: Sequence[Layer],
    config: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    created: datetime,
    architecture: str = PLATFORM,
) -> BuiltImage:
    document = {
        "created": _time(created),
        "architecture": architecture,
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": history,
    }
    configuration = Blob(_json(document), CONFIG)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": configuration.descriptor(),
        "layers": [layer.blob.descriptor() for layer in layers],
    }
    blobs = (configuration, *(layer.blob for layer in layers))
    return BuiltImage(Blob(_json(manifest), MANIFEST), blobs, layers=tuple(layers), config=document)


def _layer(files: Mapping[str, bytes]) -> Layer:
    """The same files always make the same bytes: no times, no owners."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    unpacked = archive.getvalue()
    return Layer(Blob(gzip.compress(unpacked, mtime=0), LAYER), digest_of(unpacked))


def _step(created: datetime, instruction: str, *, empty: bool = False) -> dict[str, Any]:
    step = {"created": _time(created), "created_by": instruction}
    return step | {"empty_layer": True} if empty else step


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
