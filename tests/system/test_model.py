# SPDX-License-Identifier: GPL-2.0-or-later
"""Random operations against a running agent, then difference 0: after quiet,
or, for what raises no event, after the reconciliation."""

import os
import time

import pytest

import agent as ag
from operations import Operations
from trees import assert_equal, list_all, make_file, measure, total

SEED = int(os.environ.get("ULLAGE_SEED", "20251"))
OPERATIONS = int(os.environ.get("ULLAGE_OPERATIONS", "1000000"))
COMPONENTS = ("feeds", "engine", "memory")
ROUND = 50_000
EACH = [(fs, watch) for fs in ("tmpfs", "ext4", "xfs", "btrfs", "overlay")
        for watch in ("inotify", "fanotify")]


def fill_lower(host):
    """What an overlay has to copy up before it can be changed."""
    for name in COMPONENTS:
        for number in range(300):
            place = host.lower / "host" / ag.TYPES[number % 6] / name
            make_file(place / f"low{number % 20}" / f"x{number % 7}"
                      / f"f{number}", 100 * number)


def check(agent):
    """After an overflow it is exact when everything has been listed again."""
    time.sleep(0.1)  # it has read that
    agent.wait_trusted(30)
    try:
        assert_equal(agent)
    finally:
        said = agent.json("index", "check", check=False)
        assert said and not said["differences"], said


def model(hosts, fs, watch, count, rounds, options=None):
    if ag.SLOW > 1:
        count //= 5
    print(f"seed {SEED}")
    host = hosts(fs, 1200 * ag.MIB, mount_options=options,
                 prepare=fill_lower if fs == "overlay" else None)
    host.config({"watch": watch}, *(
        ag.policy(name, mode="observe", allocation="10GB")
        for name in COMPONENTS))
    agent = host.start()
    assert {c["source"] for c in agent.status()["components"]} == {watch}
    operations = Operations(
        SEED, {name: [str(host.place(kind, name)) for kind in ag.TYPES]
               for name in COMPONENTS}, str(host.outside), agent, 5000)
    try:
        for part in range(rounds):
            began = time.monotonic()
            play(agent, operations, count // rounds)
            assert_referees_agree(host)
            print(f"{fs} {watch}: round {part}: {operations.n_done} "
                  f"operations, {operations.n_overflows} overflows, "
                  f"{time.monotonic() - began:.1f} s", flush=True)
        print(f"done {dict(operations.done)}, refused "
              f"{dict(operations.refused)}")
        assert agent.status()["agent"]["overflows"] >= operations.n_overflows
        assert sum(c["files"] for c in agent.status()["components"]) > 100
        # A restarted agent, which scans, finds the same.
        assert agent.stop() == 0
        assert_equal(host.start())
    finally:
        operations.close()


def assert_referees_agree(host):
    for name in COMPONENTS:
        places = [host.place(kind, name) for kind in ag.TYPES]
        assert total(list_all(*places)) == measure(*places)


def play(agent, operations, count):
    """One round: what raises events, then also what raises none."""
    operations.run(count * 4 // 5)
    check(agent)
    operations.settled()
    operations.run_silent(count // 5)
    agent.json("reconcile")
    check(agent)
    operations.settled()


@pytest.mark.parametrize("fs, watch, count, rounds", [
    ("tmpfs", "inotify", 40_000, 1), ("ext4", "fanotify", 40_000, 1),
    ("xfs", "fanotify", 10_000, 1), ("btrfs", "inotify", 10_000, 1),
    ("overlay", "fanotify", 10_000, 1),
])
def test_model(hosts, fs, watch, count, rounds):
    model(hosts, fs, watch, count, rounds)


@pytest.mark.by_name
@pytest.mark.parametrize("fs, watch", EACH)
def test_million(hosts, fs, watch):
    # xfs takes back every five minutes what it allocated ahead, and nothing
    # tells.
    model(hosts, fs, watch, OPERATIONS, max(OPERATIONS // ROUND, 1),
          "allocsize=4k" if fs == "xfs" else None)
