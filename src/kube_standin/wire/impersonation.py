"""Impersonation: who a request says that it is made for, and whether its sender may say so.

Kubernetes 1.36 asks twice: for the wide right `impersonate`, and for the two narrow ones, to be somebody
(`impersonate:user-info`) and to do this on their behalf (`impersonate-on:user-info:list`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.datastructures import Headers

from kube_standin.settings import AUTHENTICATED, User
from kube_standin.wire import answers
from kube_standin.wire.access import ANONYMOUS, Access, Action

AUTHENTICATION = "authentication.k8s.io"
ACCOUNT = "system:serviceaccount:"
NODE = "system:node:"
EXTRA = "impersonate-extra-"
PARTS_OF_AN_ACCOUNT = 4


@dataclass(frozen=True)
class Impersonated:
    """Whom a request is made for."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, str], ...] = ()


def acting(access: Access, user: User, headers: Headers, action: Action) -> User:
    """The user that a request counts as. Raises RefusedError if its sender may not say so."""
    wish = _wish(headers)
    if wish is None:
        return user
    wide = list(_wide(wish))
    if not all(access.decide(user, each) is not None for each in wide):
        mode = _mode(wish.name)
        access.require(user, _on_behalf(action, mode))
        for each in _narrow(wish, mode):
            access.require(user, each)
    return User(wish.name, _groups(wish), wish.uid)


def _wish(headers: Headers) -> Impersonated | None:
    extra = tuple(
        (name[len(EXTRA) :], value) for name, value in headers.items() if name.lower().startswith(EXTRA)
    )
    groups = tuple(headers.getlist("impersonate-group"))
    name, uid = headers.get("impersonate-user", ""), headers.get("impersonate-uid", "")
    if name:
        return Impersonated(name, groups, uid, extra)
    if groups or uid or extra:
        raise answers.unknown_here("impersonation of a group, a uid or an extra without a user")
    return None


def _groups(wish: Impersonated) -> tuple[str, ...]:
    """As the server adds to what was asked for."""
    groups = list(wish.groups)
    if not groups and wish.name.startswith(ACCOUNT):
        namespace = wish.name.split(":")[2]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    if wish.name != ANONYMOUS.name and AUTHENTICATED not in groups:
        groups.append(AUTHENTICATED)
    return tuple(groups)


def _wide(wish: Impersonated) -> Iterator[Action]:
    namespace, account = _account(wish.name)
    if account:
        yield Action("impersonate", "", "serviceaccounts", namespace=namespace, name=account)
    else:
        yield Action("impersonate", "", "users", name=wish.name)
    yield from (Action("impersonate", "", "groups", name=group) for group in wish.groups)
    if wish.uid:
        yield Action("impersonate", AUTHENTICATION, "uids", name=wish.uid)
    for key, value in wish.extra:
        yield Action("impersonate", AUTHENTICATION, "userextras", key, name=value)


def _narrow(wish: Impersonated, mode: str) -> Iterator[Action]:
    namespace, account = _account(wish.name)
    verb = f"impersonate:{mode}"
    if mode == "serviceaccount":
        yield Action(verb, AUTHENTICATION, "serviceaccounts", namespace=namespace, name=account)
        return
    if mode == "arbitrary-node":
        yield Action(verb, AUTHENTICATION, "nodes", name=wish.name.removeprefix(NODE))
        return
    yield Action(verb, AUTHENTICATION, "users", name=wish.name)
    yield from (Action(verb, AUTHENTICATION, "groups", name=group) for group in wish.groups)
    if wish.uid:
        yield Action(verb, AUTHENTICATION, "uids", name=wish.uid)
    for key, value in wish.extra:
        yield Action(verb, AUTHENTICATION, "userextras", key, name=value)


def _on_behalf(action: Action, mode: str) -> Action:
    verb = f"impersonate-on:{mode}:{action.verb}"
    return Action(
        verb, action.group, action.resource, action.subresource, action.namespace, action.name, action.path
    )


def _mode(name: str) -> str:
    if name.startswith(NODE):
        return "arbitrary-node"
    return "serviceaccount" if _account(name)[1] else "user-info"


def _account(name: str) -> tuple[str, str]:
    """Namespace and name of a service account, if this is one's user name."""
    parts = name.split(":")
    if name.startswith(ACCOUNT) and len(parts) == PARTS_OF_AN_ACCOUNT and all(parts):
        return parts[2], parts[3]
    return "", ""
