# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the loop does not answer while its index grows: by files that
others make, and by a first scan.

What it takes to answer is split by the kernel's account of the loop's thread:
the time that it was ready to run and others ran is the machine's, the rest
(at work, or asleep over a page or a lock) is the agent's own."""

import multiprocessing
import os
import time
from collections import Counter
from pathlib import Path

import tree
from figures import percentile
from place import Line, place
from table import note, row

PAUSE_S = 0.003
GOAL_MS = 20


class Asker:
    """Asks something that costs nothing, every few milliseconds."""

    def __init__(self, at):
        self.line = Line(at.host, GOAL_MS / 1000, self._look)
        self.answers = []  # ms: in all, loop ready but not running, running
        self.seen = Counter()
        self.task = None
        pid = self.line.call("GetStatus")["agent"]["pid"]
        # The loop is the process's first thread.
        self.task = Path(f"/proc/{pid}/task/{pid}")

    def _account(self):
        ran, waited, _ = map(int, (self.task / "schedstat").read_text()
                             .split())
        return waited / 1e6, ran / 1e6

    def _look(self):
        """What the loop does while an answer is late."""
        if self.task:
            state = (self.task / "stat").read_text().rsplit(")", 1)[1][1]
            stack = [line.split()[1].partition("+")[0] for line in
                     (self.task / "stack").read_text().splitlines()]
            self.seen[f"{state} {' < '.join(stack)}"] += 1

    def ask(self):
        before, asked = self._account(), time.monotonic()
        self.line.call("org.varlink.service.GetInfo")
        took = (time.monotonic() - asked) * 1000
        waited, ran = (now - then for now, then
                       in zip(self._account(), before))
        self.answers.append((took, min(waited, took), min(ran, took)))
        time.sleep(PAUSE_S)

    def row(self, what, files):
        own = [took - waited for took, waited, _ in self.answers]
        ran = [ran for _, _, ran in self.answers]
        took = [took for took, _, _ in self.answers]
        note("longest: " + ", ".join(
            f"{all_:.1f} ms ({waited:.1f} waiting for a processor, "
            f"{ran_:.1f} at work)" for all_, waited, ran_
            in sorted(self.answers)[-5:]))
        for where, count in self.seen.most_common(8):
            note(f"seen while late: {count} × {where}")
        row(f"longest answer while {files:,} files are {what}",
            f"≤ {GOAL_MS} ms of its own",
            f"{max(own):.1f} ms of its own ({max(ran):.1f} ms at work), "
            f"{max(took):.1f} ms in all",
            peers=f"p50 {percentile(took, .5):.2f} ms, "
            f"p99 {percentile(took, .99):.2f} ms of {len(took):,} answers",
            met=max(own) <= GOAL_MS)


def prefer_us():
    """So that the asker's own waiting is not in what it measures."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        note("no real-time priority: figures hold the client's delays, too")


def ordinary():
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def added(at, where):
    """Others make the files; the agent follows."""
    child = multiprocessing.Process(
        target=tree.make, args=(where, at.files, at.dirs))
    child.start()
    prefer_us()
    try:
        asker = Asker(at)
        while child.is_alive():
            asker.ask()
        count = 0
        while count < at.files:
            for _ in range(100):
                asker.ask()
            count = asker.line.call("GetStatus")["components"][0]["files"]
    finally:
        child.join()
        ordinary()
    asker.row("added", at.files)


def scanned(at):
    agent = at.start_untrusted()
    while not at.host.socket.exists():
        time.sleep(0.01)
    prefer_us()
    try:
        asker = Asker(at)
        is_trusted = False
        while not is_trusted:
            for _ in range(20):
                asker.ask()
            is_trusted = asker.line.call(
                "GetStatus")["components"][0]["trusted"]
    finally:
        ordinary()
    at.wait_files(agent)
    asker.row("scanned", at.files)
    agent.stop()


def stall(options):
    with place(options) as at:
        at.configure(mode="observe", allocation="900GB")
        where = at.host.place("data", "feeds")
        agent = at.start()
        note(f"making {at.files} files, watched")
        added(at, where)
        agent.stop()
        scanned(at)
