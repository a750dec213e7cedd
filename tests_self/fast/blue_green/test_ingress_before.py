"""The Ingress as it was saved: of tonight's folder only the files meant are read."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests_self.service import INGRESS, SERVICE

from noxgate.blue_green.switching import ingress_before
from noxgate.errors import UnreachableError
from noxgate.project.target import Target
from noxgate.systems.kubernetes.kubectl_yaml.objects import ManifestError

Json = dict[str, Any]


def ingress(service: str, namespace: str = "nox-production") -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": INGRESS, "namespace": namespace},
        "spec": {"defaultBackend": {"service": {"name": service, "port": {"number": 80}}}},
    }


def target(tmp_path: Path, *, source: bool = False) -> Target:
    """A profile with tonight's folder, and perhaps a repository."""
    (tmp_path / "night").mkdir()
    (tmp_path / "deploy" / "production").mkdir(parents=True)
    return Target(
        name="production",
        path=Path("production.toml"),
        serves=("live",),
        base_url="https://nox.example",
        plain_url="http://nox.example",
        namespace="nox-production",
        backups=tmp_path / "night",
        source=tmp_path if source else None,
        manifests="deploy/production" if source else None,
    )


def save(path: Path, *objects: Json, age: int = 0) -> None:
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    os.utime(path, (path.stat().st_atime - age, path.stat().st_mtime - age))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scan.json", '{"Results": []}'),
        ("notes.yaml", "who: Ada\n"),
        ("notes.yml", "- a list\n- of notes\n"),
        ("todo.json", "not json at all"),
        ("rollback_manifests.yaml.orig", "{"),
        ("rollback_manifests_of_staging.json", "{"),
    ],
)
def test_other_files_beside_tonights_are_not_read(tmp_path: Path, name: str, text: str) -> None:
    where = target(tmp_path)
    save(tmp_path / "night" / "rollback_manifests_1.yaml", ingress("blue"))
    (tmp_path / "night" / name).write_text(text)

    assert ingress_before(where, SERVICE)["spec"]["defaultBackend"]["service"]["name"] == "blue"


def test_the_newest_of_tonights_files_counts(tmp_path: Path) -> None:
    where = target(tmp_path)
    save(tmp_path / "night" / "rollback_manifests_1.yaml", ingress("newer"))
    save(tmp_path / "night" / "rollback_manifests_2.yaml", ingress("older"), age=60)

    assert ingress_before(where, SERVICE)["spec"]["defaultBackend"]["service"]["name"] == "newer"


def test_another_namespaces_ingress_is_another(tmp_path: Path) -> None:
    where = target(tmp_path)
    save(tmp_path / "night" / "rollback_manifests_1.yaml", ingress("other", "nox-staging"), ingress("blue"))

    assert ingress_before(where, SERVICE)["spec"]["defaultBackend"]["service"]["name"] == "blue"


def test_a_file_of_tonight_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    where = target(tmp_path)
    (tmp_path / "night" / "rollback_manifests_1.yaml").write_text("kind: [")

    with pytest.raises(ManifestError, match="rollback_manifests_1"):
        ingress_before(where, SERVICE)


def test_else_as_the_repository_ships_it(tmp_path: Path) -> None:
    """Of its folders, the files that name the Ingress: the others are left out."""
    where = target(tmp_path, source=True)
    folder = tmp_path / "deploy" / "production"
    (folder / "values.yaml").write_text("image: {{ .Values.image }}\n")
    (folder / "ingress.yaml").write_text(json.dumps(ingress("blue")))

    assert ingress_before(where, SERVICE)["spec"]["defaultBackend"]["service"]["name"] == "blue"


def test_nothing_says_how_it_was(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="nothing says which paths the Ingress had"):
        ingress_before(target(tmp_path), SERVICE)
