"""Container images in their registry, read only, over the OCI distribution API."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation, Observe, shortened
from noxgate.systems.registry import answers
from noxgate.systems.registry.answers import Descriptor, Image, Manifest, digest_of
from noxgate.systems.registry.names import ImageName, named
from noxgate.systems.registry.platforms import runs_on
from noxgate.systems.registry.session import WAIT, RegistryAnswer, RegistrySession

T = TypeVar("T")
FORMS = tuple(zip(answers.MANIFESTS, answers.INDEXES, strict=True))  # OCI's own, and Docker's
OLD = "application/vnd.docker.distribution.manifest.v1"
ABSENT = ("_UNKNOWN", "NOT_FOUND", "NAME_INVALID")  # how codes end that say that it is missing
DEEPEST = 4  # indexes in an index, which the specification allows
MOST_BYTES = 4 * 1024 * 1024  # what registries must take of a manifest, and more than any configuration has


class Registry:
    """Looks at images for one check and records what it saw.

    Every byte is checked against the digest that it was asked by, so that a cache, a page to sign in or half
    an answer is never taken for the image: that is an UnreachableError. An image that the registry does not
    have, or not for the platform, is an AssertionError.
    """

    def __init__(
        self, session: RegistrySession, observe: Observe, nodes: Callable[[], str] | None = None
    ) -> None:
        """`nodes` says the platform of the nodes, where the session does not say for which one to look."""
        self._session = session
        self._observe = observe
        self._nodes = nodes

    def image(self, reference: str) -> Image:
        """The image that HOST/NAME:TAG or HOST/NAME@DIGEST names; of several platforms', the session's."""
        where = named(reference)
        wanted = self._platform()
        manifest, digest = self._manifest(where, where.wanted, None)
        if manifest.is_index:
            image = self._for_platform(where, digest, manifest.images, wanted)
        else:
            image = self._configured(where, digest, digest, manifest)
        if not runs_on(image.platform, wanted):
            said = image.platform or f"{image.os or 'no system'}/{image.architecture or 'no processor'}"
            raise AssertionError(f"{where} is for {said}, says its configuration, and the nodes are {wanted}")
        return image

    def _platform(self) -> str:
        """The profile's, or else the nodes' own: looked up once for the run."""
        if self._session.platform is None:
            if self._nodes is None:
                raise UnreachableError("nothing says for which platform to look at images")
            self._session.platform = self._nodes()
        return self._session.platform

    def _configured(self, where: ImageName, digest: str, manifest_digest: str, manifest: Manifest) -> Image:
        config = manifest.config
        assert config is not None  # only an index lacks it
        if not answers.is_image(manifest):
            raise AssertionError(f"{where} is not an image: it has {shortened(config.media_type, 80)}")
        return self._look(
            where,
            "blobs",
            config.digest,
            config.size,
            (),
            lambda answer: answers.read_image(digest, manifest_digest, manifest, answer.content),
            answers.summary,
        )

    def _manifest(self, where: ImageName, wanted: str, size: int | None) -> tuple[Manifest, str]:
        def read(answer: RegistryAnswer) -> tuple[Manifest, str]:
            manifest = answers.read_manifest(answer.content, answer.headers.get("content-type", ""))
            return manifest, wanted if ":" in wanted else digest_of(answer.content)

        def show(found: tuple[Manifest, str]) -> str:
            manifest, digest = found
            platforms = ", ".join(image.platform or "any platform" for image in manifest.images)
            what = f"images for {platforms}" if manifest.is_index else f"{len(manifest.layers)} layers"
            return f"{where.repository}:{wanted} is {digest}, {what}".replace(":sha256:", "@sha256:", 1)

        accept = answers.MANIFESTS + answers.INDEXES
        return self._look(where, "manifests", wanted, size, accept, read, show)

    def _for_platform(
        self, where: ImageName, digest: str, entries: Sequence[Descriptor], wanted: str
    ) -> Image:
        """The closest that is for the platform; an entry that does not say is looked into."""
        known: set[str] = set()
        found = self._among(where, digest, entries, wanted, known)
        if found is not None:
            return found
        said = ", ".join(sorted(filter(None, known))) or "none"
        raise AssertionError(f"{where} has no image for {wanted} (platforms: {said})")

    def _among(
        self,
        where: ImageName,
        digest: str,
        entries: Sequence[Descriptor],
        wanted: str,
        known: set[str],
        depth: int = 0,
    ) -> Image | None:
        """What is not an image, such as an index' signatures, is left out, even if it says a platform."""
        for entry in answers.candidates(entries, wanted, known):
            manifest, manifest_digest = self._manifest(where, entry.digest, entry.size)
            if manifest.is_index and depth < DEEPEST:
                within = self._among(where, digest, manifest.images, wanted, known, depth + 1)
                if within is not None:
                    return within
            if manifest.is_index or not answers.is_image(manifest):
                continue
            image = self._configured(where, digest, manifest_digest, manifest)
            if entry.platform or runs_on(image.platform, wanted):
                return image
            known.add(image.platform)
        return None

    def _look(
        self,
        where: ImageName,
        kind: str,
        wanted: str,
        size: int | None,
        accept: Sequence[str],
        read: Callable[[RegistryAnswer], T],
        show: Callable[[T], str],
    ) -> T:
        seen = ""
        try:
            answer = self._get(where, kind, wanted, accept)
            _check(answer, where, wanted, size)
            found = _read(answer, read)
            seen = shortened(show(found))
        except UnreachableError as error:
            seen = f"could not look: {error}"
            raise
        except AssertionError as error:
            seen = str(error)
            raise
        finally:  # the command is known when it is known how the registry lets us in
            self._observe(Observation(seen, self._session.command(where, kind, wanted, accept)))
        return found

    def _get(self, where: ImageName, kind: str, wanted: str, accept: Sequence[str]) -> RegistryAnswer:
        """As the registry has it; some have an image only for who accepts the one form that it is kept in."""
        answer = self._session.get(where, kind, wanted, accept, MOST_BYTES)
        if not accept or not _may_be_a_matter_of_form(answer):
            return answer
        for one in FORMS:
            again = self._session.get(where, kind, wanted, one, MOST_BYTES)
            if again.status == HTTPStatus.OK and not _is_old(again):
                return again
        return answer


def _may_be_a_matter_of_form(answer: RegistryAnswer) -> bool:
    unknown = answer.status == HTTPStatus.NOT_FOUND and "MANIFEST_UNKNOWN" in (answer.error_codes() or [])
    return unknown or answer.status == HTTPStatus.NOT_ACCEPTABLE or _is_old(answer)


def _is_old(answer: RegistryAnswer) -> bool:
    """Whether it is the first form of manifests, which registries make up for whom they take for old."""
    return answer.headers.get("content-type", "").startswith(OLD)


def _check(answer: RegistryAnswer, where: ImageName, wanted: str, size: int | None) -> None:
    """Whether this is what was asked for, to the last byte."""
    codes = answer.error_codes() or []
    absent = any(code.endswith(ABSENT) for code in codes) and "accept header" not in answer.refusal()
    if answer.status == HTTPStatus.NOT_FOUND and absent and not answer.elsewhere:
        if wanted == where.wanted:
            raise AssertionError(f"the registry {where.host} has no {where.short}")
        raise AssertionError(f"the registry {where.host} has {where.short}, but not its part {wanted}")
    if answer.status != HTTPStatus.OK:
        refusal = answer.refusal()
        said = answer.seen + (f": {refusal}" if refusal else "")
        wait = answer.status == HTTPStatus.TOO_MANY_REQUESTS
        raise UnreachableError(
            f"{answer.url}: expected an answer of a registry, saw {said}" + (f"; {WAIT}" if wait else "")
        )
    told = answer.headers.get("docker-content-digest") if not answer.elsewhere else None
    for expected in (wanted if ":" in wanted else None, told):
        digest = digest_of(answer.content, expected or "")
        if expected not in {None, digest}:
            raise UnreachableError(f"{answer.url}: expected {expected}, saw {digest} ({answer.seen})")
    if size not in {None, len(answer.content)}:
        raise UnreachableError(f"{answer.url}: expected {size} bytes, saw {answer.seen}")


def _read(answer: RegistryAnswer, read: Callable[[RegistryAnswer], T]) -> T:
    try:
        return read(answer)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, OverflowError) as error:
        what = shortened(str(error), 120) if type(error) is ValueError else type(error).__name__
        raise UnreachableError(
            f"{answer.url}: expected an image's description, saw {answer.seen}: {what}"
        ) from None
