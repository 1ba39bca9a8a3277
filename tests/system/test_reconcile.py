# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes without events: second looks and the reconciliation."""

import mmap
import os
import subprocess
import threading
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


def test_nor_in_what_is_mounted(host, root_only):
    """What changes in there changes the directory that it is mounted on."""
    host.config({}, ag.policy("feeds", mode="observe", allocation="10GB"))
    inner = host.place("data", "feeds") / "inner"
    inner.mkdir(parents=True)
    ag.run("mount", "-t", "tmpfs", "none", inner)
    try:
        os.utime(inner, (1, 1))
        agent = host.start()
        (inner / "f").write_bytes(b"x" * 5000)
        assert not [d for d in drift(agent) if d["differences"]]
        assert agent.stop() == 0
    finally:
        ag.run("umount", inner)


def test_write_through_a_link_outside(watched):
    host, agent = watched
    inside = make_file(host.place("data", "feeds") / "f", 30000)
    os.link(inside, host.outside / "same")
    assert_equal(agent)
    time.sleep(ag.QUIET_S)  # the other name was sought once more
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


def test_directory_that_never_rests(watched):
    """A directory that is being looked at when its turn comes."""
    host, agent = watched
    place = host.place("data", "feeds")
    links = []
    for number in range(100):
        inside = make_file(place / f"d{number % 10}" / f"f{number}", 3000)
        links.append(host.outside / f"f{number}")
        os.link(inside, links[-1])
    assert_equal(agent)
    for number, link in enumerate(links):
        os.truncate(link, 5000 + number)
    is_over = threading.Event()

    def write():
        number = 0
        while not is_over.is_set():
            number += 1
            (place / f"d{number % 10}" / f"busy{number % 500}").write_bytes(
                b"b" * 100)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        agent.json("reconcile")
    finally:
        is_over.set()
        writer.join()
    assert_equal(agent)


def test_file_open_for_writing_is_looked_at_again(watched):
    """Stores through a mapping raise no event; the timer finds them."""
    host, agent = watched
    path = host.place("data", "feeds") / "mapped"
    with open(path, "w+b") as file:
        file.truncate(64 * ag.MIB)
        assert_equal(agent)
        with mmap.mmap(file.fileno(), 64 * ag.MIB) as view:
            for part in range(8):  # the look may come just now
                for at in range(0, 8 * ag.MIB, 4096):
                    view[8 * part * ag.MIB + at] = 1
                if differences(agent):
                    break
            else:
                pytest.fail("the kernel told? then this test is void")
            ag.wait_for("the second look", lambda: not differences(agent), 10)
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
