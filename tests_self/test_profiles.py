"""Profiles: each mistake is one line that names the file and the key, and shows no secret."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.profile import DEFAULT_HEADERS, read_target
from noxgate.target import ProfileError, Target, UnreachableError

if TYPE_CHECKING:
    from tests_self.conftest import Project

PROJECT = Path(__file__).parent.parent
PHASES = ("preflight", "staging", "live")
KEYS = (
    "serves, rehearsal, load, base_url, plain_url, ca_file, namespace, production, env_file, kubeconfig, "
    "context, dry_run_context, green_namespace, blue_namespace, prometheus_url, source, manifests, "
    "switch_patch, rollback_patch, wait_seconds, credentials, oauth, security_headers"
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
VALUES = {
    "DATABASE_URL": "postgresql://nox:database-password@db.example.com/nox",
    "REDIS_URL": "redis://:redis-password@redis.example.com:6379/0",
    "TEST_TOKEN": "token-of-the-user",
    "ADMIN_TOKEN": "token-of-the-administrator",
    "GITHUB_CLIENT_ID": "github-client",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the profiles `mine` and `production`."""
    (tmp_path / "targets").mkdir()
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("staging.example", "api.example"), "production")
    return tmp_path


def write(root: Path, text: str, name: str = "mine") -> None:
    """Write a profile."""
    (root / "targets" / f"{name}.toml").write_text(text)


def read(root: Path, environment: dict[str, str] | None = None, name: str = "mine") -> Target:
    """Read a profile, with no variables set unless given."""
    return read_target(root, name, PHASES, environment or {})


def problem(root: Path, environment: dict[str, str] | None = None, name: str = "mine") -> str:
    """The one line that is said of a profile."""
    with pytest.raises(ProfileError) as caught:
        read(root, environment, name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- good ones


def test_good_profile(root: Path) -> None:
    """Everything it says, and what follows from it."""
    target = read(root, VALUES)

    assert (target.name, target.serves, target.namespace) == ("mine", ("staging",), "nox-staging")
    assert target.base_url == "https://staging.example.com"
    assert target.plain_url == "http://staging.example.com"
    assert target.security_headers == DEFAULT_HEADERS
    assert (target.rehearsal, target.load, target.production, target.ca_file) == (False, False, None, None)
    assert target.client_id("google") == "google-client"
    assert target.client_id("github") == "github-client"
    assert target.credential("test_token").reveal() == "token-of-the-user"
    assert target.unset() == []


@pytest.mark.parametrize("name", ["staging", "production"])
def test_shipped_profiles_load(name: str) -> None:
    """As they are, with nothing set; and all the credentials they name are the runbook's."""
    phases = ("preflight", "staging", "prep", "green", "live", "window", "rollback")

    target = read_target(PROJECT, name, phases, {})

    assert set(target.credentials.values()) == {"DATABASE_URL", "REDIS_URL", "TEST_TOKEN", "ADMIN_TOKEN"}
    assert target.rehearsal is False
    assert len(target.unset()) == 7


def test_profile_by_path(root: Path, tmp_path: Path) -> None:
    """A name that ends in .toml is a path."""
    elsewhere = tmp_path / "else where.toml"
    elsewhere.write_text(GOOD)

    assert read(root, name=str(elsewhere)).name == "else where"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://Staging.Example.com", "https://staging.example.com"),
        ("https://staging.example.com/", "https://staging.example.com"),
        ("https://staging.example.com:443", "https://staging.example.com"),
        ("HTTPS://staging.example.com:8443", "https://staging.example.com:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_one_form_of_a_url(root: Path, given: str, expected: str) -> None:
    """So that two addresses can be compared."""
    assert read(root, {"BASE_URL": given}).base_url == expected


def test_runbook_variables_replace_the_profile(root: Path) -> None:
    """And the origin of each is kept."""
    target = read(root, {"BASE_URL": "https://other.example.com", "NAMESPACE": "other"})

    assert (target.base_url, target.namespace) == ("https://other.example.com", "other")
    assert (target.origins["base_url"], target.origins["namespace"]) == ("BASE_URL", "NAMESPACE")
    assert target.origins["serves"] == "mine.toml"


def test_only_named_variables_are_kept(root: Path) -> None:
    """The rest of the environment is nobody's business, and may hold secrets that we do not know."""
    target = read(root, {**VALUES, "CLOUD_SECRET_KEY": "never-to-be-seen"})

    assert target.variables == VALUES
    assert "token-of-the-user" not in repr(target)


def test_env_file_of_a_rehearsal_is_all_it_reads(root: Path) -> None:
    """Lest its checks look at a real target."""
    (root / "targets" / "own.env").write_text("# note\n\nTEST_TOKEN = from-the-file\nADMIN_TOKEN=\n")
    own = 'rehearsal = true\nenv_file = "own.env"\n' + GOOD.replace("staging.example.com", "127.0.0.1:8443")
    write(root, own, "rehearsal")

    target = read(root, {**VALUES, "BASE_URL": "https://staging.example.com"}, "rehearsal")

    assert target.base_url == "https://127.0.0.1:8443"
    assert target.variables == {"TEST_TOKEN": "from-the-file"}
    assert "ADMIN_TOKEN" in target.unset()


def test_variable_beats_env_file_on_a_real_target(root: Path) -> None:
    """The person's export is the newer word."""
    (root / "targets" / "own.env").write_text("TEST_TOKEN=from-the-file\nADMIN_TOKEN=also-from-there\n")
    write(root, 'env_file = "own.env"\n' + GOOD)

    target = read(root, {"TEST_TOKEN": "from-the-person"})

    assert target.variables == {"TEST_TOKEN": "from-the-person", "ADMIN_TOKEN": "also-from-there"}


def test_unset_variable_is_unreachable_and_says_what_to_do(root: Path) -> None:
    """Not a mistake of the profile: other lines can be looked at."""
    target = read(root, {"TEST_TOKEN": ""})

    assert target.unset() == ["DATABASE_URL", "REDIS_URL", "TEST_TOKEN", "ADMIN_TOKEN", "GITHUB_CLIENT_ID"]
    with pytest.raises(UnreachableError) as caught:
        target.credential("test_token")
    expected = "TEST_TOKEN is not set (mine.toml [credentials] test_token): export TEST_TOKEN=…"
    assert str(caught.value) == expected
    with pytest.raises(UnreachableError, match=r"^GITHUB_CLIENT_ID is not set .*\[oauth.github\]"):
        target.client_id("github")


def test_what_a_profile_does_not_name_is_unreachable(root: Path) -> None:
    """No variable, no client id."""
    write(root, GOOD.replace('redis_url = "REDIS_URL"\n', ""))
    target = read(root)

    with pytest.raises(
        UnreachableError, match=r"^mine.toml names no variable for redis_url under \[credentials\]$"
    ):
        target.credential("redis_url")
    with pytest.raises(UnreachableError, match=r"^mine.toml has no \[oauth.microsoft\] client_id$"):
        target.client_id("microsoft")


# ---------------------------------------------------------------- names

LONG = "a" * 300


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mien", "no target 'mien' (targets: mine, production); did you mean 'mine'?"),
        ("zzz", "no target 'zzz' (targets: mine, production)"),
        ("../mine", "no target '../mine' (targets: mine, production); did you mean 'mine'?"),
        ("~/mine.toml", "no target '~/mine.toml' (targets: mine, production)"),
        ("", "no target '' (targets: mine, production)"),
        ("mine\0", "no target 'mine\\x00' (targets: mine, production); did you mean 'mine'?"),
        (LONG, f"no target '{LONG}' (targets: mine, production)"),
        (
            "rehearsal",
            "target 'rehearsal' is not up: start it with `noxgate rehearse up`, or name --target",
        ),
    ],
    ids=["typo", "unknown", "above", "home", "empty", "nul", "long", "rehearsal"],
)
def test_no_such_target(root: Path, name: str, message: str) -> None:
    """The profiles that there are, and a guess."""
    assert problem(root, name=name) == message


def test_no_profiles_at_all(tmp_path: Path) -> None:
    """A new checkout, perhaps."""
    assert problem(tmp_path) == f"no target 'mine' ({tmp_path / 'targets'} has no profiles)"


# ---------------------------------------------------------------- one table of mistakes

NAME = "expected the NAME of an environment variable (capitals, digits, _), never the value itself"
ROLES = "database_url, redis_url, test_token, admin_token, prometheus_token"
CLIENT_ID = 'expected client_id = "…" or client_id_variable = "NAME"'
PEER = 'production = "production"\n'
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
    "load number": ("load = 1\n" + GOOD, "load: expected true or false, saw 1"),
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
        "mine.toml: expected a Kubernetes namespace (lower-case letters, digits, -), saw 'Nox_Staging'",
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
    "plain_url https": (
        'plain_url = "https://staging.example.com"\n' + GOOD,
        "plain_url: expected http://HOST[:PORT], saw 'https://staging.example.com'",
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
    "oauth empty id": (
        GOOD + '[oauth.microsoft]\nclient_id = " "\n',
        "[oauth.microsoft] client_id: expected text, saw ' '",
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
    "own peer": ('production = "mine"\n' + GOOD, "production: a target cannot be its own peer"),
    "no peer": (
        'production = "prodution"\n' + GOOD,
        "production: no target 'prodution' (targets: mine, production); did you mean 'production'?",
    ),
}


@pytest.mark.parametrize("text, message", BAD.values(), ids=BAD)  # noqa: PT006 (one name for each)
def test_mistake_is_one_line(root: Path, text: str, message: str) -> None:
    """File, key, what was expected, what was seen; never a value that may be secret."""
    write(root, text)

    said = problem(root)

    assert said.startswith("mine.toml: ")
    assert said.endswith(message)
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("staging.example.com", "saw 'staging.example.com'; did you mean https://staging.example.com?"),
        ("//staging.example.com", "saw '//staging.example.com'"),
        ("http://staging.example.com", "saw 'http://staging.example.com'"),
        ("https://", "saw 'https://'"),
        ("https://a b", "saw 'https://a b'"),
        ("https://host:", "saw 'https://host:'"),
        ("https://host:0", "saw 'https://host:0'"),
        ("https://host:99999", "saw 'https://host:99999'"),
        ("https://host:port", "saw 'https://host:port'"),
        ("https://[::1", "saw 'https://[::1'"),
        ("https://host/path", "saw more than scheme, host and port"),
        ("https://host?q=1", "saw more than scheme, host and port"),
        ("https://host#f", "saw more than scheme, host and port"),
        ("https://user:s3cret@host", "saw a user name or password in it"),
        ("https://user@host", "saw a user name or password in it"),
        ("ftp://user:s3cret@host", "saw another form"),
        ("user:s3cret@host", "saw another form"),
    ],
)
@pytest.mark.parametrize("where", ["profile", "variable"])
def test_base_url_mistakes(root: Path, url: str, said: str, where: str) -> None:
    """In the profile, or in the runbook's variable; a password in it is not shown."""
    if where == "profile":
        write(root, GOOD.replace("https://staging.example.com", url))
        message = problem(root)
    else:
        message = problem(root, {"BASE_URL": url})

    key = "base_url" if where == "profile" else "BASE_URL"
    place = "mine.toml" if where == "profile" else "BASE_URL"
    assert message.startswith(f"mine.toml: {place}: expected https://HOST[:PORT], {said}"), key
    assert "s3cret" not in message


@pytest.mark.parametrize("url", ["https://api.example.com", "https://API.example.com:443/"])
def test_same_address_as_production(root: Path, url: str) -> None:
    """However it is written: the classic mistake of an export."""
    write(root, PEER + GOOD)

    assert problem(root, {"BASE_URL": url}) == (
        "target 'mine' and its peer 'production' have the same base_url https://api.example.com "
        "(from BASE_URL): one of them is wrong"
    )


def test_peer_must_be_in_order(root: Path) -> None:
    """Its own file is named."""
    write(root, PEER + GOOD)
    write(root, "", "production")

    assert problem(root) == "production.toml: missing serves, base_url, namespace, credentials, oauth"


DATABASE = "DATABASE_URL: expected postgresql://USER:PASSWORD@HOST:PORT/NAME, saw another form"
REDIS = "REDIS_URL: expected redis://USER:PASSWORD@HOST:PORT/NAME, saw another form"
SHORT = "a token or password of fewer than 8 characters cannot be kept out of the reports: use a longer one"
TOKEN = "TEST_TOKEN: expected a token of visible ASCII characters without spaces"  # noqa: S105


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DATABASE_URL", "nox:s3cret-value@db/nox", DATABASE),
        ("DATABASE_URL", "mysql://nox:s3cret-value@db/nox", DATABASE),
        ("DATABASE_URL", "postgresql:///nox?password=s3cret-value", DATABASE),
        ("DATABASE_URL", "postgresql://nox:s3cret/value@db/nox", DATABASE),
        ("DATABASE_URL", "postgresql://nox:1#s3cret-value@db/nox", DATABASE),
        ("DATABASE_URL", "postgresql://nox:1/s3cret-value@db/nox", DATABASE),
        ("DATABASE_URL", "postgresql://nox:1?s3cret-value@db/nox", DATABASE),
        ("DATABASE_URL", "postgresql://nox:s3cret-value@db:99999/nox", DATABASE),
        ("DATABASE_URL", "postgresql://nox:s3cret-\udcff-value@db/nox", DATABASE),
        ("REDIS_URL", "http://:s3cret-value@redis/0", REDIS),
        ("DATABASE_URL", "postgresql://nox:s3cret@db/nox", f"DATABASE_URL: {SHORT}"),
        ("REDIS_URL", "redis://:s3cret@redis/0", f"REDIS_URL: {SHORT}"),
        ("TEST_TOKEN", "s3cret", f"TEST_TOKEN: {SHORT}"),
        ("TEST_TOKEN", "s3cret value", TOKEN),
        ("TEST_TOKEN", "s3cret-value\n", TOKEN),
        ("TEST_TOKEN", "s3cret-é-value", TOKEN),
    ],
)
def test_bad_credential_is_named_and_not_shown(root: Path, variable: str, value: str, message: str) -> None:
    """Its variable, and what it should look like."""
    said = problem(root, {variable: value})

    assert said.startswith(message)
    assert "s3cret" not in said


def test_passwords_of_urls_are_known_in_every_form(root: Path) -> None:
    """As it stands in the URL, as it is sent, and in the query, where libpq and redis-py read it too."""
    target = read(
        root,
        {
            "DATABASE_URL": "postgresql://nox:a%2Fb%40secret@db/nox?password=another+secret",
            "REDIS_URL": "rediss://:plain-secret@redis:6379/0",
        },
    )

    assert [(secret.name, secret.reveal()) for secret in target.secrets()] == [
        ("DATABASE_URL", "a%2Fb%40secret"),
        ("DATABASE_URL", "a/b@secret"),
        ("DATABASE_URL", "another secret"),
        ("REDIS_URL", "plain-secret"),
    ]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("key", "content", "message"),
    [
        pytest.param("env_file", None, "env_file: no such file: ", id="env-missing"),
        pytest.param("env_file", b"\xff\xfe", "cannot be read as UTF-8 text", id="env-bytes"),
        pytest.param("env_file", b"A=1\ns3cret-value\n", "file:2: expected NAME=value", id="env-no-equals"),
        pytest.param("env_file", b"export A=s3cret\n", "file:1: expected NAME=value", id="env-export"),
        pytest.param("env_file", b"=s3cret\n", "file:1: expected NAME=value", id="env-no-name"),
        pytest.param("ca_file", None, "ca_file: no such file: ", id="ca-missing"),
        pytest.param("ca_file", b"", "ca_file: expected certificates in PEM form in ", id="ca-empty"),
        pytest.param("ca_file", b"s3cret", "ca_file: expected certificates in PEM form in ", id="ca-text"),
    ],
)
def test_bad_file_of_a_profile(root: Path, key: str, content: bytes | None, message: str) -> None:
    """Beside the profile; no line of it is shown."""
    write(root, f'{key} = "file"\n' + GOOD)
    if content is not None:
        (root / "targets" / "file").write_bytes(content)

    said = problem(root)

    assert message in said
    assert "s3cret" not in said


def test_profile_that_is_no_text(root: Path) -> None:
    """Latin-1, say."""
    (root / "targets" / "mine.toml").write_bytes("# é".encode("latin-1"))

    assert problem(root) == "mine.toml: expected UTF-8 text: unexpected end of data"


def test_profile_that_is_a_folder(root: Path) -> None:
    """No such target, then."""
    (root / "targets" / "mine.toml").unlink()
    (root / "targets" / "mine.toml").mkdir()

    assert problem(root).startswith("no target 'mine' (targets: ")


# ---------------------------------------------------------------- through pytest


@pytest.mark.parametrize("text, message", BAD.values(), ids=BAD)  # noqa: PT006 (one name for each)
def test_pytest_says_it_in_one_line(project: "Project", text: str, message: str) -> None:
    """Exit 4, no folder."""
    shutil.copy(project.path / "targets" / "staging.toml", project.path / "targets" / "production.toml")
    (project.path / "targets" / "mine.toml").write_text(text)

    result = project.run("-m", "staging", "--target", "mine")

    assert result.ret == 4
    assert [line[:18] for line in result.errlines if line] == ["ERROR: mine.toml: "]
    assert project.folders() == []
    assert message[:20] in result.stderr.str()
