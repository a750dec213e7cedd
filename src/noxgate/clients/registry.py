"""Container images in their registry, read only, over the OCI distribution API."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar

from noxgate.clients import registry_answers as answers
from noxgate.clients.observation import Observation, Observe, shortened
from noxgate.clients.registry_answers import Descriptor, Image, Manifest, Reference, digest_of
from noxgate.clients.registry_session import Answer, RegistrySession
from noxgate.target import UnreachableError

T = TypeVar("T")
MOST_BYTES = 4 * 1024 * 1024  # what registries must take of a manifest, and more than any configuration has


class Registry:
    """Looks at images for one check and records what it saw.

    Every byte is checked against the digest that it was asked by, so that a cache, a page to sign in or half
    an answer is never taken for the image: that is an UnreachableError. An image that the registry does not
    have, or not for the platform, is an AssertionError.
    """

    def __init__(self, session: RegistrySession, observe: Observe) -> None:
        self._session = session
        self._observe = observe

    def image(self, reference: str) -> Image:
        """The image that HOST/NAME:TAG or HOST/NAME@DIGEST names; of several platforms', the session's."""
        where = answers.reference(reference)
        manifest, digest = self._manifest(where, where.wanted, None)
        manifest_digest = digest
        if manifest.is_index:
            entry = self._for_platform(where, manifest.images)
            manifest, manifest_digest = self._manifest(where, entry.digest, entry.size)
        config = manifest.config
        assert config is not None  # only an index has none
        if config.media_type not in answers.CONFIGURATIONS:
            raise AssertionError(f"{where} is no container image: it has {shortened(config.media_type, 80)}")
        return self._look(
            where,
            "blobs",
            config.digest,
            config.size,
            (),
            lambda answer: answers.read_image(digest, manifest_digest, manifest, answer.content),
            answers.summary,
        )

    def _manifest(self, where: Reference, wanted: str, size: int | None) -> tuple[Manifest, str]:
        def read(answer: Answer) -> tuple[Manifest, str]:
            manifest = answers.read_manifest(answer.content, answer.headers.get("content-type", ""))
            if manifest.is_index and size is not None:
                raise ValueError("an index in an index")
            return manifest, digest_of(answer.content)

        def show(found: tuple[Manifest, str]) -> str:
            manifest, digest = found
            platforms = ", ".join(image.platform or "any platform" for image in manifest.images)
            what = f"images for {platforms}" if manifest.is_index else f"{len(manifest.layers)} layers"
            return f"{where.repository}:{wanted} is {digest}, {what}".replace(":sha256:", "@sha256:", 1)

        accept = answers.MANIFESTS + answers.INDEXES
        return self._look(where, "manifests", wanted, size, accept, read, show)

    def _for_platform(self, where: Reference, images: Sequence[Descriptor]) -> Descriptor:
        platform = self._session.platform
        for image in images:
            if image.platform == platform:
                return image
        known = ", ".join(sorted({image.platform for image in images if image.platform})) or "none"
        raise AssertionError(f"{where} has no image for {platform} (platforms: {known})")

    def _look(
        self,
        where: Reference,
        kind: str,
        wanted: str,
        size: int | None,
        accept: Sequence[str],
        read: Callable[[Answer], T],
        show: Callable[[T], str],
    ) -> T:
        seen = ""
        try:
            answer = self._session.get(where, kind, wanted, accept, MOST_BYTES)
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


def _check(answer: Answer, where: Reference, wanted: str, size: int | None) -> None:
    """Whether this is what was asked for, to the last byte."""
    if answer.status == HTTPStatus.NOT_FOUND and answer.error_codes() and not answer.elsewhere:
        if wanted == where.wanted:
            raise AssertionError(f"the registry {where.host} has no {where.short}")
        raise AssertionError(f"the registry {where.host} has {where.short}, but not its part {wanted}")
    if answer.status != HTTPStatus.OK:
        codes = ", ".join(answer.error_codes() or [])
        said = answer.seen + (f": {codes}" if codes else "")
        raise UnreachableError(f"{answer.url}: expected an answer of a registry, saw {said}")
    digest = digest_of(answer.content)
    told = answer.headers.get("docker-content-digest") if not answer.elsewhere else None
    for expected in (wanted if wanted.startswith("sha256:") else None, told):
        if expected not in {None, digest}:
            raise UnreachableError(f"{answer.url}: expected {expected}, saw {digest} ({answer.seen})")
    if size not in {None, len(answer.content)}:
        raise UnreachableError(f"{answer.url}: expected {size} bytes, saw {answer.seen}")


def _read(answer: Answer, read: Callable[[Answer], T]) -> T:
    try:
        return read(answer)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, OverflowError) as error:
        what = shortened(str(error), 120) if type(error) is ValueError else type(error).__name__
        raise UnreachableError(
            f"{answer.url}: expected an image's description, saw {answer.seen}: {what}"
        ) from None
