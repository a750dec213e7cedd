"""The forms of a level in docs/LOGS.md that no one program owns: grave if it is an error, else harmless."""

import pytest
from tests_self.fast.systems.kubernetes import log_forms_of_programs as programs
from tests_self.fast.systems.kubernetes import log_forms_of_servers as servers

from noxgate.systems.kubernetes.log_lines import is_grave

ESC = "\x1b"
AT = "2026-11-24T22:00:01.120Z"

# form -> lines that are grave, lines that are harmless although they hold a word that means an error
FORMS: dict[str, tuple[list[str], list[str]]] = {
    "colours": (
        [
            f"{ESC}[2m{AT}{ESC}[0m {ESC}[31mERROR{ESC}[0m nox_api::jobs: the queue is gone",
            f"{ESC}[31merror{ESC}[39m: no connection to the database",
            f"{ESC}[1;31m[ERROR]{ESC}[m the queue is gone",
            f"{ESC}[38;5;196mFATAL{ESC}[0m the queue is gone",
            f"[{ESC}[31mERRO{ESC}[0m] the queue is gone",
            '{"level": "\\u001b[31merror\\u001b[39m", "message": "no connection"}',
        ],
        [
            f"{ESC}[2m{AT}{ESC}[0m {ESC}[32m INFO{ESC}[0m nox: an error budget of 1 %",
            f"{ESC}[33mwarn{ESC}[39m: a passing error",
            '{"level": "\\u001b[32minfo\\u001b[39m", "message": "error"}',
        ],
    ),
    "shippers": (  # a line inside of what somebody else wrote of it
        [
            '{"__CURSOR":"s=1","_HOSTNAME":"n","PRIORITY":"6","MESSAGE":"{\\"level\\":\\"error\\",\\"msg\\":\\"x\\"}"}',
            '{"__CURSOR":"s=1","_HOSTNAME":"n","PRIORITY":"6","MESSAGE":"ERROR nox: the queue is gone"}',
            '{"__CURSOR":"s=1","_HOSTNAME":"n","PRIORITY":"3","MESSAGE":"the queue is gone"}',
            '{"log":"x","log_processed":{"level":"error","msg":"x"},"kubernetes":{"pod_name":"a"}}',
            '{"labels":{"app":"nox"},"line":"{\\"level\\":\\"error\\"}","timestamp":"x"}',
            '{"labels":{"app":"nox","level":"info"},"line":"level=error msg=x","timestamp":"x"}',
            '{"labels":{"app":"nox","level":"error"},"line":"the queue is gone","timestamp":"x"}',
            '{"stream":{"app":"nox","detected_level":"critical"},"line":"the queue is gone"}',
            f'{AT} stdout F {{"log":"{{\\"level\\":\\"error\\"}}\\n","stream":"stdout"}}',
        ],
        [
            '{"__CURSOR":"s=1","_HOSTNAME":"n","PRIORITY":"6","MESSAGE":"an error page was found"}',
            '{"__CURSOR":"s=1","_HOSTNAME":"n","PRIORITY":"6","MESSAGE":"INFO: an error page"}',
            '{"log":"error","log_processed":{"level":"info","msg":"an error page"}}',
            '{"labels":{"app":"nox","level":"error"},"line":"level=info msg=\\"an error page\\""}',
            '{"labels":{"app":"nox","level":"info"},"line":"an error page","timestamp":"x"}',
            f'{AT} stdout F {{"log":"{{\\"level\\":\\"info\\",\\"msg\\":\\"error\\"}}\\n"}}',
        ],
    ),
    "plain JSON": (
        [
            '{"level": "error", "message": "no connection"}',
            '{"Level": "Error", "Message": "x"}',
            '{"log_level":"ERROR","message":"The queue is gone"}',
            '{"level":"SEVERE","message":"Failed to start connector"}',
            '{"severity":"EMERGENCY","message":"x"}',
            '{"levelname":"CRITICAL","levelno":50,"message":"x"}',
            '{"level":{"icon":"x","name":"ERROR","no":40},"message":"x"}',
            '{"text":"x","record":{"level":{"icon":"x","name":"ERROR","no":40},"message":"x"}}',
            '{"log":{"level":"error"},"message":"x"}',
            '{"log":{"syslog":{"severity":{"code":3,"name":"Error"}}},"message":"x"}',
            '{"@timestamp":"x","log.level":"ERROR","message":"x","ecs.version":"1.2.0"}',
            '{"message":"x","level":"ERROR","level_value":40000}',
            f'{AT} {{"level":"error","msg":"behind a moment"}}',
            '{"log":"2026-11-24 22:00:01 ERROR nox: x\\n","stream":"stderr","time":"x"}',
            '{"log":"{\\"level\\":\\"error\\",\\"msg\\":\\"x\\"}\\n","stream":"stdout"}',
            '{"level":"error","message":"cut off in the mid',
            "{'level': 'error', 'message': 'printed by Python'}",
            '\ufeff{"level":"error","message":"x"}',
        ],
        [
            '{"level":"info","message":"an error that was cut off in the mid',
            "{'level': 'info', 'message': 'an error of the caller'}",
            '{"level": "info", "message": "an error was handled"}',
            '{"level":"warn","msg":"retrying","err":"temporary error"}',
            '{"level":"info","msg":"alert made","alert":{"severity":"critical"}}',
            '{"level":"info","error":"none of ours"}',
            '{"severity":"NOTICE","message":"error page changed"}',
            '{"log":"INFO: the error page was found\\n","stream":"stderr","time":"x"}',
            '{"message":"done","error":null}',
            '{"message":"done","err":"","exc_info":false}',
            "{}",
        ],
    ),
    "Datadog's status": (
        [
            '{"status":"error","message":"x"}',
            '{"status":"critical","message":"x"}',
            '{"status":"emerg","message":"x"}',
            '{"status":"Failure","ddsource":"python","message":"x"}',
            '{"status":3,"ddsource":"syslog","message":"x"}',
        ],
        [
            '{"status":"info","message":"the error page"}',
            '{"status":"ok","message":"no error, though"}',
            '{"status":"warn","message":"error"}',
            '{"status":"error","level":"info","message":"the caller was told of its error"}',
            '{"status":6,"ddsource":"syslog","message":"error page"}',
        ],
    ),
    "GELF": (
        [
            '{"version":"1.1","host":"nox","short_message":"The queue is gone","level":3}',
            '{"version":"1.1","host":"nox","short_message":"The queue is gone","level":0}',
        ],
        [
            '{"version":"1.1","host":"nox","short_message":"a passing error","level":4}',
            '{"version":"1.1","host":"nox","short_message":"error page","level":6}',
        ],
    ),
    "syslog": (
        [
            "<11>Nov 24 22:00:01 nox api[1]: the queue is gone",
            f"<130>1 {AT} nox api 1 - - the queue is gone",
            "<3>the queue is gone",
            '{"PRIORITY":"3","MESSAGE":"the queue is gone"}',
            '{"syslogseverity":2,"message":"x"}',
            '{"severity":"err","message":"x"}',
            '{"severity":3,"message":"x"}',
        ],
        [
            "<14>Nov 24 22:00:01 nox api[1]: the error page was read",
            f"<134>1 {AT} nox api 1 - - no such error",
            "<6>error page read",
            "<4>a passing error",
            '{"PRIORITY":"6","MESSAGE":"error page"}',
            '{"severity":"notice","message":"error"}',
            '{"severity":6,"message":"error page"}',
        ],
    ),
    "OpenTelemetry": (
        [
            '{"severity_text":"ERROR","body":"x"}',
            '{"severity_text":"","severity_number":17,"body":"x"}',
            '{"severityNumber":21,"body":{"stringValue":"x"}}',
            '{"SeverityText":"ERROR2","SeverityNumber":18,"Body":"x"}',
            '{"SeverityText":"Fatal4","Body":"x"}',
            '{"severityNumber":"SEVERITY_NUMBER_ERROR2","body":"x"}',
            '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":9},{"severityNumber":17}]}]}]}',
        ],
        [
            '{"severity_text":"INFO","body":"an error was handled"}',
            '{"severity_text":"WARN","severity_number":13,"body":"error"}',
            '{"severityNumber":12,"body":"error page"}',
            '{"SeverityText":"INFO3","Body":"error"}',
            '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":9,"body":"error"}]}]}]}',
        ],
    ),
    "numbers of levels": (
        [
            '{"level":50,"time":1,"pid":1,"hostname":"nox","msg":"pino"}',
            '{"name":"nox","level":60,"msg":"Bunyan","v":0}',
            '{"message":"Monolog","level":400,"level_name":"ERROR","channel":"nox"}',
            '{"message":"Monolog","level":550,"channel":"nox"}',
            '{"severity":500,"message":"Google Cloud"}',
            '{"levelno":40,"message":"Python"}',
            '{"level":40,"message":"Python","lineno":12,"funcName":"run"}',
            '{"level":40,"event":"structlog","exc_info":"Traceback"}',
            '{"level_number":40,"event":"structlog"}',
            '{"level_value":40000,"message":"Logback"}',
            '{"level":1000,"message":"java.util.logging"}',
            '{"EventId":0,"LogLevel":"Error","Category":"Nox","Message":"x"}',
            '{"EventId":0,"LogLevel":4,"Category":"Nox","Message":"x"}',
            '{"severityLevel":3,"message":"Application Insights"}',
            '{"0":"x","_meta":{"logLevelId":5,"logLevelName":"ERROR"}}',
        ],
        [
            '{"level":30,"time":1,"msg":"an error of the caller"}',
            '{"name":"nox","level":40,"msg":"a passing error","v":0}',
            '{"message":"error","level":300,"level_name":"WARNING","channel":"nox"}',
            '{"severity":400,"message":"error"}',
            '{"levelno":30,"message":"error"}',
            '{"level":30,"message":"error","lineno":12,"funcName":"run"}',
            '{"level_number":30,"event":"a passing error"}',
            '{"level":40,"message":"a passing error","url":"/lineno"}',
            '{"level_value":20000,"message":"error page"}',
            '{"level":900,"message":"error"}',
            '{"EventId":0,"LogLevel":"Information","Category":"Nox.Error","Message":"error"}',
            '{"logger":"nox","level":1,"msg":"error page read"}',
            '{"level":0,"msg":"all is well"}',
        ],
    ),
    "words, where no level is said": (
        [
            "[error] upstream timed out",
            "an error occurred while the queue was read",
            "0 errors, then one error",
            "error=7",
            "could not start (error)",
            "**ERROR** could not start",
            "no space left: error while writing",
            "level: error msg: gone",
            "2026-11-24;ERROR;nox;gone",
            "Out of memory: Killed process 12 (nox)",
            "log level: error: no such level",
            "log level: error msg: gone",
            "the log level is broken: fatal error",
            "Error: none of the queues is there",
        ],
        [
            "Log level: ERROR",
            "Starting nox-api, log level: error, workers: 4",
            "uvicorn nox:app --log-level error --workers 4",
            "Logging level set to CRITICAL",
            "Error: None",
            "error tracking initialised",
            "margin of error: 5 %, trial and error, error bars of the critical point",
            "0 errors",
            "finished without error",
            "error: null, result: 3",
            "error=0 total=3",
            "GET /errors",
            "reading /etc/nox/error.conf",
            "redirect to https://nox.example/callback?error=denied&state=1",
            "nox.error.handler is ready",
            "nox::error: is ready",
            "[error-handler] is ready",
            "sent to https://nox.example/?reason=fatal+error",
            "no fatal error, no critical error",
            "error count: 0",
            "level: info msg: an error of the caller",
            "2026-11-24;INFO;nox.error;an error of the caller",
            "skipped a non-fatal problem",
            "terror and errorless",
            "",
        ],
    ),
    "documents of which the begin is cut off": (
        [
            'the queue is gone","level":"error","logger":"nox"}',
            'e of the queue", "count": 3, "severity": "CRITICAL"}',
            'an error of {the caller","logger":"nox"}',
        ],
        [
            'ror of the caller","level":"info","logger":"nox","error":"none of ours"}',
            '"an error of the caller", "a": {"b": 1}, "level": "warning", "q": "a=b"}\r',
        ],
    ),
    "requests that are objects": (
        [
            '{"level":"info","http":{"method":"GET","url":"/x","status_code":500},"network":{"client":{"ip":"::1"}}}',
            '{"level":30,"req":{"method":"GET","url":"/x","remoteAddress":"10.0.0.7"},"res":{"statusCode":500}}',
            '{"level":"info","request":{"remote_ip":"10.0.0.7","method":"GET","uri":"/x"},"status":502}',
            '{"severity":"INFO","httpRequest":{"requestMethod":"GET","status":500,"remoteIp":"::1"}}',
            '{"log.level":"info","http":{"request":{"method":"GET"},"response":{"status_code":500}},"client":{"ip":"::1"}}',
            'level=info msg="Request Completed" method=GET path=/x status=500 remote_addr=10.0.0.7 time_ms=1',
        ],
        [
            '{"level":30,"req":{"method":"GET","url":"/error","remoteAddress":"10.0.0.7"},"res":{"statusCode":404}}',
            '{"level":"info","request":{"remote_ip":"10.0.0.7","method":"GET","uri":"/ready"},"status":503}',
            '{"severity":"INFO","httpRequest":{"requestMethod":"GET","requestUrl":"/error","status":200,"remoteIp":"::1"}}',
            '{"level":"warn","request":{"method":"GET","url":"http://other/x"},"response":{"status":503}}',
            '{"log.level":"warn","http":{"request":{"method":"GET"},"response":{"status_code":503}},"msg":"again"}',
            'level=info msg="Request Completed" method=GET path=/error status=404 remote_addr=10.0.0.7',
            'level=warn msg="the other one failed" method=GET path=/x status=503',
        ],
    ),
    "a severity of text and number": (
        ['{"msg":"x","severity":{"text":"ERROR","number":17}}', '{"msg":"x","severity":{"number":17}}'],
        ['{"msg":"error","severity":{"text":"INFO","number":9}}', '{"msg":"error","severity":{"number":9}}'],
    ),
    "OpenTelemetry's console": (
        ['{"body":"x","severity_number":"<SeverityNumber.ERROR: 17>","attributes":null}'],
        ['{"body":"an error","severity_number":"<SeverityNumber.INFO: 9>","attributes":null}'],
    ),
    "numbers that science is wrong by": (
        [
            "abnormal termination of xtb",
            "error: 5",
            "Error 111 connecting to 10.0.0.7:6379",
            "error 10.0.0.7 is away",
        ],
        [
            "error=0.12 loss=3",
            "mean absolute error: 0.12",
            "RMS error = 1e-5",
            "energy error 1.0E-06.",
            "the standard error of the mean",
            "normal termination of xtb",
            "12 error codes are loaded",
            "error reporting enabled",
        ],
    ),
}
ALL = [*FORMS.items(), *programs.FORMS.items(), *servers.FORMS.items()]
GRAVE = [(form, line) for form, (lines, _) in ALL for line in lines]
HARMLESS = [(form, line) for form, (_, lines) in ALL for line in lines]


@pytest.mark.parametrize(("form", "line"), GRAVE)
def test_grave(form: str, line: str) -> None:
    """An error, in each form."""
    assert is_grave(line), form


@pytest.mark.parametrize(("form", "line"), HARMLESS)
def test_harmless(form: str, line: str) -> None:
    """Not an error, although it has such words."""
    assert not is_grave(line), form
