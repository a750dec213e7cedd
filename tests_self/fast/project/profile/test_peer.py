"""The profile of the other environment, which some checks compare with."""

from pathlib import Path

import pytest
from tests_self.building.profiles import GOOD
from tests_self.fast.project.profile.reading import PEER, PHASES, VALUES, problem, read, write

from noxgate.errors import UnreachableError
from noxgate.project.profile import read_peer

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


def test_peer_must_be_in_order(root: Path) -> None:
    """Its own file is named."""
    write(root, PEER + GOOD)
    write(root, "", "production")

    assert problem(root) == "production.toml: missing serves, base_url, namespace, credentials, oauth"
