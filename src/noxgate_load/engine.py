"""The Locust user: HTTP and WebSocket on the engine of this folder, in place of HttpUser and FastHttpUser."""

from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from locust import User, events  # noqa: TID251 (this is the one place)
from locust.user.task import (  # noqa: TID251
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
    TaskSet,
)

from noxgate_load import garbage
from noxgate_load.http.client import MOST_BYTES, Check, HttpClient
from noxgate_load.http.duplex import WebSocketClient
from noxgate_load.http.endpoint import Endpoint
from noxgate_load.http.exchange import Answer, Call, call
from noxgate_load.http.sessions import Acquaintance
from noxgate_load.samples import Sample, Totals
from noxgate_load.tasks import Tasks

TOTALS = Totals()  # of this process


@cache
def endpoint(base_url: str, ca_file: Path | None, connect_timeout: float) -> Endpoint:
    """One for all users of this process: they share its addresses and its SSL context."""
    return Endpoint(base_url, ca_file=ca_file, connect_timeout=connect_timeout)


class ApiUser(User):
    """A user with one kept HTTP connection and, where it asks for one, a WebSocket."""

    abstract = True
    ca_file: ClassVar[Path | None] = None  # in place of the system's authorities; verification is always on
    connect_timeout: ClassVar[float] = 5
    timeout: ClassVar[float] = 60  # of a whole request; Locust's --stop-timeout must not be shorter
    most_bytes: ClassVar[int] = MOST_BYTES

    def __init__(self, environment: Any) -> None:
        self._tasks: Tasks | None = None
        super().__init__(environment)
        host = self.host or environment.host
        if not host:
            raise ValueError("no target: give --host")
        self.endpoint = endpoint(host, self.ca_file, self.connect_timeout)
        options = {"timeout": self.timeout, "most_bytes": self.most_bytes, "acquaintance": Acquaintance()}
        self.http = HttpClient(self.endpoint, self.record, TOTALS, **options)
        self.websocket = WebSocketClient(self.endpoint, self.record, TOTALS, **options)

    # Locust makes its own where a user begins to run, and asks for it once.

    @property
    def _taskset_instance(self) -> TaskSet | None:
        return self._tasks

    @_taskset_instance.setter
    def _taskset_instance(self, _: TaskSet | None) -> None:
        self._tasks = Tasks(self)

    def record(self, sample: Sample) -> None:
        """Take a sample: here, tell Locust's own statistics and whoever else listens."""
        self.environment.events.request.fire(
            request_type=sample.method,
            name=sample.name,
            response_time=sample.seconds * 1000,
            response_length=sample.size,
            exception=sample.error or None,
            context={},
            start_time=sample.began,
            sample=sample,
        )

    def call(self, method: str, path: str, **options: Any) -> Call:
        """Encode a request to this user's target."""
        return call(self.endpoint, method, path, **options)

    def send(self, what: Call, check: Check | None = None, *, intended: float | None = None) -> Answer:
        """Send a request; see HttpClient.send."""
        return self.http.send(what, check, intended=intended)

    def stop(self, force: bool = False) -> bool:  # noqa: FBT001, FBT002 (Locust's own signature)
        """Stop after the request in flight.

        Locust kills a user that waits. One whose wait ends at that moment would begin a request, to be killed
        in the middle of it: the changed state keeps it from beginning.
        """
        if not force and self._state == LOCUST_STATE_WAITING:
            self._state = LOCUST_STATE_STOPPING
            return bool(super().stop(force=True))
        return bool(super().stop(force=force))

    def on_stop(self) -> None:
        self.http.close()
        self.websocket.close()


HOOKS: Any = events  # untyped
HOOKS.init.add_listener(garbage.bound)
HOOKS.spawning_complete.add_listener(garbage.hold_off)
