"""Subresources that are not a copy of their object: scale, binding, eviction, tokens, finalizers."""

import copy
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from kube_standin.changes.patches import Patcher, check_type
from kube_standin.changes.removing import Remover
from kube_standin.changes.writing import Writer
from kube_standin.cluster import Cluster, built_in
from kube_standin.objects import selectors
from kube_standin.objects.kinds import Kind
from kube_standin.objects.store import resource_of
from kube_standin.settings import AUTHENTICATED, User
from kube_standin.validation import pod_security
from kube_standin.wire import answers, decoding, syntax
from kube_standin.wire.answers import Json
from kube_standin.wire.call import Call
from kube_standin.wire.causes import Cause

SCALE_KIND = Kind("autoscaling", "v1", "scales", "Scale", "V1Scale")
TOKEN_LIFE = 3600


class Parts:
    """The subresources of a cluster's objects."""

    def __init__(self, cluster: Cluster, writer: Writer, patcher: Patcher, remover: Remover) -> None:
        self._cluster = cluster
        self._writer = writer
        self._patcher = patcher
        self._remover = remover

    def scale(self, call: Call) -> Json:
        """Get, replace or patch the number of replicas."""
        old = self._writer.existing(call)
        shown = scale_of(call.kind, old)
        if call.verb == "get":
            return shown
        node = self._cluster.schemas.of_model(SCALE_KIND.model)
        if call.verb == "patch":
            check_type(call)
            new = self._patcher.patched(call, node, shown)
        else:
            new = decoding.parse_object(call.body, SCALE_KIND, is_yaml=call.is_yaml)
        wanted = new.get("spec", {}).get("replicas", 0)
        if isinstance(wanted, bool) or not isinstance(wanted, int):
            raise answers.bad_request(f"spec.replicas must be a number, not {wanted!r}")
        if wanted < 0:
            cause = Cause(
                "FieldValueInvalid",
                f"Invalid value: {wanted}: must be greater than or equal to 0",
                "spec.replicas",
            )
            raise answers.invalid("autoscaling", "Scale", call.name, [cause])
        version = new.get("metadata", {}).get("resourceVersion")
        changed = copy.deepcopy(old)
        changed["metadata"]["resourceVersion"] = version or old["metadata"]["resourceVersion"]
        _put(changed, _paths(call.kind)[0], wanted)
        return scale_of(call.kind, self._writer.replace(call, old, changed))

    def bind(self, call: Call) -> Json:
        """Put a pod on a node, as the scheduler does."""
        given = syntax.parse(call.body, is_yaml=call.is_yaml)
        pod = self._writer.existing(call)
        if pod["spec"].get("nodeName"):
            why = f"pod {call.name} is already assigned to node {pod['spec']['nodeName']!r}"
            raise answers.conflict("", "pods/binding", call.name, why)
        if not call.dry_run:
            spec = pod["spec"] | {"nodeName": given["target"]["name"]}
            self._cluster.store.put(call.kind, pod | {"spec": spec})
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def evict(self, call: Call) -> Json:
        """Delete a pod unless its disruption budget has nothing left."""
        pod = self._writer.existing(call)
        labels = pod["metadata"].get("labels", {})
        for budget in self._cluster.store.all(built_in("PodDisruptionBudget"), call.namespace):
            covers = selectors.by_selector(budget["spec"].get("selector"))(labels)
            if covers and budget["status"].get("disruptionsAllowed", 0) <= 0:
                message = "Cannot evict pod as it would violate the pod's disruption budget."
                raise answers.RefusedError(429, "TooManyRequests", message, {})
        self._remover.remove(call.kind, pod, {"dryRun": call.dry_run})
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def issue_token(self, call: Call) -> Json:
        """A token for a service account, good for as long as that is there."""
        account = self._writer.existing(call)
        given = syntax.parse(call.body, is_yaml=call.is_yaml) if call.body.strip() else {}
        seconds = given.get("spec", {}).get("expirationSeconds", TOKEN_LIFE)
        token = secrets.token_urlsafe(32)
        name = f"system:serviceaccount:{call.namespace}:{call.name}"
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{call.namespace}", AUTHENTICATED)
        if not call.dry_run:
            self._cluster.tokens.add(token, User(name, groups, account["metadata"]["uid"]))
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": call.name, "namespace": call.namespace, "uid": str(uuid.uuid4())},
            "spec": {"audiences": ["api"], "expirationSeconds": seconds, "boundObjectRef": None},
            "status": {"token": token, "expirationTimestamp": end.strftime("%Y-%m-%dT%H:%M:%SZ")},
        }

    def replace_some(self, call: Call) -> Json:
        """Update only what `finalize`, `resize` or `ephemeralcontainers` may touch."""
        old = self._writer.existing(call)
        if call.verb == "get":
            return old
        if call.verb == "patch":
            given = self._patcher.patched(call, self._cluster.schemas.of(call.kind), old)
        else:
            given = self._writer.read(call, decoding.parse_object(call.body, call.kind, is_yaml=call.is_yaml))
        new = copy.deepcopy(old)
        field = {"finalize": "finalizers", "ephemeralcontainers": "ephemeralContainers"}.get(
            call.part, "containers"
        )
        if field in given.get("spec", {}):
            new["spec"][field] = given["spec"][field]
        else:
            new["spec"].pop(field, None)
        if call.part != "finalize":
            call.warnings.extend(pod_security.admit(self._cluster, call.kind, new, call.namespace, old))
        if call.dry_run:
            return new
        if (
            call.part == "finalize"
            and not new["spec"].get(field)
            and new["metadata"].get("deletionTimestamp")
        ):
            return self._cluster.store.remove(resource_of(call.kind), new)
        return self._cluster.store.put(call.kind, new)


def scale_of(kind: Kind, obj: Json) -> Json:
    """An object as its Scale."""
    spec_path, status_path, selector_path = _paths(kind)
    meta = {
        name: obj["metadata"][name]
        for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if name in obj["metadata"]
    }
    selector = _at(obj, selector_path)
    text = selector if isinstance(selector, str) else selectors.as_text(selector)
    status = {"replicas": _at(obj, status_path) or 0}
    replicas = _at(obj, spec_path)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": replicas} if replicas else {},
        "status": status | ({"selector": text} if text else {}),
    }


def _paths(kind: Kind) -> tuple[list[str], list[str], list[str]]:
    found = kind.custom["subresources"]["scale"] if kind.custom else {}
    return (
        _split(found.get("specReplicasPath", ".spec.replicas")),
        _split(found.get("statusReplicasPath", ".status.replicas")),
        _split(found.get("labelSelectorPath", ".spec.selector")),
    )


def _split(path: str) -> list[str]:
    return path.strip(".").split(".")


def _at(obj: Json, path: list[str]) -> Any:
    value: Any = obj
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(obj: Json, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        obj = obj.setdefault(name, {})
    obj[path[-1]] = value
