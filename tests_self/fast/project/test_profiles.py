"""Profiles: each mistake is one line that names the file and the key, and shows no secret."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.profiles import BAD, CLUSTER, GOOD, KEYS

from noxgate.errors import ProfileError, UnreachableError
from noxgate.project.keys.evidence import DEFAULT_HEADERS
from noxgate.project.profile import read_peer, read_target
from noxgate.project.target import Target

if TYPE_CHECKING:
    from tests_self.conftest import Project

PROJECT = Path(__file__).parents[3]
PHASES = ("preflight", "staging", "live")
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


@pytest.mark.parametrize("end", ["", "/"])
def test_api_behind_a_path(root: Path, end: str) -> None:
    """Every path is below it, without TLS as well."""
    write(root, GOOD.replace("https://staging.example.com", f"https://staging.example.com:443/nox/v8.0{end}"))

    target = read(root, VALUES)
    assert target.base_url == "https://staging.example.com/nox/v8.0"
    assert target.plain_url == "http://staging.example.com/nox/v8.0"


def test_port_without_tls_that_is_to_be_closed(root: Path) -> None:
    """It is not a URL then."""
    write(root, 'plain_url = "closed"\n' + GOOD)
    assert read(root, VALUES).plain_url == ""


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


def test_what_overrides_is_told_apart(root: Path) -> None:
    """The same value in another form overrides nothing; nothing is overridden that the profile leaves out."""
    (root / "k").write_text("clusters: []\n")
    same = {"BASE_URL": "https://Staging.example.com:443/", "NAMESPACE": "nox-staging"}
    same |= {"KUBECONFIG": str(root / "k")}
    assert read(root, same).overridden.keys() - {"KUBECONFIG"} == set()
    assert "KUBECONFIG" in read(root, same).overrides

    target = read(root, {"BASE_URL": "https://localhost:9", "NAMESPACE": "nox-staging"})
    assert target.overridden == {"BASE_URL": "https://localhost:9"}
    assert "BASE_URL" not in target.overrides


def test_overrides_that_are_allowed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name."""
    monkeypatch.setenv("HOME", str(root))
    (root / "k").write_text("clusters: []\n")
    profile = root / "targets" / "mine.toml"
    profile.write_text('overrides = ["BASE_URL"]\nkubeconfig = "~/k"\n' + profile.read_text())

    assert read(root, {"BASE_URL": "https://localhost:9"}).overrides == ("BASE_URL",)
    assert read(root, {"KUBECONFIG": str(root / "k")}).overridden == {}

    profile.write_text(profile.read_text().replace('["BASE_URL"]', '["TEST_TOKEN"]'))
    assert problem(root) == (
        "mine.toml: overrides: expected some of BASE_URL, NAMESPACE, KUBECONFIG, SSL_CERT_FILE, "
        "SSL_CERT_DIR, HTTP_PROXY, saw ['TEST_TOKEN']"
    )


def test_only_named_variables_are_kept(root: Path) -> None:
    """The rest of the environment is not read: it may hold secrets that we do not know."""
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


# ---------------------------------------------------------------- cluster, Prometheus, release repository


def cluster(root: Path) -> None:
    """The files that CLUSTER names."""
    for folder in (root / "targets" / "cluster", root / "nox"):
        folder.mkdir()
    (root / "targets" / "cluster" / "config").touch()


def test_where_the_cluster_is(root: Path) -> None:
    """Files are seen from the profile; whether `manifests` is there is for a check to say."""
    cluster(root)
    write(root, CLUSTER + GOOD)
    target = read(root)

    assert target.kubeconfig == str(root / "targets" / "cluster" / "config")
    assert (target.context, target.dry_run_context) == ("look", "rehearse-change")
    assert target.prometheus_url == "http://prometheus.example.com:9090/nox"
    assert target.registry == "registry.example.com:5000"
    assert (target.platform, target.container) == ("linux/arm64/v8", "web")
    assert target.source is not None
    assert target.source.samefile(root / "nox")
    assert target.manifests == "k8s/staging"
    assert (target.switch_patch, target.rollback_patch) == ("k8s/switch.json", "k8s/back.json")
    assert (target.green_namespace, target.blue_namespace) == ("nox-green", "nox-blue")


def test_nothing_of_the_cluster_is_required(root: Path) -> None:
    """Green is where the target itself is, unless it says otherwise; also when NAMESPACE says where."""
    target = read(root, {"NAMESPACE": "nox-elsewhere"})

    assert (target.green_namespace, target.blue_namespace) == ("nox-elsewhere", None)
    assert [target.kubeconfig, target.context, target.prometheus_url, target.source] == [None] * 4
    assert (target.platform, target.node_ports) == (None, None)


def test_kubeconfig_variable(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As kubectl takes it: several files, seen from where the command is typed. Each must be there."""
    cluster(root)
    write(root, CLUSTER + GOOD)
    monkeypatch.chdir(tmp_path)
    one, other = tmp_path / "one", tmp_path / "two"
    one.touch()
    other.touch()

    target = read(root, {"KUBECONFIG": f"one:{other}"})
    assert target.kubeconfig == f"{one}:{other}"
    assert target.origins["kubeconfig"] == "KUBECONFIG"
    assert problem(root, {"KUBECONFIG": f"{one}:three"}) == (
        f"mine.toml: KUBECONFIG: expected a kubeconfig, no such file: {tmp_path / 'three'}"
    )
    assert problem(root, {"KUBECONFIG": ":"}) == "mine.toml: KUBECONFIG: expected a kubeconfig, saw ':'"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('kubeconfig = "none"', "kubeconfig: expected a kubeconfig, no such file: {targets}/none"),
        ('kubeconfig = ""', "kubeconfig: expected a kubeconfig, saw ''"),
        ("kubeconfig = 1", "kubeconfig: expected text, saw 1"),
        ('kubeconfg = "x"', "unknown key 'kubeconfg' (keys: {keys}); did you mean 'kubeconfig'?"),
        ('context = " "', "context: expected a name, saw ' '"),
        ('dry_run_context = ""', "dry_run_context: expected a name, saw ''"),
        (
            'dry_run_contxt = ""',
            "unknown key 'dry_run_contxt' (keys: {keys}); did you mean 'dry_run_context'?",
        ),
        ('prometheus_url = "prometheus:9090"', "{prometheus}, saw 'prometheus:9090'"),
        ('prometheus_url = "https://"', "{prometheus}, saw 'https://'"),
        ('prometheus_url = "ftp://prometheus"', "{prometheus}, saw 'ftp://prometheus'"),
        ('prometheus_url = "http://prometheus:99999"', "{prometheus}, saw 'http://prometheus:99999'"),
        ('prometheus_url = "http://nox:s3cret@prometheus"', "{prometheus}, saw another form"),
        ('prometheus_url = "http://prometheus?token=s3cret"', "{prometheus}, saw another form"),
        ('source = "none"', "source: expected the release repository, saw no such folder: {targets}/none"),
        ('manifests = "/k8s"', "manifests: expected a path below source, saw '/k8s'"),
        ('manifests = "../k8s"', "manifests: expected a path below source, saw '../k8s'"),
        ('switch_patch = ""', "switch_patch: expected a path below source, saw ''"),
        ('green_namespace = "Green"', "green_namespace: {namespace}, saw 'Green'"),
        ('blue_namespace = "nox_blue"', "blue_namespace: {namespace}, saw 'nox_blue'"),
    ],
)
def test_cluster_mistakes(root: Path, line: str, said: str) -> None:
    """One line each, without a password or token of a URL."""
    write(root, f"{line}\n{GOOD}")
    expected = said.format(
        targets=root / "targets",
        keys=KEYS,
        prometheus="prometheus_url: expected http(s)://HOST[:PORT][/PATH]",
        namespace="expected a Kubernetes namespace (lower-case letters, digits, -)",
    )
    said_of_it = problem(root)

    assert said_of_it.endswith(expected)
    assert "s3cret" not in said_of_it


# ---------------------------------------------------------------- the peer


PRODUCTION = GOOD.replace("staging.example", "api.example").replace('"nox-staging"', '"nox-production"')


def test_peer_has_variables_of_its_own(root: Path) -> None:
    """DATABASE_URL is the target's: read for production, it would be staging that is looked at."""
    write(root, PEER + GOOD)
    write(root, PRODUCTION, "production")
    theirs = {f"PRODUCTION_{name}": value.replace("pass", "their-pass") for name, value in VALUES.items()}
    target = read(root, VALUES)

    peer = read_peer(root, target, PHASES, VALUES)
    assert peer.variables == {}
    assert "PRODUCTION_DATABASE_URL" in peer.unset()
    with pytest.raises(UnreachableError, match=r"export PRODUCTION_DATABASE_URL=…"):
        peer.credential("database_url")
    peer = read_peer(root, target, PHASES, VALUES | theirs)
    assert "their-pass" in peer.credential("database_url").reveal()
    assert peer.client_id("github") == "github-client"


def test_runbook_variables_are_not_the_peers(root: Path, tmp_path: Path) -> None:
    """Neither its address, nor its namespace, nor its cluster."""
    write(root, PEER + GOOD)
    write(root, PRODUCTION, "production")
    (tmp_path / "config").touch()
    given = {
        "NAMESPACE": "nox-other",
        "BASE_URL": "https://b.example.com",
        "KUBECONFIG": f"{tmp_path}/config",
    }
    target = read(root, given)
    peer = read_peer(root, target, PHASES, given)

    assert (target.namespace, target.kubeconfig) == ("nox-other", f"{tmp_path}/config")
    assert (peer.namespace, peer.base_url) == ("nox-production", "https://api.example.com")
    assert peer.kubeconfig is None


def test_secrets_of_the_peer_are_kept_out_of_reports(root: Path) -> None:
    """Checks look at both."""
    write(root, PEER + GOOD)
    write(root, PRODUCTION, "production")
    target = read(root, VALUES | {"PRODUCTION_TEST_TOKEN": "token-in-production"})

    assert ("PRODUCTION_TEST_TOKEN", "token-in-production") in [
        (secret.name, secret.reveal()) for secret in target.secrets()
    ]
    assert "token-in-production" not in repr(target)


def test_peer_by_path(root: Path, tmp_path: Path) -> None:
    """Seen from the profile that names it."""
    write(root, 'production = "../live/nox.toml"\n' + GOOD)
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "nox.toml").write_text(PRODUCTION)
    peer = read_peer(root, read(root), PHASES, {"NOX_TEST_TOKEN": "token-in-production"})

    assert (peer.name, peer.namespace) == ("nox", "nox-production")
    assert peer.credential("test_token").reveal() == "token-in-production"


def test_no_peer_is_unreachable(root: Path) -> None:
    with pytest.raises(UnreachableError, match=r"^mine\.toml names no production"):
        read_peer(root, read(root), PHASES, {})


def test_rehearsal_has_no_real_peer(root: Path) -> None:
    """Its checks would look at production."""
    profile = root / "targets" / "rehearsal.toml"
    profile.write_text("rehearsal = true\n" + PEER + GOOD.replace("staging.example.com", "localhost:8443"))

    assert problem(root, name=str(profile)) == (
        "rehearsal.toml: production: expected both to be a rehearsal, or neither: rehearsal.toml is one "
        "(it says so), production.toml is not"
    )


def test_quiet_hours(root: Path) -> None:
    """In UTC; over midnight, or all day; an empty list covers nothing."""
    at = datetime(2026, 11, 24, tzinfo=UTC)
    (root / "targets" / "mine.toml").write_text('quiet = { hours = ["22:30-05:00", "12:00-12:00"] }\n' + GOOD)
    night, always = read_target(root, "mine", ["staging"], {}).quiet.hours

    def hours(first: float, last: float) -> bool:
        return night.covers(at + timedelta(hours=first), at + timedelta(hours=last))

    assert all((hours(22.5, 24), hours(23, 29), hours(0, 5), hours(46.5, 53)))
    assert not any((hours(22.4, 23), hours(4, 5.1), hours(12, 13), hours(23, 48), hours(23, 72)))
    assert always.covers(at, at + timedelta(hours=10))
    (root / "targets" / "mine.toml").write_text(GOOD)
    assert read_target(root, "mine", ["staging"], {}).quiet.hours == ()


# ---------------------------------------------------------------- one table of mistakes

PEER = 'production = "production"\n'


@pytest.mark.parametrize("text, message", BAD.values(), ids=BAD)  # noqa: PT006 (one name for each)
def test_mistake_is_one_line(root: Path, text: str, message: str) -> None:
    """File, key, what was expected, what was seen; never a value that may be secret."""
    write(root, text)

    said = problem(root)

    assert said.startswith("mine.toml: ")
    assert said.endswith(message)
    assert "s3cret" not in said


MORE = "saw more than scheme, host, port and the path in front of the API's own"


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
        ("https://host/../path", MORE),
        ("https://host/a//b", MORE),
        ("https://host/a%20b", MORE),
        ("https://host?q=1", MORE),
        ("https://host#f", MORE),
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
    assert message.startswith(f"mine.toml: {key}: expected https://HOST[:PORT][/PREFIX], {said}")
    assert "s3cret" not in message


@pytest.mark.parametrize("url", ["https://api.example.com", "https://API.example.com:443/"])
def test_same_address_as_production(root: Path, url: str) -> None:
    """However it is written: the classic mistake of an export."""
    write(root, PEER + GOOD)

    assert problem(root, {"BASE_URL": url}) == (
        "target 'mine' and its peer 'production' have the same base_url https://api.example.com "
        "(from BASE_URL): one of them is wrong"
    )


def test_another_port_of_the_same_host(root: Path) -> None:
    """Both are shown: the one that is wrong may be the peer's."""
    write(root, PEER + GOOD)

    assert problem(root, {"BASE_URL": "https://api.example.com:8443"}) == (
        "mine.toml and production.toml: expected base_url at two hosts, saw https://api.example.com:8443 and "
        "https://api.example.com: only a rehearsal's targets may be two ports of one host"
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
