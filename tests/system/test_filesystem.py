# SPDX-License-Identifier: GPL-2.0-or-later
"""Thresholds of the filesystem, and the emergency across components."""

import os
import time

import pytest

import agent as ag
from trees import HOUR, assert_equal, make_file, names

SIZE = 200 * ag.MIB


def used_percent(path):
    """As df counts: of what ordinary users may have."""
    fs = os.statvfs(path)
    used = fs.f_blocks - fs.f_bfree
    return 100 * used / (used + fs.f_bavail)


def bytes_to(path, percent):
    """How much to write until the filesystem is so full."""
    fs = os.statvfs(path)
    used = fs.f_blocks - fs.f_bfree
    return int((percent / 100 * (used + fs.f_bavail) - used) * fs.f_frsize)


def fill(place, percent, files, prefix="f", age=HOUR):
    size = bytes_to(place, percent) // files // 4096 * 4096 + 4096
    for number in range(files):
        make_file(place / f"{prefix}{number}", size, age + number * 60)


@pytest.fixture
def three(hosts, receiver):
    """Components of low, normal and critical priority on a small disk."""
    def start(fs="ext4"):
        host = hosts(fs, SIZE)
        host.config({"alerts": host.webhook(receiver.url)},
                    *(ag.policy(name, priority=name, owners=["*"],
                                allocation="180MB")
                      for name in ("low", "normal", "critical")))
        agent = host.start()
        return host, agent
    return start


def filesystem(agent):
    return agent.status()["filesystems"][0]


@pytest.mark.parametrize("fs", ["ext4", "tmpfs"])
def test_levels(three, receiver, root_only, fs):
    host, agent = three(fs)
    ballast = host.outside / "ballast"
    for percent, level in ((80, "ok"), (86.5, "warning"), (91.5, "emergency"),
                           (96.5, "critical")):
        with open(ballast, "ab") as file:
            os.posix_fallocate(file.fileno(), ballast.stat().st_size,
                               max(bytes_to(host.mnt, percent), 1))
        ag.wait_for(f"filesystem is {level}",
                    lambda: filesystem(agent)["level"] == level, 35)
        ag.wait_for("usedPercent is that of df", lambda: abs(filesystem(
            agent)["usedPercent"] - used_percent(host.mnt)) < 0.5, 35)
        said = filesystem(agent)
        assert said["totalBytes"] == (os.statvfs(host.mnt).f_blocks
                                      * os.statvfs(host.mnt).f_frsize)
    assert receiver.wait(kind="filesystem", level="critical")
    os.unlink(ballast)
    ag.wait_for("filesystem is ok again",
                lambda: filesystem(agent)["level"] == "ok", 35)
    assert receiver.wait(kind="filesystem", event="resolved")


def test_emergency_asks_low_first(three, root_only):
    host, agent = three()
    temp = {name: host.place("temp", name)
            for name in ("low", "normal", "critical")}
    # Every component holds files; the emergency needs only low's.
    fill(temp["critical"], 25, 10)
    fill(temp["normal"], 50, 10)
    fill(temp["low"], 88, 40)
    kept = names(temp["normal"]), names(temp["critical"])
    before = names(temp["low"])
    fill(host.place("data", "critical"), 91.5, 2, "last")
    ag.wait_for("emergency is over",
                lambda: filesystem(agent)["usedPercent"] < 90
                and len(names(temp["low"])) < len(before), 35)
    agent.wait_level("low", "ok")
    assert (names(temp["normal"]), names(temp["critical"])) == kept
    left = names(temp["low"])
    assert left < before
    # Oldest first: what is left is younger than what went.
    ages = sorted(int(name[1:]) for name in left)
    assert ages == list(range(len(ages)))
    record = ag.wait_for("it is in the history", agent.history)[0]
    assert record["component"] == "low" and record["reason"] == "emergency"


def test_emergency_goes_on_to_the_next(three, receiver, root_only):
    host, agent = three()
    fill(host.place("temp", "critical"), 30, 10)
    fill(host.place("temp", "normal"), 84, 30)
    fill(host.place("temp", "low"), 88, 4)
    kept = names(host.place("temp", "critical"))
    fill(host.place("data", "critical"), 92, 2, "last")
    ag.wait_for("emergency is over",
                lambda: filesystem(agent)["usedPercent"] < 88, 35)
    ag.wait_for("low gave everything",
                lambda: not names(host.place("temp", "low")))
    assert 0 < len(names(host.place("temp", "normal"))) < 30
    assert names(host.place("temp", "critical")) == kept

    def order():
        return [r["component"] for r in reversed(agent.history())
                if r["reason"] == "emergency" and r["files"]]
    ag.wait_for("both are in the history", lambda: len(order()) >= 2)
    assert order()[:2] == ["low", "normal"]


def test_disk_that_is_really_full(three, root_only):
    """100 %: deletion still works, and nothing is lost but what may go."""
    host, agent = three()
    fill(host.place("temp", "low"), 60, 30)
    # What is there and no more: what the agent frees meanwhile stays free.
    room = os.statvfs(host.mnt)
    n_bytes = room.f_bavail * room.f_frsize
    with open(host.outside / "ballast", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, n_bytes * 98 // 100)
        file.seek(0, os.SEEK_END)
        try:
            while file.tell() < n_bytes:
                file.write(b"x" * ag.MIB)
        except OSError:
            pass
    ag.wait_for("room again", lambda: used_percent(host.mnt) < 90, 35)
    assert agent.process.poll() is None


def test_emergency_begins_again(three, root_only):
    """What was enough when it was given is filled again at once: the first
    component gives more, and nobody waits for a minute."""
    host, agent = three()
    low = host.place("temp", "low")
    fill(low, 60, 120)
    with open(host.outside / "ballast", "wb") as file:
        end = time.monotonic() + 20
        while len(names(low)) > 40 and time.monotonic() < end:
            if used_percent(host.mnt) < 92:
                file.write(b"x" * ag.MIB)
                file.flush()
            else:
                time.sleep(0.005)
    assert len(names(low)) <= 40
    ag.wait_for("room again", lambda: used_percent(host.mnt) < 90, 10)


def test_copied_up_is_the_same(hosts, root_only):
    """The first change in a directory of an overlay's lower layer gives it
    another time of birth. (Where blocks are smaller than 4 KiB it may be of
    another size as well: as large as what it was copied to.)"""
    def fill_lower(host):
        for number in range(6):
            make_file(host.lower / "host/data/feeds" / ("d/" * number) / "f",
                      9000)
    host = hosts("overlay", 600 * ag.MIB, prepare=fill_lower)
    host.config({}, ag.policy("feeds", mode="observe"))
    agent = host.start()
    place = host.place("data", "feeds")
    assert_equal(agent)
    make_file(place / ("d/" * 4) / "g", 5000)
    os.truncate(place / ("d/" * 3) / "f", 50000)
    os.rename(place / "f", place / ("d/" * 2) / "h")
    assert_equal(agent)
    assert agent.component("feeds")["trusted"]
    assert not agent.status()["alerts"]
