"""What a text without quotes means: go-yaml v2's own table, which is neither YAML 1.1 nor 1.2."""

import base64
import binascii
import math
import re
import struct
from datetime import date
from decimal import Decimal

Scalar = str | int | float | bool | None

YAML = "tag:yaml.org,2002:"
_STR, _BINARY = YAML + "str", YAML + "binary"
_RESOLVED = {"", *(YAML + name for name in ("str", "bool", "int", "float", "null", "timestamp"))}


def _spelled(*words: str) -> list[str]:
    """Yes -> yes, Yes, YES."""
    return [form for word in words for form in (word, word.capitalize(), word.upper())]


_TABLE: dict[str, tuple[str, Scalar]] = {
    **dict.fromkeys(("y", "Y", *_spelled("yes", "true", "on")), ("bool", True)),
    **dict.fromkeys(("n", "N", *_spelled("no", "false", "off")), ("bool", False)),
    **dict.fromkeys(("", "~", *_spelled("null")), ("null", None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", math.nan)),
    **{sign + word: ("float", math.inf) for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", -math.inf)),
    "<<": ("merge", "<<"),
}
_INT = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)", re.ASCII)
_BITS = re.compile(r"0b[-+]?[01]+|-0b[01]+", re.ASCII)  # 0b-1, too: Go looks at what follows alone
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_POINT = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?", re.ASCII)
_DAY = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt ]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?)?",
    re.ASCII,
)
_CLOCK = (24, 60, 60)
_WITHOUT_EXPONENT = 1e21  # below it Go writes all digits, in JSON
_SMALLEST, _LARGEST = -4, 6  # exponents of a key that Go writes out
_LEAST, _MOST = -(2**63), 2**64 - 1  # of the integers that Go has


def resolved(tag: str, text: str) -> Scalar:
    """The value of a text, where nothing or a tag says what it is. Raises ValueError if they do not fit."""
    if tag == _BINARY:
        return _decoded(text)
    if tag not in _RESOLVED:
        return text
    kind, value = ("str", text) if tag == _STR else _meant(text, may_be_time=tag in {"", YAML + "timestamp"})
    if tag in {"", _STR, YAML + kind}:
        return value
    if tag == YAML + "float" and kind == "int" and isinstance(value, int) and value < 2**63:
        return float(value)
    wanted = tag.removeprefix(YAML)
    raise ValueError(f"expected a text that is !!{wanted}, as its tag says, saw !!{kind}: {text[:40]!r}")


def _meant(text: str, *, may_be_time: bool) -> tuple[str, Scalar]:
    if text in _TABLE:
        return _TABLE[text]
    if text[0] == ".":
        number = float(text) if _POINT.fullmatch(text) else math.inf
        return ("str", text) if math.isinf(number) else ("float", number)
    if text[0] not in "+-0123456789":
        return "str", text
    if may_be_time and _is_time(text):
        return "timestamp", text
    return _number(text) or ("str", text)


def _number(text: str) -> tuple[str, Scalar] | None:
    plain = text.replace("_", "")
    if _INT.fullmatch(plain) and (whole := _whole(plain)) is not None:
        return "int", whole
    if _FLOAT.fullmatch(plain) and not math.isinf(number := float(plain)):
        return "float", number
    if _BITS.fullmatch(plain):
        whole = int(plain.replace("0b", "", 1), 2)
        if _LEAST <= whole <= _MOST:
            return "int", whole
    return None


def _whole(plain: str) -> int | None:
    digits = plain.lstrip("+-").lower()
    base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2])
    if base is not None:
        whole = int(digits[2:], base)
    else:
        whole = int(digits, 8) if len(digits) > 1 and digits[0] == "0" else int(digits)
    if plain[0] == "-":
        whole = -whole
    elif plain[0] == "+" and whole >= 2**63:
        return None  # Go reads the large ones without a sign
    return whole if _LEAST <= whole <= _MOST else None


def _is_time(text: str) -> bool:
    """Whether Go takes it for a date: then it stays the text that it is."""
    found = _DAY.fullmatch(text)
    if found is None:
        return False
    year, month, day, hour, minute, second, zone = found.groups()
    if hour is not None and (zone is None) != (" " in text):
        return False
    try:
        date(int(year) or 4, int(month), int(day))  # Go has a year 0, a leap year; Python does not
    except ValueError:
        return False
    clock = zip((hour, minute, second), _CLOCK, strict=True)
    return hour is None or all(int(value) < end for value, end in clock)


def _decoded(text: str) -> str:
    """The text that is written in base64; bytes that are not UTF-8 are lost, as in kubectl's JSON."""
    try:
        content = base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
    except binascii.Error:
        raise ValueError("expected base64 in a !!binary value, saw another text") from None
    return without_surrogates(content.decode("utf-8", "surrogateescape"))


def without_surrogates(text: str) -> str:
    """Go puts U+FFFD in the place of half a character."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def as_json(value: Scalar) -> Scalar:
    """A number as kubectl sends it: Go's JSON knows 64 bits, and writes whole floats without a point."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        if _LEAST <= value < 2**63:
            return value
        value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"expected a number that JSON has, saw {value}")
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < _WITHOUT_EXPONENT else value


def as_key(value: Scalar) -> str:
    """A key of a mapping, which JSON wants as text. Raises ValueError for what kubectl makes no key of."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value < 2**63:
        return str(value)
    if isinstance(value, float):
        return _short(value)
    seen = "none" if value is None else str(value)
    raise ValueError(f"expected a key that is a text, saw {seen}: put it in quotes")


def _short(value: float) -> str:
    """As Go prints a float of 32 bits, with as few digits as tell it from its neighbours."""
    single = _single(value)
    if not math.isfinite(single):
        return ".nan" if math.isnan(single) else ".inf" if single > 0 else "-.inf"
    tried = (f"{single:.{more}e}" for more in range(9))
    digits = next(short for short in tried if _single(float(short)) == single)
    number, exponent = digits.split("e")
    if not _SMALLEST <= int(exponent) < _LARGEST:
        return digits
    return format(Decimal(number).scaleb(int(exponent)), "f")


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])
