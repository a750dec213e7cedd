"""Lines that belong together: a crash with its stack is one event, and a harmless one stays harmless."""

import re

import pytest

from noxgate.systems.kubernetes.log_lines import Allowed, unexpected_events
from noxgate.systems.kubernetes.logs.events import events

INFO = "2026-11-24 22:00:00,000 INFO nox.jobs: a job was taken"
WARNING = "2026-11-24 22:00:01,000 WARNING nox.jobs: trying again"
ERROR = "2026-11-24 22:00:01,000 ERROR nox.jobs: the job is lost"

TRACEBACK = """\
Traceback (most recent call last):
  File "/app/nox/jobs.py", line 12, in run
    raise KeyError(name)
    ^^^^^^^^^^^^^^^^^^^^
KeyError: 'boiling_point'"""
CHAINED = f"""\
{TRACEBACK}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/nox/jobs.py", line 20, in main
    error = await run()
sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed
[SQL: SELECT error FROM jobs]
(Background on this error at: https://sqlalche.me/e/20/e3q8)"""
GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/nox/jobs.py", line 12, in run
  |     raise ExceptionGroup("two", errors)
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: one
    +---------------- 2 ----------------
    | ValueError: two
    +------------------------------------"""
THREAD = f"""\
Exception in thread Thread-1 (run):
{TRACEBACK}"""
JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: the queue is gone
\tat nox.Jobs.run(Jobs.java:12)
\tat nox.Main.main(Main.java:3)
Caused by: java.io.IOException: error while reading
\tat nox.Queue.read(Queue.java:7)
\t... 2 more"""
JVM = """\
#
# A fatal error has been detected by the Java Runtime Environment:
#
#  SIGSEGV (0xb) at pc=0x00007f2a, pid=1, tid=7
#
# JRE version: OpenJDK Runtime Environment (17.0.9) (build 17.0.9)
# Problematic frame:
# C  [libc.so.6+0x1]"""
GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48]

goroutine 1 [running]:
main.run(0x0)
\t/app/main.go:12 +0x1d
main.main()
\t/app/main.go:3 +0x17
exit status 2"""
DEADLOCK = """\
fatal error: all goroutines are asleep - deadlock!

goroutine 1 [chan receive]:
main.main()
\t/app/main.go:3 +0x17"""
RUST = """\
thread 'main' panicked at src/main.rs:12:5:
called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: "no such file" }
stack backtrace:
   0: rust_begin_unwind
             at /rustc/1/library/std/src/panicking.rs:665:5
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"""
NODE = """\
/app/index.js:3
    throw new Error("the queue is gone");
    ^

Error: the queue is gone
    at Object.<anonymous> (/app/index.js:3:11)
    at Module._compile (node:internal/modules/cjs/loader:1256:14)

Node.js v20.1.0"""
REJECTION = """\
node:internal/process/promises:288
            triggerUncaughtException(err, true /* fromPromise */);
            ^

[UnhandledPromiseRejection: This error originated either by throwing inside of an async function] {
  code: 'ERR_UNHANDLED_REJECTION'
}

Node.js v20.1.0"""
DOTNET = """\
Unhandled exception. System.InvalidOperationException: The queue is gone
 ---> System.IO.IOException: error
   at Nox.Queue.Read() in /app/Queue.cs:line 7
   --- End of inner exception stack trace ---
   at Nox.Program.Main() in /app/Program.cs:line 3"""
DOTNET_LOG = """\
fail: Nox.Jobs[0]
      The queue is gone
      System.IO.IOException: error
         at Nox.Queue.Read() in /app/Queue.cs:line 7"""
JUL = """\
Nov 24, 2026 10:00:01 PM nox.Jobs run
SEVERE: the queue is gone"""
PRETTY = """\
{
  "level": "error",
  "message": "the queue is gone"
}"""
CRASHES = {
    name: text
    for name, text in globals().items()
    if isinstance(text, str)
    and name.isupper()
    and name not in {"INFO", "WARNING", "ERROR", "JUL"}
    and not name.startswith("_")
}
PINO = """    err: {
      "type": "Error",
      "stack":
          Error: gone
              at run (/app/jobs.js:1:1)
    }"""


def graves(text: str) -> list[tuple[str, ...]]:
    return [event.lines for event in events(text.splitlines()) if event.is_grave]


@pytest.mark.parametrize("name", CRASHES)
def test_crash_is_one_event(name: str) -> None:
    """Whole, between lines of a log and at its end."""
    lines = tuple(CRASHES[name].splitlines())

    assert graves(f"{INFO}\n{CRASHES[name]}\n{INFO}") == [lines]
    assert graves(f"{INFO}\n{CRASHES[name]}") == [lines]
    assert graves(CRASHES[name]) == [lines]


@pytest.mark.parametrize("name", CRASHES)
def test_two_crashes_are_two(name: str) -> None:
    """With a line of the log between them."""
    assert len(graves(f"{CRASHES[name]}\n{INFO}\n{CRASHES[name]}")) == 2


def test_two_tracebacks_one_after_another() -> None:
    """Nothing says that the second came of the first."""
    assert len(graves(f"{TRACEBACK}\n{TRACEBACK}")) == 2


@pytest.mark.parametrize("trace", [TRACEBACK, JAVA.partition("\n")[2], NODE.partition("\n\n")[2], CHAINED])
def test_traceback_of_an_error_is_the_errors(trace: str) -> None:
    """What a logger prints below its own line."""
    if trace.startswith("\tat"):
        trace = f"java.io.IOException: error while reading\n{trace}"

    assert len(graves(f"{INFO}\n{ERROR}\n{trace}\n{INFO}")) == 1
    assert len(graves(f"{INFO}\n{ERROR}\n\n{trace}\n\n{INFO}")) == 1  # as Spring Boot does
    assert len(graves(f"{INFO}\n{ERROR}\n{trace}\n{INFO}".replace("\n", "\r\n"))) == 1


@pytest.mark.parametrize(
    "trace", [TRACEBACK, CHAINED, "java.io.IOException: gone\n\tat nox.Jobs.run(Jobs.java:12)"]
)
def test_traceback_below_a_warning(trace: str) -> None:
    """It was handled, and said so; what a program says last before it ends was not handled."""
    assert graves(f"{WARNING}\n{trace}\n{INFO}") == []
    assert graves(f"{WARNING}\n\n{trace}\n\n{INFO}") == []
    assert graves(f"{WARNING}\r\n{trace}\r\n{INFO}") == []
    assert len(graves(f"{INFO}\n{WARNING}\n{trace}")) == 1


@pytest.mark.parametrize(
    "end",
    [
        "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  File x",
        "Killed",
        "Segmentation fault (core dumped)",
        "terminate called after throwing an instance of 'std::bad_alloc'",
    ],
)
def test_how_a_program_ends_below_what_was_handled(end: str) -> None:
    """A process of several ended, and the others log on: the traceback above it is not its own."""
    assert [event[0] for event in graves(f"{WARNING}\n{TRACEBACK}\n{end}\n{INFO}")] == end.splitlines()[:1]


@pytest.mark.parametrize(
    "before", [INFO, '{"level": "warning", "message": "trying again"}', "level=warn msg=again"]
)
def test_traceback_that_nobody_announced(before: str) -> None:
    """Behind a line that is complete, or of an ordinary level."""
    crash = tuple(TRACEBACK.splitlines())
    if before.startswith("level="):
        assert graves(f"{before}\n{INFO}\n{TRACEBACK}\n{INFO}") == [crash]
    else:
        assert graves(f"{before}\n{TRACEBACK}\n{INFO}") == [crash]


def test_crash_between_lines_of_another_stream() -> None:
    """What else the container wrote meanwhile is judged by itself."""
    head, *rest = TRACEBACK.splitlines()
    found = graves("\n".join([INFO, head, *rest[:2], INFO, *rest[2:], INFO]))

    assert found[0][0] == head
    assert found[-1][-1] == "KeyError: 'boiling_point'"


@pytest.mark.parametrize(
    "text",
    [
        "info: Nox.Jobs[0]\n      error: a word of the message\n      and more",
        f"{INFO}\n    error is a word of what is indented\n{INFO}",
        '{\n  "level": "info",\n  "message": "an error of the caller"\n}',
        "Nov 24, 2026 10:00:01 PM nox.Jobs run\nINFO: an error of the caller",
        f"[22:00:01.120] WARN (1): again\n{PINO}",
        f'[22:00:01.120] INFO (1): done\n    error: {{\n      "count": 0\n    }}\n{INFO}',
        "2026-11-24 22:00:01.123 UTC [42] LOG:  duration: 5 ms\n\tstatement: SELECT error FROM jobs",
    ],
)
def test_harmless_in_several_lines(text: str) -> None:
    """The level of the first line is that of all."""
    assert graves(text) == []


def test_an_object_below_an_error_is_the_errors() -> None:
    """Once, and what comes after it by itself."""
    text = f"[22:00:01.120] ERROR (1): gone\n{PINO}\n{INFO}\n[22:00:02.120] ERROR (1): again"

    assert [event[0] for event in graves(text)] == [
        "[22:00:01.120] ERROR (1): gone",
        "[22:00:02.120] ERROR (1): again",
    ]


def test_java_util_logging() -> None:
    """The level is on the second line."""
    assert graves(f"{INFO}\n{JUL}\n{INFO}") == [("SEVERE: the queue is gone",)]


def test_indented_line_that_says_its_own_level() -> None:
    """Loggers pad the level to the right."""
    assert graves(f" INFO nox: started\nERROR nox: gone\n WARN nox: again\n{INFO}") == [("ERROR nox: gone",)]


def test_event_is_shown_in_one_line() -> None:
    """How it begins and what it says in the end, without colours and secrets."""
    line = "\x1b[31mERROR\x1b[0m cannot reach postgresql://nox:hunter2@db/nox"

    (crash, error) = unexpected_events([*TRACEBACK.splitlines(), INFO, line], [])

    assert crash == "Traceback (most recent call last): … KeyError: 'boiling_point' (5 lines)"
    assert error == "ERROR cannot reach postgresql://nox:***@db/nox"


def test_allowed_by_any_line_of_the_event() -> None:
    """A traceback is known by its exception, which stands in its last line."""
    known = [Allowed(re.compile("^KeyError: 'boiling", re.MULTILINE), "NOX-1")]

    assert unexpected_events([INFO, *TRACEBACK.splitlines(), INFO, ERROR], known) == [ERROR]


def test_end_of_the_log_in_the_middle_of_a_document() -> None:
    """What is cut off is judged by its words."""
    assert graves('{\n  "level": "error",') != []
    assert graves('{\n  "level": "info",') == []


@pytest.mark.parametrize("part", ["x.Y", "a=", "error=", '"', '{"a":', "[", "\\", "a::", "://", "?a=", " "])
def test_long_line(part: str) -> None:
    """What a program writes without an end is read once, from its begin to its end."""
    (event,) = events(["2026-11-24 22:00:01 ERROR " + part * (200_000 // len(part))])

    assert event.is_grave
