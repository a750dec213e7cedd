"""Serve on loopback until SIGTERM: python -m kube_standin SETTINGS (a JSON or TOML file)."""

import logging
import sys
from pathlib import Path

import uvicorn

from kube_standin.app import Application
from kube_standin.audit import Audit
from kube_standin.settings import SettingsError, load


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m kube_standin SETTINGS\n")
        return 2
    try:
        settings = load(Path(arguments[0]).resolve())
    except SettingsError as error:
        sys.stderr.write(f"kube_standin: {error}\n")
        return 2
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    application = Application(settings)
    uvicorn.run(
        application
        if settings.audit_log is None
        else Audit(application, settings.audit_log, application.user),
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        loop="uvloop",
        http="httptools",
        ws="wsproto",  # takes the name of kubectl's protocol, which has a slash in it
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,  # watches and followed logs do not end by themselves
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
