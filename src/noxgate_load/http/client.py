"""One user's connection: a request goes out, and exactly one sample of it is kept."""

from collections.abc import Callable
from typing import Any

from noxgate.look.http import wants_a_certificate
from noxgate_load.http.deadline import Deadline, TimeUp
from noxgate_load.http.endpoint import Endpoint
from noxgate_load.http.exchange import IDEMPOTENT, REDIRECTS, Answer, Call, Reader
from noxgate_load.http.sessions import Acquaintance
from noxgate_load.http.wire import Stream, why
from noxgate_load.samples import SHIFT, Reason, Record, Sample, Totals, WireError, clock

# A kept connection that rested this long is looked at before a request that cannot be sent twice: a server
# that closed it meanwhile has then cost none. In a closed loop at full speed the look would cost more than it
# saves; and for all others it is enough what the loop has seen.
RESTED = 0.05
# Connecting is not measured, as in k6, but for what is beyond this: who waits waits.
LEFT_OUT = 1.0  # seconds
MOST_BYTES = 5_000_000

_made = tuple.__new__  # what Sample() calls, at half the cost

Check = Callable[[Answer], object]
# The last two: a number too large, what is nested too deep. Anything else is a mistake of the check itself.
_WRONG = (AssertionError, ValueError, ArithmeticError, RecursionError)


class Session:
    """What HTTP and WebSocket have in common: time limits, and one sample for each request."""

    def __init__(
        self,
        endpoint: Endpoint,
        record: Record,
        totals: Totals,
        *,
        timeout: float = 60,
        most_bytes: int = MOST_BYTES,
        acquaintance: Acquaintance | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._record = record
        self._totals = totals
        self._most_bytes = most_bytes
        self._deadline = Deadline(timeout)
        self._stream: Stream | None = None
        self._acquaintance = acquaintance or Acquaintance()  # of this user
        self._began = 0.0  # of the request in flight, and what follows likewise
        self._connecting = 0.0  # seconds
        self._size = 0
        self._sent = False
        self._retried = False

    def close(self) -> None:
        """End the connection; the session cannot be used again."""
        self._hang_up()
        self._deadline.close()

    def _measure(
        self,
        what: Call,
        work: Callable[[Call], Answer],
        check: Check | None = None,
        intended: float | None = None,
    ) -> Answer:
        """Do `work`, within the time limit, and record one sample of it, also of a failure."""
        totals = self._totals
        totals.sent += 1
        self._connecting = 0.0
        self._size = 0
        self._sent = self._retried = False
        answer = None
        error = Reason.KILLED
        began = self._began = clock()
        ended = 0.0
        self._deadline.start(began)
        try:
            answer = work(what)
            self._deadline.stop()
            ended = clock()
            error = answer.error or _judged(what, answer, check)
        except TimeUp:
            error = Reason.TIMEOUT
        except WireError as problem:
            error = problem.reason
        except OSError as problem:
            error = why(problem)
        except Exception:  # a check that cannot be run, or a mistake of this module
            error = Reason.SCRIPT
            raise
        finally:
            if answer is None:
                self._deadline.stop()
                answer = Answer(self._answered())
                self._hang_up()
            answer.error = error
            ended = ended or clock()
            began = self._began
            seconds = ended - began - (min(self._connecting, LEFT_OUT) if self._sent else 0.0)
            late = began - intended if intended is not None else 0.0
            totals.recorded += 1
            if error:
                totals.failed += 1
            if answer.status in REDIRECTS:
                totals.redirects += 1
            fields = (
                began + SHIFT, ended + SHIFT, what.name, what.group, what.method, answer.status, error,
                seconds, self._connecting, late, self._size, self._retried,
            )  # fmt: skip
            self._record(_made(Sample, fields))
        return answer

    def _answered(self) -> int:
        """The status of what fails without one of its own."""
        return 0

    def _connect(self) -> Stream:
        totals = self._totals
        totals.held_up = max(totals.held_up, self._endpoint.ready())
        started = clock()
        if not self._sent:  # only now
            self._began = started
            self._deadline.start(started)
        try:
            stream = self._endpoint.connect(self._acquaintance)
        finally:
            self._connecting += clock() - started
        totals.connections += 1
        self._stream = stream
        return stream

    def _hang_up(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


class HttpClient(Session):
    """HTTP/1.1 on one kept connection. Redirects are not followed, cookies are not kept."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._heads = self._endpoint.heads
        self._reader: Reader | None = None  # of this connection, where a head was not known
        self._rests_since = 0.0
        self._untouched = True  # not one byte of the answer has come

    def send(self, what: Call, check: Check | None = None, *, intended: float | None = None) -> Answer:
        """Send a request and wait for its answer.

        `check` raises AssertionError or ValueError if the answer is wrong. `intended` is when
        the request should have begun, in an open model.
        """
        return self._measure(what, self._exchange, check, intended)

    def _exchange(self, what: Call) -> Answer:
        may_repeat = what.method in IDEMPOTENT
        kept = self._stream
        if kept is not None and (kept.stirred or not may_repeat):
            kept = self._kept(kept, surely=not may_repeat)
        try:
            return self._once(what, kept or self._connect())
        except (WireError, OSError) as problem:
            if kept is None or not may_repeat or not self._closed_unanswered(problem):
                raise
        # The server closed a kept connection while this request was on its way: not a fault, so once more.
        self._hang_up()
        self._retried = True
        self._totals.retried += 1
        return self._once(what, self._connect())

    def _once(self, what: Call, stream: Stream) -> Answer:
        self._sent = True
        self._untouched = True
        stream.send(what.message)
        data = stream.receive()
        size = self._size = len(data)
        if what.method != "HEAD" and 0 < size <= self._most_bytes:
            self._untouched = False
            parts = self._heads.split(data)
            if parts is not None:
                self._rests_since = clock()
                return Answer(*parts)
        return self._read(what, stream, data)

    def _read(self, what: Call, stream: Stream, data: bytes) -> Answer:
        """An answer that begins with these bytes, also a broken one."""
        reader = self._reader
        if reader is None:
            reader = self._reader = Reader(self._most_bytes, self._heads)
        reader.begin(to_head=what.method == "HEAD")
        try:
            while True:
                if not data:
                    reader.end(whole_end=stream.whole_end)
                    break
                self._untouched = False
                if reader.feed(data):
                    break
                data = stream.receive()
        finally:
            self._size = reader.size
        answer = reader.answer()
        if reader.keep:
            self._rests_since = clock()
        else:
            self._hang_up()
        return answer

    def _kept(self, stream: Stream, *, surely: bool) -> Stream | None:
        surely = surely and clock() - self._rests_since > RESTED
        if not stream.still_open(surely=surely):
            self._totals.found_closed += 1
            self._hang_up()
            return None
        return stream

    def _hang_up(self) -> None:
        super()._hang_up()
        self._reader = None  # it may be in the middle of an answer

    def _closed_unanswered(self, problem: WireError | OSError) -> bool:
        if not self._untouched:
            return False
        return isinstance(problem, ConnectionError) or (
            isinstance(problem, WireError) and problem.reason is Reason.CLOSED
        )


def _judged(what: Call, answer: Answer, check: Check | None) -> Reason:
    if answer.status not in what.expected:
        if wants_a_certificate(answer.status, answer.body):
            return Reason.NO_CERTIFICATE
        return Reason.REDIRECT if answer.status in REDIRECTS else Reason.STATUS
    if check is not None:
        try:
            check(answer)
        except _WRONG:
            return Reason.CHECK
    return Reason.NONE
