# SPDX-License-Identifier: GPL-2.0-or-later
"""Who reads and who writes: readers that do not count, use until the last
close, and growth by writer, by directory and in all."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

import agent as ag
from trees import DAY, make_file

FSES = ["ext4", "xfs", "btrfs", "tmpfs"]
# Holds the file open until its input ends, and is called as it is told to.
HOLD = """import ctypes, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode())
files = [open(path, sys.argv[2], buffering=0) for path in sys.argv[3:]]
print("open", flush=True)
for line in sys.stdin:
    for file in files:
        file.write(b"x" * int(line)) if "w" in sys.argv[2] else file.read(9)
    print("done", flush=True)
"""


class Holder:
    def __init__(self, name, mode, *paths, cgroup=None):
        def enter():
            if cgroup:
                (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, name, mode, *map(str, paths)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=enter)
        assert self.process.stdout.readline() == "open\n"

    def write(self, size):
        print(size, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n"

    def read(self):
        self.write(0)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def holding(*arguments, **options):
    holder = Holder(*arguments, **options)
    try:
        yield holder
    finally:
        holder.end()


@pytest.fixture
def unit():
    """unit(name): a control group, as a service has one."""
    top = next((line.split()[1] for line in Path("/proc/mounts").open()
                if line.split()[2] == "cgroup2"), None)
    made = []

    def make(name):
        if not top:
            pytest.skip("there is no cgroup2")
        where = Path(top) / f"{name}{os.getpid()}.service"
        try:
            where.mkdir()
        except OSError as error:
            pytest.skip(f"no control group can be made: {error}")
        made.append(where)
        return where

    yield make
    for where in made:
        ag.wait_for("it is empty",
                    lambda: not (where / "cgroup.procs").read_text())
        where.rmdir()


def usage(agent, path):
    return agent.json("why", path)["ageSource"]


def used_at(agent, path):
    row = next(f for f in agent.json("oldest")["files"]
               if f["path"] == str(path))
    return datetime.fromisoformat(row["usedAt"].replace("Z", "+00:00")
                                  ).timestamp()


@pytest.mark.parametrize("fs", FSES)
def test_readers_that_do_not_count(hosts, fs, root_only, unit):
    """By command, by pattern and by unit; whoever else reads, uses."""
    host = hosts(fs, 400 * ag.MIB, mount_options="noatime")
    service = unit("ullage-reader")
    host.config({"watch": "fanotify",
                 "ignoreReaders": ["indexer", "backup-*", service.stem]},
                ag.policy("feeds", strategy="lru", owners=["*"],
                          age="accessed"))
    place = host.place("cache", "feeds")
    files = [place / f"f{n}" for n in range(4)]
    for path in files:
        make_file(path, 5000, DAY)
    agent = host.start()
    readers = [Holder("indexer", "rb", files[0]),
               Holder("backup-db", "rb", files[1]),
               Holder("python", "rb", files[2], cgroup=service),
               Holder("somebody", "rb", files[3])]
    time.sleep(ag.QUIET_S)
    for reader in readers:
        reader.end()
    ag.wait_for("the last one counts",
                lambda: usage(agent, files[3]) == "observed access")
    assert [usage(agent, path) for path in files[:3]] == ["modified"] * 3


def test_what_they_leave_on_disk(hosts, root_only):
    """On a mount that records accesses the backup's is there to be seen, also
    by the reconciliation; it counts no more than the event did."""
    host = hosts("ext4", 100 * ag.MIB, mount_options="strictatime")
    host.config({"watch": "fanotify", "ignoreReaders": ["backup"]},
                ag.policy("feeds", owners=["*"], age="accessed"))
    place = host.place("cache", "feeds")
    for name in "ab":
        make_file(place / name, 5000, DAY)
    agent = host.start()
    with holding("backup", "rb", place / "a") as backup:
        (place / "b").read_bytes()
        backup.read()
        time.sleep(ag.QUIET_S)
    assert (place / "a").stat().st_atime > time.time() - DAY / 2
    agent.ctl("reconcile", "feeds")
    assert usage(agent, place / "a") == "modified"
    assert usage(agent, place / "b") != "modified"


@pytest.mark.parametrize("watch", ["inotify", "fanotify"])
def test_use_outlives_a_restart(hosts, watch, root_only):
    """What was observed is known again; not of another file of that name, and
    a damaged file is forgotten with a word."""
    host = hosts("ext4", 100 * ag.MIB, mount_options="noatime")
    host.config({"watch": watch}, ag.policy("feeds", owners=["*"],
                                            age="accessed"))
    place = host.place("cache", "feeds")
    for name in ("a", "deep/er/b", "c", "not"):
        make_file(place / name, 5000, DAY)
    agent = host.start()
    for name in ("a", "deep/er/b", "c"):
        (place / name).read_bytes()
        ag.wait_for("the access", lambda: usage(agent, place / name) ==
                    "observed access")
    used = used_at(agent, place / "a")
    assert agent.stop() == 0
    saved = host.dir / "state/state.json.access"
    assert saved.stat().st_mode & 0o777 == 0o600
    os.unlink(place / "c")
    make_file(place / "other", 5000, DAY)
    os.rename(place / "other", place / "c")
    for end in (lambda one: one.kill(), lambda one: one.stop()):
        agent = host.start()
        for name in ("a", "deep/er/b"):
            assert usage(agent, place / name) == "observed access"
        assert used_at(agent, place / "a") == used
        assert usage(agent, place / "not") == "modified"
        end(agent)
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    saved.write_bytes(data)
    agent = host.start()
    assert "state.json.access cannot be read" in agent.log_text()
    assert usage(agent, place / "a") == "modified"


def test_disowned_outlives_a_restart(hosts, root_only):
    """The access time that a backup left on disk stays its own; whoever reads
    while nobody watches counts."""
    host = hosts("ext4", 100 * ag.MIB, mount_options="strictatime")
    host.config({"watch": "fanotify", "ignoreReaders": ["backup"]},
                ag.policy("feeds", owners=["*"], age="accessed"))
    place = host.place("cache", "feeds")
    for name in "ab":
        make_file(place / name, 5000, DAY)
    agent = host.start()
    with holding("backup", "rb", place / "a", place / "b") as backup:
        backup.read()
        time.sleep(ag.QUIET_S)
    assert usage(agent, place / "a") == "modified"
    assert agent.stop() == 0
    time.sleep(1.1)
    (place / "b").read_bytes()
    again = host.start()
    assert usage(again, place / "a") == "modified"
    assert usage(again, place / "b") != "modified"


@pytest.mark.parametrize("watch", ["inotify", "fanotify"])
def test_use_lasts_until_the_close(hosts, watch, root_only):
    host = hosts("ext4", 100 * ag.MIB, mount_options="noatime")
    host.config({"watch": watch}, ag.policy("feeds", owners=["*"]))
    path = host.place("cache", "feeds") / "f"
    make_file(path, 5000, DAY)
    agent = host.start()
    with holding("somebody", "rb", path):
        ag.wait_for("the open", lambda: used_at(agent, path) >
                    time.time() - DAY / 2)
        opened = used_at(agent, path)
        time.sleep(2.2)
    ag.wait_for("the close", lambda: used_at(agent, path) >= opened + 2)


@pytest.mark.parametrize("fs", FSES)
def test_who_writes(hosts, fs, root_only, unit):
    host = hosts(fs, 400 * ag.MIB)
    host.config({"watch": "fanotify"},
                ag.policy("feeds", owners=["*"], allocation="1GB"),
                ag.policy("other", owners=["*"]))
    place = host.place("data", "feeds")
    (place / "in/deep").mkdir(parents=True)
    make_file(place / "before", 20 * ag.MIB)
    agent = host.start()
    service = unit("ullage-writer")
    with holding("python", "wb", place / "in/a", cgroup=service) as a, \
            holding("log\"ger", "wb", place / "in/deep/b") as b:
        for _ in range(8):
            a.write(ag.MIB)
            b.write(ag.MIB // 4)
            time.sleep(0.05)
        time.sleep(ag.QUIET_S)
    found = agent.json("growth", "feeds")["components"]
    assert [c["component"] for c in found] == ["feeds"]
    assert found[0]["writersKnown"]
    by = {w["writer"]: w["hourBytes"] for w in found[0]["writers"]}
    where = {d["path"]: d["dayBytes"] for d in found[0]["directories"]}
    slack = 2 * ag.MIB  # a filesystem may allocate ahead
    for got, wanted in ((by[service.name], 8), (by['log"ger'], 2),
                        (where[str(place / "in")], 8),
                        (where[str(place / "in/deep")], 2)):
        assert wanted * ag.MIB <= got + ag.MIB // 8, (by, where)
        assert got <= wanted * ag.MIB + slack, (by, where)
    text = agent.ctl("growth").stdout
    assert f"by {service.name}" in text and f"in {place}/in" in text
    assert "told by fanotify" not in text
    # What a cleanup takes is ours.
    shutil.rmtree(place / "in/deep")
    os.utime(place / "before", (0, 0))
    time.sleep(ag.QUIET_S)
    assert agent.json("cleanup", "feeds", "--strategy", "time")["files"] == 1
    ag.wait_for("what ullage deleted", lambda: {
        w["writer"]: w["hourBytes"]
        for w in agent.json("growth", "feeds")["components"][0]["writers"]
    }.get("ullage", 0) <= -20 * ag.MIB)


def test_inotify_does_not_tell_who(hosts, root_only):
    host = hosts("ext4", 100 * ag.MIB)
    host.config({"watch": "inotify"}, ag.policy("feeds", owners=["*"]))
    place = host.place("data", "feeds")
    agent = host.start()
    make_file(place / "a", 2 * ag.MIB)
    found = ag.wait_for("it grew", lambda: [
        c for c in agent.json("growth")["components"] if c["directories"]])
    assert not found[0]["writersKnown"] and not found[0]["writers"]
    assert found[0]["directories"][0]["path"] == str(place)
    assert "told by fanotify alone" in agent.ctl("growth").stdout


def test_bad_component(hosts):
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds"))
    agent = host.start()
    done = agent.ctl("growth", "feed", check=False)
    assert done.returncode == 1 and "\"feed\"" in done.stderr
