"""Manifests: read as kubectl reads them, and each mistake is one line that says where."""

import json
from pathlib import Path

import pytest
from tests_self.building.manifests import SERVICE

from noxgate.systems.kubernetes.kubectl_yaml.objects import ManifestError
from noxgate.systems.kubernetes.manifests import read_manifests, read_otherwise


def write(folder: Path, **files: str) -> Path:
    """`a_yaml` is a.yaml."""
    for name, text in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return [document.name for document in read_manifests(folder)]


def problem(folder: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        read_manifests(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_and_documents_in_order(tmp_path: Path) -> None:
    """By file name, then as they stand there; other files and folders below are left out."""
    two = SERVICE.format(name="b1") + "---\n" + SERVICE.format(name="b2")
    write(tmp_path, b_yaml=two, a_yml=SERVICE.format(name="a"), README_md="no: [yaml", d_yaml="# nothing\n")
    write(tmp_path, c_json='{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}')
    (tmp_path / "below.yaml").mkdir()
    write(tmp_path / "below.yaml", x_yaml=SERVICE.format(name="x"))

    assert names(tmp_path) == ["a", "b1", "b2", "c"]
    assert str(read_manifests(tmp_path)[2]) == "b.yaml document 2: Service b2"


def test_nothing_to_read(tmp_path: Path) -> None:
    """An empty folder is for the caller to judge; no folder is an error."""
    assert read_manifests(tmp_path) == ()
    assert problem(tmp_path / "none").startswith("expected a folder of manifests, saw none: ")


def test_documents_that_are_empty(tmp_path: Path) -> None:
    """Between two lines of --- stands often nothing, or a comment."""
    write(tmp_path, a_yaml=f"---\n---\n# licence\n---\n{SERVICE.format(name='a')}---\n")

    assert names(tmp_path) == ["a"]


def test_lists_are_unfolded(tmp_path: Path) -> None:
    """The kind of all may stand above them."""
    one, other = ({"metadata": {"name": name, "namespace": "n"}} for name in "ab")
    kind = {"apiVersion": "v1", "kind": "Service"}
    write(
        tmp_path, a_json=json.dumps({"apiVersion": "v1", "kind": "ServiceList", "items": [one, kind | other]})
    )

    documents = read_manifests(tmp_path)
    assert [(each.number, each.kind, each.name, each.namespace) for each in documents] == [
        (1, "Service", "a", "n"),
        (1, "Service", "b", "n"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-08-15", "2025-08-15"),
        ("12:30", "12:30"),
        ("190:20:30.15", "190:20:30.15"),
        ("=", "="),
        ("v1.2", "v1.2"),
        ("1.2.3", "1.2.3"),
        ("8080", 8080),
        ("-1", -1),
        ("0644", 0o644),
        ("0x1f", 31),
        ("0.5", 0.5),
        ("100m", "100m"),
        ("yes", True),
        ("y", True),
        ("~", None),
        ('"8080"', "8080"),
    ],
)
def test_values_as_kubectl_has_them(text: str, value: object, tmp_path: Path) -> None:
    """YAML of Python's reader has dates, and numbers to the base of sixty."""
    write(tmp_path, a_yaml=f"{SERVICE.format(name='a')}data: {{key: {text}}}\n")

    (document,) = read_manifests(tmp_path)
    found = document.content["data"]["key"]
    assert (type(found), found) == (type(value), value)


def test_anchors(tmp_path: Path) -> None:
    """A key that is merged in may be set again."""
    write(tmp_path, a_yaml=f"{SERVICE.format(name='a')}one: &one {{k: 1, l: 2}}\ntwo: {{<<: *one, k: 3}}\n")

    assert read_manifests(tmp_path)[0].content["two"] == {"k": 3, "l": 2}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a_yaml", "a: [", "a.yaml line 2: expected the node content, but found '<stream end>'"),
        ("a_yaml", "a: b: c", "a.yaml line 1: mapping values are not allowed here"),
        ("a_yaml", "a: *b", "a.yaml line 1: expected an anchor &b before *b, saw none"),
        ("a_yaml", "\ta: 1", "a.yaml line 1: found character '\\t' that cannot start any token"),
        ("a_yaml", "a: \x07", "a.yaml: unacceptable character #x0007"),
        ("a_yaml", "[" * 3000 + "]" * 3000, "a.yaml: expected lists and mappings in sensible depth"),
        ("a_json", '{"a": ', "a.json line 1: Expecting value: column 7"),
        ("a_json", "[1]", "a.json document 1 (line 1): expected an object with a kind, saw list"),
        ("a_yaml", "text", "a.yaml document 1 (line 1): expected an object with a kind, saw str"),
        ("a_yaml", "a: 1\n---\nb: 1\nc: 1", "a.yaml document 1 (line 1): expected an object with a kind"),
        (
            "a_yaml",
            f"{SERVICE.format(name='a')}---\n\nb: 1\nc: 1",
            "a.yaml document 2 (line 7): expected an object with a kind, saw the keys b, c",
        ),
        ("a_yaml", "kind: 1", "expected an object with a kind, saw the keys kind"),
        ("a_yaml", "kind: Service\napiVersion: 1", "expected apiVersion of Service as text, saw 1"),
        ("a_yaml", "kind: Service\nmetadata: []", "expected metadata of Service as a mapping, saw list"),
        ("a_yaml", SERVICE.format(name="1"), "expected metadata.name of Service as text, saw 1"),
        (
            "a_yaml",
            SERVICE.format(name="a") + "  namespace: 5",
            "expected metadata.namespace of Service as text, saw 5",
        ),
        ("a_yaml", "kind: List\nitems: {a: 1}", "expected a list of items in List, saw the keys a"),
        ("a_yaml", "kind: List\nitems: [1]", "expected an object with a kind, saw int"),
    ],
)
def test_mistake_is_one_line(name: str, text: str, said: str, tmp_path: Path) -> None:
    """The file, and the line or the document in it."""
    found = problem(write(tmp_path, **{name: text}))

    assert found.startswith(name.replace("_", "."))
    assert said in found


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Not passed over: kubectl would stop there."""
    path = tmp_path / "a.yaml"
    path.symlink_to("none")
    assert problem(tmp_path) == "a.yaml: cannot be read: No such file or directory"


def test_what_kubectl_reads_otherwise_is_shown_once(tmp_path: Path) -> None:
    write(tmp_path, a_yaml=f"{SERVICE.format(name='a')}x: 1\nx: 2\n---\n{SERVICE.format(name='b')}")

    assert read_otherwise(read_manifests(tmp_path)) == [
        "a.yaml line 6: the key 'x' stands twice: kubectl takes the last"
    ]


def test_objects_without_a_name_are_read(tmp_path: Path) -> None:
    """As kubectl reads them; applying one of them is refused."""
    write(tmp_path, a_yaml="kind: Service\n", b_yaml=SERVICE.format(name="a").replace("name", "generateName"))

    assert [(each.kind, each.name) for each in read_manifests(tmp_path)] == [("Service", ""), ("Service", "")]


@pytest.mark.parametrize(
    "name", ["kustomization.yaml", "kustomization.yml", "Kustomization", "10-kustomization.yaml"]
)
def test_kustomize_is_named(name: str, tmp_path: Path) -> None:
    """By its file, and by its kind under another name; the line says what builds the manifests."""
    kind = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n"
    (tmp_path / name).write_text(kind)
    write(tmp_path, a_yaml=SERVICE.format(name="a"))

    assert f"{name} is kustomize's, and no manifest" in problem(tmp_path)
    assert f"`kubectl kustomize {tmp_path.name}`" in problem(tmp_path)


def test_helm_is_named(tmp_path: Path) -> None:
    """A chart, its templates, a template elsewhere, and values."""
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    write(chart, Chart_yaml="apiVersion: v2\nname: nox\nversion: 1.0.0\n")
    assert "`helm template NAME chart`" in problem(chart)
    assert "`helm template NAME chart`" in problem(chart / "templates")

    write(tmp_path, a_yaml=SERVICE.format(name="{{ .Release.Name }}"))
    assert "is it a template?" in problem(tmp_path)

    write(tmp_path, a_yaml=SERVICE.format(name="a"), **{"values-staging_yaml": "replicas: 3\n"})
    assert "are these a Helm chart's values?" in problem(tmp_path)
