"""Runs inside the unpacked files of the server image, as root in namespaces of its own: starts the server as its user
and prints what it answers to requests, one JSON line."""

import fcntl
import json
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

BASE = "http://127.0.0.1:8080"
FLOWERS = [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6], [5.1, 3.5, 1.4, 0.2]]
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def loopback_up():
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def ask(path, content=None):
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(BASE + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def wait_until_ready(server):
    while server.poll() is None:
        try:
            return ask("/v2/health/ready")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    sys.exit("the server ended before it was ready")


loopback_up()
started = time.monotonic()
server = subprocess.Popen(sys.argv[1:], user=1000, group=1000, stdout=sys.stderr)
wait_until_ready(server)
seconds = time.monotonic() - started
tensor = {"name": "flowers", "shape": [len(FLOWERS), 4], "datatype": "FP32", "data": FLOWERS}
v1 = ask("/v1/models/iris:predict", {"instances": FLOWERS})
v2 = ask("/v2/models/iris/infer", {"inputs": [tensor]})
server.terminate()
server.wait(30)
print(json.dumps({"seconds": seconds, "v1": v1["predictions"], "v2": v2["outputs"][0]["data"]}))
