# SPDX-License-Identifier: GPL-2.0-or-later
"""What those who watch cost those who work: metadata-bound work, and real
work, beside the same work unwatched."""

import os
import shutil
import statistics
import time
from collections import defaultdict

import agent as ag
import tree
import watchers
from figures import settled_cpu_of, spread
from place import TOOLS, place
from table import note, row

FILES = 10_000  # there already, in 1,000 directories
MAX = 1.20
MAX_NOISE = 0.1  # beyond it another load was there


class Rounds:
    """Seconds of each piece of work by watcher, and CPU seconds of the
    watcher, a value a round."""

    def __init__(self):
        self.walls = defaultdict(lambda: defaultdict(list))
        self.cpus = defaultdict(lambda: defaultdict(list))

    def add(self, work, watcher, wall, cpu):
        self.walls[work][watcher].append(wall)
        self.cpus[work][watcher].append(cpu)

    def ratios(self, work, watcher):
        """To "none" of the same round."""
        return [wall / none for wall, none in zip(
            self.walls[work][watcher], self.walls[work]["none"])]

    def noise(self, work):
        """How far nothing is from nothing."""
        return max(abs(r - 1) for r in self.ratios(work, watchers.AGAIN))

    def row(self, work, what, goal, ullage, most=None):
        """Not above any peer, nor above `most`. What is nearer to the best peer
        than nothing is to nothing is not told apart from it."""
        middle = {name: statistics.median(self.ratios(work, name))
                  for name in self.walls[work]}
        least = min(middle[name] for name in watchers.PEERS)
        noise = self.noise(work)
        met = (middle[ullage] <= least + noise
               and (not most or middle[ullage] <= most))
        if met and abs(middle[ullage] - least) <= noise:
            met = ("too noisy to tell" if noise > MAX_NOISE else
                   "yes, within noise" if middle[ullage] <= least else
                   "not told apart")
        row(what, goal, spread(self.ratios(work, ullage), "×"),
            f"bare reader {middle['bare reader']:.2f} ×, noise "
            f"± {noise:.2f}",
            ", ".join(f"{name} {middle[name]:.2f} ×"
                      for name in watchers.PEERS),
            f"{middle[ullage] / least:.2f} ×", met)

    def row_of_cpu(self, work, what, goal, ullage, n=1, unit="s", most=None):
        """CPU of the watchers, for each of n pieces."""
        scale = 1e6 if unit == "µs" else 1
        each = {name: [cpu / n * scale for cpu in values]
                for name, values in self.cpus[work].items()}
        middle = {name: statistics.median(each[name]) for name in each}
        least = min(middle[name] for name in watchers.PEERS)
        row(what, goal, spread(each[ullage], unit),
            f"bare reader {middle['bare reader']:.2f} {unit}",
            ", ".join(f"{name} {middle[name]:.2f} {unit}"
                      for name in watchers.PEERS),
            f"{middle[ullage] / least:.2f} ×" if least else "",
            middle[ullage] <= most if most else None)

    def run_all(self, at, where, names, works, rounds):
        for _, prepare, do in works:
            prepare()
            do()  # the first time is the page cache's
        for number in range(rounds):
            self.run(number, at, where, names, works)

    def run(self, number, at, where, names, works):
        """One round: each watcher, in another order each time, each piece
        of work within it. works: [(name, prepare, work)]; work returns the
        seconds that it took."""
        names = names[number % len(names):] + names[:number % len(names)]
        for name in names:
            with watchers.ALL[name](at, where) as pids:
                for work, prepare, do in works:
                    prepare()
                    before = settled_cpu_of(pids)
                    wall = do()
                    cpu = settled_cpu_of(pids) - before
                    self.add(work, name, wall, cpu)
                    note(f"{work}, {name}: {wall:.3f} s, "
                         f"its CPU {cpu:.2f} s")


def tree_in(at):
    """The watched tree, and the directory in it where the work is done."""
    where = at.host.place("data", "feeds")
    where.mkdir(parents=True)
    tree.make(where, FILES, FILES // 10)
    work = where / "work"
    work.mkdir()
    return where, work


def churn(where, files, spin=0):
    """Seconds: on the wall, and of a processor."""
    said = ag.run(TOOLS / "churn", where, files, spin).stdout
    return tuple(map(float, said.split()))


def spin_of(where, files):
    """What makes four operations take 40 µs: by CPU time, in which other
    load does not show."""
    churn(where, files)
    bare, some = (churn(where, files, spin)[1] for spin in (0, 10_000))
    spin = max(0, int(10_000 * (files * 40e-6 - bare) / (some - bare)))
    note(f"{4 * files / bare:,.0f} operations/s, an empty loop of {spin} "
         "makes 100,000 of it")
    return spin


def metadata(options):
    """Create, write, rename, delete on tmpfs: at 100,000 operations a second
    unwatched, and as fast as it goes."""
    files = 50_000
    with place(options, "tmpfs", 4 * ag.GIB, files=FILES) as at:
        where, work = tree_in(at)
        spin = spin_of(work, files)
        rounds = Rounds()
        works = [
            ("at 100,000/s", lambda: None,
             lambda: churn(work, files, spin)[0]),
            ("as fast as it goes", lambda: None,
             lambda: churn(work, 4 * files)[0])]
        rounds.run_all(at, where, list(watchers.ALL), works, options.rounds)
        rows_of_metadata(rounds, files, at.overflows)


def rows_of_metadata(rounds, files, overflows):
    paced, fast = "at 100,000/s", "as fast as it goes"
    rate = 4 * files / statistics.median(rounds.walls[paced]["none"])
    full = 16 * files / statistics.median(rounds.walls[fast]["none"])
    for ullage in ("ullage", "ullage, inotify"):
        how = ullage.partition(", ")[2] or "fanotify"
        rounds.row(paced, f"slowdown at {rate:,.0f} operations/s, {how}",
                   f"≤ {MAX:.2f} ×, ≤ each peer", ullage, MAX)
        rounds.row(fast, f"… at {full:,.0f} operations/s", "≤ each peer",
                   ullage)
    for work, operations in ((paced, 4 * files), (fast, 16 * files)):
        for ullage, most in (("ullage", 2.5), ("ullage, inotify", 4)):
            how = ullage.partition(", ")[2] or "fanotify"
            rounds.row_of_cpu(
                work, f"watcher's CPU an operation, {work}, {how}",
                f"≤ {most} µs" if work == paced else "–", ullage,
                operations, "µs", most if work == paced else None)
    if overflows:
        row("… overflows of ullage's queues in all rounds", "–",
            str(overflows))


class Work:
    """Real work, in a directory of the watched tree."""

    def __init__(self, at, work, source):
        self.dir, self.home = work, at.host.dir
        self.env = {**os.environ, "HOME": str(self.home),
                    "GIT_CONFIG_NOSYSTEM": "1"}
        self.archive = self.home / "source.tar"
        ag.run("tar", "-chf", self.archive, "-C", source, ".")
        self._repository(source)
        self._project()
        self._script()

    def _run(self, *command, **options):
        """Seconds of it."""
        began = time.monotonic()
        ag.run(*command, env=self.env, **options)
        return time.monotonic() - began

    def _git(self, *arguments):
        return self._run("git", "-c", "gc.auto=0", "-c", "user.name=b",
                         "-c", "user.email=b@b", "-C", self.dir / "git",
                         *arguments)

    def _repository(self, source):
        """Two versions: each second file differs, each tenth is elsewhere."""
        top = self.dir / "git"
        shutil.copytree(source, top, symlinks=False)
        self._git("init", "-q")
        self._git("add", "-f", "-A")
        self._git("commit", "-q", "-m", "one")
        self._git("branch", "one")
        files = sorted(p for p in top.rglob("*")
                       if p.is_file() and ".git" not in p.parts)
        for number, path in enumerate(files):
            if number % 10 == 1:
                path.rename(path.with_name(f"{path.name}.moved"))
            elif number % 2 == 0:
                with open(path, "ab") as file:
                    file.write(b"\n// another version\n")
        self._git("add", "-f", "-A")
        self._git("commit", "-q", "-m", "two")
        self._git("branch", "two")

    def _project(self):
        """The sources of ullage, configured, in the watched tree."""
        shutil.copytree(ag.TOP, self.dir / "ullage", symlinks=True,
                        ignore=shutil.ignore_patterns(
                            ".git", "build", "build-[!a]*", "build-asan"))
        build = self.dir / "ullage/out"
        build.mkdir()
        ag.run("../configure", "-q", "CFLAGS=-O0", cwd=build)

    def _script(self):
        """Rows by the thousand, half of the transactions with a rollback
        journal, half with a write-ahead log."""
        lines = ["PRAGMA synchronous=NORMAL;",
                 "CREATE TABLE t(id INTEGER PRIMARY KEY, k TEXT, v BLOB);",
                 "CREATE INDEX i ON t(k);"]
        for mode in ("DELETE", "WAL"):
            lines.append(f"PRAGMA journal_mode={mode};")
            lines += ["INSERT INTO t(k, v) SELECT hex(randomblob(8)), "
                      "randomblob(100) FROM generate_series(1, 1000);"] * 150
        self.sql = self.home / "load.sql"
        self.sql.write_text("\n".join(lines))

    # Each a pair: prepare, and the seconds of the work.

    def all(self):
        return [("unpacking a source tree", self.before_unpack, self.unpack),
                ("git checkout, there and back", self.before_git, self.git),
                ("sqlite load", self.before_load, self.load),
                ("compiling", self.before_compile, self.compile)]

    def before_unpack(self):
        for number in range(3):
            where = self.dir / f"unpacked{number}"
            shutil.rmtree(where, ignore_errors=True)
            where.mkdir()
        os.sync()

    def unpack(self):
        return sum(self._run("tar", "-xf", self.archive, "-C",
                             self.dir / f"unpacked{number}")
                   for number in range(3))

    def before_git(self):
        self._git("checkout", "-q", "two")
        os.sync()

    def git(self):
        return (self._git("checkout", "-q", "one")
                + self._git("checkout", "-q", "two"))

    def before_load(self):
        for path in self.dir.glob("load.db*"):
            path.unlink()
        os.sync()

    def load(self):
        return self._run("sqlite3", "-batch", self.dir / "load.db",
                         f".read {self.sql}")

    def before_compile(self):
        ag.run("make", "-s", "clean", cwd=self.dir / "ullage/out")
        os.sync()

    def compile(self):
        return self._run("make", "-s", "-j2", "libullage.a",
                         cwd=self.dir / "ullage/out")


def work(options):
    """The same watchers beside unpacking, git, sqlite and a compiler, on
    ext4."""
    # In memory: the disk's own noise is larger than any watcher's.
    with place(options, "ext4", 2 * ag.GIB, files=100_000) as at:
        where, below = tree_in(at)
        note("making a source tree, a repository and a project")
        real = Work(at, below, options.source)
        rounds = Rounds()
        rounds.run_all(
            at, where, list(watchers.ALL), real.all(), options.rounds)
        for name, _, _ in real.all():
            took = statistics.median(rounds.walls[name]["none"])
            rounds.row(name, f"slowdown of {name} ({took:.1f} s)",
                       "≤ each peer", "ullage")
            rounds.row(name, "… with inotify", "≤ each peer",
                       "ullage, inotify")
            rounds.row_of_cpu(name, "… CPU of the watcher", "–", "ullage")
