"""What credentials point at is sealed, and compared with what the profile names."""

# ruff: noqa: F811 (fixtures of another file)

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict
from redis.connection import parse_url
from tests_self.building.sealed_runs import Bundle, bundle, head, made  # noqa: F401 (fixtures)

from noxgate.errors import ProfileError
from noxgate.look.database_url import database_places
from noxgate.look.places import redis_place
from noxgate.project.kubeconfig import Cluster, clusters
from noxgate.project.overrides import believed
from noxgate.project.tables.credentials import points_at
from noxgate.reports.summary import where
from noxgate.run.commit import of
from noxgate.run.points_at import cluster_place
from noxgate.run.results_file import read

if TYPE_CHECKING:
    from tests_self.conftest import Project

WHO = ("-c", "user.name=x", "-c", "user.email=x@localhost")
DATABASES = {
    "postgresql://gate:pw@DB.nox.io/nox": "db.nox.io:5432/nox",
    "postgres://gate@db.nox.io:6543/nox?sslmode=require": "db.nox.io:6543/nox",
    "postgresql://gate:p%40w@a.nox.io:1,b.nox.io:2/nox": "a.nox.io:1,b.nox.io:2/nox",
    "postgresql://a.nox.io,b.nox.io/nox?target_session_attrs=primary": "a.nox.io:5432,b.nox.io:5432/nox",
    "postgresql:///nox?host=/run/postgresql&port=6543": "/run/postgresql:6543/nox",
    "postgresql://gate:pw@[::1]:6543/nox": "[::1]:6543/nox",
    "host=::1 port=6543 dbname=nox": "[::1]:6543/nox",
    "postgresql:///nox?host=FD00::1": "[fd00::1]:5432/nox",
    "host=db.nox.io hostaddr=fd00::1 dbname=nox": "db.nox.io at [fd00::1]:5432/nox",
    "host=db.nox.io dbname=nox user=gate password='p w'": "db.nox.io:5432/nox",
    "host=a,b port=1,2 dbname=nox": "a:1,b:2/nox",
    "host=a,b port=7 dbname=nox": "a:7,b:7/nox",
    "service=nox": ":5432/ (service nox)",
    "postgresql://db.nox.io/nox?hostaddr=127.0.0.1": "db.nox.io at 127.0.0.1:5432/nox",
    "postgresql://db.nox.io:5432/nox?port=6543": "db.nox.io:6543/nox",
    "postgresql://db.nox.io:5432/nox?host=x&dbname=y": "x:5432/y",
    "postgresql://:6543/nox?host=/run": "/run:6543/nox",
    "host=a,b hostaddr=10.0.0.1,10.0.0.2 dbname=nox": "a at 10.0.0.1:5432,b at 10.0.0.2:5432/nox",
    "hostaddr=10.0.0.1 dbname=nox": " at 10.0.0.1:5432/nox",
}
CACHES = {
    "redis://:pw@cache.nox.io": "cache.nox.io:6379/0",
    "rediss://gate:pw@Cache.nox.io:6380/3": "cache.nox.io:6380/3",
    "redis://cache.nox.io?db=2": "cache.nox.io:6379/2",
    "redis://cache.nox.io:6379/0?db=2": "cache.nox.io:6379/2",
    "redis://cache.nox.io?port=6380": "cache.nox.io:6380/0",
    "redis://cache.nox.io:6379?port=6380": "cache.nox.io:6379/0",
    "redis:///0?host=x": "x:6379/0",
    "redis://cache%2Enox.io/0": "cache.nox.io:6379/0",
}


def test_one_address_is_one_place() -> None:
    """However many zeros of it are written."""
    assert database_places("host=fd00:0:0::1 dbname=nox") == database_places("postgresql://[FD00::1]/nox")


@pytest.mark.parametrize("value", DATABASES)
def test_where_a_database_is(value: str) -> None:
    assert database_places(value) == DATABASES[value]
    assert "pw" not in database_places(value)


@pytest.mark.parametrize(
    ("value", "variables", "place"),
    [
        ("postgresql://db/nox", {"PGHOSTADDR": "127.0.0.1"}, "db at 127.0.0.1:5432/nox"),
        ("postgresql://db/nox", {"PGPORT": "7", "PGHOST": "x", "PGDATABASE": "y"}, "db:7/nox"),
        ("postgresql://db:5432/nox", {"PGPORT": "7"}, "db:5432/nox"),
        ("postgresql:///?user=gate", {"PGHOST": "x", "PGDATABASE": "y"}, "x:5432/y"),
        ("host=db dbname=nox", {"PGSERVICE": "other"}, "db:5432/nox (service other)"),
        ("host=db dbname=nox", {"PGSSLMODE": "require", "PGUSER": "gate", "PGHOST": ""}, "db:5432/nox"),
    ],
)
def test_libpq_goes_where_the_environment_says(value: str, variables: dict[str, str], place: str) -> None:
    assert database_places(value, variables) == place


def test_psycopg_reads_it_alike() -> None:
    """What libpq itself makes of each, as far as it says so without a connection."""
    for value in DATABASES:
        words = conninfo_to_dict(value)
        place = database_places(value)
        hosts, ports = str(words.get("host", "")).split(","), str(words.get("port", "")).split(",")
        assert [one for one in (*hosts, *ports) if one.lower() not in place] == [], value
        assert place.partition(" (")[0].endswith(f"/{words.get('dbname', '')}")


def test_redis_reads_it_alike() -> None:
    for value, place in CACHES.items():
        said = parse_url(value)  # type: ignore[no-untyped-call]
        assert f"{said['host'].lower()}:{said.get('port', 6379)}/{said.get('db', 0)}" == place, value


@pytest.mark.parametrize("value", CACHES)
def test_where_a_cache_is(value: str) -> None:
    assert redis_place(value) == CACHES[value]


@pytest.mark.parametrize("server", ["https://K8s.nox.io:6443/", "https://gate:p@w@k8s.nox.io:6443"])
@pytest.mark.usefixtures("no_proxy")
def test_where_a_cluster_is(server: str) -> None:
    assert cluster_place(Cluster(server)) == "https://k8s.nox.io:6443"


PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a proxy."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("server", "named", "variables", "way"),
    [
        ("https://k8s:6443", "http://me:pw@Proxy:1", {}, " by way of http://proxy:1"),
        ("https://k8s:6443", "", {"HTTPS_PROXY": "http://me:pw@proxy:2"}, " by way of http://proxy:2"),
        ("https://k8s:6443", "", {"ALL_PROXY": "socks5://proxy:3"}, " by way of socks5://proxy:3"),
        ("https://k8s:6443", "http://proxy:1", {"HTTPS_PROXY": "http://x"}, " by way of http://proxy:1"),
        ("https://k8s:6443", "", {"HTTPS_PROXY": "http://proxy:2", "NO_PROXY": "k8s"}, ""),
        ("https://k8s:6443", "", {"HTTP_PROXY": "http://proxy:2"}, ""),
        ("https://127.0.0.1:6443", "http://proxy:1", {"HTTPS_PROXY": "http://proxy:2"}, ""),
    ],
)
@pytest.mark.usefixtures("no_proxy")
def test_a_proxy_on_the_way_to_a_cluster(
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    named: str,
    variables: dict[str, str],
    way: str,
) -> None:
    """A kubeconfig brings its own authority: whoever answers there is believed."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert cluster_place(Cluster(server, named)) == f"{server}{way}"


@pytest.mark.parametrize(
    ("document", "variables", "led"),
    [
        ({}, {"SSL_CERT_FILE": "/home/x/evil.pem"}, {"SSL_CERT_FILE": "/home/x/evil.pem"}),
        ({}, {"SSL_CERT_DIR": "/etc/ssl/certs:/home/x/evil"}, {"SSL_CERT_DIR": "/home/x/evil"}),
        (
            {},
            {"SSL_CERT_FILE": "/etc/../home/x/evil.pem"},
            {"SSL_CERT_FILE": "/etc/../home/x/evil.pem"},
        ),
        ({}, {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt", "SSL_CERT_DIR": "/etc/ssl/certs"}, {}),
        ({}, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}, {}),
        ({"ca_file": "nox.crt"}, {"SSL_CERT_FILE": "/home/x/evil.pem"}, {}),
        (
            {"prometheus_url": "http://prom:9090"},
            {"HTTP_PROXY": "http://a:b@x:1"},
            {"HTTP_PROXY": "http://x:1"},
        ),
        ({"grafana": {"url": "http://g"}}, {"all_proxy": "http://x:1"}, {"HTTP_PROXY": "http://x:1"}),
        ({"prometheus_url": "http://prom:9090"}, {"HTTP_PROXY": "http://x:1", "NO_PROXY": "prom"}, {}),
        (
            {"prometheus_url": "https://prom:9090"},
            {"HTTP_PROXY": "http://x:1", "HTTPS_PROXY": "http://x:1"},
            {},
        ),
        ({"prometheus_url": "http://localhost:9090"}, {"HTTP_PROXY": "http://x:1"}, {}),
        ({"alertmanager_url": "http://am"}, {"HTTPS_PROXY": "http://x:1"}, {}),
    ],
)
@pytest.mark.usefixtures("no_proxy")
def test_who_is_believed(
    monkeypatch: pytest.MonkeyPatch,
    document: dict[str, object],
    variables: dict[str, str],
    led: dict[str, str],
) -> None:
    """By the environment, where the profile leaves it open; the machine's settings are left out."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert believed(document, variables) == led


@pytest.mark.parametrize("allowed", [False, True])
def test_an_authority_of_the_environment_is_no_go(
    project: "Project", monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, allowed: bool
) -> None:
    """A proxy and an authority of one's own would answer for any target."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "evil.pem"))
    if allowed:
        path = project.path / "targets" / "staging.toml"
        path.write_text(f'overrides = ["SSL_CERT_FILE"]\n{path.read_text()}')

    result = project.gate()

    assert result.ret == (0 if allowed else 2)
    assert f"(SSL_CERT_FILE={tmp_path / 'evil.pem'})" in result.stdout.str()
    assert f"(SSL_CERT_FILE={tmp_path / 'evil.pem'})" in where(read(*project.folders()))  # of a pull request
    said = "SSL_CERT_FILE says otherwise than staging.toml, which does not allow it" in result.stdout.str()
    assert said is not allowed


def kubeconfig(path: Path, current: str, **contexts: str) -> str:
    """A file with a cluster for each context."""
    path.write_text(
        json.dumps(
            {
                "current-context": current,
                "clusters": [
                    {"name": f"c-{name}", "cluster": {"server": url}} for name, url in contexts.items()
                ],
                "contexts": [
                    {"name": name, "context": {"cluster": f"c-{name}", "user": "u"}} for name in contexts
                ],
                "users": [],
            }
        )
    )
    return str(path)


def test_which_cluster_a_context_leads_to(tmp_path: Path) -> None:
    """The first file that names one counts, as kubectl has it."""
    first = kubeconfig(tmp_path / "a", "gate", gate="https://a:6443")
    second = kubeconfig(tmp_path / "b", "other", gate="https://b:6443", other="https://c:6443")

    assert clusters([first, second, str(tmp_path / "none")]) == {
        None: Cluster("https://a:6443"),
        "gate": Cluster("https://a:6443"),
        "other": Cluster("https://c:6443"),
    }
    assert clusters([]) == {}


@pytest.mark.parametrize("table", [{"database": "x"}, {"redis_url": 1}, "x"])
def test_a_table_of_another_form(table: object) -> None:
    with pytest.raises(ProfileError, match="points_at: expected some of database_url, redis_url, cluster"):
        points_at(Path("staging.toml"), table)


DATABASE = "postgresql://gate:hunter-2-secret@db.nox.io/nox"


@pytest.fixture
def pointing(project: "Project", monkeypatch: pytest.MonkeyPatch) -> "Project":
    """A project whose credential leads to a database, which its profile does not name yet."""
    monkeypatch.setenv("DATABASE_URL", DATABASE)
    return project


def name_it(project: "Project", place: str) -> None:
    path = project.path / "targets" / "staging.toml"
    path.write_text(f'points_at = {{ database_url = "{place}" }}\n{path.read_text()}')


def test_it_is_sealed_without_name_and_password(pointing: "Project") -> None:
    assert pointing.gate().ret == 0

    target = pointing.results()["target"]
    assert target["points_at"]["database_url"] == "db.nox.io:5432/nox"
    assert "gate" not in target["points_at"]["database_url"]


@pytest.mark.parametrize(("place", "status"), [("db.nox.io:5432/nox", 0), ("db.nox.io:5432/nox_staging", 2)])
def test_a_credential_that_leads_elsewhere_is_no_go(pointing: "Project", place: str, status: int) -> None:
    name_it(pointing, place)

    result = pointing.gate()

    assert result.ret == status
    doubt = f"staging.toml: database_url points at db.nox.io:5432/nox, and points_at names {place}"
    assert (doubt in result.outlines) is (status == 2)


def test_a_credential_that_is_not_set_leads_nowhere(project: "Project") -> None:
    name_it(project, "db.nox.io:5432/nox")

    result = project.gate()

    assert result.ret == 2
    assert any("points at nothing, and points_at names db.nox.io" in line for line in result.outlines)


@pytest.mark.parametrize("seen", [{}, {"redis_url": "staging-cache.nox.io:6379/0"}])
def test_verify_compares_with_the_commits_profile(bundle: Bundle, seen: dict[str, str]) -> None:
    """A run whose doubts somebody took away before it was sealed."""
    path = bundle.root / "targets" / "staging.toml"
    path.write_text(f'points_at = {{ redis_url = "cache.nox.io:6379/0" }}\n{path.read_text()}')
    subprocess.run(["git", *WHO, "commit", "-qam", "y"], cwd=bundle.root, check=True)
    now = of(bundle.root, head(bundle.root))
    (bundle.folder / "decided.json").write_text(json.dumps(now.document()))
    environment = json.loads((bundle.folder / "environment.json").read_text())
    (bundle.folder / "environment.json").write_text(json.dumps(environment | {"commit": now.id}))

    bundle.resign(lambda results: results["target"].update(points_at=seen))
    place = seen.get("redis_url", "nothing")
    (reason,) = bundle.refused()
    assert reason.startswith(f"targets/staging.toml: redis_url points at {place}, and points_at names cache")

    bundle.resign(lambda results: results["target"].update(points_at={"redis_url": "cache.nox.io:6379/0"}))
    assert bundle.refused() == []
