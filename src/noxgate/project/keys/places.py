"""Where the target is: its API, its cluster, its tools, and how much of it may be put under load."""

from noxgate.project.keys.key import (
    LIST,
    NAME,
    NOT_BLANK,
    TABLE,
    TEXT,
    YES_OR_NO,
    Key,
    Topic,
    ValueForm,
    pattern,
)

CLOSED = "closed"  # in place of plain_url: no server answers there
ON_PRODUCTION = "on production"  # what `load` must say where users are
NODE_PORTS = r"[0-9]{1,5}-[0-9]{1,5}"
PLATFORM = r"(linux|windows)/[a-z0-9_]+(/v[0-9]+)?"
LOAD = ValueForm(
    f'true, false or "{ON_PRODUCTION}"', object, {"enum": [True, False, ON_PRODUCTION]}
)  # its own message
NAMESPACE = pattern(NAME)
ADDRESS = pattern("[hH][tT][tT][pP][sS]?://.+")
OF_CLUSTER = ("cluster", "forward", "logs")
CERTIFICATES = ("address", "prometheus", "redis", "registry", "grafana", "sentry")

TARGET = Topic(
    "The target",
    (
        Key(
            "serves",
            LIST,
            "The phases of the runbook that run against it.",
            example=["staging"],
            required=True,
            limits={"minItems": 1},
        ),
        Key(
            "rehearsal",
            YES_OR_NO,
            "It is the rehearsal's own world on this machine: its verdicts say so, and are not evidence.",
            example=True,
            default=False,
            rehearsal=True,
        ),
    ),
)
COUNTERS = (
    Key(
        "query",
        TEXT,
        "Prometheus' selector of the counters, a series for each pod at least.",
        example='requests_total{namespace="nox-staging-green"}',
        required=True,
        limits=NOT_BLANK,
    ),
    Key("uncounted", LIST, "Classes of the load test that they leave out.", example=["health"], default=[]),
)
UNDER_LOAD = Topic(
    "The load test",
    (
        Key(
            "load",
            LOAD,
            "Whether `noxgate load` may run here. Where users are served, only in so many words.",
            example=True,
            default=False,
            waits=("load",),
        ),
        Key(
            "load_results",
            TEXT,
            "The folder of the load test's results, seen from the profile.",
            example="../load",
            without="`load` in the release's folder of reports",
            waits=("load",),
        ),
        Key(
            "load_counters",
            TABLE,
            "The application's own counters of its answers: a load test is compared with them.",
            example={"query": 'requests_total{namespace="nox-staging-green"}', "uncounted": ["health"]},
            without="a load test's numbers stand alone",
            keys=COUNTERS,
            waits=("counters",),
        ),
        Key(
            "signed_in_requests",
            TEXT,
            "Prometheus' selector of the counters of answers to signed-in users, with a label `status`.",
            example='requests_total{namespace="nox-production-green",user="signed-in"}',
            without="the gate's own token is asked alone",
        ),
    ),
)
API = Topic(
    "The API, its peer and its variables",
    (
        Key(
            "base_url",
            TEXT,
            "The API's public address, with the path in front of it, if any. "
            "`BASE_URL` replaces it, which is not GO unless `overrides` names it.",
            example="https://staging.nox.io",
            required=True,
            waits=("address",),
            limits=pattern("[hH][tT][tT][pP][sS]://.+"),
        ),
        Key(
            "plain_url",
            TEXT,
            "Where the same host answers without TLS; a redirect to TLS is expected there. "
            f'"{CLOSED}": no server may answer.',
            example=CLOSED,
            without="http:// and the host of base_url",
            waits=("plain",),
            limits=pattern(f"{CLOSED}|[hH][tT][tT][pP]://.+"),
        ),
        Key(
            "ca_file",
            TEXT,
            "Certificates of a private authority, in PEM form, seen from the profile. Believed for the API, "
            "Prometheus, Redis, the registry, Grafana and Sentry, in place of the machine's own; "
            "for the links of the release record, beside those.",
            example="ca.pem",
            without="the authorities that this machine knows",
            waits=CERTIFICATES,
        ),
        Key(
            "namespace",
            TEXT,
            "The Kubernetes namespace of the application. "
            "`NAMESPACE` replaces it, which is not GO unless `overrides` names it.",
            example="nox-staging-green",
            required=True,
            limits=NAMESPACE,
        ),
        Key(
            "production",
            TEXT,
            "The profile of production, seen from staging: a name, or a path that ends in .toml.",
            example="production",
            without="nothing is compared with production",
            waits=("peer:production",),
        ),
        Key(
            "staging",
            TEXT,
            "The profile of staging, on which the release was validated, seen from production.",
            example="staging",
            without="nothing is compared with staging",
            waits=("peer:staging",),
        ),
        Key(
            "env_file",
            TEXT,
            "A file of variables, NAME=value on each line, seen from the profile. "
            "A variable that is exported counts more; a rehearsal reads the file alone.",
            example="staging.env",
            without="the environment alone",
        ),
    ),
)
CLUSTER_KEYS = Topic(
    "The cluster",
    (
        Key(
            "kubeconfig",
            TEXT,
            "One file or several, with colons between, as kubectl takes it. "
            "`KUBECONFIG` replaces it, which is not GO unless `overrides` names it.",
            example="~/.kube/config",
            without="`$KUBECONFIG`, then ~/.kube/config",
            waits=OF_CLUSTER,
        ),
        Key(
            "context",
            TEXT,
            "The context of the kubeconfig that looks: docs/ROLES.md says what it may.",
            example="release-gate",
            without="the current context",
            waits=OF_CLUSTER,
            limits=NOT_BLANK,
        ),
        Key(
            "dry_run_context",
            TEXT,
            "The context that tries changes as server-side dry runs.",
            example="release-gate-dry-run",
            without="that of `context`",
            waits=("dry runs",),
            limits=NOT_BLANK,
        ),
        Key(
            "green_namespace",
            TEXT,
            "Where the new release is.",
            example="nox-production-green",
            without="`namespace`",
            limits=NAMESPACE,
        ),
        Key(
            "blue_namespace",
            TEXT,
            "Where the release before it is.",
            example="nox-production-blue",
            without="`namespace`, or what looks at blue is unreachable",
            limits=NAMESPACE,
        ),
    ),
)
TOOLS = Topic(
    "Monitoring and images",
    (
        Key(
            "prometheus_url",
            TEXT,
            "Prometheus, with the path in front of its API, if any.",
            example="https://prometheus.nox.io",
            without="what only Prometheus knows is unreachable",
            waits=("prometheus", "counters"),
            limits=ADDRESS,
        ),
        Key(
            "alertmanager_url",
            TEXT,
            "Where alerts go that a ruler outside of Prometheus judges.",
            example="https://alertmanager.nox.io",
            without="the Alertmanagers that Prometheus names",
            limits=ADDRESS,
        ),
        Key(
            "registry",
            TEXT,
            "The host that registry_password is for; with http:// before it for one on this machine.",
            example="registry.nox.io",
            without="each image's own registry is asked, without a password",
            waits=("registry",),
        ),
        Key(
            "platform",
            TEXT,
            "What images must be for, in Go's words.",
            example="linux/arm64",
            without="the nodes are asked",
            waits=("registry",),
            limits=pattern(PLATFORM),
        ),
        Key(
            "node_ports",
            TEXT,
            "The API server's --service-node-port-range, which no dry run heeds.",
            example="30000-32767",
            without="a manifest's own node port outside of 30000-32767 cannot be judged",
            waits=("dry runs",),
            limits=pattern(NODE_PORTS),
        ),
        Key(
            "container",
            TEXT,
            "The application's, of the containers of its pods.",
            example="api",
            without="what the runbook's [service] calls it, or the only one",
            limits=NAMESPACE,
        ),
    ),
)
