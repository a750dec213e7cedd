"""A profile that names a rehearsal's world is a rehearsal; one of another world on loopback is not."""

import base64
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests_self.authority import Authority

from nox_rehearsal.parts import certificates
from nox_rehearsal.world import folder as worlds
from noxgate.project.profile import read_target
from noxgate.project.which import world
from noxgate.trust.keys import read_trust

if TYPE_CHECKING:
    from tests_self.conftest import Project

URL = "https://localhost:23456"
CA, CLUSTER, ADDRESS = (
    "ca_file is a rehearsal's authority",
    "its cluster is a rehearsal's",
    "a rehearsal that is up has its address",
)


@pytest.fixture(autouse=True)
def _no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the world here, and no kubeconfig of a person."""
    monkeypatch.setattr(world, "WORLDS", tmp_path / "worlds")
    monkeypatch.setenv("HOME", str(tmp_path))
    up = tmp_path / "worlds" / "noxgate-0-rehearsal.1234"
    up.mkdir(parents=True)
    (up / "rehearsal.toml").write_text(f'rehearsal = true\nbase_url = "{URL}"\n')
    (up / "rehearsal-production.toml").write_text("not TOML")


def why(tmp_path: Path, **document: Any) -> str:
    return world.rehearsed(tmp_path / "staging.toml", {"base_url": "https://staging.nox.io", **document}, {})


def test_its_name_and_place_are_the_rehearsals(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine looks for is what the rehearsal makes."""
    monkeypatch.undo()

    assert certificates.authority.__defaults__ == (world.AUTHORITY,)
    assert world.WORLDS == worlds.PARENT
    assert worlds.folder_of("test-main").name.startswith("noxgate-")


def test_who_named_its_cluster_is_said(tmp_path: Path) -> None:
    """A variable that somebody exported for a rehearsal and forgot."""
    kubeconfig = tmp_path / "kubeconfig"
    data = base64.b64encode(certificates.authority().certificate).decode()
    cluster = {"name": "c", "cluster": {"server": URL, "certificate-authority-data": data}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    kubeconfig.write_text(
        yaml.safe_dump({"clusters": [cluster], "contexts": [context], "current-context": "x"})
    )
    document = {"base_url": "https://staging.nox.io", "kubeconfig": str(kubeconfig)}

    said = [
        world.rehearsed(tmp_path / "staging.toml", document, environment)
        for environment in ({}, {"KUBECONFIG": str(kubeconfig)})
    ]
    assert said == [CLUSTER, f"{CLUSTER} ($KUBECONFIG names it)"]


def test_its_records_lie_with_the_evidence(project: "Project") -> None:
    """Not beside the profile, where they would be in the way of the target's next run."""
    trust = dataclasses.replace(read_trust(project.path, "staging"), rehearsal=True)
    reports = project.path / "reports"

    assert trust.chain(reports, "8.0.0").folder.is_relative_to(reports)
    own = dataclasses.replace(trust, rehearsal=False)
    assert own.chain(reports, "8.0.0").folder != trust.chain(reports, "8.0.0").folder


def test_by_its_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another name, and among others; all that OpenSSL is told to trust counts, too."""
    own = Authority(tmp_path)
    rehearsals = certificates.authority().certificate
    (tmp_path / "theirs.pem").write_bytes(rehearsals)
    (tmp_path / "bundle.pem").write_bytes(own.file.certificate.read_bytes() + rehearsals)

    assert why(tmp_path, ca_file="theirs.pem") == why(tmp_path, ca_file="bundle.pem") == CA
    assert why(tmp_path, ca_file=str(own.file.certificate)) == ""
    assert why(tmp_path, ca_file="none.pem") == ""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "theirs.pem"))
    assert world.rehearsed(tmp_path / "a.toml", {}).endswith("is a rehearsal's authority")


def kubeconfig(path: Path, **authorities: bytes) -> Path:
    """A context of each name, whose cluster has this authority; the first is the current one."""
    entries = {name: base64.b64encode(pem).decode() for name, pem in authorities.items()}
    content = {
        "clusters": [
            {"name": f"c-{name}", "cluster": {"server": "https://k", "certificate-authority-data": data}}
            for name, data in entries.items()
        ],
        "contexts": [{"name": name, "context": {"cluster": f"c-{name}"}} for name in entries],
        "current-context": next(iter(entries)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def test_by_its_cluster(tmp_path: Path) -> None:
    """That of the context that is named, or of the current one; also in a file that is taken by default."""
    own, theirs = Authority(tmp_path).file.certificate.read_bytes(), certificates.authority().certificate
    file = str(kubeconfig(tmp_path / "k", own=own, theirs=theirs))

    assert why(tmp_path, kubeconfig=file) == why(tmp_path, kubeconfig="k", context="own") == ""
    assert why(tmp_path, kubeconfig="k", context="theirs") == CLUSTER
    assert why(tmp_path) == ""
    kubeconfig(tmp_path / ".kube" / "config", theirs=theirs)
    assert why(tmp_path) == CLUSTER


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, ADDRESS),
        ("https://127.0.0.1:23456", ADDRESS),
        ("https://[::1]:23456", ADDRESS),
        ("https://127.0.0.2:23456/api", ADDRESS),
        ("https://localhost:23457", ""),
        ("https://localhost", ""),
        ("https://192.0.2.1:23456", ""),
        ("https://localhost:not-a-port", ""),
    ],
)
def test_by_its_address(url: str, expected: str, tmp_path: Path) -> None:
    """By any name of this machine; another port is another world."""
    assert why(tmp_path, base_url=url) == expected


def test_a_name_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As /etc/hosts may have it."""
    places = {"staging.test": "127.0.0.1", "away.test": "192.0.2.1"}

    def lookup(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (places[host], 0))]

    monkeypatch.setattr("socket.getaddrinfo", lookup)

    assert why(tmp_path, base_url="https://staging.test:23456") == ADDRESS
    assert why(tmp_path, base_url="https://away.test:23456") == ""


def _own(project: "Project", change: Callable[[str], str]) -> None:
    profile = project.path / "targets" / "staging.toml"
    profile.write_text(change(profile.read_text()))


def test_such_a_run_is_stamped_and_not_signed(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything of it: the verdict, the results, the records; the header says why."""
    monkeypatch.setenv("TEST_TOKEN", "tkn0123456789abcdefXYZ")
    _own(project, lambda text: text.replace("https://localhost:9", URL))

    result = project.gate()

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [f"a rehearsal, though staging.toml does not say so: {ADDRESS}", "GO (rehearsal)  staging, *"]
    )
    assert not any(line.startswith("not read, since") for line in result.outlines)
    results = project.results()
    assert results["target"]["rehearsal"] is True
    assert read_trust(project.path, "staging").rehearsal
    target = read_target(project.path, "staging", ["staging"])
    assert target.variables["TEST_TOKEN"] == "tkn0123456789abcdefXYZ"  # noqa: S105


def test_another_world_on_loopback_is_none(project: "Project") -> None:
    """As before: it may be a port that is forwarded."""
    result = project.gate()

    result.stdout.fnmatch_lines(["GO  staging, *"])
    assert project.results()["target"]["rehearsal"] is False
    assert not read_trust(project.path, "staging").rehearsal
