"""Runbook 1, parity: what staging proved holds for production only where both are alike."""

import pytest

from noxgate.blue_green.running import running
from noxgate.blue_green.side import Side
from noxgate.project.runbook import Limits
from noxgate.project.target import Runtime
from noxgate.systems.postgres.database import Database
from noxgate.systems.redis import Cache
from noxgate.systems.registry.answers import bases
from noxgate.systems.registry.client import Registry


@pytest.mark.runbook("preflight.node-parity")
def test_images_declare_the_runtime(
    green: Side,
    production_blue: Side,
    registry: Registry,
    production_registry: Registry,
    runtime: Runtime,
) -> None:
    """Of the digests that run, not of a tag: that may have moved since."""
    variable = f"{runtime.name.upper()}_VERSION"
    staging, blue = running(green), running(production_blue)
    found = {each: registry.image(each).environment.get(variable) for each in set(staging.values())}
    found |= {each: production_registry.image(each).environment.get(variable) for each in set(blue.values())}

    assert staging != {}
    assert blue != {}
    wrong = {image: version for image, version in found.items() if not is_a(version, runtime.version)}
    assert wrong == {}


@pytest.mark.runbook("preflight.base-image-parity")
def test_images_have_one_base(
    green: Side,
    production_blue: Side,
    registry: Registry,
    production_registry: Registry,
) -> None:
    """By the label that names the base; for an image without it, by the leading layers of all."""
    staging, blue = running(green), running(production_blue)
    images = [registry.image(each) for each in sorted(set(staging.values()))]
    blue_images = [production_registry.image(each) for each in sorted(set(blue.values()))]
    found = bases([*images, *blue_images])

    assert images != []
    assert blue_images != []
    assert found == dict.fromkeys(found, found[images[0].digest])


@pytest.mark.runbook("preflight.postgresql-parity")
def test_both_run_the_same_postgresql(
    database: Database, production_database: Database, limits: Limits
) -> None:
    """The servers' own answer, to the patch level; what the distribution adds behind it does not count."""
    versions = [each.rows("SHOW server_version") for each in (database, production_database)]
    staging, production = (rows[0][0].split()[0] for rows in versions)
    ids = [
        each.rows("SELECT current_database(), pg_postmaster_start_time()::text")
        for each in (database, production_database)
    ]

    assert ids[0] != ids[1], "expected two databases, saw one: it would be compared with itself"
    assert staging == production
    assert int(staging.partition(".")[0]) == limits["major"]


@pytest.mark.runbook("preflight.redis-parity")
def test_both_run_the_same_redis(cache: Cache, production_cache: Cache, limits: Limits) -> None:
    """The servers' own answer, to the patch level."""
    staging, production = cache.version(), production_cache.version()
    ids = [each.run_id() for each in (cache, production_cache)]

    assert ids[0] != ids[1], "expected two servers, saw one: it would be compared with itself"
    assert staging == production
    assert int(staging.partition(".")[0]) == limits["major"]


def is_a(version: str | None, wanted: str) -> bool:
    """Whether 20.19.5 is a 20: by whole numbers, so that 200.1 does not count."""
    return version is not None and version.removeprefix("v").split(".")[: wanted.count(".") + 1] == (
        wanted.split(".")
    )
