"""Something else than the profile says is looked at, or by other means: by what the environment says.

Played while the target is well: what was looked at must be what the profile names.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tests_self.attack.attempt import Attempt, Way
from tests_self.attack.world import kubeconfig


def led(**env: str) -> Callable[[Attempt], None]:
    def play(at: Attempt) -> None:
        at.env |= env
        at.gate()

    return play


def proxied(at: Attempt) -> None:
    """The kubeconfig has the address that the profile names, and a proxy of the attacker on the way."""
    at.env["KUBECONFIG"] = str(kubeconfig(at.beside, proxy="http://localhost:1"))
    at.gate()


def preloaded(at: Attempt) -> None:
    """A library of the attacker, before all others; here a copy of one that is harmless."""
    own = Path("/proc/self/maps").read_text()
    library = re.search(r"/\S+/libm[.-]\S+", own) or re.search(r"/\S+/libc[.-]\S+", own)
    assert library is not None
    shutil.copy(library[0], at.beside / "evil.so")
    at.env["LD_PRELOAD"] = str(at.beside / "evil.so")
    at.gate()


def workers(at: Attempt) -> None:
    """The process that judges has an environment which the workers have not."""
    at.gate(words=("--dist=load", "--tx=popen//env:PGHOSTADDR=127.0.0.1"))


PLACES = (
    Way("another DATABASE_URL", led(DATABASE_URL="postgresql://gate@double.nox.io/nox")),
    Way("hostaddr in DATABASE_URL", led(DATABASE_URL="postgresql://gate@db.nox.io/nox?hostaddr=127.0.0.1")),
    Way("PGHOSTADDR", led(PGHOSTADDR="127.0.0.1")),
    Way("PGSERVICE", led(PGSERVICE="double")),
    Way("port in the query of DATABASE_URL", led(DATABASE_URL="postgresql://gate@db.nox.io:5432/nox?port=1")),
    Way("db in the query of REDIS_URL", led(REDIS_URL="redis://cache.nox.io:6379/0?db=7")),
    Way("HTTPS_PROXY on the way to the cluster", led(HTTPS_PROXY="http://localhost:1", NO_PROXY="localhost")),
    Way("proxy-url in the kubeconfig", proxied),
    Way("LD_PRELOAD", preloaded),
    Way("--tx with an environment of its own", workers),
    Way("SSL_CERT_FILE and BASE_URL", led(SSL_CERT_FILE="evil.pem", BASE_URL="https://double.nox.io")),
)
