"""The ramp as Locust asks for it."""

from locust import LoadTestShape  # noqa: TID251 (load/ is where Locust may be imported)

from noxgate_load.course import Course, Tick


class Shape(LoadTestShape):
    """What Locust asks each second; the course is set by the locustfile."""

    course: Course | None = None

    def tick(self) -> Tick:
        assert self.course is not None
        assert self.runner is not None
        return self.course.tick(self.runner.user_count)
