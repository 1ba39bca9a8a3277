# SPDX-License-Identifier: GPL-2.0-or-later
"""The ballast: room that is given up before any component's file."""

import os
import signal

import pytest

import agent as ag
from test_filesystem import bytes_to, filesystem, used_percent
from trees import HOUR, make_file

SIZE = 320 * ag.MIB
BALLAST = 32 * ag.MIB


def start(hosts, fs="ext4", size=SIZE, ballast="32MB", **keys):
    host = hosts(fs, size)
    host.config({"ballast": ballast, **keys},
                ag.policy("one", priority="low", owners=["*"],
                          allocation="10GB", retention={}),
                ag.policy("two", owners=["*"], allocation="10GB",
                          retention={}))
    return host, host.start()


def found(host):
    """Every ballast below the mount point, half made ones too."""
    return sorted(p for p in host.mnt.rglob("~ballast*"))


def size_of(host):
    """0: there is none, or it is being made or given up."""
    try:
        return next((p.stat().st_size for p in found(host)
                     if p.name == "~ballast"), 0)
    except FileNotFoundError:
        return 0


def files(host):
    return {p.name for p in host.place("temp", "one").glob("f*")}


def made(agent, size=BALLAST):
    ag.wait_for("ballast is made", lambda: any(
        f["ballastBytes"] == size for f in agent.status()["filesystems"]), 35)


def fill(path, size):
    with open(path, "ab") as file:
        os.posix_fallocate(file.fileno(), path.stat().st_size, size)
    # btrfs tells of it at its next commit, every 30 s.
    ag.run("sync", "-f", path)


@pytest.mark.parametrize("fs", ["tmpfs", "ext4", "xfs", "btrfs"])
def test_goes_first_and_comes_back(hosts, root_only, fs):
    host, agent = start(hosts, fs)
    made(agent)
    ballast, = found(host)
    stat = ballast.stat()
    assert (stat.st_uid, stat.st_mode & 0o7777) == (0, 0o600)
    assert stat.st_blocks * 512 >= BALLAST
    assert ballast.parent.stat().st_mode & 0o7777 == 0o700
    # Nobody's usage, and no victim.
    assert agent.component("one")["usedBytes"] < ag.MIB
    assert str(ballast) not in agent.ctl("--json", "plan", "one").stdout
    for number in range(4):
        make_file(host.place("temp", "one") / f"f{number}", 2 * ag.MIB, HOUR)
    kept = files(host)
    other = host.outside / "other"
    # Past the emergency level, and without the ballast below it again.
    fill(other, bytes_to(host.mnt, 91))
    ag.wait_for("ballast goes",
                lambda: filesystem(agent)["ballastReleases"] == 1, 35)
    assert not found(host)
    assert filesystem(agent)["ballastBytes"] == 0
    ag.wait_for("emergency is over",
                lambda: filesystem(agent)["level"] != "emergency", 35)
    assert files(host) == kept
    assert "given up" in agent.log_text()
    os.unlink(other)
    ag.run("sync", "-f", host.mnt)
    made(agent)
    assert len(found(host)) == 1
    assert filesystem(agent)["ballastReleases"] == 1


def test_before_any_file(hosts, root_only):
    """Where it is not enough, files go after it."""
    host, agent = start(hosts, "ext4", ballast="4MB")
    made(agent, 4 * ag.MIB)
    for number in range(40):
        make_file(host.place("temp", "one") / f"f{number}", 2 * ag.MIB, HOUR)
    fill(host.outside / "other", bytes_to(host.mnt, 96))
    ag.wait_for("files go", lambda: len(files(host)) < 40, 35)
    text = agent.log_text()
    assert 0 < text.index("given up") < text.index("cleanup of one")
    ag.wait_for("room again", lambda: used_percent(host.mnt) < 86, 35)
    assert not found(host)


def test_restarts_and_kills(hosts, root_only):
    """One, whatever is killed when; and none when the key is gone."""
    host, agent = start(hosts)
    made(agent)
    inode = found(host)[0].stat().st_ino
    agent.stop()
    agent.start()
    made(agent)
    assert [p.stat().st_ino for p in found(host)] == [inode]
    for _ in range(3):
        agent.kill()
        agent.start()
        made(agent)
        assert [p.stat().st_ino for p in found(host)] == [inode]
    # A half made one, as a kill leaves it.
    agent.kill()
    whole, = found(host)
    whole.rename(whole.with_name("~ballast.new"))
    agent.start()
    made(agent)
    assert [p.name for p in found(host)] == ["~ballast"]
    # Only the agent dies.
    pid = agent.status()["agent"]["pid"]
    agent.signal(pid, signal.SIGKILL)
    ag.wait_for("another agent", lambda: (
        agent.status(check=False) or {"agent": {"pid": pid}}
    )["agent"]["pid"] != pid, 20)
    made(agent)
    assert len(found(host)) == 1


def test_configuration(hosts, root_only):
    host, agent = start(hosts)
    made(agent)
    policies = [ag.policy(name, owners=["*"], allocation="10GB", retention={})
                for name in ("one", "two")]
    host.config({"ballast": "5%"}, *policies)
    agent.ctl("reload")
    size = ag.wait_for("ballast of another size",
                       lambda: size_of(host) not in (0, BALLAST)
                       and size_of(host), 35)
    assert 0.04 < size / SIZE <= 0.05
    made(agent, size)
    # Its home leaves the configuration: it is made in another root.
    home = found(host)[0].parent.parent
    gone = "one" if home.name == "one" else "two"
    host.config({"ballast": "5%"},
                *(p for p in policies if p["component"] != gone))
    agent.ctl("reload")
    ag.wait_for("ballast moved", lambda: [
        p.parent.parent.name != gone for p in found(host)] == [True], 35)
    made(agent, size)
    host.config({}, *policies)
    agent.ctl("reload")
    ag.wait_for("ballast is removed", lambda: not found(host), 35)
    ag.wait_for("status says so",
                lambda: filesystem(agent)["ballastBytes"] == 0)


def test_never_without_room(hosts, root_only):
    host = hosts("ext4", SIZE)
    fill(host.outside / "other", bytes_to(host.mnt, 75))
    host.config({"ballast": "32MB"}, ag.policy("one", owners=["*"]))
    agent = host.start()
    ag.wait_for("looked at", lambda: filesystem(agent)["level"] == "ok")
    # Long enough for every look: it would be made within a second.
    ag.wait_for("somebody has looked", lambda: agent.component("one"))
    assert filesystem(agent)["ballastBytes"] == 0
    os.unlink(host.outside / "other")
    made(agent)


def test_observers_have_none(hosts, root_only):
    host = hosts("ext4", SIZE)
    host.config({"ballast": "32MB"},
                ag.policy("one", owners=["*"], mode="observe"),
                ag.policy("two", owners=["*"]))
    agent = host.start()
    made(agent)
    assert found(host)[0].parent.parent.name == "two"
    host.config({"ballast": "90%"}, ag.policy("one"))
    done = agent.ctl("config", "check", check=False)
    assert done.returncode and "ballast" in done.stdout + done.stderr
