# SPDX-License-Identifier: GPL-2.0-or-later
"""More events than the kernel keeps, and more directories than can be watched
in time: then exact again, every time."""

import os
import time

import pytest

import agent as ag
from operations import Operations
from trees import assert_equal, differences

SEED = int(os.environ.get("ULLAGE_SEED", "20251"))
OVERFLOWS = int(os.environ.get("ULLAGE_OVERFLOWS", "1000"))
CHAINS = int(os.environ.get("ULLAGE_CHAINS", "100000"))
BY_NAME = pytest.mark.by_name
EACH = [(fs, watch) for fs in ("tmpfs", "ext4")
        for watch in ("inotify", "fanotify")]


@pytest.fixture
def watched(hosts, root_only):
    def make(fs, watch):
        host = hosts(fs, 600 * ag.MIB)
        host.config({"watch": watch}, ag.policy(
            "feeds", mode="observe", allocation="10GB"))
        agent = host.start()
        assert agent.component("feeds")["source"] == watch
        return host, agent
    return make


def await_equal(agent):
    """As soon as it is, and no later than the contract says."""
    agent.wait_trusted(30)
    end = time.monotonic() + ag.QUIET_S
    while differences(agent):
        if time.monotonic() > end:
            assert_equal(agent, 0)


@pytest.mark.parametrize("fs, watch, count", [
    ("tmpfs", "inotify", 5), ("ext4", "fanotify", 5),
    *(pytest.param(*each, OVERFLOWS, marks=BY_NAME) for each in EACH)])
def test_overflows(watched, fs, watch, count):
    """Nothing of the changes after each flood is heard of."""
    host, agent = watched(fs, watch)
    operations = Operations(SEED, {"feeds": [
        str(host.place(kind, "feeds")) for kind in ("data", "logs")]},
        str(host.outside))
    operations.run(1000)
    assert_equal(agent)
    for number in range(count):
        before = agent.status()["agent"]["overflows"]
        with agent.stopped():
            operations.flood()
            operations.run(200)
        ag.wait_for("an overflow", lambda n=before: (
            agent.status()["agent"]["overflows"] > n))
        await_equal(agent)
        operations.settled()
        if number % 100 == 99:
            print(f"{number + 1} overflows, {operations.n_done} operations",
                  flush=True)
    assert_equal(agent)


@pytest.mark.parametrize("fs, watch, count", [
    ("tmpfs", "inotify", 1000), ("ext4", "fanotify", 1000),
    *(pytest.param(*each, CHAINS, marks=BY_NAME) for each in EACH)])
def test_chains(watched, fs, watch, count):
    """mkdir -p, and a file in each directory, with no pause."""
    host, agent = watched(fs, watch)
    places = [str(host.place(kind, "feeds")) for kind in ("data", "logs")]
    per_round = 1000
    done = 0
    while done < count:
        began = time.monotonic()
        for number in range(per_round):
            path = f"{places[number % 2]}/c{number % 100}"
            for depth in range(2 + number % 6):
                path += f"/{number}"
                make_dir_with_file(path, depth)
        done += per_round
        took = time.monotonic() - began
        await_equal(agent)
        # Half of what was, so that also what goes is in the way.
        for number in range(0, 100, 1 if done % 2000 == 0 else 2):
            remove(f"{places[number % 2]}/c{number}")
        if done % 10000 == 0:
            print(f"{done} chains, the last {per_round} in {took:.2f} s",
                  flush=True)
    assert_equal(agent)


def make_dir_with_file(path, depth):
    try:
        os.mkdir(path)
    except FileNotFoundError:
        os.makedirs(path)
    except FileExistsError:
        pass
    fd = os.open(f"{path}/f", os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(fd, b"c" * 1000 * depth)
    os.close(fd)


def remove(top):
    for folder, _, files in os.walk(top, topdown=False):
        for name in files:
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
