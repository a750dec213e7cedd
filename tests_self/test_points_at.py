"""What credentials point at is sealed, and compared with what the profile names."""

# ruff: noqa: F811 (fixtures of another file)

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.test_verify import Bundle, bundle, head, made  # noqa: F401 (fixtures)

from noxgate.errors import ProfileError
from noxgate.look.database_url import database_places
from noxgate.look.places import redis_place
from noxgate.project.kubeconfig import clusters
from noxgate.project.profile_values import points_at
from noxgate.run.commit import of
from noxgate.run.points_at import cluster_place

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
    "host=db.nox.io dbname=nox user=gate password='p w'": "db.nox.io:5432/nox",
    "host=a,b port=1,2 dbname=nox": "a:1,b:2/nox",
    "host=a,b port=7 dbname=nox": "a:7,b:7/nox",
    "service=nox": ":5432/ (service nox)",
}
CACHES = {
    "redis://:pw@cache.nox.io": "cache.nox.io:6379/0",
    "rediss://gate:pw@Cache.nox.io:6380/3": "cache.nox.io:6380/3",
    "redis://cache.nox.io?db=2": "cache.nox.io:6379/2",
}


@pytest.mark.parametrize("value", DATABASES)
def test_where_a_database_is(value: str) -> None:
    assert database_places(value) == DATABASES[value]
    assert "pw" not in database_places(value)


@pytest.mark.parametrize("value", CACHES)
def test_where_a_cache_is(value: str) -> None:
    assert redis_place(value) == CACHES[value]


@pytest.mark.parametrize("server", ["https://K8s.nox.io:6443/", "https://gate:p@w@k8s.nox.io:6443"])
def test_where_a_cluster_is(server: str) -> None:
    assert cluster_place(server) == "https://k8s.nox.io:6443"


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
        None: "https://a:6443",
        "gate": "https://a:6443",
        "other": "https://c:6443",
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
