"""Profiles: reads `targets/<name>.toml` and the runbook's environment variables into a Target."""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from noxgate.errors import ProfileError, UnreachableError
from noxgate.project import overrides
from noxgate.project import profile_values as values
from noxgate.project.keys.every import KEYS
from noxgate.project.keys.places import CLOSED
from noxgate.project.keys.reading import guess, refuse_others
from noxgate.project.kubeconfig import kubeconfig_secrets
from noxgate.project.overrides import OVERRIDES
from noxgate.project.tables import systems
from noxgate.project.tables.credentials import check_secrets, credential_variables, headers, oauth, points_at
from noxgate.project.target import Target
from noxgate.project.which.called import called
from noxgate.project.which.files import document_of, file_of, variables_of
from noxgate.project.which.world import rehearsed

REHEARSALS = ("rehearsal", "rehearsal-production")  # the only profiles that may say rehearsal = true
PEERS = ("production", "staging")


def is_skipped(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the runbook's SKIP_LOAD_TEST is set: its lines are not run, and the verdict cannot be GO."""
    return environment.get("SKIP_LOAD_TEST", "").lower() in {"1", "true", "yes"}


def read_target(
    root: Path, name: str, phases: Collection[str], environment: Mapping[str, str] = os.environ
) -> Target:
    """Read the profile `name`, or a path ending in .toml; raises ProfileError with one line."""
    path, document = written(root, name)
    return target_of(root, path, document, phases, environment)


def target_of(
    root: Path,
    path: Path,
    document: dict[str, Any],
    phases: Collection[str],
    environment: Mapping[str, str] = os.environ,
) -> Target:
    """The target of a profile that is written so; the document stays as it is."""
    _check_keys(path, document)
    document = dict(document)  # variables of the environment are said in it
    origins = dict.fromkeys(document, path.name)
    allowed = overrides.allowed(path, document)
    overridden = {} if said(document, "rehearsal") else overrides.apply(path, document, environment)
    origins |= {OVERRIDES[name]: name for name in overridden}
    target = _target(path, document, phases, environment, origins)
    used = {name: str(getattr(target, OVERRIDES[name])) for name in overridden}
    used |= {} if target.rehearsal else overrides.believed(document, environment)
    places = points_at(path, said(document, "points_at"))
    target = replace(target, overridden=used, overrides=allowed, points_at=places, typed=called(root, path))
    secrets = []
    kubeconfigs = {target.kubeconfig: None}  # a peer may well be in the same: YAML takes its time
    for key in PEERS:
        if getattr(target, key) is not None:
            peer = read_peer(root, target, phases, environment, key=key)
            _check_peer(target, peer, key)
            secrets += peer.secrets()
            kubeconfigs[peer.kubeconfig] = None
    for files in kubeconfigs:
        secrets += kubeconfig_secrets(files)
    return replace(target, peer_secrets=tuple(secrets))


def read_document(root: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """The profile `name` as it is written: nothing that it names is looked up."""
    path, document = written(root, name)
    _check_keys(path, document)
    return path, document


def written(root: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """What a profile says, be it right or wrong.

    Raises ProfileError if the file is missing, or is not TOML.
    """
    path = file_of(root, name)
    return path, document_of(path)


def said(document: Mapping[str, Any], key: str) -> Any:
    """What a profile says, or the default of the key."""
    return document.get(key, KEYS[key].default)


def read_peer(
    root: Path,
    target: Target,
    phases: Collection[str],
    environment: Mapping[str, str] = os.environ,
    *,
    key: str = "production",
) -> Target:
    """The target that `production` names: production, seen from staging; or `staging`, seen from production.

    Each variable that its profile names is read with the peer's name before it, such as
    PRODUCTION_DATABASE_URL: DATABASE_URL is the target's own. So are BASE_URL, NAMESPACE and KUBECONFIG.
    """
    named: str | None = getattr(target, key)
    if named is None:
        raise UnreachableError(f"{target.path.name} names no {key}, the peer to look at")
    try:
        path = file_of(root, named, beside=target.path)
    except ProfileError as error:
        raise ProfileError(f"{target.path.name}: {key}: {error}") from None
    if path.resolve() == target.path.resolve():
        raise ProfileError(f"{target.path.name}: {key}: a target cannot be its own peer")
    document = document_of(path)
    _check_keys(path, document)
    prefix = re.sub(r"[^A-Z0-9]", "_", path.stem.upper()) + "_"
    return _target(path, document, phases, environment, dict.fromkeys(document, path.name), prefix)


def _target(
    path: Path,
    document: Mapping[str, Any],
    phases: Collection[str],
    environment: Mapping[str, str],
    origins: Mapping[str, str],
    prefix: str = "",
) -> Target:
    rehearsal = said(document, "rehearsal")  # it says so itself
    rehearsed_by = "" if rehearsal else rehearsed(path, document, environment)
    where = {key: origin if origin in OVERRIDES else key for key, origin in origins.items()}
    base_url = values.url(path, where["base_url"], document["base_url"], "https")
    if rehearsal and not values.is_loopback(base_url):
        raise ProfileError(
            f"{path.name}: rehearsal = true belongs to this machine, but base_url is {base_url}"
        )
    if rehearsal and path.stem not in REHEARSALS:
        raise ProfileError(f"{path.name}: rehearsal = true belongs in a rehearsal's own rehearsal.toml")
    namespaces = {
        key: values.namespace(path, where[key], document[key])
        for key in ("namespace", "green_namespace", "blue_namespace")
        if key in document
    }
    ids, id_variables, asks = oauth(path, document["oauth"])
    id_variables = {provider: prefix + name for provider, name in id_variables.items()}
    credentials = {
        role: prefix + name for role, name in credential_variables(path, document["credentials"]).items()
    }
    named = {*credentials.values(), *id_variables.values()}
    variables = variables_of(path, document, environment, prefix, rehearsal=rehearsal)
    target = Target(
        name=path.stem,
        path=path,
        serves=values.serves(path, document["serves"], phases),
        base_url=base_url,
        plain_url=_plain_url(path, document, base_url),
        namespace=namespaces["namespace"],
        green_namespace=namespaces.get("green_namespace", namespaces["namespace"]),
        blue_namespace=namespaces.get("blue_namespace"),
        rehearsal=rehearsal or bool(rehearsed_by),
        rehearsed_by=rehearsed_by,
        load=values.load(path, said(document, "load")),
        load_results=_beside(path, document, "load_results"),
        signed_in_requests=values.selector(path, "signed_in_requests", document["signed_in_requests"])
        if "signed_in_requests" in document
        else None,
        load_counters=systems.load_counters(path, document["load_counters"])
        if "load_counters" in document
        else None,
        production=document.get("production"),
        staging=document.get("staging"),
        ca_file=values.ca_file(path, document["ca_file"]) if "ca_file" in document else None,
        kubeconfig=values.kubeconfig(path, where["kubeconfig"], document["kubeconfig"])
        if "kubeconfig" in document
        else None,
        context=values.text(path, "context", document["context"]) if "context" in document else None,
        dry_run_context=values.text(path, "dry_run_context", document["dry_run_context"])
        if "dry_run_context" in document
        else None,
        prometheus_url=values.prometheus_url(path, document["prometheus_url"])
        if "prometheus_url" in document
        else None,
        alertmanager_url=values.tool_url(path, "alertmanager_url", document["alertmanager_url"])
        if "alertmanager_url" in document
        else None,
        registry=values.registry(path, document["registry"]) if "registry" in document else None,
        container=values.container(path, document["container"]) if "container" in document else None,
        node_ports=values.node_ports(path, document["node_ports"]) if "node_ports" in document else None,
        platform=values.platform(path, document["platform"]) if "platform" in document else None,
        source=values.source(path, document["source"]) if "source" in document else None,
        record=path.parent / said(document, "record"),
        migration=_file(path, document, "migration"),
        schema=_file(path, document, "schema"),
        old_queries=_file(path, document, "old_queries"),
        migration_role=document.get("migration_role"),
        application_role=document.get("application_role"),
        alert_tests=_file(path, document, "alert_tests"),
        vulnerabilities=_beside(path, document, "vulnerabilities"),
        log_allow_list=_beside(path, document, "log_allow_list"),
        backups=_beside(path, document, "backups"),
        backup_form=values.backup_form(path, said(document, "backup_form")),
        grafana=systems.dashboard(path, document["grafana"]) if "grafana" in document else None,
        sentry=systems.sentry(path, document["sentry"]) if "sentry" in document else None,
        quiet=systems.quiet(path, said(document, "quiet")),
        postgres_bin=path.parent / document["postgres_bin"] if "postgres_bin" in document else None,
        manifests=_below(path, document, "manifests"),
        switch_patch=_below(path, document, "switch_patch"),
        rollback_patch=_below(path, document, "rollback_patch"),
        wait_seconds=values.wait_seconds(path, document["wait_seconds"], rehearsal=rehearsal)
        if "wait_seconds" in document
        else None,
        restore=values.words(path, "restore", said(document, "restore")),
        render=values.words(path, "render", said(document, "render")),
        science=values.words(path, "science", said(document, "science")),
        tools=values.texts(path, "tools", said(document, "tools")),
        runtime=systems.runtime(path, document["runtime"]) if "runtime" in document else None,
        client_ids=ids,
        client_id_variables=id_variables,
        asks=asks,
        test_subject=values.text(path, "test_subject", document["test_subject"])
        if "test_subject" in document
        else None,
        security_headers=headers(path, said(document, "security_headers")),
        credentials=credentials,
        variables={name: value for name, value in variables.items() if name in named},
        origins=origins,
        peer_secrets=(),  # the caller's to fill in
    )
    check_secrets(target)
    return target


def _file(path: Path, document: Mapping[str, Any], key: str) -> Path | None:
    """A file that the release repository has, or that lies elsewhere, such as a dump of the schema."""
    folder = path.parent / Path(document.get("source", ".")).expanduser()
    return folder / Path(document[key]).expanduser() if key in document else None


def _beside(path: Path, document: Mapping[str, Any], key: str) -> Path | None:
    """A file seen from the profile."""
    return path.parent / Path(document[key]).expanduser() if key in document else None


def _below(path: Path, document: Mapping[str, Any], key: str) -> str | None:
    return values.below(path, key, document[key]) if key in document else None


def _plain_url(path: Path, document: Mapping[str, Any], base_url: str) -> str:
    host, prefix = urlsplit(base_url).hostname, urlsplit(base_url).path
    if "plain_url" not in document:
        return f"http://{f'[{host}]' if ':' in str(host) else host}{prefix}"
    if document["plain_url"] == CLOSED:
        return ""
    if meant := guess(document["plain_url"], [CLOSED]):
        raise ProfileError(
            f"{path.name}: plain_url: expected http://HOST, or {CLOSED!r} where port 80 has no server, "
            f"saw {document['plain_url']!r}{meant}"
        )
    plain_url = values.url(path, "plain_url", document["plain_url"], "http")
    if urlsplit(plain_url).hostname != host:
        raise ProfileError(f"{path.name}: plain_url: expected the host of base_url, saw {plain_url}")
    return plain_url


def _check_keys(path: Path, document: Mapping[str, Any]) -> None:
    refuse_others(path.name, document, tuple(KEYS.values()), ProfileError)


def _check_peer(target: Target, peer: Target, named: str) -> None:
    """Two targets that are one would be compared with themselves; and a rehearsal looks at nothing real."""
    if target.rehearsal != peer.rehearsal:
        one, other = (target, peer) if target.rehearsal else (peer, target)
        why = one.rehearsed_by or "it says so"
        raise ProfileError(
            f"{target.path.name}: {named}: expected both to be a rehearsal, or neither: "
            f"{one.path.name} is one ({why}), {other.path.name} is not"
        )
    hosts = {urlsplit(each.base_url).hostname for each in (target, peer)}  # with any port
    same = {
        "base_url": target.base_url == peer.base_url if target.rehearsal else len(hosts) == 1,
        "namespace": target.namespace == peer.namespace,
    }
    if same["base_url"] and target.base_url != peer.base_url:
        raise ProfileError(
            f"{target.path.name} and {peer.path.name}: expected base_url at two hosts, saw {target.base_url} "
            f"and {peer.base_url}: only a rehearsal's targets may be two ports of one host"
        )
    for key in (key for key, is_same in same.items() if is_same):
        raise ProfileError(
            f"target {target.name!r} and its peer {getattr(target, named)!r} have the same {key} "
            f"{getattr(target, key)} (from {target.origins[key]}): one of them is wrong"
        )
