"""Texts of /metrics, each with one thing that is odd, or wrong; {now} is the present in milliseconds."""

from dataclasses import dataclass

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_TYPES = ("info", "unknown", "stateset", "gaugehistogram", "untyped", "Counter", "")


@dataclass(frozen=True)
class Text:
    """One answer."""

    name: str
    content: bytes
    kind: str = PLAIN

    def at(self, now: int) -> bytes:
        """As it is served at that time."""
        content = self.content
        for ago, seconds in ((b"{now}", 0), (b"{past}", -7200), (b"{future}", 3600)):
            content = content.replace(ago, str(now + seconds * 1000).encode())
        return content


def _plain() -> list[Text]:
    bodies: dict[str, bytes] = {
        "ordinary": b'# HELP a_total How many.\n# TYPE a_total counter\na_total{b="c"} 3\n',
        "empty": b"",
        "only comments": b"# nothing\n#\n#else\n\n",
        "no line feed at the end": b"a 1",
        "carriage return after a value": b"a 1\r\nb 2\r\n",
        "carriage return after a type": b"# TYPE a gauge\r\na 1\n",
        "carriage return after a help": b"# HELP a Some.\r\na 1\n",
        "carriage return alone in a line": b"a 1\n\r\nb 2\n",
        "carriage return in a value of a label": b'a{b="c\rd"} 1\n',
        "blanks before a name": b"a 1\n  b 2\n",
        "a tab before a name": b"a 1\n\tb 2\n",
        "blanks before a comment": b"a 1\n  # TYPE b gauge\nb 2\n",
        "a line of blanks": b"a 1\n   \nb 2\n",
        "a line of blanks last": b"a 1\n   ",
        "blanks at the end of a sample": b"a 1  \nb 2\t\n",
        "blanks at the end of a type": b"# TYPE a gauge \na 1\n",
        "two blanks before a type": b"# TYPE a  gauge\na 1\n",
        "a tab before a type": b"# TYPE a\tgauge\na 1\n",
        "two blanks after #": b"#  TYPE a gauge\na 1\n",
        "no blank after #": b"#TYPE a nonsense\na 1\n",
        "two blanks after TYPE": b"# TYPE   a gauge\na 1\n",
        "a type in small letters": b"# type a nonsense\na 1\n",
        "a type of what is no name": b"# TYPE 1a gauge\na 1\n",
        "a type without a name": b"# TYPE\na 1\n",
        "a type and a blank": b"# TYPE \na 1\n",
        "a help without a text": b"# HELP a\na 1\n",
        "a help of blanks": b"# HELP a   \na 1\n",
        "a type twice": b"# TYPE a gauge\n# TYPE a counter\na 1\n",
        "a type after its samples": b"a 1\n# TYPE a gauge\n",
        "EOF of the other format": b"a 1\n# EOF\nb 2\n",
        "UNIT of the other format": b"# UNIT a seconds\na 1\n",
        "an exemplar": b'a_total{b="c"} 1 # {trace_id="x"} 0.2\n',
        "an exemplar with a time": b'a_bucket{le="1"} 1 # {trace_id="x"} 0.2 1764000000.0\n',
        "a comment after a sample": b"a 1 # why\nb 2\n",
        "a line feed in a label": b'a{b="c\nd"} 1\n',
        "an escaped line feed in a label": b'a{b="c\\nd"} 1\n',
        "other escapes in a label": b'a{b="\\t\\"\\\\\\x"} 1\n',
        "a backslash before a line feed": b'a{b="c\\\nd"} 1\n',
        "a backslash last in a label": b'a{b="c\\"} 1\n',
        "a label that does not end": b'a{b="c} 1\nd 2\n',
        "a label without quotes": b"a{b=c} 1\n",
        "a label in single quotes": b"a{b='c'} 1\n",
        "a label that begins with a number": b'a{1b="c"} 1\n',
        "a label with a dot": b'a{b.c="d"} 1\n',
        "a label with a colon": b'a{b:c="d"} 1\n',
        "a quoted name of a label": b'a{"b"="c"} 1\n',
        "a quoted name": b'{"a"} 1\n',
        "labels alone": b'{b="c"} 1\n',
        "a name among the labels": b'a{__name__="b"} 1\n',
        "no labels in braces": b"a{} 1\n",
        "a comma after the last label": b'a{b="c",} 1\n',
        "a comma alone": b"a{,} 1\n",
        "two commas": b'a{b="c",,d="e"} 1\n',
        "no comma": b'a{b="c"d="e"} 1\n',
        "blanks among labels": b'a { b = "c" , d = "e" } 1\n',
        "a line feed among labels": b'a{b="c",\nd="e"} 1\n',
        "a label twice": b'a{b="c",b="d"} 1\n',
        "an empty label": b'a{b=""} 1\n',
        "an empty label and a full one": b'a{b="",b="c"} 1\n',
        "a series twice, alike": b"a 1\na 1\n",
        "a series twice, otherwise": b"a 1\na 2\n",
        "an empty label and none": b'a{b=""} 1\na 2\n',
        "labels in another order": b'a{b="c",d="e"} 1\na{d="e",b="c"} 2\n',
        "no blank before the value": b'a{b="c"}1\n',
        "no value": b"a\nb 1\n",
        "no value but labels": b'a{b="c"}\n',
        "a name with a dot": b"a.b 1\n",
        "a name with a hyphen": b"a-b 1\n",
        "a name with a colon": b":a:b 1\n",
        "a name that begins with a number": b"1a 1\n",
        "a name that is not ASCII": "ä 1\n".encode(),
        "a byte order mark": b"\xef\xbb\xbfa 1\n",
        "a label that is not ASCII": 'a{b="ä"} 1\n'.encode(),
        "a label that is not UTF-8": b'a{b="\xe4"} 1\n',
        "a help that is not UTF-8": b"# HELP a \xe4\na 1\n",
        "a comment that is not UTF-8": b"# \xe4\na 1\n",
        "NUL in a label": b'a{b="c\0d"} 1\n',
        "NUL in a comment": b"# c\0d\na 1\n",
        "NUL in a comment without a blank": b"#c\0d\na 1\n",
        "NUL in a help": b"# HELP a c\0d\na 1\n",
        "NUL in a value": b"a 1\0\n",
        "NUL in a line of its own": b"a 1\n\0\nb 2\n",
        "HTML": b"<!doctype html>\n<title>NOX</title>\n",
        "JSON": b'{"a": 1}\n',
        "time in milliseconds": b"a 1 {now}\n",
        "time with a fraction": b"a 1 {now}.5\n",
        "time with an exponent": b"a 1 1.7e12\n",
        "a negative time": b"a 1 -1\n",
        "a time too great": b"a 1 99999999999999999999\n",
        "a time of two hours ago": b"b 2\na 1 {past}\n",
        "a time in an hour": b"b 2\na 1 {future}\n",
        "two numbers after the value": b"a 1 {now} 3\n",
    }
    values = (
        *("+Inf", "-Inf", "Inf", "infinity", "+inF", "infin", "NaN", "nan", "+NaN", "-nan", "1e3", "1E-3"),
        *(
            ".5",
            "5.",
            "+1",
            "0x10",
            "0x1p3",
            "1_000",
            "1e400",
            "1e-400",
            "1,5",
            "1.5.5",
            "--1",
            "1e",
            "e1",
            ".",
        ),
    )
    numbers = {f"the value {value}": f"a {value}\n".encode() for value in values}
    types = {f"the type {each!r}": f"# TYPE a {each}\na 1\n".encode() for each in _TYPES}
    return [Text(name, body) for name, body in (bodies | numbers | types).items()]


def _open() -> list[Text]:
    bodies: dict[str, bytes] = {
        "ordinary": b'# TYPE a counter\n# HELP a How many.\na_total{b="c"} 3\n# EOF\n',
        "empty": b"",
        "nothing but the end": b"# EOF\n",
        "no end": b"a 1\n",
        "no line feed after the end": b"a 1\n# EOF",
        "two line feeds after the end": b"a 1\n# EOF\n\n",
        "a sample after the end": b"a 1\n# EOF\nb 2\n",
        "a blank after the end": b"a 1\n# EOF ",
        "carriage returns": b"a 1\r\n# EOF\r\n",
        "an empty line": b"a 1\n\n# EOF\n",
        "a comment": b"# why\na 1\n# EOF\n",
        "a comment without a blank": b"#why\na 1\n# EOF\n",
        "an exemplar": b'a_total{b="c"} 1 # {trace_id="x"} 0.2\n# EOF\n',
        "an exemplar with times": b'a_bucket{le="1"} 1 1764000000.5 # {b="c"} 0.2 1764000000.0\n# EOF\n',
        "an exemplar without labels": b"a_total 1 # {} 0.2\n# EOF\n",
        "an exemplar without a value": b'a_total 1 # {trace_id="x"}\n# EOF\n',
        "an exemplar of a gauge": b'a 1 # {trace_id="x"} 0.2\n# EOF\n',
        "an exemplar after two blanks": b'a_total 1  # {trace_id="x"} 0.2\n# EOF\n',
        "an exemplar with a comma last": b'a_total 1 # {trace_id="x",} 0.2\n# EOF\n',
        "an exemplar with an infinite time": b'a_total 1 # {trace_id="x"} 0.2 +Inf\n# EOF\n',
        "a counter without _total": b"# TYPE a counter\na 3\n# EOF\n",
        "the type of text/plain": b"# TYPE a untyped\na 3\n# EOF\n",
        "an unknown type": b"# TYPE a unknown\na 3\n# EOF\n",
        "an info": b'# TYPE a info\na_info{b="c"} 1\n# EOF\n',
        "a type of nothing": b"# TYPE a\na 3\n# EOF\n",
        "a unit": b"# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 3\n# EOF\n",
        "an empty unit": b"# UNIT a \na 3\n# EOF\n",
        "a unit that is no suffix": b"# UNIT a seconds\na 3\n# EOF\n",
        "a unit that is the name": b"# UNIT seconds seconds\nseconds 3\n# EOF\n",
        "a help without a text": b"# HELP a\na 3\n# EOF\n",
        "a help of nothing": b"# HELP a \na 3\n# EOF\n",
        "two blanks before the value": b"a  1\n# EOF\n",
        "a tab before the value": b"a\t1\n# EOF\n",
        "a blank at the end": b"a 1 \n# EOF\n",
        "a blank before a name": b" a 1\n# EOF\n",
        "blanks among labels": b'a{b="c", d="e"} 1\n# EOF\n',
        "a blank before the labels": b'a {b="c"} 1\n# EOF\n',
        "no blank before the value": b'a{b="c"}1\n# EOF\n',
        "a comma after the last label": b'a{b="c",} 1\n# EOF\n',
        "no comma": b'a{b="c"d="e"} 1\n# EOF\n',
        "a line feed in a label": b'a{b="c\nd"} 1\n# EOF\n',
        "no labels in braces": b"a{} 1\n# EOF\n",
        "time in seconds": b"b 2\na 1 {now}e-3\n# EOF\n",
        "time in milliseconds": b"b 2\na 1 {now}\n# EOF\n",
        "an infinite time": b"a 1 +Inf\n# EOF\n",
        "a series twice": b"a 1\na 2\n# EOF\n",
        "a label twice": b'a{b="c",b="d"} 1\n# EOF\n',
        "a byte order mark": b"\xef\xbb\xbfa 1\n# EOF\n",
        "the value NaN": b"a NaN\n# EOF\n",
        "the value 0x1p3": b"a 0x1p3\n# EOF\n",
        "a label that is not UTF-8": b'a{b="\xe4"} 1\n# EOF\n',
    }
    return [Text(f"OpenMetrics: {name}", body, OPEN) for name, body in bodies.items()]


def _kinds() -> list[Text]:
    end = b"a 1\n# EOF\n"
    kinds = {
        "none": "",
        "a page": "text/html; charset=utf-8",
        "JSON": "application/json",
        "octets": "application/octet-stream",
        "OpenMetrics, a parameter without a value": "application/openmetrics-text; charset=",
        "OpenMetrics, a parameter twice": "application/openmetrics-text; a=1; a=2",
        "OpenMetrics, two semicolons": "application/openmetrics-text; version=1.0.0;;",
        "OpenMetrics, blanks and a semicolon last": 'application/openmetrics-text ; a = "b;c" ; ',
        "no kind": "text",
        "in capitals": "Application/OpenMetrics-Text; Version=1.0.0",
        "without a version": "application/openmetrics-text",
        "a newer version": "text/plain; version=1.0.0; escaping=underscores",
    }
    exemplar = b'a_total 1 # {b="c"} 1\n# EOF\n'
    return [
        *(Text(f"as {name}: text", end, kind) for name, kind in kinds.items()),
        *(Text(f"as {name}: an exemplar", exemplar, kind) for name, kind in kinds.items()),
    ]


TEXTS = (*_plain(), *_open(), *_kinds())
