# SPDX-License-Identifier: GPL-2.0-or-later
"""Plan, dry run, cleanup and why tell the same story."""

import os
import random

import pytest

import agent as ag
from strategy_model import File, order, victims
from trees import DAY, HOUR, make_file, measure, names

RETENTION = {"data": 60 * DAY, "logs": 14 * DAY, "cache": 2 * DAY,
             "temp": DAY, "backup": 30 * DAY}
STRATEGIES = ("time", "size", "lru", "priority", "adaptive")


@pytest.fixture
def mixed(host):
    """Files of all types and ages, and what the test knows of them."""
    def make(strategy="priority", **keys):
        host.config({}, ag.policy(
            "feeds", strategy=strategy, owners=["*"], allocation="60MB",
            **{"warning": "95%", "critical": "98%", "target": "40%", **keys}))
        chance = random.Random(7)
        files = []
        for number in range(150):
            kind = chance.choice(ag.TYPES)
            size = 4096 * (number + 1)
            age = chance.randrange(1, 90) * DAY + number * HOUR
            used = max(age - chance.randrange(40) * DAY, number * 60)
            path = host.place(kind, "feeds") / f"d{number % 3}" / f"f{number}"
            make_file(path, size, age, used=used)
            files.append(File(str(path), kind, size, age, used))
        return host, host.start(), files
    return make


def paths(plan):
    return [v["path"] for v in plan["victims"]]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_plan_is_what_the_strategy_says(mixed, strategy):
    host, agent, files = mixed()
    plan = agent.json("plan", "feeds", "--strategy", strategy)
    used = measure(*(host.place(k, "feeds") for k in ag.TYPES)).usedBytes
    assert plan["usedBefore"] == used
    assert plan["targetBytes"] == 24 * ag.MIB
    wanted = victims(strategy, files, RETENTION, used - plan["targetBytes"])
    assert paths(plan) == [f.path for f in wanted]
    assert plan["strategy"] == strategy and plan["dryRun"] is True
    assert plan["files"] == len(wanted)
    assert plan["estimatedBytes"] == sum(f.size for f in wanted)
    sizes = {f.path: (f.size, f.type) for f in files}
    for victim in plan["victims"]:
        assert (victim["usedBytes"],
                victim["type"]) == sizes[victim["path"]]
    assert len(agent.history()) == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_cleanup_takes_what_the_plan_says(mixed, strategy):
    host, agent, files = mixed(strategy)
    everything = {f.path for f in files}
    plan = agent.json("plan", "feeds")
    dry = agent.json("cleanup", "feeds", "--dry-run")
    left = {f.path for f in files if os.path.exists(f.path)}
    assert left == everything, "a dry run deleted"
    done = agent.json("cleanup", "feeds")
    left = {f.path for f in files if os.path.exists(f.path)}
    assert everything - left == set(paths(plan))
    assert dry["dryRun"] is True and done["dryRun"] is False
    assert dry["files"] == done["files"] == len(plan["victims"])
    assert done["freedBytes"] == plan["estimatedBytes"]
    assert done["usedBefore"] - done["usedAfter"] >= done["freedBytes"]
    reached = done["usedAfter"] <= done["targetBytes"]
    assert done["reached"] is reached
    assert reached or strategy == "time"
    assert "victims" not in done


def test_target_of_the_call(mixed):
    host, agent, files = mixed()
    done = agent.json("cleanup", "feeds", "--strategy", "size",
                      "--target", "30MB")
    assert done["targetBytes"] == 30 * ag.MIB and done["reached"] is True
    assert done["usedAfter"] <= 30 * ag.MIB
    assert done["usedAfter"] > 29 * ag.MIB, "it went on past its target"


def test_nonsense_is_refused(mixed):
    _, agent, files = mixed()
    for arguments in (("--target", "-1"), ("--target", "9223372036854775807"),
                      ("--target", "200%"), ("--target", "x"),
                      ("--strategy", "most")):
        done = agent.ctl("cleanup", "feeds", *arguments, check=False)
        assert done.returncode in (1, 2), arguments
        assert done.stderr and not done.stdout
    done = agent.ctl("cleanup", "no_such", check=False)
    assert done.returncode == 1 and "no_such" in done.stderr
    assert all(os.path.exists(f.path) for f in files)


def test_config_is_never_taken(mixed):
    host, agent, files = mixed()
    agent.json("cleanup", "feeds", "--force", "--target", "1%")
    assert {f.path for f in files if os.path.exists(f.path)} == {
        f.path for f in files if f.type == "config"}


def test_ranks_of_why_are_the_plan(mixed):
    _, agent, _ = mixed()
    plan = paths(agent.json("plan", "feeds"))
    for rank in (1, 2, len(plan) // 2, len(plan)):
        why = agent.json("why", plan[rank - 1])
        assert why["rank"] == rank, why


def test_why(host, root_only):
    host.config({}, ag.policy("feeds", strategy="time", owners=["*"],
                              protect=["*.key"], minAge="0s"))
    temp = host.place("temp", "feeds")
    make_file(temp / "due", 5000, 3 * DAY)
    make_file(temp / "kept", 5000, HOUR)
    make_file(temp / "a.key", 5000, 3 * DAY)
    make_file(host.outside / "theirs", 5000, 3 * DAY)
    agent = host.start()
    due = agent.json("why", temp / "due")
    assert due["verdict"] == "due" and due["component"] == "feeds"
    assert due["type"] == "temp" and due["indexed"] is True
    assert abs(due["age"] - 3 * DAY) < 60 and due["ageSource"]
    assert due["rank"] == 1 and due["rule"] == "retention"
    kept = agent.json("why", temp / "kept")
    assert kept["verdict"] == "kept" and kept["dueAt"]
    assert agent.json("why", temp / "a.key")["verdict"] == "protected"
    theirs = agent.json("why", host.outside / "theirs", check=False)
    assert theirs["verdict"] == "unmanaged"
    with open(temp / "due", "rb"):
        assert agent.json("why", temp / "due")["verdict"] == "busy"
    text = agent.ctl("why", temp / "kept").stdout
    assert "kept" in text and "feeds" in text


def test_why_candidate(host):
    """Not due, but the strategy may take it if space is needed."""
    host.config({}, ag.policy("feeds", strategy="lru", owners=["*"]))
    make_file(host.place("cache", "feeds") / "f", 5000, HOUR)
    agent = host.start()
    why = agent.json("why", host.place("cache", "feeds") / "f")
    assert why["verdict"] == "candidate", why


def test_largest_and_oldest(mixed):
    _, agent, files = mixed()
    largest = agent.json("largest", "feeds")
    largest = largest.get("files", largest)
    wanted = sorted(files, key=lambda f: -f.size)[:len(largest)]
    assert [f["path"] for f in largest] == [f.path for f in wanted]
    oldest = agent.json("oldest", "feeds")
    oldest = oldest.get("files", oldest)
    wanted = sorted(files, key=lambda f: -min(f.age, f.used))[:len(oldest)]
    assert [f["path"] for f in oldest] == [f.path for f in wanted]


def test_interval_cleans_what_is_due(host):
    host.config({}, ag.policy("feeds", strategy="time", interval="2s",
                              owners=["*"]))
    place = host.place("temp", "feeds")
    agent = host.start()
    make_file(place / "old", 5000, 2 * DAY)
    make_file(place / "new", 5000, HOUR)
    ag.wait_for("the scheduled cleanup", lambda: names(place) == {"new"}, 8)
    record = next(r for r in agent.history() if r["files"])
    assert record["reason"] == "scheduled"


def test_order_model_is_total():
    """The model itself: every file once, config never but by age."""
    files = [File(str(n), kind, n, n * DAY, n * DAY)
             for n, kind in enumerate(ag.TYPES * 9)]
    for strategy in STRATEGIES:
        due, others = order(strategy, files, RETENTION)
        everything = due + others
        assert len(everything) == len(set(everything))
        assert strategy == "time" or len(everything) >= 45
