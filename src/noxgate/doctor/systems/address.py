"""The public host: its name, its port, its certificate, and whether the API is what answers there."""

import re
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

from noxgate.doctor.needs import CERTIFICATE, TRUSTED
from noxgate.doctor.seen import Cause, Place, Seen, authority_key
from noxgate.errors import UnreachableError
from noxgate.look.http import Answer, asked
from noxgate.look.observation import Observation, Patience, shortened
from noxgate.project.keys.places import CLOSED
from noxgate.run.causes import another_server
from noxgate.systems import settings
from noxgate.systems.http.tls import TlsClient

UNKNOWN_AUTHORITY = re.compile(r"unable to get (local )?issuer|self[- ]signed certificate|unknown ca")
TEMPLATES = ".yourdomain.com"  # in the profiles as they are delivered
LONGEST = 5.0  # seconds for an answer
BEGINS = 40  # characters of an answer that are shown


def unrecorded(_: Observation) -> None:
    """Nothing is evidence here."""


def address(at: Place, paths: Sequence[str]) -> Iterator[Seen]:
    """A handshake, then these paths, which anybody may ask."""
    target, need = at.target, at.need("address")
    parts = urlsplit(target.base_url)
    where = f"{parts.hostname}:{parts.port or 443}"
    try:
        facts = TlsClient(settings.tls(target), Patience(target.base_url), unrecorded).facts()
    except (UnreachableError, AssertionError) as error:
        yield at.seen("base_url", str(error), need, cause=away(at, "base_url", target.base_url, error))
        return
    problem = next((each.problem for each in facts if each.problem), None)
    if problem is not None:
        cause = (
            authority(at, where)
            if UNKNOWN_AUTHORITY.search(problem)
            else Cause(
                f"the certificate of {where} is not valid: {problem}", (_openssl(where),), of_many=True
            )
        )
        said = f"{where}: certificate: {problem}"
        seen = at.seen("base_url", said, at.need("address", TRUSTED), cause=cause)
        yield replace(seen, fails=(at.need("address", CERTIFICATE),))
        return
    days = min(each.days_left or 0 for each in facts)
    said = f"{target.base_url} answers {facts[0].version}, its certificate has {days:.0f} days left"
    yield at.seen("base_url", said, need)
    yield from _another(at, paths)


def plain(at: Place) -> Iterator[Seen]:
    """The address without TLS: its line judges the answer."""
    url, need = at.target.plain_url, at.need("plain")
    if not url:
        yield at.seen("plain_url", "closed: no server may answer there", need)
        return
    try:
        answer = asked(f"{url}/", None, proxies=not at.target.rehearsal)
    except ConnectionError as error:
        again = f"curl -sS -i -m 5 {shlex.quote(url)}/     # again"
        example = f"http://{urlsplit(url).hostname}:8080, or {CLOSED} where no server is to answer"
        said = f"plain_url: {url}: {error}"
        cause = Cause(said, (again, at.name_it("plain_url", example)))
        yield at.seen("plain_url", f"{url}: {error}", need, cause=cause)
    else:
        yield at.seen("plain_url", f"{url} answers HTTP {answer.status}", need)


def _another(at: Place, paths: Sequence[str]) -> Iterator[Seen]:
    """Nothing where it may be the API: an answer of its own tells no more than that."""
    url = at.target.base_url.rstrip("/")
    with ThreadPoolExecutor(max_workers=max(1, len(paths))) as pool:
        answers = list(pool.map(lambda path: _answered(at, url + path), paths))
    found = {path: answer for path, answer in zip(paths, answers, strict=True) if answer is not None}
    why = another_server([(answer.status, answer.text.lstrip()[:1]) for answer in found.values()], url)
    if not why:
        return
    said = "; ".join(
        f"{path} HTTP {answer.status}: {shortened(answer.text, BEGINS) or 'no body'}"
        for path, answer in found.items()
    )
    again = f"curl -sS -i {shlex.quote(url + paths[0])}     # what answers there"
    remedy = (again, at.name_it("base_url", "https://staging.nox.io"))
    seen = at.seen("base_url", said, cause=Cause(why, remedy, key=f"server {url}", of_many=True))
    yield replace(seen, fails=(at.need("address", TRUSTED),))


def _answered(at: Place, url: str) -> Answer | None:
    """What anybody is answered; None if that is unknown.

    The pool's own thread is waited for at the program's end, so it may not wait for an answer without one.
    """
    try:
        return Patience(url, look=LONGEST).run(
            lambda: asked(url, at.target.ca_file, proxies=not at.target.rehearsal)
        )
    except (ConnectionError, UnreachableError):
        return None


def authority(at: Place, where: str) -> Cause:
    """One cause for all that the same authority vouches for: the profile says which it is."""
    named = at.target.ca_file
    said = f"the ca_file of {at.target.path.name}" if named else "this machine"
    return Cause(
        f"certificates are of an authority that {said} does not know",
        (
            f"{_openssl(where)}     # whose they are",
            at.name_it("ca_file", "its PEM file", '$(realpath "$v")'),
        ),
        key=authority_key(at),
        of_many=True,
    )


def _openssl(where: str) -> str:
    host = where.rpartition(":")[0]
    shown = "openssl x509 -noout -issuer -dates"
    return f"openssl s_client -connect {where} -servername {host} </dev/null | {shown}"


def away(at: Place, key: str, url: str, error: BaseException, example: str = "") -> Cause:
    """No answer, or a wrong one; a certificate of an unknown authority is a cause of its own."""
    parts = urlsplit(url)
    if UNKNOWN_AUTHORITY.search(str(error)):
        return authority(at, f"{parts.hostname}:{parts.port or 443}")
    again = f"curl -sS -o /dev/null {shlex.quote(url)}"
    if TEMPLATES in url:
        named = at.name_it(key, "https://staging.nox.io")
        return Cause(f"{at.label(key)} is the template's: {url}", (named,), of_many=True)
    remedy = (f"{again}     # again", at.name_it(key, example or url))
    return Cause(f"{at.label(key)}: {error}", remedy, of_many=True)
