"""Requests to an API server for one check: what they ask, what was seen, and why one could not look."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe
from noxgate.systems.kubernetes.api_server.answers import (
    RefusedError,
    RightError,
    check_is,
    is_of_object,
    lacks_right,
)
from noxgate.systems.kubernetes.connection.answers import KubeAnswer
from noxgate.systems.kubernetes.kinds import KINDS, Resource
from noxgate.systems.kubernetes.session import KubeSession

Json = Mapping[str, Any]


class Requests:
    """Asks with one credential, tries changes with the other, and records what it saw."""

    def __init__(self, session: KubeSession, dry_runs: KubeSession, observe: Observe) -> None:
        self._session = session
        self._dry_runs = dry_runs
        self._observe = observe
        self._places: dict[tuple[str, str], Resource] = {}
        self._groups: dict[str, list[str]] | None = None

    def _place(self, manifest: Json) -> Resource:
        """Where the objects of a manifest's kind live: known, or as the server's discovery says."""
        kind, version = str(manifest["kind"]), str(manifest["apiVersion"])
        known = KINDS.get(kind)
        if known is not None and known.group == Resource(version, "").group:
            return Resource(version, known.plural, known.namespaced)
        if (kind, version) not in self._places:
            self._places[kind, version] = self._discovered(kind, version)
        return self._places[kind, version]

    def _versions(self, group: str) -> list[str]:
        """The versions of an API group, the preferred one first; none if the server lacks the group."""
        if self._groups is None:
            repeat = self._session.kubectl("get", "--raw", "/apis")
            answer = self._ask(self._session, repeat, "GET", "/apis", {})
            found = answer.document.get("groups")
            if answer.status != HTTPStatus.OK or not isinstance(found, list):
                self._observe(Observation(f"could not look: {answer.status}: {answer.message}", repeat))
                raise UnreachableError(f"the API server does not say its groups: {answer.message}")
            self._groups = {
                str(each.get("name")): list(
                    dict.fromkeys(
                        str(one.get("version"))
                        for one in [each.get("preferredVersion") or {}, *(each.get("versions") or [])]
                        if one.get("version")
                    )
                )
                for each in found
            }
        return self._groups.get(group, [])

    def _discovered(self, kind: str, version: str) -> Resource:
        home = Resource(version, "").home
        if not re.fullmatch(r"/apis?(/[a-z0-9.-]+){1,2}", home):
            raise AssertionError(f"expected an apiVersion that Kubernetes takes, saw {version!r}")
        repeat = self._session.kubectl("get", "--raw", home)
        answer = self._ask(self._session, repeat, "GET", home, {})
        found = answer.document.get("resources") if answer.status == HTTPStatus.OK else []
        if answer.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND} or not isinstance(found, list):
            self._observe(Observation(f"could not look: {answer.status}: {answer.message}", repeat))
            raise UnreachableError(f"the API server does not say its kinds: {answer.message}")
        for each in found:
            if each.get("kind") == kind and "/" not in str(each.get("name")):
                return Resource(version, str(each["name"]), bool(each.get("namespaced")))
        said = f"the cluster knows no {kind} of {version}: its kinds are not installed"
        self._observe(Observation(said, repeat))
        raise AssertionError(said)

    def _get(
        self,
        where: Resource,
        kind: str,
        name: str,
        namespace: str,
        show: Callable[[Json], str],
        repeat: str | None = None,
    ) -> Json | None:
        words = [*(["-n", namespace] if where.namespaced else []), "-o", "yaml"]
        repeat = repeat or self._session.kubectl("get", where.plural, name, *words)
        if not name:
            return None  # the path of no name is that of the whole collection
        answer = self._ask(self._session, repeat, "GET", where.path(namespace, name), {})
        if answer.status == HTTPStatus.NOT_FOUND and is_of_object(answer):
            self._observe(Observation(answer.message, f"{repeat} --ignore-not-found"))
            return None
        self._good(answer, where, "get", namespace or name, repeat)
        check_is(answer, kind, name)
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
        method: str = "PATCH",
    ) -> KubeAnswer:
        query["dryRun"] = "All"
        path = where.path(namespace, name if method == "PATCH" else "")
        answer = self._ask(self._dry_runs, repeat, method, path, query, body, media_type)
        if answer.status == HTTPStatus.FORBIDDEN and lacks_right(answer):
            if "cannot create" in answer.message:
                self._uncreated(answer, where, name, namespace, repeat)
            self._good(answer, where, "patch", namespace, repeat)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            if answer.status == HTTPStatus.NOT_FOUND:
                self._unknown(answer, where, repeat)
            if "does not support dry run" in answer.message:  # a webhook: what it would say is not known
                self._observe(Observation(f"could not look: {answer.message}", repeat))
                raise UnreachableError(f"the API server cannot try it: {answer.message}")
            self._observe(Observation(f"refused: {answer.status}: {answer.message}", repeat))
            raise RefusedError(answer.status, str(answer.document.get("reason")), answer.message)
        check_is(answer, kind, name)
        self._observe(Observation(f"the server would accept it: {where.plural} {name}", repeat))
        for warning in answer.warnings:
            self._observe(Observation(f"the server warns: {warning}", repeat))
        return answer

    def _uncreated(self, answer: KubeAnswer, where: Resource, name: str, namespace: str, repeat: str) -> None:
        """What is not there, and what the credential may not make, cannot be tried."""
        self._observe(Observation(f"could not look: {answer.message}", repeat))
        raise RightError(
            f"{where.plural} {name} is not there in {namespace}, and this credential may make none: "
            f"apply it once by hand, or allow it to create: {answer.message}"
        )

    def _ask(
        self,
        session: KubeSession,
        repeat: str,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: object = None,
        media_type: str = "",
    ) -> KubeAnswer:
        try:
            return session.ask(method, path, query, body, media_type)
        except UnreachableError as error:
            self._observe(Observation(f"could not look: {error}", repeat))
            raise

    def _good(self, answer: KubeAnswer, where: Resource, verb: str, namespace: str, repeat: str) -> None:
        if answer.status == HTTPStatus.FORBIDDEN and self._serves(where, repeat):
            role = "rehearse-change" if verb == "patch" else "look" if namespace else "nodes"
            self._observe(Observation(f"could not look: {answer.message}", repeat))
            raise RightError(
                f"bind the role of docs/roles/{role}.yaml{f' in {namespace}' if namespace else ''}: "
                f"{answer.message}"
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

    def _unknown(self, answer: KubeAnswer, where: Resource, repeat: str) -> None:
        """A kind that the server does not know: its CRD is not installed."""
        not_found = answer.status == HTTPStatus.NOT_FOUND and not is_of_object(answer)
        if not_found or answer.status == HTTPStatus.FORBIDDEN:
            said = f"the cluster knows no {where.plural} of {where.version}: its kinds are not installed"
            self._observe(Observation(said, repeat))
            raise AssertionError(said)
