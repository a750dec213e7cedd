#!/usr/bin/env bash
# httpx 0.28.1 (httpcore 1.0.9): a client that is closed during a request takes bytes of another connection, and writes to it.
#
# close() in one thread, while another waits for the rest of an answer over TLS, ends no read. The number of the
# connection's file is free at once, and the next socket gets it; OpenSSL keeps the number. When more of the
# answer comes, OpenSSL reads the five bytes of a record's head from that socket, takes them for no TLS, and
# writes an alert of 24 bytes to it. The request ends with "wrong version number", which is said of a server
# that speaks plain HTTP. requests 2.34.2 with urllib3 2.7.0 closes only connections that no request has: it reads on.
# A look that was given up is a thread that still waits; a client's close() is for when all of them have ended.
#
# Seen: as below, with Python 3.11 and OpenSSL 3.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    httpx==0.28.1 httpcore==1.0.9 requests==2.34.2 urllib3==2.7.0 2> "$folder/pip.txt" || { cat "$folder/pip.txt" >&2; exit 1; }
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key.pem" -out "$folder/cert.pem" -days 2 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2> /dev/null
"$folder/venv/bin/python" - "$folder" > "$folder/out.txt" <<'PY'
import os
import socket
import ssl
import sys
import threading

import httpx
import requests

folder = sys.argv[1]
trust = ssl.create_default_context(cafile=f"{folder}/cert.pem")
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")


def closed_midway(name, client, get):
    """Close the client when half of an answer came, open a pair of sockets, then let the other half come."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"https://localhost:{listener.getsockname()[1]}/"
    half, rest, over = threading.Event(), threading.Event(), threading.Event()

    def serve():
        plain, _ = listener.accept()
        with server.wrap_socket(plain, server_side=True) as secure:
            secure.recv(9999)
            secure.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx")
            half.set()
            rest.wait(20)
            secure.sendall(b"y")
            over.wait(20)

    said = []

    def look():
        try:
            said.append(str(get(url).text))
        except Exception as error:
            said.append(type(error).__name__ + " wrong version number" * ("wrong version" in str(error)))

    serving, looking = threading.Thread(target=serve), threading.Thread(target=look)
    serving.start(), looking.start()
    half.wait(20)
    looking.join(1)  # it waits for the rest
    before = set(os.listdir("/proc/self/fd"))
    client.close()
    freed = len(before - set(os.listdir("/proc/self/fd")))
    one, other = socket.socketpair()
    one.sendall(b"0123456789"), other.sendall(b"0123456789")
    rest.set()
    looking.join()
    read = [one.recv(99), other.recv(99)]
    over.set(), serving.join()
    print(f"{name}: files closed: {freed}, the request ends with {said[0]!r}")
    print("  read from the pair:", sorted((each[:10].decode(), len(each[10:])) for each in read))


client = httpx.Client(verify=trust, trust_env=False, timeout=20)
closed_midway("httpx", client, client.get)
session = requests.Session()
session.verify, session.trust_env = f"{folder}/cert.pem", False
closed_midway("requests", session, session.get)
PY
cat "$folder/out.txt"
diff - "$folder/out.txt" <<'SEEN'
httpx: files closed: 1, the request ends with 'ReadError wrong version number'
  read from the pair: [('0123456789', 24), ('56789', 0)]
requests: files closed: 0, the request ends with 'xy'
  read from the pair: [('0123456789', 0), ('0123456789', 0)]
SEEN
