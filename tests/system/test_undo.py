# SPDX-License-Identifier: GPL-2.0-or-later
"""The trash: what ordinary cleanups move there can be had back, and it never
costs room when room is needed."""

import fcntl
import json
import os
import shutil
import struct
import time

import pytest

import agent as ag
from conftest import FILESYSTEMS
from trees import DAY, assert_equal, make_file, names

KEYS = dict(owners=["*"], strategy="time", trash="2d")
TRASH = ".ullage-trash"


def in_trash(place):
    """The files in the trash of a root; links that keep long paths, or room,
    are none."""
    try:
        return [n for n in os.listdir(place / TRASH) if
                not (place / TRASH / n).is_symlink()]
    except FileNotFoundError:
        return []


def make_old(place, count, size=5000):
    for number in range(count):
        make_file(place / f"d{number % 3}" / f"old{number}", size, 2 * DAY)


def seen(agent, *places):
    """Waits until the agent knows every file that is there."""
    def files(place):
        return len(names(place)) + len(in_trash(place))
    ag.wait_for("the agent has seen it", lambda: agent.component("feeds")[
        "files"] == sum(map(files, places)))


def cleaned(agent, place, *options):
    seen(agent, place)
    agent.json("reconcile")  # and how old each is
    return agent.json("cleanup", "feeds", *options)


def put_older(place, seconds):
    """As if all that lies in the trash had been put there earlier."""
    for name in os.listdir(place / TRASH):
        if name.startswith("~"):
            continue
        digits = len(name) - len(name.lstrip("0123456789abcdef"))
        number = int(name[:digits], 16) - (int(seconds) << 30)
        os.rename(place / TRASH / name,
                  place / TRASH / f"{number:x}{name[digits:]}")


def listed(agent, *arguments):
    return agent.json("trash", "list", *arguments)


@pytest.mark.parametrize("fs", FILESYSTEMS)
def test_there_and_back(hosts, fs):
    host = hosts(fs)
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 30)
    make_file(place / "new", 5000)
    before = {n: os.stat(place / n) for n in names(place)}
    done = cleaned(agent, place)
    assert done["files"] == done["trashedFiles"] == 30
    assert done["freedBytes"] == 0 and done["trashedBytes"] > 0
    assert names(place) == {"new"} and (place / "new").exists()
    assert len(in_trash(place)) == 30
    assert_equal(agent)
    status = agent.component("feeds")
    assert status["trashFiles"] == 30
    assert status["trashBytes"] == done["trashedBytes"]
    all_of_it = listed(agent)
    assert all_of_it["files"] == 30 and all_of_it["omitted"] == 0
    assert {e["path"] for e in all_of_it["entries"]} == {
        str(place / n) for n in before if n != "new"}
    assert len(listed(agent, "feeds", "--limit", "7")["entries"]) == 7
    # The same inode is back, and it is the same in all that is its own.
    back = agent.json("trash", "restore", place / "d1/old1")
    assert back["files"] == 1
    now = os.stat(place / "d1/old1")
    was = before["d1/old1"]
    for key in ("st_ino", "st_uid", "st_gid", "st_mode", "st_mtime_ns",
                "st_size"):
        assert getattr(now, key) == getattr(was, key)
    assert agent.json("trash", "restore", place)["files"] == 29
    assert names(place) == set(before) and not in_trash(place)
    assert_equal(agent)
    assert agent.component("feeds")["trashFiles"] == 0


def test_why_and_history_tell(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 3)
    cleaned(agent, place)
    why = agent.json("why", place / "d1/old1")
    assert any("moved to the trash" in r for r in why["reasons"]), why
    assert agent.history()[0]["trashedFiles"] == 3
    log = (host.dir / "state/audit.log").read_text().splitlines()
    results = [r for r in map(json.loads, log) if r["event"] == "result"]
    assert [r["reason"] for r in results] == ["trashed"] * 3
    assert agent.json("trash", "empty")["files"] == 3
    results = [json.loads(r) for r in (
        host.dir / "state/audit.log").read_text().splitlines()][-1:]
    assert results[0]["reason"] == "deleted" and results[0]["trash"]
    assert results[0]["path"].startswith("d")
    assert agent.history()[0]["strategy"] == "trash"
    assert agent.history()[0]["freedBytes"] > 0
    reasons = agent.json("why", place / "d1/old1")["reasons"]
    assert any(r.startswith("deleted at") for r in reasons), reasons
    before = agent.history()
    assert agent.stop() == 0
    assert host.start().history() == before


def test_restore_never_replaces_and_makes_nothing(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 3)
    cleaned(agent, place)
    make_file(place / "d1/old1", 7)
    shutil.rmtree(place / "d2")
    done = agent.ctl("--json", "trash", "restore", place, check=False)
    assert done.returncode == 1
    got = {os.path.basename(o["path"]): o
           for o in json.loads(done.stdout)["outcomes"]}
    assert got["old0"]["reason"] == "restored"
    assert "is there" in got["old1"]["error"]
    assert "not there" in got["old2"]["error"]
    assert os.stat(place / "d1/old1").st_size == 7
    assert not (place / "d2").exists() and len(in_trash(place)) == 2
    # A link in the place of the directory leads nowhere.
    (host.outside / "trap").mkdir()
    (place / "d2").symlink_to(host.outside / "trap")
    assert agent.ctl("trash", "restore", place / "d2",
                     check=False).returncode == 1
    assert not os.listdir(host.outside / "trap")
    assert len(in_trash(place)) == 2


def test_the_one_trashed_last_or_the_one_meant(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    for size in (1000, 2000, 3000):
        make_file(place / "old", size, 2 * DAY)
        cleaned(agent, place)
    sizes = {e["sizeBytes"]: e["id"] for e in listed(agent)["entries"]}
    assert sorted(sizes) == [1000, 2000, 3000]
    agent.json("trash", "restore", place / "old")
    assert os.stat(place / "old").st_size == 3000
    os.unlink(place / "old")
    agent.json("trash", "restore", sizes[1000])
    assert os.stat(place / "old").st_size == 1000
    gone = agent.ctl("trash", "restore", sizes[1000], check=False)
    assert gone.returncode == 1 and "trash" in gone.stderr


def test_expires_by_age(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 6)
    cleaned(agent, place)
    agent.stop()
    put_older(place, 1.9 * DAY)
    agent = host.start()
    time.sleep(1)
    assert len(in_trash(place)) == 6
    agent.stop()
    put_older(place, 0.2 * DAY)
    agent = host.start()
    ag.wait_for("emptied by age", lambda: not in_trash(place))
    assert_equal(agent)
    assert agent.history()[0]["reason"] == "scheduled"


def test_expires_on_its_own_time(host):
    host.config({}, ag.policy("feeds", **{**KEYS, "trash": "3s"}))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 6)
    cleaned(agent, place)
    assert len(in_trash(place)) == 6
    ag.wait_for("emptied by age", lambda: not in_trash(place), 6)


def test_what_is_left_of_a_trash_that_is_off(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 6)
    cleaned(agent, place)
    host.config({}, ag.policy("feeds", **{**KEYS, "trash": None}))
    agent.ctl("reload")
    agent.wait_trusted()
    make_file(place / "old", 5000, 2 * DAY)
    assert cleaned(agent, place)["trashedFiles"] == 0
    assert len(in_trash(place)) == 6  # it can be had back for a day
    agent.json("trash", "restore", place / "d1/old1")
    assert (place / "d1/old1").exists()
    put_older(place, 1.1 * DAY)
    agent.ctl("reload")
    ag.wait_for("emptied by age", lambda: not in_trash(place))


def test_never_over_the_allocation(host):
    """Usage with the trash reaches the critical level: the oldest goes."""
    host.config({}, ag.policy("feeds", allocation="100MB", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    for number in range(30):
        make_file(place / f"a{number}", ag.MIB, 2 * DAY)
    assert cleaned(agent, place)["trashedFiles"] == 30
    oldest = set(in_trash(place))
    time.sleep(1.1)
    for number in range(30):
        make_file(place / f"b{number}", ag.MIB, 2 * DAY)
    cleaned(agent, place)
    assert len(in_trash(place)) == 60
    for number in range(40):
        make_file(place / f"new{number}", ag.MIB)
    ag.wait_for("the oldest went", lambda: len(in_trash(place)) < 60)
    seen(agent, place)
    status = agent.component("feeds")
    assert status["level"] == "ok"
    assert status["usedBytes"] < status["criticalBytes"]
    # No more than that: from where it became critical to the warning level.
    left = set(in_trash(place))
    assert 40 <= len(left) <= 46 and len(left - oldest) == 30
    assert len(names(place)) == 40
    assert_equal(agent)


def test_critical_deletes_and_the_trash_goes_first(host):
    host.config({}, ag.policy("feeds", allocation="100MB", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    for number in range(10):
        make_file(place / f"a{number}", ag.MIB, 2 * DAY)
    cleaned(agent, place)
    assert len(in_trash(place)) == 10
    agent.ctl("panic")
    for number in range(97):
        make_file(place / f"b{number}", ag.MIB, 2 * DAY)
    agent.wait_level("feeds", "critical")
    assert len(in_trash(place)) == 10 and len(names(place)) == 97
    agent.ctl("panic", "--release")
    agent.wait_level("feeds", "ok")
    assert not in_trash(place)
    ag.wait_for("the cleanup is told", lambda: "time" in [
        h["strategy"] for h in agent.history() if h["reason"] == "critical"])
    told = sorted((h["startedAt"], h["strategy"] == "time")
                  for h in agent.history() if h["reason"] == "critical")
    assert [is_cleanup for _, is_cleanup in told] == [False, True]


def test_an_emergency_takes_it_first(hosts, root_only):
    host = hosts("ext4", 200 * ag.MIB)
    host.config({}, ag.policy("feeds", allocation="1GB", **KEYS),
                ag.policy("other", allocation="1GB", priority="low", **KEYS))
    place = host.place("temp", "feeds")
    other = host.place("temp", "other")
    agent = host.start()
    for number in range(60):
        make_file(place / f"a{number}", ag.MIB, 2 * DAY)
    for number in range(20):
        make_file(other / f"keep{number}", ag.MIB)
    assert cleaned(agent, place)["trashedFiles"] == 60
    fs = os.statvfs(host.mnt)
    room = fs.f_bavail * fs.f_frsize
    whole = (fs.f_blocks - fs.f_bfree + fs.f_bavail) * fs.f_frsize
    make_file(host.outside / "filler", room - whole // 14)
    ag.wait_for("the trash went", lambda: len(in_trash(place)) < 60)
    ag.wait_for("the emergency is over", lambda: agent.status()[
        "filesystems"][0]["level"] in ("ok", "warning"))
    # What was enough was enough: nobody's files were needed, nor all of it.
    assert len(names(other)) == 20 and in_trash(place)
    assert all(h["strategy"] == "trash" for h in agent.history()
               if h["reason"] == "emergency" and h["files"])


def test_force_deletes(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 6)
    done = cleaned(agent, place, "--force")
    assert done["trashedFiles"] == 0 and done["freedBytes"] > 0
    assert not in_trash(place)


def test_modes_and_latch_hold_for_emptying(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 15)
    cleaned(agent, place)
    agent.ctl("panic")
    assert agent.ctl("trash", "empty", check=False).returncode == 1
    # An undo is no deletion.
    agent.json("trash", "restore", place / "d0/old0")
    agent.ctl("panic", "--release")
    assert agent.json("trash", "empty", "--dry-run")["files"] == 14
    assert len(in_trash(place)) == 14
    for mode, left in (("observe", 14), ("canary", 4)):
        host.config({}, ag.policy("feeds", **{**KEYS, "mode": mode,
                                              "trash": "2d"}))
        agent.ctl("reload")
        agent.wait_trusted()
        agent.json("trash", "empty", "feeds")
        assert len(in_trash(place)) == left
    make_old(place / "more", 3)
    host.config({}, ag.policy("feeds", **{**KEYS, "mode": "enforce",
                                          "protect": ["d1"]}))
    agent.ctl("reload")
    agent.wait_trusted()
    stays = agent.json("trash", "empty", "feeds")
    assert {o["reason"] for o in stays["outcomes"]} <= {"protected"}


def test_in_use_stays(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 2)
    cleaned(agent, place)
    name = in_trash(place)[0]
    with open(place / TRASH / name, "rb"):
        done = agent.json("trash", "empty")
        assert done["files"] == 1
        assert done["outcomes"][0]["reason"] == "busy"
    assert agent.json("trash", "empty")["files"] == 1


def test_it_is_nobodys_candidate(host):
    host.config({}, ag.policy("feeds", keepNewest={"temp": 2}, **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    for number in range(4):
        make_file(place / f"f{number}", 5000, (2 + number) * DAY)
    assert cleaned(agent, place)["files"] == 2
    again = cleaned(agent, place)
    assert again["files"] == 0
    # Those in the trash are not among the newest that stay either.
    os.unlink(place / "f0")
    assert cleaned(agent, place)["files"] == 0
    assert names(place) == {"f1"}
    assert len(agent.json("largest")["files"]) == 1


HOSTILE = [b"-rf", b"\n{\"event\":\"x\"}", b"\xff\xfe", b"%s%n%%", b"=",
           b"0=old", b"~path.0", b"\x1b[2J", b"'`$(id)`'", b"x" * 255,
           b"%" * 255]


def test_hostile_names(host):
    host.config({}, ag.policy("feeds", **KEYS))
    where = host.place("temp", "feeds")
    place = os.fsencode(where)
    agent = host.start()
    os.makedirs(place + b"/a%/b=\n")
    paths = [place + b"/" + n for n in HOSTILE] + [
        place + b"/a%/b=\n/" + n for n in HOSTILE]
    for path in paths:
        make_file(os.fsdecode(path), 100, 2 * DAY)
    inodes = {p: os.stat(p).st_ino for p in paths}
    assert cleaned(agent, where)["trashedFiles"] == len(paths)
    assert not any(map(os.path.exists, paths))
    assert listed(agent)["files"] == len(paths)
    for line in (host.dir / "state/audit.log").read_text().splitlines():
        json.loads(line)
    assert agent.json("trash", "restore",
                      os.fsdecode(place))["files"] == len(paths)
    assert {p: os.stat(p).st_ino for p in paths} == inodes
    assert_equal(agent)


def test_beyond_path_max(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    here = os.open(place, os.O_RDONLY)
    for _ in range(40):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    fd = os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(fd, b"x" * 5000)
    os.close(fd)
    os.utime("deep", (1, 1), dir_fd=here)
    # no walk of ours comes as deep as that
    ag.wait_for("it is seen", lambda: agent.component("feeds")["files"] == 1)
    assert agent.json("cleanup", "feeds")["trashedFiles"] == 1
    assert not os.path.exists(f"/proc/self/fd/{here}/deep")
    entry, = listed(agent)["entries"]
    assert entry["path"].endswith("/deep") and len(entry["path"]) > 8000
    assert agent.json("trash", "restore", entry["id"])["files"] == 1
    assert os.path.exists(f"/proc/self/fd/{here}/deep")
    os.close(here)
    assert not [n for n in os.listdir(place / TRASH) if n[0] != "~"]


def test_a_trash_that_is_not_ours(host):
    """Made by somebody else: nothing goes there, and nothing is deleted in
    its stead."""
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    place.mkdir(parents=True, exist_ok=True)
    (place / TRASH).symlink_to(host.outside)
    agent = host.start()
    make_old(place, 3)
    done = cleaned(agent, place)
    assert done["files"] == 0
    assert len(names(place)) == 3 and not os.listdir(host.outside)


def test_killed_in_the_middle_loses_nothing(hosts, root_only):
    """kill -9 of everything while it trashes and restores: every file is at
    its place or in the trash after the next run."""
    host = hosts("ext4", 300 * ag.MIB)
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    make_old(place, 800, 100)
    everything = names(place)
    for number in range(4):
        agent = host.start()
        verb = ("cleanup", "feeds") if number % 2 == 0 else (
            "trash", "restore", str(place))
        run = ag.subprocess.Popen(
            [str(ag.ULLAGECTL), "--socket", str(host.socket), *verb],
            stdout=ag.subprocess.DEVNULL, stderr=ag.subprocess.DEVNULL)
        time.sleep(0.02 + 0.02 * number)
        agent.kill()
        run.wait()
        agent = host.start()
        agent.ctl("cleanup", "feeds", "--target", "100%")
        paths = {os.path.relpath(e["path"], place) for e in listed(
            agent, "--limit", "5000")["entries"]}
        assert names(place) | paths == everything
        assert not names(place) & paths
        agent.stop()


def test_only_who_may(host, root_only):
    host.config({"admins": []}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 2)
    cleaned(agent, place)
    # Where it was built others may not enter.
    ullagectl = shutil.copy(ag.ULLAGECTL, host.dir / "ullagectl")
    for verb in (("trash", "restore", str(place)), ("trash", "empty"),
                 ("trash", "list")):
        done = ag.run(ullagectl, "--socket", host.socket, *verb, check=False,
                      user=65534, group=65534, extra_groups=[])
        assert done.returncode == 1, (verb, done)
    assert len(in_trash(place)) == 2


SHUTDOWN = 0x8004587D  # of a mounted filesystem, as if the power went
LOGFLUSH, NOLOGFLUSH = 1, 2


@pytest.mark.parametrize("how", [LOGFLUSH, NOLOGFLUSH],
                         ids=["logflush", "nologflush"])
@pytest.mark.parametrize("fs", ["ext4", "xfs"])
def test_power_cut_loses_nothing(hosts, root_only, fs, how):
    host = hosts(fs)
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    make_old(place, 300, 100)
    make_file(place / ("x" * 250), 100, 2 * DAY)
    everything = names(place)
    os.sync()
    for verb in ("cleanup", "feeds"), ("trash", "restore", str(place)):
        agent = host.start()
        seen(agent, place)
        run = ag.subprocess.Popen(
            [str(ag.ULLAGECTL), "--socket", str(host.socket), *verb],
            stdout=ag.subprocess.DEVNULL, stderr=ag.subprocess.DEVNULL)
        time.sleep(0.05)
        fd = os.open(host.mnt, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", how))
        os.close(fd)
        agent.kill()
        run.wait()
        host.umount()
        # or the filesystem that was shut down is mounted once more
        ag.wait_for("the loop device is free", lambda: not ag.run(
            "losetup", "-j", host.image).stdout)
        host.mount()
        agent = host.start()
        # puts back what lies in the quarantine
        agent.ctl("trash", "restore", place / "nothing", check=False)
        paths = {os.path.relpath(e["path"], place) for e in listed(
            agent, "--limit", "5000")["entries"]}
        assert names(place) | paths == everything
        assert not names(place) & paths
        agent.stop()


def test_why_after_a_restart(host):
    """The agent has forgotten; the trash has not."""
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 3)
    cleaned(agent, place)
    agent.stop()
    agent = host.start()
    why = agent.json("why", place / "d1/old1")
    assert any("trash" in r for r in why["reasons"]), why
    assert not any("trash" in r for r in agent.json(
        "why", place / "d1/never")["reasons"])


def test_a_missed_target_takes_it(host):
    host.config({}, ag.policy("feeds", allocation="100MB",
                              protect=["keep*"], **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    for number in range(8):
        make_file(place / f"a{number}", ag.MIB, 2 * DAY)
    cleaned(agent, place)
    assert len(in_trash(place)) == 8
    for number in range(82):
        make_file(place / f"keep{number}", ag.MIB, 2 * DAY)
    agent.wait_level("feeds", "warning")
    ag.wait_for("the trash went", lambda: not in_trash(place))
    assert len(names(place)) == 82
    ag.wait_for("it is told", lambda: ("trash", "warning") in [
        (h["strategy"], h["reason"]) for h in agent.history()])


def test_an_unknown_root_is_not_emptied(host):
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_old(place, 3)
    cleaned(agent, place)
    os.rename(place, host.outside / "was")
    shutil.copytree(host.outside / "was", place)
    ag.wait_for("the root is missed", lambda: not agent.component("feeds")[
        "trusted"])
    done = agent.ctl("trash", "empty", "--force", check=False)
    assert done.returncode == 1 and done.stderr
    assert len(in_trash(place)) == 3
    # Neither is anything put back into what is not the known one.
    assert agent.ctl("trash", "restore", place / "d1/old1",
                     check=False).returncode == 1
    assert len(in_trash(place)) == 3 == len(in_trash(host.outside / "was"))


def test_by_hand_it_can_be_had_back(hosts, root_only):
    """A target that a cleanup by hand has missed is no reason to take what it
    has told of as restorable."""
    host = hosts("tmpfs")
    host.config({}, ag.policy("feeds", **dict(KEYS, strategy="priority")))
    place = host.place("cache", "feeds")
    for number in range(5):
        make_file(place / f"f{number}", ag.MIB, 3 * DAY)
    agent = host.start()
    held = (place / "f0").open("rb")
    try:
        done = agent.json("cleanup", "feeds", "--target", "1B", check=False)
        assert not done["reached"]
        time.sleep(3)
        assert agent.json("trash", "list")["files"] == 4
    finally:
        held.close()


@pytest.mark.slow
def test_list_of_long_paths(hosts, root_only):
    """An answer has room for some of them, and the agent needs no room for the
    rest."""
    host = hosts("tmpfs", 200 * ag.MIB)
    host.config({}, ag.policy("feeds", **KEYS))
    place = host.place("temp", "feeds")
    deep = place / "/".join(["d" * 250] * 15)
    deep.mkdir(parents=True)
    for number in range(3000):
        make_file(deep / f"f{number}", 1, 3 * DAY)
    make_file(place / "last", 1, 3 * DAY)
    agent = host.start()
    assert agent.json("cleanup", "feeds")["files"] == 3001
    before = memory(agent)
    for more in ((), ("--limit", "1000000")):
        listed = agent.json("trash", "list", *more)
        assert listed["files"] == 3001
        n = len(listed["entries"])
        assert 500 < n < 1100 and listed["omitted"] == 3001 - n
        stamps = [e["trashedAt"] for e in listed["entries"]]
        assert stamps == sorted(stamps, reverse=True)
    assert memory(agent) < before + 40 * 1024 * ag.SLOW


def memory(agent):
    """KiB of all its processes."""
    return sum(int(line.split()[1]) for pid in agent.pids()
               for line in open(f"/proc/{pid}/status")
               if line.startswith("VmRSS"))
