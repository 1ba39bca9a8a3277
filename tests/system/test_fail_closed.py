# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel that lacks, or a filter that forbids, what deletion rests on:
watching and alerts go on, nothing is deleted, and it is said why."""

import json

import pytest

import agent as ag
from trees import DAY, assert_equal, make_dir, make_file, names

REFUSE = ag.BUILD / "tests/hostile/refuse"
# As the audit names it.
MISSING = {
    "landlock_create_ruleset": "Landlock",
    "landlock_add_rule": "Landlock",
    "landlock_restrict_self": "Landlock",
    "openat2": "openat2",
    "lease": "leases",
    "renameat2": "renameat2",
    "seccomp": "seccomp",
}
HOOK = """#!/bin/sh
echo "$ULLAGE_KIND $ULLAGE_EVENT $ULLAGE_LEVEL" >>"${0%/*}/../../alerts"
"""


def refused(*calls):
    return [REFUSE, *calls, "--"]


def full_host(hosts):
    """A component over its critical level, with files that may all go."""
    host = hosts("tmpfs")
    host.config({"alerts": {"hooks": str(host.dir / "etc/hooks.d"),
                            "hookUser": "root"}},
                ag.policy("feeds", allocation="10MB"))
    host.hook("note", HOOK)
    place = host.place("temp", "feeds")
    for kind in ag.TYPES:  # without renameat2 the agent makes none
        make_dir(host.place(kind, "feeds"))
    for i in range(10):
        make_file(place / f"old-{i}", ag.MIB, 2 * DAY)
    return host, place


def alerts_of(agent, kind):
    return [a for a in agent.status()["alerts"] if a["kind"] == kind]


def audited(host):
    path = host.dir / "state/audit.log"
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("error", [
    "ENOSYS", pytest.param("EPERM", marks=pytest.mark.slow)])
@pytest.mark.parametrize("call", MISSING)
def test_nothing_is_deleted(hosts, call, error):
    host, place = full_host(hosts)
    before = names(place)
    agent = host.start(wrap=refused(f"{call}={error}"))
    # What there is and what it means is known as ever.
    assert_equal(agent)
    agent.wait_level("feeds", "critical")
    alert = ag.wait_for("alert", lambda: alerts_of(agent, "agent"))[0]
    assert alert["component"] == "feeds" and alert["level"] == "critical"
    assert "nothing is deleted" in alert["message"]
    # Said at the start, before anything was to be deleted.
    assert f"nothing can be deleted for want of {MISSING[call]}" in agent.log_text()
    assert "cannot delete safely here" in agent.log_text()
    # By hand it is the same, and says so.
    done = agent.json("cleanup", "feeds", "--force", check=False)
    assert done["files"] == 0 and done["stopped"] == "unsupported", done
    assert "unsupported" in {s["reason"] for s in done["skipped"]}, done
    assert agent.history()[-1]["stopped"] == "unsupported"
    assert names(place) == before
    records = audited(host)
    assert {r["event"] for r in records} == {"refused"}, records
    assert all(MISSING[call] in r["reason"] for r in records), records
    # Alerts leave the host, and watching goes on.
    ag.wait_for("hook", lambda: "usage raised critical" in (
        host.dir / "alerts").read_text())
    make_file(place / "more", 5000)
    assert_equal(agent)
    assert names(place) == before | {"more"}


@pytest.mark.parametrize("calls", [("fanotify_init=ENOSYS",),
                                   ("fanotify_init=EPERM",)],
                         ids=["ENOSYS", "EPERM"])
def test_what_is_not_needed_is_not_missed(hosts, calls):
    host, place = full_host(hosts)
    agent = host.start(wrap=refused(*calls))
    agent.wait_level("feeds", "ok")
    assert len(names(place)) < 10
    assert not alerts_of(agent, "agent")


def test_the_alert_ends_with_its_cause(hosts):
    host, place = full_host(hosts)
    agent = host.start(wrap=refused("landlock_restrict_self"))
    ag.wait_for("alert", lambda: alerts_of(agent, "agent"))
    assert agent.stop() == 0
    again = host.start()
    again.wait_level("feeds", "ok")
    ag.wait_for("resolved", lambda: not alerts_of(again, "agent"))
    assert len(names(place)) < 10


def test_a_unit_that_forbids_set_id_bits(hosts):
    """RestrictSUIDSGID=yes, which has openat2 return ENOSYS: the directories
    of components are made and watched all the same, and no link is followed
    on the way."""
    host, place = full_host(hosts)
    outside = host.outside / "elsewhere"
    outside.mkdir()
    make_file(outside / "file", 100000)
    (place / "link").symlink_to(outside)
    host.place("logs", "feeds").rmdir()
    agent = host.start(wrap=refused("openat2=ENOSYS"))
    assert host.place("logs", "feeds").is_dir()
    assert_equal(agent)
    assert agent.component("feeds")["files"] == 10
