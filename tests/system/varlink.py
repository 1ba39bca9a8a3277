# SPDX-License-Identifier: GPL-2.0-or-later
"""A Varlink client of its own making: what it says is what is on the wire."""

import json
import socket

INTERFACE = "io.ullage.Agent"


class VarlinkError(Exception):
    def __init__(self, name, parameters):
        super().__init__(f"{name}: {parameters}")
        self.name = name
        self.parameters = parameters


class Client:
    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.rest = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, method, parameters=None, **flags):
        if "." not in method:
            method = f"{INTERFACE}.{method}"
        call = {"method": method, **flags}
        if parameters is not None:
            call["parameters"] = parameters
        self.socket.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        """One reply: parameters, and whether more come."""
        while b"\0" not in self.rest:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError("the agent hung up")
            self.rest += piece
        frame, self.rest = self.rest.split(b"\0", 1)
        reply = json.loads(frame)
        if reply.get("error"):
            raise VarlinkError(reply["error"], reply.get("parameters"))
        return reply["parameters"], reply.get("continues", False)

    def call(self, method, **parameters):
        self.send(method, parameters)
        return self.receive()[0]
