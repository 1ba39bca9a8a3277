# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written and raises no event: by way of a mapping, while the file is
open; and blocks that a filesystem gives back after the last close."""

import mmap
import os
import time

import pytest

import agent as ag
from trees import assert_equal, make_file

SIZE = 64 * ag.MIB


def fill(view, part):
    """A sixteenth of it, every page."""
    for at in range(part * SIZE // 16, (part + 1) * SIZE // 16, mmap.PAGESIZE):
        view[at] = 1


@pytest.mark.slow
@pytest.mark.parametrize("fs, watch", [
    ("ext4", "fanotify"), ("xfs", "fanotify"),
    ("btrfs", "inotify")])
def test_mapped_growth_is_seen(hosts, root_only, fs, watch):
    host = hosts(fs, 400 * ag.MIB)
    host.config({"watch": watch, "reconcile": "1d"},
                ag.policy("feeds", owners=["*"], allocation="1GB"))
    place = host.place("data", "feeds")
    agent = host.start()
    fd = os.open(place / "mapped", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, SIZE)
    with mmap.mmap(fd, SIZE) as view:
        time.sleep(1.5 * ag.QUIET_S)
        for part in range(4):
            fill(view, part)
            time.sleep(0.5)
        ag.wait_for("what was written", lambda: agent.component(
            "feeds")["usedBytes"] >= SIZE // 4, 8)
        time.sleep(3)  # and nothing for a while
        fill(view, 4)
        ag.wait_for("the next part", lambda: agent.component(
            "feeds")["usedBytes"] >= 5 * SIZE // 16, 16)
        view.flush()
    os.close(fd)
    time.sleep(2 * ag.QUIET_S)
    assert_equal(agent)


@pytest.mark.parametrize("watch", ["inotify", "fanotify"])
def test_holes_that_are_filled(hosts, root_only, watch):
    """Opened and never written to, as a database with a map, or the image
    behind a loop device: no event but of the opening."""
    host = hosts("ext4", 400 * ag.MIB)
    host.config({"watch": watch, "reconcile": "1d"},
                ag.policy("feeds", owners=["*"], allocation="1GB"))
    place = host.place("data", "feeds")
    place.mkdir(parents=True)
    for name in ("map", "image"):
        with open(place / name, "wb") as file:
            file.truncate(SIZE)
    agent = host.start()
    device = ag.run("losetup", "--find", "--show",
                    place / "image").stdout.strip()
    try:
        with open(place / "map", "r+b") as file, \
                mmap.mmap(file.fileno(), SIZE) as view:
            fill(view, 0)
            with open(device, "r+b") as disk:
                disk.write(b"x" * (SIZE // 4))
            ag.wait_for("both", lambda: agent.component("feeds")["usedBytes"]
                        >= SIZE // 4 + SIZE // 16, 8)
            view.flush()
    finally:
        ag.run("losetup", "--detach", device)
    time.sleep(2 + ag.QUIET_S)
    assert_equal(agent)


@pytest.mark.slow
def test_blocks_that_went(hosts, root_only):
    """A small file with more of them than it is long is looked at again."""
    host = hosts("ext4", 400 * ag.MIB)
    host.config({"reconcile": "1d"},
                ag.policy("feeds", owners=["*"], allocation="1GB"))
    agent = host.start()
    path = make_file(host.place("data", "feeds") / "f", 3000)
    os.link(path, host.outside / "same")
    ag.run("fallocate", "--keep-size", "--length", 200_000, path)
    ag.wait_for("they are seen", lambda: agent.component(
        "feeds")["usedBytes"] > 200_000, 0.8)
    # By another name, of which nobody tells.
    os.truncate(host.outside / "same", 3000)
    time.sleep(2)
    assert_equal(agent)


def test_blocks_that_are_given_back(hosts, root_only):
    """xfs allocates ahead of who appends, and trims that at the close."""
    host = hosts("xfs", 400 * ag.MIB)
    host.config({"reconcile": "1d"},
                ag.policy("feeds", owners=["*"], allocation="1GB"))
    place = host.place("data", "feeds")
    agent = host.start()
    for number in range(8):
        with open(place / f"f{number}", "ab", buffering=0) as file:
            for _ in range(40):
                file.write(b"x" * 100_000)
    time.sleep(2 + ag.QUIET_S)
    assert_equal(agent)


@pytest.mark.slow
def test_it_is_idle_again(hosts, root_only):
    """Files that are closed are not looked at for ever, nor others often."""
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds", owners=["*"], allocation="1GB"))
    place = host.place("data", "feeds")
    # What others mount is looked into.
    agent = host.start(
        wrap=["unshare", "--mount", "--propagation", "private"])

    def looks():
        return agent.json("metrics")["counters"]["looks"]
    for number in range(20):
        make_file(place / f"f{number}", 2 * ag.MIB)
    with open(place / "open", "wb", buffering=0) as file:
        file.write(b"x" * 2 * ag.MIB)

        def few():
            before = looks()
            time.sleep(4)
            return looks() - before <= 3  # of the open one: 1, 2, 4, 8 s ...
        ag.wait_for("it is quiet", few, 20)
