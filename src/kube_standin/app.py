"""The ASGI application: who asks, for what, and the answer in the shape that was asked for."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from kube_standin.cluster import Cluster, built_in, starting_objects
from kube_standin.describing import documents, openapi2
from kube_standin.objects import watching
from kube_standin.printing import tables
from kube_standin.printing.tables import Wanted
from kube_standin.settings import Settings, User
from kube_standin.streams import logs, proxying
from kube_standin.streams.sockets import Sockets
from kube_standin.wire import answers, call, impersonation
from kube_standin.wire.access import Action
from kube_standin.wire.answers import Json, PlainError, RefusedError
from kube_standin.wire.call import Call, Target
from kube_standin.wire.requests import Requests, request_action
from kube_standin.wire.syntax import dump_yaml

ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
LARGEST_BODY = 3 * 1024 * 1024
HEADERS = {"cache-control": "no-cache, private"}
log = logging.getLogger("kube_standin")


class Application:
    """One API server."""

    def __init__(self, settings: Settings) -> None:
        self._cluster = Cluster(settings)
        self._address = f"{settings.host}:{settings.port}"
        self._requests = Requests(self._cluster)
        self._sockets = Sockets(self._cluster, self._requests)
        for obj in starting_objects():
            self._requests.start(obj)

    def user(self, authorization: str) -> User:
        """Whose token it is. Raises RefusedError if it is unknown."""
        return self._cluster.tokens.user(authorization)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await self._sockets.serve(scope, receive, send)
            case _:
                request = Request(scope, receive)
                with suppress(ClientDisconnect):
                    response = await self._respond(request)
                    await response(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, request: Request) -> Response:
        negotiated = tables.negotiate(request.headers.get("accept", ""))
        wanted = negotiated or Wanted()
        try:
            return await self._dispatch(request, negotiated)
        except RefusedError as error:
            return _written(error.code, error.status(), wanted, headers=error.headers())
        except PlainError as error:
            return Response(str(error), error.code, HEADERS, "text/plain")
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("%s %s", request.method, request.url.path)
            fault = answers.internal("the stand-in has a fault: see its log")
            return _written(fault.code, fault.status(), wanted)

    async def _dispatch(self, request: Request, negotiated: Wanted | None) -> Response:
        user = self.user(request.headers.get("authorization", ""))
        target = call.parse_path(request.url.path)
        if target is None:
            return self._document(request, user, negotiated or Wanted())
        if negotiated is None and target.part not in logs.PARTS:
            raise answers.not_acceptable(tables.OFFERED)
        return await self._resource(request, user, target, negotiated or Wanted())

    def _document(self, request: Request, user: User, wanted: Wanted) -> Response:
        path = request.url.path
        action = Action(request.method.lower(), path=path)
        user = impersonation.acting(self._cluster.access, user, request.headers, action)
        self._cluster.access.require(user, action)
        if request.method not in {"GET", "HEAD"}:
            raise answers.method_not_allowed()
        if path == "/openapi/v2":
            content = openapi2.document(self._cluster.kinds())
            return Response(content, HTTPStatus.OK, HEADERS, openapi2.MEDIA_TYPE)
        found = documents.document(self._cluster, path, wanted.shape, self._address)
        if isinstance(found, str):
            return Response(found, HTTPStatus.OK, HEADERS, "text/plain")
        media_type = "application/json"
        if found.get("kind") == documents.AGGREGATED:
            media_type += ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        return _written(HTTPStatus.OK, found, wanted, media_type=media_type)

    async def _resource(self, request: Request, user: User, target: Target, wanted: Wanted) -> Response:
        query = dict(request.query_params)
        action = request_action(target, target.verb(request.method, query), query)
        user = impersonation.acting(self._cluster.access, user, request.headers, action)
        kind, verb = self._requests.find(user, target, request.method, query)
        made = Call(
            user=user,
            verb=verb,
            kind=kind,
            target=target,
            query=query,
            content_type=request.headers.get("content-type", "").partition(";")[0].strip(),
            agent=request.headers.get("user-agent", ""),
            body=await _body(request),
        )
        if kind is built_in("Endpoints"):
            made.warnings.append(ENDPOINTS)
        match target.part:
            case "log":
                return self._log(made)
            case "proxy":
                return await self._proxy(request, made)
            case "exec" | "attach" | "portforward":
                self._sockets.admit(user, target)
                raise answers.bad_request("Upgrade request required")
        include = query.get("includeObject", "")
        if verb == "watch":
            return self._watch(made, wanted, include)
        reply = self._requests.answer(made)
        body = reply.body if target.part == "scale" else tables.shaped(kind, reply.body, wanted, include)
        return _written(reply.code, body, wanted, warnings=made.warnings)

    def _watch(self, made: Call, wanted: Wanted, include: str) -> Response:
        watching.check(self._cluster.store, made)

        def shape(obj: Json) -> Any:
            return tables.shaped(made.kind, obj, wanted, include)

        async def stream() -> AsyncIterator[bytes]:
            async for event in watching.events(self._cluster.store, made, shape):
                yield _json(event) + b"\n"

        return StreamingResponse(stream(), HTTPStatus.OK, HEADERS, "application/json")

    def _log(self, made: Call) -> Response:
        store = self._cluster.store
        pod = store.get(made.kind, made.namespace, made.name)
        if pod is None:
            raise answers.not_found("", "pods", made.name)
        wish = logs.wish(made)
        path = logs.source(pod, made, self._cluster.places.of(made.namespace, made.name))
        if path is None:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=HEADERS)
        uid = pod["metadata"]["uid"]

        def runs() -> bool:
            now = store.get(made.kind, made.namespace, made.name)
            ended = {"Succeeded", "Failed"}
            return (
                now is not None and now["metadata"]["uid"] == uid and now["status"].get("phase") not in ended
            )

        return StreamingResponse(logs.lines(path, wish, runs), HTTPStatus.OK, HEADERS, "text/plain")

    async def _proxy(self, request: Request, made: Call) -> Response:
        find = proxying.pod_address if made.kind is built_in("Pod") else proxying.service_address
        address = find(self._cluster, made.namespace, made.name)
        raw = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        path = raw.split("/proxy", 1)[1] or "/"
        if request.url.query:
            path += f"?{request.url.query}"
        found = await proxying.forward(address, request.method, path, request.headers, made.body)
        response = Response(found.body, found.status)
        response.raw_headers = [
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in found.headers),
            (b"content-length", str(len(found.body)).encode()),
        ]
        return response


async def _body(request: Request) -> bytes:
    """The whole body, unless it is larger than the server takes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise answers.too_large(LARGEST_BODY)
    return body


def _written(
    code: int,
    body: Json,
    wanted: Wanted,
    *,
    headers: dict[str, str] | None = None,
    warnings: list[str] | None = None,
    media_type: str = "",
) -> Response:
    content = dump_yaml(body) if wanted.media_type == "application/yaml" else _json(body)
    response = Response(content, code, HEADERS | (headers or {}), media_type or wanted.media_type)
    for text in warnings or ():
        response.raw_headers.append((b"warning", f"299 - {json.dumps(text)}".encode("latin-1", "replace")))
    return response


def _json(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
