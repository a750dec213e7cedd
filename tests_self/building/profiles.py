"""Profiles, as text: good ones, and each mistake with what is said of it."""

import tomllib

KEYS = (
    "serves, rehearsal, load, load_results, load_counters, signed_in_requests, base_url, plain_url, "
    "ca_file, namespace, production, staging, env_file, kubeconfig, context, dry_run_context, "
    "green_namespace, blue_namespace, prometheus_url, alertmanager_url, registry, platform, "
    "node_ports, container, "
    "source, record, migration, schema, old_queries, migration_role, application_role, postgres_bin, "
    "alert_tests, vulnerabilities, log_allow_list, backups, backup_form, grafana, sentry, quiet, "
    "manifests, render, switch_patch, rollback_patch, wait_seconds, restore, science, tools, runtime, "
    "points_at, overrides, branch, signers, signing_key, evidence_hours, test_subject, "
    "credentials, oauth, security_headers"
)
GOOD = """\
serves = ["staging"]
base_url = "https://staging.example.com"
namespace = "nox-staging"

[credentials]
database_url = "DATABASE_URL"
redis_url = "REDIS_URL"
test_token = "TEST_TOKEN"
admin_token = "ADMIN_TOKEN"

[oauth.google]
client_id = "google-client"
[oauth.github]
client_id_variable = "GITHUB_CLIENT_ID"
"""

CLUSTER = """\
kubeconfig = "cluster/config"
context = "look"
dry_run_context = "rehearse-change"
registry = "Registry.Example.COM:5000"
platform = "linux/arm64/v8"
node_ports = "31000-31999"
container = "web"
prometheus_url = "http://prometheus.example.com:9090/nox/"
source = "../nox"
manifests = "k8s/staging"
switch_patch = "k8s/switch.json"
rollback_patch = "k8s/back.json"
green_namespace = "nox-green"
blue_namespace = "nox-blue"
"""

NAME = "expected the NAME of an environment variable (capitals, digits, _), never the value itself"
ROLES = (
    "database_url, redis_url, test_token, admin_token, expired_token, early_token, other_audience_token, "
    "prometheus_token, prometheus_password, registry_password, grafana_token, sentry_token"
)
QUIET = (
    'quiet: expected hours in UTC, such as ["22:30-05:00"], and ingress, the selector of its requests, '
    "if it is not nginx"
)
CLIENT_ID = 'expected client_id = "…" or client_id_variable = "NAME"'

BAD = {
    "empty file": ("", "missing serves, base_url, namespace, credentials, oauth"),
    "not toml": ("serves =", "Invalid value (at end of document)"),
    "unknown key": (
        "base_ulr = 1\n" + GOOD,
        f"unknown key 'base_ulr' (keys: {KEYS}); did you mean 'base_url'?",
    ),
    "serves text": (GOOD.replace('["staging"]', '"staging"'), "serves: expected a list, saw 'staging'"),
    "serves nothing": (
        GOOD.replace('["staging"]', "[]"),
        "serves: expected at least one phase (preflight, staging, live)",
    ),
    "serves unknown": (
        GOOD.replace('["staging"]', '["stagin"]'),
        "serves: no phase 'stagin' (phases: preflight, staging, live); did you mean 'staging'?",
    ),
    "serves number": (
        GOOD.replace('["staging"]', "[[1]]"),
        "serves: no phase [1] (phases: preflight, staging, live)",
    ),
    "load number": ("load = 1\n" + GOOD, 'load: expected true, false or "on production", saw 1'),
    "rehearsal text": ('rehearsal = "no"\n' + GOOD, "rehearsal: expected true or false, saw 'no'"),
    "base_url number": (
        GOOD.replace('"https://staging.example.com"', "5"),
        "base_url: expected text, saw 5",
    ),
    "credentials text": (
        'serves = ["staging"]\nbase_url = "https://a"\nnamespace = "n"\ncredentials = "s3cret"\n[oauth]',
        "credentials: expected a table, saw str",
    ),
    "namespace": (
        GOOD.replace("nox-staging", "Nox_Staging"),
        "namespace: expected a Kubernetes namespace (lower-case letters, digits, -), saw 'Nox_Staging'",
    ),
    "rehearsal elsewhere": (
        "rehearsal = true\n" + GOOD,
        "rehearsal = true belongs to this machine, but base_url is https://staging.example.com",
    ),
    "rehearsal by another name": (
        "rehearsal = true\n" + GOOD.replace("staging.example.com", "127.0.0.1:8443"),
        "rehearsal = true belongs in a rehearsal's own rehearsal.toml",
    ),
    "plain_url elsewhere": (
        'plain_url = "http://other.example.com"\n' + GOOD,
        "plain_url: expected the host of base_url, saw http://other.example.com",
    ),
    "plain_url nearly": (
        'plain_url = "close"\n' + GOOD,
        "where port 80 has no server, saw 'close'; did you mean 'closed'?",
    ),
    "plain_url https": (
        'plain_url = "https://staging.example.com"\n' + GOOD,
        "plain_url: expected http://HOST[:PORT][/PREFIX], saw 'https://staging.example.com'",
    ),
    "oauth provider": (
        GOOD + '[oauth.gogle]\nclient_id = "x"\n',
        "[oauth.gogle]: no such provider (providers: google, github, microsoft)",
    ),
    "oauth secret": (
        GOOD + '[oauth.microsoft]\nclient_id = "x"\nclient_secret = "s3cret-value"\n',
        f"[oauth.microsoft]: {CLIENT_ID}, saw client_id, client_secret",
    ),
    "oauth only secret": (
        GOOD + '[oauth.microsoft]\nclient_secret = "s3cret-value"\n',
        f"[oauth.microsoft]: {CLIENT_ID}, saw client_secret",
    ),
    "oauth nothing": (
        GOOD + "[oauth.microsoft]\n",
        f"[oauth.microsoft]: {CLIENT_ID}, saw nothing",
    ),
    "oauth text": (
        GOOD.partition("[oauth")[0] + '[oauth]\ngoogle = "x"\n',
        f"[oauth.google]: {CLIENT_ID}, saw str",
    ),
    "oauth scopes": (
        GOOD + '[oauth.microsoft]\nclient_id = "x"\nscopes = "openid"\n',
        """[oauth.microsoft] scopes: expected a list such as ["openid", "email"], saw 'openid'""",
    ),
    "oauth prompt": (
        GOOD + '[oauth.microsoft]\nclient_id = "x"\nprompt = "Login now"\n',
        """[oauth.microsoft] prompt: expected such as "select_account", or "" for none, saw 'Login now'""",
    ),
    "oauth tenant": (
        GOOD + '[oauth.microsoft]\nclient_id = "x"\ntenant = ".."\n',
        """[oauth.microsoft] tenant: expected such as "common", an id or a domain, saw '..'""",
    ),
    "oauth tenant elsewhere": (
        GOOD.replace("[oauth.google]", '[oauth.google]\ntenant = "common"'),
        f"[oauth.google]: {CLIENT_ID}, saw tenant, client_id",
    ),
    "test subject": ('test_subject = " "\n' + GOOD, "test_subject: expected a name, saw ' '"),
    "oauth empty id": (
        GOOD + '[oauth.microsoft]\nclient_id = " "\n',
        "[oauth.microsoft] client_id: expected text, saw ' '",
    ),
    **{
        f"quiet {said}": (
            "quiet = " + said + "\n" + GOOD,
            f"{QUIET}; saw {tomllib.loads('x = ' + said)['x']}",
        )
        for said in (
            '{ hours = "22:00-05:00" }',
            '{ hours = ["22-5"] }',
            '{ hours = ["22:00-24:00"] }',
            "{ hours = [22] }",
            '{ hour = ["22:00-05:00"] }',
            '{ ingress = "" }',
        )
    },
    "two credentials for one": (
        GOOD.replace(
            "[credentials]\n", '[credentials]\nprometheus_token = "A_B"\nprometheus_password = "C_D"\n'
        ),
        "[credentials]: expected prometheus_token or prometheus_password, saw both",
    ),
    "credential role": (
        GOOD.replace("test_token", "test_tokne"),
        f"[credentials]: unknown key 'test_tokne' (keys: {ROLES}); did you mean 'test_token'?",
    ),
    "credential value": (
        GOOD.replace('"TEST_TOKEN"', '"eyJhbGciOi-s3cret-value"'),
        f"[credentials] test_token: {NAME}",
    ),
    "credential number": (
        GOOD.replace('"TEST_TOKEN"', "12345678"),
        f"[credentials] test_token: {NAME}",
    ),
    "header": (
        GOOD + "[security_headers]\nx-frame-options = 1\n",
        "[security_headers] x-frame-options: expected the header's value, saw 1",
    ),
    "container": (
        'container = "nox_api"\n' + GOOD,
        "container: expected a container's name, saw 'nox_api'",
    ),
    "platform": (
        'platform = "arm64"\n' + GOOD,
        "platform: expected such as linux/arm64, saw 'arm64'",
    ),
    "one node port": (
        'node_ports = "30000"\n' + GOOD,
        "node_ports: expected such as 30000-32767, saw '30000'",
    ),
    "node ports backwards": (
        'node_ports = "32767-30000"\n' + GOOD,
        "node_ports: expected such as 30000-32767, saw '32767-30000'",
    ),
    "own peer": ('production = "mine"\n' + GOOD, "production: a target cannot be its own peer"),
    "no peer": (
        'production = "prodution"\n' + GOOD,
        "production: no target 'prodution' (targets: mine, production); did you mean 'production'?",
    ),
}
