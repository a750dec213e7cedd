"""The API of one pod, before users get there or while they have it, by a port-forward of ours."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from nox_service.access.tokens import REFUSED, Who, bearer, made_of
from nox_service.api import as_text, idempotent
from nox_service.websocket import Echo, talk
from noxgate.look.http import Answer
from noxgate.look.observation import shortened
from noxgate.machine.late import late
from noxgate.project.target import Target
from noxgate.systems.kubernetes.forward import REPEAT_PORT, OwnWay, Request
from noxgate.systems.kubernetes.listener import HOST

if TYPE_CHECKING:
    import websocket
else:
    websocket = late("websocket")

T = TypeVar("T")


class PodApi:
    """Asks one pod as somebody: a token goes to the pod, and never to the API server of the cluster."""

    def __init__(self, target: Target, way: OwnWay) -> None:
        self._target = target
        self._way = way

    def get(self, path: str, *, who: Who | None = None) -> Answer:
        """GET `path`."""
        headers, spelled = self._as(who)
        return self._answered(Request(path, headers=headers, spelled=spelled), who)

    def at_each_pod(self, path: str, *, who: Who | None = None) -> list[Answer]:
        """GET `path` of this one."""
        return [self.get(path, who=who)]

    def post(self, path: str, body: object, *, who: Who | None = None) -> Answer:
        """POST one of the science requests; `body` is sent as JSON, or as it is where it is text."""
        headers, spelled = self._as(who)
        text = as_text(body)
        typed = {"content-type": "application/json", **headers}
        words = (*spelled, "-H 'Content-Type: application/json'", f"-d {shlex.quote(text)}")
        return self._answered(Request(idempotent(path), "POST", typed, text, words), who)

    def _answered(self, request: Request, who: Who | None) -> Answer:
        answer = self._way.send(request)
        if who is not None and answer.status in REFUSED:
            self._target.refused(made_of(who))
        return answer

    def _as(self, who: Who | None) -> tuple[dict[str, str], tuple[str, ...]]:
        if who is None:
            return {}, ()
        value, spelled = bearer(self._target.credential, who)
        return {"authorization": value}, (spelled,)


def echo(way: OwnWay, path: str, message: str) -> Echo:
    """Say something to the WebSocket of one pod."""
    command = f"wsdump ws://{HOST}:{REPEAT_PORT}{path} --text {message!r}"
    found = way.use(
        lambda port: talk(f"ws://{HOST}:{port}{path}", message),
        f"a WebSocket at {path}",
        command,
        (OSError, websocket.WebSocketException),
    )
    way.saw(shortened(str(found)), command)
    return found


def wrong_pods(found: Mapping[str, T]) -> dict[str, T | str]:
    """The pods of which there is something to say; without any pod, that too."""
    if not found:
        return {"pods": "expected some, saw none"}
    return {pod: said for pod, said in found.items() if said}
