"""Secrets inside files, keys and headers, and what among them anybody may have."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from noxgate.systems.kubernetes.secret_values import SecretValue, Where, judged, nowhere
from noxgate.systems.kubernetes.secrets.inside import inside
from noxgate.systems.repository.repository import Repository

GOOD, OTHER = "k3jx81mfQpZ20vWbe9TtLsAa", "p9vWn7Q2vX9pL4st8Rw6Zc1b"


def value(key: str, content: str | bytes, stands: Where = nowhere) -> SecretValue:
    data = content if isinstance(content, bytes) else content.encode()
    return judged("nox", "here", {"data": {key: base64.b64encode(data).decode()}}, stands)[key]


def pem(label: str, inner: str = GOOD) -> str:
    return f"-----BEGIN {label}-----\n{inner}\n-----END {label}-----\n"


def basic(password: str) -> str:
    return base64.b64encode(f"gate:{password}".encode()).decode()


# ---------------------------------------------------------------- one password in two texts

HOLDING = {
    "alone": ("password", "{}"),
    "pgpass": (".pgpass", "# ours\ndb.nox.example:5432:nox:nox:{}\nother:*:*:nox:{}\n"),
    "pgpass of one line": ("pgpass", "db:5432:nox:nox:{}"),
    "netrc": (".netrc", "machine nox.example login gate password {}\n"),
    "netrc in lines": ("netrc", "machine nox.example\n  login gate\n  password {}\n"),
    "ini": ("my.cnf", "[client]\nuser=nox\npassword={}\n"),
    "toml": ("config.toml", '[db]\nuser = "nox"\npassword = "{}"\n'),
    "aws": ("credentials", "[default]\naws_access_key_id = AKIA\naws_secret_access_key = {}\n"),
    "yaml": ("app.yml", "db:\n  user: nox\n  password: {}\nhosts:\n  - one\n  - two\n"),
    "yaml list": ("users.yml", "- name: ada\n  password: {}\n"),
    "kubeconfig": ("config", "apiVersion: v1\nusers:\n- name: gate\n  user:\n    token: {}\n"),
    "xml": ("conf.xml", "<?xml version='1.0'?>\n<conf><password>{}</password></conf>"),
    "xml attribute": ("conf.xml", '<datasource user="nox" password="{}"/>'),
    "xml property": ("conf.xml", '<p><property name="db.password" value="{}"/></p>'),
    "xml named": ("conf.xml", "<p><name>nox</name><entry key='api-key'>{}</entry></p>"),
    "json": ("config.json", '{{"db": [{{"password": "{}"}}]}}'),
    "docker": (".dockerconfigjson", '{{"auths": {{"r.example": {{"username": "u", "password": "{}"}}}}}}'),
    "bearer": ("authorization", "Bearer {}"),
    "header": ("header", "Authorization: token {}"),
    "users": ("users.txt", "ada:{}\ngrace:another-of-hers\n"),
    "password in front of a certificate": ("store.txt", "password={}\n" + pem("CERTIFICATE")),
}
IN_BASIC = {
    "basic": ("auth", "Basic {}"),
    "docker's auth": (".dockerconfigjson", '{{"auths": {{"r.example": {{"auth": "{}"}}}}}}'),
}


@pytest.mark.parametrize("form", [*HOLDING, *IN_BASIC])
def test_a_password_in_any_text_is_shared(form: str) -> None:
    """With the same password alone; and with another one it is not."""
    for text, password in ((HOLDING.get(form), GOOD), (IN_BASIC.get(form), basic(GOOD))):
        if text is not None:
            key, content = text
            assert value(key, content.format(password, password)).parts & value("other", GOOD).parts
            assert not value(key, content.format(password, password)).parts & value("other", OTHER).parts


def test_a_number_may_be_a_password() -> None:
    one, other = '{"password": 83746152, "port": 5432}', '{"db": {"password": 83746152}, "port": 1}'

    assert value("a.json", one).parts & value("b.json", other).parts
    assert (
        value("a.json", '{"password": 12345678}').problem == "is a template's filler: too even for a secret"
    )
    assert value("a.json", '{"port": 5432, "debug": false, "rate": 0.5}').parts == frozenset()


@pytest.mark.parametrize("text", ["a=b;c=d", '{"a": "b"}', "theme: dark\nmode: fast"])
def test_what_is_called_a_password_is_one(text: str) -> None:
    """With any value. What is called settings is not a secret."""
    assert value("password", text).parts & value("db-password", text).parts
    assert value("app.conf", text).parts == frozenset()


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("ca.crt", f"# Issuer: CN=ISRG Root X1\n{pem('CERTIFICATE')}\n# another\n{pem('CERTIFICATE')}"),
        ("tls.crt", f"Bag Attributes\n    localKeyID: 01 02\nsubject=CN = nox\n{pem('CERTIFICATE')}"),
        ("ca.pem", pem("TRUSTED CERTIFICATE")),
        ("dhparam.pem", pem("DH PARAMETERS")),
        ("ca.crl", pem("X509 CRL")),
        ("tls.csr", pem("CERTIFICATE REQUEST")),
        ("jwt-key", pem("EC PUBLIC KEY")),
        ("release.asc", pem("PGP PUBLIC KEY BLOCK")),
        ("ca", pem("CERTIFICATE").replace("\n", "\\n")),
        ("ssh-publickey", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{GOOD} nox@nox.example\n"),
        ("known_hosts", f"# ours\ngit.example,10.0.0.1 ecdsa-sha2-nistp256 AAAAE2VjZHNh{GOOD}=\n"),
        ("authorized_keys", f'command="true" ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB{GOOD} a b\n'),
        ("jwks.json", json.dumps({"keys": [{"kty": "RSA", "kid": "2026a1b2", "n": GOOD * 9, "e": "AQAB"}]})),
        ("certs.json", json.dumps({"a1b2": pem("CERTIFICATE"), "c3d4": pem("PUBLIC KEY")})),
        ("ca.der", bytes.fromhex("3082000930820001a003020102") + b""),
    ],
)
def test_what_anybody_may_have(key: str, text: str | bytes) -> None:
    """An authority, a public key, parameters: both environments may well trust the same."""
    found = value(key, text)

    assert found.parts == frozenset()
    assert not found.wrong(in_a_file=True)


PRIVATE = [
    ("tls.key", pem("PRIVATE KEY")),
    ("tls.key", pem("RSA PRIVATE KEY", f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n{GOOD}")),
    ("id_ed25519", pem("OPENSSH PRIVATE KEY")),
    ("both.pem", pem("CERTIFICATE", OTHER) + pem("PRIVATE KEY")),
    (
        "bag.pem",
        f"Bag Attributes\nsubject=CN = nox\nissuer=CN = ca\n{pem('CERTIFICATE')}{pem('PRIVATE KEY')}",
    ),
    ("KEY", pem("PRIVATE KEY").replace("\n", "\\n")),
    ("sa.json", json.dumps({"type": "service_account", "private_key": pem("PRIVATE KEY")})),
    ("conf.json", json.dumps({"content": pem("EC PRIVATE KEY")})),
    ("conf.yml", f"tls:\n  key: |\n    {pem('PRIVATE KEY')}".replace("\n-----END", "\n    -----END")),
    ("half.key", pem("PRIVATE KEY").partition("-----END")[0]),
    ("jwk.json", json.dumps({"kty": "OKP", "crv": "Ed25519", "x": OTHER, "d": GOOD})),
]


@pytest.mark.parametrize(("key", "text"), PRIVATE)
def test_a_private_key_is_found_wherever_it_is(key: str, text: str) -> None:
    """Beside certificates, in a variable of one line, in JSON."""
    assert GOOD in (inside(text) or [])
    assert value(key, text).parts & value("other.pem", pem("PRIVATE KEY")).parts
    assert value(key, text).problem is None


def test_a_private_key_that_is_none() -> None:
    for inner in ("...", "<your-private-key>", "changeme", "REPLACE_ME"):
        assert value("tls.key", pem("PRIVATE KEY", inner)).problem == "is a template's filler", inner


def test_blocks_of_a_kind_that_nobody_knows() -> None:
    """They may be anything: in doubt the whole is a secret."""
    for label in ("KEY", "MESSAGE", "PGP MESSAGE"):
        assert value("x.pem", pem(label)).parts


def test_a_private_key_of_the_checkout(tmp_path: Path) -> None:
    """As a project ships one for its own machines: in lines there, in one line here."""
    inner = "\n".join([GOOD * 2, OTHER * 2, GOOD])
    (tmp_path / "dev.key").write_text(pem("PRIVATE KEY", inner))
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    stands = Repository(tmp_path, lambda _: None).samples().where

    for text in (pem("PRIVATE KEY", inner), pem("PRIVATE KEY", inner).replace("\n", "\\n")):
        assert value("tls.key", text, stands).problem == (
            "is a template's filler: it stands in dev.key of the checkout"
        )
    assert value("tls.key", pem("PRIVATE KEY", inner[::-1]), stands).problem is None


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    "content", [b"\xfe\xed\xfe\xed\0\0\0\2", b"\0\0\0\0", b"\x80abc", GOOD.encode("utf-16")]
)
def test_bytes_are_for_files(content: bytes) -> None:
    """No container starts with them in a variable."""
    found = value("keystore", content)

    assert found.parts
    assert found.problem == "is not text in UTF-8, so no variable can hold it"
    assert found.wrong(in_a_file=False)
    assert not found.wrong(in_a_file=True)


def test_a_password_as_windows_saves_it() -> None:
    """The mark in front is a part of it for whoever reads it; filler is filler all the same."""
    for content, problem in {
        f"\ufeff{GOOD}".encode(): "begins with a byte order mark, which a program takes for a part of it",
        "\ufeffchangeme\r\n".encode(): "is a template's filler",
        "changeme".encode("utf-16"): "is a template's filler",
    }.items():
        found = value("password", content)
        assert found.problem == problem
        assert found.wrong(in_a_file=False)
    assert value("password", f"\ufeff{GOOD}").wrong(in_a_file=True)
    assert not value("app.env", "\ufeffLOG_LEVEL=info\nMODE=fast\n").wrong(in_a_file=True)
    assert value("password", f"\ufeff{GOOD}").parts & value("other", GOOD).parts


def test_settings_in_files_are_no_secrets() -> None:
    """In any form; both environments may have the same."""
    for key, text in {
        "app.yml": "log:\n  level: info\nhosts:\n  - one.nox.example:9092\nretries: 3\n",
        "images.txt": "nginx:1.25\nredis:7.2\n",
        "hosts.txt": "db1.nox.example:5432\ndb2.nox.example:5432\n",
        "app.env": "REDIS=redis:6379\nDB=db:5432\n",
        "log.xml": '<configuration><root level="info"><appender-ref ref="STDOUT"/></root></configuration>',
        "my.cnf": "[client]\nuser=nox\nport=3306\n",
    }.items():
        assert value(key, text).parts == frozenset(), key
        assert not value(key, text).wrong(in_a_file=True), key


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN A-----",
        "-----BEGIN ",
        "a:1:b:c:",
        "<a ",
        'a="',
        "machine x password ",
        "- a: &b *b\n",
        "ssh-rsa ",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    """Nor does any raise: a traceback may show what it held."""
    for text in (
        f"a:\n- {'[' * 9000}",
        f"a:\n- {'{a: ' * 900}{'}' * 900}",
        piece * (200_000 // len(piece)),
        f"{piece}\n" * (19_000 // (len(piece) + 1)),
    ):
        assert value("x", text).problem in {None, "begins or ends with white space", "is a template's filler"}
