"""What a rehearsal consists of and the order in which it starts: NOX on loopback, staging and production."""

import os
from collections.abc import Callable
from pathlib import Path

from nox_rehearsal import release
from nox_rehearsal.cluster import controlling, objects, server
from nox_rehearsal.cluster.kubeconfig import ADMIN, write_kubeconfig
from nox_rehearsal.cluster.release import rules
from nox_rehearsal.day import record
from nox_rehearsal.parts import (
    certificates,
    containers,
    images,
    ingress,
    pages,
    pods,
    postgres,
    prometheus,
    redis,
    registry,
    repository,
    scanning,
)
from nox_rehearsal.parts.ingress_conf import Site
from nox_rehearsal.parts.monitoring import configuration
from nox_rehearsal.people import visitors
from nox_rehearsal.world import forks, plan, profile
from nox_rehearsal.world.leftovers import look
from nox_rehearsal.world.plan import Plan
from nox_rehearsal.world.processes import Crew
from nox_rehearsal.world.state import StartedPart, World

# What the parts that are Python import; their modules do it once, before the first of them is forked.
PRELOADED = (
    "nox_rehearsal.api.__main__",
    "nox_rehearsal.science.worker",
    "nox_rehearsal.cluster.controllers",
    "kube_standin.__main__",
    "httptools",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvicorn.protocols.websockets.wsproto_impl",
    "uvloop",
)
READY = 90.0  # seconds that pods have to be ready and scraped, once their database is; a busy machine's


def build(crew: Crew, name: str, folder: Path, chosen: Plan, *, say: Callable[[str], None]) -> World:
    """Start everything that does not need the database while that is made; then the rest."""
    say("Starting PostgreSQL, Redis, Prometheus, the Kubernetes API, the ingress and the pods of NOX API.")
    authority = certificates.authority()
    authority.write(folder / "ca.pem", folder / "ca.key")
    certificate = certificates.issue(authority)
    _launch_servers(crew, folder, chosen, certificate)
    forks.preload(PRELOADED)
    _launch_python(crew, folder, chosen, certificate)

    crew.wait_for(postgres.NAME)
    say(f"Making the {release.PREVIOUS} databases, and migrating staging's to {release.VERSION}.")
    crew.begin("databases", lambda: _make_databases(crew, folder, chosen))
    crew.wait_for(server.NAME)
    kubeconfig = folder / "kubeconfig"
    write_kubeconfig(kubeconfig, chosen.kubernetes_url, authority.certificate, chosen.tokens)
    api = objects.Api(chosen.kubernetes_url, folder / "ca.pem", chosen.tokens[ADMIN])
    variables = {
        objects.STAGING: chosen.staging.variables,
        **dict.fromkeys((objects.PRODUCTION, objects.BLUE, objects.GREEN), chosen.production.variables),
    }
    objects.furnish(api, folder / "source", variables, certificate)
    crew.wait_for(registry.NAME)
    crew.finish("source")
    commits = {release.VERSION: repository.head(folder / "source"), release.PREVIOUS: ""}
    pushed = registry.stock(chosen.registry, commits)
    scanning.write(folder, f"{chosen.registry.host}/{images.REPOSITORY}", pushed[release.VERSION])
    digests = {version: image.digest for version, image in pushed.items()}
    controllers = controlling.prepare(folder, chosen, digests)
    crew.launch(controllers)
    crew.launch(containers.prepare(folder, chosen.containers_port, controllers.folder / "settings.json"))

    crew.finish("databases")
    crew.launch(pods.prepare_worker(folder, chosen.staging.deployment))
    crew.wait_for(*(part.name for part in crew.parts()))
    for environment in (chosen.staging, chosen.production):
        pods.wait_until_ready(environment.deployment.pods, within=READY)
    objects.wait_until_ready(api, chosen.running, within=READY)
    for environment in (chosen.staging, chosen.production):
        ingress.wait_until_serving(environment.port, folder / "ca.pem", within=READY)
    crew.launch(visitors.prepare(folder, chosen.production.base_url))
    scraped = [pod for deployment in chosen.running for pod in deployment.pods]
    prometheus.wait_until_scraped(chosen.prometheus_port, scraped, within=READY)
    api.close()
    return _world(crew, name, folder, chosen)


def servers(crew: Crew) -> tuple[StartedPart, ...]:
    """The parts as they run now."""
    rows = []
    pids = crew.pids()
    for part in crew.parts():
        pid = pids.get(part.name)
        process = None if pid is None else look(pid)
        rows.append(StartedPart(part.name, part.address, pid, None if process is None else process.started))
    return tuple(rows)


def _launch_servers(crew: Crew, folder: Path, chosen: Plan, certificate: certificates.Pair) -> None:
    """The programs of others, which start while this process imports; what takes longest first.

    That is Prometheus: its first look at what it scrapes comes 5 s after its start, with every setting.
    """
    source = folder / "source"
    owner = chosen.production.names.application
    repository.write(source, chosen.registry.host, release.VERSION, release.PREVIOUS, owner)
    monitors = {**configuration.nodes(chosen.containers_port), **configuration.monitors(*chosen.running)}
    crew.launch(
        prometheus.prepare(
            folder, chosen.prometheus_port, monitors, rules(source), f"127.0.0.1:{chosen.pages_port}"
        )
    )
    crew.launch(postgres.prepare(folder, chosen.database))
    crew.launch(registry.prepare(folder, chosen.registry, certificate))
    for environment in (chosen.staging, chosen.production):
        crew.launch(
            redis.prepare(folder, environment.redis_port, environment.redis_password, environment.redis_part)
        )
    staging, production = (
        Site(environment.name, environment.port, environment.plain_port, redirect=environment.base_url)
        for environment in (chosen.staging, chosen.production)
    )
    crew.launch(ingress.prepare(folder, staging, production, certificate))
    crew.begin("source", lambda: repository.publish(source, release.VERSION))


def _make_databases(crew: Crew, folder: Path, chosen: Plan) -> None:
    """Both environments' databases as the version before has them; staging's is migrated."""
    postgres.create(chosen.database)
    postgres.run_scripts(crew, folder, chosen.database, postgres.ORIGINAL, *repository.BEFORE)
    for environment in (chosen.production, chosen.staging):
        postgres.copy(chosen.database, environment.names)
    postgres.run_scripts(crew, folder, chosen.database, postgres.STAGING, release.MIGRATION)


def _launch_python(crew: Crew, folder: Path, chosen: Plan, certificate: certificates.Pair) -> None:
    """What is forked from this process; the cluster first, which is written to next."""
    crew.launch(
        server.prepare(folder, chosen.kubernetes_port, certificate, chosen.tokens, chosen.deployments)
    )
    for environment in (chosen.staging, chosen.production):
        for pod in pods.prepare(folder, environment.deployment):
            crew.launch(pod)
    for pod in pods.prepare(folder, chosen.green):
        crew.plan(pod)
    crew.launch(pages.prepare(folder, chosen.pages_port, chosen.prometheus_port))


def _world(crew: Crew, name: str, folder: Path, chosen: Plan) -> World:
    staging = chosen.staging
    record.write(folder / "release.toml", chosen)
    peer = profile.write_production(folder, chosen)
    return World(
        name=name,
        folder=folder,
        supervisor=os.getpid(),
        version=release.VERSION,
        base_url=staging.base_url,
        plain_url=staging.plain_url,
        production_url=chosen.production.base_url,
        production_plain_url=chosen.production.plain_url,
        kubernetes_url=chosen.kubernetes_url,
        prometheus_url=f"http://127.0.0.1:{chosen.prometheus_port}",
        ca_file=folder / "ca.pem",
        env_file=folder / "credentials.env",
        profile=profile.write_staging(folder, chosen, peer),
        production_profile=peer,
        production_faults_file=plan.faults_file(folder, chosen.production.name),
        blue_pods=chosen.production.deployment.pods,
        green_pods=chosen.green.pods,
        previous=release.PREVIOUS,
        faults_file=plan.faults_file(folder, staging.name),
        kubeconfig=folder / "kubeconfig",
        source=folder / "source",
        pods=staging.deployment.pods,
        servers=servers(crew),
        dsn=chosen.database.url(postgres.SUPERUSER, postgres.STAGING.database),
        production_dsn=chosen.database.url(postgres.SUPERUSER, postgres.PRODUCTION.database),
        production_application_dsn=chosen.production.variables["DATABASE_URL"],
        application_dsn=staging.variables["DATABASE_URL"],
        read_only_dsn=chosen.database.url(postgres.STAGING.read_only, postgres.STAGING.database),
        redis_url=staging.variables["REDIS_URL"],
        secret_key=staging.variables["SECRET_KEY"],
        registry_host=chosen.registry.host,
        registry_password=chosen.registry.password,
        admin_token=chosen.tokens[ADMIN],
    )
