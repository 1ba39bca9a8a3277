# SPDX-License-Identifier: GPL-2.0-or-later
"""What another process uses is never deleted, and is reported as busy."""

import fcntl
import mmap
import os
import shutil
import socket
import subprocess
import time

import pytest

import agent as ag
from conftest import FILESYSTEMS
from trees import DAY, make_file, names


class Users:
    """Files in use in every way the kernel knows, and what keeps them so."""

    def __init__(self, place):
        self.place, self.kept, self.ends = place, set(), []

    def file(self, name):
        self.kept.add(name)
        return make_file(self.place / name, 50000, 3 * DAY)

    def open_reading(self):
        fd = os.open(self.file("reading"), os.O_RDONLY)
        self.ends.append(lambda: os.close(fd))

    def open_writing(self):
        fd = os.open(self.file("writing"), os.O_WRONLY | os.O_APPEND)
        self.ends.append(lambda: os.close(fd))

    def mapped(self):
        fd = os.open(self.file("mapped"), os.O_RDWR)
        view = mmap.mmap(fd, 50000)
        os.close(fd)
        self.ends.append(view.close)

    def executing(self):
        path = self.place / "executing"
        shutil.copy("/bin/sleep", path)
        os.utime(path, (1, 1))
        self.kept.add("executing")
        child = subprocess.Popen([path, "600"])
        self.ends.append(lambda: (child.kill(), child.wait()))

    def locked(self):
        """flock held by a process that closed nothing."""
        path = self.file("locked")
        fd = os.open(path, os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_SH)
        self.ends.append(lambda: os.close(fd))

    def in_flight(self):
        """A descriptor that is only in a socket's queue."""
        one, other = socket.socketpair()
        fd = os.open(self.file("in-flight"), os.O_RDONLY)
        socket.send_fds(one, [b"x"], [fd])
        os.close(fd)
        self.ends.append(lambda: (one.close(), other.close()))

    def locked_directory(self):
        """The systemd-tmpfiles convention: flock on the directory."""
        self.file("locked-dir/one")
        fd = os.open(self.place / "locked-dir", os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        self.ends.append(lambda: os.close(fd))

    def loop_device(self):
        path = self.place / "loop-backed"
        make_file(path, ag.MIB, 3 * DAY)
        self.kept.add("loop-backed")
        device = ag.run("losetup", "--find", "--show", path).stdout.strip()
        os.utime(path, (1, 1))
        self.ends.append(lambda: self.detach(device, path))

    @staticmethod
    def detach(device, path):
        """The kernel lets go of the file a little later."""
        ag.run("losetup", "-d", device)
        ag.wait_for("the loop device is gone", lambda: not ag.run(
            "losetup", "-j", path).stdout.strip(), 20)

    def end(self):
        for end in self.ends:
            end()


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_in_use(hosts, root_only, fs):
    host = hosts(fs, 400 * ag.MIB)
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    place.mkdir(parents=True)
    users = Users(place)
    try:
        for use in (users.open_reading, users.open_writing, users.mapped,
                    users.executing, users.locked, users.in_flight,
                    users.locked_directory, users.loop_device):
            use()
        for number in range(20):
            make_file(place / f"free{number}", 20000, 3 * DAY)
        agent = host.start()
        done = agent.json("cleanup", "feeds", "--force")
        assert names(place) == users.kept
        assert done["files"] == 20
        busy = {s["reason"]: s["files"] for s in done["skipped"]}
        assert busy.get("busy") == len(users.kept), done
        why = agent.json("why", place / "reading")
        assert why["verdict"] == "busy", why
    finally:
        users.end()
    done = agent.json("cleanup", "feeds", "--force")
    assert names(place) == set() and done["files"] == len(users.kept)


def test_in_use_in_an_emergency(hosts, root_only):
    """Not even a critical level takes a file that is open."""
    host = hosts("ext4", 400 * ag.MIB)
    host.config({}, ag.policy("feeds", strategy="priority", owners=["*"]))
    place = host.place("temp", "feeds")
    agent = host.start()
    held = []
    try:
        for number in range(20):
            path = make_file(host.outside / "in" / f"held{number}", ag.MIB,
                             DAY)
            held.append(os.open(path, os.O_RDONLY))
        for number in range(78):
            make_file(host.outside / "in" / f"free{number}", ag.MIB, hours(2))
        os.rename(host.outside / "in", place / "in")
        ag.wait_for("the cleanup", agent.history)
        ag.wait_for("target is reached", lambda: agent.component("feeds")[
            "usedBytes"] <= 70 * ag.MIB)
        left = names(place / "in")
        assert {f"held{n}" for n in range(20)} <= left
        assert len(left) >= 68
    finally:
        for fd in held:
            os.close(fd)


def hours(count):
    return count * 3600


@pytest.mark.parametrize("mode, is_kept", [(0o755, False), (0o750, True)])
def test_lock_of_anybody(hosts, root_only, mode, is_kept):
    """Who may open a directory may lock it: that keeps no disk full."""
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    agent = host.start()
    place.chmod(mode)
    fd = os.open(place, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    try:
        make_file(place / "old", ag.MIB, 3 * DAY)
        time.sleep(ag.QUIET_S)
        agent.json("cleanup", "feeds", "--force", check=False)
        assert (place / "old").exists()
        make_file(host.outside / "more", 96 * ag.MIB, 2 * DAY)
        os.rename(host.outside / "more", place / "more")
        ag.wait_for("the cleanup", lambda: [
            r for r in agent.history() if r["reason"] == "critical"])
        time.sleep(ag.QUIET_S)
        assert (place / "old").exists() == is_kept
    finally:
        os.close(fd)
