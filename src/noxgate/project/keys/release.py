"""What the release ships, what lies ready for the night, and with which commands it is tried."""

from noxgate.project.keys.key import LIST, NOT_BLANK, NUMBER, TABLE, TEXT, Key, Topic, pattern

RECORD_FILE = "release.toml"
# What pg_dump's --format calls it, and how the night's file is called: a directory is one, too.
BACKUP_FORMS = {"plain": ".sql", "custom": ".dump", "directory": ".dir"}
# As the runbook has it; it refuses the plain SQL that the runbook's backup is.
RUNBOOKS_RESTORE = ("pg_restore", "-d", "{database}", "{file}")
SENTRYS = "production"  # environment
HOURS_OF_DAY = r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)"
ADDRESS = pattern("[hH][tT][tT][pP][sS]?://.+")
SLUG = pattern(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
PSQL = ("psql", "-X", "-v", "ON_ERROR_STOP=1")
EXEC = ("kubectl", "exec", "-i", "deploy/api-green", "-c", "api")
BELOW = {"minLength": 1}

REPOSITORY = Topic(
    "The release's repository and its migration",
    (
        Key(
            "source",
            TEXT,
            "A checkout of the release's repository, seen from the profile.",
            example="../../nox",
            without="what is below it is unreachable",
            waits=("source", "manifests", "migration", "alert_tests"),
        ),
        Key(
            "record",
            TEXT,
            "The release record: who ships what, when, and whom to call; seen from the profile.",
            example="release.toml",
            default=RECORD_FILE,
            waits=("record",),
        ),
        Key(
            "migration",
            TEXT,
            "The release's migration, below source or anywhere.",
            example="migrations/v8_to_v8.0.0.sql",
            without="it cannot be rehearsed",
            waits=("migration",),
        ),
        Key(
            "schema",
            TEXT,
            "A plain pg_dump of production as it is now, with rows, below source or anywhere.",
            example="../dumps/schema.sql",
            without="the migration cannot be rehearsed",
            waits=("migration",),
        ),
        Key(
            "old_queries",
            TEXT,
            "What the version before asks the database, below source or anywhere.",
            example="db/queries_7.9.3.sql",
            without="the migration cannot be rehearsed",
            waits=("migration",),
        ),
        Key(
            "migration_role",
            TEXT,
            "As whom production's migration is run on the night.",
            example="nox_owner",
            without="the migration cannot be rehearsed",
            waits=("migration",),
        ),
        Key(
            "application_role",
            TEXT,
            "As whom the API asks the database.",
            example="nox_app",
            without="the migration cannot be rehearsed; in production, what the role may do is not asked",
        ),
        Key(
            "postgres_bin",
            TEXT,
            "The folder of the PostgreSQL programs of which scratch servers are made, seen from the profile.",
            example="/usr/lib/postgresql/16/bin",
            without="those that are installed for the server's major version",
            waits=("migration", "backups"),
        ),
    ),
)
FILES = Topic(
    "Tests, reports and the night's files",
    (
        Key(
            "alert_tests",
            TEXT,
            "promtool's unit tests of the shipped rules, below source or anywhere.",
            example="alerts/api.tests.yaml",
            without="whether alerts can fire is unreachable",
            waits=("alert_tests",),
        ),
        Key(
            "vulnerabilities",
            TEXT,
            "The report of an image scanner, seen from the profile: docs/SCANS.md says which count.",
            example="../night/scan.json",
            without="the scan is unreachable",
            waits=("vulnerabilities",),
        ),
        Key(
            "log_allow_list",
            TEXT,
            "Known lines of the logs, each with its reason, seen from the profile: docs/LOGS.md.",
            example="known-lines.toml",
            without="every error in a log counts",
        ),
        Key(
            "backups",
            TEXT,
            "The folder of the night's backup, migration output and rollback manifests, from the profile. "
            "docs/BACKUP.md says what fills it.",
            example="../night",
            without="the night's files are unreachable",
            waits=("backups",),
        ),
        Key(
            "backup_form",
            TEXT,
            f"What pg_dump's --format calls the backup: {', '.join(BACKUP_FORMS)}.",
            example="custom",
            default="plain",
            waits=("backups", "migration"),
            limits={"enum": [*BACKUP_FORMS]},
        ),
    ),
)
DASHBOARD = (
    Key("url", TEXT, "Where Grafana is.", "https://grafana.nox.io", required=True, limits=ADDRESS),
    Key("dashboard", TEXT, "The uid of the service's dashboard.", "api", required=True, limits=SLUG),
)
PROJECT = (
    Key("url", TEXT, "Where Sentry is.", "https://sentry.io", required=True, limits=ADDRESS),
    Key("organization", TEXT, "Its slug.", "nox", required=True, limits=SLUG),
    Key("project", TEXT, "Its slug.", "api", required=True, limits=SLUG),
    Key(
        "environment",
        TEXT,
        "As the service tells Sentry where it runs.",
        "production",
        default=SENTRYS,
        limits=SLUG,
    ),
)
QUIET = (
    Key(
        "hours",
        LIST,
        "Hours of each day, in UTC.",
        example=["22:30-05:00"],
        default=[],
        limits={"items": {"type": "string", **pattern(HOURS_OF_DAY)}},
    ),
    Key(
        "ingress",
        TEXT,
        "Prometheus' selector of the requests that the ingress had for the service.",
        example='traefik_service_requests_total{service="api"}',
        without="that of ingress-nginx",
        limits=NOT_BLANK,
    ),
)
WATCHED = Topic(
    "What watches the service",
    (
        Key(
            "grafana",
            TABLE,
            "The service's dashboard.",
            example={"url": "https://grafana.nox.io", "dashboard": "api"},
            without="a person attests it",
            keys=DASHBOARD,
            waits=("grafana",),
        ),
        Key(
            "sentry",
            TABLE,
            "The service's project.",
            example={"url": "https://sentry.io", "organization": "nox", "project": "api"},
            without="a person attests it",
            keys=PROJECT,
            waits=("sentry",),
        ),
        Key(
            "quiet",
            TABLE,
            "Quiet hours, in which a silence is not a gap: docs/WINDOW.md.",
            example={"hours": ["22:30-05:00"]},
            default={},
            keys=QUIET,
        ),
    ),
)
COMMAND = {"items": {"type": "string", "minLength": 1}}
RUNTIME = (
    Key("name", TEXT, "Of the runtime.", "node", required=True, limits=pattern("[a-z][a-z0-9_]*")),
    Key("version", TEXT, "Its first numbers.", "20", required=True, limits=pattern(r"[0-9]+(\.[0-9]+)*")),
)
COMMANDS = Topic(
    "Manifests, patches and commands",
    (
        Key(
            "manifests",
            TEXT,
            "The folder of the target's manifests, below source.",
            example="k8s/staging",
            without="what they are compared with is unreachable",
            waits=("manifests",),
            limits=BELOW,
        ),
        Key(
            "render",
            LIST,
            "The command that writes the manifests to its output, run in source.",
            example=["kubectl", "kustomize", "k8s/staging"],
            default=[],
            waits=("manifests",),
            limits=COMMAND,
        ),
        Key(
            "switch_patch",
            TEXT,
            "The patch of the traffic switch, below source.",
            example="k8s/production/switch.json",
            without="made from the live Ingress",
            limits=BELOW,
        ),
        Key(
            "rollback_patch",
            TEXT,
            "The patch of the way back, below source.",
            example="k8s/production/rollback.json",
            without="made from the live Ingress",
            limits=BELOW,
        ),
        Key(
            "wait_seconds",
            NUMBER,
            "How long to wait for what takes minutes on a real target.",
            example=1.5,
            without="as long as the runbook says",
            rehearsal=True,
            limits={"minimum": 0},
        ),
        Key(
            "restore",
            LIST,
            "The command that restores the night's backup; {database} and {file} stand for both.",
            example=[*PSQL, "--single-transaction", "-d", "{database}", "-f", "{file}"],
            default=[*RUNBOOKS_RESTORE],
            waits=("backups", "migration"),
            limits=COMMAND,
        ),
        Key(
            "science",
            LIST,
            "The command that runs the API's own Python on its standard input.",
            example=[*EXEC, "--", "env", "TMPDIR=/tmp", "python", "-"],
            default=[],
            waits=("science",),
            limits=COMMAND,
        ),
        Key(
            "tools",
            TABLE,
            'Programs that the day needs on this machine, each with the oldest version that will do, or "".',
            example={"git": "", "psql": "15"},
            default={},
            limits={"additionalProperties": {"type": "string"}},
        ),
        Key(
            "runtime",
            TABLE,
            "What the images must declare, as NAME_VERSION in their environment.",
            example={"name": "node", "version": "20"},
            without="the images' own runtime is unreachable",
            keys=RUNTIME,
            waits=("runtime",),
        ),
    ),
)
