"""Flagger's gate: 200 where `noxgate verify` says VERIFIED, and an error for all that is not.

Flagger takes any status up to 202 for a yes, so a verification that ended well is the only one of them: what
is undecided, still running, too slow or broken is 503, what was refused 403.

The standard library alone; started as `python webhook.py` in the gate's image, which has the evidence.
TARGET, RELEASE and PHASES are settings of this process: whoever calls it may not choose what is verified.
"""

import json
import os
import subprocess
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 60  # less than the webhook's own timeout in the Canary
LARGEST = 65_536  # bytes of a request
YES, REFUSED, UNDECIDED = HTTPStatus.OK, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE
ANSWERS = {0: YES, 1: REFUSED}  # of verify's exit statuses; every other one is undecided


def verified() -> tuple[HTTPStatus, str]:
    """What is answered, and the words that say why."""
    phases = [word for phase in os.environ["PHASES"].split() for word in ("--phase", phase)]
    command = [os.environ.get("NOXGATE", "noxgate"), "verify", os.environ["RELEASE"]]
    command += ["--target", os.environ["TARGET"], *phases]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return UNDECIDED, f"INCONCLUSIVE: noxgate verify: {error}"
    return ANSWERS.get(done.returncode, UNDECIDED), done.stdout + done.stderr


class Handler(BaseHTTPRequestHandler):
    """One question: POST /gate, with what Flagger sends."""

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if self.path != "/gate" or not length.isdecimal() or int(length) > LARGEST:
            self._answer(HTTPStatus.BAD_REQUEST, "expected POST /gate with a canary in JSON")
            return
        try:
            asked = json.loads(self.rfile.read(int(length)))
            canary = f"{asked['namespace']}/{asked['name']}"
        except (ValueError, KeyError, TypeError):
            self._answer(HTTPStatus.BAD_REQUEST, "expected POST /gate with a canary in JSON")
            return
        status, words = verified()
        sys.stderr.write(f"{canary}: {status.value}\n")
        self._answer(status, words)

    def do_GET(self) -> None:
        """For the probes of its own pod: that it runs, and nothing of the release."""
        self._answer(HTTPStatus.OK if self.path == "/alive" else HTTPStatus.NOT_FOUND, "")

    def _answer(self, status: HTTPStatus, words: str) -> None:
        content = words.encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """What is worth a line is said above."""


def main() -> None:
    for name in ("TARGET", "RELEASE", "PHASES"):  # at once, not at the first question
        if not os.environ.get(name):
            sys.exit(f"expected ${name}, saw none: see examples/ci/flagger/webhook.yaml")
    address = (os.environ.get("HOST", ""), int(os.environ.get("PORT", "8080")))
    server = ThreadingHTTPServer(address, Handler)
    sys.stderr.write(f"listening on {server.server_address[1]}\n")
    server.serve_forever()


if __name__ == "__main__":
    main()
