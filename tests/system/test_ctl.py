# SPDX-License-Identifier: GPL-2.0-or-later
"""ullagectl against an agent that says what it is told to."""

import json
import os
import pty
import re
import subprocess
import threading

import pytest

import agent as ag
from idl import Interface
from scripted import ScriptedAgent

INTERFACE = Interface(
    (ag.TOP / "agent/proto/io.ullage.Agent.varlink").read_text())
NASTY = "x\u001b[31mred\u0007\u0085\u202eevil\u007f\ttab\nline"
TIME = "2026-11-23T04:00:00Z"


def types(name):
    return [{"type": "data", "usedBytes": 1 << 30, "sizeBytes": 7,
             "files": 3, "paths": [f"/srv/data/{name}", "/srv/" + NASTY]}]


def component(name, level, used, **more):
    return {"name": name, "priority": "high", "level": level,
            "mode": "enforce", "strategy": "lru", "usedBytes": used,
            "sizeBytes": 1, "files": 12345, "allocationBytes": 1000,
            "warningBytes": 800, "criticalBytes": 950, "source": "inotify",
            "trusted": True, "types": types(name), **more}


ALERT = {"id": 1, "event": "raised", "level": "critical", "kind": "usage",
         "scope": "component/feeds", "component": "feeds", "usedBytes": 1,
         "limitBytes": 2, "percent": 98.5, "message": "full " + NASTY,
         "host": "h", "time": TIME, "details": {}}
FILESYSTEM = {"path": "/srv", "device": "/dev/sda1", "totalBytes": 100 << 30,
              "availableBytes": 9 << 30, "usedPercent": 91.0,
              "level": "emergency", "health": "ok",
              "ballastBytes": 0, "ballastReleases": 0}
AGENT = {"version": "9.8.7", "files": 1234567, "directories": 12,
         "indexBytes": 60000, "events": 5, "overflows": 0, "panic": True}
STATUS = {"components": [
    component("feeds", "critical", 960, notes=["compression: " + NASTY]),
    component("wallet", "ok", 10, trusted=False, work="cleanup"),
    component("fresh", "ok", 10, trusted=False, work="scan", scan={
        "directories": 1200, "waiting": 34, "expected": 4800},
        saved={"at": TIME, "usedBytes": 640, "sizeBytes": 600,
               "files": 98765})],
    "filesystems": [FILESYSTEM], "alerts": [ALERT], "agent": AGENT}
QUIET = {"components": [component("wallet", "ok", 10)], "filesystems": [],
         "alerts": [], "agent": AGENT}
CLEANUP = {"startedAt": TIME, "endedAt": TIME, "component": "feeds",
           "strategy": "adaptive", "mode": "enforce", "dryRun": False,
           "reason": "manual", "files": 1234, "freedBytes": 900 << 20,
           "estimatedBytes": 1 << 30, "usedBefore": 2 << 30,
           "usedAfter": 1 << 30, "targetBytes": 1 << 30, "reached": True,
           "cut": False, "skipped": [
               {"reason": "busy", "files": 3, "bytes": 4096,
                "sentence": "open somewhere " + NASTY}],
           "blockers": [{"cause": "busy", "by": "feeds.service " + NASTY,
                         "files": 3, "bytes": 4096}],
           "steps": [{"rule": "time", "active": True, "files": 1,
                      "freedBytes": 1}]}
VICTIM = {"path": "/srv/" + NASTY, "type": "cache", "usedBytes": 4096,
          "age": 90000, "rule": "retention"}
FILE = {"path": "/srv/" + NASTY, "component": "feeds", "type": "data",
        "usedBytes": 1, "sizeBytes": 1, "age": 3, "usedAt": TIME}
EVENT = {"kind": "alert", "time": TIME, "component": "feeds",
         "message": "m " + NASTY, "alert": ALERT}
GROWTH = {"component": "feeds", "hourBytes": None, "dayBytes": -(3 << 30),
          "writersKnown": False,
          "writers": [{"writer": "a.service (" + NASTY + ")",
                       "hourBytes": 5 << 20, "dayBytes": 9 << 20}],
          "directories": [{"path": "/srv/" + NASTY, "hourBytes": 0,
                           "dayBytes": 1}]}
HELD = {"by": "a.service (" + NASTY + ", pid 7)", "component": None,
        "filesystem": "/srv/" + NASTY, "files": 3, "heldBytes": 7 << 30}
TAKEN = {"id": "feeds.0.1a2b3c4d5e6f7081", "path": "/srv/" + NASTY,
         "component": "feeds", "usedBytes": 1, "reason": "error",
         "error": "taken " + NASTY}
ANSWERS = {
    "GetStatus": [STATUS],
    "GetMetrics": [{
        "time": TIME, "usedBytes": 1, "sizeBytes": 1, "files": 1,
        "allocationBytes": 1, "components": [{
            "name": "feeds", "usedBytes": 1, "sizeBytes": 1, "files": 1,
            "allocationBytes": 10, "usedPercent": 10.0,
            "growthBytesPerHour": -5000, "cleanups": 3, "freedBytes": 9,
            "types": types("feeds")}],
        "filesystems": [FILESYSTEM], "counters": {"events": 1234567}}],
    "GetDashboard": [dict(STATUS, time=TIME, level="critical",
                          cleanups=[CLEANUP], samples=[
                              {"time": TIME, "component": "feeds",
                               "usedBytes": 100 * n, "files": 1}
                              for n in range(9)])],
    "Cleanup": [{"progress": {"judged": 100, "files": 1, "freedBytes": 2}},
                CLEANUP],
    "Plan": [dict(CLEANUP, dryRun=True, victims=[VICTIM, VICTIM])],
    "Why": [{"path": "/srv/" + NASTY, "component": "feeds", "type": "data",
             "indexed": True, "verdict": "candidate", "rule": "retention",
             "reasons": ["because " + NASTY], "age": 300000,
             "ageSource": "modified", "dueAt": TIME, "rank": 12}],
    "Du": [{"entries": [{
        "path": "/srv/" + NASTY, "component": "feeds", "type": "data",
        "usedBytes": 123456789, "sizeBytes": 1, "files": 3,
        "directories": 2, "trusted": False}]}],
    "Largest": [{"files": [FILE]}],
    "GetHeld": [{"held": [HELD, dict(HELD, by=None)], "heldBytes": 14 << 30,
                 "hiddenProcesses": 3, "at": TIME}],
    "GetGrowth": [{"since": "2026-11-01T00:00:00Z", "components": [GROWTH]}],
    "Oldest": [{"files": []}],
    "Subscribe": [{"event": EVENT}] * 3,
    "GetAlerts": [{"alerts": [ALERT]}],
    "GetHistory": [{"cleanups": [CLEANUP], "alerts": [ALERT]}],
    "CheckConfig": [{"errors": ["a.json:1:2: /x: " + NASTY], "notes": ["n"]}],
    "ShowConfig": [{"config": {"root": NASTY}, "policies": [{"a": 1}]}],
    "GetSchema": [{"schema": {"type": "object"}}],
    "Reload": [{"notes": ["a remark " + NASTY]}],
    "Reconcile": [{"drift": [{"component": "feeds", "differences": 3,
                              "usedBytes": -4096, "files": -1}]}],
    "SetPanic": [{"panic": True}],
    "CheckIndex": [{"differences": ["one " + NASTY]}],
    "ListTrash": [{"entries": [{
        "id": "feeds.0.1a2b3c4d5e6f7081", "path": "/srv/" + NASTY,
        "component": "feeds", "type": "logs", "usedBytes": 4096,
        "sizeBytes": 7, "trashedAt": TIME, "expiresAt": TIME,
        "rule": "retention"}], "files": 1234, "usedBytes": 1 << 30,
        "omitted": 1233}],
    "RestoreTrash": [{"files": 1, "usedBytes": 4096, "outcomes": [TAKEN]}],
    "EmptyTrash": [{"files": 12, "freedBytes": 4096, "outcomes": [TAKEN],
                    "stopped": "limit-files"}],
}
# Command line, method, parameters, exit status.
VERBS = [
    ("status", "GetStatus", {}, 0),
    ("status feeds", "GetStatus", {"component": "feeds"}, 0),
    ("metrics", "GetMetrics", {}, 0),
    ("dashboard", "GetDashboard", {}, 0),
    ("check", "GetStatus", {}, 3),
    ("cleanup feeds", "Cleanup", {"component": "feeds"}, 0),
    ("cleanup --force feeds --dry-run --strategy=size --target 60%",
     "Cleanup", {"component": "feeds", "force": True, "dryRun": True,
                 "strategy": "size", "target": "60%"}, 0),
    ("plan feeds --target 2GB", "Plan",
     {"component": "feeds", "target": "2GB"}, 0),
    ("why /srv/x", "Why", {"path": "/srv/x"}, 0),
    ("du", "Du", {}, 0),
    ("du /srv/../srv/./x//", "Du", {"path": "/srv/x"}, 0),
    ("largest feeds --limit 7", "Largest",
     {"component": "feeds", "limit": 7}, 0),
    ("oldest", "Oldest", {}, 0),
    ("held", "GetHeld", {}, 0),
    ("growth feeds", "GetGrowth", {"component": "feeds"}, 0),
    ("events", "Subscribe", {}, 0),
    ("alerts", "GetAlerts", {}, 0),
    ("history --limit=2", "GetHistory", {"limit": 2}, 0),
    ("config check", "CheckConfig", {}, 1),
    ("config show feeds", "ShowConfig", {"component": "feeds"}, 0),
    ("config schema policy", "GetSchema", {"kind": "policy"}, 0),
    ("reload", "Reload", {}, 0),
    ("reconcile", "Reconcile", {}, 0),
    ("panic", "SetPanic", {"on": True}, 0),
    ("panic --release", "SetPanic", {"on": False}, 0),
    ("index check", "CheckIndex", {}, 1),
    ("trash list feeds --limit 3", "ListTrash",
     {"component": "feeds", "limit": 3}, 0),
    ("trash restore /srv/../srv/x", "RestoreTrash", {"target": "/srv/x"}, 1),
    ("trash restore feeds.v2.0.1a2b3c4d5e6f7081", "RestoreTrash",
     {"target": "feeds.v2.0.1a2b3c4d5e6f7081"}, 1),
    ("trash empty --force --dry-run", "EmptyTrash",
     {"force": True, "dryRun": True}, 0),
]


@pytest.fixture
def scripted(tmp_path):
    made = []

    def make(**answers):
        made.append(ScriptedAgent(tmp_path / "agent",
                                  dict(ANSWERS, **answers)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ctl(socket, *arguments, **options):
    options.setdefault("env", {"PATH": os.environ["PATH"],
                               "LC_ALL": "C.UTF-8"})
    return subprocess.run(
        [ag.ULLAGECTL, "--socket", socket, *arguments],
        capture_output=True, timeout=60, stdin=subprocess.DEVNULL, **options)


def assert_harmless(output):
    """Nothing that moves a cursor, rings or turns the line around."""
    text = output.decode()
    found = re.findall("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert not found, f"{found} in {text!r}"


def test_answers_are_as_described():
    """What is shown here is what an agent may say."""
    for method, replies in ANSWERS.items():
        for reply in replies:
            INTERFACE.check_reply(method, reply)


@pytest.mark.parametrize("line,method,parameters,status", VERBS,
                         ids=[v[0] for v in VERBS])
def test_verbs(scripted, line, method, parameters, status):
    one = scripted()
    done = ctl(one.path, *line.split())
    assert done.returncode == status, done.stderr
    assert done.stdout and not done.stderr
    assert_harmless(done.stdout)
    assert one.calls[0]["method"] == f"io.ullage.Agent.{method}"
    assert one.calls[0]["parameters"] == parameters
    assert one.calls[0].get("more", False) == (method == "Subscribe")


@pytest.mark.parametrize("line,method,parameters,status", VERBS,
                         ids=[v[0] for v in VERBS])
def test_verbs_as_json(scripted, line, method, parameters, status):
    one = scripted()
    done = ctl(one.path, *line.split(), "--json")
    assert done.returncode == status
    assert_harmless(done.stdout)
    got = [json.loads(text) for text in done.stdout.splitlines()]
    answers = ANSWERS[method]
    assert got == (answers if method == "Subscribe" else answers[-1:])


def test_every_verb_is_tested():
    done = ctl("/nowhere", "--help")
    listed = re.findall(r"^  ([a-z][a-z ]*?)  +", done.stdout.decode(), re.M)
    assert len(listed) > 15
    tried = {v[0] for v in VERBS}
    assert all(any(t.startswith(name) for t in tried) for name in listed)
    for name in listed:
        done = ctl("/nowhere", *name.split(), "--help")
        assert done.returncode == 0
        assert done.stdout.startswith(f"ullagectl {name}".encode())


def test_the_manual_names_every_verb():
    page = (ag.TOP / "man/ullagectl.1").read_text()
    done = ctl("/nowhere", "--help")
    listed = re.findall(r"^  ([a-z][a-z ]*?)  +", done.stdout.decode(), re.M)
    for name in listed:
        assert re.search(rf"^\.(It )?Cm {name}\b", page, re.M), name
        options = re.findall(r"^  --([a-z-]+)", ctl(
            "/nowhere", *name.split(), "--help").stdout.decode(), re.M)
        for option in options:
            assert f"Fl -{option}" in page, f"{name} --{option}"


USAGE = [
    ("", "which verb"), ("stauts", "did you mean: status"),
    ("config", "config check, config show, config schema"),
    ("frobnicate", "ullagectl --help"), ("cleanup", "needs a COMPONENT"),
    ("cleanup a b", '"b" is too much'),
    ("cleanup a --drty-run", "did you mean --dry-run"),
    ("cleanup a --xyzzy", "cleanup --help"),
    ("cleanup a --target", "--target needs a value"),
    ("cleanup a --target --force", "--target needs a value"),
    ("cleanup a --force=yes", "takes no value"),
    ("largest --limit 0", "no number"), ("largest --limit 5x", "no number"),
    ("status --host", "needs a value"), ("--host -oProxyCommand=x status",
                                         "is no host"),
    ("--host h why relative", "must be absolute"),
]


@pytest.mark.parametrize("line,says", USAGE, ids=[u[0] for u in USAGE])
def test_wrong_usage(line, says):
    done = ctl("/nowhere", *line.split())
    assert done.returncode == 2
    assert not done.stdout
    assert says in done.stderr.decode()
    assert done.stderr.startswith(b"ullagectl: ")


def test_words_after_two_dashes_are_no_options(scripted):
    one = scripted()
    assert ctl(one.path, "status", "--", "--json").returncode == 0
    assert one.calls[0]["parameters"] == {"component": "--json"}


def test_check_is_quiet_when_all_is_well(scripted):
    one = scripted(GetStatus=[QUIET])
    done = ctl(one.path, "check")
    assert (done.returncode, done.stdout[:3]) == (0, b"ok:")


def test_tables_line_up(scripted):
    one = scripted()
    lines = ctl(one.path, "status").stdout.decode().splitlines()
    level = lines[0].index("LEVEL")
    assert lines[1][level:].startswith("critical")
    assert lines[2][level:].startswith("ok")
    assert "███████████░" in lines[1] and "96.0%" in lines[1]
    assert any("every deletion is stopped" in line for line in lines)
    assert any("wallet: the figures are not exact" in line for line in lines)


@pytest.mark.parametrize("used,cells", [(0, 0), (41, 0), (42, 1), (83, 1),
                                        (167, 2), (999, 11), (1000, 12)])
def test_cells_of_a_bar(scripted, used, cells):
    one = scripted(GetStatus=[dict(QUIET, components=[
        component("wallet", "ok", used)])])
    bar = "█" * cells + "░" * (12 - cells)
    assert f" {bar} " in ctl(one.path, "status").stdout.decode()


def test_a_remark_names_all_whom_it_concerns(scripted):
    """A line of its own for each component would bury the rest."""
    names = [f"c{number}" for number in range(12)]
    one = scripted(GetStatus=[dict(QUIET, components=[
        component(name, "ok", 1, notes=["compression is not active yet"]
                  + ["odd"] * (name == "c3")) for name in names])])
    lines = ctl(one.path, "status").stdout.decode().splitlines()
    assert [line for line in lines if "not active" in line] == [
        ", ".join(names) + ": compression is not active yet"]
    assert "c3: odd" in lines


def test_ascii_without_utf8(scripted):
    one = scripted(Largest=[{"files": [dict(FILE, path="/srv/日本")]}])
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    for verb in ("status", "dashboard", "largest"):
        done = ctl(one.path, verb, env=env)
        assert done.stdout.isascii()
    assert b"/srv/??\n" in done.stdout
    assert b"#-" in ctl(one.path, "status", env=env).stdout


@pytest.mark.parametrize("place", [".local/state", "run"])
def test_users_own(scripted, tmp_path, place):
    """Without XDG_RUNTIME_DIR an agent listens below HOME."""
    folder = tmp_path / place / "ullage"
    folder.mkdir(parents=True)
    scripted()
    (folder / "io.ullage.Agent").symlink_to(tmp_path / "agent")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    if place == "run":
        env["XDG_RUNTIME_DIR"] = str(tmp_path / "run")
    done = subprocess.run([ag.ULLAGECTL, "status"], env=env, timeout=60,
                          capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert b"wallet" in done.stdout


# ---- errors ----

ERRORS = [
    (("io.ullage.Agent.NotFound", {"message": "no " + NASTY}), 1, "no x"),
    (("io.ullage.Agent.InvalidValue", {"message": "60% or 2GB"}), 2,
     "60% or 2GB"),
    (("io.ullage.Agent.PermissionDenied", {"message": "only root"}), 1,
     "not allowed: only root"),
    (("org.varlink.service.MethodNotFound", {"method": "x"}), 1,
     "another version"),
    (("org.varlink.service.InvalidParameter", {"parameter": "target"}), 1,
     '"target"'),
    (("com.example.Odd", {}), 1, "com.example.Odd"),
    (b"hello\0", 1, "does not speak Varlink"),
    (b'{"parameters":{"a":1,"a":2}}\0', 1, "does not speak Varlink"),
    (b'{"parameters":{}', 1, "ended the connection"),
    (None, 1, "ended the connection"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(scripted, number):
    reply, status, says = ERRORS[number]
    # After raw bytes without an end the agent hangs up.
    replies = [reply]
    if isinstance(reply, bytes) and not reply.endswith(b"\0"):
        replies = [lambda: reply, None]
    one = scripted(Cleanup=replies, Subscribe=replies)
    verb = ["events"] if len(replies) > 1 else ["cleanup", "feeds"]
    done = ctl(one.path, *verb)
    assert done.returncode == status
    assert not done.stdout
    assert says in done.stderr.decode()
    assert_harmless(done.stderr)


def test_no_agent(tmp_path):
    done = ctl(tmp_path / "none", "status")
    assert done.returncode == 1
    assert b"is ullaged running?" in done.stderr
    assert str(tmp_path / "none").encode() in done.stderr


def test_long_socket_path(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    here = os.open(deep, os.O_RDONLY)
    one = ScriptedAgent(f"/proc/self/fd/{here}/agent", ANSWERS)
    assert ctl(deep / "agent", "status").returncode == 0
    one.close()
    os.close(here)


def test_a_full_disk_is_no_success(scripted):
    one = scripted()
    with open("/dev/full", "wb") as full:
        done = subprocess.run([ag.ULLAGECTL, "--socket", one.path, "status"],
                              stdout=full, stderr=subprocess.PIPE,
                              timeout=60)
    assert done.returncode == 1
    assert b"cannot write" in done.stderr


def test_events_come_at_once(scripted):
    """Line by line into a pipe, not when a buffer is full."""
    read = threading.Event()

    def second():
        assert read.wait(30)
        return {"event": EVENT}

    one = scripted(Subscribe=[{"event": EVENT}, second])
    with subprocess.Popen([ag.ULLAGECTL, "--socket", one.path, "--json",
                           "events"], stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline()) == {"event": EVENT}
        read.set()
        assert json.loads(process.stdout.readline()) == {"event": EVENT}
    assert process.returncode == 0


# ---- terminals ----

def on_terminal(socket, *arguments, **env):
    """What ullagectl writes to a terminal; it has that as stderr, too."""
    here, there = pty.openpty()
    with subprocess.Popen(
            [ag.ULLAGECTL, "--socket", socket, *arguments], stdin=there,
            stdout=there, stderr=there,
            env={"TERM": "xterm", "LC_ALL": "C.UTF-8", **env}) as process:
        os.close(there)
        output = b""
        try:
            while piece := os.read(here, 65536):
                output += piece
        except OSError:
            pass
    os.close(here)
    assert process.returncode in (0, 3)
    return output


def test_colours_are_for_terminals(scripted):
    one = scripted()
    assert b"\033[1;31mcritical" in on_terminal(one.path, "status")
    for output in (on_terminal(one.path, "status", NO_COLOR="1"),
                   on_terminal(one.path, "--no-color", "status"),
                   on_terminal(one.path, "status", TERM="dumb"),
                   ctl(one.path, "status").stdout):
        assert b"critical" in output and b"\033" not in output


def test_progress_is_for_terminals(scripted):
    one = scripted()
    output = on_terminal(one.path, "cleanup", "feeds")
    assert b"100 files judged" in output
    assert b"\r\033[K" in output
    assert one.calls[-1]["more"]
    assert b"judged" not in on_terminal(one.path, "cleanup", "feeds",
                                        "--json")


def test_json_is_indented_on_a_terminal(scripted):
    one = scripted()
    output = on_terminal(one.path, "alerts", "--json").decode()
    assert output.startswith('{\r\n  "alerts": [')
    assert json.loads(output) == ANSWERS["GetAlerts"][0]


# ---- paths ----

def test_paths_are_made_what_the_agent_knows(scripted, tmp_path):
    one = scripted()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/leaf").symlink_to("/etc/passwd")
    real = str(tmp_path / "real")
    cases = [("x", f"{real}/x"), ("./a/../x", f"{real}/x"), (".", real),
             ("../link/x", f"{real}/x"),
             (f"{tmp_path}/link/leaf", f"{real}/leaf"),
             ("gone/deep/x", f"{real}/gone/deep/x"),
             ("gone/../../y", f"{tmp_path}/y"), ("/", "/"),
             (b"bad\xff\n\x1b", f"{real}/bad\\xff\\x0a\\x1b"),
             ("back\\slash", f"{real}/back\\\\slash"),
             ("grün", f"{real}/grün")]
    for given, wanted in cases:
        done = ctl(one.path, "why", given, cwd=real)
        assert done.returncode == 0, done.stderr
        assert one.calls[-1]["parameters"]["path"] == wanted, given


# ---- another host ----

@pytest.fixture
def ssh(scripted, tmp_path):
    """An ssh that runs the command by a shell here, as sshd would there."""
    one = scripted()
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/ssh"
    script.write_text(f"""#!/bin/sh
[ "$1" = -- ] || exit 90
echo "$2" >{tmp_path}/host
shift 2
[ ! -e {tmp_path}/fails ] || {{ echo ssh: no route >&2; exit 255; }}
ULLAGE_SOCKET={one.path} exec sh -c "$*"
""")
    script.chmod(0o755)
    (tmp_path / "bin/ullagectl").symlink_to(ag.ULLAGECTL)
    env = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
           "LC_ALL": "C.UTF-8"}

    def run(*arguments):
        return subprocess.run([ag.ULLAGECTL, "--host", "feeds1", *arguments],
                              capture_output=True, env=env, timeout=60)

    run.agent = one
    run.dir = tmp_path
    return run


@pytest.mark.parametrize("line,method,parameters,status", VERBS,
                         ids=[v[0] for v in VERBS])
def test_host_shows_the_same(ssh, line, method, parameters, status):
    there = ssh(*line.split())
    assert there.returncode == status, there.stderr
    assert (ssh.dir / "host").read_text() == "feeds1\n"
    assert ssh.agent.calls[-1]["parameters"] == parameters
    here = ctl(ssh.agent.path, *line.split())
    assert there.stdout == here.stdout


def test_host_takes_words_as_they_are(ssh):
    word = "a'b \"c\" $(touch pwned) `x`; touch pwned #\\"
    assert ssh("status", word).returncode == 0
    assert ssh.agent.calls[-1]["parameters"] == {"component": word}
    assert not (ssh.dir / "pwned").exists()


def test_host_that_fails(ssh):
    (ssh.dir / "fails").touch()
    done = ssh("status")
    assert done.returncode == 1
    assert b"no route" in done.stderr and not done.stdout
