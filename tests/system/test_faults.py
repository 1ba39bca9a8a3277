# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that go, that may not be written to, that report errors: nothing on
them is deleted, an alert says why, and what is well again is cleaned again."""

import fcntl
import os
import struct
from pathlib import Path

import pytest

import agent as ag
from trees import DAY, make_file, names

KEYS = dict(owners=["*"], strategy="time")
SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN
NO_LOG_FLUSH = 2


@pytest.fixture
def begin(hosts, receiver, root_only):
    """begin(fs): an agent over a component on a disk of its own, and another
    that has no part in it."""
    def start(fs, **options):
        sound = hosts("tmpfs")
        disk = hosts(fs, 320 * ag.MIB, **options)
        there = disk.mnt / "feeds"
        there.mkdir()
        sound.config({"alerts": sound.webhook(receiver.url)},
                     ag.policy("feeds", paths={"temp": [str(there)]}, **KEYS),
                     ag.policy("sound", **KEYS))
        for number in range(5):
            make_file(there / f"old{number}", 5000, 2 * DAY)
        make_file(sound.place("temp", "sound") / "old", 5000, 2 * DAY)
        return disk, there, sound.start()
    return start


def refusal(agent):
    """What is said of a cleanup that may not be."""
    done = agent.ctl("cleanup", "feeds", "--force", check=False)
    assert done.returncode == 1, done.stdout
    return done.stderr


def health(agent, disk):
    return next((f["health"] for f in agent.status()["filesystems"]
                 if f["path"] == str(disk.mnt)), None)


def wait_health(agent, disk, word):
    ag.wait_for(f"health is {word}", lambda: health(agent, disk) == word, 35)


def assert_sound_goes_on(agent):
    assert agent.json("cleanup", "sound", "--force")["files"] <= 1
    assert agent.component("sound")["files"] == 0


def device_of(disk):
    return ag.run("findmnt", "-no", "SOURCE", disk.mnt).stdout.strip()


@pytest.mark.parametrize("fs", ["ext4", "xfs"])
def test_unmounted_root_heals_when_it_is_mounted_again(begin, receiver, fs):
    disk, there, agent = begin(fs)
    # Under the mount point lies what must not be taken for the component.
    device = device_of(disk)
    # Kept open it keeps its image, and nobody else gets the device: another
    # one would be another disk.
    held = os.open(device, os.O_RDONLY)
    ag.run("umount", disk.mnt)
    disk.mounted = False
    make_file(there / "bait", 5000, 2 * DAY)
    receiver.wait(kind="root-changed", event="raised")
    assert "root" in refusal(agent)
    assert agent.component("feeds")["files"] == 0
    assert_sound_goes_on(agent)
    assert not agent.history()[-1]["component"] == "feeds"
    assert names(there) == {"bait"}
    disk.options = "defaults"
    disk.mounted = True
    ag.run("mount", device, disk.mnt)
    os.close(held)
    assert receiver.wait(kind="root-changed", event="resolved")
    agent.wait_trusted()
    assert agent.component("feeds")["files"] == 5
    assert agent.json("cleanup", "feeds", "--force")["files"] == 5
    assert not names(there)
    ag.run("umount", disk.mnt)
    disk.mounted = False
    assert names(there) == {"bait"}


def test_read_only_suspends_until_it_is_writable(begin, receiver):
    disk, there, agent = begin("ext4")
    ag.run("mount", "-o", "remount,ro", disk.mnt)
    wait_health(agent, disk, "read-only")
    assert receiver.wait(kind="read-only", event="raised")
    assert "read-only" in refusal(agent)
    assert len(names(there)) == 5
    assert_sound_goes_on(agent)
    ag.run("mount", "-o", "remount,rw", disk.mnt)
    wait_health(agent, disk, "ok")
    assert receiver.wait(kind="read-only", event="resolved")
    assert agent.json("cleanup", "feeds", "--force")["files"] == 5


def test_remounts_are_told_by_the_kernel(begin):
    """Not by the period of statfs, which is up to half a minute."""
    disk, _, agent = begin("ext4")
    for option, word in (("ro", "read-only"), ("rw", "ok")) * 3:
        ag.run("mount", "-o", f"remount,{option}", disk.mnt)
        ag.wait_for(f"health is {word}",
                    lambda: health(agent, disk) == word, 2)


def ext4_counter(disk, name):
    device = Path(device_of(disk)).name
    return Path("/sys/fs/ext4") / device / name


def trigger_error(disk):
    # On the disk first: once it is read-only it may be read again from there.
    ag.run("sync", "-f", disk.mnt)
    ext4_counter(disk, "trigger_fs_error").write_text("by a test")


def test_counted_errors_suspend_until_a_reload(begin, receiver):
    disk, there, agent = begin("ext4", mount_options="errors=continue")
    trigger_error(disk)
    assert int(ext4_counter(disk, "errors_count").read_text()) > 0
    wait_health(agent, disk, "errors")
    told = receiver.wait(kind="filesystem-error", event="raised")
    assert told["level"] == "critical" and told["filesystem"] == str(disk.mnt)
    assert "errors" in refusal(agent)
    assert len(names(there)) == 5
    assert_sound_goes_on(agent)
    agent.ctl("reload")
    wait_health(agent, disk, "ok")
    assert receiver.wait(kind="filesystem-error", event="resolved")
    assert agent.json("cleanup", "feeds", "--force")["files"] == 5
    # What the operator has accepted is not all that may come.
    trigger_error(disk)
    wait_health(agent, disk, "errors")


def test_errors_that_remount_read_only(begin, receiver):
    disk, there, agent = begin("ext4", mount_options="errors=remount-ro")
    trigger_error(disk)
    wait_health(agent, disk, "errors")
    assert receiver.wait(kind="read-only", event="raised")
    assert receiver.wait(kind="filesystem-error", event="raised")
    agent.ctl("reload")
    # Accepted errors do not make it writable.
    wait_health(agent, disk, "read-only")
    refusal(agent)
    assert len(names(there)) == 5


def shut_down(disk):
    fd = os.open(disk.mnt, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(fd)


@pytest.mark.parametrize("fs", ["ext4", "xfs"])
def test_shut_down_filesystem(begin, receiver, fs):
    """As after a disk that went: every call fails, no reload helps, and a
    new mount does."""
    disk, _, agent = begin(fs)
    ag.run("sync", "-f", disk.mnt)
    shut_down(disk)
    ag.wait_for("not trusted", lambda: not agent.component(
        "feeds")["trusted"], 35)
    assert receiver.wait(kind="filesystem-error", event="raised")
    agent.ctl("reload")
    ag.wait_for("still not trusted", lambda: not agent.component(
        "feeds")["trusted"], 35)
    refusal(agent)
    assert_sound_goes_on(agent)


@pytest.mark.parametrize("fs", ["ext4", "xfs"])
def test_directory_that_cannot_be_read(hosts, receiver, root_only, fs):
    """Damage that only a look meets: here, the listing of a directory."""
    sound, disk = hosts("tmpfs"), hosts(fs, 320 * ag.MIB)
    there = disk.mnt / "feeds"
    for number in range(400):
        make_file(there / "spoilt" / f"a-rather-long-name-{number:04}", 10,
                  2 * DAY)
    make_file(there / "old", 5000, 2 * DAY)
    disk.umount()
    content = disk.image.read_bytes()
    with open(disk.image, "r+b", buffering=0) as image:
        at = content.find(b"a-rather-long-name-")
        while at >= 0:
            block = at // 4096 * 4096
            image.seek(block)
            image.write(os.urandom(4096))
            at = content.find(b"a-rather-long-name-", block + 4096)
    disk.mount()
    sound.config({"alerts": sound.webhook(receiver.url)},
                 ag.policy("feeds", paths={"temp": [str(there)]}, **KEYS),
                 ag.policy("sound", **KEYS))
    make_file(sound.place("temp", "sound") / "old", 5000, 2 * DAY)
    agent = sound.start(trusted=False)
    ag.wait_for("an agent", lambda: agent.status(check=False))
    wait_health(agent, disk, "errors")
    assert receiver.wait(kind="filesystem-error", event="raised")
    refusal(agent)
    assert "old" in os.listdir(there)
    assert_sound_goes_on(agent)
    looks = agent.json("status")["agent"]["events"]
    assert agent.process.poll() is None and looks < 100000


def test_data_that_cannot_be_read(begin, receiver):
    """btrfs counts what does not match its checksum."""
    disk, there, agent = begin("btrfs")
    mark = os.urandom(64) * 128
    (there / "spoilt").write_bytes(mark)
    ag.run("sync", "-f", disk.mnt)
    content = disk.image.read_bytes()
    at = content.find(mark)
    assert at > 0
    with open(disk.image, "r+b", buffering=0) as image:
        while at >= 0:
            image.seek(at + 100)
            image.write(b"\0" * 32)
            at = content.find(mark, at + 1)
    Path("/proc/sys/vm/drop_caches").write_text("3")
    ag.run("blockdev", "--flushbufs", device_of(disk))
    with pytest.raises(OSError):
        (there / "spoilt").read_bytes()
    wait_health(agent, disk, "errors")
    assert receiver.wait(kind="filesystem-error", event="raised")
    refusal(agent)
    assert len(names(there)) == 6
