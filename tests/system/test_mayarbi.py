# SPDX-License-Identifier: GPL-2.0-or-later
"""The seven components of the shipped set, driven over their limits.

The policies are used exactly as shipped, with their real allocations: the
filesystem is a sparse image of 40 GB, the files are allocated without being
written, and their age is real to the agent, because all four stamps of every
file are set in the unmounted image.
"""

import json
import os
import re

import pytest

import agent as ag
from conftest import need
from strategy_model import File, victims
from trees import (DAY, HOUR, age_offline, assert_equal, make_dir, make_file,
                   measure, names)

pytestmark = pytest.mark.xdist_group("mayarbi")
SET = ag.TOP / "policies" / "mayarbi"
TABLE = {  # product.md: priority, allocation, warning, critical, strategy
    "arbitrage_engine": ("critical", 2000, 1600, 1900, "priority"),
    "bridge_monitor": ("high", 1000, 800, 950, "time"),
    "cross_chain_mev": ("high", 1500, 1200, 1425, "adaptive"),
    "price_feeds": ("high", 3000, 2400, 2850, "lru"),
    "wallet_manager": ("critical", 500, 400, 475, "priority"),
    "memory_system": ("normal", 5000, 4000, 4750, "adaptive"),
    "health_monitor": ("low", 200, 160, 190, "time"),
}
RETENTION = {  # days of data and logs, hours of cache
    "arbitrage_engine": (60, 14, 48), "bridge_monitor": (30, 7, 24),
    "cross_chain_mev": (45, 10, 36), "price_feeds": (90, 14, 72),
    "wallet_manager": (365, 30, 12), "memory_system": (180, 21, 168),
    "health_monitor": (14, 3, 6),
}
FIRST = {"temp": 12, "cache": 24, "logs": 24, "data": 36, "backup": 12,
         "config": 12}  # files at the start: 120 of half a percent each


def shipped():
    found = sorted(SET.glob("**/*.json"))
    assert {p.stem for p in found} >= set(TABLE), found
    return {p.stem: p for p in found if p.stem in TABLE}


def read_policy(path):
    """A policy without its comments."""
    text = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/',
                  lambda m: m.group(1) or "", path.read_text(), flags=re.S)
    return json.loads(text)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(d|h|min|s)", text).groups()
    return int(number) * {"d": DAY, "h": HOUR, "min": 60, "s": 1}[unit]


class Component:
    """One component's files, as the test knows them."""

    def __init__(self, host, name, policy):
        self.host, self.name = host, name
        self.allocation = TABLE[name][1] * ag.MIB
        self.strategy = TABLE[name][4]
        self.size = self.allocation // 200 // 4096 * 4096
        self.retention = {k: seconds(v)
                          for k, v in policy["retention"].items()}
        self.files = {}
        self.ages = {}

    def make(self, path, kind, age):
        make_file(path, self.size)
        self.ages[path] = age
        return File(str(path), kind, self.size, age, age)

    def make_first(self):
        number = 0
        for kind, count in FIRST.items():
            make_dir(self.host.place(kind, self.name))
            for _ in range(count):
                path = self.host.place(kind, self.name) / f"first{number}"
                file = self.make(path, kind, 30 * 60 + number * 60)
                self.files[file.path] = file
                number += 1

    def make_batch(self, name, count, due):
        """Files of data, aside, the first of them past their retention."""
        aside = self.host.outside / self.name / name
        batch = []
        for number in range(count):
            age = (self.retention["data"] + DAY + number * 60
                   if number < due else 3 * HOUR + number * 60)
            age += len(name)  # no two batches have the same ages
            batch.append(self.make(aside / f"{name}-{number}", "data", age))
        return batch

    def paths(self):
        return [self.host.place(kind, self.name) for kind in ag.TYPES]

    def move_in(self, name, batch):
        """The batch comes in one rename; returns what is used then."""
        aside = self.host.outside / self.name / name
        used = (measure(*self.paths()).usedBytes
                + measure(aside).usedBytes)
        home = self.host.place("data", self.name) / name
        os.rename(aside, home)
        for file in batch:
            path = str(home / os.path.basename(file.path))
            self.files[path] = file._replace(path=path)
        return used

    def expect(self, used):
        """Takes out of the files what the strategy has to take."""
        taken = victims(self.strategy, self.files.values(), self.retention,
                        used - self.allocation * 70 // 100)
        for file in taken:
            del self.files[file.path]
        return taken

    def found(self):
        return {str(path / name) for path in self.paths()
                for name in names(path)}


@pytest.fixture(scope="module")
def world(request, tmp_path_factory):
    """One host with all seven and a receiver, for all tests here."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount ext4")
    need("mkfs.ext4", "debugfs")
    from receiver import Receiver
    host = ag.Host("ext4", 40 * ag.GIB)
    receiver = Receiver()
    try:
        host.config({"alerts": host.webhook(receiver.url)})
        parts, ages = {}, {}
        for name, path in shipped().items():
            (host.dir / "etc/policies.d" / path.name).write_text(
                path.read_text())
            part = parts[name] = Component(host, name, read_policy(path))
            part.make_first()
            part.batches = [
                part.make_batch("warning", 50, 32),
                part.make_batch("critical", 58,
                                58 if part.strategy == "time" else 20)]
            ages.update(part.ages)
        age_offline(host, ages)
        agent = host.start()
        yield host, agent, parts, receiver
    finally:
        receiver.close()
        host.close()


def test_the_table_is_what_is_shipped(world):
    _, agent, parts, _ = world
    status = {c["name"]: c for c in agent.status()["components"]}
    assert set(status) == set(TABLE)
    for name, row in TABLE.items():
        one = status[name]
        assert (one["priority"], one["allocationBytes"] // ag.MIB,
                one["warningBytes"] // ag.MIB,
                one["criticalBytes"] // ag.MIB, one["strategy"]) == row, name
        assert one["mode"] == "enforce"
        data, logs, cache = RETENTION[name]
        assert parts[name].retention["data"] == data * DAY
        assert parts[name].retention["logs"] == logs * DAY
        assert parts[name].retention["cache"] == cache * HOUR
        policy = read_policy(shipped()[name])
        assert policy["compression"] is (name != "wallet_manager")
        assert policy["backup"] is (name != "health_monitor")
        assert one["level"] == "ok"
    assert_equal(agent)


@pytest.mark.parametrize("name", TABLE)
def test_over_its_limits(world, name):
    _, agent, parts, receiver = world
    part = parts[name]
    before = part.found()
    assert before == set(part.files)
    scope = {"component": name, "kind": "usage"}
    for batch, level in zip(part.batches, ("warning", "critical")):
        mark = len(agent.history())
        used = part.move_in(level, batch)
        limit = {"warning": 80, "critical": 95}[level]
        assert used >= part.allocation * limit // 100
        taken = part.expect(used)
        wanted = set(part.files)
        try:
            ag.wait_for("the right files are gone",
                        lambda: part.found() == wanted, 10)
        except AssertionError:
            found = part.found()
            raise AssertionError(
                f"{level}: {len(taken)} files should have gone; wrongly "
                f"deleted {sorted(wanted - found)[:5]}, left "
                f"{sorted(found - wanted)[:5]}; history: "
                f"{json.dumps(agent.history()[:1])}") from None
        # The alert, its level, and its end.
        event = receiver.wait(level=level, **scope)
        assert event["event"] in ("raised", "escalated")
        assert event["usedBytes"] >= event["limitBytes"] > 0
        ag.wait_for("resolution", lambda: [
            p for p in receiver.alerts(**scope)
            if p["event"] == "resolved" and p["id"] == event["id"]])
        assert event["message"] and event["host"] and event["time"]
        # What it did, and why.
        agent.wait_level(name, "ok")
        record = next(r for r in agent.history() if r["component"] == name)
        assert len(agent.history()) > mark
        assert record["strategy"] == part.strategy
        assert record["reason"] == level
        assert record["reached"] is True and record["dryRun"] is False
        assert record["files"] == len(taken)
        assert record["freedBytes"] == len(taken) * part.size
        one = agent.component(name)
        assert one["usedBytes"] <= part.allocation * 70 // 100
    assert_equal(agent)


def test_nothing_else_went(world):
    """After all of it every other file is still there."""
    _, agent, parts, receiver = world
    for part in parts.values():
        assert part.found() == set(part.files)
        assert all(f"first{n}" in names(part.host.place("config", part.name))
                   for n in range(108, 120))
    assert not receiver.alerts(kind="target-missed")
    assert_equal(agent)
