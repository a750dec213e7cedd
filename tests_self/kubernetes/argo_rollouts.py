"""The two kinds of Argo Rollouts that examples/ci/ has, as definitions for an API server.

Made from the types of the npm package @kubernetes-models/argo-rollouts (MIT), which are made from Argo's own
in Go, so that a key that no type has is refused. What Kubernetes itself defines there (pods, the spec of a
Job) is left open and tried as Kubernetes' own kinds; so is status, which no example has. The file anew:

    python -m tests_self.kubernetes.argo_rollouts
"""

import base64
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "@kubernetes-models/argo-rollouts@2.0.0"
SHA512 = "bKva0rPs0/kN7iWBmMTeNZytV7vCYHHr2/QhcBfOnp+y8daM5BJlHLd1yE+6JBkh5Z4k24QoQXbAMuZSbcwU1A=="
FILE = Path(__file__).with_name("argo_rollouts.json")
PLACE, END = "package/argoproj.io/v1alpha1/", ".d.ts"
KINDS = {"AnalysisTemplate": "analysistemplates", "Rollout": "rollouts"}
OURS = "IComGithubArgoprojArgoRolloutsPkgApisRolloutsV1alpha1"

Schema = dict[str, Any]
OPEN: Schema = {"x-kubernetes-preserve-unknown-fields": True}
WHOLE: Schema = {"type": "object"} | OPEN
PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "{}": OPEN,
    "IIoK8sApimachineryPkgApisMetaV1Time": {"type": "string"},
    "IIoK8sApimachineryPkgUtilIntstrIntOrString": {"x-kubernetes-int-or-string": True},
    "IIoK8sApimachineryPkgApisMetaV1ObjectMeta": {"type": "object"},  # the API server's own
    "IIoK8sApimachineryPkgApisMetaV1LabelSelector": WHOLE,
    "IIoK8sApiCoreV1PodTemplateSpec": WHOLE,
    "IIoK8sApiBatchV1JobSpec": WHOLE,
    f"{OURS}RolloutStatus": WHOLE,
}
FIELD = re.compile(
    r'^    "(?P<name>[^"]+)"(?P<optional>\??): (?P<type>\{\n.*?\n    \}|[^\n]*?);$', re.DOTALL | re.MULTILINE
)
MAP = re.compile(r"\{\s*\[key: string\]: (\w+);\s*\}")


def definitions(texts: dict[str, str]) -> list[Schema]:
    """A CustomResourceDefinition of each kind, by the text of each type."""
    return [_definition(kind, plural, _of(texts, kind)) for kind, plural in KINDS.items()]


def _definition(kind: str, plural: str, schema: Schema) -> Schema:
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.argoproj.io"},
        "spec": {
            "group": "argoproj.io",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _of(texts: dict[str, str], name: str) -> Schema:
    """The schema of one of Argo's types; a type that is not understood is an error."""
    text = texts[name]
    if alias := re.search(rf"^export type I{name} = ([^;]+);$", text, re.MULTILINE):
        return _type(texts, alias[1])
    found = re.search(rf"^export interface I{name} [^\n]*\{{\n(.*?)^\}}$", text, re.DOTALL | re.MULTILINE)
    assert found is not None, f"expected the type {name}, saw none"
    fields = list(FIELD.finditer(found[1]))
    schema: Schema = {"type": "object"}
    schema["properties"] = {field["name"]: _type(texts, field["type"]) for field in fields}
    if required := sorted(field["name"] for field in fields if not field["optional"]):
        schema["required"] = required
    return schema


def _type(texts: dict[str, str], words: str) -> Schema:
    if words in PLAIN:
        return PLAIN[words]
    if words.startswith('"'):
        return {"type": "string", "enum": re.findall(r'"([^"]+)"', words)}
    if words.startswith("Array<"):
        return {"type": "array", "items": _type(texts, words[len("Array<") : -1])}
    if found := MAP.fullmatch(words):
        return {"type": "object", "additionalProperties": _type(texts, found[1])}
    assert words.startswith(OURS), f"expected a type that is known here, saw {words}"
    return _of(texts, words.removeprefix(OURS))


def _texts() -> dict[str, str]:
    """What the package has, if it is the one that was looked at."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=name, check=True)
        (file,) = Path(name).iterdir()
        seen = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
        assert seen == SHA512, f"expected {PACKAGE} with SHA-512 {SHA512}, saw {seen}"
        with tarfile.open(file) as archive:
            members = [
                each for each in archive if each.name.startswith(PLACE) and each.name.endswith(".d.ts")
            ]
            read = {each.name: archive.extractfile(each) for each in members}
            return {
                Path(name).name.removesuffix(".d.ts"): content.read().decode()
                for name, content in read.items()
                if content is not None
            }


if __name__ == "__main__":
    FILE.write_text(json.dumps(definitions(_texts()), indent=1, sort_keys=True) + "\n")
