# SPDX-License-Identifier: GPL-2.0-or-later
"""What a policy's rules keep: protection, newest, age, owners, modes, caps."""

import os

import pytest

import agent as ag
from trees import DAY, HOUR, assert_equal, make_file, names


@pytest.fixture
def cleaned(host):
    """cleaned(files, policy keys): cleans once by force, by age."""
    def clean(files, *arguments, **keys):
        keys = {"owners": ["*"], "strategy": "time", **keys}
        host.config({}, ag.policy("feeds", **keys))
        place = host.place("temp", "feeds")
        for name, age in files.items():
            make_file(place / name, 5000, age)
        agent = host.start()
        done = agent.json("cleanup", "feeds", *arguments)
        reasons = {s["reason"]: s["files"] for s in done["skipped"]}
        return names(place), done, reasons
    return clean


def test_retention(cleaned):
    left, done, _ = cleaned({"old": 2 * DAY, "at-limit": DAY + 60,
                             "young": DAY - 600, "new": 0})
    assert left == {"young", "new"}
    assert done["files"] == 2 and done["freedBytes"] == 2 * 8192


def test_protect_patterns(cleaned):
    old = ("a.lock", "x/b.lock", "keys/one", "keys/deep/two", "x/keys/three",
           "keys2", "b.locked", "wallet.dat", "m/n/o/p.pem", "m/p.pem")
    left, _, reasons = cleaned(
        dict.fromkeys(old, 2 * DAY),
        protect=["*.lock", "keys/**", "wallet.???", "m/**/p.pem"])
    assert left == {"a.lock", "x/b.lock", "keys/one", "keys/deep/two",
                    "wallet.dat", "m/n/o/p.pem", "m/p.pem"}
    assert reasons.get("protected") == 7


def test_protected_directory(cleaned):
    left, _, _ = cleaned({"safe/in/f": 2 * DAY, "other/f": 2 * DAY},
                         protect=["safe"])
    assert left == {"safe/in/f"}


def test_renaming_into_protection_counts_at_once(host):
    """Protection is judged by the name a file has at its deletion."""
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"],
                              protect=["*.keep"]))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_file(place / "a", 5000, 2 * DAY)
    os.rename(place / "a", place / "a.keep")
    make_file(place / "b.keep", 5000, 2 * DAY)
    os.rename(place / "b.keep", place / "b")
    assert_equal(agent)
    agent.json("cleanup", "feeds", "--force")
    assert names(place) == {"a.keep"}


def test_keep_newest(cleaned):
    left, _, reasons = cleaned({f"f{n}": (n + 2) * DAY for n in range(8)},
                               "--force", keepNewest={"temp": 3})
    assert left == {"f0", "f1", "f2"}
    assert reasons.get("keep-newest") == 3


def test_min_age_by_any_stamp(cleaned):
    """A file that came just now is young, however old its mtime is."""
    left, done, reasons = cleaned({"unpacked": 400 * DAY}, "--force",
                                  minAge="10min")
    assert left == {"unpacked"} and done["files"] == 0
    assert reasons.get("young") == 1


def test_age_born_by_default(cleaned):
    left, _, _ = cleaned({"unpacked": 400 * DAY}, "--force", age=None)
    assert left == {"unpacked"}


def test_min_age_short(host):
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"],
                              minAge="2s"))
    place = host.place("temp", "feeds")
    make_file(place / "f", 5000, 2 * DAY)
    agent = host.start()
    ag.wait_for("the file is old enough", lambda: agent.json(
        "cleanup", "feeds", "--force")["files"] == 1, 6)


def test_stamps_in_the_future_count_as_now(cleaned):
    left, _, _ = cleaned({"future": -400 * DAY, "old": 2 * DAY}, "--force")
    assert left == {"future"}


def test_owners_of_the_root_by_default(host, root_only):
    host.config({}, ag.policy("feeds", strategy="time", user="daemon"))
    place = host.place("temp", "feeds")
    agent = host.start()
    owner = os.stat(place).st_uid
    make_file(place / "ours", 5000, 2 * DAY)
    make_file(place / "root", 5000, 2 * DAY, owner=0)
    make_file(place / "other", 5000, 2 * DAY, owner=owner + 7)
    assert_equal(agent)
    done = agent.json("cleanup", "feeds", "--force")
    assert names(place) == {"root", "other"}
    assert {s["reason"]: s["files"] for s in done["skipped"]} == {"owner": 2}


def test_owners_named(host, root_only):
    host.config({}, ag.policy("feeds", strategy="time", user="daemon",
                              owners=["games"]))
    place = host.place("temp", "feeds")
    agent = host.start()
    import pwd
    make_file(place / "ours", 5000, 2 * DAY)
    make_file(place / "games", 5000, 2 * DAY,
              owner=pwd.getpwnam("games").pw_uid)
    assert_equal(agent)
    agent.json("cleanup", "feeds", "--force")
    assert names(place) == {"ours"}


def test_quarantine_is_there_before_it_is_needed(host):
    """On a full disk it could not be made; it stays, and du counts it."""
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]),
                ag.policy("looked_at", mode="observe"))
    place = host.place("temp", "feeds")
    make_file(place / "old", 5000, 2 * DAY)
    agent = host.start()
    own = place / ".ullage-quarantine"
    assert own.stat().st_mode & 0o7777 == 0o700
    for kind, name in (("config", "feeds"), ("temp", "looked_at")):
        assert os.listdir(host.place(kind, name)) == []
    assert_equal(agent)
    agent.json("cleanup", "feeds", "--force")
    assert own.is_dir() and names(place) == set()
    assert_equal(agent)


def test_hard_links_stay(host):
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    make_file(place / "one", 5000, 2 * DAY)
    os.link(place / "one", place / "two")
    make_file(place / "alone", 5000, 2 * DAY)
    agent = host.start()
    done = agent.json("cleanup", "feeds", "--force")
    assert names(place) == {"one", "two"}
    assert {s["reason"]: s["files"] for s in done["skipped"]} == {"linked": 2}


def test_special_files_stay(host, root_only):
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    place.mkdir(parents=True)
    os.mkfifo(place / "fifo")
    os.symlink("/etc/passwd", place / "link")
    os.mknod(place / "null", 0o020666, os.makedev(1, 3))
    make_file(place / "old", 5000, 2 * DAY)
    for name in ("fifo", "link", "null"):
        os.utime(place / name, (1, 1), follow_symlinks=False)
    agent = host.start()
    agent.json("cleanup", "feeds", "--force")
    assert set(os.listdir(place)) - {".ullage-quarantine"} == {
        "fifo", "link", "null"}
    assert os.path.exists("/etc/passwd")


def test_other_filesystems_below_are_left_alone(host, root_only):
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    (place / "mounted").mkdir(parents=True)
    ag.run("mount", "-t", "tmpfs", "none", place / "mounted")
    (place / "bound").mkdir()
    make_file(host.outside / "precious", 5000, 2 * DAY)
    ag.run("mount", "--bind", host.outside, place / "bound")
    try:
        make_file(place / "mounted" / "f", 5000, 2 * DAY)
        make_file(place / "f", 5000, 2 * DAY)
        agent = host.start()
        agent.json("cleanup", "feeds", "--force")
        assert names(place) == {"mounted/f", "bound/precious"}
    finally:
        ag.run("umount", place / "mounted", place / "bound")


def test_observe_deletes_nothing(host, receiver):
    host.config({}, ag.policy("feeds", mode="observe", owners=["*"]))
    place = host.place("temp", "feeds")
    agent = host.start()
    for number in range(98):
        make_file(place / f"f{number}", ag.MIB, 2 * DAY)
    agent.wait_level("feeds", "critical")
    done = agent.json("cleanup", "feeds", "--force", check=False)
    assert len(names(place)) == 98
    assert not done or done["dryRun"] is True
    # Its plan still says what it would take.
    assert agent.json("plan", "feeds")["victims"]


def test_without_a_mode_it_observes(host):
    host.config({}, ag.policy("feeds", mode=None, owners=["*"]))
    make_file(host.place("temp", "feeds") / "old", 5000, 2 * DAY)
    agent = host.start()
    assert agent.component("feeds")["mode"] == "observe"
    agent.json("cleanup", "feeds", "--force", check=False)
    assert names(host.place("temp", "feeds")) == {"old"}


def test_canary_takes_a_few(cleaned):
    left, done, reasons = cleaned({f"f{n}": 2 * DAY + n for n in range(200)},
                                  mode="canary")
    assert done["files"] == 10 and len(left) == 190
    # The oldest ones.
    assert left == {f"f{n}" for n in range(190)}
    assert reasons.get("canary", 0) > 0


def test_files_of_a_run_are_limited(cleaned):
    left, done, reasons = cleaned({f"f{n}": 2 * DAY + n for n in range(200)},
                                  limits={**ag.NO_LIMITS, "files": 15})
    assert done["files"] == 15
    assert reasons.get("limit-files", 0) > 0


def test_share_of_a_run_is_limited_by_default(cleaned):
    """20 % of the files, unless an operator insists."""
    left, done, _ = cleaned({f"f{n}": 2 * DAY + n for n in range(200)},
                            limits=None)
    assert done["files"] == 40 and len(left) == 160


def test_force_lifts_the_limits(cleaned):
    left, done, _ = cleaned({f"f{n}": 2 * DAY + n for n in range(200)},
                            "--force", limits=None)
    assert done["files"] == 200 and not left


def test_immutable_files_stay(hosts, root_only):
    host = hosts("ext4", 100 * ag.MIB)
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    make_file(place / "fixed", 5000, 2 * DAY)
    make_file(place / "old", 5000, 2 * DAY)
    ag.run("chattr", "+i", place / "fixed")
    try:
        agent = host.start()
        done = agent.json("cleanup", "feeds", "--force")
        assert names(place) == {"fixed"}
        assert {s["reason"] for s in done["skipped"]} == {"immutable"}
    finally:
        ag.run("chattr", "-i", place / "fixed")


@pytest.mark.parametrize("fs", ["ext4", "xfs", "btrfs"])
def test_use_keeps_a_file_in_lru(hosts, fs, root_only):
    """What was opened stays, though the filesystem records no access."""
    host = hosts(fs, 400 * ag.MIB, mount_options="noatime")
    host.config({}, ag.policy("feeds", strategy="lru", owners=["*"]))
    place = host.place("cache", "feeds")
    for number in range(60):
        make_file(place / f"f{number}", ag.MIB, 30 * DAY - number * HOUR)
    agent = host.start()
    for number in range(5):
        (place / f"f{number}").read_bytes()
    make_file(host.outside / "more", 22 * ag.MIB)
    os.rename(host.outside / "more", place / "more")
    ag.wait_for("the cleanup", agent.history)
    left = names(place)
    gone = 61 - len(left)
    assert gone in (12, 13)
    assert left == ({f"f{n}" for n in range(5)} | {"more"}
                    | {f"f{n}" for n in range(5 + gone, 60)})
