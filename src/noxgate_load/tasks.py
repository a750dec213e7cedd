"""What Locust asks for: the ramp, and a user's tasks one after another, with less to do between two."""

import random
from types import FunctionType
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import LoadTestShape  # noqa: TID251
from locust.exception import StopUser  # noqa: TID251 (the engine is where Locust may be imported)
from locust.user.task import (  # noqa: TID251
    LOCUST_STATE_RUNNING,
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
    DefaultTaskSet,
)

from noxgate_load.course import Course, Tick

LOCUSTS: Any = DefaultTaskSet  # untyped


class Tasks(DefaultTaskSet):
    """In place of Locust's: what it draws, runs and waits for is the same."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop

    def get_next_task(self) -> Any:
        tasks = self._user.tasks
        if len(tasks) == 1:
            return tasks[0]
        return random.choice(tasks) if tasks else LOCUSTS.get_next_task(self)  # noqa: S311

    def execute_next_task(self) -> None:
        task = self._task_queue.popleft()
        if isinstance(task, FunctionType):
            task(self._user)
        else:
            LOCUSTS.execute_task(self, task)

    def wait(self) -> None:
        user = self._user
        if user._state == LOCUST_STATE_STOPPING:  # noqa: SLF001 (as Locust's own)
            raise StopUser
        user._state = LOCUST_STATE_WAITING  # noqa: SLF001
        self._sleep(self.wait_time())
        if user._state == LOCUST_STATE_STOPPING:  # noqa: SLF001
            raise StopUser
        user._state = LOCUST_STATE_RUNNING  # noqa: SLF001

    def wait_time(self) -> float:
        return self._user.wait_time()

    def _sleep(self, seconds: float) -> None:
        """Without gevent's own waiter: users are woken by others only to end them."""
        switch = gevent.getcurrent().switch
        if seconds <= 0:  # answers that are there are read first
            turn = self._loop.run_callback(switch)
            try:
                self._hub.switch()
            finally:
                turn.stop()
            return
        timer = self._loop.timer(seconds)
        timer.start(switch, update=True)
        try:
            self._hub.switch()
        finally:
            timer.stop()
            timer.close()


class Shape(LoadTestShape):
    """The ramp; its course is set by the locustfile."""

    course: Course | None = None

    def tick(self) -> Tick:
        assert self.course is not None
        assert self.runner is not None
        return self.course.tick(self.runner.user_count)
