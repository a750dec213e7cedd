"""That no check writes is believed because a write would be seen: one at each of the servers."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml
from redis import Redis
from redis.exceptions import RedisError

from nox_rehearsal.cluster import objects
from nox_rehearsal.cluster.kubeconfig import LOOK
from nox_rehearsal.world.state import World

from .writes import watched


def insert(world: World) -> None:
    with suppress(psycopg.Error), psycopg.connect(world.read_only_dsn, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("INSERT INTO schema_migrations VALUES ('no')")


def set_key(world: World) -> None:
    (address,) = [
        line.partition("=")[2]
        for line in world.env_file.read_text(encoding="utf-8").splitlines()
        if line.startswith("REDIS_URL=")
    ]
    with suppress(RedisError), Redis.from_url(address) as redis:
        redis.set("noxgate:write", "1")


def patch_ingress(world: World) -> None:
    users = yaml.safe_load(world.kubeconfig.read_text(encoding="utf-8"))["users"]
    (token,) = [each["user"]["token"] for each in users if each["name"] == LOOK]
    httpx.patch(
        world.kubernetes_url + objects.path_of("Ingress", "nox-api-ingress", objects.PRODUCTION),
        json={"metadata": {"labels": {"a": "b"}}},
        headers={"authorization": f"Bearer {token}", "content-type": "application/merge-patch+json"},
        verify=False,  # noqa: S501 (loopback; what is sent is what matters)
        trust_env=False,
    )


def post_job(world: World) -> None:
    httpx.post(f"http://127.0.0.1:{next(iter(world.pods.values()))}/psi4/v1", json={}, trust_env=False)


def delete_series(world: World) -> None:
    httpx.post(f"{world.prometheus_url}/api/v1/admin/tsdb/clean_tombstones", trust_env=False)


def new_file(world: World) -> None:
    (world.source / "new.txt").touch()


@pytest.mark.parametrize(
    ("write", "server"),
    [
        (insert, "PostgreSQL"),
        (set_key, "Redis"),
        (patch_ingress, "Kubernetes"),
        (post_job, "NOX API"),
        (delete_series, "Prometheus"),
        (new_file, "the release's repository"),
    ],
)
def test_a_write_is_seen(write: Callable[[World], None], server: str, world: World) -> None:
    """Whether it was refused or not."""
    try:
        with watched(world, world.profile) as writes:
            write(world)
    finally:
        Path(world.source / "new.txt").unlink(missing_ok=True)

    assert [tried.split(":")[0] for tried in writes.tried] != []
    assert {tried.split(":")[0] for tried in writes.tried} == {server}
