"""Why nothing was answered, in a few words."""

import ssl

import httpx
import pytest

from noxgate.look.http import reason


class OddError(OSError):
    """An error whose text is given whole."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (OSError(-2, "Name or service not known"), "name or service not known"),
        (httpx.ConnectError("All connection attempts failed"), "all connection attempts failed"),
        (OddError("A message without an end"), "a message without an end"),
        (OddError("Input/output error"), "input/output error"),
        (
            ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:1006)"),
            "EOF occurred in violation of protocol (closed before an answer in TLS)",
        ),
        (
            httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"),
            "wrong version number (what answers there is not TLS)",
        ),
        (OddError("HTTP/2 is not spoken"), "HTTP/2 is not spoken"),
        (OddError("I/O operation on closed file"), "I/O operation on closed file"),
        (OddError("IPv6 is off"), "IPv6 is off"),
        (OddError("DNS answered nothing"), "DNS answered nothing"),
        (OddError("OpenSSL internal error"), "OpenSSL internal error"),
        (OddError("Redis is loading the dataset"), "Redis is loading the dataset"),
        (OddError("StreamReset stream_id:1"), "StreamReset stream_id:1"),
        (httpx.RemoteProtocolError(""), "RemoteProtocolError"),
        (OddError("5 bytes"), "5 bytes"),
        (httpx.ReadTimeout("The read operation timed out"), "timed out"),
    ],
)
def test_reason(error: Exception, said: str) -> None:
    """Only a word begins small: neither an abbreviation nor a name."""
    assert reason(error) == said
