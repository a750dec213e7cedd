"""Connections of gevent: sockets, TLS, HTTP/1.1, WebSocket frames."""
