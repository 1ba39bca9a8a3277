# SPDX-License-Identifier: GPL-2.0-or-later
"""The first deletion, few of many, and half of all, beside those who walk the
tree for it."""

import os
import statistics
import time

import agent as ag
from figures import cpu_of, spread, timed
from place import place, remove
from table import note, row


def deletion(options):
    with place(options) as at:
        at.configure(strategy="lru", allocation="9GB")
        where = at.host.place("temp", "feeds")
        at.tree_at(where, due=0.5)
        agent = at.start_untrusted()
        at.wait_files(agent)
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


def make_old(where, count):
    for number in range(count):
        os.mknod(where / f"o{number}")
        os.utime(where / f"o{number}", (5, 5))


def few(at, agent, where):
    """10,000 of a million: no walk is needed."""
    count = at.files // 100
    old = at.host.outside / "old"
    old.mkdir()
    make_old(old, count)
    os.rename(old, where / "old")
    time.sleep(3)
    at.configure(retention={"temp": "10000d"})
    agent.ctl("reload")
    agent.wait_trusted()
    began = time.monotonic()
    done = agent.json("cleanup", "feeds", "--strategy", "time")
    ullage = time.monotonic() - began
    if done["files"] != count:
        raise SystemExit(f"wanted {count} deletions: {done}")
    make_old(where / "old", count)
    began = time.monotonic()
    ag.run("find", where, "-type", "f", "!", "-newermt", "2001-01-01",
           "-delete")
    find = time.monotonic() - began
    row(f"{count:,} of {at.files:,} deleted", "≥ 5 × find -delete",
        f"{ullage:.2f} s", peers=f"find -delete {find:.2f} s",
        ratio=f"{find / ullage:.1f} ×", met=find / ullage >= 5)


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
        f"{walls['ullage']:.2f} s", f"rm -rf {gone / bare:.2f} s",
        ", ".join(f"{name} {walls[name]:.2f} s" for name in PEERS),
        f"{walls['ullage'] / beside:.2f} ×", walls["ullage"] <= beside)
    row("… CPU of all processes", "–", f"{cpus['ullage']:.2f} s", "–",
        ", ".join(f"{name} {cpus[name]:.2f} s" for name in PEERS),
        f"{cpus['ullage'] / cpus['systemd-tmpfiles']:.2f} ×")
    rate = gone / walls["ullage"]
    row("safe deletions a second", "≥ 20,000/s", f"{rate:,.0f}/s",
        f"rm -rf {bare:,.0f}/s",
        ", ".join(f"{name} {gone / walls[name]:,.0f}/s" for name in PEERS),
        f"{rate / bare:.2f} ×", rate >= 20000)
