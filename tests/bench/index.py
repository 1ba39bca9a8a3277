# SPDX-License-Identifier: GPL-2.0-or-later
"""The index: its memory, its first scan, what it answers and selects, and
how soon it is there after a restart; beside those who scan as well."""

import statistics
import time
from collections import defaultdict

import agent as ag
from figures import cpu_of, percentile, rss_of, spread, timed
from place import TOOLS, Line, empty, place, remove
from table import note, row
from watchers import Watchman


class Scans:
    """Wall and CPU seconds, and peak memory, of programs by name."""

    def __init__(self):
        self.walls = defaultdict(list)
        self.cpus = defaultdict(list)
        self.peaks = defaultdict(list)

    def run(self, name, *command):
        for into, got in zip((self.walls, self.cpus, self.peaks),
                             timed(*command, repeat=1)):
            into[name] += got

    def wall(self, name):
        return statistics.median(self.walls[name])

    def cpu(self, name):
        return statistics.median(self.cpus[name])

    def peak(self, name):
        return statistics.median(self.peaks[name])

    def says(self, of, *names):
        return ", ".join(f"{name} {of(name):.2f} s" for name in names)


def index(options):
    """Memory, first scan and du, beside those who also hold a tree."""
    with place(options) as at:
        at.configure(mode="observe")
        small = at.start()
        time.sleep(1)
        base = rss_of(small.pids())
        small.stop()
        where = at.host.place("data", "feeds")
        at.tree_at(where)
        scans = Scans()
        watchman = watchman_of(at, where, scans)
        # These keep a database; once, for they are slow.
        scans.run("duc", "duc", "index", "-d", at.host.dir / "duc", where)
        scans.run("agedu", "agedu", "-s", where, "-f", at.host.dir / "agedu")
        held = []
        for number in range(at.rounds):
            note(f"scans, round {number + 1}")
            agent = one_round(at, where, scans, held, base)
            if number < at.rounds - 1:
                agent.stop()
        rows_of_scans(at, scans, statistics.median(held), watchman)
        du_answer(agent, where, scans.wall("du"))
        agent.stop()
        remove(where)


def watchman_of(at, where, scans):
    """Seconds until a watch answers; bytes that it holds then."""
    one = Watchman(at)
    with one.server() as pid:
        before, cpu = rss_of([pid]), cpu_of([pid])
        began = time.monotonic()
        one.watch(where)
        scans.walls["watchman"].append(time.monotonic() - began)
        scans.cpus["watchman"].append(cpu_of([pid]) - cpu)
        return rss_of([pid]) - before


def one_round(at, where, scans, held, base):
    scans.run("du", "du", "-s", "-B1", where)
    began, cpu = time.monotonic(), None
    agent = at.start_untrusted()
    at.wait_files(agent)
    scans.walls["ullage"].append(time.monotonic() - began)
    cpu = cpu_of(agent.pids())
    scans.cpus["ullage"].append(cpu)
    held.append(rss_of(agent.pids()) - base)
    scans.run("gdu", "gdu", "--non-interactive", "--no-progress",
              "--no-cross", where)
    scans.run("ncdu", "ncdu", "-0", "-x", "-o", "/dev/null", where)
    # getdents and statx, and nothing kept.
    scans.run("1 thread", TOOLS / "scan", "-n", "-t", 1, where)
    scans.run("2 threads", TOOLS / "scan", "-n", "-t", 2, where)
    return agent


def rows_of_scans(at, scans, held, watchman):
    per_file = held / at.files
    row("index memory, RSS a file", "≤ 48 B", f"{per_file:.1f} B",
        "entry 40 B",
        f"gdu {scans.peak('gdu') / at.files:.0f} B, "
        f"watchman {watchman / at.files:.0f} B",
        f"{held / watchman:.2f} ×", per_file <= 48)
    peers = ("gdu", "ncdu", "duc", "agedu", "watchman")
    limits = ("1 thread", "2 threads")
    wall = scans.wall("ullage") / scans.wall("du")
    row("first scan, indexed and watched, wall", "≤ 0.65 × du",
        spread(scans.walls["ullage"]),
        "getdents and statx, " + scans.says(scans.wall, *limits),
        f"du {spread(scans.walls['du'])}, "
        + scans.says(scans.wall, *peers), f"{wall:.2f} ×", wall <= 0.65)
    cpu = scans.cpu("ullage") / scans.cpu("du")
    row("first scan, CPU", "≤ 1.25 × du", spread(scans.cpus["ullage"]),
        scans.says(scans.cpu, *limits),
        f"du {spread(scans.cpus['du'])}, " + scans.says(scans.cpu, *peers),
        f"{cpu:.2f} ×", cpu <= 1.25)


def du_answer(agent, where, du_wall):
    line = Line(agent.host)
    middle = where / "m0000"
    times = []
    for number in range(200):
        began = time.monotonic()
        line.call("Du", path=str(where if number % 2 else middle))
        times.append((time.monotonic() - began) * 1000)
    row("`du` of a managed tree, answer", "≤ 5 ms",
        f"p50 {percentile(times, .5):.2f} ms, "
        f"p99 {percentile(times, .99):.2f} ms", "a look-up",
        f"du {du_wall * 1000:.0f} ms",
        f"{percentile(times, .5) / 1000 / du_wall:.5f} ×",
        percentile(times, .99) <= 5)
    walls, _, _ = timed(ag.ULLAGECTL, "--socket", agent.host.socket, "du",
                        where, repeat=21)
    row("`ullagectl du`, the whole command", "–",
        spread([w * 1000 for w in walls], "ms"))


def select(options):
    """A plan of 10,000 of the files, by each strategy."""
    lines = ag.run(TOOLS / "select", options.files).stdout.splitlines()
    plans = {cells[0]: float(cells[2])
             for cells in map(str.split, lines[2:])}
    cpus = [float(line.split()[4]) for line in lines[3:]]
    walk = plans.pop("(walk)")
    worst = max(plans, key=plans.get)
    row("selection of 10,000 victims", "≤ 20 ms",
        f"{min(plans.values()):.1f}–{plans[worst]:.1f} ms ({worst}); "
        f"CPU {min(cpus):.1f}–{max(cpus):.1f} ms",
        f"bare walk of the pool {walk:.1f} ms", "a walk of the tree",
        f"{plans[worst] / walk:.2f} × the limit" if walk else "",
        plans[worst] <= 20)


def restart(options):
    """With a saved state: until there are figures, until they are exact;
    beside the same scan without one."""
    with place(options) as at:
        at.configure(mode="observe")
        where = at.host.place("data", "feeds")
        at.tree_at(where)
        scans, early, exact, first = Scans(), [], [], []
        for number in range(at.rounds):
            note(f"restart, round {number + 1}")
            scans.run("du", "du", "-s", "-B1", where)
            scans.run("2 threads", TOOLS / "scan", "-n", "-t", 2, where)
            empty(at.host.dir / "state")
            first.append(one_start(at)[1])
            for into, took in zip((early, exact), one_start(at)):
                into.append(took)
        remove(where)
    row("restart → usable figures, marked as saved", "at once (≤ 200 ms)",
        spread([e * 1000 for e in early], "ms", 0),
        met=statistics.median(early) <= 0.2)
    ratio = statistics.median(exact) / statistics.median(first)
    row("restart → exact", "≤ 1.1 × a first scan", spread(exact),
        "getdents and statx, " + scans.says(scans.wall, "2 threads"),
        f"du {spread(scans.walls['du'])}; ullage without a state "
        f"{spread(first)}", f"{ratio:.2f} ×", ratio <= 1.1)


def one_start(at):
    """Seconds until there are figures of all files, saved ones or others, and
    until they are exact."""
    began, seen = time.monotonic(), []

    def note_figures(component):
        of = component.get("saved") or component
        if not seen and of.get("files") == at.files:
            seen.append(time.monotonic() - began)
    agent = at.start_untrusted()
    at.wait_files(agent, note_figures)
    took = time.monotonic() - began
    agent.stop()  # and the state is saved
    return seen[0], took
