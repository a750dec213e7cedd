"""What makes a run evidence, and with which credentials it looks."""

from noxgate.project.keys.key import (
    LIST,
    NOT_BLANK,
    TABLE,
    TEXT,
    VARIABLE,
    WHOLE,
    Key,
    Topic,
    ValueForm,
    pattern,
)

CLUSTER_KEY = "cluster"
OLDEST_HOURS = 24  # how old evidence may be
OVERRIDABLE = ("BASE_URL", "NAMESPACE", "KUBECONFIG")
# Where the profile names no ca_file, OpenSSL takes from these whom it believes.
AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# Who is asked in place of a tool that the profile names with http://: nothing proves who answers.
PROXY = "HTTP_PROXY"
SCOPE, PROMPT, TENANT = r"[!-~]+", r"([a-z_]+( [a-z_]+)*)?", r"[A-Za-z0-9][\w.-]*"
NAMED = ValueForm("the NAME of an environment variable", str, {"type": "string", **pattern(VARIABLE)})
DEFAULT_HEADERS = {
    "x-frame-options": "SAMEORIGIN",
    "x-xss-protection": "1; mode=block",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "content-security-policy": "default-src 'self'",
    "referrer-policy": "strict-origin-when-cross-origin",
}
ANYWHERE = "anywhere"
PLACES = (
    Key("database_url", TEXT, "HOST:PORT/NAME.", "db.nox.io:5432/nox", without=ANYWHERE),
    Key("redis_url", TEXT, "HOST:PORT/NUMBER.", "redis.nox.io:6379/0", without=ANYWHERE),
    Key(
        CLUSTER_KEY,
        TEXT,
        "The address of the API server.",
        "https://kubernetes.nox.io:6443",
        without=ANYWHERE,
    ),
)
TRUST = Topic(
    "Evidence",
    (
        Key(
            "points_at",
            TABLE,
            "Where credentials must lead: elsewhere is not GO.",
            example={"database_url": "db.nox.io:5432/nox"},
            default={},
            keys=PLACES,
        ),
        Key(
            "overrides",
            LIST,
            "Variables that may say something else than the profile; what others say otherwise is not GO. "
            "KUBECONFIG may in any case where no kubeconfig is named.",
            example=["BASE_URL", "NAMESPACE"],
            default=[],
            limits={"items": {"enum": [*OVERRIDABLE, *AUTHORITIES, PROXY]}},
        ),
        Key(
            "branch",
            TEXT,
            "On which the commit of a run must be for `noxgate verify`.",
            example="main",
            without="any commit",
        ),
        Key(
            "signers",
            LIST,
            "Public keys whose signatures count, seen from the profile: docs/SIGN-OFF.md.",
            example=["keys/ada.pub"],
            default=[],
        ),
        Key(
            "signing_key",
            TEXT,
            "The rehearsal's own private key; for a real target it is `NOXGATE_SIGNING_KEY`.",
            example="signing.pem",
            without="runs are not signed",
            rehearsal=True,
        ),
        Key(
            "evidence_hours",
            WHOLE,
            "How old evidence may be for `noxgate verify`.",
            example=12,
            default=OLDEST_HOURS,
            limits={"minimum": 1},
        ),
    ),
)


GONE = "the lines that need it are unreachable"
OPEN = "asked without it"
BAD, TRIED = "A token that is rightly signed and", "only what anybody can forge is tried"


def _credential(role: str, without: str, meaning: str, *waits: str) -> Key:
    return Key(role, NAMED, meaning, role.upper(), without=without, waits=waits)


CREDENTIALS = (
    _credential("database_url", GONE, "postgresql://…, of a role that may read.", "database"),
    _credential("redis_url", GONE, "redis://… or rediss://….", "redis"),
    _credential("test_token", GONE, "An ordinary user's bearer token.", "token:test_token"),
    _credential("admin_token", GONE, "An administrator's.", "token:admin_token"),
    _credential("expired_token", TRIED, f"{BAD} has expired: docs/ACCESS.md.", "token:expired_token"),
    _credential("early_token", TRIED, f"{BAD} is not valid yet: docs/ACCESS.md.", "token:early_token"),
    _credential(
        "other_audience_token",
        TRIED,
        f"{BAD} is for another audience: docs/ACCESS.md.",
        "token:other_audience_token",
    ),
    _credential("prometheus_token", OPEN, "Prometheus' bearer token.", "prometheus", "counters"),
    _credential("prometheus_password", OPEN, "USER:PASSWORD, in its place.", "prometheus", "counters"),
    _credential("registry_password", OPEN, "USER:PASSWORD of the host that `registry` names.", "registry"),
    _credential("grafana_token", OPEN, "Of a service account that may view.", "grafana"),
    _credential("sentry_token", OPEN, "With the scopes event:read and project:read.", "sentry"),
)
CLIENT = (
    Key("client_id", TEXT, "The id itself.", "nox-web", without="client_id_variable", limits=NOT_BLANK),
    Key("client_id_variable", NAMED, "The variable that holds it.", "GOOGLE_CLIENT_ID", without="client_id"),
    Key(
        "scopes",
        LIST,
        "Exactly what is asked for.",
        ["openid", "email"],
        without="no more than it takes to sign in",
        limits={"items": {"type": "string", **pattern(SCOPE)}},
    ),
    Key(
        "prompt",
        TEXT,
        'The prompt that is sent; "" for none.',
        "select_account",
        without="any that lets people sign in",
        limits=pattern(PROMPT),
    ),
)
MICROSOFTS = Key(
    "tenant",
    TEXT,
    'Whose accounts: such as "common", an id or a domain.',
    "common",
    without="any",
    limits=pattern(TENANT),
)
ONE_ID = {"oneOf": [{"required": ["client_id"]}, {"required": ["client_id_variable"]}]}


def _provider(name: str, *more: Key) -> Key:
    return Key(
        name,
        TABLE,
        "The client of this environment: client_id or client_id_variable, one of both.",
        example={"client_id_variable": f"{name.upper()}_CLIENT_ID"},
        without="its sign-in lines are unreachable",
        keys=(*CLIENT, *more),
        waits=(f"oauth:{name}",),
        limits=ONE_ID,
    )


PROVIDERS = (_provider("google"), _provider("github"), _provider("microsoft", MICROSOFTS))
ACCESS = Topic(
    "Credentials, sign-in and headers",
    (
        Key(
            "test_subject",
            TEXT,
            "As the API calls test_token's user, where the token does not say it.",
            example="usr_42",
            without="the token's own `sub`",
            limits=NOT_BLANK,
        ),
        Key(
            "credentials",
            TABLE,
            "Names of environment variables, never values. The peer's have its profile's name before theirs: "
            "PRODUCTION_DATABASE_URL.",
            example={"database_url": "DATABASE_URL", "test_token": "TEST_TOKEN"},
            required=True,
            keys=CREDENTIALS,
            limits={"not": {"required": ["prometheus_token", "prometheus_password"]}},
        ),
        Key(
            "oauth",
            TABLE,
            "The service's clients at OAuth providers.",
            example={"github": {"client_id_variable": "GITHUB_CLIENT_ID"}},
            required=True,
            keys=PROVIDERS,
        ),
        Key(
            "security_headers",
            TABLE,
            "The security headers of every answer, in place of the six defaults.",
            example={"x-frame-options": "DENY", "x-content-type-options": "nosniff"},
            default=DEFAULT_HEADERS,
            limits={"additionalProperties": {"type": "string", "minLength": 1}},
        ),
    ),
)
