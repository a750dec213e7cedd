"""Reviews: questions about rights and identity that are answered and not stored."""

from collections.abc import Callable
from typing import Any

from kube_standin.settings import User
from kube_standin.wire.access import MASTERS, Access, Action
from kube_standin.wire.answers import Json
from kube_standin.wire.call import Call


def review(access: Access, call: Call, asked: Json) -> Json:
    """The review as asked, with its answer as status."""
    asked["metadata"] = {}
    asked["status"] = ANSWERS[call.kind.name](access, call, asked.get("spec", {}))
    return asked


def _self_access(access: Access, call: Call, spec: Json) -> Json:
    return _decision(access, call.user, spec)


def _access(access: Access, _: Call, spec: Json) -> Json:
    return _decision(access, User(spec.get("user", ""), tuple(spec.get("groups", ()))), spec)


def _decision(access: Access, user: User, spec: Json) -> Json:
    why = access.decide(user, _action(spec))
    if why is None:
        return {"allowed": False}
    return {"allowed": True, "reason": why} if why else {"allowed": True}


def _action(spec: Json) -> Action:
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return Action(path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes", {})
    return Action(
        asked.get("verb", ""),
        asked.get("group", ""),
        asked.get("resource", ""),
        asked.get("subresource", ""),
        asked.get("namespace", ""),
        asked.get("name", ""),
    )


def _self_rules(access: Access, call: Call, spec: Json) -> Json:
    rules: list[Json] = [grant.rule for grant in access.grants(call.user, spec.get("namespace", ""))]
    if MASTERS in call.user.groups:
        rules = [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
            {"nonResourceURLs": ["*"], "verbs": ["*"]},
        ]
    return {
        "resourceRules": [rule for rule in rules if rule.get("resources")],
        "nonResourceRules": [rule for rule in rules if rule.get("nonResourceURLs")],
        "incomplete": False,
    }


def _self_subject(_: Access, call: Call, __: Json) -> Json:
    info: Json = {"username": call.user.name, "groups": list(call.user.groups)}
    return {"userInfo": info}


ANSWERS: dict[str, Callable[[Access, Call, Json], Any]] = {
    "LocalSubjectAccessReview": _access,
    "SelfSubjectAccessReview": _self_access,
    "SelfSubjectReview": _self_subject,
    "SelfSubjectRulesReview": _self_rules,
    "SubjectAccessReview": _access,
}
