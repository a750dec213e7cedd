"""Canary secrets pushed from checks into every sink: none may show in the output or in the run folder."""

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests_self.secret_texts import SECRET, Maker

if TYPE_CHECKING:
    from tests_self.conftest import Project

# Pieces that no report contains by chance, joined by what every format must escape. A piece has fewer
# characters than a fragment: only who knows the secret in that format's disguise can redact it.
PIECES = {
    "TEST_TOKEN": ["tKq7Zx", "tWm3Vy", "tRp9Hd", "tXn5Bc"],
    "ADMIN_TOKEN": ["aKq7Zx", "aWm3Vy", "aRp9Hd", "aXn5Bc"],
    "DATABASE_URL": ["dKq7Zx", "dWm3Vy", "dRp9Hd", "dXn5Bc"],
    "REDIS_URL": ["rKq7Zx", "rWm3Vy", "rRp9Hd", "rXn5Bc"],
}
TOKENS = {name: f"{a}\"'{b}<&{c}%+/\\{d}" for name, (a, b, c, d) in list(PIECES.items())[:2]}
PASSWORDS = {name: f"{a}\"é'{b}<&>{c}%+/\\{d}" for name, (a, b, c, d) in list(PIECES.items())[2:]}
SECRETS = TOKENS | PASSWORDS
VARIABLES = TOKENS | {
    "DATABASE_URL": f"postgresql://nox:{quote(PASSWORDS['DATABASE_URL'], safe='')}@127.0.0.1:9/nox",
    "REDIS_URL": f"redis://:{quote(PASSWORDS['REDIS_URL'], safe='')}@127.0.0.1:9/0",
}

# What every check below starts with: the four secrets, as a careless author would hold them.
TOP = """
import json, logging, os, subprocess, sys, warnings
from urllib.parse import unquote
TOKEN, ADMIN, DATABASE, REDIS = [os.environ[name] for name in
    ("TEST_TOKEN", "ADMIN_TOKEN", "DATABASE_URL", "REDIS_URL")]
PASSWORD = unquote(DATABASE.split(":")[2].split("@")[0])
ALL = [TOKEN, ADMIN, DATABASE, REDIS, PASSWORD]
"""
ALL_AND_FAIL = {
    "diff": "assert {'a': ALL} == {'a': None}",
    "diff_text": "assert TOKEN + 'x' == 'x' + TOKEN + PASSWORD",
    "contains": "assert 'zzz' in f'<{TOKEN}> {PASSWORD}'",
    "message": "raise RuntimeError(f'{TOKEN} {ADMIN} {DATABASE} {REDIS} {PASSWORD}')",
    "escaped": "raise RuntimeError(json.dumps(ALL) + repr(ALL) + repr(PASSWORD.encode()))",
    "chain": "try:\n    raise ValueError(ALL)\nexcept ValueError:\n    raise KeyError(*ALL)",
    "cause": "raise KeyError(TOKEN) from OSError(5, PASSWORD)",
    "group": "raise ExceptionGroup(TOKEN, [ValueError(PASSWORD), ValueError(ADMIN)])",
    "note": "error = AssertionError('noted')\nerror.add_note(PASSWORD)\nraise error",
    "away": "raise UnreachableError(f'{DATABASE}: {TOKEN}')",
    "fail": "pytest.fail(f'{TOKEN} {PASSWORD}', pytrace=False)",
    "skip": "pytest.skip(f'{TOKEN} {PASSWORD}')",
    "xfail": "pytest.xfail(f'{TOKEN} {PASSWORD}')",
    "exit": "sys.exit(f'{TOKEN} {PASSWORD}')",
    "printed": "print(ALL, TOKEN)\nprint(PASSWORD, file=sys.stderr)\nassert False",
    "logged": "logging.getLogger('mine').error('%s %s', TOKEN, ALL)\nassert False",
    "warned": "warnings.warn(f'{TOKEN} {PASSWORD}')",
    "headers": (
        "import httpx\n"
        "assert httpx.Headers({'authorization': f'Bearer {TOKEN}'}) == httpx.Headers({'authorization': 'x'})"
    ),
    "request": (
        "import httpx\n"
        "request = httpx.Request('GET', 'https://localhost', headers={'x': TOKEN}, params={'p': PASSWORD})\n"
        "assert request is None, f'{request!r} {request.headers.raw} {request.url}'"
    ),
    "psycopg": "import psycopg\npsycopg.connect(DATABASE, connect_timeout=1)",
    "psycopg_info": "import psycopg\npsycopg.connect(DATABASE + ' x=' + PASSWORD, connect_timeout=1)",
    "redis": (
        "import redis\nclient = redis.Redis.from_url(REDIS)\n"
        "assert client.connection_pool.connection_kwargs == {}"
    ),
    "argv": "subprocess.run(['false', TOKEN, PASSWORD, DATABASE], check=True)",
    "child": "subprocess.run([sys.executable, '-c', 'import os; print(os.environ)'])\nassert False",
    "target": "assert vars(target) == {}",
    "secret": "assert target.credential('test_token') == target.credential('admin_token').reveal()",
    "locals": "mine = {'all': ALL, 'token': TOKEN}\npassword = PASSWORD\nassert False",
    "saw": "observe(Observation(f'saw {ALL} {TOKEN}', f'curl -u {PASSWORD} {DATABASE}'))\nassert False",
    "properties": "request.node.user_properties.append((TOKEN, ALL))",
    "base64": (
        "import base64\nfor shift in range(3):\n"
        "    print(base64.b64encode(b'-' * shift + TOKEN.encode()))\nassert False"
    ),
    "allure_parameter": "import allure\nallure.dynamic.parameter('token', TOKEN)\nassert False",
    "allure_title": "import allure\nallure.dynamic.title(TOKEN)\nallure.dynamic.description(PASSWORD)",
    "allure_step": "import allure\nwith allure.step(TOKEN):\n    raise RuntimeError(PASSWORD)",
    "thread": (
        "import threading\n"
        "def run():\n    raise RuntimeError(PASSWORD)\n"
        "thread = threading.Thread(target=run)\nthread.start()\nthread.join()"
    ),
    "subtest": "with subtests.test(TOKEN, password=PASSWORD):\n    print(ADMIN)\n    assert TOKEN == ADMIN",
    "http_debug": (
        "import http.server, threading, httpx\n"
        "class Cookies(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.send_header('set-cookie', 'session=' + ADMIN)\n"
        "        self.end_headers()\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), Cookies)\n"
        "threading.Thread(target=server.handle_request).start()\n"
        "url = f'http://127.0.0.1:{server.server_port}'\n"
        "answer = httpx.get(url, params={'p': PASSWORD}, headers={'x': TOKEN}, trust_env=False)\n"
        "server.server_close()\n"
        "assert answer.headers == {}, answer.cookies"
    ),
    "extras": "import pytest_html\nextras.append(pytest_html.extras.html(f'<b>{TOKEN}</b> {PASSWORD}'))",
    "surrogate": "raise RuntimeError('\\ud800' + TOKEN)",
}
FIXTURES = {
    "fixture_error": "raise RuntimeError(f'{TOKEN} {PASSWORD}')\n    yield",
    "fixture_value": "print(TOKEN)\n    yield [TOKEN, PASSWORD]",
    "teardown_error": "yield\n    print(PASSWORD)\n    raise RuntimeError(f'{TOKEN} {PASSWORD}')",
}


@pytest.fixture
def leaky(project: "Project", monkeypatch: pytest.MonkeyPatch) -> "Project":
    """A project whose checks spill the canaries wherever they can."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    (project.path / "conftest.py").write_text(
        "import pytest\nfrom noxgate.plugin.gate import gate_of\n"
        "@pytest.fixture\ndef target(pytestconfig):\n    return gate_of(pytestconfig).target\n"
    )
    for name, body in ALL_AND_FAIL.items():
        project.check(name, body, top=TOP, arguments="observe, target, request, subtests, extras")
    for name, body in FIXTURES.items():
        fixture = f"@pytest.fixture\ndef given():\n    {body}\n"
        project.check(name, "assert given is None", top=TOP + fixture, arguments="observe, given")
    return project


def spilled(text: str) -> list[str]:
    """What of the canaries a text gives away: any piece, and any secret in base64 or hex."""
    found = [piece for pieces in PIECES.values() for piece in pieces if piece in text]
    for name, value in SECRETS.items():
        for shift in range(3):
            encoded = base64.b64encode(b"-" * shift + value.encode()).decode()[4:-4]
            found += [f"{name} in base64" for part in (encoded, encoded.replace("+", "-")) if part in text]
        found += [f"{name} in hex" for part in (value.encode().hex(),) if part in text]
    return found


def assert_clean(project: "Project", result: pytest.RunResult) -> None:
    """Nothing in the output, nothing in any file or its name."""
    lines = result.outlines + result.errlines
    assert {line: found for line in lines if (found := spilled(line))} == {}
    files = [path for path in (project.path / "reports").rglob("*") if path.is_file()]
    assert len(files) > 5
    assert {str(path.name): found for path in files if (found := spilled(str(path) + read(path)))} == {}


def read(path: Path) -> str:
    """A file as text."""
    return path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="plain"),
        pytest.param(("-vv", "--showlocals", "--tb=long", "-rA"), id="long-locals"),
        pytest.param(("--showlocals", "--tb=short", "-n", "2"), id="xdist"),
        pytest.param(
            ("--setup-show", "--tb=native", "--log-level=DEBUG", "-o", "junit_logging=all", "-rA"),
            id="native-debug",
        ),
        pytest.param(("--tb=line", "--show-capture=all", "-W", "default"), id="line-warnings"),
        pytest.param(("--tb=long", "-W", "default", "-n", "2", "-v"), id="xdist-warnings"),
    ],
)
def test_no_canary_shows(leaky: "Project", options: tuple[str, ...]) -> None:
    """Not in the terminal and not in the folder, and no file had to be removed for it."""
    result = leaky.gate(*options)

    assert_clean(leaky, result)
    assert leaky.results()["doubts"] == []
    assert result.ret == 1
    assert "***" in result.stdout.str()


@pytest.mark.parametrize("option", ["-s", "--capture=tee-sys", "--log-cli-level=DEBUG"])
def test_raw_output_leaves_the_folder_clean(leaky: "Project", option: str) -> None:
    """These send what a check prints or logs straight to the terminal, past us; the evidence stays clean."""
    result = leaky.gate(option)

    assert leaky.results()["doubts"] == []
    result.outlines.clear()
    result.errlines.clear()
    assert_clean(leaky, result)


def test_the_detector_sees_a_canary() -> None:
    """Or the tests above would prove nothing."""
    for name, value in SECRETS.items():
        assert spilled(f"x{value}x") != []
        assert spilled(repr(value)) != []
        assert spilled(value[5:15]) != [] or name
        assert spilled(base64.b64encode(b"abc" + value.encode() + b"x").decode()) != []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("raise RuntimeError(f'{TOKEN} {PASSWORD}')", "collection error", id="collection"),
        pytest.param("print(ALL)\nprint(TOKEN)\nraise RuntimeError", "captured at collection", id="printed"),
        pytest.param(
            "import warnings\nwarnings.warn(f'{TOKEN} {PASSWORD}')", "warning at collection", id="warning"
        ),
    ],
)
def test_no_canary_shows_before_checks_run(leaky: "Project", text: str, where: str) -> None:
    """An import may fail with a secret in its message."""
    leaky.file("version").write_text(f"# {where}\n" + TOP + text)

    result = leaky.gate("-W", "default", "--continue-on-collection-errors", "-k", "version or saw")

    assert_clean(leaky, result)


def test_no_canary_shows_in_an_internal_error(leaky: "Project") -> None:
    """Pytest prints the whole traceback of a broken hook."""
    (leaky.path / "tests_staging" / "conftest.py").write_text(
        TOP + "def pytest_runtest_logreport():\n    raise RuntimeError(f'{TOKEN} {PASSWORD}')\n"
    )

    result = leaky.gate("-k", "version")

    assert result.ret == 3
    assert_clean(leaky, result)


def test_no_canary_shows_in_the_selection(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """results.json keeps what was asked."""
    monkeypatch.setenv("TEST_TOKEN", "tokenthatisaword")

    project.gate("-k", "not tokenthatisaword")

    assert project.results()["selection"]["k"] == "not ***"
    files = [path for path in (project.path / "reports").rglob("*") if path.is_file()]
    assert [path.name for path in files if "tokenthatisaword" in read(path)] == []


def test_a_token_that_begins_as_the_name_of_a_check(
    project: "Project", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reports of its name stay, and the token does not show."""
    monkeypatch.setenv("TEST_TOKEN", "test_health_4fQ9zK2m")
    project.check("health", "import os\nassert os.environ['TEST_TOKEN'] == ''")

    result = project.gate()

    assert result.ret == 1
    folder = next((project.path / "reports").glob("*/*/report.html")).parent
    kept = [path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()]
    assert any("test_health.py" in text for text in kept)
    assert not any("4fQ9zK2m" in text for text in [*kept, *result.outlines])


@pytest.mark.parametrize("word", ["unreachable", "Expected", "staging."])
def test_a_token_that_is_a_word_of_every_report(
    project: "Project", monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """Without it results.json would say nothing: the run does not begin."""
    monkeypatch.setenv("TEST_TOKEN", word)
    project.check("health", "assert 1 == 2")

    result = project.gate()

    assert result.ret == 4
    assert "TEST_TOKEN: expected a token or password that is not a word of the reports" in result.stderr.str()


def test_a_password_of_plain_english(project: "Project", monkeypatch: pytest.MonkeyPatch) -> None:
    """What the gate says has its words, and stays; it itself does not show."""
    phrase = "blue 7 at the release of nox"
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nox:{quote(phrase)}@127.0.0.1:9/nox")
    project.check("health", f"assert {phrase!r} == 'blue at the release of nox'")

    project.gate()

    folder = next((project.path / "reports").glob("*/*/report.html")).parent
    results = (folder / "results.json").read_text(encoding="utf-8")
    assert "***" in results
    assert "blue 7 at" not in results
    assert "7 at the" not in (folder / "report.html").read_text(encoding="utf-8")


def test_node_id_with_a_canary_is_refused(leaky: "Project") -> None:
    """And the message does not repeat it."""
    text = leaky.file("version").read_text()
    fixture = "@pytest.fixture(params=[TOKEN], autouse=True)\ndef given():\n    pass\n"
    leaky.file("version").write_text(text.replace("import pytest\n", "import pytest\n" + TOP + fixture, 1))

    result = leaky.gate("-k", "version")

    assert result.ret == 4
    assert {line: found for line in result.outlines + result.errlines if (found := spilled(line))} == {}


@pytest.mark.parametrize(
    ("name", "body", "file"),
    [
        pytest.param(
            "attach", "import allure\nallure.attach(TOKEN)", "allure-results/*-attachment", id="allure"
        ),
        pytest.param(
            "packed",
            "import allure, gzip, html\nallure.attach(gzip.compress(html.escape(TOKEN).encode()))",
            "allure-results/*-attachment",
            id="allure-packed",
        ),
        pytest.param(
            "picture",
            "import base64, gzip, pytest_html\n"
            "svg = base64.b64encode(gzip.compress(f'<svg><text>{TOKEN}</text></svg>'.encode())).decode()\n"
            "extras.append(pytest_html.extras.html(f'<img src=\"data:image/svg+xml;base64,{svg}\">'))",
            "report.html",
            id="picture-in-html",
        ),
        pytest.param(
            "load",
            "import gzip\nkept = pathlib.Path('out')\nkept.mkdir()\n"
            "(kept / 'result.json.gz').write_bytes(gzip.compress(json.dumps({'failed': TOKEN}).encode()))\n"
            "observe(Observation('a load test', 'noxgate load', kept=kept))",
            "load/*/result.json.gz",
            id="load-test",
        ),
        pytest.param("attribute", "record_testsuite_property('token', TOKEN)", "junit.xml", id="junit"),
        pytest.param(
            "file",
            "(next(pathlib.Path('reports').rglob('.running*')) / 'own.txt').write_text(f'a {PASSWORD} z')",
            "own.txt",
            id="own-file",
        ),
        pytest.param(
            "name",
            "(next(pathlib.Path('reports').rglob('.running*')) / TOKEN.partition('/')[0]).touch()",
            "*",
            id="file-name",
        ),
    ],
)
def test_sweep_removes_what_slipped_through(leaky: "Project", name: str, body: str, file: str) -> None:
    """Sinks beside the report: GO turns INCONCLUSIVE; file and variable are named, the value is not."""
    for other in (leaky.path / "tests_staging").glob("test_*.py"):
        other.unlink()
    runbook = leaky.path / "runbook.toml"
    runbook.write_text(runbook.read_text().partition("[staging.version]")[0])
    fixtures = "observe, request, record_testsuite_property, extras"
    leaky.check(name, body, top=TOP + "import pathlib\n", arguments=fixtures)

    result = leaky.gate()

    assert result.ret == 2
    assert_clean(leaky, result)
    (doubt,) = leaky.results()["doubts"]
    assert doubt.endswith(
        (
            "would have shown $TEST_TOKEN: the file was removed",
            "would have shown $DATABASE_URL: the file was removed",
        )
    )
    if file != "*":
        assert list(leaky.folders()[0].glob(file)) == []
    assert doubt in result.outlines


# Where a text may come in: what a target says, a job's error, a diff, what is printed, logged, added.
UNTOLD = {
    "saw": "for text in TEXTS:\n    observe(Observation(f'HTTP 500: {text}', 'curl -sS x'))\nassert False",
    "reason": "raise AssertionError(' '.join(TEXTS[0].split()))",
    "message": "raise RuntimeError('\\n'.join(TEXTS))",
    "away": "raise UnreachableError('; '.join(TEXTS))",
    "diff": "assert {'a': TEXTS} == {'a': None}",
    "printed": "print(*TEXTS, sep='\\n')\nprint(TEXTS, file=sys.stderr)\nassert False",
    "logged": "for text in TEXTS:\n    logging.getLogger('job').error(text)\nassert False",
    "locals": "mine = TEXTS\nassert False",
    "properties": "request.node.user_properties.append(('job', TEXTS))",
    "allure": "import allure\nallure.dynamic.description(' '.join(TEXTS))",
    "warned": "warnings.warn(' '.join(TEXTS))",
}


def test_nothing_untold_shows(project: "Project") -> None:
    """Secrets of every form that no variable named: in no file, and in no line of the output."""
    texts = [SECRET[form](Maker(form)) for form in SECRET]
    (project.path / "texts.json").write_text(json.dumps([said for said, _ in texts]))
    top = "import json, logging, sys, warnings\nTEXTS = json.load(open('texts.json'))\n"
    for name, body in UNTOLD.items():
        project.check(name, body, top=top, arguments="observe, request")

    result = project.gate("-vv", "--showlocals", "-rA", "-W", "default")

    assert result.ret == 1
    assert project.results()["doubts"] == []
    files = [path for path in (project.path / "reports").rglob("*") if path.is_file()]
    assert len(files) > 5
    said = {path.name: read(path) for path in files} | {"the terminal": result.stdout.str()}
    shown = {where: [each for _, each in texts if each in text] for where, text in said.items()}
    assert {where: found for where, found in shown.items() if found} == {}


@pytest.mark.parametrize("form", ["url-postgresql", "pem", "settings", "jwt"])
def test_sweep_removes_what_nobody_told(project: "Project", form: str) -> None:
    """A file that a check attached, past the report: named by its form, and no GO."""
    said, secret = SECRET[form](Maker(form))
    (project.path / "said.txt").write_text(said)
    for other in (project.path / "tests_staging").glob("test_*.py"):
        other.unlink()
    project.check(
        "attached", "import allure\nimport pathlib\nallure.attach(pathlib.Path('said.txt').read_text())"
    )

    result = project.gate()

    assert result.ret == 2
    (doubt,) = [each for each in project.results()["doubts"] if "would have shown" in each]
    assert secret not in doubt
    assert [
        path for path in (project.path / "reports").rglob("*") if path.is_file() and secret in read(path)
    ] == []


def test_results_withhold_what_is_packed(leaky: "Project") -> None:
    """What the other files are removed for is not left in the one that stays."""
    leaky.check(
        "health",
        "packed = base64.b64encode(gzip.compress(f'a token {TOKEN} in an answer'.encode())).decode()\n"
        "observe(Observation(packed, 'curl'))\nassert packed == ''",
        top=TOP + "import base64, gzip\n",
    )

    result = leaky.gate()

    assert result.ret != 0
    (found,) = (line for line in leaky.results()["lines"] if line["id"] == "staging.health")
    withheld = "(text withheld: it would have shown $TEST_TOKEN)"
    assert {"seen": withheld, "repeat": "curl"} in found["checks"][0]["observations"]
    assert found["reason"] == withheld
    assert "H4sI" not in json.dumps(leaky.results())  # how base64 of gzip begins
