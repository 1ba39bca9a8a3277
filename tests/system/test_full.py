# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk that is really full, for root too, with state and audit on it: plans,
deletions, alerts and the panic latch need not a byte there, nor an inode."""

import errno
import json
import os

import pytest

import agent as ag
from test_filesystem import filesystem, used_percent
from trees import HOUR, make_file

FILESYSTEMS = ("ext4", "xfs", "btrfs", "tmpfs")
SIZE = 320 * ag.MIB
FILES = 40


def write_until_full(file, size):
    chunk = b"x" * size
    while True:
        try:
            os.write(file, chunk)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            return


def fill_bytes(place):
    """Not one more byte, and where a name takes room, no name either."""
    file = os.open(place / "fill", os.O_WRONLY | os.O_CREAT)
    for _ in range(3):  # what the writing itself had reserved comes back
        for size in (ag.MIB, 65536, 4096, 1):
            write_until_full(file, size)
        ag.run("sync", "-f", place)
    os.close(file)
    fill_inodes(place, 4000, b"y", width=100)
    ag.run("sync", "-f", place)


def fill_inodes(place, most=200000, content=b"", prefix="", width=1):
    """Returns whether all of them could be made."""
    for number in range(most):
        try:
            file = os.open(place / f"{prefix}{number:0{width}}",
                           os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            assert error.errno == errno.ENOSPC
            return False
        try:
            os.write(file, content)
        except OSError as error:
            assert error.errno == errno.ENOSPC
        finally:
            os.close(file)
    return True


def is_full(place):
    try:
        with open(place / "one-more", "wb") as file:
            file.write(b"z" * 65536)
    except OSError as error:
        return error.errno == errno.ENOSPC
    finally:
        if (place / "one-more").exists():
            os.unlink(place / "one-more")
    return False


def prepare(hosts, receiver, fs, options=None, **keys):
    host = hosts(fs, SIZE, mount_options=options)
    host.state_file = host.mnt / "state/state.json"
    host.config({"alerts": host.webhook(receiver.url), **keys},
                ag.policy("one", owners=["*"], allocation="10GB",
                          retention={"logs": "14d"}))
    return host, host.start()


def make_files(host):
    for number in range(FILES):
        make_file(host.place("temp", "one") / f"f{number}", 2 * ag.MIB, HOUR)


def left(host):
    return len(list(host.place("temp", "one").glob("f*")))


def state_is_valid(host):
    try:
        with open(host.state_file) as file:
            return json.load(file)["version"] == 1
    except FileNotFoundError:
        return True  # a first save that failed leaves none


def audit(host):
    """Every record is whole, but where the disk cut one off."""
    lines = (host.mnt / "state/audit.log").read_bytes().split(b"\n")
    records = []
    for line in lines:
        try:
            records.append(json.loads(line))
        except ValueError:
            pass
    return records


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_no_byte_left(hosts, receiver, root_only, fs):
    host, agent = prepare(hosts, receiver, fs)
    make_files(host)
    agent.ctl("panic")
    fill_bytes(host.outside)
    assert is_full(host.outside)
    # Alerts are raised and delivered, and everything can be asked. (Asking
    # for the status makes it look at once.)
    ag.wait_for("critical", lambda: filesystem(agent)["level"] == "critical")
    assert receiver.wait(35, kind="filesystem", level="critical")
    assert receiver.wait(kind="emergency")
    assert len(agent.json("plan", "one", "--target", "0%")["victims"]) > 0
    assert agent.json("alerts")
    # What is saved now fails, and what was saved stays.
    assert state_is_valid(host)
    # It starts on a full disk too.
    agent.stop()
    agent.start()
    assert agent.status()["agent"]["panic"]
    assert state_is_valid(host) and is_full(host.outside)
    assert left(host) == FILES
    agent.ctl("panic", "--release")
    ag.wait_for("files go", lambda: left(host) < FILES, 35)
    ag.wait_for("room again", lambda: used_percent(host.mnt) < 96, 35)
    ag.wait_for("the cleanup is in the history", lambda: any(
        r["reason"] == "emergency" and r["files"] for r in agent.history()))
    done = [r for r in audit(host) if r["event"] == "result"]
    assert done and all(r["reason"] == "deleted" for r in done)
    agent.stop()
    assert state_is_valid(host)


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_by_hand(hosts, receiver, root_only, fs):
    """A cleanup that somebody asks for, and the latch, on a full disk."""
    host, agent = prepare(hosts, receiver, fs, thresholds={"filesystem": {
        # nothing is done by itself
        "warning": "97%", "emergency": "98%", "critical": "99%",
        "target": "96%"}})
    agent.ctl("panic")
    agent.ctl("panic", "--release")
    make_file(host.place("logs", "one") / "old", 3 * ag.MIB, 1000 * HOUR)
    agent.ctl("panic")
    fill_bytes(host.outside)
    assert is_full(host.outside)
    agent.ctl("panic", "--release")
    ag.wait_for("the due file goes", lambda: agent.ctl(
        "cleanup", "one", check=False).returncode == 0
        and not (host.place("logs", "one") / "old").exists(), 20)


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_latch(hosts, receiver, root_only, fs):
    """The latch can be set when nothing else can be written."""
    host, agent = prepare(hosts, receiver, fs)
    fill_bytes(host.outside)
    assert is_full(host.outside)
    agent.ctl("panic")
    assert agent.status()["agent"]["panic"]
    assert (host.mnt / "state/panic").exists()
    agent.ctl("panic", "--release")
    assert not (host.mnt / "state/panic").exists()
    agent.ctl("panic")
    assert (host.mnt / "state/panic").exists()
    agent.stop()
    agent.start()
    assert agent.status()["agent"]["panic"]


@pytest.mark.parametrize("fs,options", [("ext4", None),
                                        ("tmpfs", "nr_inodes=600")])
def test_no_inode_left(hosts, receiver, root_only, fs, options):
    host, agent = prepare(hosts, receiver, fs, options)
    make_files(host)
    make_file(host.place("logs", "one") / "old", 3 * ag.MIB, 1000 * HOUR)
    fill_inodes(host.outside)
    # One that was in use meanwhile may have come back.
    ag.wait_for("not one inode is left", lambda: not fill_inodes(
        host.outside, 1, prefix=os.urandom(8).hex()))
    assert used_percent(host.mnt) < 85
    assert receiver.wait(35, kind="inodes", level="critical")
    agent.ctl("panic")
    assert (host.mnt / "state/panic").exists()
    with pytest.raises(AssertionError):
        agent.ctl("cleanup", "one")
    agent.ctl("panic", "--release")
    with pytest.raises(OSError):
        open(host.outside / "one-more", "wb")
    agent.stop()
    agent.start()
    assert state_is_valid(host)
    agent.ctl("cleanup", "one")
    assert not (host.place("logs", "one") / "old").exists()
    assert [r["reason"] for r in audit(host) if r["event"] == "result"] == [
        "deleted"]
