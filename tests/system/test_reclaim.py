# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cleanup frees is what the filesystem gets; and where that is not
enough, what keeps the rest is named."""

import fcntl
import os
import subprocess

import pytest

import agent as ag
from trees import HOUR, make_file

SIZE = 400 * ag.MIB
DAY = 24 * HOUR


def start(hosts, fs="tmpfs", **keys):
    host = hosts(fs, SIZE)
    default = {"owners": ["*"], "allocation": "100MB", "retention": {}}
    host.config({}, ag.policy("one", **(default | keys)))
    return host, host.start()


def cleanup(agent, *more):
    """Result of a cleanup to nothing; exit status 1 is a missed target."""
    agent.ctl("reconcile")
    agent.wait_trusted()
    # Its own may be under way.
    return ag.wait_for("a cleanup", lambda: agent.json(
        "cleanup", "one", "--target", "1B", *more, check=False))


def write(path, size):
    """Of blocks that are written: those that are only allocated are copied
    by nobody."""
    make_file(path, 0)
    path.write_bytes(b"w" * size)
    os.utime(path, (path.stat().st_mtime - DAY,) * 2)
    ag.run("sync", "-f", path)


def blockers(result):
    return {(b["cause"], b.get("by")): (b["files"], b["bytes"])
            for b in result["blockers"]}


def reflink(source, target):
    ag.run("cp", "--reflink=always", "-p", source, target)
    ag.run("sync", "-f", target)


def free(host):
    ag.run("sync", "-f", host.mnt)
    fs = os.statvfs(host.mnt)
    return fs.f_bfree * fs.f_frsize


@pytest.mark.parametrize("fs", ["xfs", "btrfs"])
def test_reflinks(hosts, root_only, fs):
    """Copies outside hold the blocks: they are left, and that is said."""
    host, agent = start(hosts, fs)
    place = host.place("cache", "one")
    for name in ("shared", "own"):
        write(place / name, 8 * ag.MIB)
    reflink(place / "shared", host.outside / "copy")
    before = free(host)
    result = cleanup(agent)
    assert (place / "shared").exists() and not (place / "own").exists()
    assert not result["reached"]
    assert {s["reason"]: s["files"] for s in result["skipped"]
            if s["bytes"]} == {"shared": 1}
    assert blockers(result)["shared", None] == (1, 8 * ag.MIB)
    assert 8 * ag.MIB <= result["freedBytes"] < 9 * ag.MIB
    assert result["estimatedBytes"] == result["freedBytes"]
    ag.wait_for("it came free", lambda: free(host) - before > 7 * ag.MIB)
    # The last one counts.
    os.unlink(host.outside / "copy")
    free(host)
    ag.wait_for("the last one goes", lambda: cleanup(agent)["files"] == 1
                or not (place / "shared").exists())
    assert not (place / "shared").exists()
    ag.wait_for("all of it", lambda: free(host) - before > 15 * ag.MIB)


def test_snapshot(hosts, root_only):
    host, agent = start(hosts, "btrfs")
    place = host.place("cache", "one")
    write(place / "old", 8 * ag.MIB)
    ag.run("btrfs", "subvolume", "snapshot", "-r", host.mnt,
           host.mnt / "snapshot")
    write(place / "new", 8 * ag.MIB)
    # A dry run has looked, so it knows.
    result = cleanup(agent, "--dry-run")
    assert result["files"] == 1 and 8 * ag.MIB <= result[
        "freedBytes"] < 9 * ag.MIB
    result = cleanup(agent)
    assert (place / "old").exists() and not (place / "new").exists()
    assert ("shared", None) in blockers(result)
    assert result["estimatedBytes"] == result["freedBytes"]
    # Past its retention it goes whatever that frees.
    host.put_policy(ag.policy("one", owners=["*"], allocation="100MB",
                              retention={"cache": "1h"}))
    agent.ctl("reload")
    agent.wait_trusted()
    before = free(host)
    result = cleanup(agent)
    assert not (place / "old").exists()
    assert result["freedBytes"] == 0 and result["files"] == 1
    assert abs(free(host) - before) < ag.MIB


def test_causes_are_named(hosts, receiver, root_only):
    """Held open by whom, linked elsewhere, protected by which rule."""
    host = hosts("tmpfs", SIZE)
    host.config({"alerts": host.webhook(receiver.url)},
                ag.policy("one", owners=["*"], allocation="100MB",
                          retention={}, protect=["*.lock", "keys/**"]))
    agent = host.start()
    agent.ctl("panic")  # until all is in its place
    place = host.place("cache", "one")
    make_file(place / "busy", 20 * ag.MIB, DAY)
    make_file(place / "locked", 19 * ag.MIB, DAY)
    make_file(place / "linked", 18 * ag.MIB, DAY)
    os.link(place / "linked", host.outside / "link")
    make_file(place / "a.lock", 17 * ag.MIB, DAY)
    (place / "keys").mkdir()
    make_file(place / "keys/k", 16 * ag.MIB, DAY)
    # A service's own user can be looked at, and whoever has a lock.
    holder = subprocess.Popen(
        ["sleep", "1000"], stdin=open(place / "busy", "rb"),
        user=4321, group=4321, extra_groups=[])
    try:
        with open(place / "locked", "rb") as locked:
            fcntl.flock(locked, fcntl.LOCK_SH)
            agent.ctl("panic", "--release")
            result = cleanup(agent)
            found = blockers(result)
            alert = receiver.wait(35, kind="target-missed")
    finally:
        holder.kill()
        holder.wait()
    by = {size: (cause, who) for (cause, who), (_, size) in found.items()}
    mib = ag.MIB
    assert by[17 * mib] == ("protected", "*.lock")
    assert by[16 * mib] == ("protected", "keys/**")
    assert by[18 * mib] == ("linked", None)
    assert by[20 * mib][0] == "busy"
    assert "sleep" in by[20 * mib][1] and f"pid {holder.pid})" in by[
        20 * mib][1]
    assert by[19 * mib][0] == "busy" and f"pid {os.getpid()})" in by[
        19 * mib][1]
    # The alert says it to people and to programs.
    assert "protected by *.lock: 1 file, 17 MiB" in alert["message"]
    assert {b["cause"] for b in alert["details"]["blockers"]} >= {
        "protected", "linked", "busy"}
    # And it is still known after a restart.
    agent.stop()
    agent.start()
    assert any(blockers(r) for r in agent.history())


def test_emergency_names_them(hosts, receiver, root_only):
    host = hosts("ext4", SIZE)
    host.config({"alerts": host.webhook(receiver.url)},
                *(ag.policy(name, owners=["*"], allocation="10GB",
                            retention={}, protect=["*.db"])
                  for name in ("one", "two")))
    agent = host.start()
    for name in ("one", "two"):
        make_file(host.place("data", name) / "a.db", 4 * ag.MIB, DAY)
    with open(host.outside / "other", "wb") as file:
        fs = os.statvfs(host.mnt)
        os.posix_fallocate(file.fileno(), 0, fs.f_bavail * fs.f_frsize
                           * 97 // 100)
    ag.wait_for("critical", lambda: agent.status()["filesystems"][0][
        "level"] == "critical", 35)
    alert = receiver.wait(35, kind="target-missed")
    assert alert["scope"].startswith("filesystem/")
    assert "protected by *.db: 2 files, 8 MiB" in alert["message"]
    assert alert["details"]["blockers"] == [
        {"cause": "protected", "by": "*.db", "files": 2,
         "bytes": 8 * ag.MIB}]
