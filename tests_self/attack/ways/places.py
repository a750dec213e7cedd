"""Credentials lead elsewhere than the profile names, by the environment or by what stands in them.

Played while the target is well: what was looked at must be what the profile names.
"""

from collections.abc import Callable

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


PLACES = (
    Way("another DATABASE_URL", led(DATABASE_URL="postgresql://gate@double.nox.io/nox")),
    Way("hostaddr in DATABASE_URL", led(DATABASE_URL="postgresql://gate@db.nox.io/nox?hostaddr=127.0.0.1")),
    Way("PGHOSTADDR", led(PGHOSTADDR="127.0.0.1")),
    Way("PGSERVICE", led(PGSERVICE="double")),
    Way("port in the query of DATABASE_URL", led(DATABASE_URL="postgresql://gate@db.nox.io:5432/nox?port=1")),
    Way("db in the query of REDIS_URL", led(REDIS_URL="redis://cache.nox.io:6379/0?db=7")),
    Way("HTTPS_PROXY on the way to the cluster", led(HTTPS_PROXY="http://localhost:1", NO_PROXY="localhost")),
    Way("proxy-url in the kubeconfig", proxied),
    Way("SSL_CERT_FILE and BASE_URL", led(SSL_CERT_FILE="evil.pem", BASE_URL="https://double.nox.io")),
)
