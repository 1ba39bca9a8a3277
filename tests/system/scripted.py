# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent that says what it is told to: for tests of clients."""

import json
import socket
import threading


class ScriptedAgent:
    """answers: method -> list of replies; a reply is parameters, an error
    ("io.ullage.Agent.NotFound", parameters), raw bytes, or a callable."""

    def __init__(self, path, answers):
        self.path = str(path)
        self.answers = answers
        self.calls = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self):
        # A thread left in accept() may be restarted there by the kernel, with
        # the same number, which is another listener's by then.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        rest = b""
        with client:
            while True:
                try:
                    piece = client.recv(65536)
                except OSError:
                    return
                if not piece:
                    return
                rest += piece
                while b"\0" in rest:
                    frame, rest = rest.split(b"\0", 1)
                    if not self._answer(client, json.loads(frame)):
                        return

    def _answer(self, client, call):
        self.calls.append(call)
        replies = self.answers[call["method"].rsplit(".", 1)[1]]
        if not call.get("more"):
            replies = replies[-1:]
        try:
            for number, reply in enumerate(replies):
                is_last = number == len(replies) - 1
                if callable(reply):
                    reply = reply()
                if reply is None:
                    return False
                client.sendall(self._frame(reply, not is_last))
        except OSError:
            return False
        return True

    @staticmethod
    def _frame(reply, continues):
        if isinstance(reply, bytes):
            return reply
        if isinstance(reply, tuple):
            frame = {"error": reply[0], "parameters": reply[1]}
        else:
            frame = {"parameters": reply}
        if continues:
            frame["continues"] = True
        return json.dumps(frame).encode() + b"\0"
