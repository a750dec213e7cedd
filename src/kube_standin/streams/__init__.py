"""Logs, exec, port-forward and the proxy: over WebSocket and SPDY."""
