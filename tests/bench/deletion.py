# SPDX-License-Identifier: GPL-2.0-or-later
"""The first deletion, few of many, and half of all, beside those who walk the
tree for it."""

import os
import statistics
import subprocess
import time
from contextlib import contextmanager

import agent as ag
from figures import cpu_of, spread, timed
from place import TOOLS, place, remove
from table import note, row


def deletion(options):
    with place(options) as at:
        at.configure(strategy="lru", allocation="9GB")
        where = at.host.place("temp", "feeds")
        at.tree_at(where, due=0.5)
        agent = at.start_untrusted()
        at.wait_files(agent)
        os.sync()  # the tree's own writing is not what is measured
        took = [first_deletion(at, agent, where, number)
                for number in range(max(at.rounds, 5))]
        row("crossing → first deletion", "≤ 100 ms",
            spread(took, "ms", 1), "a wake-up",
            "next poll + walk: 2,000 ms and more",
            met=statistics.median(took) <= 100)
        few(at, agent, where)
        agent.stop()
        half(at, where)


def first_deletion(at, agent, where, number):
    ready = at.host.outside / f"big{number}"
    with open(ready, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 7500 * ag.MIB)
    os.utime(ready, (1000 + number,) * 2)
    target = where / f"big{number}"
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


OLD = ("-type", "f", "!", "-newermt", "2001-01-01")


def make_old(dirs, count):
    for number in range(count):
        path = dirs[number % len(dirs)] / f"o{number}"
        os.mknod(path)
        os.utime(path, (5, 5))


def few(at, agent, where):
    """10,000 of a million: no walk is needed."""
    count = at.files // 100
    at.configure(retention={"temp": "10000d"})
    agent.ctl("reload")
    agent.wait_trusted()
    all_dirs = list(where.glob("m*/d*"))
    some = [where / "old" / f"d{number}" for number in range(count // 100)]
    for path in some:
        path.mkdir(parents=True)
    few_in(at, agent, where, some, count,
           f"{count:,} of {at.files:,} deleted", 5)
    few_in(at, agent, where, all_dirs, count,
           "… one in each directory", None)


def few_in(at, agent, where, dirs, count, what, goal):
    took = {"ullage": [], "find": [], "bare": []}
    for _ in range(max(at.rounds, 5)):
        make_old(dirs, count)
        time.sleep(3)
        with synced(took["ullage"]):
            done = agent.json("cleanup", "feeds", "--strategy", "time")
        if done["files"] != count:
            raise SystemExit(f"wanted {count} deletions: {done}")
        make_old(dirs, count)
        with synced(took["find"]):
            ag.run("find", where, *OLD, "-delete")
        make_old(dirs, count)
        took["bare"].append(bare_protocol(at, where, *OLD))
    ratio = statistics.median(
        f / u for f, u in zip(took["find"], took["ullage"]))
    row(what, f"≥ {goal} × find -delete" if goal else "–",
        spread(took["ullage"]), f"bare protocol {spread(took['bare'])}",
        f"find -delete {spread(took['find'])}", f"{ratio:.1f} ×",
        ratio >= goal if goal else None)


@contextmanager
def synced(took):
    """Whoever begins while the disk still takes what was made waits for it."""
    os.sync()
    began = time.monotonic()
    yield
    took.append(time.monotonic() - began)


def bare_protocol(at, root, *tests):
    """Seconds for what find finds there: the calls of the deletion protocol,
    and nothing else."""
    found = subprocess.run(
        ("find", root, *tests, "-printf", r"%h\0%f\0"), check=True,
        stdout=subprocess.PIPE).stdout
    os.sync()
    took = subprocess.run(
        (TOOLS / "protocol", root, at.host.dir / "protocol.audit"),
        input=found, check=True, stdout=subprocess.PIPE).stdout
    (root / ".protocol").rmdir()
    return float(took)


PEERS = {"find -delete": ("find", "{}", "-type", "f", "-mtime", "+30",
                          "-delete"),
         "systemd-tmpfiles": ("systemd-tmpfiles", "--clean", "{}.conf"),
         "tmpreaper": ("tmpreaper", "--runtime=0", "--mtime", "30d", "{}")}


def half(at, where):
    """Half of the files are due: whole runs, and what bare unlinking of the
    rest takes."""
    at.configure(retention={"temp": "30d"})
    agent = at.start_untrusted()
    at.wait_files(agent)
    pids = agent.pids()
    began, cpu = time.monotonic(), cpu_of(pids)
    done = agent.json("cleanup", "feeds", "--force", "--strategy", "time")
    walls = {"ullage": time.monotonic() - began}
    cpus = {"ullage": cpu_of(pids) - cpu}
    agent.stop()
    gone = done["files"]
    if abs(gone - at.files / 2) > at.files / 50:
        raise SystemExit(f"half should have gone: {done}")
    bare = (at.files - gone) / remove(where)
    rules = where.with_name("feeds.conf")
    at.tree_at(where, due=0.5)
    note("bare protocol")
    walls["bare"] = bare_protocol(at, where, "-type", "f", "-mtime", "+30")
    remove(where)
    for name, command in PEERS.items():
        at.tree_at(where, due=0.5)
        rules.write_text(f"e {where} - - - m:30d\n")
        note(name)
        (walls[name],), (cpus[name],), _ = timed(
            *(word.format(where) for word in command), repeat=1)
        left = ag.run("find", where, "-type", "f", "-mtime", "+30").stdout
        if left:
            raise SystemExit(f"{name} left {len(left.splitlines())}")
        remove(where)
    rows_of_half(at, gone, walls, cpus, bare)


def rows_of_half(at, gone, walls, cpus, bare):
    beside = walls["systemd-tmpfiles"]
    row(f"{gone:,} of {at.files:,} expired", "≤ systemd-tmpfiles",
        f"{walls['ullage']:.2f} s",
        f"bare protocol {walls['bare']:.2f} s, rm -rf {gone / bare:.2f} s",
        ", ".join(f"{name} {walls[name]:.2f} s" for name in PEERS),
        f"{walls['ullage'] / beside:.2f} ×", walls["ullage"] <= beside)
    row("… CPU of all processes", "–", f"{cpus['ullage']:.2f} s", "–",
        ", ".join(f"{name} {cpus[name]:.2f} s" for name in PEERS),
        f"{cpus['ullage'] / cpus['systemd-tmpfiles']:.2f} ×")
    rate = gone / walls["ullage"]
    row("safe deletions a second", "≥ 20,000/s", f"{rate:,.0f}/s",
        f"bare protocol {gone / walls['bare']:,.0f}/s, rm -rf {bare:,.0f}/s",
        ", ".join(f"{name} {gone / walls[name]:,.0f}/s" for name in PEERS),
        f"{rate / bare:.2f} ×", rate >= 20000)
