"""Runbook 1, parity: what staging proved holds for production only where both are alike."""

import pytest

from nox_service.clients import Clients
from noxgate.blue_green.running import running_images
from noxgate.blue_green.side import Side
from noxgate.project.runbook import Limits
from noxgate.systems.registry.answers import Image, bases
from noxgate.systems.registry.client import Registry


@pytest.mark.runbook("preflight.node-parity")
def test_images_declare_the_runtime(clients: Clients, production: Clients, production_blue: Side) -> None:
    """Of the digests that run, not of a tag: that may have moved since."""
    runtime = clients.runtime
    ours = images(clients.registry, clients.green)
    theirs = images(production.registry_for(production_blue), production_blue)
    variable = f"{runtime.name.upper()}_VERSION"
    found = {name: image.environment.get(variable) for name, image in {**ours, **theirs}.items()}

    assert ours != {}
    assert theirs != {}
    wrong = {image: version for image, version in found.items() if not is_a(version, runtime.version)}
    assert wrong == {}


@pytest.mark.runbook("preflight.base-image-parity")
def test_images_have_one_base(clients: Clients, production: Clients, production_blue: Side) -> None:
    """By the label that names the base; for an image without it, by the leading layers of all."""
    ours = images(clients.registry, clients.green)
    theirs = images(production.registry_for(production_blue), production_blue)
    found = bases([*ours.values(), *theirs.values()])

    assert ours != {}
    assert theirs != {}
    assert found == dict.fromkeys(found, next(iter(found.values())))


@pytest.mark.runbook("preflight.postgresql-parity")
def test_both_run_the_same_postgresql(clients: Clients, production: Clients, limits: Limits) -> None:
    """The servers' own answer, to the patch level; what the distribution adds behind it does not count."""
    versions = [each.rows("SHOW server_version") for each in (clients.database, production.database)]
    ours, theirs = (rows[0][0].split()[0] for rows in versions)
    ids = [
        each.rows("SELECT current_database(), pg_postmaster_start_time()::text")
        for each in (clients.database, production.database)
    ]

    assert ids[0] != ids[1], "expected two databases, saw one: it would be compared with itself"
    assert ours == theirs
    assert int(ours.partition(".")[0]) == limits["major"]


@pytest.mark.runbook("preflight.redis-parity")
def test_both_run_the_same_redis(clients: Clients, production: Clients, limits: Limits) -> None:
    """The servers' own answer, to the patch level."""
    ours, theirs = clients.cache.version(), production.cache.version()
    ids = [each.run_id() for each in (clients.cache, production.cache)]

    assert ids[0] != ids[1], "expected two servers, saw one: it would be compared with itself"
    assert ours == theirs
    assert int(ours.partition(".")[0]) == limits["major"]


def images(registry: Registry, side: Side) -> dict[str, Image]:
    """What runs, each once, as the registry has it."""
    return {each: registry.image(each) for each in sorted(set(running_images(side).values()))}


def is_a(version: str | None, wanted: str) -> bool:
    """Whether 20.19.5 is a 20: by whole numbers, so that 200.1 does not count."""
    return version is not None and version.removeprefix("v").split(".")[: wanted.count(".") + 1] == (
        wanted.split(".")
    )
