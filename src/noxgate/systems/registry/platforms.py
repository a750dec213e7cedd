"""Platforms of images, by the words that Go has for systems and processors: linux/amd64, linux/arm64."""

from collections.abc import Mapping
from typing import Any

_SAME = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}  # as uname and distributions say it
_PLAIN = {("amd64", "v1"), ("arm64", "v8")}  # what the processor is without a variant


def platform_of(document: Mapping[str, Any]) -> str:
    """Of an index' entry or an image's configuration; "" where one of its two halves is missing."""
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
    """Whether an image of a platform is for that which is wanted; of linux/arm, every variant is."""
    image, wanted = normal(image), normal(wanted)
    return image == wanted or (wanted.endswith("/arm") and image.startswith(f"{wanted}/"))
