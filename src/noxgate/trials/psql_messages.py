"""What psql says apart from the rows: which lines are errors, in every language of the server.

psql writes `psql:FILE:LINE: SEVERITY:  message` for a script that it was named, and `SEVERITY:  message` for
one that it reads from its standard input. The severity is translated, into more languages than anybody lists:
after `psql:FILE:LINE:` all counts but what is known to be harmless. A message may have more lines, which
begin as they like: `ERROR:` at the beginning of a notice's second line is the notice's.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# As PostgreSQL's own translations have them; those of psql itself are written small.
_HARMLESS = frozenset(
    (
        *("debug", "log", "info", "notice", "warning"),
        *(
            "hinweis",
            "warnung",
            "attention",
            "notifica",
            "attenzione",
            "avviso",
            "logg",
            "notis",
            "varning",
            "nota",
            "aviso",
            "precaución",
        ),
        *("გამართვა", "ჟურნალი", "ინფორმაცია", "გაფრთხილება", "디버그", "로그", "정보", "알림", "경고"),
        *("отладка", "сообщение", "информация", "замечание", "предупреждение"),
        *("налагодження", "записування", "інформація", "повідомлення", "попередження"),
        *("调试", "日志", "信息", "注意", "警告", "προειδοποίηση"),
        *(
            "detail",
            "hint",
            "tipp",
            "détail",
            "astuce",
            "dettaglio",
            "suggerimento",
            "detalle",
            "consejo",
            "detalj",
            "tips",
        ),
        *("λεπτομέρεια", "υπόδειξη", "подробности", "подсказка", "деталі", "підказка"),
        *("詳細", "ヒント", "상세정보", "힌트", "დეტალები", "მინიშნება"),
    )
)
_ERRORS = (
    *("ERROR", "FATAL", "PANIC", "FEHLER", "PANIK", "ERREUR", "ERRORE", "FATALE", "PANICO", "FEL", "FATALT"),
    *("შეცდომა", "ფატალური", "პანიკა", "오류", "치명적오류", "손상", "ОШИБКА", "ВАЖНО", "ПАНИКА"),
    *("ПОМИЛКА", "ФАТАЛЬНО", "ПАНІКА", "错误", "致命错误", "比致命错误还过分的错误", "ERRO", "PÂNICO"),
)
_OF_A_SCRIPT = re.compile(r"psql(?:\.exe)?:.*?:(?P<line>\d+): (?P<said>.*)")
_OF_A_PROGRAM = re.compile(r"(?:psql|pg_dump|pg_dumpall|pg_restore)(?:\.exe)?: (?P<said>.*)")
_BARE = re.compile(rf"(?:{'|'.join(_ERRORS)}|error)\s*:(?P<space>\s*)(?P<said>.*)")
_OF_KUBECTL = re.compile(r"(?P<said>(?:Error from server|command terminated with exit code)\b.*)")
_SEVERITY = re.compile(r"(?P<severity>[^\W\d][\w -]{0,30}?)\s*[:\uff1a]\s+(?P<message>.*)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")  # PG_COLOR=always
_LONGEST_NUMBER = 12  # digits of a line's number
_TAG = re.compile(r"[A-Z]+(?: [A-Z]+)*(?: \d+){0,2}")  # CREATE TABLE, INSERT 0 1: of the next statement


@dataclass(frozen=True)
class PsqlError:
    """One error: the line of the output that says so, the line of the script if it is known, the words."""

    number: int
    line: int | None
    message: str


def errors(said: Iterable[str]) -> Iterator[PsqlError]:
    """Those among the lines that psql, or a program like it, wrote."""
    notice = ""  # how the message began that this line may belong to
    for number, text in enumerate((_COLOUR.sub("", each) for each in said), start=1):
        of_a_script = _OF_A_SCRIPT.match(text)
        known = of_a_script or _OF_A_PROGRAM.match(text)
        if known is not None:
            severity, message = _cut(known["said"])
            notice = "its own" if severity in _HARMLESS else ""
            if not notice:
                said_line = of_a_script["line"] if of_a_script else ""
                line = int(said_line) if 0 < len(said_line) <= _LONGEST_NUMBER else None
                yield PsqlError(number, line, message)
        elif _TAG.fullmatch(text):
            notice = ""
        elif outer := _OF_KUBECTL.match(text):
            yield PsqlError(number, None, outer["said"].strip())
        elif notice != "its own":
            bare = _BARE.match(text)
            # psql writes two spaces after its own; a notice without a file before it may go on like this
            if bare is not None and not (notice and len(bare["space"]) < len("  ")):
                notice = ""
                yield PsqlError(number, None, bare["said"].strip())
            elif _cut(text)[0] in _HARMLESS and re.match(r"[^\W\d]\w*\s*:  ", text):
                notice = "bare"


def _cut(said: str) -> tuple[str, str]:
    """The severity in lower case, "" without one, and the message."""
    match = _SEVERITY.match(said)
    return (match["severity"].casefold(), match["message"].strip()) if match else ("", said.strip())
