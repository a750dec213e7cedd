"""A Kubernetes cluster, seen through one check: objects as the API server has them, and dry runs.

What is not a read is a PATCH or a POST with dryRun=All, or a SelfSubjectAccessReview (api_server/rights.py),
which is answered and not stored; a test proves that these are all.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.systems.kubernetes.api_server import allocations, pods
from noxgate.systems.kubernetes.api_server.allocations import EVERYWHERE
from noxgate.systems.kubernetes.api_server.answers import (
    RefusedError,
    RightError,
    is_of_object,
    items_of,
    lacks_right,
    name_of,
    summary,
)
from noxgate.systems.kubernetes.api_server.applying import change, laid_over, said_rights
from noxgate.systems.kubernetes.api_server.requests import Requests
from noxgate.systems.kubernetes.kinds import Resource, resource
from noxgate.systems.kubernetes.manifests import COMMAND, STDIN, Document
from noxgate.systems.kubernetes.secret_values import SecretValue, Where, hidden, judged, nowhere

__all__ = ["EVERYWHERE", "Kube", "RefusedError"]

# Whoever may write these may give themselves anything, so the gate may not, not even as a dry run.
RIGHTS = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
PAGE = 250  # objects in one answer
MANAGER = "noxgate"
APPLY = "application/apply-patch+yaml"

Json = Mapping[str, Any]
Objects = list[Json]


class Kube(Requests):
    """Looks at one cluster for one check and records what it saw."""

    def get(self, kind: str, name: str, namespace: str = "") -> Json | None:
        """One object; None if it does not exist. Secrets are looked at with `secret` only."""
        if kind == "Secret":
            raise ValueError("a Secret's values must not leave the client: use secret()")
        return self._get(resource(kind), kind, name, namespace, lambda found: summary(kind, found))

    def live(self, manifest: Json, namespace: str) -> Json | None:
        """The object of a manifest, in the version that it names; of a Secret digests in place of values."""
        kind, name = str(manifest["kind"]), str((manifest.get("metadata") or {}).get("name") or "")
        if not name or not manifest.get("apiVersion"):
            return None
        where = self._place(manifest)
        found = self._get(where, kind, name, namespace, lambda found: summary(kind, found))
        return hidden(found) if found is not None and kind == "Secret" else found

    def again(self, *words: str) -> str:
        """The kubectl command of these words, with the credential that looks."""
        return self._session.kubectl(*words)

    def say(self, said: str, manifest: Json) -> None:
        """Note what is known of the object of a manifest beside what was seen."""
        metadata = manifest.get("metadata") or {}
        kind, name = manifest["kind"], metadata.get("name")
        inside = ["-n", metadata["namespace"]] if metadata.get("namespace") else []
        self._observe(
            Observation(
                said, self.again("get", f"{kind}/{name}", *inside, "--ignore-not-found", "-o", "yaml")
            )
        )

    def need(self, kind: str, name: str, namespace: str = "") -> Json:
        """One object that has to be there; AssertionError, which says so, where it is not."""
        found = self.get(kind, name, namespace)
        assert found is not None, f"{kind} {name} is not there" + (f" in {namespace}" if namespace else "")
        return found

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Json]:
        """The objects of a kind, all pages of them; empty also where the namespace does not exist."""
        if kind == "Secret":
            raise ValueError("a Secret's values must not leave the client: use secret()")
        return self._listed(resource(kind), kind, namespace, selector)

    def list_where_served(self, kind: str, group: str, plural: str, namespace: str) -> Objects:
        """The objects of a kind that few clusters have, in the first version of its group that has the kind.

        Empty where the server does not serve it at all. What a group prefers may lack a kind that an older
        version of it has.
        """
        for version in self._versions(group):
            where = Resource(f"{group}/{version}", plural)
            if self._serves(where, self._session.kubectl("get", "--raw", where.home)):
                return self._listed(where, kind, namespace, "")
        return []

    def serves_group(self, group: str) -> bool:
        """Whether the server serves anything of a group."""
        return bool(self._versions(group))

    def _listed(self, where: Resource, kind: str, namespace: str, selector: str) -> Objects:
        chosen = ["-l", selector] if selector else []
        inside = ["-n", namespace] if namespace else ["--all-namespaces"]
        inside = inside if where.namespaced else []
        repeat = self._session.kubectl("get", where.plural, *inside, *chosen)
        query = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        items: list[Json] = []
        more: dict[str, str] = {}
        is_second = False
        while True:
            answer = self._ask(self._session, repeat, "GET", where.path(namespace), query | more)
            if answer.status == HTTPStatus.GONE and more and not is_second:  # it changed too much meanwhile
                items, more, is_second = [], {}, True
                continue
            self._good(answer, where, "list", namespace, repeat)
            items += items_of(answer, kind)
            rest = (answer.document.get("metadata") or {}).get("continue")
            if not rest:
                break
            more = {"continue": rest}
        names = ", ".join(item["metadata"]["name"] for item in items[:20]) or "none"
        place = f" in {namespace}" if where.namespaced else ""
        self._observe(Observation(f"{len(items)} {where.plural}{place}: {names}", repeat))
        return items

    def knows(self, kind: str) -> bool:
        """Whether the server serves a kind at all."""
        where = resource(kind)
        return self._serves(where, self._session.kubectl("get", "--raw", where.home))

    def secret(self, name: str, namespace: str, stands: Where = nowhere) -> dict[str, SecretValue] | None:
        """A Secret's keys with what may be said of their values; None if the Secret does not exist.

        `stands` says in which file of the checkout a value stands.
        """
        found: dict[str, SecretValue] = {}

        def shown(secret: Json) -> str:
            found.update(judged(name, namespace, secret, stands))
            return f"Secret {name} in {namespace}: " + (", ".join(map(str, found.values())) or "no keys")

        # describe, unlike get -o yaml, shows sizes and no values
        repeat = self._session.kubectl("describe", "secret", name, "-n", namespace)
        return (
            None if self._get(resource("Secret"), "Secret", name, namespace, shown, repeat) is None else found
        )

    def dry_run_apply(self, manifest: Json, namespace: str, origin: str = STDIN) -> Json:
        """What applying a manifest would leave, as the server says. Raises RefusedError if it is refused.

        Of a Secret digests in place of values. `origin` is a Document's.
        """
        kind, name = manifest["kind"], name_of(manifest)
        where = self._place(manifest)
        repeat = self._applied(origin, manifest, namespace, "--server-side")
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        found = self._dry_run(where, kind, name, namespace, manifest, APPLY, repeat, query).document
        return hidden(found) if kind == "Secret" else found

    def fresh(self, manifest: Json, namespace: str, origin: str = STDIN) -> Json | None:
        """What applying a manifest would make where nothing is yet, with every default; under another name.

        None for an Ingress, whose routes belong to one name alone, and where the server, or a role that names
        the objects, refuses a second one.
        """
        if manifest["kind"] == "Ingress":
            return None
        metadata = {**manifest["metadata"], "name": f"{name_of(manifest)[:54]}-noxgate"}
        try:
            return self.dry_run_apply({**manifest, "metadata": metadata}, namespace, origin)
        except (RefusedError, RightError) as error:
            self.say(f"compared with its own fields alone: under a second name {error}", manifest)
            return None

    def dry_run_patch(self, kind: str, name: str, namespace: str, patch: object, media_type: str) -> Json:
        """What a patch would leave, as the server says. Raises RefusedError if it would be refused."""
        if kind == "Secret":
            raise ValueError("a Secret's values must not leave the client")
        where = resource(kind)
        form = {"application/json-patch+json": "json", "application/merge-patch+json": "merge"}
        words = ["patch", where.plural, name, "-n", namespace, f"--type={form.get(media_type, 'strategic')}"]
        repeat = self._dry_runs.kubectl(*words, "--dry-run=server", "-p", json.dumps(patch))
        query = {"fieldManager": MANAGER}
        return self._dry_run(where, kind, name, namespace, patch, media_type, repeat, query).document

    def refusals(self, manifests: Sequence[Document], namespace: str) -> dict[str, str]:
        """The manifests that an apply would not get past, and why."""
        refused = {}
        unseen: list[UnreachableError] = []
        services = allocations.Services(self, self._dry_runs.node_ports)
        for document in manifests:
            try:
                services.check_free(document.content, document.namespace or namespace)
                if document.kind in RIGHTS:
                    self._compare_rights(document.content, document.namespace or namespace)
                else:
                    self.try_apply(document.content, document.namespace or namespace, document.origin)
            except AssertionError as error:
                refused[str(document)] = str(error)
            except UnreachableError as error:
                unseen.append(error)
        if unseen and not refused:  # what is refused is known, even if the rest is not
            raise unseen[0]
        return refused

    def _compare_rights(self, manifest: Json, namespace: str) -> None:
        """Who may write rights may give themselves any: they are compared with what is live."""
        name_of(manifest)
        live = self.live(manifest, namespace)
        if live is None:
            seen = "there is none yet"
        else:
            is_same = laid_over(live, said_rights(manifest)) == live
            seen = "the live one is the same" if is_same else "the live one differs"
        self.say(f"not tried, since the gate may write no rights: {seen}", manifest)

    def try_apply(self, manifest: Json, namespace: str, origin: str = STDIN) -> None:
        """Apply a manifest as the runbook's kubectl does, client side, as a dry run.

        Raises RefusedError if the server refuses. A server-side apply that would end otherwise is noted.
        """
        kind, name = manifest["kind"], name_of(manifest)
        where = self._place(manifest)
        repeat = self._applied(origin, manifest, namespace)
        path = where.path(namespace, name)
        there = self._ask(self._session, repeat, "GET", path, {})
        if there.status == HTTPStatus.FORBIDDEN:
            there = self._ask(self._dry_runs, repeat, "GET", path, {})
        if there.status != HTTPStatus.NOT_FOUND or not is_of_object(there):
            self._good(there, where, "get", namespace, repeat)
        live = there.document if there.status == HTTPStatus.OK else None
        sent = change(manifest, namespace if where.namespaced else None, where.group, live)
        query = {"fieldManager": sent.manager, "fieldValidation": "Strict"}
        try:
            answer = self._dry_run(
                where, kind, name, namespace, sent.body, sent.media_type, repeat, query, sent.method
            )
        except RefusedError:
            self._say_of_server_side(manifest, namespace, origin, is_refused=True)
            raise
        self._say_of_server_side(manifest, namespace, origin, is_refused=False)
        pod = pods.of_template(manifest)
        if pod is not None:
            self._try_pod(manifest, pod, namespace, origin, answer.warnings)

    def _applied(self, origin: str, manifest: Json, namespace: str, *options: str) -> str:
        """The command that tries a manifest where it stands: kubectl refuses any namespace but its own."""
        inside = [] if (manifest.get("metadata") or {}).get("namespace") else ["-n", namespace]
        words = self._dry_runs.kubectl("apply", *options, "--dry-run=server", *inside)
        return origin.replace(COMMAND, words)

    def _try_pod(
        self, manifest: Json, pod: Json, namespace: str, origin: str, warnings: Sequence[str]
    ) -> None:
        """The server accepts a workload whose pods it will refuse: a pod of the template shows it."""
        repeat = f"{self._applied(origin, manifest, namespace)}   # then a pod of its template"
        query = {"dryRun": "All", "fieldManager": MANAGER}
        where = resource("Pod").path(namespace)
        answer = self._ask(self._dry_runs, repeat, "POST", where, query, pod, "application/json")
        if answer.status < HTTPStatus.BAD_REQUEST:
            return
        if answer.status == HTTPStatus.FORBIDDEN and lacks_right(answer):
            found = self.get("Namespace", namespace)
            if pods.refuses(found, warnings):
                raise RefusedError(
                    answer.status, "Forbidden", f"no pod of it would start: {'; '.join(warnings)}"
                )
            level = ":".join(pods.enforced(found))
            words = "not tried: a pod of its template, which this credential may not create"
            self.say(f"{words}; {namespace} enforces the pod security level {level}", manifest)
        elif pods.may_change(answer.message):
            self.say(f"a pod of its template, as a dry run: {answer.message}", manifest)
        else:
            reason = str(answer.document.get("reason"))
            raise RefusedError(answer.status, reason, f"no pod of it would start: {answer.message}")

    def _say_of_server_side(self, manifest: Json, namespace: str, origin: str, *, is_refused: bool) -> None:
        try:
            self.dry_run_apply(manifest, namespace, origin)
        except RefusedError as error:
            if not is_refused:
                self.say(f"kubectl apply is accepted; with --server-side {error}", manifest)
        else:
            if is_refused:
                self.say("kubectl apply is refused; with --server-side it would be accepted", manifest)
