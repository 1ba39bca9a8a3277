# SPDX-License-Identifier: GPL-2.0-or-later
"""A real HTTP server that keeps what is posted to it."""

import json
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import agent as ag


class Receiver:
    def __init__(self):
        self.posts = []
        self.lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.posts.append(
                        dict(json.loads(body), receivedAt=time.time()))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/alerts"

    def alerts(self, **match):
        """What arrived, in order, with these values."""
        with self.lock:
            return [p for p in self.posts
                    if all(p.get(k) == v for k, v in match.items())]

    def wait(self, timeout=10, **match):
        try:
            return ag.wait_for(f"alert {match}",
                               lambda: self.alerts(**match), timeout)[-1]
        except AssertionError as error:
            came = [(p["event"], p["kind"], p["level"], p["scope"])
                    for p in self.alerts()]
            raise AssertionError(f"{error}; came: {came}; we: "
                                 f"{self.stacks()}") from None

    @staticmethod
    def stacks():
        """What our threads do, for the case that it is us who are slow."""
        return "\n".join("".join(traceback.format_stack(frame)[-3:])
                         for frame in sys._current_frames().values())

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
