"""How a live object differs from its manifest: what an apply would change, and what it would leave."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from noxgate.systems.kubernetes.api_server.applying import laid_over, said_rights
from noxgate.systems.kubernetes.api_server.written import CONTROLLERS, HANDS, NOTES, Writer, by_key, writers
from noxgate.systems.kubernetes.kube import RIGHTS, Kube
from noxgate.systems.kubernetes.manifests import Document
from noxgate.systems.kubernetes.secret_values import hidden

Json = Mapping[str, Any]
Change = tuple[str, Any, Any]  # where, what is there, what the manifest says
Say = Callable[[str], None]

# What the server writes itself, and what an apply by another tool leaves behind.
_SERVERS = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
_RESTARTED = "kubectl.kubernetes.io/restartedAt"  # what kubectl rollout restart writes
# What the server or a controller chooses for each object, where the manifest leaves it open.
_CHOSEN = {
    *("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "nodePort", "healthCheckNodePort"),
    *("replicas", "volumeName"),
}
# What the server makes of an object's own name and uid: under another name it is another.
_OF_ITSELF = {
    "Job": {
        *("controller-uid", "job-name"),
        *("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"),
    },
    "Namespace": {"kubernetes.io/metadata.name", "finalizers"},
}
# What controllers write beside a manifest; it counts where managedFields do not say who wrote.
_CONTROLLERS_PARTS = {
    "ServiceAccount": {"secrets", "imagePullSecrets"},
    "Service": {"loadBalancerClass"},
}
_CA_BUNDLE = "caBundle"
_MAPS = {"annotations", "labels", "matchLabels", "selector", "metadata"}  # empty, they are as good as absent
# Texts that are shown; any other may be a secret that somebody typed into the live object.
_SHOWN = {"image", "name", "host", "path", "pathType", "type", "kind", "port", "targetPort", "externalName"}


def drift_of(kube: Kube, manifests: Sequence[Document], namespace: str) -> dict[str, list[str]]:
    """How the live objects differ from their manifests, of those that do, by manifest."""
    found = {}
    last = {document.of(namespace): document for document in manifests}
    for document in manifests:
        if last[document.of(namespace)] is not document:
            kube.say(f"not compared: {document}, since a later document says it anew", document.content)
            continue
        where = document.namespace or namespace
        live = kube.live(document.content, where)
        if live is None and _goes_by_itself(document.content):
            kube.say(f"{document} is not there: it goes when it has finished", document.content)
            continue
        if live is None:
            found[str(document)] = ["is not there"]
            continue
        if document.kind in RIGHTS:
            rights = said_rights(document.content)
            wished = laid_over(live, rights)
            gathered = {"rules"} if rights.get("aggregationRule") else set()
            fresh: Json | None = {key: wished.get(key) for key in {*rights, *gathered}}
            kube.say("compared with its manifest alone: the gate may write no rights", document.content)
        else:
            wished = kube.dry_run_apply(document.content, where, document.origin)
            fresh = kube.fresh(document.content, where, document.origin)
        manifest = hidden(document.content) if document.kind == "Secret" else document.content
        unjudged: list[str] = []
        found[str(document)] = drift(manifest, live, wished, fresh, unjudged.append)
        if unjudged:
            kube.say(
                f"not compared in {document.kind} {document.name}: {'; '.join(unjudged)}", document.content
            )
    return {document: differences for document, differences in found.items() if differences}


def _goes_by_itself(manifest: Json) -> bool:
    """A Job that is deleted some time after it has finished."""
    return (
        manifest["kind"] == "Job" and (manifest.get("spec") or {}).get("ttlSecondsAfterFinished") is not None
    )


def drift(
    manifest: Json, live: Json, wished: Json, fresh: Json | None, say: Say = lambda _: None
) -> list[str]:
    """The differences, one line each; `say` is told what cannot be judged.

    `wished` is what applying the manifest would leave, `fresh` what it would make where nothing is yet: the
    manifest with every default. What only the live object has was added by hand, by an earlier manifest, or
    by a controller: managedFields tell.
    """
    own = {_RESTARTED, *NOTES} - _keys(manifest) | _OF_ITSELF.get(str(live.get("kind")), set())
    changed = list(_differences("", _plain(live, own), _plain(wished, own)))
    known = {path for path, _, _ in changed}
    who = writers(live)
    added = [*_added(manifest, live, fresh, own), *_noted(manifest, live, fresh, own)]
    added = [each for each in added if each[0] not in known and each[1] is not None]
    if who is None:
        changed += _without_writers(manifest, fresh, added, say)
    else:
        changed += _by_hand(manifest, fresh, added, who, say)
    return [
        f"{path}: is {_shown(path, now)}, the manifest says {_shown(path, then)}"
        for path, now, then in changed
    ]


def _added(manifest: Json, live: Json, fresh: Json | None, own: set[str]) -> Iterator[Change]:
    """What the live object has beside its metadata and neither the manifest nor its defaults say."""
    theirs = _content(manifest if fresh is None else fresh, own)
    for path, now, then in _differences("", _content(live, own), theirs):
        if (then is None or fresh is not None) and not _is_left_open(path, manifest):
            yield path, now, then


def _noted(manifest: Json, live: Json, fresh: Json | None, own: set[str]) -> Iterator[Change]:
    """Labels and annotations that only the live object has."""
    for part in ("labels", "annotations"):
        said, made = (((thing or {}).get("metadata") or {}).get(part) or {} for thing in (manifest, fresh))
        for key, value in sorted((live["metadata"].get(part) or {}).items()):
            if key not in said and key not in own and made.get(key) != value:
                yield f"metadata.{part}.{key}", value, None


def _by_hand(
    manifest: Json, fresh: Json | None, added: list[Change], who: list[Writer], say: Say
) -> Iterator[Change]:
    """What was not written by the server (which does not count as a manager) or by a controller."""
    appliers = set() if fresh is not None else _appliers(manifest, who)
    unjudged = []
    for path, now, then in added:
        names = {writer.name for writer in who if writer.wrote(path)} - CONTROLLERS
        if names and names <= appliers and not path.startswith("metadata."):
            unjudged.append(path)  # a default, or what an earlier manifest said
        elif names:
            yield path, now, then
    if unjudged:
        say(f"{', '.join(unjudged)}: no dry run shows the defaults")


def _without_writers(manifest: Json, fresh: Json | None, added: list[Change], say: Say) -> Iterator[Change]:
    """All of it, less what controllers are known to write, and notes, which may be a controller's."""
    parts = _CONTROLLERS_PARTS.get(str(manifest.get("kind")), set())
    unjudged = []
    for path, now, then in added:
        first, last = path.removeprefix("spec.").partition("[")[0], path.rpartition(".")[2]
        is_open = first.partition(".")[0] in parts or last == _CA_BUNDLE or path.startswith("metadata.")
        if is_open or fresh is None:
            unjudged.append(path)
        else:
            yield path, now, then
    if unjudged:
        say(f"{', '.join(unjudged)}: the server does not say who wrote it (it has no managedFields)")


def _appliers(manifest: Json, who: list[Writer]) -> set[str]:
    """Who wrote most of what the manifest says: the defaults are theirs, too."""
    content = _content(manifest, set())
    said = [path for part in content for path in _leaves(part, content[part])]
    return {
        writer.name
        for writer in who
        if writer.name not in HANDS and 2 * sum(map(writer.wrote, said)) >= len(said)
    }


def _leaves(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(f"{path}.{key}", each)
    elif isinstance(value, list) and value:
        for label, each in by_key(value).items():
            yield from _leaves(f"{path}[{label}]", each)
    else:
        yield path


def _keys(thing: Any) -> set[str]:
    """Every key at any depth."""
    if isinstance(thing, Mapping):
        return set(thing) | {key for each in thing.values() for key in _keys(each)}
    return {key for each in thing for key in _keys(each)} if isinstance(thing, list) else set()


def _plain(thing: Json, own: set[str]) -> Json:
    metadata = {key: value for key, value in thing["metadata"].items() if key not in _SERVERS}
    content = {key: value for key, value in thing.items() if key != "status"}
    found: Json = _without({**content, "metadata": metadata}, own)
    return found


def _content(thing: Json, own: set[str]) -> Json:
    content = {key: value for key, value in thing.items() if key not in {"metadata", "status"}}
    found: Json = _without(content, own)
    return found


def _without(thing: Any, own: set[str]) -> Any:
    """Less the server's own keys, and the maps that they leave empty."""
    if isinstance(thing, list):
        return [_without(each, own) for each in thing]
    if not isinstance(thing, Mapping):
        return thing
    found = {key: _without(each, own) for key, each in thing.items() if key not in own}
    return {key: each for key, each in found.items() if each != {} or key not in _MAPS}


def _differences(path: str, now: Any, then: Any) -> Iterator[Change]:
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        for key in sorted({*now, *then}):
            yield from _differences(f"{path}.{key}".lstrip("."), now.get(key), then.get(key))
    elif isinstance(now, list) and isinstance(then, list):
        ours, theirs = by_key(now), by_key(then)
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            yield from _differences(f"{path}[{key}]", ours.get(key), theirs.get(key))
    elif now != then:
        yield path, now, then


def _is_left_open(path: str, manifest: Json) -> bool:
    """Whether somebody else chooses this, and the manifest does not say it."""
    last = path.rpartition(".")[2].partition("[")[0]
    return last in _CHOSEN and last not in (manifest.get("spec") or {})


def _shown(path: str, value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, Mapping | list):
        return f"{len(value)} entries" if value else "empty"
    return repr(value) if path.rpartition(".")[2] in _SHOWN else "another text"
