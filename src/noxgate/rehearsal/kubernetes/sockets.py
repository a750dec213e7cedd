"""The websockets: exec and port-forward, admitted as any other request is."""

from starlette.types import Receive, Scope, Send

from noxgate.rehearsal.kubernetes.cluster import Cluster
from noxgate.rehearsal.kubernetes.requests import Requests


class Sockets:
    def __init__(self, cluster: Cluster, requests: Requests) -> None:
        self._cluster = cluster
        self._requests = requests

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError
