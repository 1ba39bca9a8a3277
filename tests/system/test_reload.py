# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration: checked with the place of every error, reloaded whole."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

import agent as ag
from trees import DAY, assert_equal, make_file

GOOD = ag.policy("feeds", owners=["*"])


@pytest.fixture
def check(host):
    """check(text): status and messages of ullaged --check."""
    def run(text, main="{}"):
        host.config({})
        (host.dir / "etc/ullage.json").write_text(main)
        (host.dir / "etc/policies.d/feeds.json").write_text(text)
        done = ag.run(ag.ULLAGED, *host.arguments(), "--check", check=False)
        return done.returncode, done.stderr + done.stdout
    return run


def test_good(check):
    status, text = check(json.dumps(GOOD))
    assert status == 0, text
    assert text.endswith("1 policy, no errors\n")


def test_comments_and_everything_of_the_example(check):
    """The example of the contract, as it stands there."""
    status, text = check("""{
  "component": "feeds",
  "priority": "high",                 // critical high normal low
  "allocation": "3000MB",             // MB = MiB
  "warning": "80%", "critical": "95%", "target": "70%",
  "retention": { "data": "90d", "logs": "14d", "cache": "72h",
                 "temp": "24h", "backup": "30d" },
  "age": "born", "strategy": "lru", "interval": "6h",
  "compression": true, "backup": true,
  "mode": "enforce",
  "user": "daemon", "owners": ["daemon"],
  "protect": ["*.lock", "keys/**"], "keepNewest": { "backup": 3 },
  "minAge": "10min", /* by any stamp */
  "limits": { "files": 10000, "share": "20%" }
}""")
    assert status == 0, text


@pytest.mark.parametrize("text, line, column, words", [
    ('{"component": "feeds", "allocation": "1GB",\n "retenton": {}}',
     2, 2, "retention"),
    ('{"component": "feeds", "allocation": "1GB",\n "strategy": "lru2"}',
     2, 14, "lru"),
    ('{"component": "feeds",\n  "component": "x", "allocation": "1GB"}',
     2, 3, "component"),
    ('{"component": "feeds", "allocation": NaN}', 1, 38, ""),
    ('{"component": "feeds", "allocation": "1GB"} x', 1, 45, ""),
    ('{"component": "feeds", "allocation": "1GB",', 1, None, ""),
    ('{"component": "feeds", "allocation": "99999999999999999TB"}',
     1, 38, ""),
    ('{"component": "feeds", "allocation": "1GB",\n\n "minAge": "-3s"}',
     3, 12, ""),
    ('{"component": "feeds", "allocation": "1GB", "warning": "95%",\n'
     '"critical": "80%"}', None, None, "warning"),
    ('{"component": "../feeds", "allocation": "1GB"}', 1, 15, ""),
    ('{"component": "feeds", "allocation": 12.5}', 1, 38, ""),
    ('{"component": "feeds", "allocation": "1GB", "keepNewest": '
     '{"bakup": 3}}', 1, 60, "backup"),
])
def test_errors_have_a_place(check, text, line, column, words):
    status, said = check(text)
    assert status == 1, said
    place = re.search(r"feeds\.json:(\d+):(\d+): ", said)
    assert place, said
    if line:
        assert int(place[1]) == line, said
    if column:
        assert int(place[2]) == column, said
    assert words in said


@pytest.mark.parametrize("path", ["/", "/usr", "/etc/x/y", "/home/u", "/root",
                                  "relative/x", "/srv/../etc", "/proc/x",
                                  "/dev/shm", "/var", "/boot/x"])
def test_roots_that_nobody_may_manage(check, path):
    status, said = check(json.dumps(dict(GOOD, paths={"data": [path]})))
    assert status == 1, f"{path} was accepted: {said}"
    assert "feeds.json:1:" in said


def test_roots_must_not_overlap(check, host):
    inner = str(host.outside / "a/b")
    status, said = check(json.dumps(dict(GOOD, paths={
        "data": [str(host.outside / "a")], "logs": [inner]})))
    assert status == 1 and inner in said


def test_symlink_in_a_root_is_refused(host):
    (host.outside / "real").mkdir()
    os.symlink(host.outside / "real", host.outside / "link")
    host.config({}, dict(GOOD, paths={"data": [
        str(host.outside / "link" / "x")]}))
    agent = host.start(trusted=False)
    # Refused at start, or never trusted and never deleted from.
    make_file(host.outside / "real" / "x" / "f", 5000, 400 * DAY)
    try:
        ag.wait_for("an answer", lambda: agent.process.poll() is not None
                    or agent.status(check=False), 5)
        if agent.process.poll() is None:
            agent.ctl("cleanup", "feeds", "--force", "--strategy", "time",
                      check=False)
    finally:
        assert (host.outside / "real" / "x" / "f").exists()


def test_all_errors_at_once(check):
    status, said = check('{"component": "feeds", "allocation": "1GB",\n'
                         '"strtegy": "lru",\n"mode": "delete"}')
    assert status == 1
    assert "feeds.json:2:" in said and "feeds.json:3:" in said


def test_what_is_not_active_is_said(check):
    status, said = check(json.dumps(dict(GOOD, compression=True,
                                         backup=True)))
    assert status == 0
    assert "compression" in said and "backup" in said


def test_every_config_file_of_the_set_is_good(host):
    for path in sorted((ag.TOP / "policies").glob("**/*.json")):
        if "schema" in path.name or path.name == "ullage.json":
            continue
        host.config({})
        (host.dir / "etc/policies.d" / path.name).write_text(
            path.read_text())
        done = ag.run(ag.ULLAGED, *host.arguments(), "--check", check=False)
        assert done.returncode == 0, f"{path}: {done.stderr}"


def test_reload_adds_changes_and_removes(host):
    host.config({}, GOOD, ag.policy("engine"))
    agent = host.start()
    make_file(host.place("data", "feeds") / "f", 30000)
    host.config({}, dict(GOOD, allocation="50MB"), ag.policy("memory"))
    agent.ctl("reload")
    status = {c["name"]: c for c in agent.status()["components"]}
    assert set(status) == {"feeds", "memory"}
    assert status["feeds"]["allocationBytes"] == 50 * ag.MIB
    agent.wait_trusted()
    make_file(host.place("logs", "memory") / "f", 30000)
    assert_equal(agent)


def test_bad_reload_changes_nothing(host):
    host.config({}, GOOD)
    agent = host.start()
    host.config({}, dict(GOOD, allocation="50MB"), ag.policy("engine"))
    bad = host.dir / "etc/policies.d/zz.json"
    bad.write_text('{"component": "zz",\n  "allocaton": "1GB"}')
    done = agent.ctl("reload", check=False)
    assert done.returncode == 1
    assert "zz.json:2:3" in done.stderr and "allocation" in done.stderr
    status = agent.status()["components"]
    assert [c["name"] for c in status] == ["feeds"]
    assert status[0]["allocationBytes"] == 100 * ag.MIB
    checked = agent.ctl("config", "check", check=False)
    assert checked.returncode == 1 and "zz.json:2:3" in (checked.stderr
                                                         + checked.stdout)
    bad.unlink()
    agent.ctl("config", "check")
    agent.ctl("reload")
    assert agent.component("feeds")["allocationBytes"] == 50 * ag.MIB


def test_sighup_reloads(host):
    host.config({}, GOOD)
    agent = host.start()
    host.config({}, dict(GOOD, allocation="70MB"))
    agent.process.send_signal(signal.SIGHUP)
    ag.wait_for("the new allocation", lambda: agent.component("feeds")[
        "allocationBytes"] == 70 * ag.MIB)
    (host.dir / "etc/policies.d/feeds.json").write_text("{")
    agent.process.send_signal(signal.SIGHUP)
    ag.wait_for("the refusal in the log",
                lambda: "feeds.json:1:" in agent.log_text())
    assert agent.component("feeds")["allocationBytes"] == 70 * ag.MIB


def test_masked_policies(host):
    """An empty file of the same name masks; earlier directories win."""
    second = host.dir / "etc/shipped"
    second.mkdir()
    (second / "feeds.json").write_text(json.dumps(GOOD))
    (second / "engine.json").write_text(json.dumps(ag.policy("engine")))
    (second / "memory.json").write_text(json.dumps(ag.policy("memory")))
    host.config({}, dict(GOOD, allocation="70MB"))
    (host.dir / "etc/policies.d/engine.json").write_text("")
    real = host.arguments
    host.arguments = lambda: [*real(), "--policies", second]
    agent = host.start()
    status = {c["name"]: c for c in agent.status()["components"]}
    assert set(status) == {"feeds", "memory"}
    assert status["feeds"]["allocationBytes"] == 70 * ag.MIB


def test_files_others_may_write_are_refused(host, root_only):
    host.config({}, GOOD)
    where = host.dir / "etc/policies.d/feeds.json"
    where.chmod(0o666)
    done = ag.run(ag.ULLAGED, *host.arguments(), "--check", check=False)
    assert done.returncode == 1 and "feeds.json" in done.stderr


def test_show_and_schema(host):
    jsonschema = pytest.importorskip("jsonschema")
    host.config({}, GOOD)
    agent = host.start()
    shown = agent.json("config", "show")
    assert [p["component"] for p in shown["policies"]] == ["feeds"]
    schema = agent.json("config", "schema", "policy")
    schema = schema.get("schema", schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(GOOD, schema)
    jsonschema.validate(shown["policies"][0], schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(dict(GOOD, strategy="lru2"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(dict(GOOD, retenton={}), schema)
    # What it shows is a policy again, with the same meaning.
    host.config({}, shown["policies"][0])
    agent.ctl("reload")
    assert agent.json("config", "show")["policies"] == shown["policies"]


@pytest.mark.parametrize("keys", [
    {"protect": ["f*"]}, {"mode": "observe"}, None])
def test_nothing_goes_by_what_was_before(hosts, root_only, keys):
    """A reload that has been answered is in force, for a cleanup that was
    under way as well."""
    host = hosts("ext4", 600 * ag.MIB)
    policy = ag.policy("feeds", owners=["*"], strategy="time")
    host.config({}, policy, ag.policy("other"))
    place = host.place("temp", "feeds")
    for number in range(12000):
        make_file(place / f"f{number}", 1, 3 * DAY)
    agent = host.start()
    cleanup = subprocess.Popen(
        [str(ag.ULLAGECTL), "--socket", str(host.socket), "--json", "cleanup",
         "feeds", "--force"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    ag.wait_for("it is at work", lambda: len(os.listdir(place)) < 11900)
    if keys is None:
        (host.dir / "etc/policies.d/feeds.json").unlink()
    else:
        host.put_policy(dict(policy, **keys))
    began = time.monotonic()
    agent.ctl("reload")
    assert time.monotonic() - began < 2 * ag.SLOW
    left = len([n for n in os.listdir(place) if n.startswith("f")])
    assert left > 1000, "it was through before; more files are needed"
    told = cleanup.communicate(timeout=20)
    assert len([n for n in os.listdir(place) if n.startswith("f")]) == left
    assert not os.listdir(place / ".ullage-quarantine")
    if keys is not None:
        done = json.loads(told[0])
        # Between two reapers there is none to stop: the next is refused.
        assert done.get("stopped", "stopped") in ("stopped", "error")
        assert done["files"] == 12000 - left
