"""The profiles of a rehearsal: where the checks are to look, and the files with their credentials."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from nox_rehearsal.api.login.auth import mint
from nox_rehearsal.checkout import ROOT
from nox_rehearsal.cluster import objects
from nox_rehearsal.cluster.kubeconfig import LOOK, REHEARSE_CHANGE
from nox_rehearsal.parts import images, pages, repository, scanning
from nox_rehearsal.science import environment as science_environment
from nox_rehearsal.world.plan import Environment, Plan
from noxgate.trust.signing import new_key

PHASES = ("preflight", "staging", "prep", "green", "live", "window", "rollback")
ADMIN, USER = 1, 2  # ids of two of the seed's users
WAIT_SECONDS = 1.5  # for what takes minutes on a real target, such as a rollout
BACKUPS = "backups"
TOKEN_HOURS = 72.0  # longer than the window that a rehearsal plays


# The runbook's pg_restore refuses a plain dump; psql alone would go on after an error.
RESTORE = ("psql", "-X", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-d", "{database}", "-f", "{file}")
TOOLS = """\
[tools]
git = ""
curl = ""
python3 = "3.8"
psql = "15"
pg_dump = "15"
pg_restore = "15"
"""


def write_staging(folder: Path, plan: Plan, peer: Path) -> Path:
    """The profile that checks run against; `peer` is production's."""
    own = f"""\
serves = ["preflight", "staging"]
production = "{peer}"
namespace = "{objects.STAGING}"
manifests = "k8s/staging"
node_ports = "30000-32767"
load = true
load_results = "{folder / "load"}"
load_counters = {{ query = 'http_requests_total{{namespace="{objects.STAGING}"}}' }}
restore = {json.dumps(RESTORE)}
science = {json.dumps(science_environment.command(ROOT, folder / "image"))}
"""
    (folder / "image").mkdir()
    return _write(folder / "rehearsal.toml", folder / "credentials.env", own, plan, plan.staging, TOOLS)


def write_production(folder: Path, plan: Plan) -> Path:
    own = f"""\
serves = ["prep", "green", "live", "window", "rollback"]
staging = "rehearsal.toml"
vulnerabilities = "{scanning.NAME}"
namespace = "{objects.PRODUCTION}"
blue_namespace = "{objects.BLUE}"
green_namespace = "{objects.GREEN}"
manifests = "k8s/production/green"
node_ports = "30000-32767"
switch_patch = "k8s/production/switch-to-green.json"
rollback_patch = "k8s/production/back-to-blue.json"
grafana = {{ url = "{pages.url(plan.pages_port, "grafana")}", dashboard = "{pages.DASHBOARD}" }}
backups = "{folder / BACKUPS}"
restore = {json.dumps(RESTORE)}
"""
    tables = f"""\
[sentry]
url = "{pages.url(plan.pages_port, "sentry")}"
organization = "{pages.ORGANIZATION}"
project = "{pages.PROJECT}"
"""
    path = folder / "rehearsal-production.toml"
    return _write(path, folder / "credentials-production.env", own, plan, plan.production, tables)


def _write(
    path: Path, env_file: Path, own: str, plan: Plan, environment: Environment, tables: str = ""
) -> Path:
    """Write the credentials, for their owner alone, then the profile that names them."""
    secret_key = environment.variables["SECRET_KEY"]
    _write_credentials(
        env_file,
        {
            "DATABASE_URL": plan.database.url(environment.names.read_only, environment.names.database),
            "REDIS_URL": environment.variables["REDIS_URL"],
            "TEST_TOKEN": mint(secret_key, USER, "user", TOKEN_HOURS),
            "EXPIRED_TOKEN": mint(secret_key, USER, "user", -1),
            "EARLY_TOKEN": mint(secret_key, USER, "user", TOKEN_HOURS * 3, starts_in=TOKEN_HOURS * 2),
            "OTHER_AUDIENCE_TOKEN": mint(secret_key, USER, "user", TOKEN_HOURS, audience="nox-console"),
            "REGISTRY_PASSWORD": plan.registry.credentials,
            "ADMIN_TOKEN": mint(secret_key, ADMIN, "admin", TOKEN_HOURS),
        },
    )
    oauth = "\n".join(
        f'\n[oauth.{provider}]\nclient_id = "{client_id}"'
        for provider, client_id in environment.client_ids.items()
    )
    folder = path.parent
    key = folder / "signing.pem"
    if not key.exists():  # one for both profiles
        new_key(key)
    path.write_text(
        f"""\
# Written by the rehearsal; gone when it ends.
rehearsal = true
{own}base_url = "{environment.base_url}"
plain_url = "{environment.plain_url}"
ca_file = "{folder / "ca.pem"}"
env_file = "{env_file}"
kubeconfig = "{folder / "kubeconfig"}"
context = "{LOOK}"
dry_run_context = "{REHEARSE_CHANGE}"
prometheus_url = "http://127.0.0.1:{plan.prometheus_port}"
registry = "{plan.registry.host}"
platform = "linux/{images.PLATFORM}"
runtime = {{ name = "node", version = "20" }}
source = "{folder / "source"}"
record = "{folder / "release.toml"}"
migration = "{repository.MIGRATION}"
schema = "{repository.SCHEMA}"
old_queries = "{repository.OLD_QUERIES}"
migration_role = "{plan.production.names.application}"
application_role = "{plan.production.names.application}"
alert_tests = "{repository.ALERT_TESTS}"
wait_seconds = {WAIT_SECONDS}
signing_key = "{key}"
signers = ["{key.with_suffix(".pub")}"]

[credentials]
database_url = "DATABASE_URL"
redis_url = "REDIS_URL"
test_token = "TEST_TOKEN"
admin_token = "ADMIN_TOKEN"
expired_token = "EXPIRED_TOKEN"
early_token = "EARLY_TOKEN"
other_audience_token = "OTHER_AUDIENCE_TOKEN"
registry_password = "REGISTRY_PASSWORD"

{tables}{oauth}
""",
        encoding="utf-8",
    )
    return path


def _write_credentials(env_file: Path, credentials: Mapping[str, str]) -> None:
    with os.fdopen(os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in credentials.items())
