"""The engine's own share: what create and start cost before the first instruction of the service.

The same image, create body and kind of network as assay's, but the container only runs `true`. No
client can be faster than this; it says how much of a figure is the engine's and how much ours.
"""

import http.client
import json
import os
import socket
import time
import uuid

from sides import Failed

PATIENCE_S = 60


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("engine", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


class EngineAlone:
    """Only over a unix socket: over a network it would be the network that is measured."""

    def __init__(self, order):
        scheme, _, self.path = order["engine"].partition("://")
        self.usable = scheme == "unix"
        self.services = {service["name"]: service for service in order["services"]}

    def call(self, method, path, body=None):
        connection = Connection(self.path)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status >= 400:
            raise Failed(f"the engine alone: {method} {path}: {response.status} {text.decode(errors='replace')}")
        return json.loads(text) if text.startswith((b"{", b"[")) else None

    def time(self, name):
        service = self.services[name]
        label = {"io.assay.bench": f"engine-alone-{os.getpid()}"}
        network = f"assay-bench-{uuid.uuid4().hex[:12]}"
        body = {**service["config"], "Image": service["prepared"] or service["image"],
                "Entrypoint": ["true"], "Cmd": [], "Labels": label,
                "HostConfig": {**service["host_config"], "NetworkMode": network}}
        container = None
        started = time.monotonic()
        self.call("POST", "/networks/create", {"Name": network, "Labels": label})
        try:
            container = self.call("POST", "/containers/create", body)["Id"]
            self.call("POST", f"/containers/{container}/start")
            ready = time.monotonic()
            self.call("POST", f"/containers/{container}/wait")
        finally:
            ended = time.monotonic()
            if container is not None:
                self.call("DELETE", f"/containers/{container}?force=1&v=1")
            self.call("DELETE", f"/networks/{network}")
        return {"ready_ms": (ready - started) * 1000, "down_ms": (time.monotonic() - ended) * 1000}
