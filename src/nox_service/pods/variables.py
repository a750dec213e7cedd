"""The variables that a pod spec has to set, by the application's names, and where values may stand."""

from collections.abc import Iterable, Mapping
from typing import Any

from nox_service.pods.promised import Promises
from noxgate.blue_green.side import Side
from noxgate.systems.kubernetes.pod_spec import Reference, variables, wholes

PROVIDERS = ("GOOGLE", "GITHUB", "MICROSOFT")
PUBLIC = tuple(f"{provider}_CLIENT_ID" for provider in PROVIDERS)  # every sign-in page shows them
SECRET = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", *(f"{provider}_CLIENT_SECRET" for provider in PROVIDERS))


def amiss(side: Side, deployment: Mapping[str, Any], promises: Promises) -> list[str]:
    """Variables that are absent, or whose value stands in the spec or a ConfigMap, which hide nothing.

    A pod starts without what is optional: of that it is looked whether it is there.
    """
    spec = deployment["spec"]["template"]["spec"]
    kinds = {
        name: value.kind if isinstance(value, Reference) else "text"
        for name, value in variables(spec, side.container).items()
        if not isinstance(value, Reference) or not value.optional or _is_there(side, value)
    }
    for prefix, whole in wholes(spec, side.container):
        if whole.kind == "Secret":
            keys: Iterable[str] | None = side.kube.secret(whole.name, side.namespace)
            if keys is None and (made := promises.of(whole)) is not None:
                if made.keys is None:
                    promises.refuse_unmade([whole])
                keys = made.keys
            kinds = {prefix + key: "Secret" for key in keys or ()} | kinds
    # Not "NAME: KIND": after the name of a secret, a colon and a word are taken for its value, and hidden.
    seen = {"text": "stands in the pod spec", "ConfigMap": "stands in a ConfigMap"}
    secret = [
        f"{name} {seen.get(kinds.get(name, ''), 'is absent')}"
        for name in SECRET
        if kinds.get(name) != "Secret"
    ]
    return secret + [f"{name} is absent" for name in PUBLIC if kinds.get(name, "text") == "text"]


def _is_there(side: Side, reference: Reference) -> bool:
    """Whether a pod finds what it would start without."""
    if reference.kind == "Secret":
        return reference.key in (side.kube.secret(reference.name, side.namespace) or {})
    found = side.kube.get("ConfigMap", reference.name, side.namespace) or {}
    return reference.key in (found.get("data") or {})
