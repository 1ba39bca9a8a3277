# SPDX-License-Identifier: GPL-2.0-or-later
"""The names that other programs rely on, letter by letter."""

import os
import re

import pytest

import agent as ag
from trees import DAY, make_file, names

STATUS = {
    "": {"components": list, "filesystems": list, "alerts": list,
         "agent": dict},
    "components": {
        "name": str, "priority": str, "level": str, "mode": str,
        "strategy": str, "usedBytes": int, "sizeBytes": int, "files": int,
        "allocationBytes": int, "warningBytes": int, "criticalBytes": int,
        "source": str, "trusted": bool, "types": list},
    "types": {"type": str, "usedBytes": int, "sizeBytes": int, "files": int,
              "paths": list},
    "filesystems": {"path": str, "device": str, "totalBytes": int,
                    "availableBytes": int, "usedPercent": (int, float),
                    "level": str, "health": str,
                    "ballastBytes": int, "ballastReleases": int},
    "agent": {"version": str, "files": int, "directories": int,
              "indexBytes": int, "events": int, "overflows": int},
}
CLEANUP = {"component": str, "strategy": str, "dryRun": bool, "reason": str,
           "files": int, "freedBytes": int, "estimatedBytes": int,
           "usedBefore": int, "usedAfter": int, "targetBytes": int,
           "reached": bool, "skipped": list, "blockers": list}
SKIPPED = {"reason": str, "files": int, "bytes": int}
VICTIM = {"path": str, "type": str, "usedBytes": int, "age": int, "rule": str}
WHY = {"path": str, "component": str, "type": str, "indexed": bool,
       "verdict": str, "rule": str, "reasons": list, "age": int,
       "ageSource": str, "dueAt": (str, type(None)),
       "rank": (int, type(None))}
OPTIONAL = {"dueAt", "rank", "rule"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def has(value, keys):
    for key, kind in keys.items():
        if key not in value and key in OPTIONAL:
            continue
        assert key in value, f"{key} is missing: {value}"
        assert isinstance(value[key], kind), f"{key}: {value[key]!r}"
        assert kind is not int or not isinstance(value[key], bool)
    for key in value:
        assert re.fullmatch(r"[a-z][A-Za-z]*", key), f"{key}: not camelCase"


@pytest.fixture
def agent(host):
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    for number in range(5):
        make_file(host.place("temp", "feeds") / f"f{number}", 5000, 2 * DAY)
    open(host.place("temp", "feeds") / "new", "w").close()
    return host.start()


def test_status(agent):
    status = agent.status()
    has(status, STATUS[""])
    for name in ("components", "filesystems"):
        assert status[name]
        for one in status[name]:
            has(one, STATUS[name])
    for kind in status["components"][0]["types"]:
        has(kind, STATUS["types"])
    assert {t["type"] for t in status["components"][0]["types"]} == set(
        ag.TYPES)
    has(status["agent"], STATUS["agent"])
    assert status["components"][0]["level"] == "ok"
    assert status["agent"]["files"] == 6
    only = agent.json("status", "feeds")
    assert [c["name"] for c in only["components"]] == ["feeds"]


def test_plan_and_cleanup(agent):
    plan = agent.json("plan", "feeds")
    has(plan, {**CLEANUP, "victims": list})
    for victim in plan["victims"]:
        has(victim, VICTIM)
    for one in plan["skipped"]:
        has(one, SKIPPED)
    done = agent.json("cleanup", "feeds", "--force")
    has(done, CLEANUP)
    assert "victims" not in done and done["reason"] == "manual"
    record = agent.history()[0]
    has(record, CLEANUP)
    for key in ("startedAt", "endedAt"):
        assert TIME.fullmatch(record[key])


def test_why(agent):
    place = agent.host.place("temp", "feeds")
    why = agent.json("why", place / "f1")
    has(why, WHY)
    assert why["verdict"] == "due"
    assert all(isinstance(r, str) for r in why["reasons"]) and why["reasons"]
    has(agent.json("why", place / "new"), WHY)
    assert TIME.fullmatch(agent.json("why", place / "new")["dueAt"])


def test_json_of_every_verb(agent):
    for verb in (("metrics",), ("dashboard",), ("du",), ("alerts",),
                 ("history",), ("largest", "feeds"), ("oldest", "feeds"),
                 ("config", "show"), ("config", "schema", "policy"),
                 ("config", "schema", "config"), ("config", "check"),
                 ("reconcile",), ("reload",), ("panic", "--release")):
        assert agent.json(*verb) is not None, verb


def test_metrics_and_dashboard(agent):
    """get_storage_metrics and get_storage_dashboard_data."""
    metrics = agent.json("metrics")
    assert metrics["usedBytes"] == agent.component("feeds")["usedBytes"]
    assert metrics["files"] == 6 and TIME.fullmatch(metrics["time"])
    dashboard = agent.json("dashboard")
    assert dashboard["components"][0]["name"] == "feeds"
    assert dashboard["level"] == "ok"


def test_hostile_names_survive_json(host):
    """Whatever a name contains, the answer is JSON and leads to the file."""
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    place = host.place("temp", "feeds")
    place.mkdir(parents=True)
    bad = [b"new\nline", b"\x1b[31mred", b"\xff\xfe\x80", b"-rf", b"`id`",
           "\u202egpj.exe".encode(), b'quote"\\', b"tab\t", b"\x7f",
           "é".encode() * 100, b"a" * 255, b"%s%n", b" ", b"\\x41"]
    for name in bad:
        path = os.path.join(os.fsencode(place), name)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.truncate(path, 5000)
        os.utime(path, (1, 1))
    agent = host.start()
    plan = agent.json("plan", "feeds")
    assert len(plan["victims"]) == len(bad)
    for victim in plan["victims"]:
        name = re.sub(rb"\\x([0-9a-fA-F]{2})|\\(.)", lambda m: (
            bytes([int(m[1], 16)]) if m[1] else m[2]),
            os.path.basename(victim["path"]).encode())
        assert name in bad, victim["path"]
        assert not re.search(r"[\x00-\x1f\x7f\u202e]", victim["path"])
    for verb in (("plan", "feeds"), ("oldest", "feeds")):
        text = agent.ctl(*verb).stdout
        assert "\x1b" not in text and "\u202e" not in text
    assert agent.json("cleanup", "feeds", "--force")["files"] == len(bad)
    assert not names(place)


def test_log_is_one_line_each(host, root_only):
    """Every record of the log is one line with its priority, whatever the
    names of the files are."""
    host.config({}, ag.policy("feeds", owners=["*"], strategy="time"))
    place = host.place("temp", "feeds")
    place.mkdir(parents=True)
    for name in (b"x\n<0>forged: line", b"\x1b]0;title\x07", b"\xff\n"):
        path = os.path.join(os.fsencode(place), name)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        os.utime(path, (1, 1))
    agent = host.start()
    agent.json("cleanup", "feeds", "--force")
    host.config({}, ag.policy("feeds", owners=["*"], allocaton="1"))
    agent.ctl("reload", check=False)
    assert agent.stop() == 0
    lines = agent.log_path.read_bytes().split(b"\n")
    assert lines.pop() == b"" and lines
    for line in lines:
        assert re.fullmatch(rb"<[0-7]>[ -~\x80-\xff]+", line), line
        assert not line.startswith(b"<0>forged"), line
        line.decode("utf-8")
    assert any(b"feeds" in line for line in lines)
