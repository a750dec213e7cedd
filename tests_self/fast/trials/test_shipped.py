"""Manifests that a command makes: with the real kustomize of kubectl, and commands that go wrong."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation
from noxgate.machine.doctor import program
from noxgate.systems.kubernetes.kubectl_yaml.objects import ManifestError
from noxgate.systems.kubernetes.manifests import Document
from noxgate.trials.shipped import read, shipped

if TYPE_CHECKING:
    from tests_self.loopback import Loopback

BASE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n"
SCRIPT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{seen: '{}'}}\n"
OVERLAY = "resources: [../base]\nnamePrefix: nox-\nnamespace: nox-staging\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkout with a base, and an overlay for staging."""
    for name, text in {
        "base/map.yaml": BASE,
        "base/kustomization.yaml": "resources: [map.yaml]\n",
        "staging/kustomization.yaml": OVERLAY,
    }.items():
        file = tmp_path / "k8s" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def made(loopback: "Loopback", source: Path, *command: str) -> tuple[tuple[Document, ...], list[Observation]]:
    """What a target has that names this command."""
    observed: list[Observation] = []
    target = replace(loopback.target(9), source=source, manifests="k8s/staging", render=command)
    return shipped(target, read, observed.append), observed


def test_kustomize(loopback: "Loopback", source: Path) -> None:
    """With its digest, and the command to make it again."""
    (document,), (observation,) = made(loopback, source, str(program("kubectl")), "kustomize", "k8s/staging")

    assert (document.kind, document.name, document.namespace) == ("ConfigMap", "nox-settings", "nox-staging")
    assert document.content["data"] == {"colour": "blue"}
    assert "1 documents that `" in observation.seen
    assert "kustomize k8s/staging` makes of k8s/staging: sha256 " in observation.seen
    assert observation.repeat.startswith(f"(cd {source} && ")


def test_digest_is_of_what_it_wrote(loopback: "Loopback", source: Path) -> None:
    _, (observation,) = made(loopback, source, "cat", "k8s/base/map.yaml")

    assert observation.seen.endswith(f"sha256 {hashlib.sha256(BASE.encode()).hexdigest()}")


def test_without_a_command_the_overlay_is_no_manifest(loopback: "Loopback", source: Path) -> None:
    with pytest.raises(ManifestError, match=r"kustomize's, and no manifest: .* or by `render`"):
        made(loopback, source)


def test_what_it_is_not_told(loopback: "Loopback", source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a credential nor the key that signs."""
    for name in ("TEST_TOKEN", "NOXGATE_SIGNING_KEY", "PRODUCTION_DATABASE_URL"):
        monkeypatch.setenv(name, "told")
    shown = SCRIPT.format("$TEST_TOKEN$NOXGATE_SIGNING_KEY$PRODUCTION_DATABASE_URL")
    (document,), _ = made(loopback, source, "sh", "-c", f'echo "{shown}"')

    assert document.content["data"] == {"seen": ""}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("sh", "-c", "echo bad chart >&2; exit 3"), "ended with exit status 3: bad chart"),
        (("sh", "-c", "exit 1"), "ended with exit status 1: it said nothing"),
        (("echo", "no: manifest"), "echo document 1 "),
        (("sh", "-c", "kill -9 $$"), "ended with exit status -9"),
    ],
)
def test_what_it_makes_is_wrong(
    loopback: "Loopback", source: Path, command: tuple[str, ...], said: str
) -> None:
    """That is the release's: the same would go wrong on the night."""
    with pytest.raises(ManifestError) as caught:
        made(loopback, source, *command)
    assert said in str(caught.value)


def test_program_that_is_not_here(loopback: "Loopback", source: Path) -> None:
    with pytest.raises(UnreachableError, match=r"render: no-such-program: .*: install it, or put"):
        made(loopback, source, "no-such-program", "template")


def test_command_without_end(loopback: "Loopback", source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noxgate.trials.shipped.SECONDS", 0.3)
    with pytest.raises(UnreachableError, match=r"render: sleep: no end in 0\.3 s"):
        made(loopback, source, "sleep", "60")


def test_nothing_is_nothing(loopback: "Loopback", source: Path) -> None:
    """The checks say what they lack."""
    documents, (observation,) = made(loopback, source, "true")
    assert documents == ()
    assert observation.seen.startswith("0 documents that `true` makes")
