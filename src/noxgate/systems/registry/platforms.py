"""Platforms of images, by the words that Go has for systems and processors: linux/amd64, linux/arm64."""

import re
from collections.abc import Mapping
from typing import Any

_SAME = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}  # as uname and distributions say it
_PLAIN = {("amd64", "v1"), ("arm64", "v8")}  # what the processor is without a variant
_UNSAID = {"amd64": "v1", "arm64": "v8", "arm": "v7"}  # what it is taken for by default
_LEVEL = re.compile(r"v(\d+)(?:\.(\d+))?")


def platform_of(document: Mapping[str, Any]) -> str:
    """Of an index' entry or an image's configuration; "" if one of its two halves is missing."""
    system, processor = document.get("os"), document.get("architecture")
    if not system or not processor:
        return ""
    variant = document.get("variant")
    return normal("/".join(map(str, (system, processor, *([variant] if variant else [])))))


def normal(platform: str) -> str:
    """One spelling for what is the same: linux/arm64/v8 is linux/arm64."""
    system, _, rest = platform.lower().partition("/")
    processor, _, variant = rest.partition("/")
    processor = _SAME.get(processor, processor)
    plain = not variant or (processor, variant) in _PLAIN
    return "/".join([system, processor, *([] if plain else [variant])])


def runs_on(image: str, wanted: str) -> bool:
    """Whether an image of a platform is for that which is wanted.

    A processor runs what was built for the variants below its own; of linux/arm, every variant is wanted.
    """
    (place, own), (where, asked) = _variant(image), _variant(wanted)
    if place != where:
        return False
    if own == asked or (where.endswith("/arm") and not asked):
        return True
    least, most = _level(where, own), _level(where, asked)
    return least is not None and most is not None and least <= most


def closeness(image: str, wanted: str) -> tuple[int, ...]:
    """Of two images that both run, the one built for more of the processor is the closer: it is greater."""
    place, own = _variant(image)
    return (_level(place, own) or ()) if runs_on(image, wanted) else ()


def agree(one: str, other: str) -> bool:
    """Whether two may mean one platform: where one leaves its variant out, the other may say it."""
    (place, own), (where, another) = _variant(one), _variant(other)
    return place == where and (own == another or not own or not another)


def _variant(platform: str) -> tuple[str, str]:
    """System and processor; and the variant, "" for the plain one."""
    system, _, rest = normal(platform).partition("/")
    processor, _, variant = rest.partition("/")
    return f"{system}/{processor}", variant


def _level(place: str, variant: str) -> tuple[int, ...] | None:
    found = _LEVEL.fullmatch(variant or _UNSAID.get(place.partition("/")[2], ""))
    return (int(found[1]), int(found[2] or 0)) if found else None
