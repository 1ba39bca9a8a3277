# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of each process at any moment of a cleanup: nothing is lost, what is
saved is valid, and all is at work again within two seconds.

tests/hostile/kill does the same to a reaper alone, by the thousand, and
tests/hostile/calls to the state writer at each of its system calls."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import agent as ag
from trees import DAY, make_file, names

ROUNDS = int(os.environ.get("ROUNDS", "1000"))  # of those by name
OLD = {f"d{n % 5}/old{n}" for n in range(600)}
KEEP = {f"d{n % 5}/keep{n}" for n in range(20)}
RESTART_S = 2.0


def title(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(
            errors="replace")
    except OSError:
        return ""


def find(agent, who):
    if who == "warden":
        return agent.process.pid
    return next((p for p in agent.pids() if p != agent.process.pid
                 and who in title(p)), None)


@pytest.fixture
def stage(hosts, root_only):
    host = hosts("ext4", 300 * ag.MIB)
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    place = host.place("temp", "feeds")
    for name in KEEP:
        make_file(place / name, 100)
    return host, place


def refill(place):
    for name in OLD:
        if not (place / name).exists():
            make_file(place / name, 100, 2 * DAY)


def begin_cleanup(host):
    return subprocess.Popen(
        [str(ag.ULLAGECTL), "--socket", str(host.socket), "cleanup", "feeds"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_one(agent, host, who):
    """Returns how long it took until all was at work again."""
    run = begin_cleanup(host)
    if who == "reaper":
        victim = find(agent, who)
        end = time.monotonic() + 2
        while not victim and run.poll() is None and time.monotonic() < end:
            victim = find(agent, who)
        time.sleep(random.uniform(0, 0.02))
    else:
        time.sleep(random.uniform(0, 0.1))
        victim = find(agent, who)
    others = agent.pids()
    began = time.monotonic()
    if victim:
        agent.signal(victim, signal.SIGKILL)
    if who == "warden":
        agent.process.wait()
        # As a service manager does: all of them go, then comes the next.
        ag.wait_for("all are dead", lambda: not any(map(ag.is_alive, others)))
        agent.wait_gone()
        agent.start()
    run.wait(10 * ag.SLOW)
    ag.wait_for("at work again", lambda: agent.status(check=False) is not None)
    agent.wait_trusted()
    return time.monotonic() - began


def check(agent, host, place):
    for _ in range(3):  # puts back what it finds, then deletes
        agent.json("cleanup", "feeds")
    left = names(place)
    assert left == KEEP, (sorted(KEEP - left)[:5], sorted(left - KEEP)[:5])
    state = host.dir / "state/state.json"
    if state.exists():
        json.loads(state.read_text())
    assert not list(state.parent.glob("*damaged*"))


def one_round(host, place, who):
    agent = ag.Agent(host)
    host.agents.append(agent)
    refill(place)
    agent.start()
    took = kill_one(agent, host, who)
    check(agent, host, place)
    agent.stop()
    host.agents.remove(agent)
    agent.log_path.unlink()
    return took


@pytest.mark.parametrize("who", ["warden", "agent", "reaper"])
def test_some(stage, who):
    host, place = stage
    took = [one_round(host, place, who) for _ in range(4)]
    assert max(took) < RESTART_S * ag.SLOW, took


def test_hook_supervisor(hosts, root_only):
    """It dies amid a hook: the alert is tried again, and nothing waits."""
    host = hosts("tmpfs")
    told = host.dir / "told"
    told.mkdir(mode=0o777)
    told.chmod(0o777)
    host.hook("slow", f"#!/bin/sh\necho $$ >>{told}/$ULLAGE_ID\nsleep 5\n")
    host.config({"alerts": {"hooks": str(host.dir / "etc/hooks.d")}},
                ag.policy("feeds", owners=["*"], minAge="1h",
                          allocation="1MB"))
    agent = host.start()
    place = host.place("temp", "feeds")
    make_file(place / "big", 2 * ag.MIB)
    victim = ag.wait_for("a hook at work", lambda: any(told.iterdir()) and
                         find(agent, "hook"), 10)
    agent.signal(victim, signal.SIGKILL)
    began = time.monotonic()
    ag.wait_for("it is gone", lambda: not ag.is_alive(victim))
    make_file(place / "another", 5000)
    ag.wait_for("the agent goes on", lambda: agent.component(
        "feeds")["files"] == 2, RESTART_S)
    assert time.monotonic() - began < RESTART_S * ag.SLOW
    ag.wait_for("the hook is tried again", lambda: any(
        len(f.read_text().split()) > 1 for f in told.iterdir()), 20)
    # What the first left behind went with it.
    first = {f.read_text().split()[0] for f in told.iterdir()}
    assert not any(ag.is_alive(int(pid)) for pid in first
                   if pid not in {f.read_text().split()[-1]
                                  for f in told.iterdir()})


@pytest.mark.by_name
@pytest.mark.parametrize("who", ["warden", "agent", "reaper"])
def test_many(stage, who):
    host, place = stage
    took = []
    for number in range(ROUNDS):
        took.append(one_round(host, place, who))
    took.sort()
    print(f"{who}: {ROUNDS} kills, at work again after {took[len(took) // 2]:.2f}"
          f" s (median), {took[-1]:.2f} s (longest)")
    assert took[-1] < RESTART_S * ag.SLOW
