"""What errors quote of a secret: a password that was taken for a port or a host, a row's key, a setting.

An address that is not quoted as it should be falls apart where it is read, and each part is complained of.
"""

import re

from noxgate.look.secret_names import (
    IS,
    NAME,
    NAMES,
    QUOTE,
    SPACE,
    START,
    VALUE,
    is_filled,
    is_word,
)
from noxgate.look.secret_search import Form, hints, unless

A_NAME = "a value with a secret's name"
_IN_AN_ADDRESS = "a password in an address"
_LONG = 12  # characters of what no word and no name looks like
_PART = r"[^\s\"'`@&<>\\/=,;]"
_SCHEMES = r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|clickhouse|mssql|oracle)(?:\+\w+)?"


def _is_a_name(value: str) -> bool:
    """Whether it lacks letters of both cases, or has fewer than two digits."""
    kinds = ("[a-z]", "[A-Z]", r"\d.*\d")
    return len(value) < _LONG or any(re.search(kind, value) is None for kind in kinds) or is_filled(value)


ERRORS: tuple[Form, ...] = (
    # ------------------------------------------------ an address that fell apart
    Form(
        _IN_AN_ADDRESS,
        hints("port"),
        rf"port could not be cast to integer value as (?P<q>{QUOTE})(?P<value>(?:(?!(?P=q)).)+)",
        unless(is_filled),
    ),
    Form(
        _IN_AN_ADDRESS,
        hints("invalid"),
        rf"invalid (?:port number: |integer value |port )(?P<q>{QUOTE}):?(?P<value>(?:(?!(?P=q))[^\s])+)",
        unless(is_word),
    ),
    Form(
        _IN_AN_ADDRESS,
        hints("base 10: "),
        rf"base 10: {QUOTE}(?P<value>{_PART}{{3,200}})@",
        unless(is_filled),
    ),
    Form(  # what followed an @ within it
        _IN_AN_ADDRESS,
        hints("host lookup enotfound connecting"),
        rf"(?:host(?: name)?|lookup|enotfound|connecting to) {QUOTE}?(?P<value>{_PART}{{1,200}})@(?=[\w.-])",
        unless(is_word),
    ),
    Form(  # without a scheme, or with what is left of one; a Go driver's
        _IN_AN_ADDRESS,
        hints("@", 82),
        rf"{START}[a-z_][\w.+-]{{0,19}}:(?P<value>[^\s\"'`@&<>\\/:,;(){{}}]{{8,60}})@(?!sha\d+:)"
        r"(?:tcp\(|unix\(|[\w.-]+(?::\d|/))",
        unless(is_word),
    ),
    Form(  # with what should have been escaped
        _IN_AN_ADDRESS,
        hints("://", 30),
        rf"{START}{_SCHEMES}://[^\s/:@\"'<>]{{0,100}}:(?!\d{{1,5}}\D)(?P<value>[^\s@,]{{1,200}})@(?=[\w.-]+[:/])",
        unless(is_filled),
    ),
    # ------------------------------------------------ beside a name
    Form(  # PostgreSQL's: Key (user_id, token)=(7, …) already exists
        A_NAME,
        hints(")=(", 120),
        rf"\([^()\n]{{0,100}}?{NAME}[^()\n]{{0,60}}\)=\((?P<value>[^()\n]{{1,400}})",
        unless(is_filled),
    ),
    Form(  # pydantic's, of a model and of a request
        A_NAME,
        NAMES,
        rf"{NAME}{SPACE}+[^\[\]]{{1,200}}\[type=[\w.]+, input_value={VALUE}",
        unless(is_filled),
    ),
    Form(
        A_NAME,
        NAMES,
        rf"{NAME}{QUOTE}\][^{{}}]{{0,300}}?input{QUOTE}{IS}{VALUE}",
        unless(is_filled),
    ),
    Form(  # a form's fields, of which each may have several values
        A_NAME,
        NAMES,
        rf"{NAME}{IS}\[{SPACE}*b?(?P<q>{QUOTE})(?P<value>(?:(?!(?P=q))[^\r\n])+)",
        unless(is_word),
    ),
    Form(  # in words: Invalid API key …, token … is expired
        A_NAME,
        NAMES,
        rf"{NAME} (?:{QUOTE}|<|&lt;)?(?P<value>[\w~+/-]{{12,200}})",
        unless(_is_a_name),
    ),
    Form(
        A_NAME,
        hints("pass"),
        rf"(?<![a-z_-])pass{IS}{VALUE}",
        unless(is_word),
    ),
)
