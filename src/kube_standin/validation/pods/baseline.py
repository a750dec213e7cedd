"""What the baseline level of the Pod Security Standards forbids, version latest."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from kube_standin.validation.pods.said import (
    PROFILES,
    Check,
    Found,
    containers,
    context,
    named,
    own_users,
    quoted,
    seccomp_type,
    setters,
    some,
    values,
)
from kube_standin.wire.answers import Json
from kube_standin.wire.causes import show

APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
ADDED = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        *(f"net.ipv4.ip_{name}" for name in ("local_port_range", "local_reserved_ports")),
        *("net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies"),
        *(f"net.ipv4.tcp_keepalive_{name}" for name in ("time", "intvl", "probes")),
        *("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    }
)
SELINUX = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})


def _apparmor(meta: Json, spec: Json) -> Iterator[Found]:
    def kind(context: Json) -> Any:
        return (context.get("appArmorProfile") or {}).get("type")

    noted = [
        f"{key}={show(value)}"
        for key, value in sorted((meta.get("annotations") or {}).items())
        if key.startswith(APPARMOR) and not _is_allowed(value)
    ]
    bad = sorted({each for each in values(spec, kind) if each and each not in PROFILES})
    who = [setters(spec, lambda each: kind(each) in bad)] * bool(bad)
    who += [f"annotation{'' if len(noted) == 1 else 's'}"] * bool(noted)
    all_bad = [*bad, *noted]
    if all_bad:
        what = f"forbidden AppArmor profile{'' if len(all_bad) == 1 else 's'}"
        texts = ", ".join(f'"{each}"' for each in all_bad)
        yield what, f"{' and '.join(who)} must not set AppArmor profile type to {texts}"


def _is_allowed(annotation: str) -> bool:
    return annotation in {"", "runtime/default"} or annotation.startswith("localhost/")


def added(_: Json, spec: Json) -> Iterator[Found]:
    yield from adding(spec, ADDED, "non-default capabilities")


def adding(spec: Json, allowed: Collection[str], reason: str) -> Iterator[Found]:
    def bad(part: Json) -> set[str]:
        return set((context(part).get("capabilities") or {}).get("add") or []) - set(allowed)

    names = named(spec, lambda each: bool(bad(each)))
    if names:
        added = sorted({name for each in containers(spec) for name in bad(each)})
        words = f"must not include {quoted(added)} in securityContext.capabilities.add"
        yield reason, f"{some('container', names)} {words}"


def _host_namespaces(_: Json, spec: Json) -> Iterator[Found]:
    found = [f"{name}=true" for name in ("hostIPC", "hostNetwork", "hostPID") if spec.get(name)]
    if found:
        yield "host namespaces", ", ".join(found)


def host_paths(_: Json, spec: Json) -> Iterator[Found]:
    found = [str(each.get("name")) for each in spec.get("volumes") or [] if "hostPath" in each]
    if found:
        yield "hostPath volumes", some("volume", found)


def _host_ports(_: Json, spec: Json) -> Iterator[Found]:
    def ports(part: Json) -> list[str]:
        return [str(port["hostPort"]) for port in part.get("ports") or [] if port.get("hostPort")]

    names = named(spec, lambda each: bool(ports(each)))
    if names:
        found = sorted({port for each in containers(spec) for port in ports(each)})
        many = "" if len(found) == 1 else "s"
        uses = "uses" if len(names) == 1 else "use"
        yield "hostPort", f"{some('container', names)} {uses} hostPort{many} {', '.join(found)}"


def _probe_hosts(_: Json, spec: Json) -> Iterator[Found]:
    def hosts(part: Json) -> set[str]:
        probes = [part.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")]
        lifecycle = part.get("lifecycle") or {}
        handlers = [*probes, lifecycle.get("postStart"), lifecycle.get("preStop")]
        ways = [(each or {}).get(way) or {} for each in handlers for way in ("httpGet", "tcpSocket")]
        return {str(way["host"]) for way in ways if way.get("host")}

    names = sorted(set(named(spec, lambda each: bool(hosts(each)))))
    if names:
        found = sorted({host for each in containers(spec) for host in hosts(each)})
        uses = "uses" if len(names) == 1 else "use"
        yield (
            "probe or lifecycle host",
            f"{some('container', names)} {uses} {some('probe or lifecycle host', found)}",
        )


def _privileged(_: Json, spec: Json) -> Iterator[Found]:
    names = named(spec, lambda each: context(each).get("privileged") is True)
    if names:
        yield "privileged", f"{some('container', names)} must not set securityContext.privileged=true"


def _proc_mount(_: Json, spec: Json) -> Iterator[Found]:
    def bad(part: Json) -> bool:
        return context(part).get("procMount") not in {None, "Default"}

    names = [] if own_users(spec) else named(spec, bad)
    if names:
        found = sorted({str(context(each)["procMount"]) for each in containers(spec) if bad(each)})
        where = "must not set securityContext.procMount to"
        yield "procMount", f"{some('container', names)} {where} {quoted(found)}"


def _selinux(_: Json, spec: Json) -> Iterator[Found]:
    def options(context: Json) -> Json:
        found: Json = context.get("seLinuxOptions") or {}
        return found

    def bad(context: Json) -> bool:
        given = options(context)
        return given.get("type", "") not in SELINUX or bool(given.get("user") or given.get("role"))

    who = setters(spec, bad)
    if who:
        given = values(spec, options)
        types = sorted({each.get("type", "") for each in given} - SELINUX)
        said = [some("type", types)] * bool(types)
        said += [f"{name} may not be set" for name in ("user", "role") if any(map(_has(name), given))]
        yield "seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}"


def _has(name: str) -> Callable[[Json], bool]:
    return lambda options: bool(options.get(name))


def seccomp(_: Json, spec: Json) -> Iterator[Found]:
    bad = sorted({each for each in values(spec, seccomp_type) if each and each not in PROFILES})
    if bad:
        who = setters(spec, lambda each: seccomp_type(each) in bad)
        yield "seccompProfile", f"{who} must not set securityContext.seccompProfile.type to {quoted(bad)}"


def _sysctls(_: Json, spec: Json) -> Iterator[Found]:
    given = [str(each.get("name")) for each in context(spec).get("sysctls") or []]
    found = [name for name in given if name not in SYSCTLS]
    if found:
        yield "forbidden sysctls", ", ".join(found)


def _host_process(_: Json, spec: Json) -> Iterator[Found]:
    who = setters(spec, lambda each: (each.get("windowsOptions") or {}).get("hostProcess") is True)
    if who:
        yield "hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true"


# In the order of the controls' own names, which is the server's.
BASELINE: tuple[Check, ...] = (
    *(_apparmor, added, _host_namespaces, host_paths, _host_ports, _probe_hosts, _privileged),
    *(_proc_mount, _selinux, seccomp, _sysctls, _host_process),
)
