"""The API servers that the contract is replayed on: the stand-in, and a real one where there is one."""

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from nox_rehearsal.parts.certificates import authority, issue
from nox_rehearsal.world.ports import reserved
from noxgate.look.waiting import eventually

TOKENS = {
    "admin": "token-of-the-admin",
    "reader": "token-of-the-reader",
    "unknown token": "token-of-nobody",
}
STARTING = 60.0


@dataclass(frozen=True)
class Server:
    """A running API server and how to talk to it."""

    url: str
    ca: Path
    folder: Path
    pid: int
    pods: dict[str, Any] = field(default_factory=dict)

    def client(self, user: str = "admin") -> httpx.Client:
        """A client with the token of `admin`, of `reader`, or without one."""
        headers = {"authorization": f"Bearer {TOKENS[user]}"} if user in TOKENS else {}
        context = ssl.create_default_context(cafile=str(self.ca))
        return httpx.Client(base_url=self.url, headers=headers, verify=context, timeout=20)

    def put_pod(self, name: str, **place: Any) -> None:
        """Say where a pod (`namespace/name`) really is."""
        path = self.folder / "settings.json"
        settings = json.loads(path.read_text())
        settings["pods"][name] = place
        new = path.with_suffix(".new")
        new.write_text(json.dumps(settings))
        new.replace(path)

    def kubeconfig(self, user: str = "admin") -> Path:
        """A kubeconfig for one of the users."""
        path = self.folder / f"kubeconfig-{user}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "rehearsal",
            "clusters": [
                {
                    "name": "rehearsal",
                    "cluster": {"server": self.url, "certificate-authority": str(self.ca)},
                }
            ],
            "users": [{"name": user, "user": {"token": TOKENS[user]}}],
            "contexts": [{"name": "rehearsal", "context": {"cluster": "rehearsal", "user": user}}],
        }
        path.write_text(json.dumps(config))
        return path


@contextmanager
def stand_in(folder: Path, *, controllers: bool = False) -> Iterator[Server]:
    """The stand-in, in a process of its own; with or without what tidies up after deletions."""
    with reserved(1) as (port,):
        ca = authority()
        ca.write(folder / "ca.pem", folder / "ca.key")
        issue(ca).write(folder / "tls.pem", folder / "tls.key")
        settings = {
            "port": port,
            "certificate": "tls.pem",
            "key": "tls.key",
            "tokens": {
                TOKENS["admin"]: {"user": "admin", "groups": ["system:masters"]},
                TOKENS["reader"]: {"user": "release-gate"},
            },
            "pods": {},
            "controllers": controllers,
        }
        path = folder / "settings.json"
        path.write_text(json.dumps(settings))
        command = [sys.executable, "-m", "kube_standin", str(path)]
        with _running(command, folder, "stand-in") as pid:
            server = Server(f"https://127.0.0.1:{port}", folder / "ca.pem", folder, pid)
            _wait_until_ready(server, folder / "stand-in.log")
            yield server


@contextmanager
def real(folder: Path) -> Iterator[Server]:
    """A real etcd and kube-apiserver from the folder that KUBEBUILDER_ASSETS names, without controllers."""
    assets = Path(os.environ["KUBEBUILDER_ASSETS"])
    with reserved(3) as (port, client_port, peer_port):
        ca = authority()
        ca.write(folder / "ca.pem", folder / "ca.key")
        issue(ca).write(folder / "tls.pem", folder / "tls.key")
        (folder / "tokens.csv").write_text(
            f'{TOKENS["admin"]},admin,1,"system:masters"\n{TOKENS["reader"]},release-gate,2\n'
        )
        etcd = [
            str(assets / "etcd"),
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{client_port}",
            f"--advertise-client-urls=http://127.0.0.1:{client_port}",
            f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        ]
        server = [
            str(assets / "kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{client_port}",
            f"--secure-port={port}",
            "--bind-address=127.0.0.1",
            f"--tls-cert-file={folder / 'tls.pem'}",
            f"--tls-private-key-file={folder / 'tls.key'}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder / 'tls.pem'}",
            f"--service-account-signing-key-file={folder / 'tls.key'}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
        ]
        with _running(etcd, folder, "etcd"), _running(server, folder, "kube-apiserver") as pid:
            made = Server(f"https://127.0.0.1:{port}", folder / "ca.pem", folder, pid)
            _wait_until_ready(made, folder / "kube-apiserver.log")
            yield made


def available() -> list[str]:
    """The servers that can be started on this machine."""
    return ["stand-in", *(["kube-apiserver"] if os.environ.get("KUBEBUILDER_ASSETS") else [])]


@cache
def kubectl_path() -> str | None:
    """kubectl, where it is 1.31 or newer: older ones cannot forward a port over a websocket."""
    path = shutil.which("kubectl")
    if path is None:
        return None
    done = subprocess.run(
        [path, "version", "--client", "-o", "json"], capture_output=True, text=True, check=False
    )
    version = json.loads(done.stdout or "{}").get("clientVersion", {})
    minor = "".join(filter(str.isdigit, version.get("minor", "0")))
    return path if (int(version.get("major", 0)), int(minor or 0)) >= (1, 31) else None


@contextmanager
def _running(command: list[str], folder: Path, name: str) -> Iterator[int]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_until_ready(server: Server, log: Path) -> None:
    def ready() -> None:
        try:
            with server.client() as client:
                response = client.get("/readyz")
        except httpx.TransportError as error:
            raise AssertionError(f"{error}: {log.read_text()[-2000:]}") from None
        assert response.status_code == 200, response.text

    eventually(ready, within=STARTING, every=0.05)
