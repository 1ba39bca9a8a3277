# SPDX-License-Identifier: GPL-2.0-or-later
"""What an agent does that has nothing to do, and how soon a crossing of a
limit starts a hook."""

import os
import subprocess
import sys
import time
from pathlib import Path

import agent as ag
from figures import cpu_of, percentile, rss_of, wakeups_of
from place import place
from table import row

IDLE_S = 300


def idle(options):
    with place(options) as at:
        at.configure()
        agent = at.start()
        for number in range(50):
            path = at.host.place("logs", "feeds") / f"f{number}"
            path.write_bytes(b"x" * 1000)
        time.sleep(15)  # what the first scan found has been saved
        pids = agent.pids()
        wakes, cpu = wakeups_of(pids), cpu_of(pids)
        time.sleep(IDLE_S)
        per_10 = (wakeups_of(pids) - wakes) / IDLE_S * 10
        percent = (cpu_of(pids) - cpu) / IDLE_S * 100
        rss = rss_of(pids)
        agent.stop()
    row("idle: wake-ups in 10 s, all processes", "< 1", f"{per_10:.2f}", "0",
        met=per_10 < 1)
    row("idle: CPU", "0.0 %", f"{percent:.2f} %", "0", met=percent < 0.05)
    row("RSS of all processes, small trees", "≤ 8 MB",
        f"{rss / ag.MIB:.1f} MB in {len(pids)}", met=rss <= 8 * ag.MIB)


def hook(options):
    """Crossing → hook started, while idle and under load."""
    with place(options) as at:
        hooks = at.host.dir / "etc/hooks.d"
        stamps = at.host.dir / "stamps"
        stamps.touch()
        stamps.chmod(0o666)
        ag.run("cc", "-O2", f'-DSTAMPS="{stamps}"', "-o", hooks / "stamp",
               Path(__file__).with_name("stamp.c"))
        at.configure({"alerts": {"hooks": str(hooks), "cooldown": "1s"}},
                     mode="observe", allocation="100MB")
        agent = at.start()
        where = at.host.place("data", "feeds")
        took = crossings(at, where, stamps, 60)
        row("crossing → hook started, idle", "p99 ≤ 20 ms",
            f"p50 {percentile(took, .5):.1f} ms, "
            f"p99 {percentile(took, .99):.1f} ms", "a wake-up",
            "30 s poll: 15,000 ms mean",
            f"{percentile(took, .5) / 15000:.5f} ×",
            percentile(took, .99) <= 20)
        load = Load(at.host.place("temp", "feeds"))
        took = crossings(at, where, stamps, 40)
        rate = load.stop()
        row(f"… under {rate / 1000:.0f},000 operations/s", "p99 ≤ 250 ms",
            f"p50 {percentile(took, .5):.1f} ms, "
            f"p99 {percentile(took, .99):.1f} ms", "a wake-up",
            met=percentile(took, .99) <= 250)
        agent.stop()


def crossings(at, where, stamps, rounds):
    """A prepared file is renamed in and out; ms until the hook runs."""
    ready = at.host.outside / "ninety"
    with open(ready, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 90 * ag.MIB)
    took = []
    for number in range(rounds):
        time.sleep(1.05 + 0.013 * (number % 7))  # past the cooldown
        before = stamps.stat().st_size
        # From its end: a rename may wait for the journal.
        os.rename(ready, where / "ninety")
        began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        ag.wait_for("the hook", lambda: stamps.stat().st_size > before)
        line = stamps.read_bytes()[before:].split()[0]
        took.append((int(line) - began) / 1e6)
        before = stamps.stat().st_size
        os.rename(where / "ninety", ready)
        ag.wait_for("the resolution",
                    lambda: stamps.stat().st_size > before)
    ready.unlink()
    return took


class Load:
    """Create, write, rename, delete in one directory, as fast as it goes."""
    SCRIPT = """
import os, sys, time
os.chdir(sys.argv[1])
n, end = 0, None
while not os.path.exists("stop"):
    for i in range(500):
        fd = os.open(f"l{i}", os.O_CREAT | os.O_WRONLY)
        os.write(fd, b"x" * 100)
        os.close(fd)
        os.rename(f"l{i}", f"m{i}")
        os.unlink(f"m{i}")
    n += 2000
print(n)
"""

    def __init__(self, where):
        self.where = where
        self.began = time.monotonic()
        self.child = subprocess.Popen(
            [sys.executable, "-c", self.SCRIPT, str(where)],
            stdout=subprocess.PIPE, text=True)

    def stop(self):
        (self.where / "stop").touch()
        count = int(self.child.communicate()[0])
        took = time.monotonic() - self.began
        (self.where / "stop").unlink()
        return count / took
