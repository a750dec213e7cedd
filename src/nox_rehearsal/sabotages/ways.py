"""Ways to break a rehearsal for as long as a context lasts."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from nox_rehearsal.parts import certificates, ingress, redis
from nox_rehearsal.sabotages.sabotage import Switch
from nox_rehearsal.world.state import World


def answer(method_and_path: str, **fault: Any) -> Switch:
    """The API answers this path otherwise (see nox_rehearsal.api.faults)."""
    return _faults({"answers": {method_and_path: fault}})


def answers(faults: dict[str, Any]) -> Switch:
    """The API answers several paths otherwise."""
    return _faults({"answers": faults})


def answers_as(version: str, faults: dict[str, Any]) -> Switch:
    """The same of an API that says that it is another version."""
    return _faults({"answers": faults, "settings": {"version": version}})


def altered(method_and_path: str, old: str, new: str) -> Switch:
    """The API answers honestly, but with `new` where `old` stands."""
    return answer(method_and_path, replace={old: new})


def settings(**changes: Any) -> Switch:
    """The API runs with other settings."""
    return _faults({"settings": changes})


def on_one_pod(**plan: Any) -> Switch:
    """One pod of the three alone has these `settings` or `answers`."""
    return lambda world: _faults({"pods": {max(world.pods): plan}})(world)


def _faults(content: dict[str, Any]) -> Switch:
    @contextmanager
    def on(world: World) -> Iterator[None]:
        draft = world.faults_file.with_suffix(".draft")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(world.faults_file)
        try:
            yield
        finally:
            world.faults_file.unlink()

    return on


def on_each_pod(plan: Callable[[World], dict[str, Any]]) -> Switch:
    """Each pod has these `settings` or `answers`, and no other colour's pods have them."""
    return lambda world: _faults({"pods": dict.fromkeys(world.pods, plan(world))})(world)


def in_production(switch: Switch, *, green: bool = False) -> Switch:
    """A fault of production's: its pods (blue's, or green's), database, profile and faults."""

    def on(world: World) -> AbstractContextManager[None]:
        return switch(
            replace(
                world,
                pods=world.green_pods if green else world.blue_pods,
                dsn=world.production_dsn,
                profile=world.production_profile,
                faults_file=world.production_faults_file,
            )
        )

    return on


def sql(do: str, undo: str) -> Switch:
    """The database is changed, and changed back."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        world.sql(do)
        try:
            yield
        finally:
            world.sql(undo)

    return on


def at_ingress(**changes: Any) -> Switch:
    """The ingress runs with another configuration (see nox_rehearsal.parts.ingress); `site` is staging's."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        ingress.apply(world, **changes)
        try:
            yield
        finally:
            ingress.restore(world)

    return on


def certificate(
    *, authority: certificates.Pair | None = None, site: str = "staging", **options: Any
) -> Switch:
    """The ingress serves another certificate, of the rehearsal's authority or another one."""

    @contextmanager
    def on(world: World) -> Iterator[None]:
        issuer = authority or ingress.authority(world)
        ingress.apply(world, certificate=certificates.issue(issuer, **options), site=site)
        try:
            yield
        finally:
            ingress.restore(world)

    return on


@contextmanager
def redirects_without_query(world: World) -> Iterator[None]:
    """The redirect to HTTPS keeps the path alone; what the ingress adds to it is commented out."""
    ingress.apply(world, redirect=f"{world.base_url}$uri; #")
    try:
        yield
    finally:
        ingress.restore(world)


@contextmanager
def redis_is_a_replica(world: World) -> Iterator[None]:
    """Redis follows a primary that is not there, and refuses writes."""
    redis.become_replica(world)
    try:
        yield
    finally:
        redis.become_primary(world)
