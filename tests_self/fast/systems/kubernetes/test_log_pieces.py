"""Logs as a node keeps them: each line as the service wrote it, once it is put together."""

import json
from typing import Any

import pytest

from noxgate.systems.kubernetes.log_lines import is_grave
from noxgate.systems.kubernetes.logs.pieces import lines_of

AT = "2026-12-02T03:00:00.123456789Z"
ERROR = "2026-12-02 03:00:01 ERROR nox.api cannot reach the database"


def cri(*lines: str) -> bytes:
    return "".join(f"{AT} {line}\n" for line in lines).encode()


def docker(*lines: tuple[str, str]) -> bytes:
    return "".join(json.dumps({"log": log, "stream": of, "time": AT}) + "\n" for of, log in lines).encode()


def journald(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps({"PRIORITY": "6", "_PID": "7", **record}) + "\n" for record in records).encode()


PART = {"CONTAINER_PARTIAL_MESSAGE": "true"}


def texts(content: bytes) -> list[tuple[int, str]]:
    """Each line with its place; of a record of journald its message."""
    return [
        (line.at, json.loads(line.text)["MESSAGE"] if '"MESSAGE"' in line.text else line.text)
        for line in lines_of(content)
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (cri("stdout F INFO up", f"stderr F {ERROR}"), [(1, "INFO up"), (2, ERROR)]),
        (cri("stderr P 2026-12-02 03:00:01 ERR", f"stderr F {ERROR[23:]}"), [(1, ERROR)]),
        (cri(f"stderr P {ERROR[:7]}", f"stderr P {ERROR[7:9]}", f"stderr F {ERROR[9:]}"), [(1, ERROR)]),
        (cri(f"stderr P {ERROR[:9]}", "stdout F INFO", f"stderr F {ERROR[9:]}"), [(1, ERROR), (2, "INFO")]),
        (cri("stdout F "), [(1, "")]),
        (cri("stdout P:tag half"), [(1, "half")]),  # of a file that ends here
        (cri("stdout F   File a.py"), [(1, "  File a.py")]),
        (
            docker(("stderr", ERROR[:9]), ("stdout", "INFO\n"), ("stderr", ERROR[9:] + "\n")),
            [(1, ERROR), (2, "INFO")],
        ),
        (docker(("stdout", "\n")), [(1, "")]),
        (journald({"MESSAGE": ERROR[:9], **PART}, {"MESSAGE": ERROR[9:]}), [(1, ERROR)]),
        (
            journald(
                {"MESSAGE": "a", **PART, "CONTAINER_PARTIAL_ID": "1"},
                {"MESSAGE": "INFO"},
                {"MESSAGE": "b", **PART, "CONTAINER_PARTIAL_ID": "1", "CONTAINER_PARTIAL_LAST": "true"},
            ),
            [(1, "ab"), (2, "INFO")],
        ),
        (journald({"MESSAGE": [*ERROR.encode(), 255]}), [(1, f"{ERROR}\ufffd")]),
        # as they were written
        (b"stdout F INFO\n", [(1, "stdout F INFO")]),
        (b"INFO\r\nlast", [(1, "INFO"), (2, "last")]),
        (b'{"log": "x", "level": "info"}\n', [(1, '{"log": "x", "level": "info"}')]),
        (b'{"stream": "stdout", "log": 7}\n', [(1, '{"stream": "stdout", "log": 7}')]),
        (b"", []),
    ],
)
def test_lines(content: bytes, expected: list[tuple[int, str]]) -> None:
    assert texts(content) == expected


def exported(*fields: bytes) -> bytes:
    return b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1764644400000000\n_PID=7\n" + b"".join(fields) + b"\n"


def packed(name: bytes, value: bytes) -> bytes:
    return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"


@pytest.mark.parametrize("message", ["INFO up", "two\nlines", "a=b", "x" * 10, "x" * 2560, "é\n" * 200, ""])
def test_an_export(message: str) -> None:
    """A message of several lines stands behind its size, in bytes that may be a line's end."""
    plain, many = b"MESSAGE=INFO\nPRIORITY=6\n", packed(b"MESSAGE", message.encode()) + b"PRIORITY=3\n"

    found = lines_of(exported(plain) + exported(many) + exported(plain))

    assert [json.loads(each.text)["MESSAGE"] for each in found] == ["INFO", message, "INFO"]
    assert [found[0].at, found[1].at] == [1, 7]
    assert [is_grave(each.text) for each in found] == [False, True, False]


@pytest.mark.parametrize(
    ("record", "grave"), [({"MESSAGE": [*b"ERROR x", 255]}, True), ({"MESSAGE": [*b"INFO"]}, False)]
)
def test_a_message_in_bytes(record: dict[str, Any], *, grave: bool) -> None:
    assert [is_grave(line.text) for line in lines_of(journald(record))] == [grave]
