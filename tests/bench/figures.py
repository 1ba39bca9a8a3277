# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured of processes, and what is said of several measurements."""

import os
import statistics
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def spread(values, unit="s", digits=2):
    """Median and, in brackets, smallest and largest."""
    middle = statistics.median(values)
    if len(values) == 1:
        return f"{middle:.{digits}f} {unit}"
    return (f"{middle:.{digits}f} {unit} ({min(values):.{digits}f}–"
            f"{max(values):.{digits}f})")


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def cpu_of(pids):
    """User and system seconds, of all threads, and of reaped children."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
        except OSError:
            continue
        total += sum(map(int, fields.split()[11:15]))
    return total / TICK


def settled_cpu_of(pids, quiet=0.5, timeout=30):
    """The same when they have caught up with what was done before."""
    end, last = time.monotonic() + timeout, None
    while time.monotonic() < end:
        now = cpu_of(pids)
        if now == last:
            break
        last = now
        time.sleep(quiet)
    return last


def rss_of(pids):
    """Resident bytes: what each has to itself, and once what the largest of
    them shares, with the others or with strangers. (PSS would divide that by
    however many strangers there are.)"""
    private, shared = 0, [0]
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        kib = {"Private": 0, "Shared": 0}
        for line in text.splitlines():
            kind = line.partition("_")[0]
            if kind in kib and "Hugetlb" not in line:
                kib[kind] += int(line.split()[1])
        private += kib["Private"]
        shared.append(kib["Shared"])
    return 1024 * (private + max(shared))


def wakeups_of(pids):
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/status"):
            for line in task.read_text().splitlines():
                if line.startswith("voluntary_ctxt"):
                    total += int(line.split()[1])
    return total


def timed(*command, repeat=5):
    """Wall, CPU and peak memory of a command: lists of each."""
    walls, cpus, peaks = [], [], []
    for _ in range(repeat):
        began = time.monotonic()
        child = subprocess.Popen([str(c) for c in command],
                                 stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        walls.append(time.monotonic() - began)
        cpus.append(used.ru_utime + used.ru_stime)
        peaks.append(used.ru_maxrss * 1024)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{command}: status {child.returncode}")
    return walls, cpus, peaks
