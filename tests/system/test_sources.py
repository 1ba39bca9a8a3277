# SPDX-License-Identifier: GPL-2.0-or-later
"""Filesystems that take no mark as a whole: what feeds the index there, that
it says so, and that it is exact."""

import os
import shutil
import time

import pytest

import agent as ag
from operations import Operations
from trees import assert_equal, differences, make_file


def subvolume(host):
    ag.run("btrfs", "-q", "subvolume", "create", host.root)


def overlay(host):
    """Some of it lies below, and is copied up when it is written to."""
    parts = [host.mnt / name for name in ("lower", "upper", "work")]
    for part in (*parts, host.root):
        part.mkdir()
    for number in range(20):
        make_file(host.mnt / "lower/data/feeds" / f"d{number % 5}"
                  / f"f{number}", 5000)
    lower, upper, work = parts
    ag.run("mount", "-t", "overlay", "-o",
           f"lowerdir={lower},upperdir={upper},workdir={work}", "none",
           host.root)


def fuse(host):
    """Something that passes everything through, and may change it itself."""
    behind = host.mnt / "behind"
    behind.mkdir()
    host.root.mkdir()
    ag.run("bindfs", behind, host.root)


@pytest.fixture
def laid(hosts, root_only):
    """laid(fs, how): a host whose root lies on what how makes of it."""
    made = []

    def lay(fs, how):
        if how is fuse and not shutil.which("bindfs"):
            pytest.skip("bindfs is not installed")
        host = hosts(fs, 600 * ag.MIB)
        host.root.rmdir()
        host.config({}, *(ag.policy(name, mode="observe", allocation="10GB")
                          for name in ("feeds", "engine")))
        if how is not subvolume:
            made.append(host)
        how(host)
        return host

    yield lay
    for host in made:
        for agent in host.agents:
            agent.stop()
        ag.run("umount", host.root)


def work(host, count):
    areas = {name: [str(host.place(kind, name)) for kind in ag.TYPES]
             for name in ("feeds", "engine")}
    (host.root / "outside").mkdir()
    operations = Operations(4, areas, str(host.root / "outside"))
    operations.run(count)
    for directory in (host.root / "data/feeds").glob("d*"):
        make_file(directory / "more", 7000)


@pytest.mark.parametrize("fs, how, reason", [
    ("btrfs", subvolume, "a subvolume is not marked as a whole"),
    ("tmpfs", overlay, "this filesystem is not marked as a whole")])
def test_each_directory_is_marked(laid, fs, how, reason):
    host = laid(fs, how)
    agent = host.start()
    assert agent.component("feeds")["source"] == "fanotify"
    assert reason in agent.component("feeds")["sourceReason"]
    assert reason in agent.ctl("status", "feeds").stdout
    for _ in range(2):
        work(host, 3000)
        assert_equal(agent)
        shutil.rmtree(host.root / "outside")
    # Who did it is told, as elsewhere.
    assert agent.json("growth", "feeds")["components"][0]["writers"]
    # Listed again, nothing is found.
    drift = agent.json("reconcile")["drift"]
    assert not [d for d in drift if d["differences"]]


def test_what_others_change(laid):
    """Other hosts, or a server of FUSE: what is done here is seen at once, and
    the rest when it is listed again."""
    host = laid("tmpfs", fuse)
    agent = host.start()
    assert agent.component("feeds")["source"] == "inotify+scan"
    assert "other hosts" in agent.component("feeds")["sourceReason"]
    place = host.place("data", "feeds")
    for number in range(50):
        make_file(place / f"d{number % 7}" / f"f{number}", 3000 * number)
    os.rename(place / "d1", place / "moved")
    os.unlink(place / "d2/f2")
    assert_equal(agent)
    make_file(host.mnt / "behind/data/feeds/unseen", 50000)
    time.sleep(ag.QUIET_S)
    assert differences(agent), "somebody told? then this test is void"
    agent.ctl("reconcile")
    assert_equal(agent)
