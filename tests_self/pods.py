"""Pods as processes: their own arguments, environment, user, volumes and token, on a root that is read-only.

Linux's own mounts and users do it, of which containers are made. What is left to a cluster: network policies,
cgroups, seccomp, and the image's other layers (/usr is this machine's).
"""

import base64
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from tests_self.deployed import DEPLOY, Object, containers, pod_of

FROM_THE_CLUSTER = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN, OTHER_TOKEN = "token", "noxgate-dry-run"  # folders: of a pod's own account, and of the Secret
SECONDS = 900
OF_PODS = {  # keys of a profile, as the pods of deploy/ have it
    "kubeconfig": "/etc/noxgate/kubeconfig",
    "context": "release-gate",
    "dry_run_context": "release-gate-dry-run",
    "source": "/nox",
}


@cache
def possible() -> bool:
    """Whether this user may mount and change users here, as a container runtime does."""
    script = "mount -t tmpfs none /mnt && /usr/bin/setpriv --reuid 65532 --regid 65532 --clear-groups true"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, check=False)
    return os.geteuid() == 0 and done.returncode == 0


def image_environment() -> dict[str, str]:
    """What the Dockerfile's last stage sets."""
    text = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    found: dict[str, str] = {}
    for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE):
        found |= dict(word.split("=", 1) for word in shlex.split(line))
    return found


Meanwhile = Callable[["subprocess.Popen[bytes]"], None]


@dataclass(frozen=True)
class Ended:
    """How a container ended."""

    status: int
    output: str


@dataclass(frozen=True)
class Node:
    """A machine of the cluster: it has the image, and keeps volumes and tokens in a folder."""

    cluster: httpx.Client  # as an administrator
    authority: Path
    image: Path  # what /gate is in the image
    folder: Path
    also: Sequence[Path] = ()  # of this machine, at the same place: what a rehearsal's target is
    instead: Mapping[str, str] = field(default_factory=dict)  # of addresses that this machine has not

    def run(self, kind: str, name: str, namespace: str, meanwhile: Meanwhile = lambda _: None) -> Ended:
        """Run the pod of a Job or CronJob to its end; the first container that fails ends it."""
        ended = Ended(0, "")
        for process in self.containers(kind, name, namespace):
            meanwhile(process)
            output, _ = process.communicate(timeout=SECONDS)
            ended = Ended(process.returncode, ended.output + output.decode(errors="replace"))
            if ended.status:
                break
        return ended

    def containers(self, kind: str, name: str, namespace: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Start the containers of its pod, each when the next is asked for, as the cluster has them."""
        pod = pod_of(self._get(f"/apis/batch/v1/namespaces/{namespace}/{kind.lower()}s/{name}"))
        assert pod is not None
        spec = pod["spec"]
        pods = self.folder / "pods"
        pods.mkdir(exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=pods))  # each pod has its own, and empty
        place.chmod(0o755)
        volumes = {each["name"]: self._volume(place, namespace, each) for each in spec["volumes"]}
        if spec["automountServiceAccountToken"]:
            volumes["token"] = self.write_token(TOKEN, spec["serviceAccountName"], namespace)
        for container in containers({"spec": {"template": pod}}):
            yield self._start(spec, container, volumes, namespace)

    def write_token(self, place: str, account: str, namespace: str) -> Path:
        """What the kubelet writes into a pod, and later writes anew: a file that is another one at once."""
        folder = self.folder / place
        folder.mkdir(exist_ok=True)
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        answer = self.cluster.post(path, json={})
        assert answer.status_code == 201, answer.text
        new = folder / "..new"
        new.write_text(answer.json()["status"]["token"])
        new.replace(folder / "token")
        shutil.copy(self.authority, folder / "ca.crt")
        (folder / "ca.crt").chmod(0o644)
        return folder

    def _get(self, path: str) -> Any:
        answer = self.cluster.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _volume(self, pod: Path, namespace: str, said: Object) -> Path:
        core = f"/api/v1/namespaces/{namespace}"
        claim = said.get("persistentVolumeClaim")
        folder: Path = self.folder / claim["claimName"] if claim else pod / said["name"]
        if "secret" in said:  # of all pods, as its token may change while they run
            folder = self.folder / said["secret"]["secretName"]
        folder.mkdir(parents=True, exist_ok=True)
        if "configMap" in said:
            for key, text in self._get(f"{core}/configmaps/{said['configMap']['name']}")["data"].items():
                (folder / key).write_text(text)
                (folder / key).chmod(0o644)
        elif "secret" in said:
            secret = self._get(f"{core}/secrets/{said['secret']['secretName']}")
            for key, value in secret.get("data", {}).items():
                path = folder / key
                path.write_bytes(base64.b64decode(value))
                path.chmod(said["secret"]["defaultMode"])
                os.chown(path, 0, 65532)  # fsGroup
        else:
            folder.chmod(0o2770)
            os.chown(folder, 0, 65532)
        return folder

    def _environment(self, container: Object, namespace: str) -> dict[str, str]:
        core = f"/api/v1/namespaces/{namespace}"
        found = image_environment()
        for source in container.get("envFrom", ()):
            if "configMapRef" in source:
                found |= self._get(f"{core}/configmaps/{source['configMapRef']['name']}")["data"]
            else:
                data = self._get(f"{core}/secrets/{source['secretRef']['name']}").get("data", {})
                found |= {key: base64.b64decode(value).decode() for key, value in data.items()}
        for variable in container.get("env", ()):
            at = variable["valueFrom"]["secretKeyRef"]
            data = self._get(f"{core}/secrets/{at['name']}")["data"]
            found[variable["name"]] = base64.b64decode(data[at["key"]]).decode()
        return found

    def _start(
        self, spec: Object, container: Object, volumes: Mapping[str, Path], namespace: str
    ) -> "subprocess.Popen[bytes]":
        environment = self._environment(container, namespace)
        command = [
            self.instead.get(word)
            or re.sub(r"\$\((\w+)\)", lambda found: environment.get(found[1], found[0]), word)
            for word in container["command"]
        ]
        user = spec["securityContext"]
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        script = "\n".join(
            [
                "set -e",
                *_root(root, self.image),
                *_mounts(root, container, volumes),
                *(_bind(path, root, str(path)) for path in self.also),
                f"mount -o remount,ro {root}",
                shlex.join(_started(root, user, container["workingDir"], command)),
            ]
        )
        return subprocess.Popen(
            ["/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh", "-c", script],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def _started(root: Path, user: Object, folder: str, command: Sequence[str]) -> list[str]:
    """The container's process, as its user, without a right of root's."""
    ids = [
        "--reuid",
        str(user["runAsUser"]),
        "--regid",
        str(user["runAsGroup"]),
        "--groups",
        str(user["fsGroup"]),
    ]
    none = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    enter = ["exec", "/usr/sbin/chroot", str(root), "/usr/bin/setpriv", *ids, *none]
    return [*enter, "/usr/bin/env", "-C", folder, *command]


def _root(root: Path, image: Path) -> Iterator[str]:
    yield f"mount -t tmpfs -o mode=755 none {root}"
    yield f"mkdir -p {root}/usr {root}/proc {root}/dev {root}/gate {root}/run {root}/var"
    yield f"for name in bin lib lib64 sbin; do ln -s usr/$name {root}/$name; done; ln -s /run {root}/var/run"
    yield f"cp -a /etc {root}/etc"
    yield f"echo 'noxgate:x:65532:65532::/tmp:/usr/sbin/nologin' >> {root}/etc/passwd"
    yield _bind(Path("/usr"), root, "/usr", is_read_only=True)
    yield f"mount --rbind /dev {root}/dev; mount -t proc proc {root}/proc"
    yield _bind(image, root, "/gate", is_read_only=True)


def _mounts(root: Path, container: Object, volumes: Mapping[str, Path]) -> Iterator[str]:
    for mount in container.get("volumeMounts", ()):
        source = volumes[mount["name"]]
        source = source / mount["subPath"] if "subPath" in mount else source
        yield _bind(source, root, mount["mountPath"], is_read_only=mount.get("readOnly", False))
    if "token" in volumes:
        yield _bind(volumes["token"], root, FROM_THE_CLUSTER, is_read_only=True)


def _bind(source: Path, root: Path, place: str, *, is_read_only: bool = False) -> str:
    there = f"{root}{place.replace('/var/run', '/run')}"
    made = f"[ -e {there} ] || mkdir -p {there}; mount --bind {source} {there}"
    return f"{made}; mount -o remount,bind,ro {there}" if is_read_only else made


def rehearsals_place(world: Path, folder: Path) -> None:
    """What a rehearsal's profiles name, as a user of a pod may read it, and as pods name the rest."""
    folder.mkdir()
    for name in (
        "*.pem",
        "*.pub",
        "*.env",
        "*.toml",
        "scan.json",
        "source.git",
        "image",
        "backups",
        "records",
    ):
        for path in world.glob(name):
            if path.is_dir():
                shutil.copytree(path, folder / path.name, symlinks=True)
            else:
                shutil.copy(path, folder / path.name)
    for profile in folder.glob("rehearsal*.toml"):
        text = profile.read_text()
        text = re.sub(r"^load_results = .*\n", "", text, flags=re.MULTILINE)
        text = re.sub(
            r"^kubeconfig = .*$", 'kubeconfig = "/etc/noxgate/kubeconfig"', text, flags=re.MULTILINE
        )
        text = re.sub(r"^context = .*$", 'context = "release-gate"', text, flags=re.MULTILINE)
        text = re.sub(
            r"^dry_run_context = .*$", 'dry_run_context = "release-gate-dry-run"', text, flags=re.MULTILINE
        )
        text = re.sub(r"^source = .*$", 'source = "/nox"', text, flags=re.MULTILINE)
        profile.write_text(text.replace(f"{world}/", f"{folder}/"))
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65532, 65532, follow_symlinks=False)


def build(checkout: Path, folder: Path) -> Path:
    """Run the Dockerfile's steps, but for Debian's packages, on this machine's /usr; what is /gate then."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    stage = text.partition(" AS built\n")[2].partition("\nFROM ")[0]
    image, root, git = (folder / name for name in ("gate", "build-root", "checkout"))
    for path in (image, root, git):
        path.mkdir()
    steps: list[str] = []
    place = "/"
    for line in filter(None, stage.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "WORKDIR":
            place = rest
        elif word == "COPY":
            assert rest == ".git /checkout/.git"
            shutil.copytree(checkout / ".git", git / ".git")
        else:
            assert word == "RUN", line
            steps.append(f"cd {place}; {rest}" if "apt-get" not in rest else ":  # the machine has them")
    script = [
        *_root(root, image),
        f"mount -o remount,bind,rw {root}/gate; chmod 1777 {root}; mkdir -m 1777 {root}/tmp",  # noqa: S108 (its own)
        *(_bind(path, root, str(path)) for path in (Path.home(),)),
        _bind(git, root, "/checkout"),
        f"exec /usr/sbin/chroot {root} /bin/sh -ec {shlex.quote(chr(10).join(steps))}",
    ]
    ours = ("GIT_", "VIRTUAL_ENV", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        ["/usr/bin/unshare", "-m", "--propagation", "private", "/bin/sh", "-ec", "\n".join(script)],
        env=kept | {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return image
