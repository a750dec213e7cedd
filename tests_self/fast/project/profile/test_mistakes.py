"""A mistake in a profile is one line, which says what was expected and shows no secret."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.profiles import BAD, GOOD, KEYS

if TYPE_CHECKING:
    from tests_self.conftest import Project
from tests_self.fast.project.profile.reading import PEER, problem, read, write

LONG = "a" * 300


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mien", "no target 'mien' (targets: mine, production); did you mean 'mine'?"),
        ("zzz", "no target 'zzz' (targets: mine, production)"),
        ("../mine", "no target '../mine' (targets: mine, production); did you mean 'mine'?"),
        ("~/mine.toml", "~/mine.toml: no such file: expected the path of a profile, or its name in targets/"),
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
