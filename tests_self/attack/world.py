"""A world to attack: a project of its own in git, who reviews it, and a target on loopback that is ill.

It has its own authority, addresses, keys and release record, and is not a rehearsal. The project is this
checkout's commit with a runbook that is cut to a few lines of one phase, and their real checks.
"""

import compileall
import http.server
import io
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

from tests_self.authority import Authority
from tests_self.service import sign_off

from noxgate.trust import signing

HERE = Path(__file__).parents[2]
RELEASE = "8.0.0"
LINES = ("staging.health", "staging.ready", "staging.version")
HUMAN = "staging.announcement"  # the real line of another phase, in this one
ATTACKED = "staging.health"
TOPICS = ("health", "version")
PERSON = "Ada Lindqvist"
SAW = "https://chat.nox.io/ops/812"
VERIFIED, REFUSED = "VERIFIED", "REFUSED"
SIGNER = "NOXGATE_SIGNING_KEY"

PROFILE = """\
serves = ["staging"]
base_url = "https://localhost:{port}"
namespace = "nox-staging-green"
ca_file = "authority.crt"
record = "release.toml"
branch = "main"
overrides = ["NAMESPACE"]
signers = ["keys/ada.pub"]
[credentials]
database_url = "DATABASE_URL"
redis_url = "REDIS_URL"
test_token = "TEST_TOKEN"
admin_token = "ADMIN_TOKEN"
[oauth.google]
client_id = "client"
[points_at]
database_url = "db.nox.io:5432/nox"
redis_url = "cache.nox.io:6379/0"
cluster = "https://k8s.nox.io:6443"
"""
RECORD = f"""\
version = "{RELEASE}"
date = 2025-08-15
on_call = "{PERSON}"
planned_minutes = 60
checklist = "CHECKLIST.md"
channels = ["#ops-alerts"]
people = ["Grace Hopper"]
"""


class Service:
    """/health, /ready and /version over HTTPS, as a release answers that is well, or degraded."""

    def __init__(self, authority: Authority, *, healthy: bool) -> None:
        self.healthy = healthy
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = service.answer(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.good)
        self._server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> bytes:
        status = {"/health": "healthy" if self.healthy else "degraded", "/ready": "ready"}
        if path == "/version":
            return f'{{"version": "{RELEASE}"}}'.encode()
        return f'{{"status": "{status[path]}"}}'.encode() if path in status else b""

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """Made once; each way is played in a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "authority").mkdir()
        authority = Authority(folder / "authority")
        self.service = Service(authority, healthy=True)
        self.double = Service(authority, healthy=True)  # whom an attacker would rather have looked at
        signing.new_key(folder / "keys" / "ada.pem")
        signing.new_key(folder / "keys" / "mallory.pem")
        (folder / "home").mkdir()
        self.kubeconfig = kubeconfig(folder)
        self.made = folder / "made"  # nothing was run here before
        self.lived = folder / "lived"  # a GO of when all was well, and a NO-GO since
        self.auditor = folder / "auditor"  # who has the reviewed branch, and is given the evidence
        self._make(authority.file.certificate)

    def close(self) -> None:
        self.service.close()
        self.double.close()

    def environment(self, root: Path) -> dict[str, str]:
        """That of a pipeline which holds the signing key; the engine is the project's own."""
        names = ("PATH", "LANG", "TMPDIR", "VIRTUAL_ENV")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return kept | {
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": str(root / "src"),
            "TEST_TOKEN": "token-of-a-user-" + "x" * 20,
            SIGNER: str(self.folder / "keys" / "ada.pem"),
            "DATABASE_URL": "postgresql://gate@db.nox.io/nox",
            "REDIS_URL": "redis://cache.nox.io/0",
            "KUBECONFIG": str(self.kubeconfig),
        }

    def copy(self, of: Path, name: str) -> Path:
        """A fresh copy of a project, with the times of its files."""
        to = self.folder / "copies" / name
        to.parent.mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", of, to], check=True)
        return to

    def python(self, name: str) -> Path:
        """A Python environment like this one, whose files may be changed: none is shared with it."""
        place = self.folder / "pythons" / name
        place.parent.mkdir(exist_ok=True)
        shutil.copytree(sys.prefix, place, symlinks=True, ignore=_left_out, copy_function=_linked)
        return place / "bin" / "python"

    def git(self, root: Path, *words: str) -> str:
        """Do something in a checkout, as a person does."""
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost", "-c", "advice.detachedHead=false")
        return subprocess.run(
            ["git", *who, *words],
            cwd=root,
            env=self.environment(root),
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def _make(self, certificate: Path) -> None:
        made = self.made
        archive = subprocess.run(
            ["git", "archive", "--format=tar", "HEAD"], cwd=HERE, check=True, capture_output=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(made, filter="data")
        for name in ("tests_self", "benchmarks", "findings", "docs"):
            shutil.rmtree(made / name, ignore_errors=True)
        for path in made.glob("tests_*/**/test_*.py"):
            if path.relative_to(made).parts[0] != "tests_staging" or path.stem[5:] not in TOPICS:
                path.unlink()
        _replace(made / "pyproject.toml", r"testpaths = \[.*\]", 'testpaths = ["tests_staging"]')
        (made / "runbook.toml").write_text(cut((HERE / "runbook.toml").read_text()))
        targets = made / "targets"
        shutil.rmtree(targets)
        (targets / "keys").mkdir(parents=True)
        (targets / "staging.toml").write_text(PROFILE.format(port=self.service.port))
        (targets / "release.toml").write_text(RECORD)
        shutil.copy(certificate, targets / "authority.crt")
        shutil.copy(self.folder / "keys" / "ada.pub", targets / "keys")
        (made / "waivers.toml").write_text("")
        self.git(made, "init", "--quiet", "--initial-branch=main")
        self.git(made, "add", "--all")
        self.git(made, "commit", "--quiet", "--message=The release")
        origin = self.folder / "origin.git"
        self.git(self.folder, "clone", "--quiet", "--bare", str(made), str(origin))
        self.git(made, "remote", "add", "origin", str(origin))
        self.git(made, "fetch", "--quiet", "origin")
        self.git(self.folder, "clone", "--quiet", str(origin), str(self.auditor))
        for root in (made, self.auditor):  # once, and not in each copy
            compileall.compile_dir(root / "src", quiet=1)


def kubeconfig(folder: Path, proxy: str = "") -> Path:
    """That of the cluster which the profile names."""
    cluster = {"server": "https://k8s.nox.io:6443"} | ({"proxy-url": proxy} if proxy else {})
    document = {
        "current-context": "gate",
        "clusters": [{"name": "nox", "cluster": cluster}],
        "contexts": [{"name": "gate", "context": {"cluster": "nox", "user": "gate"}}],
        "users": [],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def cut(runbook: str) -> str:
    """The real runbook without most of its lines; the human one becomes one of this phase."""
    tables = re.split(r"^(?=\[)", runbook.partition("# ====")[0] + _from(runbook), flags=re.MULTILINE)
    real = {table.partition("]")[0][1:]: table for table in tables if table.startswith("[")}
    kept = [
        real["release"],
        *(real[name] for name in real if name.split(".")[0] == "service"),
        real["phase.staging"],
        *(real[line] for line in LINES),
    ]
    kept.append(real["prep.announcement"].replace("[prep.", "[staging.", 1))
    return "".join((*kept, sign_off("staging")))


def _replace(path: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, path.read_text())
    assert count == 1, f"{path.name}: expected one {pattern}, saw {count}"
    path.write_text(text)


def _from(runbook: str) -> str:
    return runbook[runbook.index("# ====") :]


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Of an environment: what was compiled, since it could be of a file before it was changed."""
    return {name for name in names if name == "__pycache__"} if "site-packages" in folder else set()


def _linked(source: str, target: str) -> str:
    """Another name of a file; a copy where that is another disk. Who changes one removes it first."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
