"""What a credential may do, asked of the API server itself: a SelfSubjectAccessReview for each right.

Every account may ask, and the answer is not stored: apart from dry runs the one request that is not a read.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from noxgate.errors import UnreachableError
from noxgate.machine.late import late
from noxgate.systems.kubernetes.session import REVIEW, KubeSession

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")

AT_ONCE = 8
VERBS = ("get", "list", "create", "patch")  # the gate watches nothing


@dataclass(frozen=True)
class Right:
    """To do something to a kind of object, in a namespace or, without one, in the whole cluster."""

    verb: str
    resource: str  # with its part, such as pods/log
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f' {self.name}' if self.name else ''}"

    def review(self) -> Mapping[str, object]:
        """The question in the API's own form."""
        resource, _, part = self.resource.partition("/")
        asked = {
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": part,
            "namespace": self.namespace,
            "name": self.name,
        }
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
        }


def rights_of(role: Path, namespace: str) -> Iterator[Right]:
    """The rights that a role's file grants, in this namespace.

    Raises UnreachableError if it cannot be read.
    """
    try:
        rules = yaml.safe_load(role.read_bytes())["rules"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise UnreachableError(f"{role}: expected the role that the gate needs, in YAML") from None
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                named = [namespace] if resource == "namespaces" else rule.get("resourceNames", [""])
                yield from (
                    Right(verb, resource, group, namespace, name)
                    for verb in rule["verbs"]
                    if verb in VERBS
                    for name in named
                    # an object that is not there yet has no name to the server that decides on its creation
                    if not (verb == "create" and name)
                )


def lacking(session: KubeSession, rights: Sequence[Right]) -> list[Right]:
    """Those that this credential does not have. Raises UnreachableError if that cannot be asked."""
    if not rights:
        return []
    first = _may(session, rights[0])  # which reads the kubeconfig, once
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [first, *pool.map(lambda right: _may(session, right), rights[1:])]
    return [right for right, may in zip(rights, answers, strict=True) if not may]


def _may(session: KubeSession, right: Right) -> bool:
    answer = session.ask("POST", REVIEW, {}, right.review(), "application/json")
    if answer.status == HTTPStatus.FORBIDDEN:
        raise UnreachableError(f"this credential may not ask what it may do: {answer.message}")
    status = answer.document.get("status")
    if answer.status != HTTPStatus.CREATED or not isinstance(status, dict) or "allowed" not in status:
        raise UnreachableError(f"expected an answered SelfSubjectAccessReview, saw HTTP {answer.status}")
    if status.get("evaluationError") and not status["allowed"]:
        raise UnreachableError(f"the API server could not decide on {right}: {status['evaluationError']}")
    return bool(status["allowed"])
