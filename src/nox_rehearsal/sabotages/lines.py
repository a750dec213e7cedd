"""Runbook lines that one fault turns red together, since they look at the same thing."""

OAUTH = tuple(f"staging.oauth-{provider}" for provider in ("google", "github", "microsoft"))
DATABASE = tuple(
    f"staging.database-{name}" for name in ("answers", "schema-version", "tables", "indexes", "trigger")
)
REDIS = ("staging.redis-answers", "staging.redis-primary")
# Every line that tries a token which somebody else signed.
SIGNED = (
    "staging.user-profile",
    "staging.user-settings",
    "staging.user-history",
    "staging.admin-refuses-anonymous",
)
TOKENS, DOORS, OWN = "staging.bad-tokens", "staging.shut-doors", "staging.own-user"
# Every line that a client cannot look at once it distrusts the certificate.
HTTPS = (
    "staging.health",
    "staging.version",
    "staging.ready",
    *OAUTH,
    "staging.user-profile",
    "staging.user-settings",
    "staging.user-history",
    "staging.public-stats",
    "staging.empirical",
    "staging.predict-cj",
    "staging.bad-body",
    "staging.websocket",
    "staging.admin-allows-admin",
    "staging.admin-refuses-user",
    "staging.admin-refuses-anonymous",
    "staging.bad-tokens",
    "staging.shut-doors",
    "staging.own-user",
    "staging.header-frame-options",
    "staging.header-xss-protection",
    "staging.header-content-type-options",
    "staging.header-hsts",
    "staging.header-csp",
    "staging.header-referrer-policy",
    "staging.metrics-format",
    "staging.metrics-series",
)
