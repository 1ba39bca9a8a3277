# SPDX-License-Identifier: GPL-2.0-or-later
"""Those who watch a tree, each as a context: within it the watcher has
finished its first look at the tree, after it nothing of it is left.

Each yields the processes whose CPU time is its own."""

import json
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import agent as ag
from place import TOOLS


@contextmanager
def running(*command, **options):
    child = subprocess.Popen([str(c) for c in command],
                             stdin=subprocess.DEVNULL, **options)
    try:
        yield child
        if child.poll() is not None:
            raise SystemExit(f"{command[0]} ended: {child.returncode}")
    finally:
        child.kill()
        child.wait()


def wait_line(child, stream, word):
    for line in stream:
        if word in line:
            return
    raise SystemExit(f"{child.args[0]} never said {word!r}")


@contextmanager
def none(at, tree):
    yield []


@contextmanager
def bare(at, tree):
    """The limit: reads and forgets."""
    with running(TOOLS / "bare", at.host.mnt, text=True,
                 stdout=subprocess.PIPE) as child:
        wait_line(child, child.stdout, "ready")
        yield [child.pid]


@contextmanager
def ullage(at, tree, watch="fanotify"):
    at.configure({"watch": watch})
    agent = at.start()
    try:
        source = agent.component("feeds")["source"]
        if source != watch:
            raise SystemExit(f"watched by {source}, not {watch}")
        time.sleep(1)  # the first state is being saved
        yield agent.pids()
        at.overflows += agent.status()["agent"]["overflows"]
    finally:
        agent.stop()


@contextmanager
def ullage_inotify(at, tree):
    with ullage(at, tree, "inotify") as pids:
        yield pids


@contextmanager
def inotifywait(at, tree):
    with running("inotifywait", "-m", "-r", tree, text=True,
                 stdout=subprocess.DEVNULL,
                 stderr=subprocess.PIPE) as child:
        wait_line(child, child.stderr, "Watches established")
        yield [child.pid]


@contextmanager
def fatrace(at, tree):
    """-c: of the mount that it is on. It says nothing of when it is ready;
    its mark is to be seen in the kernel's account of the descriptor."""
    with running("fatrace", "-c", cwd=at.host.mnt, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL) as child:
        ag.wait_for("fatrace's mark", lambda: any(
            "fanotify mnt_id" in text or "fanotify sdev" in text
            for text in map(Path.read_text,
                            Path(f"/proc/{child.pid}/fdinfo").iterdir())))
        yield [child.pid]


class Watchman:
    def __init__(self, at):
        self.home = at.host.dir / f"watchman.{time.monotonic_ns()}"
        self.home.mkdir(mode=0o700)
        self.command = ["watchman", f"--sockname={self.home}/sock",
                        f"--logfile={self.home}/log",
                        f"--statefile={self.home}/state",
                        f"--pidfile={self.home}/pid"]

    @contextmanager
    def server(self):
        with running(*self.command, "--foreground",
                     stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL) as child:
            ag.wait_for("watchman", (self.home / "sock").exists)
            time.sleep(0.5)
            yield child.pid

    def watch(self, tree):
        """Returns when the crawl is through: an answer waits for it."""
        ag.run(*self.command, "watch", tree)
        found = subprocess.run(
            [*self.command, "-j"], text=True, capture_output=True,
            check=True, input=json.dumps(["query", str(tree), {
                # Of a million files none has this name.
                "expression": ["name", "no-such-name"],
                "fields": ["name"], "sync_timeout": 600000}]))
        if '"files": []' not in found.stdout:
            raise SystemExit(f"watchman: {found.stdout}")


@contextmanager
def watchman(at, tree):
    one = Watchman(at)
    with one.server() as pid:
        one.watch(tree)
        yield [pid]


# "none" must be the first, and comes twice: how far the second is from the
# first is what a ratio means nothing below.
AGAIN = "none again"
ALL = {"none": none, AGAIN: none, "bare reader": bare, "ullage": ullage,
       "ullage, inotify": ullage_inotify, "inotifywait": inotifywait,
       "watchman": watchman, "fatrace": fatrace}
PEERS = ("inotifywait", "watchman", "fatrace")
