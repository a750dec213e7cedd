"""The machine that sends: what makes two load tests comparable, or not."""

import os
from pathlib import Path

import psutil

CPUS = Path("/proc/cpuinfo")
NAMES = ("model name", "Hardware", "cpu model")  # x86, ARM, MIPS


def this_machine(cpus: Path = CPUS) -> tuple[int, int, str]:
    """The cores that this process may use, their greatest clock rate in MHz (0: unknown), the processor."""
    return len(os.sched_getaffinity(0)), _rate(), _name(cpus)


def _rate() -> int:
    try:
        rate = psutil.cpu_freq()
    except (OSError, NotImplementedError, RuntimeError):  # as psutil says it where a system does not tell
        return 0
    return round(rate.max or rate.current) if rate else 0


def _name(cpus: Path) -> str:
    try:
        rows = cpus.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    known = {key.strip(): value.strip() for key, _, value in (row.partition(":") for row in rows)}
    return next((known[name] for name in NAMES if name in known), "")
