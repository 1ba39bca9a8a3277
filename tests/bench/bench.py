# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of docs/benchmarks.md. See tests/bench/run."""

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
import agent as ag  # noqa: E402
import tree  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
ROWS = []


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def row(what, goal, ullage, peers="–", ratio="", met=None):
    ROWS.append((what, goal, ullage, peers, ratio,
                 {True: "yes", False: "**no**", None: ""}[met]))
    print(f"{what:44} {ullage:26} {peers:34} {ratio:10} goal {goal}"
          f"{'' if met is not False else '  MISSED'}", flush=True)


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


def rss_of(pids):
    """Resident bytes; pages shared between the processes count once (PSS
    would divide those shared with others, too)."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += 1024 * next(int(line.split()[1])
                             for line in text.splitlines()
                             if line.startswith("Pss:"))
    return total


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


class Line:
    """A client that keeps its connection."""

    def __init__(self, agent):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(agent.host.socket))

    def call(self, method, **parameters):
        self.socket.sendall(json.dumps(
            {"method": f"io.ullage.Agent.{method}",
             "parameters": parameters}).encode() + b"\0")
        got = b""
        while not got.endswith(b"\0"):
            got += self.socket.recv(1 << 20)
        answer = json.loads(got[:-1])
        if "error" in answer:
            raise SystemExit(f"{method}: {answer}")
        return answer["parameters"]


class Bench:
    def __init__(self, options):
        self.files, self.rounds = options.files, options.rounds
        self.dirs = max(self.files // 100, 1)
        self.host = ag.Host("ext4", 20 * ag.GIB, mount_options="noatime")
        # Enough inodes for every tree of one measurement.
        self.host.umount()
        ag.run("mkfs.ext4", "-q", "-F", "-N", 2 * self.files + 100_000,
               self.host.image)
        self.host.mount()
        self.host.root.mkdir()
        self.host.outside.mkdir()
        self.where = "ext4 on a loop image"

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

    # The measurements, in the order of the table.

    def index(self):
        """Memory, first scan and du, beside those who also hold a tree."""
        self.configure(mode="observe")
        small = self.start()
        time.sleep(1)
        base = rss_of(small.pids())
        small.stop()
        place = self.host.place("data", "feeds")
        self.tree_at(place)
        note("du, gdu, watchman")
        du_wall, du_cpu, _ = timed("du", "-s", "-B1", place,
                                   repeat=self.rounds)
        gdu_wall, gdu_cpu, gdu_peak = timed(
            "gdu", "--non-interactive", "--no-progress", "--no-cross",
            place, repeat=self.rounds)
        watchman = self.watchman(place)
        note("first scan")
        walls, cpus, held = [], [], []
        for _ in range(self.rounds):
            began = time.monotonic()
            agent = ag.Agent(self.host, trusted=False)
            self.host.agents.append(agent)
            agent.start()
            self.wait_files(agent)
            walls.append(time.monotonic() - began)
            cpus.append(cpu_of(agent.pids()))
            held.append(rss_of(agent.pids()) - base)
            if len(walls) < self.rounds:
                agent.stop()
        per_file = statistics.median(held) / self.files
        row("index memory, RSS a file", "≤ 48 B",
            f"{per_file:.1f} B",
            f"gdu {statistics.median(gdu_peak) / self.files:.0f} B, "
            f"watchman {watchman[1] / self.files:.0f} B",
            f"{per_file * self.files / watchman[1]:.2f} ×", per_file <= 48)
        wall = statistics.median(walls) / statistics.median(du_wall)
        row("first scan, indexed and watched, wall", "≤ 0.65 × du",
            spread(walls), f"du {spread(du_wall)}, gdu "
            f"{statistics.median(gdu_wall):.2f} s, watchman "
            f"{watchman[0]:.2f} s", f"{wall:.2f} ×", wall <= 0.65)
        cpu = statistics.median(cpus) / statistics.median(du_cpu)
        row("first scan, CPU", "≤ 1.25 × du", spread(cpus),
            f"du {spread(du_cpu)}, gdu {statistics.median(gdu_cpu):.2f} s",
            f"{cpu:.2f} ×", cpu <= 1.25)
        self.du_answer(agent, place, statistics.median(du_wall))
        agent.stop()
        note("removing the tree")
        shutil.rmtree(place)

    def wait_files(self, agent):
        """Asks over one connection: a command for each question would take
        a tenth of two processors from what is measured."""
        end, line = time.monotonic() + 300, None
        while time.monotonic() < end:
            try:
                line = line or Line(agent)
                first = line.call("GetStatus")["components"][0]
            except OSError:
                first = {"trusted": False}
            if first["trusted"] and first["files"] >= self.files:
                return
            time.sleep(0.02)
        raise SystemExit("the agent does not come to trust its index\n"
                         + agent.log_text()[-3000:])

    def watchman(self, place):
        """Seconds until a watch answers, and what it holds then."""
        home = self.host.dir / "watchman"
        home.mkdir()
        command = ["watchman", f"--sockname={home}/sock",
                   f"--logfile={home}/log", f"--statefile={home}/state",
                   f"--pidfile={home}/pid"]
        server = subprocess.Popen([*command, "--foreground"],
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            ag.wait_for("watchman", (home / "sock").exists)
            time.sleep(0.5)
            before = rss_of([server.pid])
            began = time.monotonic()
            ag.run(*command, "watch", place)
            # Waits for the crawl; of a million files none has this name.
            found = subprocess.run(
                [*command, "-j"], text=True, capture_output=True,
                check=True, input=json.dumps(["query", str(place), {
                    "expression": ["name", "no-such-name"],
                    "fields": ["name"], "sync_timeout": 600000}]))
            if '"files": []' not in found.stdout:
                raise SystemExit(f"watchman: {found.stdout}")
            took = time.monotonic() - began
            return took, rss_of([server.pid]) - before
        finally:
            server.kill()
            server.wait()

    def du_answer(self, agent, place, du_wall):
        line = Line(agent)
        middle = place / "m0000"
        times = []
        for number in range(200):
            began = time.monotonic()
            line.call("Du", path=str(place if number % 2 else middle))
            times.append((time.monotonic() - began) * 1000)
        row("`du` of a managed tree, answer", "≤ 5 ms",
            f"p50 {percentile(times, .5):.2f} ms, "
            f"p99 {percentile(times, .99):.2f} ms",
            f"du {du_wall * 1000:.0f} ms",
            f"{percentile(times, .5) / 1000 / du_wall:.5f} ×",
            percentile(times, .99) <= 5)
        walls, _, _ = timed(ag.ULLAGECTL, "--socket", agent.host.socket, "du",
                            place, repeat=21)
        row("`ullagectl du`, the whole command", "–",
            spread([w * 1000 for w in walls], "ms"))

    def select(self):
        """A plan of 10,000 of the files, by each strategy."""
        lines = ag.run(ag.BUILD / "select", self.files).stdout.splitlines()
        plans = {cells[0]: float(cells[2])
                 for cells in map(str.split, lines[2:])}
        cpus = [float(line.split()[4]) for line in lines[3:]]
        walk = plans.pop("(walk)")
        worst = max(plans, key=plans.get)
        row("selection of 10,000 victims", "≤ 20 ms",
            f"{min(plans.values()):.1f}–{plans[worst]:.1f} ms ({worst})",
            f"bare walk of the pool {walk:.1f} ms; "
            f"CPU time of plans {min(cpus):.1f}–{max(cpus):.1f} ms",
            f"{plans[worst] / walk:.2f} ×", plans[worst] <= 20)

    def hook(self):
        """Crossing → hook started, while idle and under load."""
        stamps = self.host.dir / "stamps"
        stamps.touch()
        stamps.chmod(0o666)
        ag.run("cc", "-O2", f'-DSTAMPS="{stamps}"', "-o",
               self.host.dir / "etc/hooks.d/stamp",
               Path(__file__).with_name("stamp.c"))
        self.configure({"alerts": {
            "hooks": str(self.host.dir / "etc/hooks.d"), "cooldown": "1s"}},
            mode="observe", allocation="100MB")
        agent = self.start()
        place = self.host.place("data", "feeds")
        idle = self.crossings(agent, place, stamps, 60)
        row("crossing → hook started, idle", "p99 ≤ 20 ms",
            f"p50 {percentile(idle, .5):.1f} ms, "
            f"p99 {percentile(idle, .99):.1f} ms",
            "30 s poll: 15,000 ms mean",
            f"{percentile(idle, .5) / 15000:.5f} ×",
            percentile(idle, .99) <= 20)
        load = Load(self.host.place("temp", "feeds"))
        busy = self.crossings(agent, place, stamps, 40)
        rate = load.stop()
        row(f"… under {rate / 1000:.0f},000 operations/s",
            "p99 ≤ 250 ms", f"p50 {percentile(busy, .5):.1f} ms, "
            f"p99 {percentile(busy, .99):.1f} ms", "–", "",
            percentile(busy, .99) <= 250)
        agent.stop()
        (self.host.dir / "etc/hooks.d/stamp").unlink()

    def crossings(self, agent, place, stamps, rounds):
        """A prepared file is renamed in and out; ms until the hook runs."""
        ready = self.host.outside / "ninety"
        with open(ready, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 90 * ag.MIB)
        took = []
        for number in range(rounds):
            time.sleep(1.05 + 0.013 * (number % 7))  # past the cooldown
            before = stamps.stat().st_size
            # From its end: a rename may wait for the journal.
            os.rename(ready, place / "ninety")
            began = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            ag.wait_for("the hook", lambda: stamps.stat().st_size > before)
            line = stamps.read_bytes()[before:].split()[0]
            took.append((int(line) - began) / 1e6)
            before = stamps.stat().st_size
            os.rename(place / "ninety", ready)
            ag.wait_for("the resolution",
                        lambda: stamps.stat().st_size > before)
        ready.unlink()
        return took

    def deletion(self):
        """First deletion, rate, and whole runs beside find and tmpfiles."""
        self.configure(strategy="lru", allocation="9GB")
        place = self.host.place("temp", "feeds")
        self.tree_at(place, due=0.5)
        agent = self.start()
        self.wait_files(agent)
        took = []
        for number in range(max(self.rounds, 5)):
            took.append(self.first_deletion(agent, place, number))
        row("crossing → first deletion", "≤ 100 ms",
            spread(took, "ms", 1), "next poll + walk: 2,000 ms and more",
            "", statistics.median(took) <= 100)
        self.few(agent, place)
        agent.stop()
        self.half(place)

    def first_deletion(self, agent, place, number):
        ready = self.host.outside / f"big{number}"
        with open(ready, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 7500 * ag.MIB)
        os.utime(ready, (1000 + number,) * 2)
        target = place / f"big{number}"
        began = time.monotonic()
        os.rename(ready, target)
        while os.access(target, os.F_OK):
            time.sleep(0.0002)
            if time.monotonic() - began > 60:
                raise SystemExit("nothing was deleted\n"
                                 + agent.log_text()[-3000:])
        took = (time.monotonic() - began) * 1000
        ag.wait_for("quiet", lambda: agent.component("feeds")["level"] == "ok")
        time.sleep(0.5)
        return took

    def few(self, agent, place):
        """10,000 of a million: no walk is needed."""
        count = self.files // 100
        old = self.host.outside / "old"
        old.mkdir()
        for number in range(count):
            os.mknod(old / f"o{number}")
            os.utime(old / f"o{number}", (5, 5))
        copy = self.host.outside / "copy"
        os.rename(old, place / "old")
        time.sleep(3)
        self.configure(retention={"temp": "10000d"})
        agent.ctl("reload")
        agent.wait_trusted()
        began = time.monotonic()
        done = agent.json("cleanup", "feeds", "--strategy", "time")
        ullage = time.monotonic() - began
        if done["files"] != count:
            raise SystemExit(f"wanted {count} deletions: {done}")
        for number in range(count):
            os.mknod(place / "old" / f"o{number}")
            os.utime(place / "old" / f"o{number}", (5, 5))
        began = time.monotonic()
        ag.run("find", place, "-type", "f", "!", "-newermt", "2001-01-01",
               "-delete")
        find = time.monotonic() - began
        assert not copy.exists()
        row(f"{count:,} of {self.files:,} deleted", "≥ 5 × find -delete",
            f"{ullage:.2f} s", f"find -delete {find:.2f} s",
            f"{find / ullage:.1f} ×", find / ullage >= 5)

    def half(self, place):
        """Half of the files are due: whole runs."""
        self.configure(retention={"temp": "30d"})
        agent = self.start()
        self.wait_files(agent)
        pids = agent.pids()
        began, cpu = time.monotonic(), cpu_of(pids)
        done = agent.json("cleanup", "feeds", "--force", "--strategy", "time")
        ullage, cpu = time.monotonic() - began, cpu_of(pids) - cpu
        agent.stop()
        gone = done["files"]
        if abs(gone - self.files / 2) > self.files / 50:
            raise SystemExit(f"half should have gone: {done}")
        shutil.rmtree(place)
        self.tree_at(place, due=0.5)
        (find,), (find_cpu,), _ = timed(
            "find", place, "-type", "f", "-mtime", "+30", "-delete", repeat=1)
        shutil.rmtree(place)
        self.tree_at(place, due=0.5)
        rules = self.host.dir / "tmpfiles.conf"
        rules.write_text(f"e {place} - - - m:30d\n")
        (tmpfiles,), (tmpfiles_cpu,), _ = timed(
            "systemd-tmpfiles", "--clean", rules, repeat=1)
        row(f"{gone:,} of {self.files:,} expired",
            "≤ systemd-tmpfiles", f"{ullage:.2f} s",
            f"find -delete {find:.2f} s, systemd-tmpfiles {tmpfiles:.2f} s",
            f"{ullage / tmpfiles:.2f} ×", ullage <= tmpfiles)
        row("… CPU of all processes", "–", f"{cpu:.2f} s",
            f"find -delete {find_cpu:.2f} s, "
            f"systemd-tmpfiles {tmpfiles_cpu:.2f} s",
            f"{cpu / tmpfiles_cpu:.2f} ×")
        rate = gone / ullage
        row("safe deletions a second", "≥ 20,000/s", f"{rate:,.0f}/s",
            f"find {gone / find:,.0f}/s, tmpfiles {gone / tmpfiles:,.0f}/s",
            f"{rate * find / gone:.2f} ×", rate >= 20000)
        shutil.rmtree(place)

    def idle(self):
        seconds = 60  # twice the longest pause between looks at free space
        self.configure()
        agent = self.start()
        for number in range(50):
            path = self.host.place("logs", "feeds") / f"f{number}"
            path.write_bytes(b"x" * 1000)
        time.sleep(15)  # what the first scan found has been saved
        pids = agent.pids()
        wakes, cpu = wakeups_of(pids), cpu_of(pids)
        time.sleep(seconds)
        per_10 = (wakeups_of(pids) - wakes) / seconds * 10
        percent = (cpu_of(pids) - cpu) / seconds * 100
        row("idle: wake-ups in 10 s, all processes", "< 1",
            f"{per_10:.2f}", "–", "", per_10 < 1)
        row("idle: CPU", "0.0 %", f"{percent:.2f} %", "–", "",
            percent < 0.05)
        rss = rss_of(pids)
        row("RSS of all processes, small trees", "≤ 8 MB",
            f"{rss / ag.MIB:.1f} MB in {len(pids)}", "–", "",
            rss <= 8 * ag.MIB)
        agent.stop()


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

    def __init__(self, place):
        self.place = place
        self.began = time.monotonic()
        self.child = subprocess.Popen(
            [sys.executable, "-c", self.SCRIPT, str(place)],
            stdout=subprocess.PIPE, text=True)

    def stop(self):
        (self.place / "stop").touch()
        count = int(self.child.communicate()[0])
        took = time.monotonic() - self.began
        (self.place / "stop").unlink()
        return count / took


def write(path, options, where):
    command = "tests/bench/run" + (
        f" --files {options.files}" if options.files != 1_000_000 else "")
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    text = [
        "# Benchmarks", "",
        f"Made by `{command}`: {os.cpu_count()} cores, {memory:.0f} GB of "
        f"memory, Linux {'.'.join(platform.release().split('.')[:2])} "
        f"({platform.machine()}), {where}, page cache warm; "
        f"{options.files:,} files in {options.files // 100:,} directories, "
        f"25-byte names. Medians of {options.rounds} (smallest–largest) "
        "where a figure has a spread; runs that rebuild the tree are made "
        "once.", "",
        "| what | goal | ullage | peers in the same run | ratio | met |",
        "|---|---|---|---|---|---|"]
    text += ["| " + " | ".join(cells) + " |" for cells in ROWS]
    missed = [r[0] for r in ROWS if "no" in r[5]]
    text += ["", "Missed: " + ("; ".join(missed) if missed else "none")
             + ".", ""]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(text))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="idle,hook,select,index,deletion")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        for name in options.only.split(","):
            getattr(bench, name)()
    finally:
        bench.host.close()
    if not options.no_write:
        write(ag.TOP / "docs" / "benchmarks.md", options, bench.where)


main()
