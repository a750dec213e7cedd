"""Serve the application on loopback until SIGTERM."""

import os
import sys

import uvicorn

from nox_rehearsal.api.app import application
from nox_rehearsal.api.logs import start_logging
from nox_rehearsal.api.settings import SettingsError, from_environment


def main(_: list[str]) -> int:
    try:
        settings = from_environment(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"nox_rehearsal.api: {error}\n")
        return 2
    start_logging(settings)
    uvicorn.run(
        application(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,  # longer than nginx keeps an idle connection, so that it closes first
        timeout_graceful_shutdown=5,
        ws_max_size=1_000_000,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
