"""The options of a request, from its query: what is wrong with them is said all at once."""

from collections.abc import Iterator, Mapping, Sequence

from kube_standin.wire import answers
from kube_standin.wire.causes import Cause, forbidden, invalid, required, show, too_long, unsupported

VALIDATIONS = ("", "Ignore", "Strict", "Warn")
LONGEST_MANAGER = 128
NEWER = "NotOlderThan"
OPTIONS = {
    "create": "CreateOptions",
    "delete": "DeleteOptions",
    "patch": "PatchOptions",
    "update": "UpdateOptions",
}


def check_writing(verb: str, query: Mapping[str, str], *, applies: bool) -> None:
    """Raises RefusedError if a write's options are wrong."""
    causes = list(_of_a_patch(query, applies=applies)) if verb == "patch" else []
    causes += _common(query)
    if causes:
        raise answers.invalid("meta.k8s.io", OPTIONS.get(verb, "UpdateOptions"), "", causes)


def _of_a_patch(query: Mapping[str, str], *, applies: bool) -> Iterator[Cause]:
    if applies and not query.get("fieldManager"):
        yield required("fieldManager", "is required for apply patch")
    elif not applies and "force" in query:
        yield forbidden("force", "may not be specified for non-apply patch")


def _common(query: Mapping[str, str]) -> Iterator[Cause]:
    manager = query.get("fieldManager", "")
    if len(manager.encode()) > LONGEST_MANAGER:
        yield too_long("fieldManager", LONGEST_MANAGER)
    for at, character in enumerate(manager):
        if not character.isprintable():
            why = f"invalid character U+{ord(character):04X} (at position {at})"
            yield invalid("fieldManager", show(manager), why)
    if query.get("dryRun", "") not in {"", "All"}:
        shown = show([query["dryRun"]])
        yield Cause(
            "FieldValueNotSupported", f'Unsupported value: {shown}: supported values: "All"', "dryRun"
        )
    if query.get("fieldValidation", "") not in VALIDATIONS:
        yield unsupported("fieldValidation", query["fieldValidation"], VALIDATIONS)


def check_reading(query: Mapping[str, str], *, watches: bool) -> None:
    """Raises RefusedError if the options of a list or a watch are wrong."""
    causes = list(_of_a_watch(query) if watches else _of_a_list(query))
    if causes:
        raise answers.invalid("meta.k8s.io", "ListOptions", "", causes)


def _of_a_list(query: Mapping[str, str]) -> Iterator[Cause]:
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    if match:
        where = "resourceVersionMatch"
        if not version:
            yield forbidden(where, "resourceVersionMatch is forbidden unless resourceVersion is provided")
        if query.get("continue"):
            yield forbidden(where, "resourceVersionMatch is forbidden when continue is provided")
        if match not in {"Exact", NEWER}:
            yield unsupported(where, match, ("Exact", NEWER, ""))
        if match == "Exact" and version == "0":
            yield forbidden(where, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if query.get("sendInitialEvents"):
        yield forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _of_a_watch(query: Mapping[str, str]) -> Iterator[Cause]:
    match, initial = query.get("resourceVersionMatch", ""), query.get("sendInitialEvents")
    where = "resourceVersionMatch"
    if initial and match != NEWER:
        yield forbidden(where, f"sendInitialEvents requires setting resourceVersionMatch to {NEWER}")
    if match:
        if not initial:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            yield forbidden(where, why)
        if match != NEWER:
            yield unsupported(where, match, (NEWER,))
        if query.get("continue"):
            yield forbidden(where, "resourceVersionMatch is forbidden when continue is provided")


def check_deleting(options: Mapping[str, object]) -> None:
    """Raises RefusedError if DeleteOptions, of the body and the query together, are wrong."""
    causes = list(_of_a_deletion(options))
    if causes:
        raise answers.invalid("meta.k8s.io", OPTIONS["delete"], "", causes)


def _of_a_deletion(options: Mapping[str, object]) -> Iterator[Cause]:
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        yield invalid("propagationPolicy", show(policy), why)
    if policy is not None and policy not in PROPAGATIONS:
        yield unsupported("propagationPolicy", policy, (*PROPAGATIONS, "nil"))
    dry = options.get("dryRun")
    if isinstance(dry, Sequence) and any(each != "All" for each in dry):
        yield unsupported("dryRun", dry, ("All",))


PROPAGATIONS = ("Foreground", "Background", "Orphan")
