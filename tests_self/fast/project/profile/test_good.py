"""Profiles that are good: of which address and cluster they are, and what overrides them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests_self.building.profiles import CLUSTER, GOOD
from tests_self.fast.project.profile.reading import VALUES, problem, read, write

from noxgate.errors import UnreachableError
from noxgate.project.keys.evidence import DEFAULT_HEADERS
from noxgate.project.profile import read_target

PROJECT = Path(__file__).parents[4]


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
