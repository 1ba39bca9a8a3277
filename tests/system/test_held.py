# SPDX-License-Identifier: GPL-2.0-or-later
"""Room held by files that were deleted and are still open: found, by process
and unit, told of where it matters, and gone when they are closed."""

import os
import subprocess
import sys
import time

import pytest

import agent as ag
from trees import make_file

USER = 65534
# Of a user, so that we may look at it as he.
HOLD = """import sys
files = [open(path, "ab") for path in sys.argv[1:]]
print("open", flush=True)
sys.stdin.read()
"""


class Holder:
    def __init__(self, *paths):
        self.process = subprocess.Popen(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}",
             "--clear-groups", sys.executable, "-c", HOLD,
             *map(str, paths)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "open\n"

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def held(agent):
    time.sleep(0.3)  # it looks no oftener
    reply = agent.json("held")
    return {(h["component"], h["files"]): h for h in reply["held"]}, reply


def theirs(path, size):
    make_file(path, size)
    os.chown(path, USER, USER)


@pytest.fixture
def stage(hosts, root_only):
    def make(fs, size=400 * ag.MIB, **main):
        host = hosts(fs, size)
        host.config(main, ag.policy("feeds", owners=["*"]),
                    ag.policy("other", owners=["*"]))
        return host, host.place("logs", "feeds")
    return make


@pytest.mark.parametrize("fs", ["ext4", "xfs", "btrfs", "tmpfs"])
def test_who_holds_what(stage, fs):
    host, place = stage(fs)
    paths = [place / "one.log", place / "two.log", host.outside / "three",
             place / "kept.log"]
    for path in paths:
        theirs(path, 5 * ag.MIB)
    agent = host.start()
    assert held(agent)[1]["heldBytes"] == 0
    first, second = Holder(*paths), Holder(paths[0])
    try:
        for path in paths[:3]:
            path.unlink()
        make_file(paths[0], 4096)  # another of that name holds nothing
        found, reply = held(agent)
        assert reply["heldBytes"] >= 15 * ag.MIB
        # A file that two hold counts once.
        mine = [h for h in reply["held"] if h["component"] == "feeds"]
        assert sum(h["files"] for h in mine) == 2
        assert sum(h["heldBytes"] for h in mine) < 11 * ag.MIB
        pids = {first.process.pid, second.process.pid}
        assert all(any(f"pid {pid})" in h["by"] for pid in pids)
                   for h in reply["held"])
        assert (None, 1) in found
        assert {h["filesystem"] for h in reply["held"]} == {str(host.mnt)}
        status = agent.status()
        assert status["filesystems"][0]["heldBytes"] == reply["heldBytes"]
        assert agent.component("feeds")["heldBytes"] >= 10 * ag.MIB
        assert agent.component("other")["heldBytes"] == 0
        text = agent.ctl("held").stdout
        assert f"pid {first.process.pid})" in text and "restarted" in text
    finally:
        first.end()
        second.end()
    ag.wait_for("nothing is held", lambda: not held(agent)[1]["heldBytes"])
    assert "nobody holds" in agent.ctl("held").stdout


def test_an_emergency_names_them(stage):
    """The disk is full, and nothing that is managed could help."""
    host, place = stage("tmpfs", 200 * ag.MIB)
    theirs(place / "big.log", 190 * ag.MIB)
    holder = Holder(place / "big.log")
    try:
        (place / "big.log").unlink()
        agent = host.start()
        alert = ag.wait_for("the alert", lambda: [
            a for a in agent.status()["alerts"] if a["kind"] ==
            "target-missed" and "deleted files" in a["message"]], 20)[0]
        assert f"pid {holder.process.pid}) 190 MiB" in alert["message"]
    finally:
        holder.end()
    ag.wait_for("it is over", lambda: not [
        a for a in agent.status()["alerts"] if a["kind"] == "filesystem"], 35)


def test_as_an_ordinary_user(hosts):
    """It sees what it may see, and says that there is more."""
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds"))
    agent = host.start()
    reply = agent.json("held")
    assert set(reply) == {"held", "heldBytes", "hiddenProcesses", "at"}
