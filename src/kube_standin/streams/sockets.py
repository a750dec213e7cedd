"""The websockets of pods: admitted as any other request is, then exec or port-forward."""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from kube_standin.cluster import Cluster
from kube_standin.settings import Place, User
from kube_standin.streams import executing, forwarding, logs
from kube_standin.streams.executing import ExecRequest
from kube_standin.wire import answers, call
from kube_standin.wire.answers import Json, PlainError, RefusedError
from kube_standin.wire.call import Target, is_true
from kube_standin.wire.causes import Cause
from kube_standin.wire.requests import Requests

STREAMS = frozenset({"attach", "exec", "portforward"})
log = logging.getLogger("kube_standin")


class Sockets:
    """Serves the websockets of a cluster's pods."""

    def __init__(self, cluster: Cluster, requests: Requests) -> None:
        self._cluster = cluster
        self._requests = requests

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One websocket, or the refusal of its handshake."""
        socket = WebSocket(scope, receive, send)
        try:
            user = self._cluster.tokens.user(socket.headers.get("authorization", ""))
            target = _target(socket.url.path)
            pod, place = self.admit(user, target)
            if target.part == "portforward":
                await self._forward(socket, pod, place)
            else:
                await self._execute(socket, pod, place)
        except RefusedError as error:
            body = json.dumps(error.status()).encode()
            await socket.send_denial_response(Response(body, error.code, media_type="application/json"))
        except PlainError as error:
            await socket.send_denial_response(Response(str(error), error.code, media_type="text/plain"))
        except WebSocketDisconnect:
            pass
        except Exception:
            log.exception("websocket %s", scope["path"])
            with suppress(RuntimeError):
                await socket.close(1011)

    def admit(self, user: User, target: Target) -> tuple[Json, Place]:
        """The pod that is meant, if this user may and somebody has said where the pod is."""
        kind, _ = self._requests.find(user, target, "GET", {})
        if target.part not in STREAMS:
            raise answers.bad_request("this path takes no websocket")
        # Since 1.35 a websocket, which has to be a GET, needs the right to create as well
        self._cluster.access.require(user, target.action("create"))
        pod = self._cluster.store.get(kind, target.namespace, target.name)
        if pod is None:
            raise answers.not_found("", "pods", target.name)
        place = self._cluster.places.of(target.namespace, target.name)
        if place is None:
            raise answers.bad_request(f"pod {target.name} does not have a host assigned")
        if target.part == "attach":
            raise answers.internal("attach is not served by the stand-in")
        return pod, place

    async def _execute(self, socket: WebSocket, pod: Json, place: Place) -> None:
        query = socket.query_params
        logs.container_of(pod, query.get("container", ""))
        _check_running(pod)
        wish = _wish(query)
        await socket.accept(subprotocol=_chosen(socket, executing.PROTOCOLS))
        await executing.execute(socket, wish, place)

    async def _forward(self, socket: WebSocket, pod: Json, place: Place) -> None:
        _check_running(pod)
        protocol = _chosen(socket, forwarding.PROTOCOLS)
        if protocol == forwarding.TUNNEL:
            await socket.accept(subprotocol=protocol)
            await forwarding.by_tunnel(socket, place.of_port)
            return
        texts = [port for value in socket.query_params.getlist("ports") for port in value.split(",")]
        if not texts or not all(text.isdigit() for text in texts):
            raise answers.bad_request('query parameter "ports" is required')
        await socket.accept(subprotocol=protocol)
        await forwarding.by_channels(socket, [int(text) for text in texts], place.of_port)


def _target(path: str) -> Target:
    target = call.parse_path(path)
    if target is None:
        raise answers.unknown_path()
    return target


def _wish(query: QueryParams) -> ExecRequest:
    command = query.getlist("command")
    if not command:
        cause = Cause("FieldValueRequired", "Required value", "command")
        raise answers.invalid("", "PodExecOptions", "", [cause])
    wanted = {name: is_true(query.get(name, "")) for name in ("stdin", "stdout", "stderr", "tty")}
    if not any(wanted[name] for name in ("stdin", "stdout", "stderr")):
        raise answers.bad_request("you must specify at least 1 of stdin, stdout, stderr")
    return ExecRequest(command, **wanted)


def _check_running(pod: Json) -> None:
    phase = pod.get("status", {}).get("phase")
    if phase in {"Succeeded", "Failed"}:
        raise answers.bad_request(
            f"cannot exec into a container in a completed pod; current phase is {phase}"
        )


def _chosen(socket: WebSocket, offered: Sequence[str]) -> str:
    """The first of our protocols that the client speaks."""
    spoken = socket.scope.get("subprotocols", [])
    found = next((protocol for protocol in offered if protocol in spoken), None)
    if found is None:
        raise RefusedError(
            HTTPStatus.FORBIDDEN, "Forbidden", f"unable to negotiate protocol: {list(offered)}", {}
        )
    return found
