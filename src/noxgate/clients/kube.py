"""A Kubernetes cluster, seen through one check: objects as the API server has them, and dry runs.

The only requests that are not reads are PATCHes with dryRun=All; a test proves that there is no other.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from noxgate.clients.kinds import Resource, resource
from noxgate.clients.kube_session import Answer, KubeSession
from noxgate.clients.manifests import Document
from noxgate.clients.observation import Observation, Observe, shortened
from noxgate.clients.secret_values import SecretValue, judged
from noxgate.target import Target, UnreachableError

PAGE = 250  # objects in one answer
MANAGER = "noxgate"
APPLY = "application/apply-patch+yaml"

Json = Mapping[str, Any]


class RefusedError(AssertionError):
    """The API server refuses a dry run: the change itself would be refused just so."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"the API server refuses it: {status} {reason}: {message}")
        self.status = status


class Kube:
    """Looks at one cluster for one check and records what it saw."""

    def __init__(self, session: KubeSession, dry_runs: KubeSession, observe: Observe) -> None:
        self._session = session
        self._dry_runs = dry_runs
        self._observe = observe

    def get(self, kind: str, name: str, namespace: str = "") -> Json | None:
        """One object; None where there is no such object. Secrets are looked at with `secret` only."""
        if kind == "Secret":
            raise ValueError("a Secret's values must not leave the client: use secret()")
        return self._get(kind, name, namespace, lambda found: _summary(kind, found))

    def need(self, kind: str, name: str, namespace: str = "") -> Json:
        """One object that has to be there; AssertionError, which says so, where it is not."""
        found = self.get(kind, name, namespace)
        assert found is not None, f"{kind} {name} is not there" + (f" in {namespace}" if namespace else "")
        return found

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Json]:
        """The objects of a kind, all pages of them; empty also where the namespace does not exist."""
        if kind == "Secret":
            raise ValueError("a Secret's values must not leave the client: use secret()")
        where = resource(kind)
        chosen = ["-l", shlex.quote(selector)] if selector else []
        repeat = self._session.kubectl("get", where.plural, "-n", namespace, *chosen)
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
            items += _items(answer, kind)
            rest = (answer.document.get("metadata") or {}).get("continue")
            if not rest:
                break
            more = {"continue": rest}
        names = ", ".join(item["metadata"]["name"] for item in items[:20]) or "none"
        self._observe(Observation(f"{len(items)} {where.plural} in {namespace}: {names}", repeat))
        return items

    def knows(self, kind: str) -> bool:
        """Whether the server serves a kind at all."""
        where = resource(kind)
        return self._serves(where, self._session.kubectl("get", "--raw", where.home))

    def secret(self, name: str, namespace: str) -> dict[str, SecretValue] | None:
        """A Secret's keys with what may be said of their values; None where there is no such Secret."""
        found: dict[str, SecretValue] = {}

        def shown(secret: Json) -> str:
            found.update(judged(name, namespace, secret))
            return f"Secret {name} in {namespace}: " + (", ".join(map(str, found.values())) or "no keys")

        # describe, unlike get -o yaml, shows sizes and no values
        repeat = self._session.kubectl("describe", "secret", name, "-n", namespace)
        return None if self._get("Secret", name, namespace, shown, repeat) is None else found

    def dry_run_apply(self, manifest: Json, namespace: str) -> Json:
        """What applying a manifest would leave, as the server says; RefusedError where it is refused.

        Of a Secret without its values.
        """
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        where = resource(kind, manifest["apiVersion"])
        repeat = self._dry_runs.kubectl(
            "apply", "--server-side", "--dry-run=server", "-n", namespace, "-f", "FILE"
        )
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        found = self._dry_run(where, kind, name, namespace, manifest, APPLY, repeat, query)
        hidden = {"data", "stringData"} if kind == "Secret" else set()
        return {key: value for key, value in found.items() if key not in hidden}

    def fresh(self, manifest: Json, namespace: str) -> Json | None:
        """What applying a manifest would make where nothing is yet, with every default; under another name.

        None for an Ingress, whose routes belong to one name alone, and where the server refuses a second one.
        """
        if manifest["kind"] == "Ingress":
            return None
        metadata = {**manifest["metadata"], "name": f"{manifest['metadata']['name'][:54]}-noxgate"}
        try:
            return self.dry_run_apply({**manifest, "metadata": metadata}, namespace)
        except RefusedError:
            return None

    def dry_run_patch(self, kind: str, name: str, namespace: str, patch: object, media_type: str) -> Json:
        """What a patch would leave, as the server says; RefusedError where it would be refused."""
        if kind == "Secret":
            raise ValueError("a Secret's values must not leave the client")
        where = resource(kind)
        form = {"application/json-patch+json": "json", "application/merge-patch+json": "merge"}
        words = ["patch", where.plural, name, "-n", namespace, f"--type={form.get(media_type, 'strategic')}"]
        repeat = self._dry_runs.kubectl(*words, "--dry-run=server", "-p", shlex.quote(json.dumps(patch)))
        query = {"fieldManager": MANAGER}
        return self._dry_run(where, kind, name, namespace, patch, media_type, repeat, query)

    def refusals(self, manifests: Sequence[Document], namespace: str) -> dict[str, str]:
        """The manifests that an apply would not get past, and why."""
        refused = {}
        for document in manifests:
            try:
                self.dry_run_apply(document.content, document.namespace or namespace)
            except AssertionError as error:
                refused[str(document)] = str(error)
        return refused

    def _get(self, kind: str, name: str, namespace: str, show: Any, repeat: str | None = None) -> Json | None:
        where = resource(kind)
        words = [*(["-n", namespace] if where.namespaced else []), "-o", "yaml"]
        repeat = repeat or self._session.kubectl("get", where.plural, name or "''", *words)
        if not name:
            return None  # the path of no name is that of the whole collection
        answer = self._ask(self._session, repeat, "GET", where.path(namespace, name), {})
        if answer.status == HTTPStatus.NOT_FOUND and _is_of_object(answer):
            self._observe(Observation(answer.message, repeat))
            return None
        self._good(answer, where, "get", namespace or name, repeat)
        _check_is(answer, kind, name)
        self._observe(Observation(show(answer.document), repeat))
        return answer.document

    def _dry_run(
        self,
        where: Resource,
        kind: str,
        name: str,
        namespace: str,
        body: object,
        media_type: str,
        repeat: str,
        query: dict[str, str],
    ) -> Json:
        query["dryRun"] = "All"
        path = where.path(namespace, name)
        answer = self._ask(self._dry_runs, repeat, "PATCH", path, query, body, media_type)
        if answer.status == HTTPStatus.FORBIDDEN and _lacks_right(answer):
            self._good(answer, where, "patch", namespace, repeat)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            if answer.status == HTTPStatus.NOT_FOUND:
                self._unknown(answer, where, repeat)
            self._observe(Observation(f"refused: {answer.status}: {answer.message}", repeat))
            raise RefusedError(answer.status, str(answer.document.get("reason")), answer.message)
        _check_is(answer, kind, name)
        self._observe(Observation(f"the server would accept it: {where.plural} {name}", repeat))
        return answer.document

    def _ask(
        self,
        session: KubeSession,
        repeat: str,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: object = None,
        media_type: str = "",
    ) -> Answer:
        try:
            return session.ask(method, path, query, body, media_type)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise

    def _good(self, answer: Answer, where: Resource, verb: str, namespace: str, repeat: str) -> None:
        if answer.status == HTTPStatus.FORBIDDEN and self._serves(where, repeat):
            role = "rehearse-change" if verb == "patch" else "look"
            self._observe(Observation(f"could not look: {answer.message}", repeat))
            raise UnreachableError(
                f"bind the role of docs/roles/{role}.yaml in {namespace}: {answer.message}"
            )
        self._unknown(answer, where, repeat)
        if answer.status != HTTPStatus.OK:
            self._observe(Observation(f"could not look: {answer.status}: {answer.message}", repeat))
            raise UnreachableError(f"the API server: {answer.status}: {answer.message}")

    def _serves(self, where: Resource, repeat: str) -> bool:
        """Whether the server knows the kind: it says 403 of one that it does not know, too. All may ask."""
        answer = self._ask(self._session, repeat, "GET", where.home, {})
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        served = answer.document.get("resources")
        if answer.status != HTTPStatus.OK or not isinstance(served, list):
            return True  # it may not ask: rights are what is missing, for all we know
        return any(each.get("name") == where.plural for each in served)

    def _unknown(self, answer: Answer, where: Resource, repeat: str) -> None:
        """A kind that the server does not know: its CRD is not installed."""
        not_found = answer.status == HTTPStatus.NOT_FOUND and not _is_of_object(answer)
        if not_found or answer.status == HTTPStatus.FORBIDDEN:
            said = f"the cluster knows no {where.plural} of {where.version}: its kinds are not installed"
            self._observe(Observation(said, repeat))
            raise AssertionError(said)


def _is_of_object(answer: Answer) -> bool:
    """Whether a 404 is of an object (or its namespace), and not of the whole kind."""
    return bool((answer.document.get("details") or {}).get("name"))


def _lacks_right(answer: Answer) -> bool:
    """Whether a 403 is about our rights; quotas, webhooks and policies refuse a change with 403 as well."""
    return re.search(r'User ".*" cannot ', answer.message) is not None


def _check_is(answer: Answer, kind: str, name: str) -> None:
    """Something between us and the API server may answer with another object, and with 200."""
    metadata = answer.document.get("metadata")
    if answer.document["kind"] != kind or not isinstance(metadata, dict) or metadata.get("name") != name:
        seen = shortened(str(answer.document["kind"]), 80)
        raise UnreachableError(f"the API server: expected {kind} {name}, saw another object: {seen}")


def _items(answer: Answer, kind: str) -> list[Json]:
    items = answer.document.get("items") or []
    if (
        answer.document["kind"] != f"{kind}List"
        or not isinstance(items, list)
        or not all(isinstance(item, dict) and "name" in (item.get("metadata") or {}) for item in items)
    ):
        seen = shortened(str(answer.document["kind"]), 80)
        raise UnreachableError(f"the API server: expected {kind}List, saw something else: {seen}")
    return items


def _summary(kind: str, found: Json) -> str:
    """One line of an object: what people look at first."""
    metadata, status = found["metadata"], found.get("status") or {}
    shown = {
        "generation": metadata.get("generation"),
        **{key: value for key, value in status.items() if isinstance(value, int | str)},
        **{each["type"]: each["status"] for each in status.get("conditions") or []},
    }
    said = ", ".join(f"{key} {value}" for key, value in shown.items() if value is not None)
    return f"{kind} {metadata['name']}" + (f": {said}" if said else " exists")


def sessions(target: Target) -> Iterator[tuple[KubeSession, KubeSession]]:
    """A target's cluster for a run: the credential that looks, the one for dry runs; closed at its end."""
    found = KubeSession(target), KubeSession(target, for_dry_runs=True)
    yield found
    for session in found:
        session.close()
