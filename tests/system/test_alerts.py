# SPDX-License-Identifier: GPL-2.0-or-later
"""Alerts: raised, escalated, resolved, at hooks, clients and in the log."""

import json
import os
import subprocess
import threading
import time

import pytest

import agent as ag
from trees import DAY, HOUR, make_file, names


@pytest.fixture
def alerted(host, receiver):
    """A component of 100 MB whose files may go if they are old."""
    def start(main=None, **keys):
        alerts = {**host.webhook(receiver.url), **(main or {})}
        host.config({"alerts": alerts},
                    ag.policy("feeds", owners=["*"], **keys))
        return host, host.start()
    return start


def put(host, name, mib, age):
    """So many files of 1 MiB, in one move."""
    for number in range(mib):
        make_file(host.outside / name / f"f{number}", ag.MIB,
                  age + number * 60)
    home = host.place("temp", "feeds") / name
    os.rename(host.outside / name, home)
    return home


def test_whole_life_of_an_alert(alerted, receiver):
    """Young files: nothing may go, so levels follow what the test does."""
    host, agent = alerted(minAge="10min")
    first = put(host, "first", 85, HOUR)
    raised = receiver.wait(event="raised", kind="usage")
    assert (raised["level"], raised["component"]) == ("warning", "feeds")
    assert raised["scope"] == "component/feeds"
    assert raised["limitBytes"] == 80 * ag.MIB
    assert raised["usedBytes"] >= 85 * ag.MIB
    assert raised["percent"] == pytest.approx(
        100 * raised["usedBytes"] / raised["limitBytes"], abs=0.1)
    assert agent.component("feeds")["level"] == "warning"
    missed = receiver.wait(kind="target-missed")
    assert missed["component"] == "feeds"
    assert "young" in json.dumps(missed)
    put(host, "second", 12, HOUR)
    escalated = receiver.wait(event="escalated", kind="usage")
    assert escalated["level"] == "critical"
    assert escalated["id"] == raised["id"]
    opened = agent.json("alerts")
    opened = opened.get("alerts", opened)
    assert any(a["id"] == raised["id"] and a["level"] == "critical"
               for a in opened)
    assert any(a["id"] == raised["id"] for a in agent.status()["alerts"])
    for name in names(first):
        os.unlink(first / name)
    resolved = receiver.wait(event="resolved", kind="usage")
    assert resolved["id"] == raised["id"]
    agent.wait_level("feeds", "ok")
    ag.wait_for("no open usage alert", lambda: not any(
        a["kind"] == "usage" for a in agent.status()["alerts"]))
    past = agent.json("history")["alerts"]
    assert any(a["id"] == raised["id"] for a in past)


def test_cooldown_repeats(alerted, receiver):
    host, agent = alerted({"cooldown": "2s"}, minAge="10min")
    put(host, "first", 85, HOUR)
    raised = receiver.wait(event="raised", kind="usage")
    repeated = receiver.wait(event="repeated", kind="usage")
    assert repeated["id"] == raised["id"]
    assert repeated["receivedAt"] - raised["receivedAt"] >= 1.5


def test_not_repeated_before_the_cooldown(alerted, receiver):
    host, agent = alerted(minAge="10min")
    put(host, "first", 85, HOUR)
    receiver.wait(event="raised", kind="usage")
    for number in range(20):
        make_file(host.place("temp", "feeds") / f"more{number}", 1000)
        time.sleep(0.05)
    time.sleep(1)
    assert len(receiver.alerts(kind="usage")) == 1


def test_hysteresis(alerted, receiver):
    """Around the limit an alert does not flap."""
    host, agent = alerted(minAge="10min")
    put(host, "first", 80, HOUR)
    receiver.wait(event="raised", kind="usage")
    path = host.place("temp", "feeds") / "first" / "f1"
    for _ in range(10):
        os.truncate(path, 0)
        time.sleep(0.05)
        path.write_bytes(b"x" * ag.MIB)
        time.sleep(0.05)
    assert len(receiver.alerts(kind="usage")) == 1


def test_crossing_starts_the_hook_at_once(alerted, receiver):
    host, agent = alerted()
    for number in range(85):
        make_file(host.outside / "in" / f"f{number}", ag.MIB, DAY)
    began = time.time()
    os.rename(host.outside / "in", host.place("temp", "feeds") / "in")
    raised = receiver.wait(event="raised", kind="usage")
    assert raised["receivedAt"] - began < 1.0 * ag.SLOW
    ag.wait_for("the cleanup", agent.history)
    assert agent.component("feeds")["usedBytes"] <= 70 * ag.MIB


def test_silenced(alerted, receiver):
    host, agent = alerted({"silences": ["usage:component/feeds"]},
                          minAge="10min")
    put(host, "first", 85, HOUR)
    agent.wait_level("feeds", "warning")
    time.sleep(1)
    assert not receiver.alerts(kind="usage")


def test_hook_environment_and_input(host, root_only):
    """No shell, a clean environment, the alert in variables and on stdin."""
    out = host.dir / "hook-out"
    out.mkdir()
    out.chmod(0o777)
    # Of the first alert; others may follow.
    host.hook("20-record", f"#!/bin/sh\n[ ! -e {out}/cap ] || exit 0\n"
              f"cat >{out}/stdin\nenv >{out}/env\n"
              f"id -u >{out}/uid\ngrep CapEff /proc/self/status >{out}/cap\n")
    host.config({"alerts": {"hooks": str(host.dir / "etc/hooks.d")}},
                ag.policy("feeds", owners=["*"], minAge="10min"))
    agent = host.start(env={"SECRET": "leaks"})
    put(host, "first", 85, HOUR)
    ag.wait_for("the hook", lambda: (out / "cap").exists()
                and (out / "cap").read_text())
    env = (out / "env").read_text()
    assert "SECRET" not in env and "PATH=" in env
    assert "ULLAGE_COMPONENT=feeds" in env and "ULLAGE_LEVEL=warning" in env
    alert = json.loads((out / "stdin").read_text())
    assert set(alert) >= {"id", "event", "level", "kind", "scope",
                          "component", "filesystem", "usedBytes",
                          "limitBytes", "percent", "message", "host", "time",
                          "details"}
    assert int((out / "cap").read_text().split()[1], 16) == 0


def test_hooks_that_misbehave(alerted, receiver, root_only):
    """Failing, hanging and unsafe hooks neither block nor run for ever."""
    host, agent = alerted(minAge="10min")
    out = host.dir / "out"
    out.mkdir()
    out.chmod(0o777)
    host.hook("01-fails", "#!/bin/sh\necho no route >&2; exit 3\n")
    host.hook("02-daemon", f"#!/bin/sh\n(trap '' TERM; setsid sleep 4321) &\n"
              f"touch {out}/daemon\n")
    unsafe = host.hook("03-unsafe", f"#!/bin/sh\ntouch {out}/unsafe\n")
    unsafe.chmod(0o777)
    (host.dir / "etc/hooks.d/04-plain").write_text("#!/bin/sh\nexit 0\n")
    put(host, "first", 85, HOUR)
    receiver.wait(event="raised", kind="usage")
    ag.wait_for("the daemonising hook", (out / "daemon").exists)
    ag.wait_for("its child is killed", lambda: "4321" not in ag.run(
        "ps", "-e", "-o", "args").stdout.replace("ps -e", ""), 5)
    assert not (out / "unsafe").exists()
    ag.wait_for("the failure in the log",
                lambda: "01-fails" in agent.log_text())
    failed = [line for line in agent.log_lines() if "hooks failed" in line]
    assert any(line.endswith("(try 1): 01-fails: exit 3: no route; "
                             "again in 5 s") for line in failed), failed
    assert any("03-unsafe: refused: " in line for line in failed)
    assert not any("\\x0" in line or "daemon" in line for line in failed)
    assert agent.component("feeds")["trusted"]


def test_events_stream(alerted):
    host, agent = alerted()
    reader = subprocess.Popen(
        [str(ag.ULLAGECTL), "--socket", str(host.socket), "--json",
         "events"], stdout=subprocess.PIPE, text=True)
    got = []

    def read():
        for line in reader.stdout:
            got.append(json.loads(line))
    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    time.sleep(0.3 * ag.SLOW)
    put(host, "first", 85, 2 * DAY)

    def kinds():
        return {(e.get("event", e))["kind"] for e in got}
    try:
        ag.wait_for("alert and cleanup events",
                    lambda: {"alert", "cleanup"} <= kinds())
        events = [e.get("event", e) for e in got]
        alert = next(e for e in events if e["kind"] == "alert")
        assert alert["alert"]["component"] == "feeds"
        cleanup = [e for e in events if e["kind"] == "cleanup"
                   and e.get("cleanup")]
        assert cleanup[-1]["cleanup"]["component"] == "feeds"
    finally:
        reader.kill()
        reader.wait()
        thread.join(5)


def test_target_missed_names_its_reasons(alerted, receiver):
    host, agent = alerted(protect=["first/**"])
    put(host, "first", 85, 3 * DAY)
    missed = receiver.wait(kind="target-missed")
    assert "protected" in json.dumps(missed)
    record = agent.history()[0]
    assert record["reached"] is False
    assert {s["reason"] for s in record["skipped"]} == {"protected"}
