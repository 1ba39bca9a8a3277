# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes down what is posted: receiver.py PORT FILE"""

import http.server
import sys


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], "ab") as out:
            out.write(self.path.encode() + b" " + body.strip() + b"\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
open(sys.argv[2], "wb").close()  # it listens
server.serve_forever()
