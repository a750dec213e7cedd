"""What servers of Python and Go write of requests and of their own workers: grave, and harmless."""

_OF_UWSGI = "[pid: 7|app: 0|req: 1/1] 10.0.0.1 () {40 vars in 500 bytes} [Tue Dec  1 10:00:00 2026] GET"

FORMS: dict[str, tuple[list[str], list[str]]] = {
    "uWSGI": (
        [
            f"{_OF_UWSGI} /api => generated 12 bytes in 3 msecs (HTTP/1.1 500) 2 headers in 80 bytes",
            "!!! uWSGI process 7 got Segmentation Fault !!!",
            "DAMN ! worker 1 (pid: 7) died, killed by signal 9 :( trying respawn ...",
            "unable to load app 0 (mountpoint='') (callable not found or import error)",
            "*** no app loaded. going in full dynamic mode ***",
        ],
        [
            f"{_OF_UWSGI} /error => generated 12 bytes in 3 msecs (HTTP/1.1 200) 2 headers in 80 bytes",
            f"{_OF_UWSGI} /ready => generated 12 bytes in 3 msecs (HTTP/1.1 503) 2 headers in 80 bytes",
            "*** Starting uWSGI 2.0.28 (64bit) on [Tue Dec  1 10:00:00 2026] ***",
            "*** Operational MODE: preforking ***",
            "*** WARNING: you are running uWSGI without its master process manager ***",
            "WSGI app 0 (mountpoint='') ready in 1 seconds on interpreter 0x55 pid: 7 (default app)",
        ],
    ),
    "WebSockets of uvicorn, and Fiber": (
        [
            'INFO:     10.0.0.1:50000 - "WebSocket /ws" 500',
            "INFO:     ('10.0.0.1', 50000) - \"WebSocket /ws\" 500",
            "10:00:00 | 500 |     12.5ms |       10.0.0.1 | GET     | /api | -",
        ],
        [
            'INFO:     10.0.0.1:50000 - "WebSocket /ws/error" [accepted]',
            'INFO:     10.0.0.1:50000 - "WebSocket /ws" 403',
            "10:00:00 | 200 |     12.5ms |       10.0.0.1 | GET     | /error | -",
        ],
    ),
}
