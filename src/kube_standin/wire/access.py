"""Who asks and what they may do: bearer tokens, and RBAC from the stored roles and bindings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kube_standin.objects.builtin import BUILT_IN, RBAC
from kube_standin.objects.kinds import Kind
from kube_standin.objects.store import Store
from kube_standin.settings import AUTHENTICATED, User
from kube_standin.wire import answers
from kube_standin.wire.answers import Json, RefusedError

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
MASTERS = "system:masters"
_KINDS: dict[str, Kind] = {kind.name: kind for kind in BUILT_IN if kind.group == RBAC}


@dataclass(frozen=True)
class Action:
    """What somebody wants to do: to a resource, or to another path."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True)
class Grant:
    """One rule that holds for somebody, and why."""

    rule: Json
    because: str
    namespace: str  # "" where it holds in all


class Tokens:
    """The bearer tokens: those of the settings, and those that the server has issued to service accounts."""

    def __init__(self, known: Mapping[str, User], is_there: Callable[[User], bool]) -> None:
        self._known = dict(known)
        self._issued: dict[str, User] = {}
        self._is_there = is_there

    def add(self, token: str, user: User) -> None:
        """One that is good for as long as its service account is there: another of its name is another."""
        self._issued[token] = user

    def user(self, authorization: str) -> User:
        """Who sends this Authorization header; without one, the anonymous user."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        issued = self._issued.get(token.strip())
        user = issued if issued and self._is_there(issued) else self._known.get(token.strip())
        if user is None:
            raise answers.unauthorized()
        return user


class Access:
    """The decisions of RBAC."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def require(self, user: User, action: Action) -> None:
        """RefusedError, in the server's words, if the user may not."""
        if self.decide(user, action) is None:
            raise self._forbidden(user, action)

    def decide(self, user: User, action: Action) -> str | None:
        """Why the user may, or None."""
        if MASTERS in user.groups:
            return ""
        for grant in self.grants(user, action.namespace):
            if _covers(grant.rule, action):
                return f"RBAC: allowed by {grant.because}"
        return None

    def grants(self, user: User, namespace: str) -> Iterator[Grant]:
        """The rules that hold for a user, in all namespaces and in this one."""
        for binding in self._store.all(_KINDS["ClusterRoleBinding"]):
            yield from self._bound(user, binding, "")
        if namespace:
            for binding in self._store.all(_KINDS["RoleBinding"], namespace):
                yield from self._bound(user, binding, namespace)

    def _bound(self, user: User, binding: Json, namespace: str) -> Iterator[Grant]:
        for subject in binding.get("subjects") or []:
            if not _is(user, subject, namespace):
                continue
            role_ref, meta = binding["roleRef"], binding["metadata"]
            kind = _KINDS.get(role_ref["kind"], _KINDS["Role"])
            role = self._store.get(kind, namespace, role_ref["name"])
            name = f"{meta['name']}/{namespace}" if namespace else meta["name"]
            binding_kind = "RoleBinding" if namespace else "ClusterRoleBinding"
            who = subject["name"]
            if subject["kind"] == "ServiceAccount":
                who = f"{who}/{subject.get('namespace', namespace)}"
            role_name = f'{role_ref["kind"]} "{role_ref["name"]}"'
            because = f'{binding_kind} "{name}" of {role_name} to {subject["kind"]} "{who}"'
            for rule in (role or {}).get("rules") or []:
                yield Grant(rule, because, namespace)

    def _forbidden(self, user: User, action: Action) -> RefusedError:
        if action.path:
            why = f'User "{user.name}" cannot {action.verb} path "{action.path}"'
            return RefusedError(403, "Forbidden", f"forbidden: {why}", {})
        where = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
        why = (
            f'User "{user.name}" cannot {action.verb} resource "{action.full_resource}" '
            f'in API group "{action.group}" {where}'
        )
        return answers.forbidden(action.group, action.resource, action.name, why)


def _is(user: User, subject: Json, namespace: str) -> bool:
    match subject.get("kind"):
        case "User":
            return bool(user.name == subject["name"])
        case "Group":
            return subject["name"] in user.groups
        case _:
            where = subject.get("namespace", namespace)
            return bool(user.name == f"system:serviceaccount:{where}:{subject['name']}")


def _covers(rule: Json, action: Action) -> bool:
    if not _has(rule.get("verbs"), action.verb):
        return False
    if action.path:
        return any(_path_fits(pattern, action.path) for pattern in rule.get("nonResourceURLs") or [])
    names = rule.get("resourceNames") or []
    return (
        _has(rule.get("apiGroups"), action.group)
        and _resource_fits(rule.get("resources") or [], action)
        and (not names or action.name in names)
    )


def _has(allowed: list[str] | None, value: str) -> bool:
    return bool(allowed) and ("*" in (allowed or []) or value in (allowed or []))


def _resource_fits(allowed: list[str], action: Action) -> bool:
    wildcard = f"*/{action.subresource}" if action.subresource else "*"
    return "*" in allowed or action.full_resource in allowed or wildcard in allowed


def _path_fits(pattern: str, path: str) -> bool:
    return pattern in {"*", path} or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _role(name: str, *rules: Json) -> Json:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "rules": list(rules),
    }


def _binding(role: str, *groups: str) -> Json:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": role, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group} for group in groups],
    }


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Json:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _paths(*paths: str) -> Json:
    return {"nonResourceURLs": list(paths), "verbs": ["get"]}


_PUBLIC = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_PUBLIC)
_LOOK = ["get", "list", "watch"]
_CHANGE = ["create", "delete", "deletecollection", "patch", "update"]
_ORDINARY = {
    "": ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "serviceaccounts", "services"],
    "apps": ["deployments", "deployments/scale", "replicasets", "replicasets/scale"],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "discovery.k8s.io": ["endpointslices"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}
_VIEWED = [_rule([group], resources, _LOOK) for group, resources in _ORDINARY.items()]
_VIEWED.append(_rule([""], ["events", "namespaces", "pods/log", "pods/status"], _LOOK))
_EDITED = [_rule([group], resources, _CHANGE) for group, resources in _ORDINARY.items()]
_EDITED.append(_rule([""], ["secrets"], [*_LOOK, *_CHANGE]))
_EDITED.append(
    _rule([""], ["pods/exec", "pods/portforward", "pods/proxy", "services/proxy"], [*_LOOK, *_CHANGE])
)
_ADMINISTERED = [_rule([RBAC], ["roles", "rolebindings"], [*_LOOK, *_CHANGE])]

# The roles and bindings that every cluster starts with, as far as this server has what they speak of
STARTING: tuple[Json, ...] = (
    _role("cluster-admin", _rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}),
    _role("admin", *_VIEWED, *_EDITED, *_ADMINISTERED),
    _role("edit", *_VIEWED, *_EDITED),
    _role("view", *_VIEWED),
    _role(
        "system:basic-user",
        _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
    ),
    _role("system:discovery", _paths(*_DISCOVERY)),
    _role("system:public-info-viewer", _paths(*_PUBLIC)),
    _binding("cluster-admin", MASTERS),
    _binding("system:basic-user", AUTHENTICATED),
    _binding("system:discovery", AUTHENTICATED),
    _binding("system:public-info-viewer", AUTHENTICATED, "system:unauthenticated"),
)
