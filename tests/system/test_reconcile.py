# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes without events: second looks and the reconciliation."""

import mmap
import os
import subprocess
import signal
import time

import pytest

import agent as ag
from trees import assert_equal, differences, make_file


@pytest.fixture
def watched(host):
    host.config({}, ag.policy("feeds", mode="observe", allocation="10GB"))
    return host, host.start()


def drift(agent):
    got = agent.json("reconcile")
    return got.get("drift", got)


def test_nothing_to_correct(watched):
    host, agent = watched
    make_file(host.place("data", "feeds") / "d" / "f", 30000)
    time.sleep(ag.QUIET_S)
    assert not [d for d in drift(agent) if d["differences"]]


def test_write_through_a_link_outside(watched):
    host, agent = watched
    inside = make_file(host.place("data", "feeds") / "f", 30000)
    os.link(inside, host.outside / "same")
    assert_equal(agent)
    with open(host.outside / "same", "ab") as file:
        file.write(b"x" * 500000)
    time.sleep(ag.QUIET_S)
    assert differences(agent), "the kernel told? then this test is void"
    found = [d for d in drift(agent) if d["differences"]]
    assert [d["component"] for d in found] == ["feeds"]
    assert abs(found[0]["usedBytes"]) in range(490000, 510000)
    assert not differences(agent)
    assert not [d for d in drift(agent) if d["differences"]]
    # It is said in the log as well.
    assert "feeds" in agent.log_text()


# By name: what is written through a mapping raises no event, and is found by
# the reconciliation; a timer for files open for writing is still to come.
@pytest.mark.by_name
def test_file_open_for_writing_is_looked_at_again(watched):
    """Stores through a mapping raise no event; the timer finds them."""
    host, agent = watched
    path = host.place("data", "feeds") / "mapped"
    with open(path, "w+b") as file:
        file.truncate(8 * ag.MIB)
        with mmap.mmap(file.fileno(), 8 * ag.MIB) as view:
            for at in range(0, 8 * ag.MIB, 4096):
                view[at] = 1
            ag.wait_for("the second look", lambda: not differences(agent), 35)
    assert_equal(agent)


def test_reconciliation_by_its_period(host):
    host.config({"reconcile": "2s"}, ag.policy("feeds", mode="observe"))
    agent = host.start()
    inside = make_file(host.place("data", "feeds") / "f", 30000)
    os.link(inside, host.outside / "same")
    assert_equal(agent)
    with open(host.outside / "same", "ab") as file:
        file.write(b"x" * 500000)
    ag.wait_for("the drift is corrected", lambda: not differences(agent), 10)


@pytest.mark.parametrize("watch, count", [
    ("inotify", 12000), ("fanotify", 20000)])  # it merges events of one name
def test_overflow_is_a_state(hosts, root_only, watch, count):
    """More events than the queue holds, then exact again."""
    host = hosts("tmpfs", 600 * ag.MIB)
    host.config({"watch": watch},
                ag.policy("feeds", mode="observe", allocation="10GB"),
                ag.policy("engine", mode="observe"))
    agent = host.start()
    assert agent.component("feeds")["source"] == watch
    make_file(host.place("data", "engine") / "f", 30000)
    place = host.place("data", "feeds")
    for number in range(50):
        make_file(place / f"d{number}" / "watched", 10)
    assert_equal(agent)
    # The agent is stopped, so the queue must overflow.
    pids = [p for p in agent.pids() if p != agent.process.pid]
    for pid in pids:
        agent.signal(pid, signal.SIGSTOP)
    try:
        for number in range(count):
            make_file(place / f"d{number % 50}" / f"f{number}", 100)
        for number in range(0, count, 2):
            os.unlink(place / f"d{number % 50}" / f"f{number}")
    finally:
        for pid in pids:
            agent.signal(pid, signal.SIGCONT)
    agent.wait_trusted()
    assert_equal(agent)
    assert agent.status()["agent"]["overflows"] >= 1
    assert agent.component("feeds")["files"] == count // 2 + 50


LIMIT = "/proc/sys/user/max_inotify_watches"


@pytest.mark.slow
def test_out_of_watches(hosts, root_only):
    """Polling instead, said in the status, healed without a restart. The
    limit is that of a user namespace: the rest of the machine keeps its own.
    """
    if subprocess.run(("unshare", "--user", "true"), check=False,
                      capture_output=True).returncode:
        pytest.skip("no user namespaces here (they are refused in a chroot)")
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds", mode="observe", allocation="10GB"))
    agent = host.start(wrap=("unshare", "--user", "--map-root-user", "sh",
                             "-c", f'echo 30 >{LIMIT}; exec "$@"', "sh"))
    for number in range(100):
        make_file(host.place("data", "feeds") / f"d{number}" / "f", 5000)
    ag.wait_for("alert that names the sysctl", lambda: any(
        a["kind"] == "watch-degraded" and "max_user_watches" in a["message"]
        for a in agent.status()["alerts"]))
    make_file(host.place("data", "feeds") / "d99" / "g", 5000)
    ag.wait_for("polled", lambda: not differences(agent), 70)
    ag.run("nsenter", f"--target={agent.process.pid}", "--user", "sh", "-c",
           f"echo 100000 >{LIMIT}")
    ag.wait_for("healed", lambda: not any(
        a["kind"] == "watch-degraded" for a in agent.status()["alerts"]), 70)
    make_file(host.place("data", "feeds") / "d99" / "h", 5000)
    assert_equal(agent)
