# SPDX-License-Identifier: GPL-2.0-or-later
"""What survives: history, a damaged state, kill -9, an end in mid-run."""

import json
import os
import signal
import time

import pytest

import agent as ag
from conftest import need
from trees import DAY, assert_equal, make_file, names

KEYS = dict(owners=["*"], strategy="time")


def state_file(host):
    return host.dir / "state/state.json"


def test_history_after_a_restart(host):
    host.config({}, ag.policy("feeds", **KEYS))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    agent = host.start()
    assert agent.json("cleanup", "feeds")["files"] == 1
    before = agent.history()
    assert agent.stop() == 0
    json.loads(state_file(host).read_text())
    again = host.start()
    assert again.history() == before


def test_figures_of_before(host):
    """Until it is counted anew, what there was is told as that; no level and
    no deletion comes of it."""
    host.config({}, ag.policy("feeds", allocation="500MB", **KEYS))
    place = host.place("temp", "feeds")
    for number in range(30000):
        (place / f"{number // 300}/{number}").mkdir(parents=True)
    make_file(place / "large", 200 * ag.MIB)
    agent = host.start()
    before = agent.component("feeds")
    directories = agent.status()["agent"]["directories"]
    assert "saved" not in before and "scan" not in before
    assert agent.stop() == 0
    # Most of it goes while nobody looks; by what there was, it would be
    # critical now.
    host.config({}, ag.policy("feeds", allocation="220MB", **KEYS))
    os.unlink(place / "large")
    again = host.start(trusted=False)
    seen, texts = [], []
    while not (seen and seen[-1]["trusted"]):
        status = again.status(check=False)
        seen += status["components"] if status else []
        texts.append(again.ctl("status", check=False).stdout)
    early = [c for c in seen if "saved" in c]
    assert early, "the scan was too quick"
    for one in early:
        assert not one["trusted"] and one["level"] == "ok"
        assert one["usedBytes"] < one["saved"]["usedBytes"]
        assert {k: one["saved"][k] for k in ("usedBytes", "sizeBytes",
                                             "files")} == {
            k: before[k] for k in ("usedBytes", "sizeBytes", "files")}
        assert one["saved"]["at"].startswith("20")
        temp = next(t for t in one["types"] if t["type"] == "temp")
        assert temp["saved"]["files"] == before["files"]
    scans = [c["scan"] for c in early if "scan" in c]
    assert scans and all(s["expected"] == directories for s in scans)
    ways = [s["directories"] for s in scans]
    assert ways == sorted(ways) and ways[-1] > ways[0] >= 0
    told = [t for t in texts if "as of 20" in t]
    assert told and "being counted" in told[0] and "%" in told[0], texts
    assert not any("saved" in c or "scan" in c for c in seen if c["trusted"])
    assert not [c for c in again.history() if c["files"]]
    assert again.json("metrics")["components"][0]["usedBytes"] < 200 * ag.MIB


def test_figures_after_a_kill(host):
    """What was exact once is kept, also by one that was killed before it was
    through."""
    host.config({}, ag.policy("feeds", **KEYS))
    make_file(host.place("temp", "feeds") / "f", 5000)
    agent = host.start()
    ag.wait_for("figures on disk", lambda: state_file(host).exists() and
                '"figures":[{' in state_file(host).read_text(), 15)
    agent.kill()
    kept = json.loads(state_file(host).read_text())["figures"]
    assert [(f["component"], f["files"]) for f in kept] == [("feeds", 1)]
    assert kept[0]["temp"]["files"] == 1 and kept[0]["data"]["files"] == 0


def test_state_is_written_without_a_stop(host):
    host.config({}, ag.policy("feeds", **KEYS))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    agent = host.start()
    agent.json("cleanup", "feeds")
    before = agent.history()
    ag.wait_for("state on disk", lambda: state_file(host).exists() and
                json.loads(state_file(host).read_text()).get("cleanups"), 65)
    agent.kill()
    assert host.start().history() == before


@pytest.mark.parametrize("content", [
    b"", b"{", b"\0" * 4096, b"[1,2]", b"null", b'{"cleanups": 7}',
    b'{"history": [{"files": -1}], "cleanups": [{"files": -1}]}',
    b"[" * 100000, os.urandom(5000)],
    ids=["empty", "cut", "zeros", "list", "null", "type", "negative", "deep",
         "random"])
def test_damaged_state_is_set_aside(host, content):
    host.config({}, ag.policy("feeds", **KEYS))
    state_file(host).write_bytes(content)
    agent = host.start()
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    assert_equal(agent)
    aside = [p for p in state_file(host).parent.iterdir()
             if p != state_file(host) and p.read_bytes() == content]
    assert aside, list(state_file(host).parent.iterdir())
    assert agent.json("cleanup", "feeds")["files"] == 1
    assert agent.stop() == 0
    assert json.loads(state_file(host).read_text())
    assert host.start().history()


def test_sigterm_ends_it_quickly(host):
    host.config({}, ag.policy("feeds", **KEYS))
    agent = host.start()
    pids = agent.pids()
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < 2 * ag.SLOW
    assert not any(map(ag.is_alive, pids))
    assert not host.socket.exists() or agent.ctl(
        "status", check=False).returncode == 1


def children(agent):
    return [p for p in agent.pids() if p != agent.process.pid]


def test_killed_agent_is_started_again(host):
    host.config({}, ag.policy("feeds", **KEYS))
    make_file(host.place("temp", "feeds") / "a", 5000)
    agent = host.start()
    for allowed_s in (2, 6, 6):  # a pause if it happens again
        old = children(agent)
        assert old, "the warden has no children"
        began = time.monotonic()
        os.kill(old[0], signal.SIGKILL)
        ag.wait_for("another agent", lambda: agent.process.poll() is None
                    and set(children(agent)) - set(old))
        agent.wait_trusted()
        assert time.monotonic() - began < allowed_s * ag.SLOW
        make_file(host.place("temp", "feeds") / f"b{old[0]}", 5000)
        assert_equal(agent)
    assert agent.json("cleanup", "feeds")["files"] == 0


def test_killed_warden_takes_all_with_it(host):
    host.config({}, ag.policy("feeds", **KEYS))
    agent = host.start()
    pids = agent.pids()
    assert len(pids) > 1
    agent.process.kill()
    agent.process.wait()
    ag.wait_for("every process is gone", lambda: not any(map(ag.is_alive, pids)))
    host.start()


def test_two_of_them_on_one_socket(host):
    host.config({}, ag.policy("feeds", **KEYS))
    agent = host.start()
    other = ag.run(ag.ULLAGED, *host.arguments(), check=False,
                   timeout=10 * ag.SLOW)
    assert other.returncode == 1 and other.stderr
    assert agent.status()["components"]


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
def test_killed_in_mid_cleanup_loses_nothing(hosts, root_only, after):
    """kill -9 of everything while it deletes: what is not deleted is where
    it was, and the quarantine is empty after the next run."""
    host = hosts("ext4", 300 * ag.MIB)
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    for number in range(3000):
        make_file(place / f"d{number % 10}" / f"old{number}", 100, 2 * DAY)
    keep = {f"d{n % 10}/keep{n}" for n in range(200)}
    for name in keep:
        make_file(place / name, 100)
    agent = host.start()
    import subprocess
    run = subprocess.Popen([str(ag.ULLAGECTL), "--socket", str(host.socket),
                            "cleanup", "feeds"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    ag.wait_for("a first deletion", lambda: not (
        place / "d0/old0").exists() or len(os.listdir(place / "d0")) < 320
        or run.poll() is not None)
    time.sleep(after)
    agent.kill()
    run.wait()
    again = host.start()
    again.json("cleanup", "feeds")  # puts back what it finds in quarantine
    again.json("cleanup", "feeds")
    left = names(place)
    assert left == keep, (sorted(keep - left)[:5], sorted(left - keep)[:5])
    assert_equal(again)


def test_panic_stops_every_deletion(host):
    host.config({}, ag.policy("feeds", **KEYS))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    agent = host.start()
    agent.ctl("panic")
    done = agent.ctl("--json", "cleanup", "feeds", "--force", check=False)
    assert done.returncode == 1 or json.loads(done.stdout)["files"] == 0
    for number in range(97):
        make_file(host.place("temp", "feeds") / f"f{number}", ag.MIB, 2 * DAY)
    agent.wait_level("feeds", "critical")
    time.sleep(1)
    assert len(names(host.place("temp", "feeds"))) == 98
    # It outlives a restart.
    assert agent.stop() == 0
    again = host.start()
    time.sleep(0.5)
    assert len(names(host.place("temp", "feeds"))) == 98
    again.ctl("panic", "--release")
    ag.wait_for("deletions again", lambda: not names(
        host.place("temp", "feeds")) or not again.ctl(
            "cleanup", "feeds", "--force", check=False))


def test_replaced_root_stops_deletion(host, receiver):
    host.config({"alerts": host.webhook(receiver.url)},
                ag.policy("feeds", **KEYS))
    agent = host.start()
    place = host.place("temp", "feeds")
    os.rename(place, host.outside / "was")
    make_file(host.outside / "new" / "old", 5000, 2 * DAY)
    os.rename(host.outside / "new", place)
    agent.ctl("cleanup", "feeds", "--force", check=False)
    assert names(place) == {"old"}
    receiver.wait(kind="root-changed")
    agent.ctl("reload")
    agent.wait_trusted()
    agent.json("cleanup", "feeds", "--force")
    assert not names(place)


def test_umount_is_never_busy_because_of_us(hosts, root_only):
    host, other = hosts("tmpfs"), hosts("ext4", 64 * ag.MIB)
    there = other.mnt / "feeds"
    there.mkdir()
    host.config({}, ag.policy("feeds", paths={"data": [str(there)]}, **KEYS))
    agent = host.start()
    make_file(there / "f", 5000)
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    agent.json("cleanup", "feeds", "--force")
    time.sleep(0.5)
    ag.run("umount", other.mnt)
    other.mounted = False
    time.sleep(1)
    # The empty mount point is no cleanup of a thousand files.
    assert agent.process.poll() is None
    assert agent.ctl("status", check=False).returncode == 0


@pytest.fixture
def frozen_state(host, root_only):
    """host, and its state on a disk of its own, which can be frozen."""
    need("mkfs.ext4", "fsfreeze")
    image, place = host.dir / "state.img", host.dir / "state"
    with open(image, "wb") as file:
        file.truncate(64 * ag.MIB)
    ag.run("mkfs.ext4", "-q", "-F", image)
    ag.run("mount", "-o", "loop", image, place)
    yield host, place
    ag.run("fsfreeze", "-u", place, check=False)
    for agent in host.agents:
        agent.stop()
    ag.run("umount", place)


def test_a_disk_that_does_not_write_holds_nothing_up(frozen_state):
    """The save waits for the frozen disk; events, alerts, answers do not."""
    host, place = frozen_state
    host.config({}, ag.policy("feeds", mode="observe", allocation="100MB",
                              owners=["*"]))
    agent = host.start()
    ag.wait_for("the save after the scan", state_file(host).exists)
    before = state_file(host).stat().st_ino
    ag.run("fsfreeze", "-f", place)
    time.sleep(10)  # the next one is due
    for number in range(3):
        home = host.place("temp", "feeds") / f"f{number}"
        make_file(home, 81 * ag.MIB, 60 * DAY)
        agent.wait_level("feeds", "warning", 2)
        os.unlink(home)
        agent.wait_level("feeds", "ok", 2)
    assert state_file(host).stat().st_ino == before
    ag.run("fsfreeze", "-u", place)
    ag.wait_for("state on disk",
                lambda: state_file(host).stat().st_ino != before, 15)
