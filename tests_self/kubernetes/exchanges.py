"""Recorded exchanges: sent again, and compared without what changes from run to run."""

import json
import re
from typing import Any

import httpx

from .servers import Server

Json = dict[str, Any]

VOLATILE = {
    "uid": "<uid>",
    "resourceVersion": "<rv>",
    "creationTimestamp": "<time>",
    "deletionTimestamp": "<time>",
    "clusterIP": "<ip>",
    "continue": "<continue>",
    **dict.fromkeys(("gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion"), "<build>"),
}
LEFT_OUT = {"managedFields", "storageVersionHash", "description"}
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
VERSION = re.compile(r"(?<=current: )\d+")


def send(server: Server, request: Json) -> httpx.Response:
    """A recorded request, sent to a server."""
    headers = {"accept": request["accept"]} | request.get("headers", {})
    content = None
    if request["body"] is not None:
        body = request["body"]
        content = body if isinstance(body, str) else json.dumps(body)
        headers["content-type"] = request["content_type"]
    with server.client(request["as"]) as client:
        return client.request(request["method"], request["path"], headers=headers, content=content)


def body(answer: httpx.Response) -> Any:
    return answer.json() if answer.headers.get("content-type") == "application/json" else answer.text


def plain(value: Any) -> Any:
    """A body without what changes from run to run."""
    if isinstance(value, str):
        return VERSION.sub("<rv>", UID.sub("<uid>", value))
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {
        name: (each and VOLATILE.get(name)) or plain(each)
        for name, each in value.items()
        if name not in LEFT_OUT
    }
    if found.get("clusterIPs", ["None"]) != ["None"]:
        found["clusterIPs"] = ["<ip>"]
    if "cells" in found:
        found["cells"] = ["<age>" if re.fullmatch(r"\d+s", str(cell)) else cell for cell in found["cells"]]
    return found
