"""How programs end unexpectedly: the first lines of crashes, and what belongs to them."""

import re

# What begins an exception's own text, behind which a level may already have been said by the line before.
_TRACES = [
    r"(?:\s*[+|] )*(?:Exception Group )?Traceback \(most recent call last\)",  # Python
    r"\W*Traceback \(most recent call last\)",  # Rich, in a frame
    r"goroutine \d+ \[",  # Go
    # Java, .NET; and JavaScript, with the last line of Python's
    (
        r"(?:Caused by: )?[A-Za-z_$][\w$]*+(?:\.[\w$]++)++"
        r"(?:(?<=Exception)|(?<=Error)|(?<=Throwable)|(?<=Failure))(?=:|\s*$)"
    ),
    (
        r"(?:[A-Z]\w*)?(?:Error|Exception)(?: \[[A-Z_0-9]+\])?(?=: |$)"
        r"(?!: (?:0|[Nn]one|null|nil|<nil>|[Ff]alse)\.?\s*$)"  # which is an absent one
    ),
]
_CRASHES = [
    *(r"Fatal Python error: ", r"Exception in thread ", r"Exception ignored in", r"Exception: java\."),
    *(r"# A fatal error has been detected by the Java Runtime", r"Error occurred during initialization of"),
    *(r"(?:Terminating|Aborting) due to java\.", r"# +(?:SIG[A-Z]+|Internal Error) \("),
    *(
        r"\[?UnhandledPromiseRejection",
        r"\(node:\d+\) UnhandledPromiseRejection",
        r"Uncaught\b(?! (?:\w+ )?(?:exception|error|rejection) handler)",
        r"FATAL ERROR: ",
    ),
    *(r"panic: ", r"fatal error: ", r"SIG(?:SEGV|ABRT|QUIT|BUS|ILL|FPE|TRAP|SYS): "),
    r"unexpected fault address",  # Go
    *(r"thread '.*' (?:\(\d+\) )?(?:panicked at|has overflowed its stack)", r"fatal runtime error: "),
    r"memory allocation of \d+ bytes failed",  # Rust
    *(
        r"Unhandled [Ee]xception[.:]",
        r"Process terminated\.",
        r"Fatal error\.",
        r"Stack overflow\.",
        r"Out of memory\.$",
    ),
    *(r"(?:PHP )?(?:Fatal|Parse) error: ", r"\S+\.rb:\d+:in .*\((?:\w|::)+\)$"),
    *(r"\*\* \(\w[\w.]*\) ", r"=(?:CRASH|ERROR|SUPERVISOR) REPORT="),  # Elixir, Erlang
    *(
        r"terminate called ",
        r"Segmentation fault",
        r"\*\*\* (?:.*\bdetected|Error in .+|(?:longjmp|bit out of range|\S+ in writable) .+) \*\*\*",
        r"(?:double free|corrupted size|munmap_chunk)",
    ),
    *(
        r"(?:malloc|free|realloc)\(\): ",
        r"(?:Aborted|Bus error|Illegal instruction)(?: \(core dumped\))?\.?$",
    ),
    *(
        r"Killed$",
        r"==\d+== ?ERROR: \w+Sanitizer",
        r".+: Assertion [`'].+' failed\.",
        r"\S*assertion failed:? ",
    ),
    *(
        r"=== REDIS BUG REPORT START",
        r"\S*Out of memory: Kill",
        r"exec(?: /\S+|): .*(?:format error|no such file)",
    ),
    r"standard_init_linux\.go",
    *(r"DAMN ! ", r"unable to load app \d+ ", r"\*\*\* no app loaded\b"),  # uWSGI
]
TRACE = re.compile("|".join(_TRACES))
CRASH = re.compile("|".join((*_CRASHES, *_TRACES)))
_END = re.compile("|".join(_CRASHES))
# Node prints where it happened before it says what: the file, the source, a caret, and then the error. Java
# begins with a line that is empty but for its #.
_SOURCE = re.compile(r"#$|(?:file://)?(?:/|node:|[A-Z]:\\)\S*:\d+$")
# One exception led to the next, whose traceback is the same event's.
CHAINED = re.compile(
    r"(?:During handling of the above|The above exception was)|\s*[|+]|Exception (?:in thread|ignored in)"
)


def begins(line: str) -> bool:
    """Whether a crash begins here, or an exception is printed. Without colours."""
    return CRASH.match(line) is not None


def is_end(line: str) -> bool:
    """Whether a program says here how it ends, and no exception that may have been handled."""
    return _END.match(line) is not None


def is_trace(line: str) -> bool:
    """Whether an exception is printed here, as loggers do below a line of their own."""
    return TRACE.match(line) is not None


def is_traceback(line: str) -> bool:
    """Whether Python begins one here; of several, the later may have come of the first."""
    return "Traceback (most recent call last)" in line


def is_source(line: str) -> bool:
    """Whether the place of an error stands here, before the error itself."""
    return _SOURCE.match(line) is not None
