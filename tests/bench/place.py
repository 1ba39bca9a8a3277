# SPDX-License-Identifier: GPL-2.0-or-later
"""Where it is measured: a host with one component, feeds, and its tree."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
import agent as ag  # noqa: E402
import tree  # noqa: E402
from table import note  # noqa: E402

# The C programs of this folder, built by tests/bench/run.
TOOLS = ag.BUILD / "bench"


class Line:
    """A client that keeps its connection. on_late: called while an answer
    takes longer than late_s, each time that passes again."""

    def __init__(self, host, late_s=None, on_late=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(host.socket))
        self.socket.settimeout(late_s)
        self.on_late = on_late

    def _receive(self):
        while True:
            try:
                return self.socket.recv(1 << 20)
            except TimeoutError:
                self.on_late()

    def call(self, method, **parameters):
        if "." not in method:
            method = f"io.ullage.Agent.{method}"
        self.socket.sendall(json.dumps(
            {"method": method, "parameters": parameters}).encode() + b"\0")
        got = b""
        while not got.endswith(b"\0"):
            more = self._receive()
            if not more:
                raise ConnectionResetError(f"{method}: hung up")
            got += more
        answer = json.loads(got[:-1])
        if "error" in answer:
            raise SystemExit(f"{method}: {answer}")
        return answer["parameters"]


class Place:
    """A Host for so many files, and the agent on it."""

    def __init__(self, options, fs="ext4", size=20 * ag.GIB, files=None):
        self.files = files or options.files
        self.rounds = options.rounds
        self.dirs = max(self.files // 100, 1)
        self.overflows = 0  # of queues, of all agents that were asked
        self.host = ag.Host(fs, size, mount_options=(
            "noatime" if fs == "ext4" else None))
        if fs == "ext4":
            self._more_inodes()

    def _more_inodes(self):
        """Enough for every tree of one measurement."""
        self.host.umount()
        ag.run("mkfs.ext4", "-q", "-F", "-N", 2 * self.files + 100_000,
               self.host.image)
        self.host.mount()
        self.host.root.mkdir()
        self.host.outside.mkdir()

    def tree_at(self, place, due=0.0):
        note(f"making {self.files} files")
        place.mkdir(parents=True, exist_ok=True)
        tree.make(place, self.files, self.dirs, due=due, block=due > 0)

    def configure(self, main=None, **keys):
        policy = ag.policy("feeds", **{
            "owners": ["*"], "allocation": "10GB", "strategy": "time",
            "limits": {**ag.NO_LIMITS, "files": 100_000_000}, **keys})
        self.host.config({"reconcile": "30d", **(main or {})}, policy)

    def start(self):
        return self.host.start()

    def start_untrusted(self):
        """Does not wait for the first scan."""
        agent = ag.Agent(self.host, trusted=False)
        self.host.agents.append(agent)
        agent.start()
        return agent

    def wait_files(self, agent, on_answer=None):
        """Until the agent trusts an index of all files. Asks over one
        connection: a command for each question would take a tenth of two
        processors from what is measured."""
        end, line = time.monotonic() + 120 + self.files / 10_000, None
        while time.monotonic() < end:
            try:
                line = line or Line(self.host)
                first = line.call("GetStatus")["components"][0]
            except OSError:
                first, line = {"trusted": False}, None
            if on_answer:
                on_answer(first)
            if first["trusted"] and first["files"] >= self.files:
                return
            time.sleep(0.02)
        raise SystemExit("the agent does not come to trust its index\n"
                         + agent.log_text()[-3000:])


@contextmanager
def place(options, *arguments, **keys):
    made = Place(options, *arguments, **keys)
    try:
        yield made
    finally:
        made.host.close()


def remove(path):
    """Seconds that rm takes."""
    note("removing the tree")
    began = time.monotonic()
    subprocess.run(["rm", "-rf", path], check=True)
    return time.monotonic() - began


def empty(path):
    """What is in a directory goes; the directory stays."""
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry)
        else:
            os.unlink(entry)
