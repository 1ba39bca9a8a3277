# SPDX-License-Identifier: GPL-2.0-or-later
"""The table: a row for each figure, on the terminal and in
docs/benchmarks.md."""

import os
import platform
import sys

ROWS = []
LOADS = []
STOLEN = []  # ticks
LEGEND = """\
Limit: what the machine can do at best; a bare reader marks the filesystem as
the agent does, and forgets what it reads; the bare protocol makes the calls of
a safe deletion for each file, and nothing between them. Slowdown: the time of the work,
divided by that of the same work unwatched in the same round; noise: the
largest distance of a second unwatched one from 1. A watcher's CPU is that of
all its processes until it has caught up. Of its own: what an answer takes
beyond the time for which the agent's loop was ready to run and others ran."""


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def note_load():
    """What spoils figures: what else is running, of the last minute, and what
    the host of a virtual machine took from it, since the first call."""
    LOADS.append(os.getloadavg()[0])
    with open("/proc/stat") as file:
        STOLEN.append(int(file.readline().split()[8]))
    note(f"load average {LOADS[-1]:.2f}, stolen by the host: {stolen_s():.1f} "
         "s of a processor")


def stolen_s():
    return (STOLEN[-1] - STOLEN[0]) / os.sysconf("SC_CLK_TCK")


def row(what, goal, ullage, limit="–", peers="–", ratio="", met=None):
    """limit: what the machine can do at best. met: True, False, None where
    there is no goal, or a word on it."""
    said = {True: "yes", False: "**no**", None: ""}.get(met, met)
    ROWS.append((what, goal, ullage, limit, peers, ratio, said))
    print(f"{what:44} {ullage:26} limit {limit:16} {peers:34} {ratio:10} "
          f"goal {goal}  {'MISSED' if met is False else said}", flush=True)


def lines(arguments, options, seconds, failed):
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    command = " ".join(["tests/bench/run", *arguments])
    text = [
        f"Made by `{command}` in {seconds / 60:.0f} minutes: {os.cpu_count()} "
        f"cores, {memory:.0f} GB of memory, Linux "
        f"{'.'.join(platform.release().split('.')[:2])} "
        f"({platform.machine()}), ext4 on a loop image or tmpfs, page cache "
        f"warm; {options.files:,} files in {options.files // 100:,} "
        f"directories, 25-byte names, where a row says nothing else. Load "
        f"average before it {LOADS[0]:.2f}; the machine's host took "
        f"{stolen_s():.1f} s of its processors. Medians of {options.rounds} "
        "rounds (smallest–largest) where a figure has a spread, the watchers "
        "or programs taking turns in each; runs that rebuild the tree are "
        "made once.", "",
        "| what | goal | ullage | limit | peers in the same run | ratio "
        "| met |",
        "|---|---|---|---|---|---|---|"]
    text += ["| " + " | ".join(cells) + " |" for cells in ROWS]
    missed = [r[0] for r in ROWS if r[6] == "**no**"]
    text += ["", "Missed: " + ("; ".join(missed) if missed else "none") + "."]
    if failed:
        text += ["", "Could not be measured: " + ", ".join(failed) + "."]
    return text + [""]


def write(path, add, *about):
    """add: below what another run has written, else instead of it."""
    text = ["", *lines(*about)] if add else [
        "# Benchmarks", "", LEGEND, "", *lines(*about)]
    path.parent.mkdir(exist_ok=True)
    with open(path, "a" if add else "w") as file:
        file.write("\n".join(text))
