# SPDX-License-Identifier: GPL-2.0-or-later
"""500,000 writes a second to a few files: what they cost the agent, whether
it still answers, and whether it is exact afterwards."""

import subprocess
import time

import agent as ag
import trees
from figures import cpu_of, percentile, rss_of
from place import TOOLS, Line, place
from table import row

RATE = 500_000


def flood(options):
    with place(options, "tmpfs", 2 * ag.GIB, files=1) as at:
        at.configure()
        agent = at.start()
        where = at.host.place("data", "feeds")
        # Once before, so that what grows but once has grown.
        run(at, where, 5)
        time.sleep(3)
        before = rss_of(agent.pids())
        rate, cpu, answers = run(at, where, options.flood_seconds)
        after = rss_of(agent.pids())
        time.sleep(1)  # the freshness contract
        wrong = trees.differences(agent)
        overflows = agent.status()["agent"]["overflows"]
        agent.stop()
    what = f"flood, {rate:,.0f} writes/s for {options.flood_seconds} s"
    row(f"{what}: CPU", "≤ 10 % of a core", f"{cpu:.1f} %",
        met=cpu <= 10 and rate >= 0.98 * RATE)
    grown = (after - before) / 1024
    row("… growth of RSS", "flat (≤ 256 KiB)",
        f"{grown:+.0f} KiB of {after / 1024:.0f}", met=grown <= 256)
    row(f"… answers ({len(answers)})", "p99 < 100 ms",
        f"p50 {percentile(answers, .5):.2f} ms, "
        f"p99 {percentile(answers, .99):.2f} ms, "
        f"longest {max(answers):.1f} ms",
        met=percentile(answers, .99) < 100)
    row("… totals 1 s later, beside du and find", "equal",
        "; ".join(wrong) if wrong else f"equal, {overflows} overflows",
        met=not wrong)


def run(at, where, seconds):
    """Writes a second, percent of a core, answers in ms."""
    agent = at.host.agents[-1]
    line, answers, number = Line(at.host), [], 0
    pids = agent.pids()
    cpu, began = cpu_of(pids), time.monotonic()
    child = subprocess.Popen([TOOLS / "flood", where, str(RATE),
                              str(seconds)], stdout=subprocess.PIPE,
                             text=True)
    while child.poll() is None:
        asked = time.monotonic()
        if number % 2:
            line.call("Du", path=str(where))
        else:
            line.call("GetStatus")
        answers.append((time.monotonic() - asked) * 1000)
        number += 1
        time.sleep(0.02)
    percent = (cpu_of(pids) - cpu) / (time.monotonic() - began) * 100
    return float(child.communicate()[0]), percent, answers
