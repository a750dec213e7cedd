"""The cluster: whether its API server answers, and which of the gate's rights a credential has."""

import shlex
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from noxgate.doctor.needs import SHIPPED, Need
from noxgate.doctor.seen import Cause, Place, Seen
from noxgate.errors import UnreachableError
from noxgate.look.observation import few
from noxgate.systems import settings
from noxgate.systems.kubernetes.api_server.rights import Right, lacking, rights_of
from noxgate.systems.kubernetes.kinds import KINDS
from noxgate.systems.kubernetes.session import KubeSession

ROLES = Path("docs") / "roles"
LOOK, CHANGE, NODES = ROLES / "look.yaml", ROLES / "rehearse-change.yaml", ROLES / "nodes.yaml"
MOST = 6  # rights that are named, of all that lack
MAY_BE_SHIPPED = (
    *("configmaps", "services", "deployments", "ingresses", "horizontalpodautoscalers"),
    *("podmonitors", "servicemonitors", "prometheusrules"),
)
PARTS = {"pods/log": "logs", "pods/portforward": "forward"}
PATCHED = ("ingresses", "deployments")  # by the switch, the way back and the scaling as dry runs
PLURALS = {resource.plural: kind for kind, resource in KINDS.items()}


def cluster(at: Place, root: Path) -> Iterator[Seen]:
    """The credential that looks, then that for dry runs."""
    session = KubeSession(settings.cluster(at.target))
    needs = [at.need("cluster"), at.need("forward"), at.need("logs")]
    try:
        try:
            answer = session.ask("GET", "/api/v1", {})
        except UnreachableError as error:
            cause = _away(at, session, str(error))
            yield at.seen("kubeconfig", str(error), *needs, cause=cause)
            return
        is_fine = answer.status == HTTPStatus.OK
        yield at.seen("kubeconfig", "the cluster answers" if is_fine else f"HTTP {answer.status}", *needs)
        yield from _rights(at, session, root, "context", LOOK, _namespaces(at))
        if at.target.platform is None:
            yield from _of_nodes(at, session, root)
    finally:
        session.close()
    dry_runs = KubeSession(settings.cluster(at.target, for_dry_runs=True))
    try:
        spaces = [name for name in _namespaces(at) if name != at.target.blue_namespace]
        yield from _rights(at, dry_runs, root, "dry_run_context", CHANGE, spaces)
    finally:
        dry_runs.close()


def _away(at: Place, session: KubeSession, error: str) -> Cause:
    """Why the API server does not answer; the profile may name a missing kubeconfig."""
    if error.startswith("no kubeconfig "):
        cause = at.unnamed("kubeconfig", "a file of credentials").cause
        assert cause is not None
        return cause
    again = f"{session.kubectl('get', '--raw', '/version')}     # again"
    return Cause(f"the cluster: {error}", (again, at.edit("kubeconfig")), key=f"cluster {error}")


def _namespaces(at: Place) -> list[str]:
    target = at.target
    return list(
        dict.fromkeys(filter(None, (target.namespace, target.green_namespace, target.blue_namespace)))
    )


def _rights(
    at: Place, session: KubeSession, root: Path, key: str, role: Path, namespaces: list[str]
) -> Iterator[Seen]:
    """What a role grants, asked for in each namespace that the profile names."""
    try:
        rights = [right for name in namespaces for right in rights_of(root / role, name)]
        missing = lacking(session, rights)
    except UnreachableError as error:
        cause = Cause(f"rights of the cluster: {error}", (f"{session.kubectl('auth', 'can-i', '--list')}",))
        yield at.seen(key, str(error), at.need("cluster"), cause=cause)
        return
    whose = f"context {session.context}" if session.context else "the current context"
    if not missing:
        yield at.seen(key, f"{whose} has all {len(rights)} rights of {role}")
        return
    where = list(dict.fromkeys(right.namespace for right in missing))
    said = ", ".join(few(list(dict.fromkeys(map(str, missing))), MOST, f"{role} has all of them"))
    cause = Cause(f"{whose} lacks rights in {', '.join(where)}: {said}", tuple(_grant(session, role, where)))
    needs = {need for right in missing for need in _needs(at, role, right)}
    yield at.seen(key, f"{whose} lacks {len(missing)} of {len(rights)} rights", *needs, cause=cause)


def _grant(session: KubeSession, role: Path, namespaces: list[str]) -> Iterator[str]:
    """For whoever may: the role as it is shipped, bound to whom this credential is."""
    me = session.kubectl("auth", "whoami", "-o", "jsonpath='{.status.userInfo.username}'")
    name = f"noxgate-{role.stem}"
    for namespace in namespaces:
        yield f"kubectl apply -n {shlex.quote(namespace)} -f {shlex.quote(str(role))}"
        yield f'kubectl create rolebinding {name} -n {namespace} --role={name} --user="$({me})"'


def _of_nodes(at: Place, session: KubeSession, root: Path) -> Iterator[Seen]:
    try:
        missing = lacking(session, list(rights_of(root / NODES, "")))
    except UnreachableError as error:
        yield at.seen("platform", str(error))
        return
    if missing:
        cause = Cause(
            "the platform of the nodes is not known: the profile does not say it, and they may not be asked",
            (at.name_it("platform", "linux/amd64"),),
        )
        yield at.seen("platform", "not named", at.need("kind", "list Node"), cause=cause, is_set=False)
    else:
        yield at.seen("platform", "not named: the nodes are asked", is_set=False)


def _needs(at: Place, role: Path, right: Right) -> Iterator[Need]:
    """What waits for a right."""
    if role == CHANGE:
        yield at.need("dry runs", "apply")
        if right.resource in PATCHED:
            yield at.need("dry runs", "patch")
    elif right.resource in PARTS:
        yield at.need(PARTS[right.resource])
    elif right.resource in PLURALS:
        yield at.need("kind", f"{right.verb} {PLURALS[right.resource]}")
        if right.verb == "get" and right.resource in MAY_BE_SHIPPED:
            yield at.need("kind", SHIPPED)
