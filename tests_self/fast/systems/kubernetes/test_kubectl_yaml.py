"""Texts as kubectl reads them: of each it was recorded what kubectl 1.33.1 made of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from noxgate.systems.kubernetes.kubectl_yaml.objects import ManifestError
from noxgate.systems.kubernetes.manifests import read_file

RECORDED = Path(__file__).parents[3] / "kubernetes" / "kubectl_reads.json"
CASES = json.loads(RECORDED.read_text())["texts"]
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def read(folder: Path, text: str | bytes, name: str = "a.yaml") -> list[Any] | str:
    """The objects as kubectl would print them, or why they are refused."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        return [document.content for document in read_file(file)]
    except ManifestError as error:
        return str(error)


@pytest.mark.parametrize("case", CASES, ids=[f"{number} {case['name']}" for number, case in enumerate(CASES)])
def test_text_is_read_as_kubectl_reads_it(case: dict[str, Any], tmp_path: Path) -> None:
    """True is not 1, and 1 not 1.0: they are compared as the JSON that is sent."""
    found = read(tmp_path, case["text"], case["file"])

    if "refused" in case:
        assert isinstance(found, str)
        assert found.startswith(case["file"])
        assert "\n" not in found
    else:
        assert json.dumps(found, sort_keys=True) == json.dumps(case["documents"], sort_keys=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{MANIFEST}data:\n  a: x\n  b: y\n  a: z\n", "line 7: the key 'a' stands twice"),
        (f"---\n# one\n---\n{MANIFEST}x: {{a: {{b: 1, b: 2}}}}\n", "line 7: the key 'b' stands twice"),
        (f"{MANIFEST}x: {{1: a, '1': b}}\n", "line 4: the key '1' stands twice"),
        (
            '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "x": 1, "x": 2}',
            "the key 'x' stands twice",
        ),
        (f"{MANIFEST}x: ".encode() + b"\xe9\n", "line 4: expected UTF-8 text"),
    ],
)
def test_what_kubectl_reads_otherwise_is_said(text: str | bytes, said: str, tmp_path: Path) -> None:
    """Kubectl accepts it without an error, and seldom was it meant."""
    file = tmp_path / "a.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    (document,) = read_file(file)

    assert [each for each in document.said if said in each] == list(document.said)
    assert len(document.said) == 1


def test_merge_that_is_overridden_is_no_key_that_stands_twice(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{MANIFEST}b: &b {{p: 1}}\nx: {{<<: *b, p: 2}}\n")

    assert read_file(file)[0].said == ()


def test_utf_16_is_read(tmp_path: Path) -> None:
    """As some editors on Windows write it, with its mark."""
    assert read(tmp_path, MANIFEST.encode("utf-16")) == read(tmp_path, MANIFEST)


def test_line_is_that_of_the_file(tmp_path: Path) -> None:
    wrong = read(tmp_path, f"{MANIFEST}---\n{MANIFEST}x: [\n")
    braces = read(
        tmp_path, '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}\n---\na: *b\n'
    )

    assert wrong == "a.yaml line 9: expected the node content, but found '<stream end>'"
    assert braces == "a.yaml line 3: expected an anchor &b before *b, saw none"


def test_label_that_is_a_number_says_what_to_do(tmp_path: Path) -> None:
    found = read(tmp_path, "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {commit: 81111e1}}\n")

    assert found == (
        "a.yaml document 1 (line 1): expected metadata.labels.commit of Service as text, "
        "saw 811110, which is not text without quotes"
    )
