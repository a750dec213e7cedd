"""Values of Secrets: what is filler, what is a setting, and what two of them have in common."""

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from noxgate.look.samples import Samples
from noxgate.systems.kubernetes.secret_values import SecretValue, Where, judged, nowhere
from noxgate.systems.kubernetes.secrets.inside import inside
from noxgate.systems.kubernetes.secrets.settings import is_setting
from noxgate.systems.repository.repository import Repository

GOOD, OTHER = "k3jx81mfQpZ20vWbe9TtLsAa", "p9vWn7Q2vX9pL4st8Rw6Zc1b"
SHIPPED = """\
dev-secret-key default-dev-secret-key dev_secret_key_change_in_production change-this-secret-in-production
dev-only-32-byte-key-change-this! django-insecure-x
""".split()  # noqa: SIM905 (to be read)


def values(texts: Mapping[str, str], stands: Where = nowhere) -> dict[str, SecretValue]:
    """A Secret of these, as judged."""
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    return judged("nox", "here", {"data": data}, stands)


def value(key: str, text: str, stands: Where = nowhere) -> SecretValue:
    return values({key: text}, stands)[key]


def shared(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two values, each with its key, have a secret in common."""
    return bool(value(*one).parts & value(*other).parts)


# ---------------------------------------------------------------- filler


@pytest.mark.parametrize(
    "text", [*SHIPPED, "guest", "minioadmin", "12345678", "aaaaaaaaaaaa", "p@ssw0rd", "prom-operator"]
)
@pytest.mark.parametrize("wrapped", ["{}", "{}\n", "postgresql://nox:{}@db/nox", '{{"password": "{}"}}'])
def test_keys_as_projects_ship_them(text: str, wrapped: str) -> None:
    """Alone, in a file, and inside of other texts."""
    if "!" not in text or "//" not in wrapped:
        problem = value("secret-key", wrapped.format(text)).problem
        assert problem is not None
        assert problem.startswith("is a template's filler")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "password123",
            "Passw0rd!",
            "P@ssw0rd1",
            "admin@123",
            "Welcome2024!",
            "letmein123",
            "abc123",
            "s3cr3tkey",
        ),
        *("mysecret", "my-secret-pw", "noxpassword", "nox_password", "REDACTED", "pass"),
    ],
)
def test_passwords_that_are_tried_first(text: str) -> None:
    """A year behind a word, or a digit in place of a letter, makes no other one."""
    for content in (text, f"postgresql://someone:{text}@db/nox", f'{{"password": "{text}"}}'):
        assert str(value("password", content).problem).startswith("is a template's filler"), content


def test_the_users_own_name_is_no_password() -> None:
    problem = "is a template's filler: it is its user's name"
    assert value("database-url", "postgresql://nox:nox@db/nox").problem == problem
    assert value("app.env", "URL=amqp://worker7:worker7@mq\nLOG=info\n").problem == problem
    assert value("database-url", f"postgresql://nox:nox{GOOD}@db/nox").problem is None
    assert value("database-url", f"postgresql://{GOOD}:{OTHER}@db/nox").problem is None


@pytest.mark.parametrize(
    "text",
    [
        f"ENC[AES256_GCM,data:{GOOD},iv:x=,tag:y==,type:str]",
        f"db:\n  password: ENC[AES256_GCM,data:{GOOD},iv:x=,tag:y==,type:str]\n",
        f"$ANSIBLE_VAULT;1.1;AES256\n{GOOD}\n",
        "ref+vault://secret/nox#/password",
        "postgresql://nox:#{DB_PASSWORD}#@db/nox",
        base64.b64encode(b"\x02\x00" + bytes(range(256)) * 3).decode(),
    ],
)
def test_what_nobody_decrypted(text: str) -> None:
    """SOPS, Ansible, vals and sealed secrets, applied as they lie in the repository."""
    assert value("password", text).problem == "is not decrypted, or names what was not looked up"


@pytest.mark.parametrize(
    "text",
    [
        *(GOOD, "n7Q2vX9pL4st8Rw6", "Tr0ub4dor&3x!", "correct-horse-battery", "9f8e7d6c"),
        *("Ag" + GOOD, base64.b64encode(bytes(range(256)) * 4).decode(), "ENC-k3jx81mf", "adminQpZ20vWbe9"),
        *("passing-stones-42-times", "the-welcome-mat-is-red", "masterpiece-of-1887"),
    ],
)
def test_keys_that_somebody_made(text: str) -> None:
    """Long or short, random or of words."""
    assert value("secret-key", text).problem is None


def test_what_stands_in_the_checkout(tmp_path: Path) -> None:
    """In its tracked files: a file of somebody's own beside them is not the project's."""
    for name, text in {
        ".env.example": f"SECRET_KEY={GOOD}\n",
        "app/settings.py": 'KEY = os.getenv("SECRET_KEY", "a-fine-key-of-ours")\n',
        "docker-compose.yml": "environment:\n  DATABASE_URL: postgresql://nox:Jenny8675309@db/nox\n",
        "docs/words.md": "The lagoon is deep, and the jasper blue.\n",
        "blob.bin": f"\0={OTHER}\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / ".env").write_text(f"SECRET_KEY={OTHER}\n")
    stands = Repository(tmp_path, lambda _: None).samples().where

    assert value("SECRET_KEY", GOOD, stands).problem == (
        "is a template's filler: it stands in .env.example of the checkout"
    )
    assert "app/settings.py" in str(value("key", "a-fine-key-of-ours", stands).problem)
    assert "docker-compose.yml" in str(value("url", "postgresql://x:Jenny8675309@other/y", stands).problem)
    assert "docker-compose.yml" in str(value("db-password", "Jenny8675309\n", stands).problem)
    for key, text in {
        "SECRET_KEY": OTHER,
        "password": "lagoon",
        "token": GOOD[:-1],
        "google-client-id": GOOD,
        "environment": "DATABASE_URL",
    }.items():
        assert value(key, text, stands).problem is None, key


def test_what_is_too_short_stands_nowhere() -> None:
    samples = Samples({"x": b"a=1\nb: abc\nc='abcd'"})

    assert [samples.where(text) for text in ("1", "abc", "abcd", "bcd'")] == [None, None, "x", None]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("username", "default"),
        ("LOG_LEVEL", "info"),
        ("log", "DEBUG"),
        ("redis-url", "redis://redis:6379/0"),
        ("DATABASE_URL", "postgresql://nox@db.nox.example:5432/nox?sslmode=require"),
        ("jdbc", "jdbc:postgresql://db/nox?user=nox"),
        ("REDIS_HOST", "redis"),
        ("brokers", "one.nox.example:9092,two.nox.example:9092"),
        ("redis-url", "redis-sentinel://s1:26379,s2:26379/mymaster"),
        ("DATABASE_URL", "postgresql://nox@one.nox.example:5432,two.nox.example:5432/nox?sslmode=require"),
        ("kafka", "SASL_SSL://b1:9093,SASL_SSL://b2:9093"),
        ("cors-origins", "https://nox.example, https://www.nox.example"),
        ("cors", "*"),
        ("LDAP_BIND_DN", "cn=nox,ou=svc,dc=nox,dc=example"),
        ("cleanup-cron", "0 3 * * *"),
        ("lang", "de_DE.UTF-8"),
        ("list.json", "[]"),
        ("empty.json", "{}"),
        ("db-port", "5432"),
        ("port", "5432\n"),
        ("enabled", "true"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("MICROSOFT_TENANT_ID", "organizations"),
        ("from", "nox@nox.example"),
        ("TOKEN_URL", "https://login.nox.example/oauth2/token"),
        ("JWT_ALGORITHM", "HS256"),
        ("token-ttl", "3600"),
        ("public_key", "-----BEGIN PUBLIC KEY-----\nTUlJ\n-----END PUBLIC KEY-----\n"),
        ("config.json", '{"level": "info", "url": "redis://redis:6379/0"}'),
        ("app.env", "LOG_LEVEL=info\nREDIS_URL=redis://redis:6379/0\n"),
    ],
)
def test_settings_are_not_secrets(key: str, text: str) -> None:
    """Both environments may have the same, and it is not a filler."""
    assert value(key, text).problem is None
    assert not shared((key, text), (key, text))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("password", "n7Q2vX9pL4st8Rw6"),
        ("api-key", "info2024"),
        ("google-client-secret", GOOD),
        ("google-client-id", "123456789-a1b2c3.apps.googleusercontent.com"),
        ("something", "word"),
        ("user", GOOD),
        ("redis-url", f"redis://{GOOD}@redis:6379/0"),
        ("redis-url", f"redis://:{GOOD}@redis:6379/0"),
        ("redis-url", f"redis-sentinel://:{GOOD}@s1:26379,s2:26379/mymaster"),
        ("kafka", f"SASL_SSL://nox:{GOOD}@b1:9093,SASL_SSL://nox:{GOOD}@b2:9093"),
        ("DATABASE_URL", f"postgresql://nox:{GOOD}@one:5432,two:5432/nox"),
        ("origins", f"https://nox.example/?key={GOOD}"),
        ("hook-url", f"https://hooks.nox.example/services/T000/B000/{GOOD}"),
        ("url", f"https://nox.example/?token={GOOD[:8]}"),
        ("dsn", "https://0a1b2c3d4e5f60718293a4b5c6d7e8f9@sentry.nox.example/2"),
        ("secret_id", "5"),
        ("auth-file", "ada:$2y$05$0oHw8mYJ\ngrace:$2y$05$9iKx7nZL\n"),
        ("tenant-id", "x" * 201),
    ],
)
def test_in_doubt_it_is_a_secret(key: str, text: str) -> None:
    assert shared((key, text), (key, text))


def test_a_setting_may_be_empty_or_filler() -> None:
    """That it is not secret does not fill it in."""
    assert value("username", "").problem == "is empty"
    assert value("username", "changeme").problem == "is a template's filler"
    assert value("host", "<your-host>").problem == "is a template's filler"
    assert value("password", "default").problem == "is a template's filler"


def test_a_secret_of_a_user_and_a_password() -> None:
    """As Kubernetes' own type has it."""
    text = """
kind: Secret
metadata: {name: redis-auth}
type: kubernetes.io/basic-auth
data:
  username: ZGVmYXVsdA==
  password: bjdRMnZYOXBMNHN0OFJ3Ng==
"""
    found = judged("redis-auth", "here", yaml.safe_load(text))

    assert {key: each.problem for key, each in found.items()} == {"username": None, "password": None}
    assert not found["username"].parts
    assert found["password"].parts


# ---------------------------------------------------------------- what is shared

JSON = json.dumps(
    {"type": "service_account", "private_key": f"{GOOD}\n", "token_uri": "https://nox.example/t"}
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", f"postgresql://nox:{GOOD}@staging/nox"), ("b", f"postgresql://nox:{GOOD}@production/nox")),
        (("a", f"postgresql://nox:{GOOD}@staging/nox"), ("b", f"{GOOD}\n")),
        (
            ("a", f"postgresql://nox:{GOOD}@staging/nox"),
            ("b", f"jdbc:postgresql://db/nox?user=n&password={GOOD}"),
        ),
        (("a", f"host=db user=nox password={GOOD}"), ("b", f"host=other user=nox password='{GOOD}'")),
        (("a", f"Server=db;User Id=nox;Password={GOOD};"), ("b", f"Server=other;Uid=nox;Pwd={GOOD}")),
        (("a", f"amqp://nox:{GOOD}@one:5672,amqp://nox:{GOOD}@two:5672"), ("b", GOOD)),
        (("a", f"mongodb://nox:{GOOD}@one:1,two:2/db"), ("b", f"mongodb://nox:{GOOD}@three/db")),
        (("a", JSON), ("b", json.dumps({"private_key": GOOD, "type": "other"}))),
        (("a", JSON), ("b", GOOD)),
        (("a", json.dumps({"db": {"url": f"redis://:{GOOD}@x/0"}})), ("b", json.dumps([{"password": GOOD}]))),
        (("a", f"LOG=info\nSECRET_KEY={GOOD}\n"), ("b", f'# ours\nexport SECRET_KEY="{GOOD}"\nLOG=debug')),
        (("a", f"password: {GOOD}\nuser: nox\n"), ("b", GOOD)),
        (("a", GOOD), ("b", f"{GOOD}\r\n")),
    ],
)
def test_one_password_in_two_texts_is_shared(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert shared(one, other)
    assert shared(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", f"postgresql://nox:{GOOD}@db/nox"), ("b", f"postgresql://nox:{OTHER}@db/nox")),
        (("a", f"host=db user=nox password={GOOD}"), ("b", f"host=db user=nox password={OTHER}")),
        (("a", JSON), ("b", JSON.replace(GOOD, OTHER))),
        (("a", f"LOG=info\nKEY={GOOD}\n"), ("b", f"LOG=info\nKEY={OTHER}\n")),
    ],
)
def test_what_is_alike_around_two_passwords_is_not(one: tuple[str, str], other: tuple[str, str]) -> None:
    """The same server, the same user, the same file but for the key."""
    assert not shared(one, other)


def test_a_file_may_end_in_a_newline() -> None:
    """A variable may not: the newline would be sent along."""
    found = value("password", f"{GOOD}\n")

    assert found.problem == "begins or ends with white space"
    assert found.wrong(in_a_file=False)
    assert not found.wrong(in_a_file=True)
    assert value("password", f" {GOOD}\n").wrong(in_a_file=True)
    assert value("password", "changeme\n").wrong(in_a_file=True)
    assert not value("password", GOOD).wrong(in_a_file=False)


def test_what_is_no_file_and_no_string() -> None:
    """A key, a PEM, a text; and a large one takes no time."""
    pem = f"-----BEGIN KEY-----\n{GOOD}==\n-----END KEY-----\n"
    for text in (GOOD, f"{GOOD}=", f"{GOOD}\n", pem, "a b = c", "", "{", "://", "http://[x"):
        assert inside(text) is None, text
    for deep in (100, 500, 900, 990):
        assert judged("a", "b", {"data": {"k": base64.b64encode(b"[" * deep + b"]" * deep).decode()}})
    for text in ("a " * 300_000, "a=" * 300_000, "[" * 100_000, "x: y\n" * 50_000, "=;" * 200_000):
        assert not inside(text)
        assert not is_setting("key", text)
