"""The client of Prometheus against servers that answer otherwise, and what a profile may name."""

import base64
import socket
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from tests_self.building.metrics import client
from tests_self.fast.systems.prometheus.client.serving import http

from noxgate.errors import UnreachableError
from noxgate.look.observation import Observation

if TYPE_CHECKING:
    from tests_self.loopback import Loopback


def ok(result: str, more: str = "") -> bytes:
    """A good answer with these series."""
    data = f'{{"resultType":"vector","result":[{result}]}}'
    return http("200 OK", f'{{"status":"success","data":{data}{more}}}'.encode())


def saying(answer: bytes, asked: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    """A server with one answer, to any request."""

    def talk(connection: socket.socket) -> None:
        (asked if asked is not None else []).append(connection.recv(65536))
        connection.sendall(answer)

    return talk


BAD: Mapping[str, tuple[bytes, str]] = MappingProxyType(
    {
        "html": (http("200 OK", b"<!doctype html><title>Sign in</title>"), "saw HTTP 200: <!doctype html>"),
        "login": (
            http("302 Found", b"", "Location: https://sso.example/login?state=s3cret"),
            r"saw HTTP 302 to sso\.example/login \(to sign in\?\)$",
        ),
        "starting": (http("503 Service Unavailable", b"Service Unavailable"), "saw HTTP 503: Service Un"),
        "no-token": (http("401 Unauthorized", b"Unauthorized\n"), r"saw HTTP 401 \(prometheus_token "),
        "forbidden": (http("403 Forbidden", b'{"message":"no"}'), r"saw HTTP 403 \(prometheus_token "),
        "error": (
            http("422 No", b'{"status":"error","errorType":"execution","error":"too\\nmany"}'),
            "expected success, saw HTTP 422, execution: too many$",
        ),
        "error-200": (http("200 OK", b'{"status":"error"}'), "expected success, saw HTTP 200"),
        "success-500": (ok("").replace(b"200 OK", b"500 Oh"), "expected success, saw HTTP 500"),
        "truncated": (http("200 OK", b'{"status":"success","data":{'), "saw HTTP 200: {"),
        "cut-off": (http("200 OK", b"{}").replace(b": 2", b": 9"), "."),
        "empty": (http("200 OK", b""), "saw HTTP 200: an empty body"),
        "list": (http("200 OK", b"[]"), r"saw HTTP 200: \[\]"),
        "no-data": (http("200 OK", b'{"status":"success"}'), "KeyError: 'data'"),
        "null": (http("200 OK", b'{"status":"success","data":null}'), "form of an answer"),
        "warnings": (
            ok('{"metric":{},"value":[1,"1"]}', ',"warnings":["store 2 is away"]'),
            "without warnings, saw .*store 2 is away",
        ),
        "no-value": (ok('{"metric":{},"value":[]}'), "form of an answer"),
        "no-number": (ok('{"metric":{},"value":[1,"one"]}'), "form of an answer"),
        "odd-time": (ok('{"metric":{},"value":["x","1"]}'), "form of an answer"),
        "far-time": (ok('{"metric":{},"value":[1e99,"1"]}'), "form of an answer"),
        "nan": (ok('{"metric":{},"value":[1,NaN]}'), "saw HTTP 200"),
        "deep": (http("200 OK", b"[" * 100_000), "saw HTTP 200"),
        "no-http": (b"hello\r\n\r\n", "."),
        "gone": (b"", "."),
    }
)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_unreachable(loopback: "Loopback", name: str) -> None:
    """One line, recorded, and with nothing in it that a login page was handed."""
    answer, expected = BAD[name]
    observed: list[Observation] = []
    looking = client(loopback, f"http://localhost:{loopback.serve(saying(answer))}/", observed)

    with pytest.raises(UnreachableError, match=expected) as caught:
        looking.value("up")

    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert [one.seen for one in observed] == [f"could not look: {caught.value}"]


NOTE = "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (1:6)"


@pytest.mark.parametrize("key", ["warnings", "infos"])
def test_a_note_is_kept_and_the_number_counts(loopback: "Loopback", key: str) -> None:
    """Before 3.0 notes are among the warnings."""
    answer = ok('{"metric":{},"value":[1,"182.4"]}', f',"{key}":["{NOTE}"]')
    observed: list[Observation] = []
    looking = client(loopback, f"http://localhost:{loopback.serve(saying(answer))}/", observed)

    assert looking.value("x") == 182.4
    assert [one.seen for one in observed] == [f"noted: {NOTE}", "the number 182.4"]


@pytest.mark.parametrize(
    "besides",
    [
        f',"warnings":["{NOTE}","store 2 is away"]',
        ',"warnings":["PromQL warning: quantile value should be between 0 and 1, got 95 (1:20)"]',
        ',"warnings":"store 2 is away"',
        f',"warnings":["store 2 says PromQL info"],"infos":["{NOTE}"]',
    ],
)
def test_a_warning_beside_a_note_is_one(loopback: "Loopback", besides: str) -> None:
    answer = ok('{"metric":{},"value":[1,"182.4"]}', besides)
    looking = client(loopback, f"http://localhost:{loopback.serve(saying(answer))}/")

    with pytest.raises(UnreachableError, match=r"without warnings, saw (PromQL w|store 2)"):
        looking.value("x")


def test_a_user_and_a_password(loopback: "Loopback") -> None:
    """Basic authentication, as curl -u has it; neither is shown, in base64 either."""
    asked: list[bytes] = []
    server = saying(ok('{"metric":{},"value":[1,"7"]}'), asked)
    observed: list[Observation] = []
    looking = client(
        loopback,
        f"https://localhost:{loopback.serve_tls(server)}",
        observed,
        credentials={"prometheus_password": "PROM_PASSWORD"},
        variables={"PROM_PASSWORD": "nox:pä:ss-of-prometheus"},
    )

    assert looking.value("up") == 7
    sent = base64.b64encode("nox:pä:ss-of-prometheus".encode())
    assert b"authorization: basic " + sent.lower() + b"\r\n" in asked[0].lower()
    (look,) = observed
    assert '-u "${PROM_PASSWORD:?}"' in look.repeat
    assert "ss-of-prometheus" not in str(observed)
    assert sent.decode() not in str(observed)


def test_a_path_before_the_api_is_kept_and_the_token_is_not_shown(loopback: "Loopback") -> None:
    """As behind a proxy of many tenants, over TLS with the target's own authority."""
    asked: list[bytes] = []
    server = saying(ok('{"metric":{},"value":[1,"7"]}'), asked)
    observed: list[Observation] = []
    url = f"https://localhost:{loopback.serve_tls(server)}/tenant-1/prometheus"
    credentials = {"prometheus_token": "PROM_TOKEN"}
    variables = {"PROM_TOKEN": "token-of-prometheus"}
    looking = client(loopback, url, observed, credentials=credentials, variables=variables)

    assert looking.value("up") == 7
    assert asked[0].startswith(b"GET /tenant-1/prometheus/api/v1/query?query=up HTTP/1.1\r\n")
    assert b"authorization: bearer token-of-prometheus\r\n" in asked[0].lower()
    (look,) = observed
    assert '-H "Authorization: Bearer ${PROM_TOKEN:?}"' in look.repeat
    assert "--cacert" in look.repeat
    assert "token-of-prometheus" not in str(observed)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"prometheus_url": None}, r"^loopback\.toml names no prometheus_url$"),
        ({"variables": {}}, r"^PROM_TOKEN is not set \(loopback\.toml \[credentials\] prometheus_token\)"),
        ({"prometheus_url": "http://prometheus.example"}, r"^http://prometheus\.example: expected https"),
        (
            {
                "credentials": {"prometheus_password": "PROM_PASSWORD"},
                "variables": {"PROM_PASSWORD": "a-password-alone"},
            },
            r"^\$PROM_PASSWORD: expected USER:PASSWORD, saw no colon in it$",
        ),
    ],
)
def test_what_the_profile_lacks(loopback: "Loopback", changes: dict[str, Any], expected: str) -> None:
    """A token is sent to this machine, or over TLS."""
    usual: dict[str, Any] = {
        "prometheus_url": "https://localhost:9",
        "credentials": {"prometheus_token": "PROM_TOKEN"},
        "variables": {"PROM_TOKEN": "token-of-prometheus"},
    }
    settings = usual | changes
    looking = client(loopback, settings.pop("prometheus_url"), **settings)

    with pytest.raises(UnreachableError, match=expected):
        looking.targets()


def test_an_alertmanager_is_asked_without_the_token(loopback: "Loopback") -> None:
    """It is another server."""
    asked: list[bytes] = []
    server = saying(
        http("200 OK", b'{"cluster":{"status":"ready"},"versionInfo":{"version":"0.25.0"}}'), asked
    )
    observed: list[Observation] = []
    credentials = {"prometheus_token": "PROM_TOKEN"}
    variables = {"PROM_TOKEN": "token-of-prometheus"}
    url = f"http://localhost:{loopback.serve(server)}"
    looking = client(loopback, "https://localhost:9", observed, credentials=credentials, variables=variables)

    assert looking.ask_alertmanager(url) == "0.25.0"
    assert asked[0].startswith(b"GET /api/v2/status HTTP/1.1\r\n")
    assert b"token-of-prometheus" not in asked[0]
    assert observed == [Observation("Alertmanager 0.25.0 answers", f"curl -sS {url}/api/v2/status")]


@pytest.mark.parametrize("name", ["html", "login", "no-token", "error-200", "list", "empty", "null", "gone"])
def test_what_is_no_alertmanager(loopback: "Loopback", name: str) -> None:
    url = f"http://localhost:{loopback.serve(saying(BAD[name][0]))}"

    with pytest.raises(UnreachableError, match=r"\A[^\n]+\Z"):
        client(loopback, url).ask_alertmanager(url)


def test_a_certificate_that_is_not_trusted(loopback: "Loopback") -> None:
    url = f"https://localhost:{loopback.serve_tls(saying(ok('')))}"

    with pytest.raises(UnreachableError, match="certificate verify failed"):
        client(loopback, url, ca_file=None).targets()


def test_nobody_there(loopback: "Loopback") -> None:
    with pytest.raises(UnreachableError, match="refused"):
        client(loopback, f"http://localhost:{loopback.closed_port()}").targets()
