"""What a service says of its settings and of its statements is harmless, though it has an error's words."""

import pytest

from noxgate.systems.kubernetes.log_lines import count_grave, is_grave

SETTINGS = [
    "LOG_LEVEL=ERROR",
    "log_level=ERROR workers=4",
    "LOG_LEVEL: ERROR",
    "  log_level: error",
    "  loglevel: error",
    "export LOG_LEVEL=error",
    "Starting with LOG_LEVEL=error and 4 workers",
    "settings: log_level='error' workers=4 debug=False",
    "Settings(log_level='ERROR', workers=4)",
    "{'log_level': 'ERROR', 'port': 3000}",
    '{"log_level":"error","port":80}',
    '{"level":"info","msg":"settings","log_level":"error"}',
    'log_level=error level=info msg="settings"',
    "logging.level.root=ERROR",
    "NOX_LOG_LEVEL=critical",
    "RUST_LOG=error",
    "LOG_LEVEL=ERROR of=" + "a-" * 1000,  # read at once, however many parts a word has
    "Uncaught exception handler installed",
    "Error handling middleware registered",
]
ERRORS = [
    'log_level=error msg="no connection"',
    "2026-11-24 22:00:01 log_level=ERROR no connection to the queue",
    '{"log_level":"error","message":"no connection"}',
    '{"log_level":"error","error":"no connection"}',
    '{"log_level":"error","message":"cut off in the mid',
    "{'log_level': 'ERROR', 'msg': 'no connection'}",
    '{"log.level":"ERROR","port":80}',
    "nox-api log_level=error no connection to the queue",
    "Settings(log_level='ERROR') were refused: a fatal error",
    "level=error",
    "Uncaught exception in the queue's handler",
    "error handling a request",
]


@pytest.mark.parametrize("line", SETTINGS)
def test_a_setting(line: str) -> None:
    assert not is_grave(line)


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_beside_a_setting(line: str) -> None:
    assert is_grave(line)


ECHO = """\
2026-11-24 22:00:01,000 INFO sqlalchemy.engine.Engine SELECT jobs.id AS jobs_id, jobs.error AS jobs_error
FROM jobs LEFT OUTER JOIN errors ON errors.job = jobs.id
WHERE jobs.state = 'error' AND errors.level = 'CRITICAL'
ORDER BY fatal
 LIMIT 5
2026-11-24 22:00:01,000 INFO sqlalchemy.engine.Engine [cached since 1s ago] {}"""
TABLE = """\
INFO:sqlalchemy.engine.Engine:
CREATE TABLE jobs (
\tid SERIAL NOT NULL,
\terror TEXT,
\tlevel TEXT DEFAULT 'ERROR',
)


INFO:sqlalchemy.engine.Engine:[no key 0.00010s] {}"""


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (ECHO, 0),
        (TABLE, 0),
        (ECHO.replace(" INFO ", " ERROR ", 1), 3),
        (f"{ECHO}\nerror: the queue is gone", 1),
        (ECHO.replace("ORDER BY fatal", "2026-11-24 22:00:01,000 ERROR nox: the queue is gone"), 1),
        (ECHO.replace("ORDER BY fatal", "fatal error: out of memory"), 1),
        ("INFO: it was SELECTED\nWHERE is the error", 1),
    ],
)
def test_a_statement_over_several_lines(text: str, errors: int) -> None:
    """What SQLAlchemy echoes ends where another event begins."""
    assert count_grave(text.split("\n")) == errors


INFO, GRAVE = '{"level":"info","msg":"an {error} of theirs"}', '{"level":"error","msg":"the queue is gone"}'


@pytest.mark.parametrize(
    ("line", "errors"),
    [
        (INFO + GRAVE, 1),
        (f"{INFO} {GRAVE}{GRAVE}", 2),
        (INFO + INFO, 0),
        ('{"level":"info","msg":{"of":1},"a":[{} ,{"level":"error"}]}', 0),
        ('{"level":"info","msg":"}{"}', 0),
    ],
)
def test_documents_without_a_line_between(line: str, errors: int) -> None:
    """Each is an event of its own."""
    assert count_grave([line]) == errors
