"""Quantities such as 500m and 1Gi: read, and written in the short form in which they are stored."""

import re
from decimal import ROUND_UP, Decimal

PATTERN = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))((?:[KMGTPE]i)|[numkMGTPE]|[eE][+-]?\d+)?")
WRONG = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"  # its words
)
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
SMALLEST = Decimal("1e-9")


def value(text: str) -> Decimal:
    """The number that a quantity stands for; ValueError in the server's words."""
    number, suffix = _parts(text)
    return number * _factor(suffix)


def canonical(given: str | float) -> str:
    """The form in which the server stores it: no fraction, the largest unit that allows that."""
    text = str(given)
    number, suffix = _parts(text)
    amount = number * _factor(suffix)
    if suffix in BINARY:
        if abs(amount) < 1024 or amount != amount.to_integral_value():  # noqa: PLR2004 (the next unit)
            return _decimal(amount)
        return _binary(int(amount))
    if suffix[:1] in {"e", "E"} and len(suffix) > 1:
        return _exponent(amount)
    return _decimal(amount)


def _parts(text: str) -> tuple[Decimal, str]:
    match = PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(WRONG)
    return Decimal(match[1]), match[2] or ""


def _factor(suffix: str) -> Decimal:
    if suffix in BINARY:
        return Decimal(1024 ** BINARY[suffix])
    if suffix in DECIMAL:
        return Decimal(10) ** DECIMAL[suffix]
    return Decimal(10) ** int(suffix[1:])


def _binary(amount: int) -> str:
    unit = ""
    for name in BINARY:
        if amount == 0 or amount % 1024:
            break
        amount, unit = amount // 1024, name
    return f"{amount}{unit}"


def _decimal(amount: Decimal) -> str:
    amount = amount.quantize(SMALLEST, rounding=ROUND_UP)
    if amount == 0:
        return "0"
    for name, power in sorted(DECIMAL.items(), key=lambda each: -each[1]):
        scaled = amount.scaleb(-power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{name}"
    return f"{amount:f}"


def _exponent(amount: Decimal) -> str:
    power = 18
    while power > -9 and amount.scaleb(-power) != amount.scaleb(-power).to_integral_value():  # noqa: PLR2004
        power -= 3
    return f"{int(amount.scaleb(-power))}" + (f"e{power}" if power else "")
