"""Texts with a secret whose value the gate was not told, and their harmless siblings.

Each secret is made when it is asked for: none lies in the repository.
"""

import base64
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote

_LETTERS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"


class Maker:
    """Makes secrets, the same ones for the same seed."""

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (a seed, so that a failure repeats)

    def some(self, count: int, letters: str = _LETTERS) -> str:
        """Letters of both cases and digits, one of each at the beginning, as no word has them."""
        start = "" if letters is not _LETTERS else "q7Z"
        return start + "".join(self._chance.choices(letters, k=count - len(start)))

    def hexadecimal(self, count: int) -> str:
        return self.some(count, _HEX)

    def token(self) -> str:
        """A signed JSON Web Token."""
        parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": self.some(9)}]
        plain = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return ".".join([*plain, self.some(43)])

    def block(self, kind: str, lines: int = 4) -> str:
        """A PEM block, or what looks like one."""
        body = "\n".join(self.some(64) for _ in range(lines))
        return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"


Text = tuple[str, str]  # what is said, and the secret in it


def _marked(template: str, make: Callable[[Maker], str]) -> Callable[[Maker], Text]:
    def text(maker: Maker) -> Text:
        secret = make(maker)
        return template.replace("@@", secret), secret

    return text


def _word(count: int = 20) -> Callable[[Maker], str]:
    return lambda maker: maker.some(count)


def _with(prefix: str, count: int = 36, letters: str = _LETTERS, end: str = "") -> Callable[[Maker], str]:
    return lambda maker: prefix + maker.some(count, letters) + end


def _block(kind: str, said: Callable[[str], str] = str) -> Callable[[Maker], Text]:
    def text(maker: Maker) -> Text:
        block = maker.block(kind)
        return said(f"could not load: {block} (bad passphrase)"), block.splitlines()[2]

    return text


def _basic(maker: Maker) -> Text:
    secret = base64.b64encode(f"nox:{maker.some(12)}".encode()).decode()
    return f"authorization: Basic {secret}", secret.rstrip("=")


# What an error page, a job's log, a user's settings, a command or a file of settings may say.
_SAID: dict[str, tuple[str, Callable[[Maker], str]]] = {
    "url-postgresql": ('could not connect to "postgresql://nox:@@@db.internal:5432/nox"', _word()),
    "url-short-password": ("postgres://nox:@@@db/nox refused", _word(6)),
    "url-password-with-at": ("amqp://nox:@@@mq:5672/", lambda maker: f"{maker.some(5)}@{maker.some(5)}"),
    "url-redis": ("redis://:@@@cache:6379/0: NOAUTH", _word()),
    "url-mongodb": ("mongodb+srv://nox:@@@cluster0.example.net/?retryWrites=true", _word()),
    "url-git-token": ("fatal: unable to access 'https://@@@git.example/nox/api.git/'", _word(40)),
    "url-git-user": ("remote: https://oauth2:@@@git.example/nox.git", _word(20)),
    "url-cut": ("Max retries exceeded: postgresql://nox:@@", _word()),
    "url-sentry": ("SENTRY https://@@@o1.ingest.example/42", _with("", 32, _HEX)),
    "url-jdbc": ("jdbc:postgresql://db:5432/nox?user=nox&password=@@&ssl=true", _word()),
    "jdbc-oracle": ("jdbc:oracle:thin:nox/@@@//db:1521/x", _word()),
    "libpq": ("connection failed: host=db port=5432 user=nox password=@@ dbname=nox", _word()),
    "libpq-quoted": (
        "host=db password='@@' sslmode=require",
        lambda maker: f"{maker.some(5)} {maker.some(5)}",
    ),
    "ado-net": ("Server=db;Database=nox;User Id=sa;Password=@@;Encrypt=true", _word()),
    "odbc": ("Driver={PostgreSQL};Server=db;Uid=nox;Pwd=@@;", _word()),
    "azure-storage": (
        "DefaultEndpointsProtocol=https;AccountName=nox;AccountKey=@@;EndpointSuffix=core.windows.net",
        _with("", 86, _LETTERS, "=="),
    ),
    "azure-sas": (
        "https://nox.blob.core.windows.net/b?sv=2022&sr=c&sig=@@&se=2026",
        _with("", 43, _LETTERS, "%3D"),
    ),
    "s3-signed": ("https://nox.s3.amazonaws.com/b?X-Amz-Expires=300&X-Amz-Signature=@@", _with("", 64, _HEX)),
    "oauth-code": ("GET /auth/google/callback?code=@@&scope=email HTTP/1.1", _word(40)),
    "oauth-code-in-html": ("<a href='/callback?state=1&amp;code=@@'>", _word(40)),
    "oauth-code-quoted": ("next=%2Fcallback%3Fcode%3D@@%26state%3D1", _word(40)),
    "query-token": ("GET /ws?access_token=@@ 101", _word(32)),
    "query-key": ("https://maps.example/api?key=@@&q=1", _word(32)),
    "json": ('{"user": "nox", "password": "@@"}', _word(10)),
    "json-spaces": ('{"password": "@@"}', lambda maker: f"{maker.some(6)} {maker.some(6)}, {maker.some(4)}"),
    "json-in-json": (json.dumps(json.dumps({"api_key": "@@"})), _word()),
    "json-in-html": ("&quot;apiKey&quot;:&quot;@@&quot;,&quot;theme&quot;", _word()),
    "json-in-html-twice": ("&amp;quot;secretKey&amp;quot;:&amp;quot;@@&amp;quot;", _word()),
    "settings": ('{"settings": {"theme": "dark", "openai": {"api-key": "@@"}}}', _word()),
    "settings-key": ('{"settings": {"pubchem": {"key": "@@"}}}', _word(32)),
    "repr": ("{'client_secret': '@@', 'scope': None}", _word()),
    "repr-bytes": ("{b'x-api-key': b'@@'}", _word()),
    "pair": ("[(b'host', b'x'), (b'x-auth-token', b'@@')]", _word()),
    "keyword": ("connect(host='db', password='@@')", _word()),
    "go-struct": ("&{User:nox Password:@@ Host:db}", _word()),
    "ruby": (':secret_key=>"@@", :a=>1', _word()),
    "php": ("'db_password' => '@@',", _word()),
    "toml": ('secret_key = "@@"', _word()),
    "yaml": ("database:\n  user: nox\n  password: @@\n", _word()),
    "yaml-block": ("token: |\n  @@\n", _word()),
    "yaml-key-data": ("    client-key-data: @@", _word(60)),
    "kubernetes-env": ("- name: DB_PASSWORD\n  value: @@", _word()),
    "kubernetes-env-json": ('{"name": "REDIS_PASSWORD", "value": "@@"}', _word()),
    "xml": ("<password>@@</password>", _word()),
    "xml-in-html": ("&lt;clientSecret&gt;@@&lt;/clientSecret&gt;", _word()),
    "xml-setting": ('<add key="ApiKey" value="@@"/>', _word()),
    "properties": ("spring.datasource.password=@@", _word()),
    "dotenv-aws": ("AWS_SECRET_ACCESS_KEY=@@", _word(40)),
    "dotenv-export": ("export DB_PASS='@@'", _word()),
    "url-odd-signs": (
        "sqlalchemy postgresql+asyncpg://nox:@@@db:5432/nox",
        lambda maker: f"{maker.some(5)}'{maker.some(4)}<{maker.some(4)}",
    ),
    "url-as-a-port": ("ValueError: Port could not be cast to integer value as '@@'", _word(9)),
    "url-as-a-port-of-libpq": ('invalid integer value "@@" for connection option "port"', _word(9)),
    "url-as-a-port-of-go": ('parse "postgres": invalid port ":@@" after host', _word(9)),
    "url-as-a-number": ("ValueError: invalid literal for int() with base 10: '@@@db'", _word(9)),
    "url-as-a-host": ('could not translate host name "@@@db" to address: unknown', _word(9)),
    "url-as-a-host-of-go": ("dial tcp: lookup @@@db: no such host", _word(9)),
    "url-as-a-host-of-redis": ("Error -2 connecting to @@@cache:6379. Name not known.", _word(9)),
    "url-lost-its-scheme": ('missing "=" after "postgres//nox:@@@db/nox" in connection info', _word(9)),
    "url-of-go": ("dial nox:@@@tcp(db:3306)/nox: refused", _word(9)),
    "sql-key": ("DETAIL:  Key (session_token)=(@@) already exists.", _word(12)),
    "sql-keys": ("DETAIL:  Key (user_id, api_key)=(7, @@) already exists.", _word(12)),
    "pydantic": (
        "1 error for Settings\nsecret_key\n  It is short [type=too_short, input_value='@@', input_type=str]",
        _word(),
    ),
    "pydantic-of-a-request": (
        '{"type":"too_short","loc":["body","password"],"msg":"String is short","input":"@@"}',
        _word(),
    ),
    "form": ("{'email': ['a'], 'password': ['@@']}", _word(9)),
    "told-key": ("Invalid API key @@", _with("", 20, end="a4")),
    "told-token": ("token @@ is expired", _with("", 20, end="a4")),
    "pass": ("user: nox pass: @@", _word(9)),
    "docker-env": ('["PATH=/bin", "PGPASSWORD=@@", "LANG=C"]', _word()),
    "dockerconfig": ('{"auths": {"r.example": {"_auth": "@@"}}}', _word(24)),
    "docker-login": ('{"auths": {"r.example": {"auth": "@@"}}}', _with("", 32, _LETTERS, "==")),
    "dotenv-rails": ("SECRET_KEY_BASE=@@", _word(64)),
    "dotenv-airflow": ("FERNET_KEY=@@", _with("", 43, _LETTERS, "=")),
    "npmrc": ("//registry.example/:_authToken=@@", _word(36)),
    "netrc": ("machine git.example login nox password @@", _word()),
    "pgpass": ("db.internal:5432:nox:nox:@@", _word()),
    "told": ("FATAL: the password is '@@' but the role has another", _word(10)),
    "german": ("Anmeldung mit Passwort=@@ abgelehnt", _word()),
    "sql": ("LOG: statement: ALTER ROLE nox WITH PASSWORD '@@'", _word()),
    "sql-mysql": ("CREATE USER nox IDENTIFIED BY '@@'", _word()),
    "redis-conf": ("requirepass @@", _word()),
    "redis-monitor": ('1339518083.107412 [0 127.0.0.1:60866] "AUTH" "@@"', _word()),
    "redis-auth": ("> AUTH @@", _word(32)),
    "redis-acl": ("ACL SETUSER nox on >@@ ~* +@all", _word()),
    "redis-acl-file": ("user nox on sanitize-payload >@@ ~* +@all", _word()),
    "aws-secret-told": ("access denied, secret @@ was rotated", _word(40)),
    "otlp-headers": ("OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=@@,x-a=b", _word(22)),
    "otlp-traces": ('OTEL_EXPORTER_OTLP_TRACES_HEADERS: "api=@@"', _word(22)),
    "fluent-bit": ("    HTTP_Passwd    @@\n    tls on", _word()),
    "pagerduty": ('"routing_key": "@@"', _with("", 32, _HEX)),
    "infisical": ("@@ expired", lambda maker: f"st.{maker.hexadecimal(24)}.{maker.hexadecimal(32)}"),
    "1password": ("op: @@", _with("op" + "s_eyJ", 60)),
    "command-long": ("noxctl login --password @@ --yes", _word()),
    "command-equals": ("helm upgrade --set auth.token=@@", _word()),
    "command-curl": ("curl -sS -u nox:@@ https://r.example/v2/", _word()),
    "command-redis": ("redis-cli -h cache -a @@ ping", _word()),
    "command-mysql": ("mysql -u nox -p@@ nox", _word()),
    "command-sshpass": ("sshpass -p @@ ssh nox@db", _word()),
    "header-bearer": ("Authorization: Bearer @@", _word()),
    "header-bearer-word": (
        "curl -H 'Authorization: Bearer @@'",
        lambda maker: maker.some(14, string.ascii_lowercase),
    ),
    "header-token": ("{'authorization': 'Token @@'}", _word(40)),
    "header-own-scheme": ("Authorization: @@", _word()),
    "header-api-key": ("X-Api-Key: @@", _word()),
    "header-digest": ('Digest username="nox", response="@@"', _with("", 32, _HEX)),
    "bearer-told": ("rejected bearer @@", _word()),
    "set-cookie": ("set-cookie: session=@@; Path=/; HttpOnly", _word()),
    "cookie": ("> Cookie: theme=dark; sid=@@", _word()),
    "cookie-json": ('{"Set-Cookie": "nox_session=@@; Secure"}', _word()),
    "cookie-repr": ("<Cookies[<Cookie session=@@ for localhost.local />]>", _word()),
    "cookie-curl": ("curl --cookie 'session=@@' https://nox.example", _word()),
    "cookie-jar": ("#HttpOnly_nox.example\tFALSE\t/\tTRUE\t0\tsession\t@@", _word()),
    "cookie-java": ("JSESSIONID=@@", _with("", 32, "0123456789ABCDEF")),
    "jwt": ("token rejected: @@", Maker.token),
    "jwt-cut": ("saw @@", lambda maker: maker.token()[:30]),
    "aws-id": ("The AWS Access Key Id @@ does not exist", _with("AK" + "IA", 16, string.ascii_uppercase)),
    "github": ("bad credentials: @@", _with("gh" + "p_")),
    "github-fine": ("bad credentials: @@", _with("github" + "_pat_", 60)),
    "gitlab": ("401 for @@", _with("glp" + "at-", 20)),
    "slack": ("invalid_auth @@", lambda maker: f"xo{'xb'}-{maker.some(12, string.digits)}-{maker.some(24)}"),
    "slack-hook": (
        "https://hooks.slack.com/services/@@",
        lambda maker: f"T{maker.some(8)}/B{maker.some(8)}/{maker.some(24)}",
    ),
    "stripe": ("No such key: @@", _with("sk" + "_live_", 24)),
    "google-key": ("API key not valid: @@", _with("AI" + "za", 35)),
    "google-secret": ("@@ was revoked", _with("GOC" + "SPX-", 28)),
    "sendgrid": ("@@ unauthorized", lambda maker: f"S{'G.'}{maker.some(22)}.{maker.some(43)}"),
    "openai": ("Incorrect API key provided: @@.", _with("s" + "k-proj-", 48)),
    "anthropic": ("invalid x-api-key @@", _with("s" + "k-ant-api03-", 80)),
    "npm": ("E401 @@", _with("np" + "m_")),
    "pypi": ("403 @@", _with("py" + "pi-AgEIcHlwaS5vcmc", 60)),
    "twilio": ("20003 @@", _with("S" + "K", 32, _HEX)),
    "telegram": ("bot@@/getMe", lambda maker: f"{maker.some(9, string.digits)}:AA{maker.some(33)}"),
    "mailchimp": ("@@ disabled", _with("", 32, _HEX, "-us12")),
    "vault": ("permission denied: @@", _with("hv" + "s.", 90)),
    "grafana": ("401 @@", _with("gl" + "sa_", 32)),
    "docker": ("denied: @@", _with("dck" + "r_pat_", 27)),
    "digitalocean": ("@@ expired", _with("do" + "p_v1_", 64, _HEX)),
    "figma": ("403 @@", _with("fig" + "d_", 40)),
    "groq": ("401 @@", _with("gs" + "k_", 52)),
    "nvidia": ("401 @@", _with("nva" + "pi-", 64)),
    "xai": ("401 @@", _with("xa" + "i-", 80)),
    "perplexity": ("401 @@", _with("ppl" + "x-", 48)),
    "replicate": ("401 @@", _with("r" + "8_", 37)),
    "langsmith": ("403 @@", lambda maker: f"lsv2_pt_{maker.hexadecimal(32)}_{maker.hexadecimal(10)}"),
    "neon": ("401 @@", _with("nap" + "i_", 60)),
    "tailscale": ("tsnet: @@ expired", lambda maker: f"tskey-auth-{maker.some(12)}-{maker.some(32)}"),
    "hubspot": (
        "401 @@",
        lambda maker: f"pat-na1-{maker.hexadecimal(8)}-12ab-34cd-56ef-{maker.hexadecimal(12)}",
    ),
    "circleci": ("401 @@", lambda maker: f"CCIPAT_{maker.some(22)}_{maker.hexadecimal(40)}"),
    "buildkite": ("401 @@", _with("bk" + "ua_", 40, _HEX)),
    "cloudflare-origin": ("9106 @@", lambda maker: f"v1.0-{maker.hexadecimal(24)}-{maker.hexadecimal(146)}"),
    "fernet": ("InvalidToken @@", _with("gAAAA" + "AB", 92, _LETTERS, "==")),
    "notion": ("API token @@ is invalid", _with("nt" + "n_", 46)),
    "bcrypt": ("hash @@ does not match", _with("$2" + "b$12$", 53)),
    "scram": ("rolpassword @@", _with("SCRAM-SHA-" + "256$4096:", 60)),
    "age": ("identity @@", _with("AGE-SECRET-" + "KEY-1", 58, string.ascii_uppercase)),
}

SECRET: dict[str, Callable[[Maker], Text]] = {
    **{name: _marked(template, make) for name, (template, make) in _SAID.items()},
    "basic": _basic,
    "pem": _block("PRIVATE KEY"),
    "pem-rsa-in-json": _block("RSA PRIVATE KEY", json.dumps),
    "pem-one-line": _block("EC PRIVATE KEY", lambda text: " ".join(text.split())),
    "pem-openssh-cut": _block("OPENSSH PRIVATE KEY", lambda text: text[:250]),
    "pem-pgp": _block("PGP PRIVATE KEY BLOCK"),
    "pem-in-url": _block("PRIVATE KEY", quote),
    "pem-base64": lambda maker: (
        f"tls.key: {(key := base64.b64encode(maker.block('PRIVATE KEY').encode()).decode())}", key[60:120]
    ),
}  # fmt: skip

HARMLESS: dict[str, str] = {
    "a class of requests": 'slo = { limit = "success_percent", only = "auth" }',
    "digest": "image nox-api@sha256:" + "0123456789abcdef" * 4,
    "commit": "commit 0123456789abcdef0123456789abcdef01234567 is on main",
    "uuid": '{"id": "123e4567-e89b-42d3-a456-426614174000"}',
    "fingerprint": "oauth-secrets in nox key google-client-secret (43 bytes, sha256 f82935fb…)",
    "no-password": 'password authentication failed for user "nox"',
    "using-password": "Access denied for user 'nox'@'db' (using password: YES)",
    "password-none": "password=None, token=null, secret: ''",
    "password-hidden": "postgresql://nox:***@db:5432/nox password=*** token: [redacted]",
    "variable": 'curl -H "Authorization: Bearer $TEST_TOKEN" -u "$REGISTRY_PASSWORD" https://nox.example',
    "variable-cut": 'curl -H "Authorization: Bearer ${TEST_TOKEN%????????}AAAAAAAA" https://nox.example',
    "template": "password: {{ db_password }}, token: <your token>, secret=${SECRET}",
    "reference": '{"secretKeyRef": {"name": "nox-api-secrets", "key": "database-url"}}',
    "mounted": "volume tls secret: nox-tls, secretName: nox-tls",
    "prose-token": "401: token: expired; sign in again, the token is not valid",
    "prose-secret": "Secret ai-security-secrets in nox: no keys",
    "token-type": '{"token_type": "bearer", "expires_in": 3600, "max_tokens": 400}',
    "realm": 'www-authenticate: Bearer realm="https://r.example/token",service="r.example"',
    "basic-auth": "the registry asks for basic authentication and a bearer token",
    "status-code": "HTTP 503, code=503, exit code: 1, ?code=404, error_code=E1001",
    "oauth-error": "/callback?error=access_denied&code_challenge_method=S256&error_code=5",
    "sign-in": "https://accounts.google.com/o/oauth2/v2/auth?client_id=nox-42.apps&response_type=code&scope=openid",
    "url-port": "http://nox.example:8080/users?email=a%40b&next=/x@2x.png",
    "url-user": "ssh://git@git.example/nox.git and postgresql://nox@db/nox",
    "urls": '["http://a.example:80", "b@c"]',
    "ipv6": "postgresql://[::1]:5432/nox?x=@",
    "deleted-cookie": 'set-cookie: session=""; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
    "no-cookie": "expected no cookie: saw none; cookies are not kept",
    "certificate": "-----BEGIN CERTIFICATE-----\n" + "MIIB" * 16 + "\n-----END CERTIFICATE-----",
    "public-key": "-----BEGIN PUBLIC KEY-----\n" + "MCow" * 15 + "\n-----END PUBLIC KEY-----",
    "private-key-told": "expected -----BEGIN PRIVATE KEY-----, saw nothing; see docs/SIGN-OFF.md",
    "private-key-path": "private key   /home/nox/signing.pem   keep it out of the repository",
    "bundle": "ca.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
    "working-directory": "PWD=/home/nox OLDPWD=/",
    "code": "token = target.credential('test_token').reveal()\nconnect(password=self._password)",
    "key": '{"key": "metrics:p95:2026", "cache_key": "a1", "primary key": "id"}',
    "signer": "signed with key 3f2a9c7d1e44, key: 3f2a9c7d1e443f2a9c7d1e443f2a9c7d",
    "envelope": '{"payloadType": "application/json", "payload": "eyJfdHlwZSI6ICJodHRwczovL2luLXRvdG8ifQ=="}',
    "setting": '{"signing_key": "rehearsal-production.toml", "load_key": "KUBECONFIG"}',
    "lengths": "SECRET_KEY (64 bytes), password_length: 12, PASSWORD_MIN_LENGTH=12, TOKEN_TTL=3600",
    "user": "docker run -u 1000:1000 nox; kubectl -u nox",
    "names": "['password', 'email', 'token', 'name'] and ('password', 'email')",
    "css": "sk-fading-circle-large-blue-theme task-1234567890123456789012",
    "tls-fingerprint": "AB:12:CD:34:EF:56:78:90",
    "pgpass-like": "tests/a.py:5432:nox: E501, 10:00:00:abc:def",
    "scratch": "pg_restore --dbname=nox_scratch --no-password FILE",
    "password-file": "--password-file /run/secrets/db --token-file x password_file=/run/secrets/db",
    "key-metric": "key metric p95: 41 ms, API key: missing, private key: absent",
    "git-remote": "git@git.example:nox/api.git",
    "compass": "bypass=true compass: north, pass: 31",
    "function": "request = <FixtureRequest for <Function test_secret>>\nsubtests = <_pytest.subtests.Sub>",
    "routing-key": "routing_key=jobs.created, routing_key: 'jobs', integration_key: none",
    "otlp-endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317 OTEL_EXPORTER_OTLP_HEADERS=",
    "passwd": "HTTP_User nox\n  cat /etc/passwd; the http_passwd is wrong",
    "redis-user": "user nox on node 3; user default on nopass sanitize-payload ~* &* +@all",
    "secret-and-commit": "the secret 0123456789abcdef0123456789abcdef01234567 of nox-api",
    "image": "nox-api:v8.0.0-rc1@sha256:" + "0123456789abcdef" * 4 + " r.example:5000/nox:v8@sha256:00",
    "port": 'invalid port number: "99999", invalid port ":80a" after host, port as \'None\'',
    "host": "connecting to git@db, host nox@db, lookup db: no such host",
    "sql-key-told": "DETAIL:  Key (user_id, name)=(7, q7ZkP2vN9xLm) already exists.",
    "pydantic-told": "name\n  Input is short [type=too_short, input_value='q7ZkP2vN9xLm', input_type=str]",
    "token-told": "token expired, secret OAuth2ClientSettings of nox, password authentication",
    "scopes": "{'tokens': ['read'], 'token': ['expired'], 'password': []}",
    "names-like-tokens": "napi_create_threadsafe_function_of_a_longer_name r8_unorm xai-server v1.0-rc1",
    "molecule": "CC(=O)Nc1ccc(O)cc1 InChIKey=RZVAJINKPMORJF-UHFFFAOYSA-N",
}
