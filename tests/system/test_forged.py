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
    time.sleep(ag.QUIET_S)
    assert_equal(agent)
    make_file(place / at / name / "f0", 3 * ag.MIB)
    time.sleep(ag.QUIET_S)
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
    time.sleep(ag.QUIET_S)
    assert_equal(agent)
    assert agent.component("feeds")["trashBytes"] == 0
