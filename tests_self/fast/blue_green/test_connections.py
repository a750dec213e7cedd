"""Where green is connected to: as its configuration names it, from its namespace, and as servers see it."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests_self.service import CONTAINER

from noxgate.blue_green.connected.places import configured, elsewhere
from noxgate.blue_green.connected.sessions import SeenSession, pods_without_session, roles
from noxgate.blue_green.routing import port_for
from noxgate.errors import UnreachableError
from noxgate.look.places import place
from noxgate.systems.kubernetes.secret_values import SecretValue, judged

if TYPE_CHECKING:
    from noxgate.systems.kubernetes.kube import Kube

GREEN, BLUE = "nox-production-green", "nox-production-blue"
PASSWORD = "Zq3v9LkW0pTsCANARY"  # noqa: S105 (of an invented user)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (f"postgresql://app:{PASSWORD}@db:5432/nox", "db:5432/nox"),
        (f"postgres://app:{PASSWORD}@DB.example.com/nox", "db.example.com:5432/nox"),
        (f"postgresql+psycopg2://app:{PASSWORD}@db/nox", "db:5432/nox"),
        (f"jdbc:postgresql://db/nox?user=app&password={PASSWORD}", "db:5432/nox"),
        (f"host=db dbname=nox password={PASSWORD}", "db:5432/nox"),
        (f"redis://:{PASSWORD}@cache:6380/2", "cache:6380/2"),
        (f"rediss://app:{PASSWORD}@cache", "cache:6379/0"),
        *((f"{scheme}://:{PASSWORD}/?#x@cache/0", "") for scheme in ("redis", "rediss", "postgresql")),
        (f"redis://{PASSWORD}@cache", "cache:6379/0"),
        ("redis://[fd00::7]:6380/1", "fd00::7:6380/1"),
        (f"redis://cache/{PASSWORD}", ""),
        *((other, "") for other in ("", PASSWORD, "https://api.example.com", "redis://[", "postgresql://@")),
    ],
)
def test_a_place_is_no_secret(value: str, found: str) -> None:
    assert place(value) == found


def secret(name: str, namespace: str, **values: str) -> dict[str, SecretValue]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return judged(name, namespace, {"data": data})


class Cluster:
    """Has these Secrets and other objects, and is silent on namespaces of other teams."""

    def __init__(self, secrets: Mapping[tuple[str, str], Any], **objects: Any) -> None:
        self._secrets = secrets
        self._objects = objects

    def secret(self, name: str, namespace: str) -> Any:
        return self._secrets.get((namespace, name))

    def get(self, kind: str, name: str, namespace: str) -> Any:
        if namespace == "databases":
            raise UnreachableError("403")
        return self._objects.get(kind, {}).get((namespace, name))

    def list(self, _: str, namespace: str, selector: str) -> Any:
        found = self._objects.get("EndpointSlice", {}).get((namespace, selector.rpartition("=")[2]), [])
        return [{"endpoints": [{"addresses": [address]} for address in found], "ports": []}]


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


def pod(namespace: str = GREEN, name: str = "p", address: str = "", **container: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "nox-api", **container}]},
        "status": {"podIP": address, "hostIP": "10.0.0.1"} if address else {},
    }


def led(value: str, namespace: str = GREEN, **objects: Any) -> str:
    """Where a pod's DATABASE_URL leads."""
    cluster = cast("Kube", Cluster({}, **objects))
    return configured(
        cluster, pod(namespace, env=[{"name": "DATABASE_URL", "value": value}]), "DATABASE_URL", CONTAINER
    )


def test_from_a_secret_or_a_config_map_or_all_of_it() -> None:
    """A variable of its own comes before what comes whole, and the last of these before the first."""
    url = f"postgresql://app:{PASSWORD}@{{}}.example.com/nox"
    secrets = {
        (GREEN, "one"): secret("one", GREEN, DATABASE_URL=url.format("one")),
        (GREEN, "two"): secret("two", GREEN, DATABASE_URL=url.format("two")),
    }
    maps = {(GREEN, "plain"): {"data": {"url": url.format("plain")}}}
    cluster = cast("Kube", Cluster(secrets, ConfigMap=maps))
    whole = [{"secretRef": {"name": "one"}}, {"secretRef": {"name": "two"}}]
    own = [{"name": "DATABASE_URL", "valueFrom": {"configMapKeyRef": {"name": "plain", "key": "url"}}}]
    named = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "one", "key": "DATABASE_URL"}}}]

    found = [
        configured(cluster, pod(env=env, envFrom=whole), "DATABASE_URL", CONTAINER)
        for env in ([], own, named)
    ]

    assert found == [f"{host}.example.com:5432/nox" for host in ("two", "plain", "one")]
    assert PASSWORD not in str(secrets)


def test_what_is_not_there_is_a_fault_and_what_nobody_can_read_is_none() -> None:
    cluster = cast("Kube", Cluster({(GREEN, "one"): secret("one", GREEN, url="nonsense")}))
    absent = [{"name": "REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "none", "key": "url"}}}]
    other = [{"name": "REDIS_URL", "valueFrom": {"secretKeyRef": {"name": "one", "key": "url"}}}]

    with pytest.raises(AssertionError, match="Secret none key url in nox-production-green is not there"):
        configured(cluster, pod(env=absent), "REDIS_URL", CONTAINER)
    with pytest.raises(AssertionError, match="no variable REDIS_URL"):
        configured(cluster, pod(env=[]), "REDIS_URL", CONTAINER)
    with pytest.raises(UnreachableError, match="p: REDIS_URL: expected an address, saw another form"):
        configured(cluster, pod(env=other), "REDIS_URL", CONTAINER)


def test_a_value_made_of_others() -> None:
    """As Kubernetes puts it together: a password that stays unknown does not hide the host."""
    env = [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "one", "key": "password"}}},
        {"name": "HOST", "value": "db.example.com"},
        {"name": "DATABASE_URL", "value": "postgresql://app:$(PASSWORD)@$(HOST):5432/nox"},
    ]
    cluster = cast("Kube", Cluster({}))

    assert configured(cluster, pod(env=env), "DATABASE_URL", CONTAINER) == "db.example.com:5432/nox"
    with pytest.raises(UnreachableError):
        configured(cluster, pod(env=[env[2]]), "DATABASE_URL", CONTAINER)


def test_the_same_words_are_two_places_in_two_namespaces() -> None:
    """`db` is of the pod's own namespace."""
    services = {(each, "db"): service("db", selector={"app": "db"}) for each in (GREEN, BLUE)}

    assert led("postgresql://db/nox", Service=services) == "db.nox-production-green.svc:5432/nox"
    assert led("postgresql://db/nox", BLUE, Service=services) == "db.nox-production-blue.svc:5432/nox"


def test_other_words_are_one_place() -> None:
    """A Service of another namespace, by its long name, or by an ExternalName that leads there."""
    services = {
        (BLUE, "db"): service("db", selector={"app": "db"}),
        (GREEN, "db"): service("db", type="ExternalName", externalName=f"db.{BLUE}.svc.cluster.local"),
    }
    found = [
        led("postgresql://db/nox", Service=services),
        *(led(f"postgresql://db.{BLUE}.svc{end}/nox", Service=services) for end in ("", ".cluster.local")),
    ]

    assert found == ["db.nox-production-blue.svc:5432/nox"] * 3


def test_a_server_outside_of_the_cluster() -> None:
    """By the name that an ExternalName has, or by the address of a Service without a selector."""
    named = {(GREEN, "db"): service("db", type="ExternalName", externalName="db.example.com")}
    pointed = {(each, "db"): service("db") for each in (GREEN, BLUE)}
    behind = {(each, "db"): ["192.0.2.7"] for each in (GREEN, BLUE)}

    assert led("postgresql://db/nox", Service=named) == "db.example.com:5432/nox"
    for namespace in (GREEN, BLUE):
        found = led("postgresql://db/nox", namespace, Service=pointed, EndpointSlice=behind)
        assert found == "192.0.2.7:5432/nox"


def test_another_teams_namespace_is_taken_by_its_name() -> None:
    assert led("postgresql://db.databases.svc/nox") == "db.databases.svc:5432/nox"
    assert led("postgresql://db.databases.svc.cluster.local/nox") == "db.databases.svc:5432/nox"
    assert led("postgresql://nobody/nox") == "nobody:5432/nox"  # of the pod's own hosts file


@pytest.mark.parametrize(
    ("green", "wrong"),
    [
        ("db.example.com:5432/nox", False),
        ("127.0.0.1:5432/nox", False),  # as the gate's own credential has it
        ("localhost:5432/nox", False),  # another name of the same address
        ("localhost:5433/nox", True),
        ("127.0.0.1:5432/nox_copy", True),
        ("db.invalid:5432/nox", True),
    ],
)
def test_elsewhere(green: str, wrong: bool) -> None:  # noqa: FBT001
    found = elsewhere({"p": green}, {"db.example.com:5432/nox", "127.0.0.1:5432/nox"})

    assert found == ({"p": green} if wrong else {})


PODS = [pod(BLUE, "blue-1", "10.1.0.1")], [pod(GREEN, f"green-{n}", f"10.1.0.{n}") for n in (2, 3)]


def seen(*addresses: str, in_use: bool = True, called: str = "") -> list[SeenSession]:
    return [SeenSession(address, called, in_use) for address in addresses]


def test_known_by_address_or_by_name() -> None:
    blue, green = PODS

    assert pods_without_session(blue, green, seen("10.1.0.1", "10.1.0.2", "10.1.0.3")) == []
    assert pods_without_session(blue, green, seen("10.1.0.1", "10.1.0.2")) == ["green-3"]
    by_name = [
        SeenSession("10.9.9.9", f"nox {name} web", in_use=True) for name in ("blue-1", "green-2", "green-33")
    ]
    assert pods_without_session(blue, green, by_name) == ["green-3"]


def test_a_session_from_before_is_none() -> None:
    """Such as one that a pod has left open."""
    blue, green = PODS
    sessions = seen("10.1.0.1", "10.1.0.2", in_use=False) + seen("10.1.0.3")

    assert pods_without_session(blue, green, sessions) == ["green-2"]


@pytest.mark.parametrize("sessions", [None, [], seen("10.1.0.2"), seen("10.9.9.9", "10.9.9.9")])
def test_where_blue_is_not_told_nothing_is(sessions: list[SeenSession] | None) -> None:
    """Behind a pooler, or of an account that may not see whose they are."""
    assert pods_without_session(*PODS, sessions) is None


def test_as_whom_green_asks() -> None:
    """Blue's role, those of others and an unknown one are left out."""
    asked = [
        SeenSession("10.1.0.1", "", in_use=True, role="nox_blue"),
        SeenSession("10.1.0.2", "", in_use=True, role="nox_app"),
        SeenSession("10.9.9.9", "nox green-3 web", in_use=False, role="nox_readonly"),
        SeenSession("10.1.0.3", "", in_use=True),
        SeenSession("10.7.7.7", "", in_use=True, role="backup"),
    ]

    assert roles(*PODS, asked) == ["nox_app", "nox_readonly"]
    assert roles(*PODS, []) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "10.1.0.2"])
def test_an_address_of_several_is_nobodys(address: str) -> None:
    """This machine's, the node's, or one that two pods have."""
    blue = [pod(BLUE, "blue-1", address)]

    assert pods_without_session(blue, PODS[1], seen(address)) is None


# ---------------------------------------------------------------- the port of a path


def ingress(*paths: tuple[str, str, Any]) -> dict[str, Any]:
    entries = [
        {"path": path, "pathType": kind, "backend": {"service": {"name": "s", "port": port}}}
        for path, kind, port in paths
    ]
    return {"metadata": {"name": "i"}, "spec": {"rules": [{"http": {"paths": entries}}]}}


@pytest.mark.parametrize(
    ("paths", "port"),
    [
        ([("/", "Prefix", {"number": 80}), ("/ws", "Prefix", {"number": 3001})], {"number": 3001}),
        ([("/ws", "Exact", {"name": "ws"}), ("/ws", "Prefix", {"number": 80})], {"name": "ws"}),
        ([("/", "Prefix", {"number": 80}), ("/wsx", "Prefix", {"number": 1})], {"number": 80}),
        ([("/ws/", "ImplementationSpecific", {"number": 3001})], {"number": 3001}),
    ],
)
def test_the_port_that_a_path_leads_to(paths: list[tuple[str, str, Any]], port: Any) -> None:
    assert port_for(ingress(*paths), "/ws") == port


def test_the_port_of_the_targets_own_host() -> None:
    """Another host of the same Ingress may have that path for a Service of its own."""
    made = ingress(("/", "Prefix", {"number": 80}))
    rules = made["spec"]["rules"]
    rules[0]["host"] = "api.nox.example"
    other = ingress(("/ws", "Prefix", {"number": 9000}))["spec"]["rules"][0]
    rules.append({**other, "host": "chat.nox.example"})

    assert port_for(made, "/ws", "api.nox.example") == {"number": 80}
    assert port_for(made, "/ws", "chat.nox.example") == {"number": 9000}
    assert port_for(made, "/ws", "10.0.0.1") == {"number": 9000}  # under another name: by the path alone
    rules[1]["host"] = "*.nox.example"
    assert port_for(made, "/ws", "api.nox.example") == {"number": 80}
    assert port_for(made, "/ws", "chat.nox.example") == {"number": 9000}
    assert port_for(made, "/ws", "far.chat.nox.example") == {"number": 9000}
    rules[1].pop("host")
    assert port_for(made, "/ws", "chat.nox.example") == {"number": 9000}


@pytest.mark.parametrize(
    ("notes", "path", "leads"),
    [
        ({"nginx.ingress.kubernetes.io/use-regex": "true"}, "/(.*)", True),
        ({"nginx.ingress.kubernetes.io/rewrite-target": "/$2"}, "/()(ws|api)", True),
        ({"nginx.ingress.kubernetes.io/use-regex": "true"}, "/WS", True),  # in any case
        ({"nginx.ingress.kubernetes.io/use-regex": "true"}, "/api(/|$)(.*)", False),
        ({"nginx.ingress.kubernetes.io/use-regex": "true"}, "/(", False),
        ({"nginx.ingress.kubernetes.io/use-regex": "false"}, "/(.*)", False),
        ({}, "/(.*)", False),
    ],
)
def test_paths_that_are_expressions(notes: dict[str, str], path: str, leads: bool) -> None:  # noqa: FBT001
    made = ingress((path, "ImplementationSpecific", {"number": 80}))
    made["metadata"]["annotations"] = notes

    if leads:
        assert port_for(made, "/ws") == {"number": 80}
    else:
        with pytest.raises(AssertionError, match="no path of Ingress i leads to /ws"):
            port_for(made, "/ws")


def test_where_no_rule_fits() -> None:
    """The default backend answers, of an Ingress without rules, too."""
    made = ingress(("/api", "Prefix", {"number": 80}))
    made["spec"]["defaultBackend"] = {"service": {"name": "s", "port": {"name": "web"}}}

    assert port_for(made, "/ws") == {"name": "web"}
    assert port_for(made, "/api") == {"number": 80}
    del made["spec"]["rules"]
    assert port_for(made, "/ws") == {"name": "web"}


def test_a_path_that_leads_nowhere() -> None:
    with pytest.raises(AssertionError, match="no path of Ingress i leads to /ws"):
        port_for(ingress(("/api", "Prefix", {"number": 80})), "/ws")
