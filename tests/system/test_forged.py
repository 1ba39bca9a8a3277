# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner of a component's directory makes, or moves away, what is ours in
there: quarantine, trash, ballast. Nothing of it hides what he uses."""

import os
import time

import pytest

import agent as ag
from trees import DAY, assert_equal, make_file

OWNER = 65534
WATCHES = ["inotify", "fanotify"]


def own(*paths):
    for path in paths:
        path.mkdir(exist_ok=True)
        os.chown(path, OWNER, OWNER)


@pytest.mark.parametrize("watch", WATCHES)
@pytest.mark.parametrize("name", [".ullage-quarantine", ".ullage-trash"])
@pytest.mark.parametrize("at", ["", "sub", "sub/.ullage-trash"])
def test_names_of_ours_hide_nothing(hosts, root_only, watch, name, at):
    host = hosts("tmpfs")
    host.config({"watch": watch}, ag.policy("feeds", trash="2d",
                                            protect=["f*"]))
    place = host.place("data", "feeds")
    place.mkdir(parents=True)
    own(place)
    if at:
        own(place / "sub", place / at)
    own(place / at / name)
    agent = host.start()
    for number in range(97):
        make_file(place / at / name / f"f{number}", ag.MIB)
    agent.wait_level("feeds", "critical")
    assert_equal(agent)
    make_file(place / at / name / "f0", 3 * ag.MIB)
    assert_equal(agent)


@pytest.mark.parametrize("watch", WATCHES)
def test_moved_over_ours(hosts, root_only, watch):
    """He may rename what lies in his directory; what he puts in its place is
    his, and what he took away is a directory like any other."""
    host = hosts("ext4")
    host.config({"watch": watch}, ag.policy("feeds", trash="2d",
                                            strategy="time",
                                            protect=["f*"]))
    place = host.place("temp", "feeds")
    place.mkdir(parents=True)
    own(place)
    make_file(place / "old", ag.MIB, 2 * DAY)
    os.chown(place / "old", OWNER, OWNER)
    agent = host.start()
    assert agent.json("cleanup", "feeds")["files"] == 1
    assert agent.component("feeds")["trashBytes"] >= ag.MIB
    os.rename(place / ".ullage-trash", place / "was-trash")
    own(place / ".ullage-trash")
    for number in range(97):
        make_file(place / ".ullage-trash" / f"f{number}", ag.MIB)
        make_file(place / "was-trash" / f"f{number}", 4096)
    agent.wait_level("feeds", "critical")
    assert_equal(agent)
    assert agent.component("feeds")["trashBytes"] == 0


def test_ballast_that_is_gone_is_told(hosts, root_only):
    """It is kept where only root can move things, if there is such a root; one
    that was taken away is told of at the latest when it is needed."""
    host = hosts("tmpfs", 400 * ag.MIB)
    host.config({"ballast": "10%"}, ag.policy("feeds"))
    for kind in ag.TYPES:
        place = host.place(kind, "feeds")
        place.mkdir(parents=True)
        if kind != "logs":
            own(place)
    agent = host.start()
    ballast = ag.wait_for("the ballast", lambda: next(
        host.mnt.rglob("~ballast"), None))
    assert ballast.parent.parent == host.place("logs", "feeds")
    os.rename(ballast.parent, host.mnt / "away")
    make_file(host.outside / "full", 355 * ag.MIB)
    told = ag.wait_for("the alert", lambda: [
        a for a in agent.status()["alerts"]
        if a["scope"].startswith("ballast/")])
    assert told[0]["kind"] == "agent" and "moved away" in told[0]["message"]
    (host.outside / "full").unlink()
    make_file(host.outside / "little", 5000)
    agent.ctl("reload")
    time.sleep(3)
    assert list(host.mnt.rglob("~ballast")) == [host.mnt / "away/~ballast"]


def test_a_root_by_two_paths(hosts, root_only):
    """By way of a bind mount a directory is the same: one policy judges it."""
    host = hosts("ext4", 100 * ag.MIB)
    one = host.place("temp", "one")
    other = host.mnt / "other"
    for path in (one, other):
        path.mkdir(parents=True)
    ag.run("mount", "--bind", one, other)
    try:
        keys = dict(strategy="time", owners=["*"])
        host.config({}, ag.policy("one", protect=["keep*"], **keys),
                    ag.policy("two", paths={"temp": [str(other)]}, **keys))
        for name in ("keep", "old"):
            make_file(one / name, 5000, 2 * DAY)
        agent = host.start()
        agent.json("cleanup", "two", "--force", check=False)
        assert sorted(p.name for p in one.glob("[ko]*")) == ["keep", "old"]
        assert agent.json("cleanup", "one", "--force")["files"] == 1
        assert "is the same directory as" in agent.log_text()
    finally:
        ag.run("umount", other)


def test_left_in_quarantine_is_told(hosts, root_only):
    """Its name was taken while nobody was there to put it back."""
    host = hosts("ext4", 100 * ag.MIB)
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"]))
    place = host.place("temp", "feeds")
    make_file(place / "f", 5000)
    quarantine = place / ".ullage-quarantine"
    quarantine.mkdir(mode=0o700)
    make_file(quarantine / "0=f", 5000)
    agent = host.start()

    def told():
        return [a["message"] for a in agent.status()["alerts"]
                if a["kind"] == "integrity"]
    ag.wait_for("the alert", told)
    assert (quarantine / "0=f").exists()
    (place / "f").unlink()
    # What nobody has taken the name of is put back at the start.
    agent.stop()
    agent = host.start()
    ag.wait_for("it is back", (place / "f").exists)
    ag.wait_for("it is resolved", lambda: not told())


def test_whoever_can_move_the_configuration(hosts, root_only):
    """Hooks and policies below a directory of somebody else are not taken."""
    host = hosts("tmpfs")
    his = host.dir / "his"
    own(his)
    hooks = his / "hooks.d"
    hooks.mkdir()
    ran = host.dir / "ran"
    ran.mkdir(mode=0o777)
    ran.chmod(0o777)
    (hooks / "h").write_text(f"#!/bin/sh\ntouch {ran}/hook\n")
    (hooks / "h").chmod(0o755)
    host.config({"alerts": {"hooks": str(hooks)}},
                ag.policy("feeds", mode="observe", allocation="1MB"))
    agent = host.start()
    make_file(host.place("data", "feeds") / "f", 2 * ag.MIB)
    ag.wait_for("the refusal", lambda: "on the way there, belongs to uid"
                in agent.log_text(), 20)
    assert not list(ran.iterdir())
    agent.stop()
    policies = his / "policies.d"
    policies.mkdir()
    for missing in (policies, his / "none"):
        done = ag.run(ag.ULLAGED, "--check", "--config",
                      host.dir / "etc/ullage.json", "--policies", missing,
                      "--root", host.root, "--state",
                      host.dir / "state/state.json", check=False)
        assert done.returncode == 1, done
        assert "on the way there, belongs to uid 65534" in done.stderr
