"""The requests for resources that are answered at once: from a call to a status and a body."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from kube_standin.changes.parts import Parts
from kube_standin.changes.patches import Patcher
from kube_standin.changes.removing import Remover, read_options
from kube_standin.changes.writing import Writer
from kube_standin.cluster import Cluster
from kube_standin.describing.unserved import is_unserved
from kube_standin.objects import reading
from kube_standin.objects.builtin import BUILT_IN
from kube_standin.objects.kinds import Kind
from kube_standin.settings import User
from kube_standin.validation import admission
from kube_standin.wire import answers, decoding, options, protobuf, reviews
from kube_standin.wire.access import Action
from kube_standin.wire.answers import Json
from kube_standin.wire.call import APPLY, Call, Target

BODY_TYPES = ("application/json", "application/yaml", "")
HAS_BODY = frozenset({"create", "update"})


@dataclass(frozen=True)
class Reply:
    """A status and a body."""

    code: int
    body: Json


class Requests:
    """Answers calls that need no stream."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._writer = Writer(cluster)
        self._patcher = Patcher(self._writer, cluster.store, cluster.schemas, cluster.access)
        self._remover = Remover(cluster)
        parts = Parts(cluster, self._writer, self._patcher, self._remover)
        self._parts: dict[str, Callable[[Call], Json]] = {
            "binding": parts.bind,
            "ephemeralcontainers": parts.replace_some,
            "eviction": parts.evict,
            "finalize": parts.replace_some,
            "resize": parts.replace_some,
            "scale": parts.scale,
            "token": parts.issue_token,
        }

    def start(self, obj: Json) -> None:
        """Store an object that the cluster starts with."""
        kind = self._cluster.kind_of(obj)
        assert kind is not None, "what a cluster starts with is built in"
        obj = obj | {"metadata": admission.new_metadata(kind, obj["metadata"], "")}
        if kind.name == "Namespace":
            labels = {"kubernetes.io/metadata.name": obj["metadata"]["name"]}
            obj["metadata"]["labels"] = labels
            obj |= {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        self._cluster.store.put(kind, obj)

    def find(self, user: User, target: Target, method: str, query: dict[str, str]) -> tuple[Kind, str]:
        """The kind and verb of a request, if its user may make it and somebody serves it."""
        verb = target.verb(method, query)
        self._cluster.access.require(user, request_action(target, verb, query))
        kind = self._cluster.find(target.group, target.version, target.plural)
        if kind is None or (target.part and kind.part(target.part) is None) or not _fits(kind, target):
            raise self._unknown(target)
        if method == "HEAD":
            raise answers.method_not_allowed()
        part = kind.part(target.part)
        allowed = part.verbs if part else kind.verbs
        if verb not in allowed or not _is_routed(kind, target, verb):
            raise answers.method_not_allowed()
        return kind, verb

    def _unknown(self, target: Target) -> Exception:
        """Nothing there; or something that only a real server has."""
        if is_unserved(target.group, target.version, target.plural):
            resource = answers.qualified(target.group, target.plural)
            return answers.unknown_here(f"{resource} in {target.version}")
        own = any((kind.group, kind.version) == (target.group, target.version) for kind in BUILT_IN)
        return answers.unknown_resource() if own else answers.unknown_path()

    def answer(self, call: Call) -> Reply:
        """Do what a call asks for."""
        if call.verb in options.OPTIONS:
            options.check_writing(call.verb, call.query, applies=call.content_type == APPLY)
        elif call.verb == "list":
            options.check_reading(call.query, watches=False)
        if call.verb in HAS_BODY:
            call = _as_json(call)
        if call.part in self._parts:
            return Reply(201 if call.verb == "create" else 200, self._parts[call.part](call))
        return self._VERBS[call.verb](self, call)

    def _get(self, call: Call) -> Reply:
        return Reply(200, reading.get(self._cluster.store, call))

    def _list(self, call: Call) -> Reply:
        return Reply(200, reading.listing(self._cluster.store, call))

    def _create(self, call: Call) -> Reply:
        if not call.kind.stored:
            given = decoding.parse_object(call.body, call.kind, is_yaml=call.is_yaml)
            asked = self._writer.read(call, given)
            return Reply(201, reviews.review(self._cluster.access, call, asked))
        return Reply(201, self._writer.create(call))

    def _update(self, call: Call) -> Reply:
        if self._writer.creates(call):
            self._cluster.access.require(call.user, call.target.action("create"))
            return Reply(201, self._writer.create(call))
        return Reply(200, self._writer.update(call))

    def _patch(self, call: Call) -> Reply:
        body, created = self._patcher.patch(call)
        return Reply(201 if created else 200, body)

    def _delete(self, call: Call) -> Reply:
        return Reply(200, self._remover.delete(call))

    def _delete_all(self, call: Call) -> Reply:
        found = reading.listing(self._cluster.store, call)
        wanted = read_options(call)
        for obj in found["items"]:
            self._remover.remove(call.kind, obj, wanted)
        return Reply(200, found)

    _VERBS: ClassVar[dict[str, Callable[["Requests", Call], Reply]]] = {
        "get": _get,
        "list": _list,
        "create": _create,
        "update": _update,
        "patch": _patch,
        "delete": _delete,
        "deletecollection": _delete_all,
    }


def _as_json(call: Call) -> Call:
    """A call with its body as JSON or YAML, also if it was sent as protobuf."""
    if call.content_type in BODY_TYPES:
        return call
    if call.content_type == protobuf.MEDIA_TYPE:
        try:
            obj = protobuf.read(call.body)
        except ValueError as error:
            raise answers.bad_request(str(error)) from None
        if obj is not None:
            return replace(call, content_type=BODY_TYPES[0], body=json.dumps(obj).encode())
    raise answers.RefusedError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(BODY_TYPES[:2]),
    )


def request_action(target: Target, verb: str, query: dict[str, str]) -> Action:
    """What a request wants to do. A list of one name asks for the right to that name alone."""
    name = target.name
    if verb in {"list", "watch", "deletecollection"}:
        for term in query.get("fieldSelector", "").split(","):
            path, _, value = term.partition("=")
            if path == "metadata.name":
                name = value.lstrip("=")
    return Action(verb, target.group, target.plural, target.part, target.namespace, name)


def _fits(kind: Kind, target: Target) -> bool:
    """Whether the path says a namespace exactly where the kind has one."""
    if kind.namespaced:
        return bool(target.namespace) or not target.name
    return not target.namespace or kind.plural == "namespaces"


def _is_routed(kind: Kind, target: Target, verb: str) -> bool:
    if kind.namespaced and not target.namespace:
        return verb in {"list", "watch"}
    if target.part:
        return True
    return bool(target.name) == (verb in {"get", "update", "patch", "delete"})
