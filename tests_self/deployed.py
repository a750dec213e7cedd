"""What deploy/ says: its kustomizations rendered, by kubectl where it is new enough, and by ourselves."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tests_self.kubernetes.servers import kubectl_path

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
OVERLAYS = ("staging", "production", "window", "load")
CLUSTER_WIDE = ("Namespace", "ClusterRole", "ClusterRoleBinding")
Object = dict[str, Any]


def by_kubectl(folder: Path) -> list[Object] | None:
    """As `kubectl apply -k` would send it. None if kubectl is missing or too old."""
    program = kubectl_path()
    if program is None:
        return None
    done = subprocess.run([program, "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def rendered(folder: Path) -> list[Object]:
    """The same by ourselves: as much of kustomize as deploy/ uses, and an error for anything else."""
    document = yaml.safe_load((folder / "kustomization.yaml").read_text())
    options = document.pop("generatorOptions", {"disableNameSuffixHash": True})
    assert options == {"disableNameSuffixHash": True}
    found: list[Object] = []
    for name in document.pop("resources", ()):
        path = (folder / name).resolve()
        if path.is_dir():
            found += rendered(path)
        else:
            assert path.is_relative_to(folder.resolve()), f"kustomize reads no single file elsewhere: {path}"
            found += [each for each in yaml.safe_load_all(path.read_text()) if each]
    found += [_config_map(folder, each) for each in document.pop("configMapGenerator", ())]
    for patch in document.pop("patches", ()):
        found = list(_patched(found, patch["target"], yaml.safe_load(patch["patch"])))
    if namespace := document.pop("namespace", ""):
        for each in found:
            if each["kind"] not in CLUSTER_WIDE:
                each["metadata"]["namespace"] = namespace
    for image in document.pop("images", ()):
        for container in (one for each in found for one in containers(each)):
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    assert document == {}, f"{folder}: unknown to this renderer: {', '.join(document)}"
    return found


def pod_of(obj: Object) -> Object | None:
    """The template of the pods that an object makes."""
    spec = obj.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    template: Object | None = spec.get("template") if isinstance(spec, dict) else None
    return template


def containers(obj: Object) -> Iterator[Object]:
    """Those of the pods that an object makes, the first ones first."""
    template = pod_of(obj)
    if template:
        yield from template["spec"].get("initContainers", ())
        yield from template["spec"]["containers"]


def _config_map(folder: Path, said: Object) -> Object:
    data = {name: (folder / name).read_text() for name in said.get("files", ())}
    for name in said.get("envs", ()):
        lines = (folder / name).read_text().splitlines()
        data |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": said["name"]}, "data": data}


def _patched(found: list[Object], target: Object, patch: Any) -> Iterator[Object]:
    for each in found:
        if (each["kind"], each["metadata"]["name"]) != (target["kind"], target["name"]):
            yield each
        elif isinstance(patch, list):
            for step in patch:
                *way, last = step["path"].strip("/").split("/")
                place = each
                for part in way:
                    place = place[part]
                assert step["op"] == "add" or last in place
                place[last] = step["value"]
            yield each
        else:
            assert patch["$patch"] == "delete"
