"""What is wrong behind an Ingress: no pod is ready, another release, or another Ingress in the way."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noxgate.blue_green.edge_kinds.kinds import values
from noxgate.blue_green.edge_kinds.testers import is_of_testers
from noxgate.blue_green.ingress_meaning import Route, routes
from noxgate.blue_green.routing import Endpoint, backends, endpoints, port_of, service_behind
from noxgate.blue_green.running import deployment_of
from noxgate.blue_green.side import Side
from noxgate.blue_green.switching import is_ours
from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.project.service.names import Service
from noxgate.systems.kubernetes.kube import EVERYWHERE, Kube
from noxgate.systems.kubernetes.workload import living, name, port_number, selector, strangers, unready

Json = Mapping[str, Any]

_CANARY = "nginx.ingress.kubernetes.io/canary"
_KONGS_HEADER = "konghq.com/headers."
_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})  # to Go, and so to ingress-nginx
CHALLENGES = "/.well-known/acme-challenge/"


@dataclass(frozen=True)
class ExpectedPods:
    """The pods that traffic must reach: those of a namespace's Deployment, seen once for a look.

    Green's; after a rollback they are blue's.
    """

    pods: Mapping[str, Json]  # of the release, by name
    namespace: str

    @classmethod
    def of(cls, side: Side) -> "ExpectedPods":
        deployment = deployment_of(side)
        pods = living(side.kube.list("Pod", side.namespace, selector(deployment)))
        own = [pod for pod in pods if _made_by(pod, side.deployment)]
        others = strangers(own, deployment)
        return cls({name(pod): pod for pod in own if name(pod) not in others}, side.namespace)

    def problem(self, behind: Sequence[Endpoint], port: Json) -> str | None:
        """What is wrong behind a Service's port: other pods, no ready pod, or only some of the ready ones."""
        others = [
            each.pod or f"{each.address}, which belongs to no pod"
            for each in behind
            if each.pod not in self.pods or each.namespace != self.namespace
        ]
        if others:
            return f"leads to {others}"
        named = str(port.get("name") or "")
        wrong = [said for each in behind if (said := self._misled(each, named, port)) is not None]
        if wrong:
            return f"leads to {wrong}"
        found = self._few(behind, named, set(self.pods))
        families = {
            is_six: [each for each in behind if (":" in each.address) is is_six] for is_six in (False, True)
        }
        if found is None and all(families.values()):
            few = {
                "IPv6" if is_six else "IPv4": self._few(its, named, self._pods_with(is_six=is_six))
                for is_six, its in families.items()
            }
            found = next((f"{family}: {why}" for family, why in few.items() if why), None)
        return found

    def _few(self, behind: Sequence[Endpoint], named: str, pods: set[str]) -> str | None:
        """Which of these pods are ready, and get no request; None if all get some."""
        able = pods - set(unready(list(self.pods.values())))
        ready = {each.pod for each in behind if each.ready and named in each.ports} & able
        if not ready:
            return "no ready endpoint"
        lacking = sorted(able - ready)
        return f"only {len(ready)} of {len(able)} ready pods: not {lacking}" if lacking else None

    def _pods_with(self, *, is_six: bool) -> set[str]:
        """Those that have an address of a family, or do not say which they have."""
        own = {pod: _own_addresses(each.get("status") or {}) for pod, each in self.pods.items()}
        return {pod for pod, its in own.items() if not its or any((":" in each) is is_six for each in its)}

    def _misled(self, endpoint: Endpoint, named: str, port: Json) -> str | None:
        """An address or a port that is not its pod's."""
        pod = self.pods[str(endpoint.pod)]
        status, wanted, at = pod.get("status") or {}, port_number(pod, port), endpoint.ports.get(named)
        own = _own_addresses(status)
        if own and endpoint.address not in own:
            return f"{endpoint.address}, which is not {endpoint.pod}'s"
        if at is not None and at != wanted:
            return f"port {at} of {endpoint.pod}, which listens at {wanted}"
        return None


def _own_addresses(status: Json) -> set[str]:
    found = [*(each.get("ip") for each in status.get("podIPs") or []), status.get("podIP")]
    return {str(each) for each in found if each}


def _made_by(pod: Json, deployment: str) -> bool:
    """Whether a pod is one of a Deployment's: another may select by the same labels."""
    owners = [each for each in pod["metadata"].get("ownerReferences") or [] if each.get("controller")]
    return any(
        each["kind"] == "ReplicaSet" and each["name"].rpartition("-")[0] == deployment for each in owners
    )


def wrong_backends(
    kube: Kube, ingress: Json, green: ExpectedPods, ours: Service
) -> list[tuple[str, list[str]]]:
    """Why users of a backend would get 503, or another release, with the paths that lead there."""
    paths: dict[str, list[str]] = {}  # of each backend, which is looked at once
    for path, backend in backends(ingress):
        paths.setdefault(json.dumps(backend, sort_keys=True), []).append(path)
    namespace = ingress["metadata"]["namespace"]
    said = [
        (_wrong(kube, namespace, json.loads(backend), green, ours), its) for backend, its in paths.items()
    ]
    return [(what, its) for what, its in said if what is not None]


def _wrong(kube: Kube, namespace: str, backend: Json, green: ExpectedPods, ours: Service) -> str | None:
    service = backend.get("service") or {}
    if not service and backend.get("resource"):
        return None  # a path of something else, such as a bucket: not the application's
    found = service_behind(kube, service.get("name", ""), namespace)
    if found is None:
        return f"no Service {service.get('name')} in {namespace}"
    port = port_of(found.service, service.get("port") or {})
    if port is None:
        return f"Service {service['name']} has no port {service.get('port')}"
    behind = endpoints(kube, found)
    if not is_ours(backend, ours):  # of another Service, such as one for the documentation: that it answers
        named = str(port.get("name") or "")
        return None if any(each.ready and named in each.ports for each in behind) else _nobody(service)
    said = green.problem(behind, port)
    return None if said is None else f"Service {service['name']}: {said}"


def _nobody(service: Json) -> str:
    return f"Service {service['name']}: no ready endpoint"


def rivals(ingress: Json, ingresses: Sequence[Json]) -> dict[str, list[str]]:
    """Other Ingresses that take requests from it: of its routes, or of a more specific path below one.

    Not a canary without a share of them, as Flagger and Argo Rollouts leave one behind; nor the answers to a
    certificate authority's challenges, which are the certificates' own, for a minute. Where
    no host is named, nor one at another address: in a cloud each may have a load balancer of its own.
    """
    ours = list(routes(ingress))
    found = {
        _called(other, ingress): sorted(
            f"{host}{path}"
            for host, path, kind in _routes_of(other)
            if not path.startswith(CHALLENGES)
            and any(_takes((host, path, kind), mine, at_one=_are_at_one(other, ingress)) for mine in ours)
        )
        for other in ingresses
        if _identity(other) != _identity(ingress)
        and _may_share(other, ingress)
        and not _is_without_share(other)
    }
    return {other: shared for other, shared in found.items() if shared}


def ingresses_of(kube: Kube, namespaces: Sequence[str], observe: Observe) -> list[Json]:
    """The Ingresses of all namespaces; of those given, which is said, where the credential sees no more."""
    repeat = kube.again("get", "ingresses", "--all-namespaces")
    try:
        return kube.list("Ingress", EVERYWHERE)
    except UnreachableError:
        looked = ", ".join(namespaces)
        observe(Observation(f"not looked at: Ingresses of other namespaces than {looked}", repeat))
    return [each for namespace in namespaces for each in kube.list("Ingress", namespace)]


def _routes_of(other: Json) -> list[Route]:
    """As `routes`, of somebody else's, who may have one twice."""
    try:
        return list(routes(other))
    except AssertionError:
        return [
            (rule.get("host", "*"), path.get("path", "/"), path["pathType"])
            for rule in other["spec"].get("rules") or []
            for path in (rule.get("http") or {}).get("paths") or []
        ]


def _takes(theirs: Route, ours: Route, *, at_one: bool) -> bool:
    """Whether a route gets requests that would else be another's: the longer path of one host wins.

    Not at one address, DNS tells them apart, but for those of one and the same name.
    """
    (host, path, _), (our_host, our_path, kind) = theirs, ours
    if at_one:
        same_host = our_host in {host, "*"} or (our_host.startswith("*.") and host.endswith(our_host[1:]))
    else:
        same_host = host == our_host != "*"
    if not same_host:
        return False
    if path == our_path:
        return True
    return kind != "Exact" and path.startswith(our_path.rstrip("/") + "/")


def _may_share(other: Json, ingress: Json) -> bool:
    """Two classes are two controllers, each with an address of its own."""
    classes = [_class_of(each) for each in (other, ingress)]
    return None in classes or classes[0] == classes[1]


def _class_of(ingress: Json) -> str | None:
    """By its field, or by the annotation that was before it and that controllers still heed."""
    named = ingress["spec"].get("ingressClassName") or _notes(ingress).get("kubernetes.io/ingress.class")
    return str(named) if named else None


def _is_without_share(ingress: Json) -> bool:
    """Whether no request is led there but those that bring a header, as testers' do."""
    notes = _notes(ingress)
    said = {key: str(notes.get(f"{_CANARY}{key}") or "") for key in ("", "-weight", "-by-cookie")}
    if said[""] in _TRUE:
        return _is_nothing(said["-weight"]) and not said["-by-cookie"] and not _is_by_a_users_header(notes)
    return "kong" in (_class_of(ingress) or "") and any(  # to others it is a word without a meaning
        key.startswith(_KONGS_HEADER) and is_of_testers(key.removeprefix(_KONGS_HEADER)) for key in notes
    )


def _is_nothing(weight: str) -> bool:
    return weight == "" or (weight.isdecimal() and int(weight) == 0)


def _is_by_a_users_header(notes: Json) -> bool:
    """Whether a canary is chosen by what a header of everybody says; else it has to say always."""
    header = str(notes.get(f"{_CANARY}-by-header") or "")
    is_chosen = any(notes.get(f"{_CANARY}-by-header-{each}") for each in ("value", "pattern"))
    return header != "" and is_chosen and not is_of_testers(header)


def _are_at_one(one: Json, other: Json) -> bool:
    """Whether two may have one address, which a new one does not say yet."""
    its, ours = _addresses(one), _addresses(other)
    return not its or not ours or not its.isdisjoint(ours)


def _addresses(ingress: Json) -> set[str]:
    fields = [f"loadBalancer.ingress.{field}" for field in ("ip", "hostname")]
    return {str(each) for field in fields for each in values(ingress.get("status"), field)}


def _notes(ingress: Json) -> Json:
    return ingress["metadata"].get("annotations") or {}


def _called(other: Json, ingress: Json) -> str:
    namespace = other["metadata"]["namespace"]
    return name(other) if namespace == ingress["metadata"]["namespace"] else f"{namespace}/{name(other)}"


def _identity(thing: Json) -> tuple[str, str]:
    return thing["metadata"]["namespace"], name(thing)
